"""The table functions of the file as functions of PostgreSQL, with the same names and arguments (contract 6).

They are `language sql`, and PostgreSQL plans them as a part of the query that calls them. They read the published
tables: the daily counts, or the logs if a filter needs these. An argument is written with the name of its function, as
an argument named like a column would give way to it.
"""

from collections.abc import Sequence
from typing import NamedTuple

_EVENT_TYPES = ("added", "connected", "deleted", "merged")


class Function(NamedTuple):
    """A function without its arguments, which are those of the file."""

    returns: str
    body: str
    reads: Sequence[str]  # the tables of schema `reports` that it reads


def build(name: str, parameters: Sequence[str]) -> Function | None:
    """The function of that name; None for one that this version does not know."""
    if name.endswith("_log_between"):
        return _log(name, parameters)
    builders = {
        "contacts_overview_between": _overview,
        "contacts_added_between": _added,
        "contacts_connected_between": _connected,
        "contacts_compared_between": _compared,
        "component_states": _component_states,
        "contacts_net_growth_between": _net_growth,
        "contacts_time_to_connect_between": _time_to_connect,
    }
    return builders[name](name, parameters) if name in builders else None


# A composite type, as a function cannot return a column that is named like one of its arguments.
CONNECTED_ROW = "contact_reports.connected_between"
CONNECTED_COLUMNS = (
    "period_start date, workspace_id text, channel_id text, channel_name text, contacts_connected bigint,"
    " percentage double precision"
)


def _checked(name: str, parameters: Sequence[str]) -> str:
    """A condition that is true, or an error. It has no column, so PostgreSQL asks it once, before it reads."""
    frequency = f"{name}.frequency" if "frequency" in parameters else "'day'"
    compared = f"{name}.compared_with" if "compared_with" in parameters else "'preceding'"
    sources = f"{name}.sources" if "sources" in parameters else "null"
    return (
        f"contact_reports.checked({name}.start_date, {name}.end_date, {frequency}, {compared},"
        f" {name}.workspace_id, {sources})"
    )


def _passes(name: str, events: str, contacts: Sequence[str], channels: bool, dates: str = "") -> str:
    """The condition of the rows that pass the filters. NULL in channel_ids is the unknown channel."""
    conditions = [
        dates,
        f"({name}.workspace_id is null or {events}.workspace_id = {name}.workspace_id)",
        f"({name}.user_ids is null or {events}.user_id = any({name}.user_ids))",
        f"({name}.sources is null or {events}.source = any({name}.sources))",
        f"({name}.contact_ids is null or "
        + " or ".join(f"{events}.{contact} = any({name}.contact_ids)" for contact in contacts)
        + ")",
        f"({name}.channel_ids is null or {events}.channel_id = any({name}.channel_ids)"
        f" or ({events}.channel_id is null and array_position({name}.channel_ids, null) is not null))"
        if channels
        else "",
        f"(coalesce({name}.contact_name, '') = '' or strpos(contact_reports.plain_letters({events}.contact_name),"
        f" nullif(contact_reports.plain_letters({name}.contact_name), '')) > 0)",
    ]
    return "\n        and ".join(filter(None, conditions))


def _between(name: str, events: str, first: str | None = None) -> str:
    return f"{events}.report_date between {first or f'{name}.start_date'} and {name}.end_date"


def _log(name: str, parameters: Sequence[str]) -> Function:
    log = name.removesuffix("_between")
    contacts = ["primary_contact_id", "merged_contact_id"] if log == "contacts_merged_log" else ["contact_id"]
    body = f"""
    select events.* from reports.{log} as events
    where {_checked(name, parameters)}
        and {_passes(name, "events", contacts, "channel_ids" in parameters, _between(name, "events"))}
    """
    return Function(f"setof reports.{log}", body, [log, "workspaces", "sources"])


