"""The dbt models as assets, and their tests as asset checks."""

import importlib.metadata
import json
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import dagster as dg
import duckdb
from dagster_dbt import DagsterDbtTranslator, DbtCliInvocation, dbt_assets
from packaging.version import Version

from orchestration.defs.operating import Operation, problems_as_failures
from orchestration.defs.raw_zone import OWNERS
from orchestration.lib.dbt.process import running
from orchestration.lib.dbt.project import build_arguments, ensure_manifest, nodes_to_build
from orchestration.lib.dbt.results import error_messages, failures, keep_messages
from orchestration.lib.dbt.spark import problem_of_spark, require_spark
from orchestration.lib.pipeline import raw_zone_is_damaged
from orchestration.lib.problems import (
    Problem,
    disk_is_full,
    memory_is_short,
    problem_of_signal,
    says_disk_is_full,
    says_memory_is_short,
)
from orchestration.lib.progress import announce, report
from orchestration.lib.raw_zone.forgetting import prepare as prepare_zone
from orchestration.lib.raw_zone.zone import RawZone
from orchestration.lib.settings import PROJECT_ROOT, Settings, export_settings, read_settings
from orchestration.lib.sql import sql_name
from orchestration.lib.warehouse.build import has_its_batches, mark_as_tested, prepare, remove_spill
from orchestration.lib.warehouse.from_version import VIEWS_ARGUMENTS, VIEWS_VARIABLES, copy_tables
from orchestration.lib.warehouse.plan import Plan, plan
from orchestration.lib.warehouse.versions import new_version

_settings = read_settings()
export_settings(_settings)
MANIFEST = ensure_manifest(_settings)


class Translator(DagsterDbtTranslator):
    """Groups assets by layer, which is the folder of a model."""

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        return str(dbt_resource_props["fqn"][1]) if dbt_resource_props["resource_type"] == "model" else "seeds"

    def get_asset_spec(self, *arguments: Any, **named: Any) -> dg.AssetSpec:
        """Without a dependency on the rows that earlier runs left in the same table."""
        spec = super().get_asset_spec(*arguments, **named)
        return spec.replace_attributes(
            deps=[dep for dep in spec.deps if not dep.asset_key.path[0].startswith("earlier_")]
        )

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> list[str]:
        return OWNERS


# Shared, as it caches asset specs and is called for every event. A new one for each event cost 26 % of the process.
_TRANSLATOR = Translator()


@dbt_assets(manifest=MANIFEST, name="warehouse", dagster_dbt_translator=_TRANSLATOR)
def dbt_models(context: dg.AssetExecutionContext, operation: Operation) -> Iterator[Any]:
    """Build and test the warehouse in a file of its own.

    A run is incremental only if it builds all tables with rows. The file has one number for its newest batch, so a file
    in which some tables lack that batch must not be published. A selection of fewer tables is a full rebuild.
    """
    settings = operation.settings
    with problems_as_failures(settings):
        prepare_zone(RawZone(settings.raw))
        starts_again = context.retry_number > 0
        has_all_tables = _has_all_tables(context.selected_asset_keys)
        todo = plan(settings, rebuild=operation.rebuild or starts_again or not context.is_subset or not has_all_tables)
        if settings.target == "spark":
            todo = replace(todo, rebuild=True)
        if todo.nothing_to_do:
            todo = replace(todo, rebuild=True, nothing_to_do=False, reason="a run was started though nothing is new")
        if not has_all_tables:
            todo = replace(todo, reason="only some of the models were selected")
        if starts_again:
            todo = replace(todo, reason="the publication could not be continued")
        try:
            yield from _build(context, settings, todo)
        except NotBuilt as problem:
            if todo.rebuild:
                raise
            # The copy of the publication may be what is wrong: changed by a program, or damaged on the disk. The second
            # attempt builds from the raw zone.
            announce(str(problem))
            raise dg.RetryRequested(max_retries=1) from problem


