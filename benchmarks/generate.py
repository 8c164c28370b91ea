"""Landing folders of any size, the same for the same numbers: canonical events of five workspaces and time zones."""

from pathlib import Path
from typing import Literal

import duckdb

Format = Literal["parquet", "jsonl.gz"]

# Workspace, time zone, and how many of sixteen events are its own.
WORKSPACES = (
    ("paris", "Europe/Paris", 7),
    ("new-york", "America/New_York", 5),
    ("kolkata", "Asia/Kolkata", 2),
    ("sao-paulo", "America/Sao_Paulo", 1),
    ("auckland", "Pacific/Auckland", 1),
)
UNLISTED = "unlisted"  # not in workspaces.csv: its events are rejected
# A history's events lie in these two years, however many they are; those of an incremental run on the day after.
FIRST_INSTANT = "timestamp '2024-01-01'"
LAST_INSTANT = "timestamp '2026-01-01'"

_USERS, _CHANNELS = 40, 12
_CHUNK = 1_000_000
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

_WORKSPACE_OF_SHARE = " ".join(
    f"when share < {sum(parts for *_, parts in WORKSPACES[: number + 1])} then '{workspace_id}'"
    for number, (workspace_id, *_) in enumerate(WORKSPACES)
)

_JSON = f"to_json(struct_pack({', '.join(f'{field} := {field}' for field in _FIELDS)}))::varchar"
# Of those that are no event, some are cut off in the middle.
_JSON_LINE = f"case when refused = 8 then left({_JSON}, length({_JSON}) // 2) else {_JSON} end"

# Records $first to $last - 1 of a history of $size; later ones are of incremental runs. Everything about an event
# is a hash of its number, so that a later record can be the same event again. Of a thousand records 20 are an event
# sent again, 10 an event corrected, 10 a known fact under another id, 5 no event at all, 50 up to sixty days late.
_RECORDS = f"""
with numbered as (
    select i, hash(i, 'record') % 1000 as kind from range($first::bigint, $last::bigint) as numbers(i)
),
events as (
    select i, kind, case when kind < 40 and i > 0 then (hash(i, 'original') % i::ubigint)::bigint else i end as n
    from numbered
),
drawn as (
    select
        i,
        kind,
        n,
        case
            when kind between 40 and 44 then (hash(i, 'refused') % 9)::int
        end as refused,
        hash(n, 'workspace') % 1000 = 0 as is_unlisted,
        n % 16 as share,
        case
            -- Refused because it is merged into itself.
            when kind between 40 and 44 and hash(i, 'refused') % 9 = 7 then 'merged'
            when hash(n, 'type') % 100 < 45 then 'added'
            when hash(n, 'type') % 100 < 92 then 'connected'
            when hash(n, 'type') % 100 < 97 then 'deleted'
            else 'merged'
        end as event_type,
        -- Contacts are numbered like the events that add them, so that each has a workspace.
        (hash(n, 'contact') % (n // 16 + 1)::ubigint)::bigint * 16 + n % 16 + 1 as other_contact,
        (hash(n, 'primary') % (n // 16 + 1)::ubigint)::bigint * 16 + n % 16 + 1 as primary_contact,
        {FIRST_INSTANT} + to_microseconds(
            case
                when n < $size then n * ((epoch_us({LAST_INSTANT}) - epoch_us({FIRST_INSTANT})) // $size)
                else epoch_us({LAST_INSTANT}) - epoch_us({FIRST_INSTANT})
                    + (n - $size) * (86400000000 // ($last - $size))
            end
            - case when hash(n, 'late') % 100 < 5 then (hash(n, 'lateness') % 5184000000)::bigint * 1000 else 0 end
        ) as occurred_at,
        list_extract(
            case event_type
                when 'added' then [
                    'user', 'User', 'incoming_message', 'Incoming Message', 'contact', 'developer_api', 'api',
                    'Contact Import', 'Paid Ads', 'zapier', 'make', 'TikTok', null
                ]
                when 'connected' then [
                    'user', 'incoming_message', 'Incoming Message', 'incoming-message', 'contact', 'echo_message',
                    'broadcast', 'Broadcast', 'workflow', null
                ]
                else ['user', 'user', 'User', null]
            end,
            1 + (hash(n, 'source') % case event_type when 'added' then 13 when 'connected' then 10 else 4 end)::int
        ) as source,
        1 + (hash(n, 'user') % {_USERS})::int as user_number,
        1 + (hash(n, 'channel') % {_CHANNELS})::int as channel_number
    from events
),
fields as (
    select
        i,
        case
            when is_unlisted then '{UNLISTED}'
            {_WORKSPACE_OF_SHARE}
        end as workspace_id,
        refused,
        -- A fact that is sent again has an id of its own.
        md5((case when kind between 30 and 39 then i else n end)::varchar)::uuid::varchar as event_id,
        case when refused = 1 then 'archived' else event_type end as event_type,
        case
            when refused = 2 then strftime(occurred_at, '%Y-%m-%dT%H:%M:%S')
            when refused = 3 then 'yesterday'
            when n % 10 = 0 then strftime(occurred_at + interval 2 hour, '%Y-%m-%d %H:%M:%S+02:00')
            else strftime(occurred_at, '%Y-%m-%dT%H:%M:%S.%gZ')
        end as occurred_at,
        case
            when refused = 4 then 'no number'
            when refused = 5 then null
            when event_type = 'added' then (n + 1)::varchar
            when event_type = 'merged' then primary_contact::varchar
            else other_contact::varchar
        end as contact_id,
        -- A correction is of the name.
        case
            when hash(n, 'named') % 20 > 0 then
                ['Ana', 'Zoé', 'Li', 'Noah', 'Olga', 'Sam'][1 + (hash(n, 'name') % 6)::int] || ' '
                || (case when kind between 20 and 29 then i else n end)
        end as contact_name,
        case
            when refused = 6 and event_type = 'added' then 'broadcast'
            when refused = 6 then 'contact_import'
            else source
        end as source,
        case
            when lower(source) = 'user' or source is null then
                case
                    when hash(n, 'known') % 100 = 0 then 'User ' || user_number
                    when hash(n, 'known') % 100 = 1 then '99' || user_number
                    else (1000 + user_number)::varchar
                end
        end as user_id,
        case
            when event_type = 'connected' and hash(n, 'known') % 50 > 0 then
                case
                    when hash(n, 'known') % 50 = 1 then 'Channel ' || channel_number
                    else (2000 + channel_number)::varchar
                end
        end as channel_id,
        case
            when event_type = 'merged' and refused = 7 then primary_contact
            when event_type = 'merged' and other_contact <> primary_contact and hash(n, 'known') % 10 > 0
                then other_contact
        end::varchar as merged_contact_id
    from drawn
)
select * from fields"""


