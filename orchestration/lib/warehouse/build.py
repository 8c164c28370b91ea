"""The warehouse file: prepared from the publication, built by dbt, and put in its place in one step.

The publication is the only state. A run works on a copy of it, so that nothing that happens before the last step can
be seen or can do harm: a run that is killed leaves a file that the next one throws away.
"""

import contextlib
import errno
import hashlib
import json
import os
import shutil
from dataclasses import astuple, dataclass
from pathlib import Path

import duckdb

from orchestration.lib.folders import flush_to_disk
from orchestration.lib.problems import Problem
from orchestration.lib.raw_zone.zone import RawZone
from orchestration.lib.settings import DATABASE_NAME, PROJECT_ROOT, Settings, guard
from orchestration.lib.warehouse.published import (
    attach_published,
    has_a_writer,
    open_published,
    remove_beside,
    require_no_writer,
    sql_name,
)
from orchestration.lib.working_copy import make_working_copy, set_aside

# What the models' results depend on, besides the raw zone. dbt's tests only look at them.
_RULE_FILES = ("models/**/*.sql", "macros/*.sql", "seeds/*.csv", "dbt_project.yml", "profiles.yml")

# DuckDB's headers: the file's, and two of the database's. Each checkpoint counts on in one of these.
_HEADER_BYTES = 3 * 4096

# As in profiles.yml: a file is made by whoever opens it first.
_FILE_FORMAT: dict[str, str | bool | int | float | list[str]] = {"storage_compatibility_version": "v1.2.0"}


@dataclass(frozen=True)
class BuildState:
    """What a warehouse was built from. Two that are equal in this hold the same rows."""

    zone_id: str
    raw_zone: str  # where it lay: views of the publication look there
    batch_id: int
    contents: str  # of the batches up to that one
    rules: str


@dataclass(frozen=True)
class Plan:
    """What a run has to do to the publication."""

    target: BuildState
    reason: str  # why everything is built anew, why nothing is done, or what is new
    rebuild: bool
    nothing_to_do: bool = False


def plan(settings: Settings, *, rebuild: bool = False) -> Plan:
    """Compare the publication with the raw zone and the rules as they are now; with `rebuild`, do not ask it."""
    zone = RawZone(settings.raw)
    newest = zone.newest_batch()
    target = BuildState(zone.zone_id, str(zone.path), newest, zone.contents(newest), rules_fingerprint(zone))
    if rebuild:
        return Plan(target, "a rebuild was asked for", rebuild=True)
    if not settings.published.exists():
        return Plan(target, "nothing is published yet", rebuild=True)
    published = read_state(settings.published)
    if published is None or not _is_whole(settings):
        return Plan(target, "the published file is damaged or of another layout", rebuild=True)
    made_here = _was_made_here(settings)
    if made_here is False:
        return Plan(target, "another program wrote into the published file, or replaced it", rebuild=True)
    if published == target:
        return Plan(target, "the publication is up to date", rebuild=False, nothing_to_do=True)
    if published.zone_id != target.zone_id or published.batch_id > target.batch_id:
        return Plan(target, "the published file was built from another raw zone", rebuild=True)
    if published.raw_zone != target.raw_zone:
        return Plan(target, f"the raw zone was moved here from {published.raw_zone}", rebuild=True)
    if published.contents != zone.contents(published.batch_id):
        return Plan(target, "batches that were published are gone from the raw zone, or are others now", rebuild=True)
    if published.rules != target.rules:
        return Plan(target, "the rules changed (models, seeds, workspaces or their time zones)", rebuild=True)
    if not made_here:
        # dbt would run the SQL of its views.
        return Plan(target, "the published file is not known to be made here", rebuild=True)
    return Plan(target, f"batches {published.batch_id + 1} to {target.batch_id} are new", rebuild=False)


