"""A small publication made by hand: views and table functions with the names and columns of the real ones."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from orchestration.lib.settings import PROJECT_ROOT

_LOG = """
    create table reports.contacts_{kind}_log (
        workspace_id varchar, occurred_at timestamptz, occurred_at_local timestamp, report_date date, {contacts},
        contact_name varchar, source varchar, source_label varchar, user_id varchar, user_name varchar,
        event_id varchar, route varchar{channels});
    create macro reports.contacts_{kind}_log_between(
        start_date, end_date, workspace_id := null, user_ids := null, sources := null, contact_ids := null,
        {channel_ids}contact_name := null
    ) as table
        from reports.contacts_{kind}_log as log
        where log.report_date between start_date and end_date
            and (workspace_id is null or log.workspace_id = workspace_id)
            and (contact_ids is null or list_contains(contact_ids, log.{contact}))
            and (contact_name is null or contains(log.contact_name, contact_name));
"""
_COUNTS = (
    "start_date, end_date, frequency := 'day', workspace_id := null, user_ids := null, sources := null, "
    "contact_name := null"
)
_SCHEMA = f"""
    set TimeZone = 'UTC';
    create schema reports;
    create table reports.workspaces (workspace_id varchar, workspace_name varchar, timezone varchar);
    create table reports.users (workspace_id varchar, user_id varchar, user_name varchar, is_deleted boolean);
    create table reports.channels
        (workspace_id varchar, channel_id varchar, channel_name varchar, channel_type varchar, is_deleted boolean);
    create table reports.sources as
        select source, source_label, label_fr from read_csv('{PROJECT_ROOT}/seeds/event_sources.csv');
    create table reports.data_status (
        workspace_id varchar, event_type varchar, first_event_at timestamptz, last_event_at timestamptz,
        last_loaded_at timestamptz, records_landed bigint, records_standing bigint, records_superseded bigint,
        records_rejected bigint, records_ignored bigint);
    create table reports.report_filters as from read_csv('{PROJECT_ROOT}/seeds/component_filters.csv');
    create table reports.report_labels as
        select 'source' as subject, source as key, source_label as label, label_fr from reports.sources
        union all
        select 'date_range', date_range, label, label_fr
        from read_csv('{PROJECT_ROOT}/seeds/date_range_presets.csv')
        union all
        from read_csv('{PROJECT_ROOT}/seeds/labels.csv');
    create table reports.report_components as
        select component as key, position, title, title_fr, block, kind, 'reports.' || view as view,
            'reports.' || table_function as table_function, string_split(event_types, ' ') as event_types,
            ['date'] as filters
        from read_csv('{PROJECT_ROOT}/seeds/components.csv');
    create table reports.date_ranges
        (workspace_id varchar, date_range varchar, label varchar, start_date date, end_date date);
"""
_FUNCTIONS = f"""
    create macro reports.contacts_overview_between({_COUNTS}, contact_ids := null) as table
        select log.report_date as period_start, count(*) as contacts_added, 0::bigint as contacts_deleted,
            0::bigint as contacts_merged
        from reports.contacts_added_log as log
        where log.report_date between start_date and end_date
            and (workspace_id is null or log.workspace_id = workspace_id)
        group by all;
    create macro reports.contacts_added_between({_COUNTS}, contact_ids := null) as table
        select log.report_date as period_start, log.source, log.source_label, count(*) as contacts_added,
            100::double as percentage
        from reports.contacts_added_log as log
        where log.report_date between start_date and end_date
        group by all;
    create macro reports.contacts_connected_between({_COUNTS}, contact_ids := null, channel_ids := null) as table
        select log.report_date as period_start, log.workspace_id, null::varchar as channel_id,
            null::varchar as channel_name, count(*) as contacts_connected, 'nan'::double as percentage
        from reports.contacts_added_log as log
        where log.report_date between start_date and end_date
        group by all;
    create macro reports.contacts_net_growth_between(
        start_date, end_date, frequency := 'day', workspace_id := null
    ) as table
        select log.report_date as period_start, count(*) as contacts_added, 0::bigint as contacts_gone,
            count(*) as net_growth, 1::bigint as running_total
        from reports.contacts_added_log as log
        where log.report_date between start_date and end_date
        group by all;
    create macro reports.contacts_time_to_connect_between(start_date, end_date, workspace_id := null) as table
        select log.workspace_id, start_date::date as month_start, log.source, log.source_label,
            count(*) as contacts_added, 0::bigint as contacts_connected, 0::double as percentage,
            null::double as median_hours_to_connect, null::double as average_hours_to_connect
        from reports.contacts_added_log as log
        group by all;
    create macro reports.contacts_compared_between(
        start_date, end_date, workspace_id := null, user_ids := null, sources := null, contact_ids := null,
        channel_ids := null, contact_name := null, compared_with := 'preceding'
    ) as table
        select 'contacts_added' as metric, 1::bigint as contacts, 0::bigint as contacts_before,
            1::bigint as difference, null::double as percent, start_date as start_date_before,
            end_date as end_date_before;
