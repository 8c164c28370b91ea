"""What all tests share: how much of what chance decides is tried, and where hypothesis keeps what failed."""

import pytest
from hypothesis import settings
from hypothesis.database import DirectoryBasedExampleDatabase

from orchestration.lib.settings import PROJECT_ROOT

settings.register_profile(
    "contact-reports", database=DirectoryBasedExampleDatabase(PROJECT_ROOT / "data" / "cache" / "hypothesis")
)
settings.load_profile("contact-reports")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--kills", type=int, default=25, help="How often tests/faults kills a run")
    parser.addoption("--fuzzed-records", type=int, default=12_000, help="How many records nobody would send are sent")
