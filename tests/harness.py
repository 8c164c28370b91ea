"""Runs the pipeline in this process on a data folder of its own, and reads what it published.

The steps are those of a run (`orchestration/lib`); dbt and what it parsed stay in the process, so that a run costs its
models and not the imports. The way through Dagster and the command line has tests of its own.
"""

import gc
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest

from orchestration.lib.dbt import project as dbt
from orchestration.lib.extraction.extract import Extraction
from orchestration.lib.pipeline import load_landing
from orchestration.lib.raw_zone.compaction import compact
from orchestration.lib.raw_zone.zone import RawZone
from orchestration.lib.settings import export_settings, read_settings
from orchestration.lib.warehouse.build import prepare
from orchestration.lib.warehouse.plan import plan
from orchestration.lib.warehouse.publish import publish

Row = tuple[object, ...]

REPORT_VIEWS = (
    "contacts_overview",
    "contacts_added_by_source",
    "contacts_connected_by_channel",
    "contacts_added_log",
    "contacts_connected_log",
    "contacts_deleted_log",
    "contacts_merged_log",
    "sources",
    "users",
    "channels",
    "workspaces",
    "data_status",
)
# What follows from these; tests/report_reckoning.py reckons it.
DERIVED_VIEWS = (
    "date_ranges",
    "contacts_overview_by_date_range",
    "contacts_added_by_source_and_date_range",
    "contacts_connected_by_channel_and_date_range",
    "contacts_compared_by_date_range",
    "contacts_net_growth",
    "contacts_lifecycle",
    "contacts_time_to_connect",
    "report_components",
    "report_filters",
    "report_labels",
    "filter_values",
)
QUALITY_VIEWS = (
    "rejected_records",
    "superseded_events",
    "event_records",
    "landed_records",
    "load_balance",
    "cut_report_logs",
    "report_log_gaps",
    "refused_files",
    "reconciliation",
    "arrival_delays",
)


@dataclass(frozen=True)
class Outcome:
    """What an invocation of dbt came to."""

    success: bool
    passed: int
    failures: set[str]
    messages: list[str]


_manifests: dict[str, Manifest] = {}


def parsed_project() -> Manifest:
    """The project as dbt parses it for the data folder of the environment, once in this process."""
    target = os.environ["DBT_TARGET_PATH"]
    if target not in _manifests:
        parsed = dbtRunner().invoke(["--quiet", "parse"])
        assert isinstance(parsed.result, Manifest), parsed.exception
        _manifests[target] = parsed.result
    return _manifests[target]


def dbt_invoke(*arguments: str, after: Sequence[str] = ()) -> Outcome:
    """Run dbt in this process, on the warehouse file that the environment names.

    `after` is what to run before, on the same connection: the work of a run is in its memory.
    """
    # Of a run of 6.5 CPU-seconds, to read what was parsed and to write the manifest again are 0.7.
    dbt = dbtRunner(parsed_project())
    if after:
        assert dbt.invoke(["--quiet", "--no-write-json", *after]).success
    invoked = dbt.invoke(["--quiet", "--no-write-json", *arguments])
    DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
    gc.collect()  # The file stays open until the last of dbt's cursors is gone.
    results = getattr(invoked.result, "results", [])
    failed = [result for result in results if result.status in ("fail", "error")]
    return Outcome(
        invoked.success,
        sum(result.status in ("pass", "success") for result in results),
        {result.node.name for result in failed},
        [f"{result.node.name}: {result.message}" for result in failed] or [str(invoked.exception)],
    )


class Pipeline:
    """A pipeline on one data folder, and the folder where its files land."""

    def __init__(self, data: Path) -> None:
        self.landing = data / "landing"
        self.landing.mkdir(parents=True, exist_ok=True)
        os.environ["CONTACT_REPORTS_DATA"] = str(data)
        os.environ.pop("CONTACT_REPORTS_LANDING", None)
        self.settings = read_settings()
        export_settings(self.settings)

    def run(self) -> Extraction:
        """One run, from landing to publication. Fails the test when a model or a data test fails."""
        extraction = load_landing(self.settings)
        todo = plan(self.settings)
        if not todo.nothing_to_do:
            prepare(self.settings, todo)
            self.build(rebuild=todo.rebuild)
            publish(self.settings)
            compact(RawZone(self.settings.raw))
        return extraction

    def build(self, *, rebuild: bool) -> None:
        """Have dbt build and test the prepared warehouse."""
        outcome = dbt_invoke(*dbt.build_arguments(rebuild=rebuild))
        assert outcome.success, outcome.messages

    def loaded_at(self, batch_id: int) -> datetime:
        """When a batch was loaded, as its own files say."""
        files = RawZone(self.settings.raw).reading("files")
        query = f"select epoch_us(max(loaded_at)) from {files} where batch_id = ?"
        with duckdb.connect() as connection:
            row = connection.execute(query, [batch_id]).fetchone()
        assert row is not None
        return datetime.fromtimestamp(row[0] // 1_000_000, UTC).replace(microsecond=row[0] % 1_000_000)

    def query(self, sql: str) -> list[Row]:
        """Rows of the published file."""
        return [tuple(row.values()) for row in self.rows(sql)]

    def rows(self, sql: str) -> list[dict[str, object]]:
        """Rows of the published file, by column."""
        with duckdb.connect(str(self.settings.published), read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")
            cursor = connection.execute(sql)
            names = [column[0] for column in cursor.description or ()]
            return [dict(zip(names, map(_comparable, row), strict=True)) for row in cursor.fetchall()]

    def tables(self) -> dict[str, list[Row]]:
        """All rows of every table and view that is published, but for those that say what the last run had to do, and
        those that are reckoned from the clock."""
        names = self.query(
            """
            select table_schema || '.' || table_name from information_schema.tables
            where table_name not like 'int\\_%change%' escape '\\' and table_name not like '%date\\_range%' escape '\\'
            order by all"""
        )
        return {str(name): in_order(self.query(f"select * from {name}")) for (name,) in names}


def in_order(rows: Iterable[Row]) -> list[Row]:
    """Rows in an order that depends on nothing but the rows."""
    return sorted(rows, key=repr)


def _comparable(value: object) -> object:
    """Instants in one zone, so that equal ones look equal; wall clocks without a word on which of two they are."""
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(fold=0)
    return value