"""

LOADED_AT = datetime(2026, 1, 31, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Event:
    """An event that stands, in the log of contacts added."""

    event_id: str
    occurred_at: datetime = datetime(2026, 1, 15, 12, tzinfo=UTC)
    workspace_id: str = "acme"
    contact_id: int = 7
    contact_name: str | None = "Ana"


@dataclass
class Small:
    """What is published."""

    events: Sequence[Event] = ()
    workspaces: Sequence[tuple[str, str]] = (("acme", "Acme"), ("zoo", "Zoo"))
    date_range: tuple[str, str] = ("2026-01-01", "2026-01-31")
    users: Sequence[tuple[str, str]] = field(default_factory=lambda: [("1", "Sam")])

    def publish(self, path: Path) -> None:
        """Put the file at a path, in one step."""
        new = path.with_name("new")
        with duckdb.connect(str(new)) as connection:
            connection.execute(_SCHEMA)
            for kind in ("added", "connected", "deleted", "merged"):
                is_merged, is_connected = kind == "merged", kind == "connected"
                connection.execute(
                    _LOG.format(
                        kind=kind,
                        contacts="primary_contact_id bigint, merged_contact_id bigint"
                        if is_merged
                        else "contact_id bigint",
                        contact="primary_contact_id" if is_merged else "contact_id",
                        channels=", channel_id varchar, channel_name varchar" if is_connected else "",
                        channel_ids="channel_ids := null, " if is_connected else "",
                    )
                )
            connection.execute(_FUNCTIONS)
            for workspace_id, name in self.workspaces:
                connection.execute("insert into reports.workspaces values (?, ?, 'UTC')", [workspace_id, name])
                connection.execute(
                    "insert into reports.date_ranges select ?, key, label, ?, ? from reports.report_labels "
                    "where subject = 'date_range'",
                    [workspace_id, *self.date_range],
                )
                connection.execute(
                    "insert into reports.data_status values (?, 'added', ?, ?, ?, 1, 1, 0, 0, 0)",
                    [workspace_id, LOADED_AT, LOADED_AT, LOADED_AT - timedelta(days=len(workspace_id))],
                )
            for user_id, user_name in self.users:
                connection.execute("insert into reports.users values ('acme', ?, ?, false)", [user_id, user_name])
            for event in self.events:
                connection.execute(
                    """
                    insert into reports.contacts_added_log
                    select $workspace_id, $at, timezone('UTC', $at), timezone('UTC', $at)::date, $contact_id, $name,
                        'user', 'User', '1', 'Sam', $event_id, 'events'""",
                    {
                        "workspace_id": event.workspace_id,
                        "at": event.occurred_at,
                        "contact_id": event.contact_id,
                        "name": event.contact_name,
                        "event_id": event.event_id,
                    },
                )
        new.replace(path)
