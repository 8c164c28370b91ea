"""The limit: one script of DuckDB SQL that does a first run's work by hand, for canonical events in Parquet and JSONL.

`python -m benchmarks.handwritten LANDING OUTPUT` reads a landing folder, writes a raw zone of zstd Parquet and a file
with the report views, the quality views and the tables below them. It has no way to be run again on what is new, to
survive a broken file, or to test what it made, and takes neither CSV events nor text that is not UTF-8.
"""

import gzip
import hashlib
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import duckdb

_SEEDS = Path(__file__).parents[1] / "seeds"
_DIGITS = "^[0-9]+([.]0)?$"
_SPACE = r"\s\x0b\x1c-\x1f\x85\p{Z}"
_WITHOUT_OFFSET = "^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]+)?)?"
_ISO_8601 = f"{_WITHOUT_OFFSET}(Z|[+-]([01][0-9]|2[0-3])(:?[0-5][0-9])?)$"
_FIELDS = (
    "event_id",
    "event_type",
    "occurred_at",
    "contact_id",
    "contact_name",
    "source",
    "user_id",
    "channel_id",
    "merged_contact_id",
)
_RAW_PARQUET = "format parquet, parquet_version v2, compression zstd, compression_level 1, dictionary_size_limit 500"
# Lines of text, each of them one column.
_LINES = (
    "header = false, columns = {'line': 'VARCHAR'}, delim = '\x1f', quote = '', escape = '', auto_detect = false, "
    "max_line_size = 16000000, null_padding = true"
)


def main(landing: Path, output: Path) -> None:
    raw = output / "raw"
    raw.mkdir(parents=True)
    with duckdb.connect(
        str(output / "contact_reports.duckdb"), config={"storage_compatibility_version": "v1.2.0"}
    ) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("set preserve_insertion_order = false")
        with _timed("raw zone"):
            _write_raw_zone(connection, landing, raw)
        with _timed("directories"):
            _read_directories(connection, landing)
        with _timed("validating"):
            connection.execute(_VALIDATE)
        with _timed("resolving"):
            connection.execute(_RESOLVE)
        with _timed("logs"):
            connection.execute(_LOGS)
        with _timed("contacts"):
            connection.execute(_CONTACTS)
        with _timed("counts"):
            connection.execute(_COUNTS)
        with _timed("views"):
            connection.execute(_VIEWS)
            connection.execute("checkpoint")


@contextmanager
def _timed(stage: str) -> Iterator[None]:
    started, cpu = time.monotonic(), time.process_time()
    yield
    print(f"{stage}: {time.monotonic() - started:.2f} s, {time.process_time() - cpu:.2f} CPU-s", file=sys.stderr)


def _write_raw_zone(connection: duckdb.DuckDBPyConnection, landing: Path, raw: Path) -> None:
    """Every record as it landed, with its file and line; of JSONL the line itself and its fields."""
    paths = sorted(
        path
        for path in landing.glob("*/events/*")
        if not path.name.startswith(".") and not path.name.endswith((".tmp", ".part"))
    )
    with ThreadPoolExecutor() as workers:
        checksums = list(workers.map(_checksum, paths))
    new = {(path.parts[-3], checksum): path for path, checksum in reversed(list(zip(paths, checksums, strict=True)))}
    files = [
        (file_id, path.parts[-3], str(path.relative_to(landing)), path)
        for file_id, path in enumerate(sorted(new.values()), start=1)
    ]
    connection.execute(
        """
        create temp table files (file_id int, workspace_id varchar, source_file varchar, loaded_at timestamptz)"""
    )
    loaded_at = datetime.now(UTC).isoformat()
    rows = ", ".join(
        f"({file_id}, {_text(workspace)}, {_text(name)}, '{loaded_at}')" for file_id, workspace, name, _ in files
    )
    connection.execute(f"insert into files values {rows}")
    parquet = [(file_id, path) for file_id, _, _, path in files if path.suffix == ".parquet"]
    if parquet:
        names = "[" + ", ".join(_text(str(path)) for _, path in parquet) + "]"
        ids = "[" + ", ".join(str(file_id) for file_id, _ in parquet) + "]"
        connection.execute(
            f"""
            copy (
                select {ids}[file_index::int + 1] as file_id, file_row_number + 1 as line, {", ".join(_FIELDS)},
                    null::varchar as parse_error, null::varchar as record
                from read_parquet({names}, file_row_number = true, union_by_name = true)
            ) to '{raw}/events.parquet' ({_RAW_PARQUET})"""
        )
    lines = [(file_id, path) for file_id, _, _, path in files if path.suffix != ".parquet"]
    large = [(file_id, path) for file_id, path in lines if path.stat().st_size > 100_000]
    small = [(file_id, path) for file_id, path in lines if path.stat().st_size <= 100_000]

    # Numbering lines keeps DuckDB to one thread, so that each file gets one.
    def write_lines(file: tuple[int, Path]) -> None:
        file_id, path = file
        with duckdb.connect(config={"threads": 1}) as one_thread:
            numbered = f"""
                select {file_id} as file_id, row_number() over () as line, line as record
                from read_csv({_text(str(path))}, {_LINES})"""
            one_thread.execute(f"copy ({_decoded(numbered)}) to '{raw}/lines-{file_id}.parquet' ({_RAW_PARQUET})")

    with ThreadPoolExecutor() as workers:
        list(workers.map(write_lines, large))
    for start in range(0, len(small), 2000):
        _write_small_files(connection, small[start : start + 2000], raw / f"small-{start}.parquet")
    connection.execute(f"create temp view landed as from '{raw}/*.parquet'")


