"""The dbt models as assets, and their tests as asset checks."""

import importlib.metadata
import json
import signal
from collections.abc import Iterator, Mapping
from dataclasses import replace
from graphlib import TopologicalSorter
from typing import Any

import dagster as dg
import duckdb
from packaging.version import Version

from orchestration.defs.operating import Operation, problems_as_failures
from orchestration.defs.raw_zone import OWNERS
from orchestration.lib import dbt, warehouse
from orchestration.lib.pipeline import raw_zone_is_damaged
from orchestration.lib.problems import Problem, disk_is_full, memory_is_short, says_disk_is_full, says_memory_is_short
from orchestration.lib.progress import announce, report
from orchestration.lib.settings import PROJECT_ROOT, Settings, export_settings, read_settings

with dbt.left_to_its_process():
    from dagster_dbt import DagsterDbtTranslator, DbtCliInvocation, dbt_assets

_settings = read_settings()
export_settings(_settings)
MANIFEST = dbt.ensure_manifest(_settings)


class Translator(DagsterDbtTranslator):
    """Assets are named and grouped by layer, which is a model's folder."""

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        return str(dbt_resource_props["fqn"][1]) if dbt_resource_props["resource_type"] == "model" else "seeds"

    def get_asset_spec(self, *arguments: Any, **named: Any) -> dg.AssetSpec:
        """Without what earlier runs left in a table as something to wait for: it is the table's own."""
        spec = super().get_asset_spec(*arguments, **named)
        return spec.replace_attributes(
            deps=[dep for dep in spec.deps if not dep.asset_key.path[0].startswith("earlier_")]
        )

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> list[str]:
        return OWNERS


# One for all: it keeps what it worked out, and is asked for every event. A new one each cost 26 % of the process.
_TRANSLATOR = Translator()


@dbt_assets(manifest=MANIFEST, name="warehouse", dagster_dbt_translator=_TRANSLATOR)
def dbt_models(context: dg.AssetExecutionContext, operation: Operation) -> Iterator[Any]:
    """Build and test the warehouse in a file of its own; nothing at all when the publication is up to date."""
    settings = operation.settings
    with problems_as_failures(settings):
        todo = warehouse.plan(settings, rebuild=operation.rebuild)
        if todo.nothing_to_do:
            context.log.info(todo.reason)
            return
        try:
            events = _build(context, settings, todo)
        except NotBuilt as problem:
            if todo.rebuild:
                raise
            # A publication that somebody changed or a disk damaged shows itself here. The raw zone decides.
            todo = replace(todo, rebuild=True, reason=f"what was published could not be continued ({problem})")
            events = _build(context, settings, todo)
        facts = _facts(settings)
    built = {event.output_name: event for event in events if isinstance(event, dg.Output)}
    yield from (event for event in events if not isinstance(event, dg.Output))
    # A view or a seed that was left as it is is part of what will be published all the same.
    for key in TopologicalSorter(context.assets_def.asset_deps).static_order():
        if key in context.selected_asset_keys:
            name = key.to_python_identifier()
            metadata = built[name].metadata if name in built else {}
            yield dg.Output(None, name, metadata={**metadata, **facts.get(name, {})})


class NotBuilt(Problem):
    """A model or a data test failed; not for want of memory or disk."""


def _build(context: dg.AssetExecutionContext, settings: Settings, todo: warehouse.Plan) -> list[Any]:
    """Have dbt build and test. Returns what Dagster is to be told of it, once all of it passed."""
    if todo.rebuild:
        line = f"building everything from the raw zone: {todo.reason}"
        announce(line)
        context.log.warning(line)
    else:
        context.log.info(todo.reason)
    warehouse.prepare(settings, todo)
    # What an earlier run left there says nothing of this one, which may be killed before it writes its own.
    (settings.dbt_target / "run_results.json").unlink(missing_ok=True)
    manifest = json.loads(MANIFEST.read_text())
    # Not by way of DbtCliResource, which asks dbt for its version twice and loads it into this process too, for
    # metadata that is not wanted here: 9 of a run's 40 CPU-seconds.
    invocation = DbtCliInvocation(
        process=dbt.start(dbt.build_arguments(rebuild=todo.rebuild, chosen=_chosen(context, manifest))),
        manifest=manifest,
        dagster_dbt_translator=_TRANSLATOR,
        project_dir=PROJECT_ROOT,
        target_path=settings.dbt_target,
        raise_on_error=False,
        context=context,
        cli_version=Version(importlib.metadata.version("dbt-core")),
    )
    total = dbt.nodes_to_build(manifest, rebuild=todo.rebuild)
    done = 0
    events: list[Any] = []
    for event in invocation.stream_raw_events():
        if event.is_result_event:
            done += 1
            report("building and testing", min(done, total), total)
        events += event.to_default_asset_events(
            manifest=manifest, dagster_dbt_translator=_TRANSLATOR, context=context, target_path=invocation.target_path
        )
    if not invocation.is_successful():
        failed, messages = dbt.failures(settings.dbt_target), dbt.error_messages(settings.dbt_target)
        messages += str(invocation.get_error() or "")
        if says_disk_is_full(messages):
            raise disk_is_full(settings.data, failed)
        if says_memory_is_short(messages):
            raise memory_is_short(failed)
        if invocation.process.returncode == -signal.SIGKILL:
            raise memory_is_short("dbt was killed")
        if invocation.process.returncode < 0:
            ended = signal.Signals(-invocation.process.returncode).name
            raise Problem(f"dbt was ended by {ended}", "Nothing is lost, and the publication is untouched: run again")
        if damaged := raw_zone_is_damaged(settings, messages):
            raise damaged
        raise NotBuilt(
            f"The warehouse did not pass: {failed}",
            f"The publication is untouched. Look at {settings.warehouse}, mend the cause, and run again",
        )
    return events


def _chosen(context: dg.AssetExecutionContext, manifest: Mapping[str, Any]) -> list[str]:
    """The models chosen in Dagster's page, when that is not everything."""
    if not context.is_subset:
        return []
    keys = context.selected_asset_keys
    built = (node for node in manifest["nodes"].values() if node["resource_type"] in ("model", "seed"))
    return [node["name"] for node in built if _TRANSLATOR.get_asset_key(node) in keys]


def _facts(settings: Settings) -> dict[str, dict[str, Any]]:
    """Row counts, and the newest event of each fact, by output name. Views are not counted: they have no rows.

    The file knows how many rows a table has, and `data_status` what is newest: nothing of the data is read for this.
    """
    facts: dict[str, dict[str, Any]] = {}
    with duckdb.connect(str(settings.warehouse), read_only=True) as connection:
        tables = connection.execute(
            "select schema_name, table_name from duckdb_tables() where not internal and not temporary"
        ).fetchall()
        for schema, table in tables:
            row = connection.execute(f'select count(*) from "{schema}"."{table}"').fetchone()
            assert row is not None
            facts[f"{schema}__{table}"] = {"dagster/row_count": row[0]}
        if ("reports", "data_status") not in tables:
            # No more than a part of the models has ever been built.
            return facts
        newest = connection.execute(
            """
            select event_type, epoch_us(max(last_event_at)) / 1000000 from reports.data_status
            where last_event_at is not null group by event_type"""
        ).fetchall()
    for event_type, seconds in newest:
        facts[f"marts__fct_contacts_{event_type}"]["newest_event"] = dg.TimestampMetadataValue(seconds)
    return facts
