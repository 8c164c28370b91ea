"""The SQL that turns Parquet files into rows of the raw zone. It turns values into text, and validates none."""

import glob
from collections.abc import Sequence

from orchestration.lib.extraction.decoding import route_of
from orchestration.lib.extraction.spelling import column_name
from orchestration.lib.landing.kinds import Kind
from orchestration.lib.sql import sql_name, sql_text

_NUMBER_TYPES = frozenset(
    {"BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE"}
    | {"UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"}
)
_FLOATING_TYPES = frozenset({"FLOAT", "DOUBLE"})

# DuckDB's column with the number of a row in its file. A column of the file with this name is read under another one.
_ROW_NUMBER = "file_row_number"


def schemas_of_parquet(paths: Sequence[str]) -> str:
    """A row for each Parquet file, in any order: its path, and all that its footer says of its columns."""
    properties = (
        "name, type, type_length, repetition_type, num_children, converted_type, scale, precision, logical_type, "
        "duckdb_type"
    )
    described = ", ".join(f"'{name}': {name}" for name in properties.split(", "))
    return f"""
select file_name, to_json(list({{{described}}} order by column_id))::varchar
from parquet_schema({_list(paths)}) group by file_name"""


def columns_of_parquet(path: str) -> str:
    """A row for each column of a Parquet file: its name, its type, and values that are not used."""
    return f"describe from read_parquet({_list([path])}, hive_partitioning = false)"


def decode_parquet(
    kind: Kind, columns: dict[str, str], paths: Sequence[str], *, text_columns: frozenset[str] = frozenset()
) -> str:
    """Rows of the raw zone from Parquet files of a kind, which all have these columns, given with their types.

    `text_columns` are columns of bytes that should be text. A row is malformed when one of them, or a column of the
    kind that comes as bytes, is not UTF-8.

    Parameters: $1 is the batch, $2 the time of loading, $3 a JSON list that describes the files.
    """
    # A column that the file has twice is taken from its first place.
    named = {column_name(name): name for name in reversed(columns)}
    present = {field: named[field] for field in kind.columns if field in named}
    taken = {name.lower() for name in columns} | {_ROW_NUMBER}
    read_as = {name: _free_name(name, taken) if name.lower() == _ROW_NUMBER else name for name in columns}
    path = _free_name("path", taken)

    def column(name: str) -> str:
        return f"landed.{sql_name(read_as[name])}"

    numbers = [field for field, name in present.items() if _is_number(columns[name])]
    texts = {field: _text(field, column(name), columns[name]) for field, name in present.items()}
    fields = ", ".join(f"{texts.get(field, 'null')}::varchar as {field}" for field in kind.columns)
    as_bytes = [
        column(name)
        for name, column_type in columns.items()
        if column_type == "BLOB" and (name in text_columns or name in present.values())
    ]
    not_text = " or ".join(f"({name} is not null and try(decode({name})) is null)" for name in as_bytes) or "false"
    others = [name for name in columns if column_name(name) not in kind.columns]
    extras = ", ".join(f"{sql_name(name)} := {_json(column(name), columns[name])}" for name in others)
    extra_fields = f"to_json(struct_pack({extras}))" if extras else "null"
    return f"""
select
    $1::bigint as batch_id, files.file_id, landed.{_ROW_NUMBER} + 1 as source_line, $2::timestamptz as loaded_at,
    files.workspace_folder, {route_of(kind)} as route, files.source_file,
    case when {not_text} then 'not UTF-8' end as parse_error,
    {fields},
    '{",".join(numbers)}' as number_fields, {extra_fields}::varchar as extra_fields,
    null::varchar as raw_record, null::blob as raw_bytes
from
    read_parquet({_list(paths)}, filename = '{path}', hive_partitioning = false{_renaming(columns, read_as)}) as landed
inner join (
    select unnest(from_json($3, '[{{
        "file_id": "BIGINT", "workspace_folder": "VARCHAR", "source_file": "VARCHAR", "path": "VARCHAR"
    }}]'), max_depth := 2)
) as files on landed.{path} = files.path"""


def _list(paths: Sequence[str]) -> str:
    """Paths as an SQL list. Characters that DuckDB would take for a pattern are escaped."""
    return f"[{', '.join(sql_text(glob.escape(path)) for path in paths)}]"


def _free_name(name: str, taken: set[str]) -> str:
    while name.lower() in taken:
        name += "_"
    return name


def _renaming(columns: dict[str, str], read_as: dict[str, str]) -> str:
    """The option that reads columns under other names; empty where all keep their names."""
    if all(name == other for name, other in read_as.items()):
        return ""
    described = ", ".join(
        f"{sql_text(name)}: {{name: {sql_text(read_as[name])}, type: {sql_text(column_type)}, default_value: null}}"
        for name, column_type in columns.items()
    )
    return f", schema = map {{{described}}}"


def _text(field: str, column: str, column_type: str) -> str:
    """A column as text. Some writers declare text as bytes. Bytes that are not text become \\xNN."""
    if column_type == "BLOB":
        return f"coalesce(try(decode({column})), {column}::varchar)"
    if field == "contact_name":
        return column
    # Some tools write NaN for a missing number. A name may be "NaN" (contract 2).
    if column_type in _FLOATING_TYPES:
        return f"case when not isnan({column}) then {column} end"
    # A whole number may come as a decimal: 123.00 is 123.
    if column_type.startswith("DECIMAL") and not column_type.endswith(",0)"):
        return f"regexp_replace({column}::varchar, '[.]0+$', '')"
    return column


def _json(column: str, column_type: str) -> str:
    """A column as JSON, which has no NaN and no infinity."""
    if column_type == "BLOB":
        return f"coalesce(try(decode({column})), {column}::varchar)"
    if column_type in _FLOATING_TYPES:
        return f"case when isfinite({column}) then to_json({column}) else to_json({column}::varchar) end"
    # In lists and structures they are rare. A value that has one becomes text as a whole.
    if "FLOAT" in column_type or "DOUBLE" in column_type:
        not_finite = f"regexp_matches({column}::varchar, '(?i)\\b(nan|inf)\\b')"
        return f"case when {not_finite} then to_json({column}::varchar) else to_json({column}) end"
    return column


def _is_number(column_type: str) -> bool:
    return column_type.startswith("DECIMAL") or column_type in _NUMBER_TYPES