def _write_small_files(connection: duckdb.DuckDBPyConnection, files: list[tuple[int, Path]], part: Path) -> None:
    texts = [
        (gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()).decode()
        for _, path in files
    ]
    numbered = f"""
        with split as (
            select unnest({[file_id for file_id, _ in files]}) as file_id, unnest(string_split($1, chr(2))) as text
        ),
        records as (select file_id, string_split(text, chr(10)) as records from split)
        select file_id, generate_subscripts(records, 1) as line, unnest(records) as record from records"""
    connection.execute(f"copy ({_decoded(numbered)}) to '{part}' ({_RAW_PARQUET})", ["\2".join(texts)])


def _decoded(lines: str) -> str:
    """The fields of numbered lines."""
    structure = "{" + ", ".join(f'"{field}": "VARCHAR"' for field in _FIELDS) + "}"
    return f"""
        select file_id, line, {", ".join(f"fields.{field}" for field in _FIELDS)}, parse_error, record
        from (
            select *, case when parse_error is null then json_transform(record, '{structure}') end as fields
            from (
                select
                    *,
                    case
                        when not json_valid(record) then 'not JSON'
                        when not regexp_matches(record, '^\\s*\\{{') then 'not a JSON object'
                    end as parse_error
                from ({lines})
                where left(record, 1) > ' ' or regexp_matches(record, '\\S')
            )
        )"""


def _read_directories(connection: duckdb.DuckDBPyConnection, landing: Path) -> None:
    connection.execute(
        f"""
        create temp table workspaces as
        select workspace_id, coalesce(workspace_name, workspace_id) as workspace_name, timezone
        from (select trim(columns(*)) from read_csv('{landing}/workspaces.csv', all_varchar = true));

        create temp table sources as from read_csv('{_SEEDS}/event_sources.csv');

        create temp table aliases as from read_csv('{_SEEDS}/source_aliases.csv');"""
    )
    for directory, extra in (("user", ""), ("channel", "channel_type varchar, ")):
        connection.execute(
            f"""
            create temp table {directory}s (workspace_id varchar, {directory}_id varchar, {directory}_name varchar,
                {extra} deleted_at varchar)"""
        )
        files = sorted(landing.glob(f"*/{directory}s/*.csv"))
        if files:
            # The latest row of an id wins.
            connection.execute(
                f"""
                insert into {directory}s by name
                select
                    {_id_text(f"{directory}_id")} as {directory}_id,
                    * exclude (filename, row_number, {directory}_id)
                from (
                    select
                        nullif(trim(columns(* exclude (filename))), ''), filename,
                        string_split(filename, '/')[-3] as workspace_id, row_number() over () as row_number
                    from read_csv({[str(file) for file in files]}, all_varchar = true, filename = true)
                )
                qualify row_number() over (partition by workspace_id, {directory}_id order by row_number desc) = 1"""
            )


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _trimmed(column: str) -> str:
    return f"nullif(regexp_replace({column}, '^[{_SPACE}]+|[{_SPACE}]+$', '', 'g'), '')"


