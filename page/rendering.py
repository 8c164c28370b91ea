"""Writes pages as HTML: templates, the static files that they name, and the words of both languages."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from page.assets import FOLDER, static_address
from page.choices import chips, read_choices
from page.findings import ORDERS
from page.trust import read_trust
from page.visit import CONTACT_FIELD, Visit

# The columns of a log that are shown, as far as it has them.
_LOG_COLUMNS = [
    "occurred_at_local",
    "contact_id",
    "primary_contact_id",
    "merged_contact_id",
    "contact_name",
    "source_label",
    "channel_name",
    "user_name",
]
_STYLES = ("page.css", "charts.css")


@cache
def _styles() -> Markup:
    """All styles as text, for a page that is one file."""
    text = "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in _STYLES)
    return Markup(text)  # noqa: S704 -- files of the project


_TEMPLATES = Environment(
    loader=PackageLoader("page"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_TEMPLATES.globals.update(
    static=static_address,
    styles=_STYLES,
    styles_as_text=_styles,
    contact_field=CONTACT_FIELD,
    log_columns=_LOG_COLUMNS,
    findings=list(ORDERS),
)


def render(template: str, values: Mapping[str, Any]) -> str:
    """A page of its own."""
    return _TEMPLATES.get_template(template).render(values)


def render_page(template: str, visit: Visit, **values: Any) -> str:
    """A page about the data of a workspace, with the filters and the state of the data."""
    view = visit.view
    assert view.filters.workspace is not None
    return render(
        template,
        {
            "view": view,
            "filters": view.filters,
            "catalog": view.catalog,
            "text": view.text,
            "formats": view.formats,
            "path": visit.path,
            "workspace": view.catalog.workspaces[view.filters.workspace],
            "trust": read_trust(view.reader, view.filters.workspace),
            "choices": read_choices(view),
            "chips": chips(view, visit.path),
            "is_file": view.is_file,
            "now": datetime.now(UTC),
            **values,
        },
    )
