"""A Delta table of the lake: what it holds, as its log and its folder say, and how it changes, in one commit.

The name of a data file says which rows it has: period, number of rows, checksum. A file that the log does not name is
not part of the table. One that is not as the log says is written again. So nothing has to be remembered elsewhere.
"""

import json
import re
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from urllib.parse import quote, unquote

import duckdb
from deltalake import CommitProperties, DeltaTable, Transaction
from deltalake.exceptions import CommitFailedError, DeltaError
from deltalake.transaction import AddAction, RemoveAction, create_table_with_add_actions

from publications.lake.chunks import Chunk, rows_at_hand, write_chunk
from publications.lake.place import Place
from publications.lake.tables import REPORT_DATE, SCHEMAS, WORKSPACE, Table

# Every commit has this application's next number. Of two publishers at once Delta refuses the second one's commit,
# as it has the same number.
_APPLICATION = "contact-reports"
# After so many commits Delta writes a checkpoint and removes the log before it, as far as it is older than is kept.
_COMMITS_BETWEEN_CHECKPOINTS = 20
# So often what is no longer part of the table is deleted. It takes two entries in the log.
_COMMITS_BETWEEN_VACUUMS = 24

_LOG = "_delta_log/"
_NAME = re.compile(r"(all|undated|\d{4}|\d{4}-\d{2})-(\d+)-([0-9a-f]{16})-[0-9a-f]{32}[.]parquet")


def newest_commits(place: Place) -> list[str]:
    """The tables of a lake, each with the newest entry of its log. A commit adds an entry."""
    found = []
    for schema in SCHEMAS:
        for table in place.names_in(f"{place.url}/{schema}"):
            entries = [
                name for name in place.names_in(f"{place.url}/{schema}/{table}/{_LOG}") if name.endswith(".json")
            ]
            found += [f"{schema}.{table} {entry}" for entry in sorted(entries)[-1:]]
    return sorted(found)


@dataclass(frozen=True)
class _File:
    """A data file that the log names."""

    path: str
    size: int
    modified: int
    workspace_id: str | None

    @property
    def chunk(self) -> Chunk | None:
        """What its name says. None if it was written by somebody else."""
        found = _NAME.fullmatch(self.path.rpartition("/")[2])
        return Chunk(self.workspace_id, found[1], int(found[2]), found[3]) if found else None


@dataclass(frozen=True)
class Change:
    """What makes a table of the lake equal to that of the file. The data files are written; the log has none of it."""

    table: "LakeTable"
    added: list[AddAction]
    removed: list[RemoveAction]
    rows: int  # that are added or removed

    def commit(self) -> None:
        """Raises CommitFailedError if another publisher came first."""
        self.table.commit(self)