def _id_text(column: str) -> str:
    return f"""case
        when regexp_matches({column}, '{_DIGITS}')
            then coalesce(nullif(ltrim(split_part({column}, '.', 1), '0'), ''), '0')
        else {column}
    end"""


def _id_number(column: str) -> str:
    """Plain digits at once; what is none of these is trimmed and looked at again."""
    trimmed = _trimmed(column)
    return f"""case
        when regexp_matches({column}, '^[0-9]{{1,18}}$') then {column}::bigint
        when regexp_matches({trimmed}, '{_DIGITS}') then try_cast(split_part({trimmed}, '.', 1) as bigint)
    end"""


def _instant(column: str) -> str:
    trimmed = _trimmed(column)
    with_seconds = f"""try_cast(
        case
            when substr({trimmed}, 17, 1) = ':' then {trimmed}
            else substr({trimmed}, 1, 16) || ':00' || substr({trimmed}, 17)
        end as timestamptz)"""
    return f"""case
        when regexp_matches({column}, '{_ISO_8601}') and substr({column}, 17, 1) = ':'
            then try_cast({column} as timestamptz)
        when regexp_matches({trimmed}, '{_ISO_8601}') then {with_seconds}
    end"""


def _spelling(column: str) -> str:
    return f"regexp_replace(lower({column}), '[{_SPACE}_-]+', ' ', 'g')"


def _references(directory: str, shown_name: str) -> str:
    """What the texts that events have for users or channels stand for: each is looked at once, not in every event."""
    column = f"{directory}_id"
    return f"""
create temp table {directory}_references as
with texts as (
    select distinct workspace_id, {column} as landed from landed join files using (file_id) where {column} is not null
),
entries as (
    select workspace_id, {column} as id, {directory}_name as name, {shown_name} as shown_name from {directory}s
),
names as (
    select workspace_id, name, min(id) as id, min(shown_name) as shown_name from entries
    where not regexp_matches(name, '{_DIGITS}') group by all having count(*) = 1
),
trimmed as (
    select workspace_id, landed, {_trimmed("landed")} as reference from texts
)
select
    workspaces.rowid::utinyint as workspace, landed,
    coalesce(entries.id, names.id, {_id_text("reference")}) as id,
    coalesce(entries.shown_name, names.shown_name, {_id_text("reference")}) as shown_name
from trimmed
join workspaces using (workspace_id)
left join entries on entries.workspace_id = trimmed.workspace_id and entries.id = {_id_text("reference")}
left join names on names.workspace_id = trimmed.workspace_id and names.name = reference
where reference is not null;
create type {column} as enum (select distinct id from {directory}_references);
create type {directory}_name as enum (
    select distinct shown_name from {directory}_references {"union select 'Unknown'" if directory == "channel" else ""}
);"""