def incremental_selection() -> dg.AssetSelection:
    """The models that an incremental run builds, and the tests that it makes."""
    manifest = json.loads(MANIFEST.read_text())
    made = {node["name"] for node in nodes_to_build(manifest, rebuild=False)}
    checks = [key for key in dbt_models.check_keys if key.name in made]
    return dg.AssetSelection.assets(*_incremental_keys(manifest)).without_checks() | dg.AssetSelection.checks(*checks)


class NotBuilt(Problem):
    """A model or a data test failed, and neither memory nor disk was short."""


def _build(context: dg.AssetExecutionContext, settings: Settings, todo: Plan) -> Iterator[Any]:
    """Have dbt build and test. Yields the result of each test at once, and the tables after dbt has ended."""
    if todo.rebuild:
        line = f"building everything from the raw zone: {todo.reason}"
        announce(line)
        context.log.warning(line)
    else:
        context.log.info(todo.reason)
    prepare(settings, todo)
    built: dict[dg.AssetKey, dg.AssetMaterialization] = {}
    total = len(nodes_to_build(json.loads(MANIFEST.read_text()), rebuild=todo.rebuild))
    if settings.target == "spark":
        require_spark(settings)
        version = new_version(settings, todo.target.forgotten, compares_rejects=has_its_batches(settings, todo))
        on_spark = [*build_arguments(rebuild=True), "--target", version.dbt_target]
        yield from _run_dbt(context, settings, on_spark, total, built, version.target_path, version.environment())
        announce("copying the tables into the warehouse file")
        copy_tables(version, json.loads(MANIFEST.read_text()))
        # The views, which take seconds.
        yield from _run_dbt(context, settings, VIEWS_ARGUMENTS, None, built, settings.dbt_target, VIEWS_VARIABLES)
    else:
        arguments = build_arguments(rebuild=todo.rebuild)
        yield from _run_dbt(context, settings, arguments, total, built, settings.dbt_target)
    remove_spill(settings)
    mark_as_tested(settings)
    tables = _tables(settings)
    for table in built.values():
        yield _materialized(context, table, tables.get(tuple(table.asset_key.path), {}))


def _run_dbt(
    context: dg.AssetExecutionContext,
    settings: Settings,
    arguments: Sequence[str],
    total: int | None,
    built: dict[dg.AssetKey, dg.AssetMaterialization],
    target_path: Path,
    variables: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Any]:
    """Run a dbt command. Yields the results of tests, and adds the tables to `built`. Raises Problem when it fails.

    `total` is how many nodes it builds. Without it no progress is shown.
    """
    # The results of an earlier run are not those of this one, whose dbt may be killed before it writes its own.
    (target_path / "run_results.json").unlink(missing_ok=True)
    manifest = json.loads(MANIFEST.read_text())
    done = 0
    with running(arguments, variables) as process:
        # Not DbtCliResource: its dbt outlives a run that is killed.
        invocation = DbtCliInvocation(
            process=process,
            manifest=manifest,
            dagster_dbt_translator=_TRANSLATOR,
            project_dir=PROJECT_ROOT,
            target_path=target_path,
            raise_on_error=False,
            cli_version=Version(importlib.metadata.version("dbt-core")),
        )
        for event in invocation.stream_raw_events():
            if event.is_result_event:
                done += 1
                if total is not None:
                    report("building and testing", min(done, total), total)
            for reported in event.to_default_asset_events(manifest=manifest, dagster_dbt_translator=_TRANSLATOR):
                if isinstance(reported, dg.AssetMaterialization):
                    built[reported.asset_key] = reported
                elif isinstance(reported, dg.AssetCheckEvaluation):
                    yield _check(context, reported)
                else:
                    yield reported
        is_built = invocation.is_successful()
    if not is_built:
        remove_spill(settings)
        raise _why_not_built(settings, invocation, target_path)


