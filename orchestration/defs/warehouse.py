"""The dbt models as assets, and their tests as asset checks."""

import importlib.metadata
import json
import re
import signal
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from graphlib import TopologicalSorter
from typing import Any

import dagster as dg
import duckdb
from packaging.version import Version

from orchestration.defs.operating import Operation, problems_as_failures
from orchestration.defs.raw_zone import OWNERS
from orchestration.defs.watch import PUBLISHED, check_without_a_step, report_without_a_step
from orchestration.lib.dbt import project as dbt
from orchestration.lib.pipeline import raw_zone_is_damaged
from orchestration.lib.problems import Problem, disk_is_full, memory_is_short, says_disk_is_full, says_memory_is_short
from orchestration.lib.progress import announce, report
from orchestration.lib.settings import PROJECT_ROOT, Settings, export_settings, read_settings
from orchestration.lib.warehouse import build as warehouse

with dbt.left_to_its_process():
    from dagster_dbt.asset_decorator import dbt_assets
    from dagster_dbt.core.dbt_cli_invocation import DbtCliInvocation
    from dagster_dbt.dagster_dbt_translator import DagsterDbtTranslator

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


_WARN = dg.AssetCheckSeverity.WARN

# One for all: it keeps what it worked out, and is asked for every event. A new one each cost 26 % of the process.
_TRANSLATOR = Translator()


@dbt_assets(manifest=MANIFEST, name="warehouse", dagster_dbt_translator=_TRANSLATOR)
def dbt_models(context: dg.AssetExecutionContext, operation: Operation) -> Iterator[Any]:
    """Build and test the warehouse in a file of its own; nothing at all when the publication is up to date.

    Dagster is told of each model and test as dbt is done with it.
    """
    settings = operation.settings
    with problems_as_failures(settings):
        starts_again = context.retry_number > 0
        todo = warehouse.plan(settings, rebuild=operation.rebuild or starts_again)
        if todo.nothing_to_do:
            context.log.info(todo.reason)
            yield from _last_results(context, context.selected_asset_check_keys)
            # The step that publishes is skipped, and its checks with it.
            for result in _last_results(context, _checks_of_the_publication(context)):
                report_without_a_step(context.instance, result)
            check_without_a_step(context.instance)
            return
        if starts_again:
            todo = replace(todo, reason="what was published could not be continued")
        try:
            yield from _build(context, settings, todo)
        except NotBuilt as problem:
            if todo.rebuild:
                raise
            # A publication that somebody changed or a disk damaged shows itself here. The raw zone decides.
            announce(str(problem))
            raise dg.RetryRequested(max_retries=1) from problem


class NotBuilt(Problem):
    """A model or a data test failed; not for want of memory or disk."""


def _build(context: dg.AssetExecutionContext, settings: Settings, todo: warehouse.Plan) -> Iterator[Any]:
    """Have dbt build and test. Yields what Dagster is to be told of it.

    Of a view or a seed that was left as it is, too: it is part of what will be published all the same.
    """
    if todo.rebuild:
        line = f"building everything from the raw zone: {todo.reason}"
        announce(line)
        context.log.warning(line)
    else:
        context.log.info(todo.reason)
    # What an earlier run left there says nothing of this one, which may be killed before it writes its own.
    (settings.dbt_target / "run_results.json").unlink(missing_ok=True)
    manifest = json.loads(MANIFEST.read_text())
    # Not by way of DbtCliResource, which asks dbt for its version twice and loads it into this process too, for
    # metadata that is not wanted here: 9 of a run's 40 CPU-seconds.
    invocation = DbtCliInvocation(
        process=dbt.start(
            dbt.build_arguments(rebuild=todo.rebuild, chosen=_chosen(context, manifest)),
            meanwhile=partial(warehouse.prepare, settings, todo),
        ),
        manifest=manifest,
        dagster_dbt_translator=_TRANSLATOR,
        project_dir=PROJECT_ROOT,
        target_path=settings.dbt_target,
        raise_on_error=False,
        context=context,
        cli_version=Version(importlib.metadata.version("dbt-core")),
    )
    nodes = dbt.nodes_to_build(manifest, rebuild=todo.rebuild)
    outputs = _Outputs(context, {key.to_python_identifier() for key in _built_by_dbt(nodes)})
    unchecked = set(context.selected_asset_check_keys)
    done = 0
    for event in invocation.stream_raw_events():
        if event.is_result_event:
            done += 1
            report("building and testing", min(done, len(nodes)), len(nodes))
        for told in event.to_default_asset_events(
            manifest=manifest, dagster_dbt_translator=_TRANSLATOR, context=context, target_path=settings.dbt_target
        ):
            if isinstance(told, dg.Output):
                yield from outputs.built(told.with_metadata({**told.metadata, **_row_count(event.raw_event)}))
            else:
                if isinstance(told, dg.AssetCheckResult) and told.asset_key and told.check_name:
                    unchecked.discard(dg.AssetCheckKey(told.asset_key, told.check_name))
                yield told
    is_built = invocation.is_successful()
    warehouse.remove_spill(settings)
    if not is_built:
        raise _why_not_built(settings, invocation)
    yield from outputs.rest()
    yield from _last_results(context, unchecked)
    if not context.is_subset:
        yield from _newest_events(settings)


def _last_results(context: dg.AssetExecutionContext, keys: Iterable[dg.AssetCheckKey]) -> Iterator[dg.AssetCheckResult]:
    """What checks found when they were last made, for those that this run need not make: nothing they look at changed.

    Dagster would show them as skipped otherwise, and forget what they found.
    """
    for key in sorted(keys):
        if found := _last_evaluation(context.instance, key):
            yield dg.AssetCheckResult(
                asset_key=key.asset_key,
                check_name=key.name,
                passed=found.passed,
                severity=found.severity,
                description=found.description,
                metadata=found.metadata,
            )


