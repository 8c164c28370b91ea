"""What tests of extraction ask for by name: a landing folder, and extraction with other settings."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.integration.extraction.place import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def remembers_at_once(place: Place) -> None:
    """Have checksums remembered from the first run on, as they are for a file that has lain for a while."""
    place.limits = replace(place.limits, settled_seconds=-1.0)


@pytest.fixture
def tiny_chunks(place: Place) -> None:
    """Have every file that is more than a few records treated like a large one."""
    place.limits = replace(place.limits, thread_bytes=0, chunk_bytes=1500)
