"""The SQL that turns chunks of text into rows of the raw zone. It splits records into fields, and validates no value.

Parameters: $1 is the batch, $2 the time of loading, $3 a JSON list that describes the chunks, $4 their texts, separated
by CHUNK_MARK. The argument `unreadable` is the error of a record whose bytes are not text.
"""

import json
from collections.abc import Iterable
from typing import Any

from orchestration.lib.extraction.encodings import BYTES_MARK, CHUNK_MARK, FIELD_MARK, INVALID_BYTE_MARK, RECORD_MARK
from orchestration.lib.landing.kinds import Kind
from orchestration.lib.sql import sql_name, sql_text

# DuckDB reads trailing commas, NaN and Infinity, which are no JSON, and would spell some numbers differently (1e3 as
# 1000.0). One pass over each line finds the few records that may have any of it. Only these are examined again, with
# their strings left out.
_NEEDS_CARE = r',\s*[}\]]|(?:"\s*:|[\[,])\s*-?(?i:nan|inf|[0-9]+[.e])'
_LENIENT = r",\s*[}\]]|[:\[,]\s*-?(?i:nan|inf)"
_STRING = r'"(?:[^"\\]|\\.)*"'
_NUMBER = r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
# Puts a mark before and after every number, and two marks after every string.
_MARK_NUMBERS = f"regexp_replace(json, '({_STRING})|({_NUMBER})', '\\1{RECORD_MARK}\\2{RECORD_MARK}', 'g')"
_NUMBERS_AS_STRINGS = f"""replace(replace({_MARK_NUMBERS}, '{RECORD_MARK * 2}', ''), '{RECORD_MARK}', '"')"""

# DuckDB refuses JSON with the escape of half a surrogate pair. It is replaced by that of U+FFFD: a mark is put before
# and another one after each of them. After a whole pair, or any other escape, both marks are put, and removed again.
_SURROGATE = r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
_OTHER_ESCAPE = r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\[^u]"
_MARK_SURROGATES = f"regexp_replace(record, '({_OTHER_ESCAPE})|({_SURROGATE})', '\\1{FIELD_MARK}\\2{RECORD_MARK}', 'g')"
_WITHOUT_SURROGATES = (
    f"regexp_replace(replace({_MARK_SURROGATES}, '{FIELD_MARK}{RECORD_MARK}', ''), "
    f"'{FIELD_MARK}{_SURROGATE}{RECORD_MARK}', '\\\\ufffd', 'g')"
)

# One row per chunk. With lists as parameters, DuckDB's Python client would look for pandas once for each value, which
# took 5 of 7 seconds for 3,000 small files.
_CHUNKS = f"""
    chunks as (
        select
            unnest(from_json($3, '[{{
                "file_id": "BIGINT", "workspace_folder": "VARCHAR", "source_file": "VARCHAR", "first_line": "BIGINT",
                "delimiter": "VARCHAR", "positions": ["BIGINT"]
            }}]'), max_depth := 2),
            unnest(string_split($4, '{CHUNK_MARK}')) as text
    )"""

# A record that was read in another encoding comes before its bytes.
_AS_READ = f"case when contains(landed, '{BYTES_MARK}') then split_part(landed, '{BYTES_MARK}', 1) else landed end"
_AS_LANDED = f"case when contains(landed, '{BYTES_MARK}') then split_part(landed, '{BYTES_MARK}', 2) else landed end"

_LINES = f"""
    landed_lines as (
        select
            * exclude (text, parts),
            first_line + generate_subscripts(parts, 1) - 1 as source_line,
            unnest(parts) as landed
        from (select *, string_split(text, chr(10)) as parts from chunks)
    ),
    lines as (select *, {_AS_READ} as record from landed_lines)"""


def not_text(encoding: str | None) -> str:
    """The error of a record that is neither UTF-8 nor in the encoding that files may be in instead."""
    if encoding is None:
        return "not UTF-8, and CONTACT_REPORTS_ENCODING is not set"
    return f"not UTF-8 and not {encoding}"


def decode_json_lines(kind: Kind, unreadable: str) -> str:
    """Rows of the raw zone from chunks of JSON lines."""
    structure = json.dumps(_structure(kind.columns.values()))
    return f"""
with {_CHUNKS}, {_LINES},
    looked_at as (
        select *, json_valid(record) as is_valid, regexp_matches(record, '{_NEEDS_CARE}') as needs_care
        from lines where {_not_blank("record")}
    ),
    mended as (
        select
            *,
            case
                when is_valid or not regexp_matches(record, '{_SURROGATE}') then record
                else {_WITHOUT_SURROGATES}
            end as json
        from looked_at
    ),
    checked as (
        select
            *,
            case
                when contains(record, '{INVALID_BYTE_MARK}') then {sql_text(unreadable)}
                when not is_valid and not json_valid(json) then 'not JSON'
                when not regexp_matches(json, '^\\s*\\{{') then 'not a JSON object'
                when needs_care and regexp_matches(regexp_replace(json, '{_STRING}', '""', 'g'), '{_LENIENT}')
                    then 'not JSON'
            end as parse_error
        from mended
    ),
    decoded as (
        select
            *,
            case
                when parse_error is not null then null
                when needs_care then json_transform({_NUMBERS_AS_STRINGS}, '{structure}')
                else json_transform(json, '{structure}')
            end as fields
        from checked
    )
select {_columns(kind, {field: f"fields.{_path(name)}" for field, name in kind.columns.items()})} from decoded"""


