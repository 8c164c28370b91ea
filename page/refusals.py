"""The page for a request with an invalid parameter: what is wrong, and the form as it was filled in."""

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from page.catalog import catalog
from page.filters import Refused
from page.forms import CONTACT_FIELD, SHOWN_CONTACT, field_of, form_of, with_problems
from page.publication import Reader
from page.rendering import render_page
from page.visit import Visit, pairs_of, read_visit

_STATUS = 422
# The parameters that make no sense without each other, or that the form sends instead of each other.
_LEFT_OUT_WITH = {
    "from": ("from", "to"),
    "to": ("from", "to"),
    "contact": ("contact", CONTACT_FIELD, SHOWN_CONTACT),
    "contact_name": ("contact_name", CONTACT_FIELD, SHOWN_CONTACT),
}


def refused_page(request: Request, reader: Reader, refused: Refused) -> Response:
    """What is wrong, in the language and the workspace of the request. Raises Refused if nothing can be shown."""
    visit, problems = _read_what_is_valid(request, reader, refused)
    has_form = request.url.path in (*_paths_with_form(reader), "/report.html")
    form = with_problems(form_of(visit.view.filters), pairs_of(request), problems)
    page = render_page("refused.html", visit, form=form, problems=problems, field_of=field_of, has_form=has_form)
    return HTMLResponse(page, _STATUS)


def _read_what_is_valid(request: Request, reader: Reader, refused: Refused) -> tuple[Visit, list[Refused]]:
    """The request without its invalid parameters, and what is wrong with each of them."""
    path = request.url.path if request.url.path in _paths_with_form(reader) else "/"
    pairs, problems = pairs_of(request), [refused]
    while True:
        left_out = _LEFT_OUT_WITH.get(problems[-1].parameter, (problems[-1].parameter,))
        pairs = [pair for pair in pairs if pair[0] not in left_out]
        try:
            return read_visit(path, pairs, reader), problems
        except Refused as another:
            if another.parameter in {problem.parameter for problem in problems}:
                raise
            problems.append(another)


def _paths_with_form(reader: Reader) -> list[str]:
    logs = [component for component in catalog(reader).components if component.kind == "log"]
    return ["/", *(f"/logs/{component.event_types[0]}" for component in logs)]
