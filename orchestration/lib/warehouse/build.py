"""Prepares the file that dbt builds in. A run that is killed leaves a file that the next one throws away."""

import contextlib
import errno
import os
import shutil
from dataclasses import astuple
from pathlib import Path

import duckdb

from orchestration.lib.problems import Problem
from orchestration.lib.raw_zone.forgetting import prepare as prepare_zone
from orchestration.lib.raw_zone.zone import RawZone
from orchestration.lib.settings import Settings
from orchestration.lib.warehouse.plan import Plan
from orchestration.lib.warehouse.published import attach_published
from orchestration.lib.warehouse.state import read_state

# As in profiles.yml: a file is made by whoever opens it first.
_FILE_FORMAT: dict[str, str | bool | int | float | list[str]] = {"storage_compatibility_version": "v1.2.0"}


def prepare(settings: Settings, todo: Plan) -> None:
    """Make the file that dbt builds in: empty for a full rebuild, otherwise a copy of the publication.

    Also completes and cleans the raw zone. A run of some assets only has no other step that does.
    """
    prepare_zone(RawZone(settings.raw))
    settings.published.parent.mkdir(parents=True, exist_ok=True)
    if not os.access(settings.published.parent, os.W_OK):
        # Fail now, not after everything is built.
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(settings.published.parent))
    settings.warehouse.parent.mkdir(parents=True, exist_ok=True)
    for leftover in settings.warehouse.parent.glob(f"{settings.warehouse.name}*"):
        leftover.unlink()
    remove_spill(settings)
    if not todo.rebuild:
        shutil.copyfile(settings.published, settings.warehouse)
    _write_state(settings, todo)


def mark_as_tested(settings: Settings) -> None:
    """Note that all tests passed on the file. `prepare` removes the mark with the file."""
    _mark(settings).touch()


def require_tested(settings: Settings) -> None:
    """Raise Problem unless all tests passed on the file that lies there.

    The file of a run that failed stays, for whoever wants to see the rows that a test found.
    """
    if not (settings.warehouse.exists() and _mark(settings).exists()):
        raise Problem(
            "There is no tested warehouse file to publish", "Start the job contact_reports, which builds and tests one"
        )


def remove_mark(settings: Settings) -> None:
    _mark(settings).unlink(missing_ok=True)


def _mark(settings: Settings) -> Path:
    return settings.warehouse.with_name(f"{settings.warehouse.name}.tested")


def remove_spill(settings: Settings) -> None:
    """Remove what DuckDB spilled to the disk. A process that is killed leaves it there."""
    shutil.rmtree(settings.spill, ignore_errors=True)


def _write_state(settings: Settings, todo: Plan) -> None:
    """Write into the file the state it will have, the newest batch it has now, and the rejects of the publication."""
    known_rejects = todo.rebuild and has_its_batches(settings, todo)
    with duckdb.connect(str(settings.warehouse), config=_FILE_FORMAT) as connection:
        # dbt makes the checkpoint. Here it would read the metadata of every table (10 million events: 0.3 s).
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
                $4::varchar as batches, $5::varchar as rules""",
            astuple(todo.target),
        )
        # An incremental run knows the rejects of older batches by their batch.
        connection.execute("drop table if exists intermediate.int_rejects_before_changes")
        if known_rejects:
            _copy_rejects(settings.published, connection)


def has_its_batches(settings: Settings, todo: Plan) -> bool:
    """Whether the publication was built from this raw zone, so that its file_ids mean the same files."""
    former, zone = read_state(settings.published), RawZone(settings.raw)
    return (
        former is not None
        and former.zone_id == todo.target.zone_id
        and former.batches == zone.fingerprint(former.batch_id)
    )


def _copy_rejects(published: Path, connection: duckdb.DuckDBPyConnection) -> None:
    """Copy the rejects of the publication. A full rebuild warns of the rejects that a changed rule adds to them."""
    with contextlib.suppress(duckdb.Error):  # Without them, only rejects of the newest batch count as new.
        attach_published(connection, published, "publication")
        connection.execute(
            """
            create table intermediate.int_rejects_before_changes as
            select
                file_id::bigint as file_id, source_line::bigint as source_line, reject_reason::varchar as reject_reason
            from publication.intermediate.int_rejected_records"""
        )