def rules_fingerprint(zone: RawZone) -> str:
    """What changes when a rule does: models, macros, seeds, listed workspaces and their zones, DuckDB's version."""
    digest = hashlib.sha256()
    for pattern in _RULE_FILES:
        for path in sorted(PROJECT_ROOT.glob(pattern)):
            digest.update(f"{path.relative_to(PROJECT_ROOT)}\0".encode() + path.read_bytes() + b"\0")
    files, workspaces = zone.reading("files"), zone.reading("workspaces")
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"""
            select workspace_id, timezone from {workspaces}
            where file_id = (select max(file_id) from {files} where kind = 'workspaces') order by source_line"""
        ).fetchall()
    digest.update(repr(rows).encode())
    # Hashes that the warehouse keeps may differ from one version of DuckDB to the next.
    digest.update(duckdb.__version__.encode())
    return digest.hexdigest()


def read_state(path: Path) -> BuildState | None:
    """What a warehouse file says it was built from; None when it cannot be read, or does not say."""
    try:
        with open_published(path) as connection:
            row = connection.execute(
                "select zone_id, raw_zone, batch_id, contents, rules from intermediate.build_state"
            ).fetchone()
    except duckdb.IOException as error:
        if "Could not set lock" in str(error):
            raise has_a_writer(path) from None
        return None
    except duckdb.Error:
        return None
    return BuildState(*row) if row else None


def _is_whole(settings: Settings) -> bool:
    """Whether every block of the publication can be read. Only a file that no run here left so is looked through:
    one that was restored, edited or overwritten (0.1 s for 18 MB)."""
    signature = _signature(settings.published)
    if _remembered(settings)[0] == signature:
        return True
    try:
        with duckdb.connect() as connection:
            attach_published(connection, settings.published)
            tables = connection.execute(
                "select schema_name, table_name from duckdb_tables() where database_name = $1", [DATABASE_NAME]
            ).fetchall()
            for schema, table in tables:
                name = sql_name(DATABASE_NAME, schema, table)
                connection.execute(f"select max(hash(columns(*))) from {name}").fetchall()
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error:
        return False
    _remember(settings, signature, _remembered(settings)[1])
    return True


def _was_made_here(settings: Settings) -> bool | None:
    """Whether the publication is what a run on this data folder wrote, and nobody since; None when that is forgotten.

    Every row of one that another program wrote into can be read, and its views may do anything.
    """
    _, made_here = _remembered(settings)
    return _fingerprint(settings.published) in made_here if made_here else None


def _remembered(settings: Settings) -> tuple[str, list[str]]:
    """The signature of the publication that was whole, and the fingerprints of those that were made here."""
    try:
        memory = json.loads(_memory(settings).read_text())
        return str(memory["whole"]), [str(fingerprint) for fingerprint in memory["made_here"]]
    except (OSError, ValueError, TypeError, KeyError):
        return "", []


def _remember(settings: Settings, whole: str, made_here: list[str]) -> None:
    with contextlib.suppress(OSError):  # Forgotten, it costs a rebuild.
        memory = _memory(settings)
        memory.parent.mkdir(exist_ok=True)
        incoming = memory.with_suffix(".tmp")
        incoming.write_text(json.dumps({"whole": whole, "made_here": made_here}))
        os.replace(incoming, memory)


def _memory(settings: Settings) -> Path:
    return settings.data / "cache" / "publication_seen"


def _signature(path: Path) -> str:
    status = path.stat()
    return f"{status.st_ino} {status.st_size} {status.st_mtime_ns}"


def _fingerprint(path: Path) -> str:
    """What changes when DuckDB writes into a file, and not when it is copied, moved or touched."""
    with path.open("rb") as file:
        return hashlib.sha256(file.read(_HEADER_BYTES)).hexdigest()


def prepare(settings: Settings, todo: Plan) -> None:
    """Make the file that dbt builds in: empty for a rebuild, otherwise equal to the publication. Clear the raw zone,
    which the models read whole: in a run of a part of the assets nobody else has."""
    RawZone(settings.raw).prepare()
    settings.published.parent.mkdir(parents=True, exist_ok=True)
    if not os.access(settings.published.parent, os.W_OK):
        # Told now, not when everything is built.
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(settings.published.parent))
    settings.warehouse.parent.mkdir(parents=True, exist_ok=True)
    for leftover in settings.warehouse.parent.glob(f"{settings.warehouse.name}*"):
        leftover.unlink()
    remove_spill(settings)
    if todo.rebuild:
        # Nothing of it would stay, and there may be no room for three files.
        settings.former.unlink(missing_ok=True)
    else:
        make_working_copy(settings.published, settings.former, settings.warehouse)
    _write_state(settings, todo)


