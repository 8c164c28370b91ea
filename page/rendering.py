"""Renders the pages of a workspace: the values that all their templates use."""

from datetime import UTC, datetime
from typing import Any

from page.choices import chips, read_choices
from page.findings import FINDINGS
from page.forms import CONTACT_FIELD, SHOWN_CONTACT, form_of
from page.templating import render
from page.trust import read_trust
from page.visit import Visit

# The columns that a log shows, if it has them.
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


def render_page(template: str, visit: Visit, **values: Any) -> str:
    """Render a page of a workspace, with the filters and the state of the data. Raises TooSlow."""
    view = visit.view
    assert view.filters.workspace is not None
    return render(
        template,
        {
            "form": form_of(view.filters),
            "own": visit.own,
            "contact_field": CONTACT_FIELD,
            "shown_contact": SHOWN_CONTACT,
            "log_columns": _LOG_COLUMNS,
            "findings": list(FINDINGS),
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
        view.reader.check,
    )
