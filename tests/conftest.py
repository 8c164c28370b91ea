"""What all tests share: a data folder, how much of what chance decides is tried, where hypothesis keeps failures."""

import shutil
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis.database import DirectoryBasedExampleDatabase

from orchestration.lib.settings import PROJECT_ROOT

settings.register_profile(
    "contact-reports", database=DirectoryBasedExampleDatabase(PROJECT_ROOT / "data" / "cache" / "hypothesis")
)
settings.load_profile("contact-reports")


# What dbt parsed, and for what.
_PARSED = {"manifest.json", "manifest.sha256", "partial_parse.msgpack"}


@pytest.fixture(scope="session")
def _data_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shared") / "data"


def _emptied(data: Path) -> Path:
    if data.exists():
        for path in data.iterdir():
            if path.name != "dbt" and path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path.name != "dbt":
                path.unlink()
        for path in (data / "dbt").iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name not in _PARSED:
                path.unlink()
    return data


@pytest.fixture
def data_folder(_data_folder: Path) -> Path:
    """A data folder with nothing in it but the project as dbt parsed it for this folder, if it did.

    In another folder dbt parses everything again, which takes 10 CPU-seconds.
    """
    return _emptied(_data_folder)


@pytest.fixture(scope="module")
def data_folder_of_the_module(_data_folder: Path) -> Path:
    """The same, for all tests of a module."""
    return _emptied(_data_folder)


# These files take minutes. They start first, so that no worker is left with one of them when the others have ended.
_LONGEST = ("test_published_views.py", "test_runs.py", "test_command_line.py", "test_damaged_publication.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name not in _LONGEST)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--kills", type=int, default=25, help="How often tests/faults kills a run")
    parser.addoption("--fuzzed-records", type=int, default=12_000, help="How many records nobody would send are sent")
