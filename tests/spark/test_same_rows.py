"""Every published table and view has the same rows on Spark as on DuckDB. `make test-spark` runs it."""

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from orchestration.lib.dbt.project import ensure_manifest
from orchestration.lib.settings import export_settings
from orchestration.lib.warehouse.build import prepare
from orchestration.lib.warehouse.from_version import VIEWS_ARGUMENTS, VIEWS_VARIABLES, copy_tables
from orchestration.lib.warehouse.plan import plan
from orchestration.lib.warehouse.publish import publish
from orchestration.lib.warehouse.versions import Version
from tests.harness import Pipeline, dbt_invoke
from tests.spark.engine import build, differences, rows_of, variables
from tests.streams import apply, make_deliveries

pytestmark = pytest.mark.slow

TABLES_AND_VIEWS = ("build", "--exclude-resource-type", "unit_test", "--exclude-resource-type", "test")
WITH_DATA_TESTS = ("build", "--exclude-resource-type", "unit_test")


# The history of this seed has late, corrected and repeated events, exports of messages, gaps, a report log of 10,000
# rows, and workspaces in zones with and without clock changes.
def test_after_each_of_four_batches_every_table_and_view_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONTACT_REPORTS_SPARK_FOLDER", str(tmp_path / "tables of Spark"))
    pipeline = Pipeline(tmp_path / "data [of] all")
    settings = pipeline.settings
    versions: list[Version] = []
    for number, delivery in enumerate(make_deliveries(random.Random(86), deliveries=4, events=60), start=1):
        apply(delivery, pipeline.landing)
        pipeline.run()
        if number == 2:
            leave_what_a_killed_run_leaves(settings.spark_data)
        if number == 3:
            set_state(versions[-1], next_schema_prefixes=versions[-2].schema(""))  # Not all views were moved.
        if number == 4:
            set_state(versions[-1], forgotten="others")
        versions.append(build(settings, *(WITH_DATA_TESTS if number == 4 else TABLES_AND_VIEWS)))
        assert differences(versions[-1], tmp_path) == {}, f"batch {number}"
        # The run after one that was killed while it moved views keeps both of its versions until the next one. Of a
        # version from before a contact was forgotten, nothing is kept.
        the_version_is_the_one_that_readers_see(versions, kept={3: 3, 4: 1}.get(number, 2))
        export_settings(settings)
    on_duckdb = rows_of(settings.published)

    # The published file, from the files of the last version.
    prepare(settings, replace(plan(settings), rebuild=True))
    copy_tables(versions[-1], json.loads(ensure_manifest(settings).read_text()))
    with variables(VIEWS_VARIABLES):
        assert dbt_invoke(*VIEWS_ARGUMENTS).success
    publish(settings)
    from_spark = rows_of(settings.published)
    assert on_duckdb.keys() == from_spark.keys()
    assert [name for name, rows in on_duckdb.items() if rows != from_spark[name]] == []


def leave_what_a_killed_run_leaves(spark_data: Path) -> None:
    """A schema with a table, and the folder of a table that the metastore does not know yet."""
    spark = SparkSession.builder.getOrCreate()
    folder = spark_data / "warehouse" / "contact_reports_v1_marts.db"
    spark.sql(f"create schema contact_reports_v1_marts location '{folder}'")
    spark.sql("create table contact_reports_v1_marts.fct_contacts_added using parquet as select 1 as one")
    (folder / "fct_contacts_deleted" / "_temporary").mkdir(parents=True)


def set_state(version: Version, **others: str) -> None:
    """Replace the state that the run of a version left by one with other values."""
    state = {"schema_prefix": version.schema(""), "next_schema_prefixes": "", "forgotten": version.forgotten}
    columns = ", ".join(f"'{value}' as {name}" for name, value in (state | others).items())
    SparkSession.builder.getOrCreate().sql(f"create or replace view contact_reports.build_state as select {columns}")


def the_version_is_the_one_that_readers_see(versions: list[Version], kept: int) -> None:
    """The views select from the last version. Of those before only some are kept, and nothing else is left."""
    spark = SparkSession.builder.getOrCreate()
    (state,) = spark.sql("from contact_reports.build_state").collect()
    assert tuple(state) == (versions[-1].schema(""), "", versions[-1].forgotten)
    seen, built = "contact_reports.contacts_overview", f"{versions[-1].schema('reports')}.contacts_overview"
    assert spark.sql(f"select * from {seen} except all select * from {built}").count() == 0
    left = {version.schema("") for version in versions[-kept:]}
    schemas = {row.namespace for row in spark.sql("show schemas like 'contact_reports_v*'").collect()}
    assert {f"{schema.rsplit('_', 1)[0]}_" for schema in schemas} == left
    folders = {path.name for path in (versions[-1].settings.spark_data / "warehouse").glob("contact_reports_v*")}
    assert {f"{folder.rsplit('_', 1)[0]}_" for folder in folders} == left