# Types and sources are validated once for each distinct text. The offset of a record's clock is looked up by its day.
# The zone database is queried only for the days on which an offset changes.
_VALIDATE = f"""
create type workspace_id as enum (select workspace_id from workspaces order by rowid);
create type source as enum (select source from sources);
create type source_label as enum (select source_label from sources);
create type event_type as enum ('added', 'connected', 'deleted', 'merged');
{_references("user", "case when deleted_at is not null then user_id else coalesce(user_name, user_id) end")}
{_references("channel", "coalesce(channel_name, channel_id)")}

create temp table event_types as
select landed, try_cast(word as event_type) as known, word is not null as is_present
from (select landed, lower({_trimmed("landed")}) as word from (select distinct event_type as landed from landed));

create temp table source_texts as
with spellings as (
    select distinct {_spelling("spelling")} as spelling, source
    from (
        select source, unnest([source, source_label, label_fr]) as spelling from sources
        union all select source, alias from aliases
    )
),
texts as (
    select landed, {_trimmed("landed")} as text from (select distinct source as landed from landed)
)
select
    landed,
    type.event_type,
    resolved::source as source,
    coalesce(case type.event_type
        when 'added' then sources.added when 'connected' then sources.connected
        when 'deleted' then sources.deleted when 'merged' then sources.merged
    end, true) as is_allowed
from (
    select
        landed, event_type,
        case
            when text is not null then coalesce(spellings.source, 'other')
            when event_type in ('deleted', 'merged') then 'user'
            else 'unknown'
        end as resolved
    from texts
    cross join (select unnest(enum_range(null::event_type))::event_type as event_type)
    left join spellings on {_spelling("text")} = spellings.spelling
) as type
join sources on resolved = sources.source;

create temp table clocks as
with days as (
    select rowid::utinyint as workspace, timezone, day::date as day,
        epoch_us(timezone(timezone, day::timestamptz)) - epoch_us(day::timestamptz) as offset_us
    from workspaces, (select unnest(generate_series(date '1999-12-30', current_date + 3, interval 1 day)) as day)
)
select workspace, day, timezone,
    case when offset_us = lead(offset_us) over (partition by workspace order by day) then offset_us end as offset_us
from days;

create temp table events as
with typed as (
    select
        file_id, line, files.workspace_id as folder, files.loaded_at, workspaces.rowid::utinyint as workspace,
        parse_error, record, types.known as event_type, types.is_present as has_event_type,
        case when regexp_matches(landed.event_id, '^[{_SPACE}]|[{_SPACE}]$') then {_trimmed("landed.event_id")}
            else nullif(landed.event_id, '') end as event_id,
        {_instant("landed.occurred_at")} as occurred_at,
        {_id_number("landed.contact_id")} as contact_id,
        nullif(contact_name, '') as contact_name,
        landed.event_id as landed_event_id, landed.event_type as landed_event_type,
        landed.occurred_at as landed_occurred_at,
        landed.contact_id as landed_contact_id, landed.source as landed_source,
        landed.user_id as landed_user_id, landed.channel_id as landed_channel_id,
        case when types.known = 'merged' then {_trimmed("landed.merged_contact_id")} end as landed_merged_contact_id,
        landed.merged_contact_id as landed_merged
    from landed
    join files using (file_id)
    left join workspaces on files.workspace_id = workspaces.workspace_id
    left join event_types as types on landed.event_type is not distinct from types.landed
),
with_lookups as (
    select
        typed.*,
        {_id_number("landed_merged_contact_id")} as merged_contact_id,
        source_texts.source, coalesce(is_allowed, true) as is_allowed, timezone, offset_us
    from typed
    left join source_texts
        on landed_source is not distinct from source_texts.landed and typed.event_type = source_texts.event_type
    left join clocks on typed.workspace = clocks.workspace and typed.occurred_at::date = clocks.day
),
validated as (
    select
        *,
        case
            when parse_error is not null then 'malformed_record'
            when event_id is null or not coalesce(has_event_type, false)
                or (occurred_at is null and {_trimmed("landed_occurred_at")} is null)
                or (contact_id is null and {_trimmed("landed_contact_id")} is null) then 'missing_field'
            when workspace is null then 'unknown_workspace'
            when event_type is null then 'unknown_event_type'
            when contact_id is null or contact_id <= 0 then 'invalid_contact_id'
            when landed_merged_contact_id is not null and (merged_contact_id is null or merged_contact_id <= 0)
                then 'invalid_contact_id'
            when occurred_at is null or occurred_at < timestamptz '2000-01-01 00:00:00+00'
                or occurred_at > loaded_at + interval 24 hour then 'invalid_occurred_at'
            when not is_allowed then 'source_not_allowed'
            when merged_contact_id = contact_id then 'merged_into_itself'
        end as reason
    from with_lookups
)
select
    -- File and line in one number, in the order of loading.
    (file_id::bigint << 40) + line as record_id,
    validated.workspace, event_type, event_id, occurred_at,
    case
        when reason is not null then null
        when offset_us is not null then make_timestamp(epoch_us(occurred_at) + offset_us)
        else timezone(timezone, occurred_at)
    end as occurred_at_local,
    contact_id, contact_name, source,
    case when source = 'user' then users.id end::user_id as user_id,
    case when source = 'user' then users.shown_name end::user_name as user_name,
    case when event_type = 'connected' then channels.id end::channel_id as channel_id,
    case when event_type = 'connected' then coalesce(channels.shown_name, 'Unknown') end::channel_name as channel_name,
    merged_contact_id, reason,
    case reason
        when 'malformed_record' then parse_error
        when 'missing_field' then concat_ws(', ',
            case when event_id is null then 'event_id' end,
            case when not coalesce(has_event_type, false) then 'event_type' end,
            case when {_trimmed("landed_occurred_at")} is null then 'occurred_at' end,
            case when {_trimmed("landed_contact_id")} is null then 'contact_id' end)
        when 'unknown_workspace' then folder
        when 'unknown_event_type' then {_trimmed("landed_event_type")}
        when 'invalid_contact_id' then case when contact_id > 0 then landed_merged_contact_id
            else {_trimmed("landed_contact_id")} end
        when 'invalid_occurred_at' then {_trimmed("landed_occurred_at")}
            || case when regexp_matches({_trimmed("landed_occurred_at")}, '{_WITHOUT_OFFSET}$') then ' (no offset)'
                else '' end
        when 'source_not_allowed' then {_trimmed("landed_source")}
        when 'merged_into_itself' then landed_merged_contact_id
    end as detail,
    case when reason is not null then coalesce(record, json_merge_patch('{{}}', to_json(struct_pack(
        event_id := landed_event_id, event_type := landed_event_type, occurred_at := landed_occurred_at,
        contact_id := landed_contact_id, contact_name := contact_name, source := landed_source,
        user_id := landed_user_id, channel_id := landed_channel_id, merged_contact_id := landed_merged
    )))::varchar) end as raw_record,
    case when reason is null then hash(validated.workspace, event_id) end as event_hash,
    case when reason is null then hash(
        validated.workspace, event_type, contact_id, case when event_type = 'connected' then channels.id end,
        merged_contact_id,
        case when event_type = 'merged' and merged_contact_id is null then date_trunc('second', occurred_at) end
    ) end as fact_hash
from validated
left join user_references as users on validated.workspace = users.workspace and landed_user_id = users.landed
left join channel_references as channels
    on validated.workspace = channels.workspace and landed_channel_id = channels.landed;"""