def _check(context: dg.AssetExecutionContext, found: dg.AssetCheckEvaluation) -> Any:
    """A result of the step if the check was selected; else an event, as in a full rebuild of a job for some models."""
    if found.asset_check_key not in context.selected_asset_check_keys:
        return found
    return dg.AssetCheckResult(
        asset_key=found.asset_key,
        check_name=found.check_name,
        passed=found.passed,
        severity=found.severity,
        metadata=found.metadata,
    )


def _materialized(
    context: dg.AssetExecutionContext, table: dg.AssetMaterialization, described: Mapping[str, Any]
) -> dg.AssetMaterialization | dg.Output[None]:
    """An output of the step if the asset was selected; else an event."""
    table = table.with_metadata({**table.metadata, **described})
    if table.asset_key not in context.selected_asset_keys:
        return table
    return dg.Output(None, table.asset_key.to_python_identifier(), metadata=table.metadata)


def _tables(settings: Settings) -> dict[tuple[str, ...], dict[str, Any]]:
    """Rows, column types and newest event of the tables and views, as metadata, by schema and name.

    Reads the file after dbt has closed it: DuckDB lets no other process open it before.
    """
    with duckdb.connect(str(settings.warehouse), read_only=True) as connection:
        columns = connection.execute(
            """
            select schema_name, table_name, list({name: column_name, type: data_type} order by column_index)
            from duckdb_columns() where database_name = current_database() and not internal group by all"""
        ).fetchall()
        names = connection.execute(
            "select schema_name, table_name from duckdb_tables() where database_name = current_database()"
        ).fetchall()
        count = "select $1, $2, count(*) from "
        rows = [connection.execute(count + sql_name(*name), name).fetchall()[0] for name in names]
        newest = connection.execute(
            """
            select 'marts', 'fct_contacts_' || event_type, epoch_us(max(last_event_at)) / 1000000
            from reports.data_status where last_event_at is not null group by event_type"""
        ).fetchall()
    tables: dict[tuple[str, ...], dict[str, Any]] = {
        (schema, table): {
            "dagster/column_schema": dg.TableSchema([dg.TableColumn(one["name"], one["type"]) for one in of_table])
        }
        for schema, table, of_table in columns
    }
    for schema, table, count in rows:
        tables[schema, table]["dagster/row_count"] = count
    for schema, table, seconds in newest:
        tables[schema, table]["newest_event"] = dg.TimestampMetadataValue(seconds)
    return tables


def _why_not_built(settings: Settings, invocation: DbtCliInvocation, target_path: Path) -> Problem:
    """The problem that made dbt fail, with its cure."""
    failed = failures(target_path) or "what was built could not be written into its file"
    messages = error_messages(target_path)
    messages += str(invocation.get_error() or "")
    if says_disk_is_full(messages):
        return disk_is_full(settings.data, failed)
    if says_memory_is_short(messages):
        return memory_is_short(failed)
    if invocation.process.returncode < 0:
        return problem_of_signal("dbt", invocation.process.returncode)
    if damaged := problem_of_spark(settings, messages) or raw_zone_is_damaged(settings, messages):
        return damaged
    log = settings.data / "logs" / "dbt_failures.log"
    keep_messages(target_path, log)
    return NotBuilt(
        f"The warehouse did not pass: {failed}",
        f"The publication is untouched. {log} has all that dbt said of it; mend the cause, and run again",
    )


def _has_all_tables(selected: Set[dg.AssetKey]) -> bool:
    """Whether a selection has all the tables that an incremental run builds."""
    return _incremental_keys(json.loads(MANIFEST.read_text())) <= selected


def _incremental_keys(manifest: Mapping[str, Any]) -> set[dg.AssetKey]:
    """The assets that an incremental run builds."""
    nodes = nodes_to_build(manifest, rebuild=False)
    return {_TRANSLATOR.get_asset_key(node) for node in nodes if node["resource_type"] == "model"}
