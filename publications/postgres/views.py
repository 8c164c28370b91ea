"""What depends on the day of the query: the presets, and the counts in them. These are views in PostgreSQL too."""

from collections.abc import Sequence

from orchestration.lib.sql import sql_text

# In the order in which they are made: later ones read earlier ones.
COMPUTED = (
    "date_ranges",
    "contacts_overview_by_date_range",
    "contacts_added_by_source_and_date_range",
    "contacts_connected_by_channel_and_date_range",
    "contacts_compared_by_date_range",
)

_RANGE = "ranges.workspace_id, ranges.date_range, ranges.start_date, ranges.end_date"
_VIEWS = {
    "date_ranges": "select * from reports.date_ranges_at(now())",
    "contacts_overview_by_date_range": f"""
    select {_RANGE},
        coalesce(sum(daily.contacts_added), 0)::bigint as contacts_added,
        coalesce(sum(daily.contacts_deleted), 0)::bigint as contacts_deleted,
        coalesce(sum(daily.contacts_merged), 0)::bigint as contacts_merged
    from reports.date_ranges as ranges
    left join reports.contacts_overview as daily
        on ranges.workspace_id = daily.workspace_id and daily.report_date between ranges.start_date and ranges.end_date
    group by 1, 2, 3, 4""",
    "contacts_added_by_source_and_date_range": f"""
    select counted.workspace_id, counted.date_range, counted.start_date, counted.end_date,
        counted.source, labels.source_label, counted.contacts::bigint as contacts_added,
        100 * counted.contacts::double precision / counted.total::double precision as percentage
    from (
        select {_RANGE}, daily.source, sum(daily.contacts_added) as contacts,
            sum(sum(daily.contacts_added)) over (partition by ranges.workspace_id, ranges.date_range) as total
        from reports.date_ranges as ranges
        inner join reports.contacts_added_by_source as daily
            on ranges.workspace_id = daily.workspace_id
            and daily.report_date between ranges.start_date and ranges.end_date
        group by 1, 2, 3, 4, 5
    ) as counted
    inner join reports.sources as labels on counted.source = labels.source""",
    "contacts_connected_by_channel_and_date_range": f"""
    select counted.workspace_id, counted.date_range, counted.start_date, counted.end_date, counted.channel_id,
        coalesce(channels.channel_name, counted.channel_id, 'Unknown') as channel_name,
        counted.contacts::bigint as contacts_connected,
        100 * counted.contacts::double precision / counted.total::double precision as percentage
    from (
        select {_RANGE}, daily.channel_id, sum(daily.contacts_connected) as contacts,
            sum(sum(daily.contacts_connected)) over (partition by ranges.workspace_id, ranges.date_range) as total
        from reports.date_ranges as ranges
        inner join reports.contacts_connected_by_channel as daily
            on ranges.workspace_id = daily.workspace_id
            and daily.report_date between ranges.start_date and ranges.end_date
        group by 1, 2, 3, 4, 5
    ) as counted
    left join reports.channels as channels
        on counted.workspace_id = channels.workspace_id and counted.channel_id = channels.channel_id""",
    "contacts_compared_by_date_range": """
    select ranges.workspace_id, ranges.date_range, ranges.start_date, ranges.end_date,
        ranges.start_date - (ranges.end_date - ranges.start_date) - 1 as start_date_before,
        ranges.start_date - 1 as end_date_before,
        compared.metric, compared.contacts, compared.contacts_before, compared.difference, compared.percent
    from reports.date_ranges as ranges
    cross join lateral reports.contacts_compared_between(
        ranges.start_date, ranges.end_date, workspace_id => ranges.workspace_id) as compared""",
}

DATE_RANGES_COLUMNS = "table (workspace_id text, date_range text, label text, start_date date, end_date date)"


def statement(view: str) -> str:
    return f"create or replace view reports.{view} as {_VIEWS[view]}"


def date_ranges_at(presets: Sequence[tuple[object, ...]]) -> str:
    """The body of the function of that name. The presets are a seed of the file, and are written into it."""
    rows = ", ".join(
        "(" + ", ".join(sql_text(value) if isinstance(value, str) else str(value) for value in preset) + ")"
        for preset in presets
    )
    return f"""
    select workspaces.workspace_id, presets.date_range, presets.label,
        {_unit_start("presets.from_unit", "presets.from_offset")},
        {_unit_start("presets.until_unit", "presets.until_offset")} - 1
    from (
        select w.workspace_id, (date_ranges_at.instant at time zone w.timezone)::date as today
        from reports.workspaces as w
    ) as workspaces
    cross join (values {rows}) as presets(date_range, label, from_unit, from_offset, until_unit, until_offset)
    """


def _unit_start(unit: str, offset: str) -> str:
    months = (
        f"case {unit} when 'month' then {offset} when 'quarter' then 3 * {offset} when 'year' then 12 * {offset} end"
    )
    days = f"case {unit} when 'day' then {offset} when 'week' then 7 * {offset} end"
    interval = f"make_interval(months => coalesce({months}, 0), days => coalesce({days}, 0))"
    return f"(date_trunc({unit}, workspaces.today::timestamp) + {interval})::date"
