"""What programs of others do to a publication: real processes of DuckDB that write into it, and are killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

_WRITER = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1])
for statement in sys.argv[2:]:
    connection.execute(statement)
print("written", flush=True)
sys.stdin.readline()
"""


@contextmanager
def writing_into(published: Path, *statements: str) -> Iterator[None]:
    """A program that has the publication open for writing, and executed these statements. It is killed in the end."""
    published.chmod(0o600)
    with subprocess.Popen(
        [sys.executable, "-c", _WRITER, published, *statements],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "written\n"
        yield
        os.kill(writer.pid, signal.SIGKILL)


def leave_beside(published: Path, *statements: str) -> Path:
    """Have a program execute statements on the publication and be killed. Returns the log that it leaves."""
    with writing_into(published, *statements):
        pass
    log = published.with_name(f"{published.name}.wal")
    assert log.stat().st_size > 0
    return log


def rows(published: Path, query: str) -> list[tuple[object, ...]]:
    """What any reader finds: one that knows nothing of this project."""
    with duckdb.connect(str(published), read_only=True) as connection:
        return connection.execute(query).fetchall()