# Hashes find the few records that may be of one event or one fact; the exact rule looks at these alone.
_RESOLVE = """
create temp table sent_again as
select record_id, workspace, event_id
from events
where event_hash in (
    select event_hash from events where event_hash is not null group by event_hash having count(*) > 1
)
qualify row_number() over (partition by workspace, event_id order by record_id desc) > 1;

create temp table told_again as
select record_id, workspace, event_id, first_value(event_id) over same_fact as superseded_by
from (
    select
        *,
        case
            when event_type = 'merged' and merged_contact_id is null then date_trunc('second', occurred_at)
        end as second
    from events
    where fact_hash in (
        select fact_hash from events where fact_hash is not null group by fact_hash having count(*) > 1
    )
    and record_id not in (select record_id from sent_again)
)
window same_fact as (
    partition by workspace, event_type, contact_id, channel_id, merged_contact_id, second order by occurred_at, event_id
)
qualify row_number() over same_fact > 1;

create table superseded as
select record_id, superseded_by from told_again
union all
select sent_again.record_id, coalesce(told_again.superseded_by, sent_again.event_id)
from sent_again
left join told_again on sent_again.workspace = told_again.workspace and sent_again.event_id = told_again.event_id;"""

_COLUMNS = """
    enum_range(null::workspace_id)[workspace + 1]::workspace_id as workspace_id,
    occurred_at, occurred_at_local, occurred_at_local::date as report_date, contact_id, contact_name, source,
    user_id, user_name, event_id"""

_LOG_COLUMNS = {
    "added": "",
    "connected": ", channel_id, channel_name",
    "deleted": "",
    "merged": ", merged_contact_id",
}

# Newest first: a page of the newest rows is at the beginning.
_LOGS = "".join(
    f"""
create table log_{event_type} as
select {_COLUMNS.strip()}{columns}, (record_id >> 40)::int as file_id
from events
where event_type = '{event_type}' and reason is null and record_id not in (select record_id from superseded)
order by occurred_at desc;"""
    for event_type, columns in _LOG_COLUMNS.items()
)

