"""Examples for the documentation of the reports API: an answer and a query of each endpoint."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from page.catalog import Catalog
from page.endpoints import DEFAULT_LIMIT, Endpoint, parameters_of

# Invented values: the document must have no real data.
_OF_COLUMNS: Mapping[str, Any] = {
    "workspace_id": "1042",
    "workspace_name": "Example",
    "timezone": "Europe/Paris",
    "contact_id": 271828,
    "primary_contact_id": 271828,
    "merged_contact_id": 314159,
    "contact_name": "Ana Example",
    "source": "user",
    "source_label": "User",
    "label_fr": "Utilisateur",
    "user_id": "77",
    "user_name": "Sam Example",
    "channel_id": "88",
    "channel_name": "WhatsApp",
    "channel_type": "whatsapp_cloud",
    "event_id": "5f2b9c",
    "route": "events",
    "event_type": "added",
    "date_range": "last_7_days",
    "label": "Last 7 days",
    "metric": "contacts_added",
    "occurred_at_local": "2026-01-31T10:15:00",
    "key": "added_log",
    "title": "Contacts added log",
    "title_fr": "Journal des contacts ajoutés",
    "block": "logs",
    "kind": "log",
    "view": "reports.contacts_added_log",
    "table_function": "reports.contacts_added_log_between",
    "event_types": ["added"],
    "filters": ["contact", "date", "source", "user"],
    "percentage": 50.0,
    "percent": 25.0,
    "contacts": 50,
    "contacts_before": 40,
    "difference": 10,
    "start_date_before": "2025-12-01",
    "end_date_before": "2025-12-31",
    "start_date": "2026-01-25",
    "end_date": "2026-01-31",
}
_OF_TYPES: Mapping[str, Any] = {
    "BIGINT": 42,
    "INTEGER": 1,
    "DOUBLE": 12.5,
    "BOOLEAN": False,
    "DATE": "2026-01-01",
    "TIMESTAMP WITH TIME ZONE": "2026-01-31T09:15:00Z",
    "TIMESTAMP": "2026-01-31T10:15:00",
    "VARCHAR[]": [],
    "VARCHAR": "text",
}
_FROM, _TO = "2026-01-01", "2026-01-31"


def example_answer(endpoint: Endpoint, columns: Mapping[str, str], known: Catalog) -> dict[str, Any]:
    """An answer of an endpoint with one row."""
    row = {name: _OF_COLUMNS.get(name, _OF_TYPES.get(type_, "text")) for name, type_ in columns.items()}
    parameters: dict[str, Any] = {
        parameter.name: [] if parameter.is_list else None for parameter in parameters_of(endpoint, known, columns)
    }
    values = {"from": _FROM, "to": _TO, "frequency": "day", "compared_with": "preceding"}
    parameters |= {name: value for name, value in values.items() if name in parameters}
    if endpoint.is_log:
        parameters["limit"] = DEFAULT_LIMIT
    return {"data": [row], "parameters": parameters, "as_of": "2026-01-31T12:00:00Z", "next": None}


def example_query(endpoint: Endpoint, known: Catalog) -> str:
    """A query string of an endpoint, with the first workspace."""
    if endpoint.arguments(known) is None:
        return ""
    workspace = next(iter(known.workspaces), None)
    if workspace is None:
        return "?" + urlencode({"from": _FROM, "to": _TO})
    query = {"workspace": workspace, "date_range": "last_30_days"}
    return "?" + urlencode(query)
