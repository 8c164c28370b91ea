"""Reads spreadsheets (XLSX): the header and the records of the first sheet whose header is known."""

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from orchestration.lib.extraction.chunks import Chunk
from orchestration.lib.extraction.csv_reading import LONGEST_HEADER, MOST_COLUMNS, CsvHeader
from orchestration.lib.extraction.header_names import known_names
from orchestration.lib.extraction.limits import LIMITS, Limits
from orchestration.lib.landing.file_types import NotReadable
from orchestration.lib.landing.kinds import Kind
from orchestration.lib.secrets import without_secrets
from orchestration.lib.settings import PROJECT_ROOT

# The text of a record is its row as CSV, with this separator.
_SEPARATOR = ","
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Sheet:
    """The sheet of a spreadsheet that is read."""

    header: CsvHeader
    chunks: Iterator[Chunk]
    unread: list[str]  # after the last chunk: the names of other sheets that have a known header, and records


def read_sheet(stream: BinaryIO, kind: Kind, limits: Limits = LIMITS) -> Sheet:
    """The header and the records of a spreadsheet. Raises NotReadable when it cannot be read to its end.

    The line of a record is its row. A spreadsheet without anything has a header without names.
    """
    unread: list[str] = []
    values = _values(stream, kind, limits, unread)
    names = next(values)
    if len(names) > MOST_COLUMNS:
        raise NotReadable(f"has {len(names):,} columns, and at most {MOST_COLUMNS:,} are read", "leave some out")
    if sum(map(len, names)) > LONGEST_HEADER:
        raise NotReadable(f"has a first row of more than {LONGEST_HEADER >> 10} KiB, which is no header")
    return Sheet(CsvHeader(tuple(names), _SEPARATOR), (Chunk(text, split_into_fields=True) for text in values), unread)


def _values(stream: BinaryIO, kind: Kind, limits: Limits, unread: list[str]) -> Iterator[Any]:
    """What the child reports: the header, then a text for each chunk. Its process ends with this generator."""
    names, spelling = known_names(kind)
    task = {
        "known_names": sorted(names),
        "spelling": spelling,
        "chunk_bytes": limits.chunk_bytes,
        "most_values": limits.most_values,
        "memory_bytes": limits.sheet_memory_bytes,
        "unpacked_bytes": limits.sheet_unpacked_bytes,
        "cpu_seconds": limits.sheet_cpu_seconds,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "orchestration.lib.extraction.sheet_child", json.dumps(task)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=without_secrets(),
        cwd=PROJECT_ROOT,
    )
    assert process.stdin and process.stdout
    try:
        # The child reads all of its input before it writes. One that ends before leaves a broken pipe.
        with contextlib.suppress(BrokenPipeError), process.stdin as child:
            while block := stream.read(_BLOCK):
                child.write(block)
        for line in process.stdout:
            value = json.loads(line)
            if value is True:
                # A sheet that takes too much memory or time to look at costs the warning, and no record.
                with contextlib.suppress(ValueError):
                    rest = json.loads(process.stdout.readline())
                    unread += rest if isinstance(rest, list) else []
                return
            if isinstance(value, dict):
                raise NotReadable(value["problem"], value["cure"])
            yield value
        raise _ended_early(process.wait(), limits)
    finally:
        process.kill()  # Does nothing to a process that has ended.
        process.wait()
        process.stdout.close()


def _ended_early(code: int, limits: Limits) -> NotReadable:
    if code == -signal.SIGXCPU:
        return NotReadable(
            f"takes more than {limits.sheet_cpu_seconds} seconds to read", "split it, or save its sheet as CSV"
        )
    # The library that reads it aborts when it gets no memory.
    return NotReadable(
        f"is broken, or needs more than {limits.sheet_memory_bytes >> 20:,} MiB of memory to be read",
        "delete the rows and columns without values, split it, or save its sheet as CSV",
    )
