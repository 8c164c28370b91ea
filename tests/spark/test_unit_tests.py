"""dbt's unit tests of the models pass on Spark as on DuckDB."""

from pathlib import Path

import pytest

from orchestration.lib.raw_zone.zone import RawZone
from tests.harness import Pipeline
from tests.spark.engine import build, invoke

pytestmark = pytest.mark.slow


def test_the_unit_tests_of_the_models_pass_on_spark(tmp_path: Path) -> None:
    # Where no workspace is listed, as what is listed is all that a workspace can be.
    settings = Pipeline(tmp_path / "data").settings
    RawZone(settings.raw).prepare()
    version = build(settings, "build", "--exclude-resource-type", "test", "unit_test")
    invoke(version, "test", "--select", "test_type:unit", "--exclude", *NOT_ON_SPARK)


NOT_ON_SPARK = (
    # How an incremental run finds what it affects. Spark builds no incremental run.
    "int_changeable_events",
)