def _checks_of_the_publication(context: dg.AssetExecutionContext) -> set[dg.AssetCheckKey]:
    """Those that this run was to make."""
    planned = dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED
    records = context.instance.get_records_for_run(context.run.run_id, of_type=planned).records
    events = [record.event_log_entry.get_dagster_event().event_specific_data for record in records]
    keys = {dg.AssetCheckKey(event.asset_key, event.check_name) for event in events}
    return {key for key in keys if key.asset_key == PUBLISHED}


def _last_evaluation(instance: dg.DagsterInstance, key: dg.AssetCheckKey) -> dg.AssetCheckEvaluation | None:
    # Mostly it is the one before that of this run, which is yet to be made. Before it may be runs that failed.
    for at_most in (2, 200):
        for record in instance.event_log_storage.get_asset_check_execution_history(key, limit=at_most):
            found = record.evaluation
            # What held a run back is not of the publication, which passed.
            if isinstance(found, dg.AssetCheckEvaluation) and (found.passed or found.severity == _WARN):
                return found
    return None


class _Outputs:
    """The step's outputs, by name, in the order that Dagster asks for: none before those that it is made of."""

    def __init__(self, context: dg.AssetExecutionContext, to_build: set[str]) -> None:
        """`to_build` are those that dbt will tell of. The others are left as they are."""
        self._selected = {key.to_python_identifier() for key in context.selected_asset_keys}
        self._awaited = to_build & self._selected
        self._built: dict[str, dg.Output[None]] = {}
        self._order = TopologicalSorter(
            {
                key.to_python_identifier(): {made_of.to_python_identifier() for made_of in keys}
                for key, keys in context.assets_def.asset_deps.items()
            }
        )
        self._order.prepare()
        self._next: set[str] = set()

    def built(self, output: dg.Output[None]) -> Iterator[dg.Output[None]]:
        """That one, and what waited for it to be told."""
        self._built[output.output_name] = output
        return self._due()

    def rest(self) -> Iterator[dg.Output[None]]:
        """What dbt has not told of by its end."""
        self._awaited.clear()
        return self._due()

    def _due(self) -> Iterator[dg.Output[None]]:
        while self._order.is_active():
            self._next.update(self._order.get_ready())
            due = {name for name in self._next if name in self._built or name not in self._awaited}
            if not due:
                return
            self._next -= due
            yield from (self._built.get(name) or dg.Output(None, name) for name in due & self._selected)
            self._order.done(*due)


def _row_count(event: Mapping[str, Any]) -> dict[str, int]:
    """Of a table (`count_rows`) or a seed, from what dbt says of it: "8 rows", "INSERT 8". Of a view it says "OK"."""
    said = event["data"].get("result_message") or event["data"].get("status") or ""
    rows = re.search(r"\d+", said)
    return {"dagster/row_count": int(rows[0])} if rows else {}


def _newest_events(settings: Settings) -> Iterator[dg.AssetObservation]:
    """Of each fact that has one. Observed, as the file can be opened only now that dbt has closed it."""
    with duckdb.connect(str(settings.warehouse), read_only=True) as connection:
        newest = connection.execute(
            """
            select event_type, epoch_us(max(last_event_at)) / 1000000 from reports.data_status
            where last_event_at is not null group by event_type order by event_type"""
        ).fetchall()
    for event_type, seconds in newest:
        metadata = {"newest_event": dg.TimestampMetadataValue(seconds)}
        yield dg.AssetObservation(["marts", f"fct_contacts_{event_type}"], metadata=metadata)


def _why_not_built(settings: Settings, invocation: DbtCliInvocation) -> Problem:
    """What an operator can do about a dbt that failed."""
    failed = dbt.failures(settings.dbt_target) or "what was built could not be written into its file"
    messages = dbt.error_messages(settings.dbt_target)
    messages += str(invocation.get_error() or "")
    if says_disk_is_full(messages):
        return disk_is_full(settings.data, failed)
    if says_memory_is_short(messages):
        return memory_is_short(failed)
    if invocation.process.returncode == -signal.SIGKILL:
        return memory_is_short("dbt was killed")
    if invocation.process.returncode < 0:
        ended = signal.Signals(-invocation.process.returncode).name
        return Problem(f"dbt was ended by {ended}", "Nothing is lost, and the publication is untouched: run again")
    if damaged := raw_zone_is_damaged(settings, messages):
        return damaged
    log = settings.data / "logs" / "dbt_failures.log"
    dbt.keep_messages(settings.dbt_target, log)
    return NotBuilt(
        f"The warehouse did not pass: {failed}",
        f"The publication is untouched. {log} has all that dbt said of it; mend the cause, and run again",
    )


def _chosen(context: dg.AssetExecutionContext, manifest: Mapping[str, Any]) -> list[str]:
    """The models chosen in Dagster's page, when that is not everything."""
    if not context.is_subset:
        return []
    built = _built_by_dbt(manifest["nodes"].values())
    return [name for key, name in built.items() if key in context.selected_asset_keys]


def _built_by_dbt(nodes: Iterable[Mapping[str, Any]]) -> dict[dg.AssetKey, str]:
    """The assets among dbt's nodes, with dbt's names for them."""
    built = (node for node in nodes if node["resource_type"] in ("model", "seed"))
    return {_TRANSLATOR.get_asset_key(node): node["name"] for node in built}
