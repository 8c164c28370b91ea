"""What breaks in these tests: a data folder with two batches and their publication."""

import shutil
from pathlib import Path

import pytest

from orchestration.lib.pipeline import load_landing
from tests.faults.commands import land
from tests.harness import Pipeline


@pytest.fixture(scope="module")
def built(data_folder_of_the_module: Path) -> Path:
    """A data folder with two batches and their publication, to be copied."""
    pipeline = Pipeline(data_folder_of_the_module)
    (pipeline.landing / "workspaces.csv").write_text("workspace_id,workspace_name,timezone\nacme,Acme,Europe/Paris\n")
    land(pipeline, 1)
    load_landing(pipeline.settings)
    land(pipeline, 2)
    pipeline.run()
    return pipeline.settings.data


@pytest.fixture(scope="module")
def kept(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of it, as it was built."""
    return Path(shutil.copytree(built, tmp_path_factory.mktemp("kept") / "data"))


@pytest.fixture
def pipeline(built: Path, kept: Path) -> Pipeline:
    """The same at the same place, as it was: dbt parses everything again in another one."""
    for folder in ("landing", "raw", "published", "warehouse", "cache"):
        shutil.rmtree(built / folder, ignore_errors=True)
        shutil.copytree(kept / folder, built / folder)
    return Pipeline(built)