# What became of each contact. Of merges that lead in a circle the last is believed.
_CONTACTS = f"""
create table contacts as
with recursive events as (
    {
    " union all ".join(
        f'''
    select
        workspace_id, contact_id, contact_name, occurred_at, file_id, '{event_type}'::event_type as event_type,
        event_id, {"merged_contact_id" if event_type == "merged" else "null::bigint as merged_contact_id"}
    from log_{event_type}'''
        for event_type in _LOG_COLUMNS
    )
}
),
own_events as (
    select
        workspace_id, contact_id,
        max_by(contact_name, (epoch_us(occurred_at)::hugeint << 40) + file_id) filter (contact_name is not null)
            as contact_name,
        min(occurred_at) as first_event_at, max(occurred_at) as last_event_at,
        min(occurred_at) filter (event_type = 'added') as added_at,
        min(occurred_at) filter (event_type = 'connected') as first_connected_at,
        max(occurred_at) filter (event_type = 'deleted') as deleted_at
    from events
    group by all
),
merged_away as (
    select
        workspace_id, merged_contact_id as contact_id, min(occurred_at) as first_merged_at,
        max(occurred_at) as merged_at, max_by(contact_id, (occurred_at, event_id)) as merged_into_contact_id,
        max_by(event_id, (occurred_at, event_id)) as merge_event_id
    from events
    where merged_contact_id is not null
    group by all
),
chains as materialized (
    select workspace_id, contact_id, merged_into_contact_id as survivor_contact_id
    from merged_away anti join merged_away as onward
        on onward.workspace_id = merged_away.workspace_id and onward.contact_id = merged_away.merged_into_contact_id
    union all
    select workspace_id, merged_away.contact_id, survivor_contact_id
    from chains join merged_away using (workspace_id)
    where merged_away.merged_into_contact_id = chains.contact_id
),
endless as materialized (
    from merged_away anti join chains using (workspace_id, contact_id)
),
onward as (
    select workspace_id, contact_id, merged_into_contact_id as reached from endless
    union
    select workspace_id, onward.contact_id, endless.merged_into_contact_id
    from onward join endless using (workspace_id)
    where onward.reached = endless.contact_id
),
survivors as (
    from chains
    union all
    select workspace_id, onward.contact_id, max_by(merged_into_contact_id, (merged_at, merge_event_id))
    from onward join endless using (workspace_id)
    where onward.reached = endless.contact_id
        -- Of the circle, not of the way there.
        and (workspace_id, onward.reached) in (select (workspace_id, contact_id) from onward where contact_id = reached)
    group by all
)
select
    workspace_id, contact_id, contact_name,
    case
        when merged_at is not null and deleted_at > merged_at then 'deleted'
        when merged_at is not null then 'merged'
        when deleted_at is not null then 'deleted'
        else 'active'
    end as status,
    least(first_event_at, first_merged_at) as first_event_at, greatest(last_event_at, merged_at) as last_event_at,
    added_at, first_connected_at, deleted_at, merged_at, merged_into_contact_id,
    coalesce(survivor_contact_id, contact_id) as survivor_contact_id
from own_events
full join merged_away using (workspace_id, contact_id)
left join survivors using (workspace_id, contact_id);"""

_COUNTS = f"""
create table daily as
{
    " union all ".join(
        f'''
    select
        workspace_id, report_date, '{event_type}'::event_type as event_type, source, user_id,
        {"channel_id" if event_type == "connected" else "null::channel_id as channel_id"}, count(*) as contacts
    from log_{event_type} group by all'''
        for event_type in _LOG_COLUMNS
    )
}
order by report_date, workspace_id;

create table superseded_events as
select {_COLUMNS.strip()}, event_type, superseded_by, (record_id >> 40)::int as file_id
from events join superseded using (record_id);

create table rejected_records as
select files.workspace_id, source_file, record_id & ((1::bigint << 40) - 1) as source_line, event_type,
    reason, detail, raw_record, loaded_at, file_id
from events join files on record_id >> 40 = file_id
where reason is not null;

create table file_counts as
select
    (record_id >> 40)::int as file_id,
    case when reason = 'malformed_record' then null else event_type end as event_type,
    count(*) as landed, count(reason) as rejected
from events group by all;

drop table superseded;

create schema quality;
create table quality.load_balance as
select
    files.workspace_id, 'events' as route, source_file, loaded_at,
    coalesce(landed, 0)::bigint as records_landed,
    (coalesce(landed, 0) - coalesce(superseded, 0) - coalesce(rejected, 0))::bigint as records_standing,
    coalesce(superseded, 0)::bigint as records_superseded, coalesce(rejected, 0)::bigint as records_rejected,
    0::bigint as records_ignored
from files
left join (select file_id, sum(landed) as landed, sum(rejected) as rejected from file_counts group by all)
    using (file_id)
left join (select file_id, count(*) as superseded from superseded_events group by all) using (file_id);

create schema reports;
create table reports.data_status as
with landed as (
    select workspace_id, coalesce(event_type::varchar, 'unknown') as event_type, max(loaded_at) as last_loaded_at,
        sum(landed) as landed, sum(rejected) as rejected
    from file_counts join files using (file_id) group by all
),
standing as (
    {
    " union all ".join(
        f'''select workspace_id::varchar as workspace_id, '{event_type}' as event_type,
        min(occurred_at) as first_event_at, max(occurred_at) as last_event_at, count(*) as standing
        from log_{event_type} group by all'''
        for event_type in _LOG_COLUMNS
    )
}
),
superseded as (
    select workspace_id::varchar as workspace_id, event_type::varchar as event_type, count(*) as superseded
    from superseded_events group by all
)
select
    workspace_id, event_type, first_event_at, last_event_at, last_loaded_at, landed::bigint as records_landed,
    coalesce(standing, 0) as records_standing, coalesce(superseded, 0) as records_superseded,
    rejected::bigint as records_rejected, 0::bigint as records_ignored
from landed
left join standing using (workspace_id, event_type)
left join superseded using (workspace_id, event_type);"""

