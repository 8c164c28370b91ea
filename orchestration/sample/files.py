"""Writes files of the sample: each once, and whole."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path


def as_csv(rows: Iterable[Iterable[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def write_once(path: Path, content: bytes) -> bool:
    """Write a file unless it exists. It has a hidden name until it is complete. True if it was written."""
    if path.exists():
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    hidden = path.with_name(f".{path.name}")
    hidden.write_bytes(content)
    hidden.replace(path)
    return True