_DAILY = {
    "added": ("contacts_added_by_source", "daily.source", "null::text", "daily.contacts_added"),
    "connected": ("contacts_connected_by_channel", "null::text", "daily.channel_id", "daily.contacts_connected"),
    # Only users delete and merge contacts.
    "deleted": ("contacts_overview", "'user'", "null::text", "daily.contacts_deleted"),
    "merged": ("contacts_overview", "'user'", "null::text", "daily.contacts_merged"),
}


def _counts(name: str, event_types: Sequence[str], channels: bool = False, dates: str | None = "") -> str:
    """Groups of events that pass the filters, and their number: of the daily counts if they have what is filtered."""
    of_one = (
        f"({name}.contact_ids is not null or coalesce({name}.contact_name, '') <> '' or {name}.user_ids is not null)"
    )
    parts = []
    for event_type in event_types:
        table, source, channel, contacts = _DAILY[event_type]
        needs_log = f"({of_one} or {name}.sources is not null)" if event_type == "connected" else of_one
        contact, merged = (
            ("primary_contact_id", "logged.merged_contact_id")
            if event_type == "merged"
            else ("contact_id", "null::bigint")
        )
        parts += [
            f"""
        select daily.workspace_id, daily.report_date, '{event_type}' as event_type, {source} as source,
            null::text as user_id, {channel} as channel_id, null::bigint as contact_id,
            null::bigint as merged_contact_id, null::text as contact_name, {contacts} as contacts
        from reports.{table} as daily where not {needs_log} and {contacts} > 0""",
            f"""
        select logged.workspace_id, logged.report_date, '{event_type}', logged.source,
            logged.user_id, {"logged.channel_id" if event_type == "connected" else "null::text"}, logged.{contact},
            {merged}, logged.contact_name, 1
        from reports.contacts_{event_type}_log as logged where {needs_log}""",
        ]
    passes = _passes(
        name, "e", ["contact_id", "merged_contact_id"], channels, _between(name, "e") if dates == "" else dates or ""
    )
    return f"""(
    select e.* from ({" union all".join(parts)}) as e
    where {passes}) as events"""


def _reads(event_types: Sequence[str], *others: str) -> list[str]:
    daily = {_DAILY[event_type][0] for event_type in event_types}
    return [*sorted(daily), *(f"contacts_{one}_log" for one in event_types), "workspaces", "sources", *others]


def _period(name: str, date: str) -> str:
    return (
        f"(case {name}.frequency when 'day' then {date} when 'week' then date_trunc('week', {date}::timestamp)::date"
        f" when 'month' then date_trunc('month', {date}::timestamp)::date when 'total' then {name}.start_date end)"
    )


def _periods(name: str) -> str:
    days = f"generate_series({name}.start_date::timestamp, {name}.end_date::timestamp, interval '1 day') as days(day)"
    return f"(select distinct {_period(name, 'days.day::date')} as period_start from {days}) as periods"


def _overview(name: str, parameters: Sequence[str]) -> Function:
    types = ("added", "deleted", "merged")
    sums = ", ".join(f"sum(events.contacts) filter (where events.event_type = '{one}') as {one}" for one in types)
    shown = ", ".join(f"coalesce(counted.{one}, 0)::bigint" for one in types)
    body = f"""
    select periods.period_start, {shown}
    from {_periods(name)}
    left join (
        select {_period(name, "events.report_date")} as period_start, {sums}
        from {_counts(name, types)}
        group by 1
    ) as counted on periods.period_start = counted.period_start
    where {_checked(name, parameters)}
    order by periods.period_start
    """
    returns = "table (period_start date, contacts_added bigint, contacts_deleted bigint, contacts_merged bigint)"
    return Function(returns, body, _reads(types))


def _added(name: str, parameters: Sequence[str]) -> Function:
    body = f"""
    select counted.period_start, counted.source, labels.source_label, counted.contacts,
        100 * counted.contacts::double precision / counted.total::double precision
    from (
        select {_period(name, "events.report_date")} as period_start, events.source,
            sum(events.contacts)::bigint as contacts,
            sum(sum(events.contacts)) over (partition by {_period(name, "events.report_date")}) as total
        from {_counts(name, ["added"])}
        group by 1, 2
    ) as counted
    inner join reports.sources as labels on counted.source = labels.source
    where {_checked(name, parameters)}
    order by counted.period_start asc, counted.contacts desc
    """
    returns = (
        "table (period_start date, source text, source_label text, contacts_added bigint, percentage double precision)"
    )
    return Function(returns, body, _reads(["added"]))


