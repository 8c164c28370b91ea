"""What breaks in these tests: a data folder with two batches and their publication."""

import shutil
from pathlib import Path

import pytest

from orchestration.lib.pipeline import load_landing
from tests.faults.commands import land
from tests.harness import Pipeline


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with two batches and their publication, to be copied."""
    pipeline = Pipeline(tmp_path_factory.mktemp("built") / "data")
    (pipeline.landing / "workspaces.csv").write_text("workspace_id,workspace_name,timezone\nacme,Acme,Europe/Paris\n")
    land(pipeline, 1)
    load_landing(pipeline.settings)
    land(pipeline, 2)
    pipeline.run()
    return pipeline.settings.data


@pytest.fixture
def pipeline(built: Path) -> Pipeline:
    """The same at the same place, as it was: dbt parses anew in another one."""
    kept = built.with_name("kept")
    if not kept.exists():
        shutil.copytree(built, kept)
    for folder in ("landing", "raw", "published", "warehouse", "cache"):
        shutil.rmtree(built / folder, ignore_errors=True)
        shutil.copytree(kept / folder, built / folder)
    return Pipeline(built)
