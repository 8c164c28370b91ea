"""Publishes the published file to a lake."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import duckdb
from deltalake.exceptions import CommitFailedError

from orchestration.lib.problems import Problem
from orchestration.lib.sql import sql_text
from orchestration.lib.warehouse.published import attach_published
from orchestration.lib.warehouse.state import state_of
from publications.interface import Published
from publications.lake.chunks import chunks_of, sums, sums_of_chunks
from publications.lake.delta import LakeTable, newest_commits
from publications.lake.place import Place
from publications.lake.tables import Table, tables_of

# A query that began before a publication may read on for so long; until then former versions can be read.
KEPT = timedelta(hours=24)
# Below the lake: a fingerprint of the contacts that no data file names. It is written when all of them are gone.
FORGOTTEN = "forgotten"
# Another publisher came first so often.
_ATTEMPTS = 3


@dataclass(frozen=True)
class Lake:
    """The tables of the published file as Delta tables. `spill` is where DuckDB writes what memory has no room for."""

    target: str
    memory_limit: str
    spill: Path
    kept: timedelta = KEPT

    name = "lake"
    title = "the lake"
    kind = "delta"
    description = (
        "The facts, dimensions, daily counts and report views as Delta tables in CONTACT_REPORTS_LAKE. Only what "
        "changed is written, in one commit for each table."
    )

    @property
    def place(self) -> str:
        return self.target

    def state(self) -> str:
        place = Place(self.target)
        with place.problems():
            return " ".join(newest_commits(place))

    def publish(self, file: Path) -> Published:
        place = Place(self.target)
        with place.problems():
            place.make_ready()
        for _ in range(_ATTEMPTS):
            try:
                return self._publish(place, file)
            except CommitFailedError as error:
                lost = error
        raise Problem(
            f"Another program writes to the lake {self.target} at the same time ({lost})",
            "Let only one data folder publish to it, and nothing else write to its tables",
            is_transient=True,
        )

    def differences(self, file: Path) -> list[str]:
        place = Place(self.target)
        with self._reading(place, file) as connection:
            return [
                f"{table.label}: {difference}"
                for table in tables_of(connection)
                for difference in self._differences(connection, place, table)
            ]

    def _publish(self, place: Place, file: Path) -> Published:
        rows, changes = {}, []
        # A commit that failed may have been made all the same, so then no file is deleted.
        with place.deleting_on_failure(), self._reading(place, file) as connection:
            # Of the file, not of the data folder's list: that may have a contact which this file still names.
            state = state_of(connection)
            tables = tables_of(connection)
            for table in tables:
                chunks = chunks_of(connection, table)
                rows[table.label] = sum(chunk.rows for chunk in chunks)
                with place.problems():
                    changes.append(LakeTable(place, table, self.kept).write(connection, chunks))
        # One after the other at the end: the time in which some tables are new and others are not is short.
        made = [change for change in changes if change is not None]
        with place.problems():
            for change in made:
                change.commit()
            for change in made:
                change.table.vacuum_when_due()
            self._forget(place, tables, state.forgotten if state else "")
        return Published(rows, sum(change.rows for change in made), self.state())

    def _forget(self, place: Place, tables: list[Table], forgotten: str) -> None:
        """Delete the former versions of all tables when others were forgotten than the last time."""
        note = f"{place.url}/{FORGOTTEN}"
        if place.read(note) == forgotten.encode():
            return
        for table in tables:
            LakeTable(place, table, self.kept).delete_former_versions()
        place.write(note, forgotten.encode())

    def _differences(self, connection: duckdb.DuckDBPyConnection, place: Place, table: Table) -> Iterator[str]:
        with place.problems():
            lake = LakeTable(place, table, self.kept)
            delta = lake.delta
        if delta is None or not lake.has_the_schema:
            yield "it has other columns or properties in the lake" if delta else "it is not in the lake"
            return
        expected = sums_of_chunks(chunks_of(connection, table))
        try:
            # What a reader gets: the rows of the files that the log names.
            connection.register("of_the_lake", delta.scan())
            found = sums(connection, table, "of_the_lake")
        except Exception as error:  # delta-rs reads while DuckDB computes: its errors come as DuckDB's
            yield f"the lake cannot be read: {' '.join(str(error).split())[:300]}"
            return
        for workspace in sorted(expected.keys() | found.keys(), key=str):
            wanted, there = expected.get(workspace, (0, "")), found.get(workspace, (0, ""))
            if wanted != there:
                of = f"workspace {workspace}: " if workspace is not None else ""
                same = "as many, but not the same" if wanted[0] == there[0] else f"{there[0]:,}"
                yield f"{of}{wanted[0]:,} rows in the file, {same} in the lake"

    @contextmanager
    def _reading(self, place: Place, file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection that reads the published file, and writes to the lake and to nothing else."""
        with duckdb.connect() as connection:
            connection.execute("set TimeZone = 'UTC'")
            connection.execute(f"set memory_limit = {sql_text(self.memory_limit)}")
            connection.execute(f"set temp_directory = {sql_text(self.spill)}")
            place.let_in(connection)
            attach_published(connection, file)
            yield connection
