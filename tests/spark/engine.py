"""Builds the raw zone of a pipeline on Spark, in this process, and compares what it built with DuckDB's tables."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import duckdb
from dbt.cli.main import dbtRunner
from pyspark.sql import SparkSession

from orchestration.lib.settings import Settings
from orchestration.lib.warehouse.plan import plan
from orchestration.lib.warehouse.versions import Version, new_version

# A hash of the engine's own. It is compared only whether there is one.
HASHES = {"event_key"}


@contextmanager
def variables(values: dict[str, str]) -> Iterator[None]:
    """The environment with other values, for as long as the block lasts."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def build(settings: Settings, *arguments: str) -> Version:
    """Build a new version on Spark. Fails the test if dbt fails."""
    version = new_version(settings, plan(settings).target.forgotten, compares_rejects=True)
    invoke(version, *arguments)
    return version


def invoke(version: Version, *arguments: str) -> None:
    """Run a dbt command on a version. Fails the test if dbt fails."""
    with variables(version.environment()):
        version.target_path.mkdir(parents=True, exist_ok=True)
        invoked = dbtRunner().invoke(["--quiet", *arguments, "--target", "spark"])
    results = getattr(invoked.result, "results", [])
    failed = [f"{one.node.name}: {one.message}" for one in results if one.status in ("fail", "error", "runtime error")]
    assert invoked.success, "\n".join(failed) or invoked.exception


def differences(version: Version, scratch: Path) -> dict[str, str]:
    """The published tables and views that are different on Spark: what differs, by name."""
    with _opened(version.settings.published) as connection:
        names = _published(connection)
        # Views are planned one by one, by one thread each.
        with ThreadPoolExecutor(4) as pool:
            files = list(pool.map(lambda name: _files(version, name, scratch), names))
        found = {
            f"{layer}.{table}": _difference(connection, f"{layer}.{table}", folder)
            for (layer, table), folder in zip(names, files, strict=True)
        }
    return {name: difference for name, difference in found.items() if difference}


def _files(version: Version, name: tuple[str, str], scratch: Path) -> Path:
    """The folder of a table's Parquet files. The rows of a view are written into one."""
    layer, table = name
    files = version.files_of(layer, table)
    if not files.exists():
        files = scratch / f"{version.number}-{layer}-{table}"
        spark = SparkSession.builder.getOrCreate()
        spark.table(f"{version.schema(layer)}.{table}").write.parquet(str(files))
    return files


def rows_of(published: Path) -> dict[str, list[str]]:
    """The rows of every table and view of a published file, in an order that depends on the rows alone."""
    with _opened(published) as connection:
        return {
            f"{schema}.{table}": sorted(
                map(repr, connection.execute(_select(connection, f"{schema}.{table}")).fetchall())
            )
            for schema, table in _published(connection)
        }


def _opened(published: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(str(published), read_only=True)
    connection.execute("set TimeZone = 'UTC'")
    return connection


def _published(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    """The tables and views that dbt builds."""
    return connection.execute(
        """
        select table_schema, table_name from information_schema.tables
        where table_name not in ('build_state', 'int_changes_since', 'int_rejects_before_changes') order by all"""
    ).fetchall()


def _difference(connection: duckdb.DuckDBPyConnection, table: str, copy: Path) -> str | None:
    copied = f"read_parquet('{copy}/*.parquet')"
    ours, theirs = _columns(connection, table), _columns(connection, copied)
    if ours != theirs:
        return f"columns {sorted(ours.items() - theirs.items())}, on Spark {sorted(theirs.items() - ours.items())}"
    here, there = _select(connection, table), _select(connection, copied)
    only_here, only_there = (
        connection.execute(f"select count(*) over (), * from ({one} except all {other}) limit 3").fetchall()
        for one, other in ((here, there), (there, here))
    )
    return f"only on DuckDB {only_here}, only on Spark {only_there}" if only_here or only_there else None


def _select(connection: duckdb.DuckDBPyConnection, relation: str) -> str:
    columns = (
        f'"{column}" is null' if column in HASHES else f'"{column}"::{kind}'
        for column, kind in sorted(_columns(connection, relation).items())
    )
    return f"select {', '.join(columns)} from {relation}"


def _columns(connection: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    """The types of a relation's columns. An enum counts as text; the type of a hash does not count."""
    described = connection.execute(f"describe from {relation}").fetchall()
    return {
        name: "hash" if name in HASHES else "VARCHAR" if kind.startswith("ENUM") else kind
        for name, kind, *_ in described
    }
