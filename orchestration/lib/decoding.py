"""The SQL that turns chunks of text into rows of the raw zone. It splits; it does not judge."""

import json
from collections.abc import Iterable
from typing import Any

from orchestration.lib.raw_zone import RecordTable
from orchestration.lib.reading import CHUNK_MARK, FIELD_MARK, INVALID_BYTE_MARK, RECORD_MARK

# What DuckDB reads more freely than JSON allows (trailing commas, NaN, Infinity), and numbers that it would respell
# (1e3 as 1000.0). Few records have any of it: one pass over the line finds those, and only they are looked at again,
# with their strings told apart from the rest.
_NEEDS_CARE = r',\s*[}\]]|(?:"\s*:|[\[,])\s*-?(?i:nan|inf|[0-9]+[.e])'
_LENIENT = r",\s*[}\]]|[:\[,]\s*-?(?i:nan|inf)"
_STRING = r'"(?:[^"\\]|\\.)*"'
_NUMBER = r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
# Puts a mark before and after every number, and two marks behind every string.
_MARK_NUMBERS = f"regexp_replace(record, '({_STRING})|({_NUMBER})', '\\1{RECORD_MARK}\\2{RECORD_MARK}', 'g')"
_NUMBERS_AS_STRINGS = f"""replace(replace({_MARK_NUMBERS}, '{RECORD_MARK * 2}', ''), '{RECORD_MARK}', '"')"""

# One row a chunk. $1 says as JSON what chunks they are, $2 is their texts, separated by CHUNK_MARK, $3 the time of
# loading, $4 the batch. As lists, they would cost DuckDB's Python client a look for pandas for every single value: 5
# of 7 seconds for 3,000 small files.
_CHUNKS = f"""
    chunks as (
        select
            unnest(from_json($1, '[{{
                "file_id": "BIGINT", "workspace_folder": "VARCHAR", "source_file": "VARCHAR", "first_line": "BIGINT",
                "delimiter": "VARCHAR", "positions": ["BIGINT"]
            }}]'), max_depth := 2),
            unnest(string_split($2, '{CHUNK_MARK}')) as text
    )"""

_LINES = """
    lines as (
        select
            * exclude (text, parts),
            first_line + generate_subscripts(parts, 1) - 1 as source_line,
            unnest(parts) as record
        from (select *, string_split(text, chr(10)) as parts from chunks)
    )"""


def decode_json_lines(table: RecordTable) -> str:
    """Rows of `table` from chunks of JSON lines."""
    structure = json.dumps(_structure(table.fields.values()))
    return f"""
with {_CHUNKS}, {_LINES},
    looked_at as (
        select *, regexp_matches(record, '{_NEEDS_CARE}') as needs_care from lines where {_not_blank("record")}
    ),
    checked as (
        select
            *,
            case
                when contains(record, '{INVALID_BYTE_MARK}') then 'not UTF-8'
                when not json_valid(record) then 'not JSON'
                when not regexp_matches(record, '^\\s*\\{{') then 'not a JSON object'
                when needs_care and regexp_matches(regexp_replace(record, '{_STRING}', '""', 'g'), '{_LENIENT}')
                    then 'not JSON'
            end as parse_error
        from looked_at
    ),
    decoded as (
        select
            *,
            case
                when parse_error is not null then null
                when needs_care then json_transform({_NUMBERS_AS_STRINGS}, '{structure}')
                else json_transform(record, '{structure}')
            end as fields
        from checked
    )
select {_columns(table, {field: f"fields.{_path(name)}" for field, name in table.fields.items()})} from decoded"""


def _structure(paths: Iterable[str]) -> dict[str, Any]:
    """The objects that paths lead through, with text at their ends; objects and lists become text there."""
    structure: dict[str, Any] = {}
    for path in paths:
        *objects, value = path.split(".")
        inner = structure
        for name in objects:
            inner = inner.setdefault(name, {})
        inner[value] = "VARCHAR"
    return structure


def _path(path: str) -> str:
    return ".".join(identifier(name) for name in path.split("."))


def decode_csv_lines(table: RecordTable) -> str:
    """Rows of `table` from chunks of CSV in which a line is a record."""
    return f"""
with {_CHUNKS}, {_LINES},
    decoded as (select *, string_split(record, delimiter) as fields from lines where {_not_blank("record")})
{_select_csv(table, all_fields="null")}"""


def decode_csv_fields(table: RecordTable) -> str:
    """Rows of `table` from chunks of CSV that are split into fields."""
    return f"""
with {_CHUNKS},
    -- In two steps: DuckDB splits the text anew for every 2,048 rows that come of it when it unnests what it splits
    -- (320,000 rows: 15.6 against 0.3 CPU-seconds).
    split as (select * exclude (text), string_split(text, '{RECORD_MARK}') as records from chunks),
    records as (
        select * exclude (records, record), string_split(record, '{FIELD_MARK}') as parts
        from (select *, unnest(records) as record from split)
    ),
    decoded as (
        select *, parts[1]::bigint as source_line, parts[2] as record, parts[3:] as fields from records
    )
{_select_csv(table, all_fields="fields")}"""


def _select_csv(table: RecordTable, all_fields: str) -> str:
    # positions: where each field of the table stands in the file (0: nowhere), and last the number of its fields.
    positions = {field: f"fields[positions[{i}]]" for i, field in enumerate(table.fields, start=1)}
    if table.is_export:
        positions = {"fields": f"{all_fields}::varchar[]"}
    width = f"positions[{len(table.fields) + 1}]"
    return f"""
select {_columns(table, positions)}
from (
    select
        *,
        case
            when contains(record, '{INVALID_BYTE_MARK}') then 'not UTF-8'
            when len(fields) = 0 then 'cannot be split into fields'
            when len(fields) <> {width} then format('expected {{}} fields, found {{}}', {width}, len(fields))
        end as parse_error
    from decoded
)"""


def _columns(table: RecordTable, fields: dict[str, str]) -> str:
    values = ", ".join(
        f"case when parse_error is null then {expression} end as {field}" for field, expression in fields.items()
    )
    # DuckDB's own notation for blobs has every byte that is not plain ASCII as \xNN; the marked bytes are brought
    # into it too, and the whole is read back as a blob: the bytes as landed.
    marked = "".join(f"\\\\x{byte:02X}" for byte in INVALID_BYTE_MARK.encode())
    notation = f"regexp_replace(encode(record)::varchar, '{marked}([0-9A-F]{{2}})', '\\\\x\\1', 'g')"
    return f"""
    $4::bigint as batch_id, file_id, source_line, $3::timestamptz as loaded_at, workspace_folder,
    {route_of(table)} as route, source_file, parse_error,
    {values},
    '' as number_fields, null::varchar as extra_fields,
    replace(record, '{INVALID_BYTE_MARK}', '\\x') as raw_record,
    case when contains(record, '{INVALID_BYTE_MARK}') then {notation}::blob end as raw_bytes"""


def route_of(table: RecordTable) -> str:
    return f"'{table.route}'" if table.route else "null::varchar"


def _not_blank(column: str) -> str:
    # Most records begin with something to see, which is found out faster than that nothing is there.
    return f"(left({column}, 1) > ' ' or regexp_matches({column}, '\\S'))"


def identifier(name: str) -> str:
    """A column name of somebody's file, safe to stand in SQL."""
    return '"' + name.replace('"', '""') + '"'
