"""The arguments of the functions: how they are declared, and how they are checked."""

from collections.abc import Sequence

_TYPES = {
    "start_date": "date",
    "end_date": "date",
    "instant": "timestamptz",
    "frequency": "text default 'day'",
    "compared_with": "text default 'preceding'",
    "workspace_id": "text default null",
    "user_ids": "text[] default null",
    "sources": "text[] default null",
    "contact_ids": "bigint[] default null",
    "channel_ids": "text[] default null",
    "contact_name": "text default null",
}


def declared(parameters: Sequence[str]) -> str:
    """The arguments of a function as PostgreSQL declares them."""
    return ", ".join(f"{name} {_TYPES[name]}" for name in parameters)


CHECKED = """
declare
    refused text;
begin
    if start_date is null or end_date is null then
        refused := 'start_date and end_date are required: the first and the last day of the report';
    elsif start_date > end_date then
        refused := format(
            'start_date %s is after end_date %s. It must be the same day or earlier', start_date, end_date);
    elsif frequency is null or frequency not in ('day', 'week', 'month', 'total') then
        refused := format(
            'frequency %s is not known, it is one of: day, week, month, total',
            coalesce('''' || frequency || '''', 'NULL'));
    elsif compared_with is null or compared_with not in ('preceding', 'week', 'month', 'year') then
        refused := format('compared_with %s is not known, it is one of: preceding, week, month, year',
            coalesce('''' || compared_with || '''', 'NULL'));
    elsif workspace_id is not null
        and not exists (select from reports.workspaces as w where w.workspace_id = checked.workspace_id) then
        refused := format('workspace_id ''%s'' is not known, it is one of: %s', workspace_id,
            (select string_agg(w.workspace_id, ', ' order by w.workspace_id collate "C") from reports.workspaces as w));
    elsif exists (
        select from unnest(sources) as given where given is not null
        and not exists (select from reports.sources as s where s.source = given)) then
        refused := format('sources ''[%s]'' is not known, each is one of: %s', array_to_string(sources, ', ', 'NULL'),
            (select string_agg(s.source, ', ' order by s.source collate "C") from reports.sources as s));
    else
        return true;
    end if;
    raise exception '%', refused using errcode = 'invalid_parameter_value';
end
"""
CHECKED_ARGUMENTS = (
    "start_date date, end_date date, frequency text, compared_with text, workspace_id text, sources text[]"
)
