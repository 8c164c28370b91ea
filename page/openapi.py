"""The OpenAPI document of the reports API, and what its page of documentation shows, made from the endpoints."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from page.answers import STATUSES
from page.catalog import Catalog, catalog
from page.downloads import FORMATS, MEDIA_TYPES
from page.endpoints import (
    DEFAULT_LIMIT,
    ENDPOINTS,
    LARGEST_LIMIT,
    Endpoint,
    Parameter,
    parameters_of,
)
from page.publication import Reader

Schema = dict[str, Any]

_TYPES: Mapping[str, Schema] = {
    "BIGINT": {"type": ["integer", "null"], "format": "int64"},
    "INTEGER": {"type": ["integer", "null"]},
    "DOUBLE": {"type": ["number", "null"]},
    "BOOLEAN": {"type": ["boolean", "null"]},
    "DATE": {"type": ["string", "null"], "format": "date"},
    "TIMESTAMP WITH TIME ZONE": {"type": ["string", "null"], "format": "date-time"},
    # A wall clock, which JSON Schema has no format for.
    "TIMESTAMP": {"type": ["string", "null"]},
    "VARCHAR[]": {"type": ["array", "null"], "items": {"type": "string"}},
    "VARCHAR": {"type": ["string", "null"]},
}

# Of columns that no view has, or that mean something else there.
_DESCRIPTIONS = {
    "period_start": "The first day of the period, even if it is before the range; for `total` that of the range.",
    "percentage": "Its part of the period's total under the same filters, 0 to 100, not rounded.",
}

# Invented, as the document is handed around.
_EXAMPLES: Mapping[str, Any] = {
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
_EXAMPLES_OF_TYPES: Mapping[str, Any] = {
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
_EXAMPLE_FROM, _EXAMPLE_TO = "2026-01-01", "2026-01-31"

_INTRODUCTION = """\
The reports of the published file, as JSON and as files. Every address is read by GET.

An answer has the rows (`data`), the parameters as they were understood, and when the newest data was loaded \
(`as_of`). Instants are in UTC and end in `Z`. `report_date` and `occurred_at_local` are by the calendar and the clock \
of the workspace. Numbers may change as long as more data lands.

The same address with `.csv`, `.xlsx` or `.parquet` gives all rows as a file.

`lang` and `theme`, which the report page has, are accepted with dates, and ignored.
"""


def columns_of(reader: Reader, endpoint: Endpoint) -> Mapping[str, str]:
    """The types of an endpoint's columns, by name."""
    return reader.once("columns", _columns)[endpoint.relation]


def _columns(reader: Reader) -> dict[str, dict[str, str]]:
    functions = catalog(reader).functions
    columns = {}
    for endpoint in ENDPOINTS:
        called = "(date '2026-01-01', date '2026-01-01')" if endpoint.relation in functions else ""
        rows = reader.rows(f"describe from {endpoint.relation}{called}")
        columns[endpoint.relation] = {row["column_name"]: row["column_type"] for row in rows}
    return columns