def write_landing(
    landing: Path, size: int, file_format: Format = "parquet", events_per_file: int | None = None
) -> None:
    """Write a history of `size` events: a file for each workspace and million, or many small ones as plain JSONL."""
    _write_directories(landing)
    for number, first in enumerate(range(0, size, _CHUNK)):
        name = f"events-{number:05}"
        _write_events(landing, name, size, first, min(first + _CHUNK, size), file_format, events_per_file)


def write_tick(landing: Path, size: int, events: int, number: int, file_format: Format = "parquet") -> list[Path]:
    """Write the new events of an incremental run, the `number`-th from 0 on, after `size` events. Returns the files."""
    before = set(landing.glob("*/events/*"))
    first = size + number * events
    _write_events(landing, f"tick-{number:05}", size, first, first + events, file_format)
    return sorted(set(landing.glob("*/events/*")) - before)


def _write_directories(landing: Path) -> None:
    landing.mkdir(parents=True, exist_ok=True)
    lines = [f"{name},{name.title()},{zone}" for name, zone, _ in WORKSPACES]
    (landing / "workspaces.csv").write_text("\n".join(["workspace_id,workspace_name,timezone", *lines, ""]))
    for name, *_ in WORKSPACES:
        for folder, header, rows in (
            ("users", "user_id,user_name,deleted_at", _user_rows()),
            ("channels", "channel_id,channel_name,channel_type,deleted_at", _channel_rows()),
        ):
            (landing / name / folder).mkdir(parents=True, exist_ok=True)
            (landing / name / folder / f"{folder}.csv").write_text("\n".join([header, *rows, ""]))


def _user_rows() -> list[str]:
    # After all events: the scripts, unlike the contract, do not ask whether a name was borne at the time of an event.
    deleted = {10: "2028-06-01T00:00:00Z", 30: "2028-09-01T00:00:00Z"}
    return [f"{1000 + n},User {n},{deleted.get(n, '')}" for n in range(1, _USERS + 1)]


def _channel_rows() -> list[str]:
    types = ("whatsapp", "facebook", "instagram", "webchat")
    deleted = {11: "2025-03-01T00:00:00Z"}
    return [f"{2000 + n},Channel {n},{types[n % len(types)]},{deleted.get(n, '')}" for n in range(1, _CHANNELS + 1)]


def _write_events(
    landing: Path,
    name: str,
    size: int,
    first: int,
    last: int,
    file_format: Format,
    events_per_file: int | None = None,
) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"create temp table records as {_RECORDS}", {"size": size, "first": first, "last": last})
        for workspace_id in (*(name for name, *_ in WORKSPACES), UNLISTED):
            folder = landing / workspace_id / "events"
            folder.mkdir(parents=True, exist_ok=True)
            if events_per_file:
                _write_small_files(connection, workspace_id, folder / name, events_per_file)
            else:
                _write_file(connection, workspace_id, folder / f"{name}.{file_format}", file_format)


def _write_file(connection: duckdb.DuckDBPyConnection, workspace_id: str, path: Path, file_format: Format) -> None:
    if file_format == "parquet":
        select, options = ", ".join(_FIELDS), "format parquet"
    else:
        select = _JSON_LINE
        # Lines of text: a separator that no line has, and no quoting.
        options = "format csv, header false, delimiter '\x1f', quote '', escape '', compression gzip"
    connection.execute(
        f"copy (select {select} from records where workspace_id = '{workspace_id}' order by i) to '{path}' ({options})"
    )


def _write_small_files(
    connection: duckdb.DuckDBPyConnection, workspace_id: str, stem: Path, events_per_file: int
) -> None:
    rows = connection.execute(f"select {_JSON_LINE} from records where workspace_id = '{workspace_id}' order by i")
    number = 0
    while lines := rows.fetchmany(events_per_file):
        stem.with_name(f"{stem.name}-{number:05}.jsonl").write_text("".join(f"{line}\n" for (line,) in lines))
        number += 1
