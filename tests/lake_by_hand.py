"""A published file made by hand, with every type of the published file, and what a lake has of it."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb
from deltalake import DeltaTable

from publications.lake import Lake
from publications.lake.publication import KEPT

# A workspace, a day or None, and how many events there are.
Days = Iterable[tuple[str, str | None, int]]

_TABLES = """
    create schema intermediate; create schema marts; create schema reports;
    create table intermediate.build_state (zone_id varchar, raw_zone varchar, batch_id bigint, batches varchar,
        rules varchar);
    create type route as enum ('api', 'webhook');
    create table marts.fct_events (workspace_id varchar, report_date date, occurred_at timestamptz,
        occurred_at_local timestamp, contact_id bigint, contact_name varchar, route route, event_key ubigint);
    comment on table marts.fct_events is 'One row per event.';
    comment on column marts.fct_events.contact_id is 'The contact.';
    create table marts.dim_source (source varchar, is_known boolean, position integer, filters varchar[], share double);
    insert into marts.dim_source values ('user', true, 1, ['a', null], 0.5), ('Œuvre', false, 2, null, 'nan');
    create table reports.date_ranges (workspace_id varchar, start_date date);
    create view reports.contacts_overview as
        select workspace_id, report_date, count(*) as contacts_added from marts.fct_events group by all;
"""
_EVENTS = """
    insert into marts.fct_events
    select $1, $2::date, $2::timestamptz + to_microseconds(i), $2::timestamp, i,
        case when i % 3 > 0 and not list_contains($4, i) then 'Zoë ' || i end,
        case when i % 2 = 0 then 'api' else 'webhook' end, hash(i)
    from range($3) as events (i)
"""
TABLES = ("marts.dim_source", "marts.fct_events", "reports.contacts_overview")


def publish_days(path: Path, days: Days, *, forgotten: Sequence[int] = ()) -> Path:
    """Write the file again, with events on these days, and without the names of contacts who were forgotten."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(_TABLES)
        batches = "/".join(["1", "1", *map(str, forgotten)])
        connection.execute("insert into intermediate.build_state values ('', '', 1, $1, '')", [batches])
        for day in days:
            connection.execute(_EVENTS, [*day, list(forgotten)])
    return path


def a_lake(place: Path | str, **settings: object) -> Lake:
    spill = place.parent / "spill" if isinstance(place, Path) else Path("spill")
    return Lake(str(place), "1GB", spill, **{"kept": KEPT, **settings})  # type: ignore[arg-type]


def rows_of_the_lake(lake: Lake, table: str, version: int | None = None) -> list[tuple[object, ...]]:
    """The rows of a table, as a reader of Delta tables gets them."""
    delta = delta_table(lake, table)
    if version is not None:
        delta.load_as_version(version)
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.register("rows", delta.scan())
        return connection.execute("select columns(*)::varchar from rows order by all").fetchall()


def rows_of_the_file(path: Path, table: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        return connection.execute(f"select columns(*)::varchar from {table} order by all").fetchall()


def delta_table(lake: Lake, table: str) -> DeltaTable:
    options = {"aws_allow_http": "true"} if lake.target.startswith("s3://") else {}
    return DeltaTable(f"{lake.target}/{table.replace('.', '/')}", storage_options=options)


def versions(lake: Lake) -> dict[str, int]:
    return {table: delta_table(lake, table).version() for table in TABLES}


def assert_equal(lake: Lake, path: Path) -> None:
    """The lake says that it equals the file, and a reader finds the same rows in both."""
    assert lake.differences(path) == []
    for table in TABLES:
        assert rows_of_the_lake(lake, table) == rows_of_the_file(path, table), table
