"""The OpenAPI document of the reports API, generated from the endpoints."""

from collections.abc import Mapping, Sequence
from typing import Any

from orchestration.lib.export.files import FORMATS
from page.answers import STATUSES
from page.catalog import Catalog, catalog
from page.downloads import MEDIA_TYPES
from page.endpoints import (
    DEFAULT_LIMIT,
    ENDPOINTS,
    LARGEST_LIMIT,
    Endpoint,
    Parameter,
    parameters_of,
)
from page.examples import example_answer
from page.publication import Reader

Schema = dict[str, Any]

_TYPES: Mapping[str, Schema] = {
    "BIGINT": {"type": ["integer", "null"], "format": "int64"},
    "INTEGER": {"type": ["integer", "null"]},
    "DOUBLE": {"type": ["number", "null"]},
    "BOOLEAN": {"type": ["boolean", "null"]},
    "DATE": {"type": ["string", "null"], "format": "date"},
    "TIMESTAMP WITH TIME ZONE": {"type": ["string", "null"], "format": "date-time"},
    # A local time. JSON Schema has no format for it.
    "TIMESTAMP": {"type": ["string", "null"]},
    "VARCHAR[]": {"type": ["array", "null"], "items": {"type": "string"}},
    "VARCHAR": {"type": ["string", "null"]},
}

# Of columns that no view has, or that have another meaning in a view.
_DESCRIPTIONS = {
    "period_start": "The first day of the period. It can be before the range. For `total`: that of the range.",
    "percentage": "The share of the period's total under the same filters, from 0 to 100, not rounded.",
}

INTRODUCTION = """\
The reports of the published file, as JSON and as files. Every endpoint is read with GET.

A response has the rows (`data`), the parameters with defaults filled in (`parameters`), and when the newest data was \
loaded (`as_of`). Timestamps are in UTC and end in `Z`. `report_date` and `occurred_at_local` are in the time zone of \
the workspace. Numbers may change when more data lands.

The same path with `.csv`, `.xlsx` or `.parquet` returns all rows as a file.

Endpoints with dates accept and ignore `lang` and `theme`, which are parameters of the report page.
"""


def columns_of(reader: Reader, endpoint: Endpoint) -> Mapping[str, str]:
    """The types of an endpoint's columns, by name."""
    return reader.once_per_publication("columns", _columns)[endpoint.relation]


def _columns(reader: Reader) -> dict[str, dict[str, str]]:
    functions = catalog(reader).functions
    columns = {}
    for endpoint in ENDPOINTS:
        called = "(date '2026-01-01', date '2026-01-01')" if endpoint.relation in functions else ""
        rows = reader.rows(f"describe from {endpoint.relation}{called}")
        columns[endpoint.relation] = {row["column_name"]: row["column_type"] for row in rows}
    return columns


def document(reader: Reader) -> dict[str, Any]:
    """The OpenAPI document, with the columns and values of the publication."""
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
        pages = PAGES if endpoint.is_log else []
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
        "info": {"title": "Contact reports", "version": "1", "description": INTRODUCTION},
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
                "parameter": {"type": ["string", "null"], "description": "The invalid parameter, if there is one."},
                "message": {"type": "string", "description": "The problem."},
                "allowed": {
                    "type": ["array", "null"],
                    "items": {"type": "string"},
                    "description": "The allowed values, if they can be listed.",
                },
            },
            "required": ["parameter", "message", "allowed"],
            "additionalProperties": False,
        }
    },
    "required": ["error"],
    "additionalProperties": False,
}

PAGES: Sequence[Schema] = (
    {
        "name": "limit",
        "in": "query",
        "description": f"The maximum number of rows. Default: {DEFAULT_LIMIT}.",
        "schema": {"type": "integer", "minimum": 1, "maximum": LARGEST_LIMIT, "default": DEFAULT_LIMIT},
    },
    {
        "name": "after",
        "in": "query",
        "description": "The `next` of the previous response.",
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
                "parameters": {"type": "object", "description": "The parameters, with defaults filled in."},
                "as_of": {
                    "type": ["string", "null"],
                    "format": "date-time",
                    "description": "When the newest data was loaded.",
                },
                "next": {
                    "type": ["string", "null"],
                    "description": "The value of `after` for the next page; null on the last page.",
                },
            },
            "required": ["data", "parameters", "as_of", "next"],
            "additionalProperties": False,
        },
        "example": example_answer(endpoint, columns, known),
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
    if allowed := allowed_values(parameter, known):
        schema["enum"] = allowed
    elif parameter.name in ("from", "to"):
        schema["format"] = "date"
    elif parameter.name == "contact":
        schema = {"type": "integer", "format": "int64", "minimum": 1}
    return {"type": "array", "items": schema} if parameter.is_list else schema


def allowed_values(parameter: Parameter, known: Catalog) -> list[str]:
    """The values that a parameter may have; none if they cannot be listed."""
    if parameter.name == "workspace":
        return list(known.workspaces)
    return known.keys(parameter.subject) if parameter.subject else []


def _column_descriptions(reader: Reader) -> dict[tuple[str, str], str]:
    """The comments of the columns, by view and column. The key with an empty view has the comment of any view."""
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