_VIEW_COLUMNS = """
    workspace_id::varchar as workspace_id, occurred_at, occurred_at_local, report_date, contact_id, contact_name,
    source::varchar as source, source_label, user_id::varchar as user_id, user_name::varchar as user_name, event_id,
    'events' as route"""
_MERGED_VIEW_COLUMNS = _VIEW_COLUMNS.replace("contact_id,", "contact_id as primary_contact_id, merged_contact_id,")

_VIEWS = f"""
create table reports.workspaces as from workspaces;
create table reports.sources as select source, source_label, label_fr from sources;
create table reports.users as
select
    workspace_id, user_id,
    case when deleted_at is not null then user_id else coalesce(user_name, user_id) end as user_name,
    deleted_at is not null as is_deleted
from users;
create table reports.channels as
select workspace_id, channel_id, coalesce(channel_name, channel_id) as channel_name, channel_type,
    deleted_at is not null as is_deleted
from channels;
{
    "".join(
        f'''
create view reports.contacts_{event_type}_log as
select {_MERGED_VIEW_COLUMNS if event_type == "merged" else _VIEW_COLUMNS}
    {", channel_id::varchar as channel_id, channel_name::varchar as channel_name" if event_type == "connected" else ""}
from log_{event_type} join reports.sources on sources.source = log_{event_type}.source::varchar;'''
        for event_type in _LOG_COLUMNS
    ).replace("source::varchar as source,", "sources.source as source,")
}
create view reports.contacts_overview as
with spans as (
    select workspace_id, min(report_date) as first_date, max(report_date) as last_date from daily group by all
),
days as (
    select workspace_id, unnest(generate_series(first_date, last_date, interval 1 day))::date as report_date from spans
)
select
    workspace_id::varchar as workspace_id, report_date,
    coalesce(sum(contacts) filter (event_type = 'added'), 0)::bigint as contacts_added,
    coalesce(sum(contacts) filter (event_type = 'deleted'), 0)::bigint as contacts_deleted,
    coalesce(sum(contacts) filter (event_type = 'merged'), 0)::bigint as contacts_merged
from days left join daily using (workspace_id, report_date) group by all;
create view reports.contacts_added_by_source as
select
    workspace_id::varchar as workspace_id, report_date, sources.source, source_label,
    sum(contacts)::bigint as contacts_added
from daily join reports.sources on sources.source = daily.source::varchar where event_type = 'added' group by all;
create view reports.contacts_connected_by_channel as
select daily.workspace_id::varchar as workspace_id, report_date, daily.channel_id::varchar as channel_id,
    coalesce(channel_name, daily.channel_id::varchar, 'Unknown') as channel_name, channel_type,
    sum(contacts)::bigint as contacts_connected
from daily
left join reports.channels
    on daily.workspace_id::varchar = channels.workspace_id and daily.channel_id::varchar = channels.channel_id
where event_type = 'connected' group by all;
create view quality.rejected_records as
select workspace_id, 'events' as route, source_file, source_line, reason, detail, raw_record, loaded_at
from main.rejected_records;
create view quality.superseded_events as
select {
    _VIEW_COLUMNS.replace("source::varchar as source,", "sources.source as source,")
}, event_type::varchar as event_type, superseded_by
from main.superseded_events join reports.sources on sources.source = superseded_events.source::varchar;"""


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
