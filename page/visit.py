"""A request for a page: its filters, and its shortest address."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request

from page.catalog import catalog
from page.filters import Asked, Refused, presets, read_filters
from page.formats import Formats
from page.forms import CONTACT_FIELD, SHOWN_CONTACT
from page.periods import default_frequency
from page.publication import Reader
from page.texts import Texts
from page.view import View

_IDS = re.compile(r"[0-9]+([\s,;]+[0-9]+)*")


@dataclass(frozen=True)
class Visit:
    """A request for a page, parsed. `asked` still has the page's own parameters, such as `page`."""

    path: str
    asked: Asked
    view: View
    _pairs: Sequence[tuple[str, str]]
    own: Mapping[str, str | int | None] = field(default_factory=dict)  # the page's own parameters; None is left out

    def at(self, **own: str | int | None) -> "Visit":
        """The visit with the page's own parameters, as they are understood."""
        return replace(self, own=own)

    def address(self, **own: str | int | None) -> str:
        """The shortest address of this page, or of the page with other own parameters."""
        return self.view.address(self.path, **{**self.own, **own})

    def detour(self) -> str | None:
        """The shortest address, if the request used another one; a form, for example, sends all of its fields."""
        short = self.address()
        return None if parse_qsl(urlsplit(short).query) == list(self._pairs) else short


def pairs_of(request: Request) -> list[tuple[str, str]]:
    """The parameters of a request."""
    return parse_qsl(request.url.query, keep_blank_values=True, errors="replace")


def read_visit(path: str, pairs: Sequence[tuple[str, str]], reader: Reader) -> Visit:
    """Parse a request for a page. Raises Refused."""
    known = catalog(reader)
    if not known.workspaces:
        raise Refused("workspace", "no_workspaces")
    default_workspace = next(iter(known.workspaces))
    asked = Asked(_without_form_fields(pairs))
    filters = read_filters(
        asked, known, reader, default_workspace=default_workspace, default_frequency=default_frequency
    )
    assert filters.workspace is not None
    view = View(
        reader=reader,
        catalog=known,
        filters=filters,
        default_workspace=default_workspace,
        today=presets(reader, filters.workspace)["today"][1],
        formats=Formats(filters.language),
        text=Texts(filters.language),
    )
    return Visit(path, asked, view, pairs)


def _without_form_fields(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The fields of the form as parameters of contract 7.

    Typed dates replace the preset that was shown. A typed contact replaces the contacts that were shown.
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