def document(reader: Reader) -> dict[str, Any]:
    """The OpenAPI document of the publication that is read."""
    known = catalog(reader)
    described = _column_descriptions(reader)
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {"error": _ERROR}
    for endpoint in ENDPOINTS:
        columns = columns_of(reader, endpoint)
        parameters = _parameters(endpoint, known, columns)
        row = endpoint.path.replace("/", "-")
        schemas[row] = {
            "type": "object",
            "description": f"A row of {endpoint.relation}.",
            "properties": {
                name: {
                    **_TYPES.get(type_, _TYPES["VARCHAR"]),
                    **_description(
                        _DESCRIPTIONS.get(name) if endpoint.arguments(known) else None, described, endpoint, name
                    ),
                }
                for name, type_ in columns.items()
            },
            "required": list(columns),
            "additionalProperties": False,
        }
        pages = _PAGES if endpoint.is_log else []
        paths[endpoint.address] = _operation(
            row, endpoint.summary, [*parameters, *pages], {"application/json": _content(endpoint, row, columns, known)}
        )
        for kind in FORMATS:
            media_types = [MEDIA_TYPES[kind]] + ([MEDIA_TYPES["zip"]] if kind == "xlsx" else [])
            paths[f"{endpoint.address}.{kind}"] = _operation(
                f"{row}-{kind}",
                f"{endpoint.summary}: all rows as a file",
                parameters,
                {media_type: {"schema": {}} for media_type in media_types},
            )
    return {
        "openapi": "3.1.0",
        "info": {"title": "Contact reports", "version": "1", "description": _INTRODUCTION},
        "security": [{}, {"basic": []}, {"bearer": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            # Only where the page has a password.
            "securitySchemes": {
                "basic": {"type": "http", "scheme": "basic"},
                "bearer": {"type": "http", "scheme": "bearer"},
            },
            "responses": {
                str(status): {
                    "description": description,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/error"}}},
                }
                for status, description in STATUSES.items()
            },
        },
    }


_ERROR: Schema = {
    "type": "object",
    "properties": {
        "error": {
            "type": "object",
            "properties": {
                "parameter": {"type": ["string", "null"], "description": "The parameter that is meant, if one is."},
                "message": {"type": "string", "description": "What is wrong."},
                "allowed": {
                    "type": ["array", "null"],
                    "items": {"type": "string"},
                    "description": "The values that are possible, if they can be listed.",
                },
            },
            "required": ["parameter", "message", "allowed"],
            "additionalProperties": False,
        }
    },
    "required": ["error"],
    "additionalProperties": False,
}

_PAGES: Sequence[Schema] = (
    {
        "name": "limit",
        "in": "query",
        "description": f"How many rows to answer with, at most. {DEFAULT_LIMIT} if not given.",
        "schema": {"type": "integer", "minimum": 1, "maximum": LARGEST_LIMIT, "default": DEFAULT_LIMIT},
    },
    {
        "name": "after",
        "in": "query",
        "description": "The `next` of the answer before, to go on after its last row.",
        "schema": {"type": "string"},
    },
)


def _operation(name: str, summary: str, parameters: Sequence[Schema], content: Schema) -> Schema:
    return {
        "get": {
            "operationId": name,
            "summary": summary,
            "parameters": list(parameters),
            "responses": {
                "200": {"description": "The rows.", "content": content},
                **{str(status): {"$ref": f"#/components/responses/{status}"} for status in STATUSES},
            },
        }
    }


def _content(endpoint: Endpoint, row: str, columns: Mapping[str, str], known: Catalog) -> Schema:
    return {
        "schema": {
            "type": "object",
            "properties": {
                "data": {"type": "array", "items": {"$ref": f"#/components/schemas/{row}"}},
                "parameters": {"type": "object", "description": "The parameters as they were understood."},
                "as_of": {
                    "type": ["string", "null"],
                    "format": "date-time",
                    "description": "When the newest data was loaded.",
                },
                "next": {
                    "type": ["string", "null"],
                    "description": "What `after` has to be for the rows that follow; null if there are none.",
                },
            },
            "required": ["data", "parameters", "as_of", "next"],
            "additionalProperties": False,
        },
        "example": _example_answer(endpoint, columns, known),
    }


def _parameters(endpoint: Endpoint, known: Catalog, columns: Mapping[str, str]) -> list[Schema]:
    return [
        {
            "name": parameter.name,
            "in": "query",
            "description": parameter.description,
            "schema": _schema(parameter, known),
            **({"style": "form", "explode": True} if parameter.is_list else {}),
        }
        for parameter in parameters_of(endpoint, known, columns)
    ]


def _schema(parameter: Parameter, known: Catalog) -> Schema:
    schema: Schema = {"type": "string"}
    if allowed := _allowed(parameter, known):
        schema["enum"] = allowed
    elif parameter.name in ("from", "to"):
        schema["format"] = "date"
    elif parameter.name == "contact":
        schema = {"type": "integer", "format": "int64", "minimum": 1}
    return {"type": "array", "items": schema} if parameter.is_list else schema


def _allowed(parameter: Parameter, known: Catalog) -> list[str]:
    if parameter.name == "workspace":
        return list(known.workspaces)
    return known.keys(parameter.subject) if parameter.subject else []


def _column_descriptions(reader: Reader) -> dict[tuple[str, str], str]:
    """The comments of the columns, by view and column; those under no view are of any that has the column."""
    rows = reader.rows(
        """
        select schema_name || '.' || table_name as view, column_name, comment
        from duckdb_columns()
        where database_name = current_database() and schema_name = 'reports' and comment is not null
        order by table_name, column_index"""
    )
    any_view = {("", row["column_name"]): row["comment"] for row in reversed(rows)}
    return any_view | {(row["view"], row["column_name"]): row["comment"] for row in rows}


def _description(own: str | None, described: Mapping[tuple[str, str], str], endpoint: Endpoint, name: str) -> Schema:
    view = endpoint.relation.removesuffix("_between")
    text = own or described.get((view, name)) or described.get(("", name))
    return {"description": text} if text else {}


def _example_answer(endpoint: Endpoint, columns: Mapping[str, str], known: Catalog) -> dict[str, Any]:
    row = {name: _EXAMPLES.get(name, _EXAMPLES_OF_TYPES.get(type_, "text")) for name, type_ in columns.items()}
    parameters: dict[str, Any] = {
        parameter.name: [] if parameter.is_list else None for parameter in parameters_of(endpoint, known, columns)
    }
    values = {"from": _EXAMPLE_FROM, "to": _EXAMPLE_TO, "frequency": "day", "compared_with": "preceding"}
    parameters |= {name: value for name, value in values.items() if name in parameters}
    if endpoint.is_log:
        parameters["limit"] = DEFAULT_LIMIT
    return {"data": [row], "parameters": parameters, "as_of": "2026-01-31T12:00:00Z", "next": None}


def described_endpoints(reader: Reader) -> dict[str, Any]:
    """What the page of documentation shows."""
    known = catalog(reader)
    endpoints = []
    for endpoint in ENDPOINTS:
        columns = columns_of(reader, endpoint)
        parameters = [
            {"name": parameter.name, "description": parameter.description, "allowed": _allowed(parameter, known)}
            for parameter in parameters_of(endpoint, known, columns)
        ]
        if endpoint.is_log:
            parameters += [{"name": page["name"], "description": page["description"], "allowed": []} for page in _PAGES]
        query = _example_query(endpoint, known)
        endpoints.append(
            {
                "address": endpoint.address,
                "anchor": endpoint.path.replace("/", "-"),
                "summary": endpoint.summary,
                "relation": endpoint.relation,
                "parameters": parameters,
                "examples": [
                    f"{endpoint.address}{ending}{query}" for ending in ("", *(f".{kind}" for kind in FORMATS))
                ],
                "answer": json.dumps(_example_answer(endpoint, columns, known), ensure_ascii=False, indent=2),
            }
        )
    return {"introduction": _INTRODUCTION.strip().split("\n\n"), "endpoints": endpoints, "statuses": STATUSES}


def _example_query(endpoint: Endpoint, known: Catalog) -> str:
    if endpoint.arguments(known) is None:
        return ""
    workspace = next(iter(known.workspaces), None)
    if workspace is None:
        return "?" + urlencode({"from": _EXAMPLE_FROM, "to": _EXAMPLE_TO})
    query = {"workspace": workspace, "date_range": "last_30_days"}
    return "?" + urlencode(query)
