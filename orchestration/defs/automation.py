"""The two jobs, and what starts a run: a schedule, and a sensor that sees new files land."""

import hashlib
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import dagster as dg

from orchestration.defs import publications
from orchestration.defs.operating import REBUILD, STARTED_BY
from orchestration.defs.raw_zone import LANDING, raw_zone
from orchestration.defs.warehouse import dbt_models, incremental_selection
from orchestration.defs.watch import PUBLISHED, check_without_a_step
from orchestration.lib.landing.listing import Landing
from orchestration.lib.lock import is_held
from orchestration.lib.monitoring.health import note_up_to_date
from orchestration.lib.pipeline import find_news
from orchestration.lib.problems import Problem
from orchestration.lib.receiver.collecting import collect
from orchestration.lib.settings import Settings, read_settings

# Dagster gives a schedule a minute, in which it looks twice: for something new, and at the publications. If a server
# does not answer in time, a run starts, which retries.
_LOOK_SECONDS = 20

Found = TypeVar("Found")

# The assets of the API have a job of their own. No run materializes the landing folder: only its checks run.
_OUTSIDE_OF_DBT = (
    dg.AssetSelection.assets(*raw_zone.keys, PUBLISHED)
    | dg.AssetSelection.checks_for_assets(LANDING.key)
    | dg.AssetSelection.checks_for_assets(PUBLISHED)
    | publications.selection()
)

contact_reports = dg.define_asset_job(
    "contact_reports",
    # Without views, functions and seeds: they are rules. A run whose rules changed builds and reports them anyway.
    selection=_OUTSIDE_OF_DBT | incremental_selection(),
    description="Extract what is new, build the tables that it touches, test them, publish.",
)

full_rebuild = dg.define_asset_job(
    "full_rebuild",
    selection=_OUTSIDE_OF_DBT | dg.AssetSelection.assets(*dbt_models.keys),
    description="Build everything from the raw zone, test it, publish it. Nothing is extracted.",
    config=REBUILD,
)


@dg.schedule(
    name="contact_reports_schedule",
    job=contact_reports,
    description="Starts a run when something is new or a publication is behind; else it checks the age of the data.",
    cron_schedule=read_settings().schedule,
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Start a run when there is something to do. Otherwise the checks keep their last result."""
    tags = {STARTED_BY: "schedule"}
    if skip := _another_run():
        return skip
    if skip := nothing_new(context.instance, context.log):
        # One that failed is tried again with each evaluation.
        behind = _publications_behind(context.log)
        return dg.RunRequest(asset_selection=behind, tags=tags) if behind else skip
    return dg.RunRequest(tags=tags)


def _publications_behind(log: logging.Logger) -> list[dg.AssetKey]:
    """The publications for a run: those that are behind, and all if nobody can say in time."""
    try:
        return _in_time(publications.keys_behind, read_settings())
    except TimeoutError:
        log.warning("The look at the publications took too long, so a run publishes to all of them")
        return publications.keys()


def _another_run() -> dg.SkipReason | None:
    """The reason to wait for the next evaluation while a run is under way; None while there is none.

    A run that waited would find that nothing is new any more, and rebuild everything.
    """
    if is_held(read_settings().data):
        return dg.SkipReason("A run is under way. The next evaluation looks for what it does not take")
    return None


def nothing_new(instance: dg.DagsterInstance, log: logging.Logger) -> dg.SkipReason | None:
    """The reason to skip a run; None when there is something to do, or a problem, which the run will name."""
    settings = read_settings()
    try:
        if is_held(settings.data) or _in_time(find_news, settings):
            return None
        check_without_a_step(instance, freshness_alone=True)
        note_up_to_date(settings.data)
    except Exception as error:
        # The errors of S3 have no common type. The run meets the same error, and names it.
        log.warning(f"The look for something new failed, so a run starts: {error!r}")
        return None
    return dg.SkipReason("Nothing is new: the publication is up to date, and the checks keep their last result")


def _in_time(look: Callable[[Settings], Found], settings: Settings) -> Found:
    """What a look found. Raises TimeoutError when a server keeps it waiting."""
    looking = ThreadPoolExecutor(max_workers=1)
    try:
        return looking.submit(look, settings).result(_LOOK_SECONDS)
    finally:
        looking.shutdown(wait=False)


@dg.sensor(
    job=contact_reports,
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.STOPPED,
    description="Starts a run within a minute when files have landed. Off until it is switched on.",
)
def new_files_landed(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """Start a run when the landing folder lists differently from the last time a run was asked for."""
    if skip := _another_run():
        return skip
    settings = read_settings()
    landing = Landing(settings.landing_url)
    try:
        # Bodies of webhooks that wait are new too. A run collects them in the same way before it lists the folder.
        for warning in [] if settings.is_sample else collect(settings.receiver, landing):
            context.log.warning(warning)
        listing = landing.list()
    except Problem as problem:
        return dg.SkipReason(str(problem))
    state = hashlib.sha256(repr([(file.path, file.signature) for file in listing.files]).encode()).hexdigest()
    if state == context.cursor:
        return dg.SkipReason("Nothing has landed since the last run")
    if skip := nothing_new(context.instance, context.log):
        return dg.SensorResult(skip_reason=skip, cursor=state)
    return dg.SensorResult(run_requests=[dg.RunRequest(run_key=state, tags={STARTED_BY: "sensor"})], cursor=state)
