"""How long queries of the published file take: what a dashboard asks, thirty days of it, and pages of a log."""

import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

# $first and $last are the newest thirty days; $contact and $user are the log's own, from its middle.
_DAYS = "report_date between $first and $last"
QUERIES = {
    "contacts_overview, 30 days": f"from reports.contacts_overview where {_DAYS}",
    "contacts_added_by_source, 30 days": f"from reports.contacts_added_by_source where {_DAYS}",
    "contacts_connected_by_channel, 30 days": f"from reports.contacts_connected_by_channel where {_DAYS}",
    "contacts_net_growth, 30 days": f"from reports.contacts_net_growth where {_DAYS}",
    "contacts_overview_between, 30 days": "from reports.contacts_overview_between($first, $last)",
    "contacts_added_between, 30 days": "from reports.contacts_added_between($first, $last)",
    "contacts_connected_between, 30 days": "from reports.contacts_connected_between($first, $last)",
    "contacts_compared_between, 30 days": "from reports.contacts_compared_between($first, $last)",
    "component_states, 30 days": "from reports.component_states($first, $last)",
    "contacts_overview_between, 30 days of a user": (
        "from reports.contacts_overview_between($first, $last, user_ids := [$user])"
    ),
    "contacts_connected_between, 30 days of a user": (
        "from reports.contacts_connected_between($first, $last, user_ids := [$user])"
    ),
    "contacts_time_to_connect, the newest months": (
        "from reports.contacts_time_to_connect where month_start >= date_trunc('month', $first)"
    ),
    "contacts_lifecycle, a contact": "from reports.contacts_lifecycle where contact_id = $contact",
    "added log, the newest 100": "from reports.contacts_added_log order by occurred_at desc limit 100",
    "added log, 100 of 30 days": (f"from reports.contacts_added_log where {_DAYS} order by occurred_at desc limit 100"),
    "connected log, the newest 100": "from reports.contacts_connected_log order by occurred_at desc limit 100",
    "connected log, 100 of 30 days": (
        f"from reports.contacts_connected_log where {_DAYS} order by occurred_at desc limit 100"
    ),
    "contacts_connected_log_between, 100 of 30 days": (
        "from reports.contacts_connected_log_between($first, $last) order by occurred_at desc limit 100"
    ),
    "added log, 100 of a contact": (
        "from reports.contacts_added_log where contact_id = $contact order by occurred_at desc limit 100"
    ),
    "connected log, 100 of a contact": (
        "from reports.contacts_connected_log where contact_id = $contact order by occurred_at desc limit 100"
    ),
    "added log, 100 of a user": (
        "from reports.contacts_added_log where user_id = $user order by occurred_at desc limit 100"
    ),
    "superseded events, 100 of 30 days": (
        f"from quality.superseded_events where {_DAYS} order by occurred_at desc limit 100"
    ),
}
# These ask for the days up to now, and a history that ended before has nothing to tell of them.
UP_TO_TODAY = {
    f"{name}, all presets": f"from reports.{name}"
    for name in (
        "contacts_overview_by_date_range",
        "contacts_added_by_source_and_date_range",
        "contacts_connected_by_channel_and_date_range",
        "contacts_compared_by_date_range",
    )
}


def time_queries(published: Path, repeats: int) -> dict[str, tuple[float, float]]:
    """Milliseconds of each query, medians: on a connection that is kept, and on one opened for it, opening included."""
    with _up_to_today(published) as moved:
        return _time(QUERIES, published, repeats) | _time(UP_TO_TODAY, moved, repeats)


@contextmanager
def _up_to_today(published: Path) -> Iterator[Path]:
    """A copy of the published file in which the daily counts end today."""
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copyfile(published, Path(folder) / published.name)  # the name that its views bear
        with duckdb.connect(str(copy)) as connection:
            for table, order in (
                ("agg_breakdown_daily", "event_type, report_date, workspace_id"),
                ("agg_overview_daily", "report_date, workspace_id"),
            ):
                connection.execute(
                    f"""
                    create or replace table marts.{table} as
                    select * replace (report_date + (current_date - max(report_date) over ())::int as report_date)
                    from marts.{table} order by {order}"""
                )
        yield copy


def _time(queries: dict[str, str], published: Path, repeats: int) -> dict[str, tuple[float, float]]:
    path = str(published)
    with duckdb.connect(path, read_only=True) as connection:
        parameters = _parameters(connection)
    kept: dict[str, list[float]] = {name: [] for name in queries}
    fresh: dict[str, list[float]] = {name: [] for name in queries}
    for _ in range(repeats):
        for name, sql in queries.items():
            started = time.perf_counter()
            with duckdb.connect(path, read_only=True) as connection:
                _ask(connection, sql, parameters)
            fresh[name].append(time.perf_counter() - started)
    with duckdb.connect(path, read_only=True) as connection:
        for name, sql in queries.items():
            _ask(connection, sql, parameters)
            for _ in range(repeats):
                started = time.perf_counter()
                _ask(connection, sql, parameters)
                kept[name].append(time.perf_counter() - started)
    return {name: (1000 * statistics.median(kept[name]), 1000 * statistics.median(fresh[name])) for name in queries}


def _ask(connection: duckdb.DuckDBPyConnection, sql: str, parameters: dict[str, object]) -> None:
    connection.execute(sql, {name: value for name, value in parameters.items() if f"${name}" in sql}).fetchall()


def _parameters(connection: duckdb.DuckDBPyConnection) -> dict[str, object]:
    row = connection.execute(
        """
        select max(report_date) - 29, max(report_date), median(contact_id)::bigint, min(user_id)
        from reports.contacts_added_log"""
    ).fetchone()
    assert row is not None
    return dict(zip(("first", "last", "contact", "user"), row, strict=True))