def remove_spill(settings: Settings) -> None:
    """Remove what DuckDB wrote there: a process that was killed, or that leaves its memory to the kernel, does not."""
    shutil.rmtree(settings.spill, ignore_errors=True)


def _write_state(settings: Settings, todo: Plan) -> None:
    """Write into the file what it will be built from, which batches are in it already, and which rejects are known."""
    known_rejects = todo.rebuild and _has_its_batches(settings, todo)
    with duckdb.connect(str(settings.warehouse), config=_FILE_FORMAT) as connection:
        # dbt's connection will: the first checkpoint reads the metadata of every table (10 million events: 0.3 s).
        connection.execute("pragma disable_checkpoint_on_shutdown")
        connection.execute("create schema if not exists intermediate")
        built = "0" if todo.rebuild else "(select batch_id from intermediate.build_state)"
        connection.execute(
            f"create or replace table intermediate.int_changes_since as select {built}::bigint as batch_id"
        )
        connection.execute(
            """
            create or replace table intermediate.build_state as
            select
                $1::varchar as zone_id, $2::varchar as raw_zone, $3::bigint as batch_id,
                $4::varchar as contents, $5::varchar as rules""",
            astuple(todo.target),
        )
        # In a run that builds on, all of older batches are known.
        connection.execute("drop table if exists intermediate.int_rejects_before_changes")
        if known_rejects:
            _copy_rejects(settings.published, connection)


def _has_its_batches(settings: Settings, todo: Plan) -> bool:
    """Whether the publication that is to be replaced was built from this raw zone: its file_ids mean the same files."""
    former, zone = read_state(settings.published), RawZone(settings.raw)
    return (
        former is not None
        and former.zone_id == todo.target.zone_id
        and former.contents == zone.contents(former.batch_id)
    )


def _copy_rejects(published: Path, connection: duckdb.DuckDBPyConnection) -> None:
    """Copy which records are rejected in the publication, so that those that a changed rule rejects show as new."""
    with contextlib.suppress(duckdb.Error):  # Without them, the newest batch's are new.
        attach_published(connection, published, "publication")
        connection.execute(
            """
            create table intermediate.int_rejects_before_changes as
            select
                file_id::bigint as file_id, source_line::bigint as source_line, reject_reason::varchar as reject_reason
            from publication.intermediate.int_rejected_records"""
        )


def publish(settings: Settings) -> list[str]:
    """Put the warehouse, built and tested, in the place of the publication. Readers see the one or the other.

    Returns warnings of what another program left beside the publication. Raises Problem when one writes into it.
    """
    if settings.warehouse.with_name(f"{settings.warehouse.name}.wal").exists():
        # The file is not what dbt built: DuckDB closes one that it cannot write without a word.
        raise Problem(
            f"What was built could not be written into {settings.warehouse}",
            "The publication is untouched. See that the disk has room for a second one, and run again",
        )
    require_no_writer(settings.published)
    built = _in_the_data_folder(settings)
    flush_to_disk(built)
    settings.published.parent.mkdir(parents=True, exist_ok=True)
    built.chmod(settings.published_mode)
    set_aside(settings.published, settings.former)
    # Of both: the run may be killed before the one takes the other's place.
    former = [_fingerprint(settings.published)] if settings.published.exists() and _was_made_here(settings) else []
    _remember(settings, _signature(built), [*former, _fingerprint(built)])
    # Before: no reader may find it beside the new file. After: it may have come in between.
    warnings = remove_beside(settings.published)
    os.replace(built, settings.published)
    warnings += remove_beside(settings.published)
    flush_to_disk(settings.published.parent)
    guard(settings)
    return warnings


def _in_the_data_folder(settings: Settings) -> Path:
    """The warehouse where it can be renamed to the publication; it was built elsewhere if the path has a `?`."""
    place = settings.data / "warehouse" / settings.warehouse.name
    if place != settings.warehouse:
        place.parent.mkdir(exist_ok=True)
        place.unlink(missing_ok=True)
        shutil.move(settings.warehouse, place)
    return place