def _connected(name: str, parameters: Sequence[str]) -> Function:
    # The names are those of the daily counts: an id that the directory does not have is its own name.
    body = f"""
    select counted.period_start, counted.workspace_id, counted.channel_id,
        coalesce(channels.channel_name, counted.channel_id, 'Unknown'), counted.contacts,
        100 * counted.contacts::double precision / counted.total::double precision
    from (
        select {_period(name, "events.report_date")} as period_start, events.workspace_id, events.channel_id,
            sum(events.contacts)::bigint as contacts,
            sum(sum(events.contacts)) over (partition by {_period(name, "events.report_date")}) as total
        from {_counts(name, ["connected"], channels=True)}
        group by 1, 2, 3
    ) as counted
    left join reports.channels as channels
        on counted.workspace_id = channels.workspace_id and counted.channel_id = channels.channel_id
    where {_checked(name, parameters)}
    order by counted.period_start asc, counted.contacts desc
    """
    return Function(f"setof {CONNECTED_ROW}", body, _reads(["connected"], "channels"))


def _compared(name: str, parameters: Sequence[str]) -> Function:
    def before(date: str) -> str:
        return (
            f"(case {name}.compared_with when 'preceding' then {date} - ({name}.end_date - {name}.start_date) - 1"
            f" when 'week' then {date} - 7 when 'month' then ({date} - interval '1 month')::date"
            f" when 'year' then ({date} - interval '1 year')::date end)"
        )

    start_before, end_before = before(f"{name}.start_date"), before(f"{name}.end_date")
    metrics = ", ".join(f"('{one}')" for one in _EVENT_TYPES)
    body = f"""
    select 'contacts_' || metrics.event_type, coalesce(counted.contacts, 0)::bigint,
        coalesce(counted.contacts_before, 0)::bigint,
        (coalesce(counted.contacts, 0) - coalesce(counted.contacts_before, 0))::bigint,
        100 * (coalesce(counted.contacts, 0) - counted.contacts_before)::double precision
            / nullif(counted.contacts_before, 0)::double precision,
        {start_before}, {end_before}
    from (values {metrics}) as metrics(event_type)
    left join (
        select events.event_type,
            sum(events.contacts) filter (where events.report_date >= {name}.start_date) as contacts,
            sum(events.contacts) filter (where events.report_date <= {end_before}) as contacts_before
        from {_counts(name, _EVENT_TYPES, channels=True, dates=_between(name, "e", start_before))}
        group by 1
    ) as counted on metrics.event_type = counted.event_type
    where {_checked(name, parameters)}
        and ({name}.channel_ids is null or metrics.event_type = 'connected')
    order by 1
    """
    returns = (
        "table (metric text, contacts bigint, contacts_before bigint, difference bigint, percent double precision,"
        " start_date_before date, end_date_before date)"
    )
    return Function(returns, body, _reads(_EVENT_TYPES))