class LakeTable:
    """A table of the lake, as it was when it was first looked at."""

    def __init__(self, place: Place, table: Table, kept: timedelta) -> None:
        self._place, self._table, self._kept = place, table, kept
        self.url = f"{place.url}/{table.schema}/{table.name}"

    @cached_property
    def delta(self) -> DeltaTable | None:
        """The table; None if there is none yet."""
        options = self._place.options
        if not DeltaTable.is_deltatable(self.url, options):
            return None
        return DeltaTable(self.url, storage_options=options)

    @property
    def has_the_schema(self) -> bool:
        """Whether columns, types and comments are those of the file, and the properties those of this version."""
        if self.delta is None:
            return False
        metadata = self.delta.metadata()
        return (
            self.delta.schema().to_json() == self._table.delta_schema.to_json()
            and metadata.configuration == self._configuration
            and (metadata.name, metadata.description) == (self._table.label, self._table.comment)
        )

    def write(self, connection: duckdb.DuckDBPyConnection, chunks: Iterable[Chunk]) -> Change | None:
        """Write the data files that are missing. Returns the change that they are for; None if there is none."""
        wanted = {_key(chunk): chunk for chunk in chunks}
        stale = []
        for file in self._files():
            key = _key(file.chunk) if file.chunk and self.has_the_schema and self._is_as_written(file) else None
            if key is None or wanted.pop(key, None) is None:
                stale.append(file)
        if self.has_the_schema and not wanted and not stale:
            return None
        with rows_at_hand(connection, self._table, len(wanted)) as rows:
            added = [self._write(connection, rows, chunk) for chunk in wanted.values()]
        return Change(
            self,
            added,
            [_removal(file) for file in stale],
            sum(chunk.rows for chunk in wanted.values()) + sum(file.chunk.rows for file in stale if file.chunk),
        )

    def commit(self, change: Change) -> None:
        """Make a change part of the table: all of it, in one commit."""
        properties = CommitProperties(app_transactions=[Transaction(_APPLICATION, self._number + 1)])
        if self.delta is not None and self.has_the_schema:
            self.delta.create_write_transaction(
                [*change.added, *change.removed],
                "append",
                self._table.delta_schema,
                self._table.partitioned_by,
                commit_properties=properties,
            )
            return
        try:
            create_table_with_add_actions(
                self.url,
                self._table.delta_schema,
                change.added,
                mode="error" if self.delta is None else "overwrite",
                partition_by=self._table.partitioned_by,
                name=self._table.label,
                description=self._table.comment,
                configuration=self._configuration,
                storage_options=self._place.options,
                commit_properties=properties,
            )
        except DeltaError as error:
            if self.delta is None and DeltaTable.is_deltatable(self.url, self._place.options):
                raise CommitFailedError(str(error)) from error
            raise

    def vacuum_when_due(self) -> None:
        """After a commit: delete, now and then, the files that have not been part of the table for as long as is kept.

        Files that no log names too, as a publisher leaves them that is killed.
        """
        if (self._number + 1) % _COMMITS_BETWEEN_VACUUMS == 0:
            DeltaTable(self.url, storage_options=self._place.options).vacuum(dry_run=False, full=True)

    def delete_former_versions(self) -> None:
        """After a commit: delete every data file that the newest version does not need, at once.

        `vacuum` would leave a file that is younger by the clock of the server than by that of this machine.
        """
        listing = self._place.files_below(self.url)
        needed = {file.path for file in LakeTable(self._place, self._table, self._kept)._files()}
        for path in listing.keys() - needed:
            if not path.startswith(_LOG):
                self._place.delete(f"{self.url}/{path}")

    @cached_property
    def _number(self) -> int:
        """The number of the last commit of this application before ours.

        Delta reads it from the log, of which our commit may have old entries deleted. So it is read once, before.
        """
        return (self.delta.transaction_version(_APPLICATION) or 0) if self.delta else 0

    @property
    def _configuration(self) -> dict[str, str]:
        kept = f"interval {int(self._kept.total_seconds())} seconds"
        # The log outlives the data files, so that no program may write values of other columns into it.
        statistics = (
            {"delta.dataSkippingStatsColumns": REPORT_DATE}
            if REPORT_DATE in self._table.names
            else {"delta.dataSkippingNumIndexedCols": "0"}
        )
        return statistics | {
            "delta.checkpointInterval": f"{_COMMITS_BETWEEN_CHECKPOINTS}",
            "delta.deletedFileRetentionDuration": kept,
            "delta.enableExpiredLogCleanup": "true",
            "delta.logRetentionDuration": kept,
        }

    def _files(self) -> list[_File]:
        """The data files that the log names."""
        if self.delta is None:
            return []
        actions = self.delta.get_add_actions(flatten=True)
        columns = ["path", "size_bytes", "modification_time"]
        workspaces = (
            actions.column(f"partition.{WORKSPACE}").to_pylist()
            if f"partition.{WORKSPACE}" in actions.schema.names
            else [None] * actions.num_rows
        )
        rows = zip(*(actions.column(name).to_pylist() for name in columns), workspaces, strict=True)
        return [_File(unquote(path), size, modified, workspace) for path, size, modified, workspace in rows]

    def _is_as_written(self, file: _File) -> bool:
        return self._listing.get(file.path) == (file.size, file.modified)

    @cached_property
    def _listing(self) -> dict[str, tuple[int, int]]:
        return self._place.files_below(self.url)

    def _write(self, connection: duckdb.DuckDBPyConnection, rows: str, chunk: Chunk) -> AddAction:
        name = f"{chunk.period}-{chunk.rows}-{chunk.checksum}-{uuid.uuid4().hex}.parquet"
        partition = {}
        if self._table.partitioned_by:
            partition = {WORKSPACE: chunk.workspace_id}
            # Some readers take the value from the path: it is written as Hive does.
            name = f"{WORKSPACE}={quote(chunk.workspace_id or '__HIVE_DEFAULT_PARTITION__', safe='')}/{name}"
        path = f"{self.url}/{name}"
        self._place.begin_file(path)
        write_chunk(connection, self._table, rows, chunk, path)
        size, modified = self._place.size_and_time(path)
        return AddAction(name, size, partition, modified, True, _statistics(self._table, chunk))


def _key(chunk: Chunk) -> tuple[object, ...]:
    return chunk.workspace_id, chunk.period, chunk.rows, chunk.checksum


def _statistics(table: Table, chunk: Chunk) -> str:
    """What lets a reader count without reading, and pass over files of other days."""
    statistics: dict[str, object] = {"numRecords": chunk.rows}
    if REPORT_DATE in table.names and chunk.first and chunk.last:
        statistics["minValues"] = {REPORT_DATE: chunk.first.isoformat()}
        statistics["maxValues"] = {REPORT_DATE: chunk.last.isoformat()}
    return json.dumps(statistics)


def _removal(file: _File) -> RemoveAction:
    partition = {WORKSPACE: file.workspace_id} if file.path.startswith(f"{WORKSPACE}=") else {}
    return RemoveAction(file.path, True, int(time.time() * 1000), file.size, partition)
