"""Dagster's SQLite storage, with an event log that keeps its connections and what it knows of its tables.

Dagster's own opens a connection and makes an SQLAlchemy engine for each of a run's 500 events, two or three times, and
waits for the disk each time: 25 → 19 of a tick's CPU-seconds, and half its seconds on a disk that is busy. It looks
anew for tables, columns and migrations with most of them. In PostgreSQL, where production keeps its state, connections
are kept anyway.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import NullPool

# Of each run one file, and one of all: a web page that shows many runs is not to hold all of them open.
_KEPT_CONNECTIONS = 8
_BUSY_SECONDS = 30


class SqliteStorage(DagsterSqliteStorage):
    """Runs, events and schedules below `base_dir`, in the files of Dagster's own SQLite storage."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(base_dir, inst_data)
        self._event_log_storage = _EventLog(os.path.join(base_dir, "history", "runs", ""))

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData, config_value: Any) -> "SqliteStorage":
        return cls.from_local(inst_data=inst_data, **config_value)


class _EventLog(SqliteEventLogStorage):
    def __init__(self, base_dir: str) -> None:
        self._connections: dict[str, Connection] = {}
        self._known: set[tuple[str, str]] = set()
        super().__init__(base_dir)

    # What is there stays: Dagster migrates its tables forward only.

    def has_table(self, table_name: str) -> bool:
        return self._once("table", table_name, super().has_table)

    def has_secondary_index(self, name: str) -> bool:
        return self._once("secondary index", name, super().has_secondary_index)

    def has_asset_key_col(self, column_name: str) -> bool:
        return self._once("column of an asset", column_name, super().has_asset_key_col)

    def _has_asset_key_col_on_connection(self, conn: Connection, column_name: str) -> bool:
        look = partial(super()._has_asset_key_col_on_connection, conn)
        return self._once("column of an asset", column_name, look)

    def _once(self, kind: str, name: str, is_there: Callable[[str], bool]) -> bool:
        if (kind, name) not in self._known and is_there(name):
            self._known.add((kind, name))
        return (kind, name) in self._known

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            connection = self._connections.pop(shard, None) or self._open(shard)
            try:
                with connection.begin():
                    yield connection
            except BaseException:
                # On a full disk, say, not even what was begun can be taken back. The next one begins anew.
                connection.close()
                raise
            # The one that was used last is the last.
            self._connections[shard] = connection
            while len(self._connections) > _KEPT_CONNECTIONS:
                self._connections.pop(next(iter(self._connections))).close()

    def _open(self, shard: str) -> Connection:
        engine = create_engine(
            self.conn_string_for_shard(shard),
            poolclass=NullPool,
            connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False},  # _db_lock lets one in at a time
        )
        if shard not in self._initialized_dbs:
            self._initdb(engine)
            self._initialized_dbs.add(shard)
        connection = engine.connect()
        # In WAL mode this can lose the last events when power fails, never the file; what was published does not
        # depend on them.
        connection.exec_driver_sql("pragma synchronous = normal")
        connection.commit()
        return connection

    def dispose(self) -> None:
        with self._db_lock:
            while self._connections:
                self._connections.popitem()[1].close()
        super().dispose()
