"""Runs on a real cluster: a master, two workers, a Spark Connect server. They take too long for `make test-spark`."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestration.lib.settings import PROJECT_ROOT, read_settings
from tests.harness import Pipeline
from tests.spark.cluster import Cluster, running_cluster, wait_for
from tests.spark.engine import rows_of
from tests.streams import apply, make_deliveries

pytestmark = [pytest.mark.slow, pytest.mark.cluster]

_RUN_SECONDS = 1800


@pytest.fixture(scope="module")
def on_duckdb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that a run on DuckDB has published."""
    pipeline = Pipeline(tmp_path_factory.mktemp("duckdb") / "data")
    apply(make_deliveries(random.Random(86), deliveries=1, events=60)[0], pipeline.landing)
    pipeline.run()
    return pipeline.settings.data


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with running_cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture
def data(on_duckdb: Path, tmp_path: Path) -> Path:
    """A data folder with the same raw zone, in which nothing was published."""
    for folder in ("raw", "landing"):
        shutil.copytree(on_duckdb / folder, tmp_path / "data" / folder)
    return tmp_path / "data"


def start_run(data: Path, spark: str) -> "subprocess.Popen[bytes]":
    variables = {"CONTACT_REPORTS_DATA": str(data), "CONTACT_REPORTS_TARGET": "spark", "CONTACT_REPORTS_SPARK": spark}
    with (data / "run.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "orchestration", "run"],
            cwd=PROJECT_ROOT,
            env=os.environ | variables,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def wait_for_tables(data: Path, tables: int) -> None:
    """Wait until a version has that many tables."""
    warehouse = data / "spark" / "warehouse"
    wait_for(lambda: len(list(warehouse.glob("*_v*/*/_SUCCESS"))) >= tables, f"{tables} tables", _RUN_SECONDS)


def assert_published_the_same(data: Path, on_duckdb: Path, run: "subprocess.Popen[bytes]") -> None:
    assert run.wait(_RUN_SECONDS) == 0, (data / "run.log").read_text()
    published = [read_settings().model_copy(update={"data": folder}).published for folder in (data, on_duckdb)]
    from_spark, expected = map(rows_of, published)
    assert from_spark.keys() == expected.keys()
    assert [name for name, rows in expected.items() if rows != from_spark[name]] == []


def test_both_workers_do_tasks_and_one_may_be_killed_in_the_middle(
    cluster: Cluster, data: Path, on_duckdb: Path
) -> None:
    run = start_run(data, cluster.url)
    wait_for_tables(data, 15)
    wait_for(lambda: all(cluster.tasks_of(worker) for worker in (0, 1)), "tasks of both workers")
    cluster.kill_worker(0)
    assert_published_the_same(data, on_duckdb, run)
    assert cluster.tasks_of(1)


def test_a_driver_is_killed_and_the_next_run_ends_the_same(cluster: Cluster, data: Path, on_duckdb: Path) -> None:
    run = start_run(data, cluster.url)
    wait_for_tables(data, 15)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    time.sleep(5)  # The JVM of the driver sees that its Python is gone.
    assert not (data / "published").exists() or not list((data / "published").iterdir())
    assert_published_the_same(data, on_duckdb, start_run(data, cluster.url))
    # What the killed run left is gone.
    versions = {path.name.rsplit("_", 1)[0] for path in (data / "spark" / "warehouse").glob("contact_reports_v*")}
    assert len(versions) == 1


def test_a_run_on_spark_connect_publishes_the_same(cluster: Cluster, data: Path, on_duckdb: Path) -> None:
    assert_published_the_same(data, on_duckdb, start_run(data, cluster.start_connect()))
