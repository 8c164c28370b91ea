"""The story of an event: where it came from, what it superseded, and the life of its contact."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from orchestration.lib.settings import DATABASE_NAME
from orchestration.lib.sql import sql_text
from orchestration.lib.warehouse.published import attach_published
from page.calls import Query
from page.publication import Reader, Row

_RECORD = """
from quality.event_records
where workspace_id = $workspace_id and event_type = $event_type and event_id = $event_id and state = 'standing'"""

_SUPERSEDED = """
from quality.event_records
where workspace_id = $workspace_id and event_type = $event_type and superseded_by = $event_id
order by loaded_at, source_file, source_line
limit 100"""

_LIFE = """
with recursive merges as (
    select lifecycle.*, 0 as step
    from reports.contacts_lifecycle as lifecycle
    where workspace_id = $workspace_id and contact_id in ($contact_id, $merged_contact_id)
    union all
    select lifecycle.*, merges.step + 1 as step
    from merges
    inner join reports.contacts_lifecycle as lifecycle
        on merges.merged_into_contact_id = lifecycle.contact_id and merges.workspace_id = lifecycle.workspace_id
    where merges.step < 20
)

select distinct on (contact_id)
    contact_id,
    contact_name,
    status,
    merged_into_contact_id,
    added_at at time zone timezone as added_at,
    first_connected_at at time zone timezone as first_connected_at,
    deleted_at at time zone timezone as deleted_at,
    merged_at at time zone timezone as merged_at
from merges
inner join reports.workspaces using (workspace_id)
order by contact_id, step"""

_EVENTS = """
from quality.event_records
where
    workspace_id = $workspace_id
    and state = 'standing'
    and (contact_id in ($contact_id, $merged_contact_id) or merged_contact_id in ($contact_id, $merged_contact_id))
order by occurred_at, event_id
limit 200"""

_LANDED = """
select raw_record
from quality.landed_records
where
    workspace_id = $workspace_id
    and source_file = $source_file
    and source_line = $source_line
    and loaded_at = $loaded_at
limit 1"""


@dataclass(frozen=True)
class Story:
    """An event with its records, its contact and all events of that contact."""

    record: Row
    superseded: Sequence[Row]
    contacts: Sequence[Row]  # the contact, the one that was merged away, and those that they were merged into
    events: Sequence[Row]
    query: Query


def read_story(reader: Reader, workspace: str, event_type: str, event_id: str) -> Story | None:
    """The story of an event that counts; None if there is no such event."""
    event = {"workspace_id": workspace, "event_type": event_type, "event_id": event_id}
    query = Query(_RECORD, event)
    records = query.rows(reader)
    if not records:
        return None
    contacts = {key: records[0][key] for key in ("contact_id", "merged_contact_id")} | {"workspace_id": workspace}
    return Story(
        record=records[0],
        superseded=reader.rows(_SUPERSEDED, event),
        contacts=reader.rows(_LIFE, contacts),
        events=reader.rows(_EVENTS, contacts),
        query=query,
    )


def landed_record(reader: Reader, published: Path, raw: Path, record: Row) -> str | None:
    """The record as it landed, by a view of the publication on the raw zone; None where that is not at hand.

    The connection of all other requests cannot reach the raw zone. This one can, and nothing else. Raises TooSlow.
    """
    with duckdb.connect(config={"threads": 1, "memory_limit": "128MB"}) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"set allowed_directories = [{sql_text(raw)}]")
        attach_published(connection, published)
        connection.execute(f"use {DATABASE_NAME}")
        parameters: Mapping[str, object] = {
            name: record[name] for name in ("workspace_id", "source_file", "source_line", "loaded_at")
        }
        try:
            with reader.limited(connection.interrupt):
                found = connection.execute(_LANDED, parameters).fetchone()
        except (duckdb.IOException, duckdb.PermissionException):
            return None
    return found[0] if found else None
