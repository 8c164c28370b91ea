"""What tests of extraction ask for by name: a landing folder, and extraction with other settings."""

from functools import partial
from pathlib import Path

import pytest

from orchestration.lib.extraction import batch as batch_module
from orchestration.lib.extraction import extract as extract_module
from orchestration.lib.extraction.reading import read_csv, read_lines
from tests.integration.extraction.place import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def remembers_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have checksums remembered from the first run on, as they are for a file that has lain for a while."""
    monkeypatch.setattr(extract_module, "_SETTLED_SECONDS", -1.0)


@pytest.fixture
def tiny_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every file that is more than a few records treated like a large one."""
    monkeypatch.setattr(extract_module, "_LARGE_BYTES", 0)
    monkeypatch.setattr(batch_module, "read_lines", partial(read_lines, chunk_bytes=1500))
    monkeypatch.setattr(batch_module, "read_csv", partial(read_csv, chunk_bytes=1500))
