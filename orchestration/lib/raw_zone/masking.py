"""Takes what identifies forgotten contacts out of the Parquet files of a folder of the raw zone.

A record is of a contact if one of its contact ids is the contact's, whatever the spelling (`00123`, `123.0`). A record
that has no contact id, such as a malformed one, is if the number is anywhere in it: such a record does not count, so
nothing is lost where the number means something else.

Of such a record stays what counting needs, and where it comes from. All else becomes NULL; the record itself becomes
`(forgotten contact 123)`. So a column that is new here is masked until it is listed as kept.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from orchestration.lib.landing.kinds import KINDS, Kind
from orchestration.lib.raw_zone.forgotten import Contact
from orchestration.lib.raw_zone.zone import PARQUET_OPTIONS, RawZone, parquet_files, read_parquet
from orchestration.lib.settings import PROJECT_ROOT
from orchestration.lib.sql import sql_text

# Where a record is: kind of file, checksum of the file, line.
Record = tuple[str, str, int]


@dataclass(frozen=True)
class Fields:
    """The fields of a kind of file with ids of contacts, and others that stay; of exports, fields of `header_names`."""

    contact_ids: tuple[str, ...]
    kept: tuple[str, ...]


FIELDS = {
    "events": Fields(
        ("contact_id", "merged_contact_id"),
        ("event_id", "event_type", "occurred_at", "source", "user_id", "channel_id"),
    ),
    "report_logs": Fields(
        ("contact_id", "primary_contact_id", "merged_contact_id"),
        ("occurred_at", "source", "channel_name", "user_name", "sub_source", "ad_campaign_id", "ad_group_id", "ad_id"),
    ),
    "data_export": Fields(
        ("contact_id",),
        ("created_at", "occurred_at", "message_id", "sender_type", "sender_id", "channel_id"),
    ),
    "webhooks": Fields(
        ("contact_id", "message_contact_id"),
        (
            *("event_id", "event_type", "created_at", "message_channel_id", "message_id", "message_timestamp"),
            *("message_status", "channel_id", "channel_name", "channel_type", "sender_source", "sender_user_id"),
            # The user is a colleague, not the contact.
            *("user_id", "user_first_name", "user_last_name"),
        ),
    ),
    "api_contacts": Fields(("contact_id",), ("created_at",)),
}
# Columns of every table, besides the fields.
_KEPT_COLUMNS = frozenset(
    {"batch_id", "file_id", "source_line", "loaded_at", "workspace_folder", "route", "source_file", "parse_error"}
    | {"number_fields"}
)
_MASK = r"^\(forgotten contact [0-9]+(, [0-9]+)*\)$"
# The reason that a status of a message may give is free text.
_STATUS_ALONE = """
    case when json_valid(message_status) then
        to_json([{'value': json_extract_string(message_status, '$[#-1].value')}])::varchar
    end"""


def mask(zone: RawZone, folder: Path, contacts: Iterable[Contact]) -> int:
    """Mask the records of contacts in a folder. Returns how many were masked; those that were before do not count.

    Each file is replaced in one step. If this is interrupted, the next call does the rest.
    """
    masked = 0
    with zone.incoming() as incoming, duckdb.connect(config={"temp_directory": str(incoming / "spill")}) as connection:
        for name in FIELDS:
            records = _records(connection, KINDS[name], folder)
            for file in parquet_files(folder, name):
                select, parameters = records.of([file], contacts)
                found = connection.execute(f"select count(*) from ({select}) where {_IS_LEFT}", parameters).fetchone()
                assert found is not None
                if not found[0]:
                    continue
                masked += found[0]
                new = incoming / file.name
                connection.execute(
                    f"copy (select {records.masked()} from ({select})) to {sql_text(new)} ({PARQUET_OPTIONS})",
                    parameters,
                )
                zone.appear(new, file)
    return masked


def records_of(zone: RawZone, contact: Contact) -> list[Record]:
    """The records of a contact in the zone, masked or not."""
    found: list[Record] = []
    with duckdb.connect() as connection:
        for folder in zone.folders():
            for name in FIELDS:
                if files := parquet_files(folder.path, name):
                    select, parameters = _records(connection, KINDS[name], folder.path).of(files, [contact])
                    manifest = read_parquet(parquet_files(folder.path, "files"))
                    found += connection.execute(
                        f"""
                        select files.kind, files.sha256, records.source_line
                        from ({select}) as records inner join {manifest} as files using (file_id)
                        where len(forgotten_ids) > 0 order by all""",
                        parameters,
                    ).fetchall()
    return found


# Of the rows of `_Records.of`: whether one of a forgotten contact is not masked yet. Rows of Parquet files have no
# record as text.
_IS_LEFT = f"""
    len(forgotten_ids) > 0
    and not coalesce(regexp_matches(raw_record, '{_MASK}'), contact_name is null and extra_fields is null)"""


@dataclass(frozen=True)
class _Records:
    """The SQL about the records of a kind of file. `exports` has the positions of an export's fields, by file."""

    kind: Kind
    exports: str

    def of(self, files: Sequence[Path], contacts: Iterable[Contact]) -> tuple[str, list[str]]:
        """A query, and its parameters: the records, with the ids of the contacts among these that they are of."""
        ids: dict[str, list[str]] = {}
        for contact in contacts:
            ids.setdefault(contact.workspace_id, []).append(contact.contact_id)
        fields = FIELDS[self.kind.name]
        in_ids = f"concat_ws(' ', {', '.join(fields.contact_ids)})"
        if self.kind.is_export:
            in_ids = "array_to_string(list_select(all_fields, positions.contact_ids), ' ')"
        query = f"""
            select
                *,
                list_intersect(
                    [ltrim(number, '0') for number in regexp_extract_all(
                        case when parse_error is null and regexp_matches({in_ids}, '[0-9]') then {in_ids}
                        else concat_ws(' ', raw_record, extra_fields) end,
                        '[0-9]+'
                    )],
                    cast($1::json as map(varchar, varchar[]))[workspace_folder]
                ) as forgotten_ids
            from ({self._split(files)})"""
        return query, [json.dumps(ids), *([self.exports] if self.kind.is_export else [])]

    def _split(self, files: Sequence[Path]) -> str:
        if not self.kind.is_export:
            name = "" if "contact_name" in self.kind.columns else ", null as contact_name"
            return f"select *{name} from {read_parquet(files)}"
        return f"""
            select
                *,
                null as contact_name,
                coalesce(fields, string_split(raw_record, positions.delimiter)) as all_fields
            from (
                select
                    *,
                    cast($2::json as map(varchar, struct(delimiter varchar, contact_ids bigint[], kept bigint[])))[
                        file_id::varchar
                    ] as positions
                from {read_parquet(files)}
            )"""

    def masked(self) -> str:
        """The columns of the table, of rows of `of`: those of forgotten contacts masked."""
        fields = FIELDS[self.kind.name]
        kept = _KEPT_COLUMNS.union(fields.contact_ids, fields.kept)
        values = {
            **{column: "null" for column in self.kind.columns if column not in kept},
            "extra_fields": "null",
            "raw_record": "case when raw_record is not null then "
            "'(forgotten contact ' || array_to_string(list_sort(forgotten_ids), ', ') || ')' end",
            "raw_bytes": "null",
        }
        if "message_status" in self.kind.columns:
            values["message_status"] = _STATUS_ALONE
        helpers = ["forgotten_ids"]
        if self.kind.is_export:
            values["fields"] = """
                case when parse_error is null then
                    [case when list_contains(positions.kept, i) then all_fields[i] end
                     for i in range(1, len(all_fields) + 1)]
                end"""
            helpers += ["contact_name", "positions", "all_fields"]
        elif "contact_name" not in self.kind.columns:
            helpers.append("contact_name")
        replaced = ", ".join(
            f"case when len(forgotten_ids) > 0 then {value} else {column} end as {column}"
            for column, value in values.items()
        )
        return f"* exclude ({', '.join(helpers)}) replace ({replaced})"