def _structure(paths: Iterable[str]) -> dict[str, Any]:
    """A structure for `json_transform` with text at the end of each path. Objects and lists become text there."""
    structure: dict[str, Any] = {}
    for path in paths:
        *objects, value = path.split(".")
        inner = structure
        for name in objects:
            inner = inner.setdefault(name, {})
        inner[value] = "VARCHAR"
    return structure


def _path(path: str) -> str:
    return ".".join(sql_name(name) for name in path.split("."))


def decode_csv_lines(kind: Kind, unreadable: str) -> str:
    """Rows of the raw zone from chunks of CSV with one record a line."""
    return f"""
with {_CHUNKS}, {_LINES},
    decoded as (select *, string_split(record, delimiter) as fields from lines where {_not_blank("record")})
{_select_csv(kind, unreadable, all_fields="null")}"""


def decode_csv_fields(kind: Kind, unreadable: str) -> str:
    """Rows of the raw zone from chunks of CSV that are split into fields."""
    return f"""
with {_CHUNKS},
    -- Two steps: in one, DuckDB splits the text again for every 2,048 rows that it unnests (320,000 rows: 15.6 against
    -- 0.3 CPU-seconds).
    split as (select * exclude (text), string_split(text, '{RECORD_MARK}') as records from chunks),
    records as (
        select * exclude (records, record), string_split(record, '{FIELD_MARK}') as parts
        from (select *, unnest(records) as record from split)
    ),
    decoded as (
        select *, parts[1]::bigint as source_line, parts[2] as landed, {_AS_READ} as record, parts[3:] as fields
        from records
    )
{_select_csv(kind, unreadable, all_fields="fields")}"""


def _select_csv(kind: Kind, unreadable: str, all_fields: str) -> str:
    # positions: where each column is among the fields of the file (0: nowhere), then the number of these fields.
    positions = {field: f"fields[positions[{i}]]" for i, field in enumerate(kind.columns, start=1)}
    if kind.is_export:
        positions = {"fields": f"{all_fields}::varchar[]"}
    width = f"positions[{len(kind.columns) + 1}]"
    return f"""
select {_columns(kind, positions)}
from (
    select
        *,
        case
            when contains(record, '{INVALID_BYTE_MARK}') then {sql_text(unreadable)}
            when len(fields) = 0 and contains(record, chr(13)) then 'cannot be split into fields'
            when len(fields) = 0 then 'a quote is not closed'
            when len(fields) <> {width} then format('expected {{}} fields, found {{}}', {width}, len(fields))
        end as parse_error
    from decoded
)"""


def _columns(kind: Kind, fields: dict[str, str]) -> str:
    values = ", ".join(
        f"case when parse_error is null then {expression} end as {field}" for field, expression in fields.items()
    )
    # DuckDB writes a blob with every byte that is not printable ASCII as \xNN. The marked bytes are written in the same
    # way, and the whole is read back as a blob: the bytes as landed.
    marked = "".join(f"\\\\x{byte:02X}" for byte in INVALID_BYTE_MARK.encode())
    notation = f"regexp_replace(encode({_AS_LANDED})::varchar, '{marked}([0-9A-F]{{2}})', '\\\\x\\1', 'g')"
    return f"""
    $1::bigint as batch_id, file_id, source_line, $2::timestamptz as loaded_at, workspace_folder,
    {route_of(kind)} as route, source_file, parse_error,
    {values},
    '' as number_fields, null::varchar as extra_fields,
    replace(record, '{INVALID_BYTE_MARK}', '\\x') as raw_record,
    case when contains(landed, '{INVALID_BYTE_MARK}') then {notation}::blob end as raw_bytes"""


def route_of(kind: Kind) -> str:
    """The route of a kind's records as SQL. Only records of events have one."""
    return f"'{kind.route}'" if kind.brings_events else "null::varchar"


def _not_blank(column: str) -> str:
    # Most records begin with a visible character, which is checked faster than the whole record.
    return f"(left({column}, 1) > ' ' or regexp_matches({column}, '\\S'))"
