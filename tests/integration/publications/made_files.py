"""Published files of any size, made without the pipeline: some views, and what is hard to bring to PostgreSQL."""

from pathlib import Path

import duckdb

# Each version has days, rows and workspaces of its own, and shares most rows with the one before. In every version a
# log has as many rows as its daily counts say, so that a reader can tell half a publication from a whole one.
_VERSION = """
    create schema reports; create schema quality;
    create table reports.workspaces as
        select 'w' || w as workspace_id, 'Workspace ' || w as workspace_name, 'Europe/Paris' as timezone
        from range(getvariable('workspaces')) as r(w);
    create table reports.contacts_added_log as
        select
            'w' || (n % getvariable('workspaces')) as workspace_id,
            timestamptz '2026-01-01 00:00:00+00' + to_minutes(n * 7) as occurred_at,
            timestamp '2026-01-01 01:00:00' + to_minutes(n * 7) as occurred_at_local,
            cast(timestamp '2026-01-01' + to_minutes(n * 7) as date) as report_date,
            n as contact_id,
            case when n % 9 > 0 then 'Contact ' || n end
                || case when hash(n, getvariable('version')) % 50 = 0 then ' of ' || getvariable('version') else '' end
            as contact_name,
            'user' as source, 'User' as source_label, '7' as user_id, 'Ana' as user_name,
            md5(n::varchar) as event_id, 'events' as route
        from range(getvariable('rows')) as r(n);
    create table reports.contacts_overview as
        select workspace_id, report_date, count(*) as contacts_added, 0::bigint as contacts_deleted,
            0::bigint as contacts_merged
        from reports.contacts_added_log group by all;
    create table reports.report_labels as
        select 'version' as subject, 'version' as key, getvariable('version')::varchar as label, 'é' as label_fr;
"""


def write_version(path: Path, version: int, rows: int, workspaces: int = 3) -> Path:
    """Write a version of the file."""
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as connection:
        for name, value in (("workspaces", workspaces), ("rows", rows), ("version", version)):
            connection.execute(f"set variable {name} = {value}")
        connection.execute(_VERSION)
    return path


def write_difficult(path: Path) -> Path:
    """Write a file with what PostgreSQL has no place for, or has in another way."""
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(
            """
            create schema reports; create schema quality;
            create type color as enum ('red', 'it''s "green"');
            create table reports.difficult (
                "group" varchar, "Mixed Case" bigint, nul varchar, long varchar, color color, list varchar[],
                struct struct(a integer, b varchar), day date, instant timestamptz, wall timestamp, number double,
                is_so boolean, amount decimal(10, 2), "quo""te" varchar, huge hugeint, empty varchar
            );
            insert into reports.difficult values
                ('a', 1, 'before' || chr(0) || 'after', repeat('ä', 3000000), 'red', ['a', 'b,"c', null],
                 {a: 1, b: 'x'}, 'infinity', 'infinity', '-infinity', 'nan', true, 1.50, '\\N',
                 170141183460469231731687303715884105727, ''),
                (null, -9223372036854775808, chr(0), '', null, [], null, '-infinity', '-infinity', 'infinity', 'inf',
                 null, -0.01, E'tab\\tline\\nend\\\\.', null, null),
                ('b', 9223372036854775807, null, '😀', 'it''s "green"', null, {a: null, b: chr(0)}, '9999-12-31',
                 '0044-03-15 (BC) 00:00:00+00', '294000-01-01 00:00:00.000001', 1e-300, false, null, null, -1, ' ');
            -- The same row twice, and no key.
            insert into reports.difficult from reports.difficult where "group" = 'b';
            comment on column reports.difficult.nul is 'It''s a text; with ''quotes''';
            create view quality.nothing as select 1::bigint as one, 'x' as workspace_id where false;
            """
        )
    return path