def _component_states(name: str, parameters: Sequence[str]) -> Function:
    reasons = {
        language: f"""case
            when hidden.component is not null then hidden.{column}
            when found.has_data then null
            when found.first_date is null and coalesce({name}.contact_name, '') = '' then '{never}'
            when found.first_date > {name}.end_date then '{later}'
            else '{not_now}'
        end"""
        for language, column, never, later, not_now in (
            ("en", "reason", "Nothing matches the filters on any day",
             "What matches the filters begins after the dates", "Nothing matches the filters between the dates"),
            ("fr", "reason_fr", "Rien ne correspond aux filtres, quel que soit le jour",
             "Ce qui correspond aux filtres commence après les dates",
             "Rien ne correspond aux filtres entre les dates"),
        )
    }  # fmt: skip
    in_range = _between(name, "events")
    # A name is searched between the dates only.
    days = f"(coalesce({name}.contact_name, '') = '' or {_between(name, 'e')})"
    body = f"""
    select found.component,
        case when hidden.component is not null then 'not_applicable' when found.has_data then 'ok' else 'no_data' end,
        {reasons["en"]}, {reasons["fr"]},
        case when hidden.component is null and not found.has_data then found.first_date end
    from (
        select listed.key as component, listed.position,
            coalesce(bool_or(counted.has_data), false)
                or (listed.kind = 'metric' and beginning.first_date <= {name}.end_date) is true as has_data,
            min(counted.first_date) filter (where not counted.has_data) as first_date
        from reports.report_components as listed
        cross join (
            select min(daily.report_date) as first_date
            from reports.contacts_overview as daily
            where {name}.workspace_id is null or daily.workspace_id = {name}.workspace_id
        ) as beginning
        cross join json_array_elements_text(listed.event_types::json) as types(event_type)
        left join (
            select events.event_type, bool_or({in_range}) as has_data,
                case when coalesce({name}.contact_name, '') = '' then min(events.report_date) end as first_date
            from {_counts(name, _EVENT_TYPES, channels=True, dates=days)}
            group by 1
        ) as counted on types.event_type = counted.event_type
        group by 1, 2, beginning.first_date, listed.kind
    ) as found
    left join (
        select f.component, string_agg(distinct f.reason, '; ') as reason,
            string_agg(distinct f.reason_fr, '; ') as reason_fr
        from reports.report_filters as f
        where not f.is_applicable and case f.filter
            when 'date' then true
            when 'channel' then {name}.channel_ids is not null
            when 'user' then {name}.user_ids is not null
            when 'source' then {name}.sources is not null
            when 'contact' then {name}.contact_ids is not null
        end
        group by 1
    ) as hidden on found.component = hidden.component
    where {_checked(name, parameters)}
    order by found.position
    """
    returns = "table (component text, state text, reason text, reason_fr text, first_date_with_data date)"
    return Function(returns, body, _reads(_EVENT_TYPES, "report_components", "report_filters"))


def _net_growth(name: str, parameters: Sequence[str]) -> Function:
    in_workspace = f"({name}.workspace_id is null or daily.workspace_id = {name}.workspace_id)"
    body = f"""
    select periods.period_start, coalesce(counted.added, 0)::bigint,
        (coalesce(counted.added, 0) - coalesce(counted.growth, 0))::bigint, coalesce(counted.growth, 0)::bigint,
        (former.growth + sum(coalesce(counted.growth, 0)) over (order by periods.period_start))::bigint
    from {_periods(name)}
    cross join (
        select coalesce(sum(daily.net_growth), 0) as growth
        from reports.contacts_net_growth as daily
        where daily.report_date < {name}.start_date and {in_workspace}
    ) as former
    left join (
        select {_period(name, "daily.report_date")} as period_start, sum(daily.contacts_added) as added,
            sum(daily.net_growth) as growth
        from reports.contacts_net_growth as daily
        where {_between(name, "daily")} and {in_workspace}
        group by 1
    ) as counted on periods.period_start = counted.period_start
    where {_checked(name, parameters)}
    order by periods.period_start
    """
    columns = ("contacts_added", "contacts_gone", "net_growth", "running_total")
    returns = f"table (period_start date, {', '.join(f'{column} bigint' for column in columns)})"
    return Function(returns, body, ["contacts_net_growth", "workspaces", "sources"])


def _time_to_connect(name: str, parameters: Sequence[str]) -> Function:
    body = f"""
    select waits.* from reports.contacts_time_to_connect as waits
    where {_checked(name, parameters)}
        and waits.month_start between date_trunc('month', {name}.start_date::timestamp)::date and {name}.end_date
        and ({name}.workspace_id is null or waits.workspace_id = {name}.workspace_id)
    order by waits.month_start desc, waits.contacts_added desc
    """
    return Function(
        "setof reports.contacts_time_to_connect", body, ["contacts_time_to_connect", "workspaces", "sources"]
    )