def _records(connection: duckdb.DuckDBPyConnection, kind: Kind, folder: Path) -> _Records:
    if not kind.is_export or not parquet_files(folder, kind.name):
        return _Records(kind, "")
    return _Records(kind, json.dumps(_positions(connection, kind, folder)))


def _positions(connection: duckdb.DuckDBPyConnection, kind: Kind, folder: Path) -> dict[int, dict[str, object]]:
    """For each file of a kind of export in a folder: its delimiter, and where it has contact ids and kept fields.

    The first column of a field is kept, as in `stg_export_files`: a custom field may have the same name.
    """
    fields = FIELDS[kind.name]
    spelling = "regexp_replace(lower(strip_accents({})), '[^\\p{{L}}\\p{{N}}]', '', 'g')"
    rows = connection.execute(
        f"""
        with columns_of_files as (
            select file_id, delimiter, unnest(header) as name, generate_subscripts(header, 1) as position
            from {read_parquet(parquet_files(folder, "files"))} where kind = $1
        ),
        known as (
            select distinct {spelling.format("header")} as spelling, field
            from read_csv({sql_text(PROJECT_ROOT / "seeds" / "header_names.csv")}, header = true, all_varchar = true)
            where kind = $1
        )
        select file_id, delimiter, position, field,
            row_number() over (partition by file_id, field order by position) = 1 as is_first
        from columns_of_files left join known on {spelling.format("columns_of_files.name")} = known.spelling
        order by file_id, position""",
        [kind.name],
    ).fetchall()
    files: dict[int, dict[str, object]] = {}
    for file_id, delimiter, *_ in rows:
        files[file_id] = {"delimiter": delimiter, "contact_ids": [], "kept": []}
    for file_id, _, position, field, is_first in rows:
        where = files[file_id]
        if field in fields.contact_ids:
            where["contact_ids"].append(position)  # type: ignore[attr-defined]
        if is_first and field in (*fields.contact_ids, *fields.kept):
            where["kept"].append(position)  # type: ignore[attr-defined]
    return files
