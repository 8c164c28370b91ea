"""A request for a page: its filters, and the short address that means the same."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request

from page.catalog import catalog
from page.filters import Asked, Refused, read_filters
from page.formats import Formats
from page.periods import default_frequency
from page.publication import Reader
from page.texts import Texts
from page.trust import provisional_days
from page.view import View

# The form has one field for the contact: a name, or ids.
CONTACT_FIELD, SHOWN_CONTACT = "q", "shown"
_IDS = re.compile(r"[0-9]+([\s,;]+[0-9]+)*")


@dataclass(frozen=True)
class Visit:
    """What a person asks for. `asked` still has the parameters of the page itself."""

    path: str
    asked: Asked
    view: View
    _pairs: Sequence[tuple[str, str]]

    def address(self, **own: str | int | None) -> str:
        """The short address of this page, with its own parameters, None left out."""
        return self.view.address(self.path, **own)

    def detour(self, **own: str | int | None) -> str | None:
        """The short address where the request had another one, such as one that a form made."""
        short = self.address(**own)
        return None if parse_qsl(urlsplit(short).query) == list(self._pairs) else short


def read_visit(request: Request, reader: Reader) -> Visit:
    """What a request for a page asks for. Raises Refused."""
    pairs = parse_qsl(request.url.query, keep_blank_values=True, errors="replace")
    known = catalog(reader)
    if not known.workspaces:
        raise Refused("workspace", "is not possible: workspaces.csv lists none")
    default_workspace = next(iter(known.workspaces))
    asked = Asked(_without_form_fields(pairs))
    filters = read_filters(
        asked, known, reader, default_workspace=default_workspace, default_frequency=default_frequency
    )
    assert filters.workspace is not None
    today = reader.rows(
        "select end_date from reports.date_ranges where workspace_id = ? and date_range = 'today'", [filters.workspace]
    )[0]["end_date"]
    view = View(
        reader=reader,
        catalog=known,
        filters=filters,
        default_workspace=default_workspace,
        today=today,
        provisional_days_query=provisional_days(filters.workspace, filters.start, filters.end),
        formats=Formats(filters.language),
        text=Texts(filters.language),
    )
    return Visit(request.url.path, asked, view, pairs)


def _without_form_fields(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The parameters of contract 7 that a form meant.

    Dates that were typed take the place of the date range that was shown, and a typed contact that of other contacts.
    """
    has_dates = any(name in ("from", "to") and value.strip() for name, value in pairs)
    typed = [(name, value) for name, value in pairs if name != "date_range" or not has_dates]
    fields = dict(pairs)
    if CONTACT_FIELD not in fields:
        return typed
    typed = [(name, value) for name, value in typed if name not in (CONTACT_FIELD, SHOWN_CONTACT)]
    if fields[CONTACT_FIELD] == fields.get(SHOWN_CONTACT, ""):
        return typed
    meant = [(name, value) for name, value in typed if name not in ("contact", "contact_name")]
    for name, value in pairs:
        if name == CONTACT_FIELD and _IDS.fullmatch(value.strip()):
            meant += [("contact", number) for number in re.split(r"[\s,;]+", value.strip())]
        elif name == CONTACT_FIELD:
            meant.append(("contact_name", value.strip()))
    return meant
