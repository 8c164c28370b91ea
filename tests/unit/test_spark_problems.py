"""If Spark cannot be used, one line names the problem and the cure."""

import importlib.util
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from orchestration.lib.dbt.spark import problem_of_spark, require_spark
from orchestration.lib.problems import Problem
from orchestration.lib.settings import Settings, read_settings


@pytest.fixture
def on_spark(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """Settings of a run on Spark, on a machine that has pyspark and Java."""
    java = tmp_path / "jre" / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.touch(mode=0o755)
    monkeypatch.setenv("CONTACT_REPORTS_TARGET", "spark")
    monkeypatch.setenv("CONTACT_REPORTS_DATA", str(tmp_path))
    monkeypatch.setenv("JAVA_HOME", str(java.parents[1]))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    return monkeypatch


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def said() -> str:
    with pytest.raises(Problem) as caught:
        require_spark(read_settings())
    line = str(caught.value)
    assert "\n" not in line
    return line


def test_a_machine_with_all_that_spark_needs_may_run(on_spark: pytest.MonkeyPatch) -> None:
    require_spark(read_settings())


def test_a_run_on_duckdb_asks_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONTACT_REPORTS_TARGET", raising=False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", "")
    require_spark(read_settings())


def test_without_pyspark_the_line_says_how_it_is_installed(on_spark: pytest.MonkeyPatch) -> None:
    on_spark.setattr(importlib.util, "find_spec", lambda name: None)
    line = said()
    assert "pyspark is not installed" in line and "requirements-spark.lock" in line


def test_without_java_the_line_names_a_package(on_spark: pytest.MonkeyPatch) -> None:
    on_spark.setenv("JAVA_HOME", "/nowhere")
    assert "Java" in (line := said()) and "openjdk-17-jre-headless" in line
    on_spark.delenv("JAVA_HOME")
    on_spark.setenv("PATH", "")
    assert said() == line


def test_a_folder_that_spark_takes_for_a_pattern_is_named(on_spark: pytest.MonkeyPatch, tmp_path: Path) -> None:
    on_spark.setenv("CONTACT_REPORTS_DATA", str(tmp_path / "data [1]"))
    assert f"{tmp_path / 'data [1]' / 'spark'}: it takes the path for a pattern" in said()
    on_spark.setenv("CONTACT_REPORTS_SPARK_FOLDER", str(tmp_path / "spark"))
    require_spark(read_settings())


@pytest.mark.parametrize("scheme", ["spark", "sc"])
def test_a_spark_that_does_not_answer_is_named(on_spark: pytest.MonkeyPatch, closed_port: int, scheme: str) -> None:
    on_spark.setenv("CONTACT_REPORTS_SPARK", f"{scheme}://127.0.0.1:{closed_port}")
    line = said()
    assert f"{scheme}://127.0.0.1:{closed_port} cannot be reached" in line and "CONTACT_REPORTS_SPARK" in line


def test_a_spark_that_answers_is_used(on_spark: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        on_spark.setenv("CONTACT_REPORTS_SPARK", f"spark://127.0.0.1:{server.getsockname()[1]}")
        require_spark(read_settings())


def test_spark_connect_needs_no_java_on_this_machine(on_spark: pytest.MonkeyPatch) -> None:
    on_spark.setenv("JAVA_HOME", "/nowhere")
    with socket.create_server(("127.0.0.1", 0)) as server:
        on_spark.setenv("CONTACT_REPORTS_SPARK", f"sc://127.0.0.1:{server.getsockname()[1]}")
        require_spark(read_settings())


@pytest.mark.parametrize(
    ("variable", "value", "allowed"),
    [
        ("CONTACT_REPORTS_SPARK", "http://cluster:7077", "spark://host:port"),
        ("CONTACT_REPORTS_SPARK", "spark://cluster", "spark://host:port"),
        ("CONTACT_REPORTS_SPARK", "spark://cluster:70000", "spark://host:port"),
        ("CONTACT_REPORTS_SPARK_MEMORY", "much", "8g"),
        ("CONTACT_REPORTS_SPARK_DAYS", "0", "greater than or equal to 1"),
    ],
)
def test_a_setting_that_is_not_possible_is_refused(
    on_spark: pytest.MonkeyPatch, variable: str, value: str, allowed: str
) -> None:
    on_spark.setenv(variable, value)
    with pytest.raises(Problem, match=variable) as caught:
        read_settings()
    assert allowed in str(caught.value)


@pytest.mark.parametrize("rest", [":70000/;token=secret", ";token=secret", ":15002;token=secret", "/?token=secret"])
def test_a_token_of_a_setting_that_is_refused_is_not_shown(on_spark: pytest.MonkeyPatch, rest: str) -> None:
    on_spark.setenv("CONTACT_REPORTS_SPARK", f"sc://server{rest}")
    with pytest.raises(Problem) as caught:
        read_settings()
    assert "sc://server" in str(caught.value) and "secret" not in str(caught.value)


@pytest.mark.parametrize("address", ["sc://server", "sc://server:15002/", "sc://server/;token=secret"])
def test_the_port_and_the_parameters_of_spark_connect_may_be_left_out(
    on_spark: pytest.MonkeyPatch, address: str
) -> None:
    on_spark.setenv("CONTACT_REPORTS_SPARK", address)
    assert read_settings().spark == address


@pytest.fixture
def settings(on_spark: pytest.MonkeyPatch) -> Settings:
    on_spark.setenv("CONTACT_REPORTS_SPARK", "spark://cluster:7077")
    return read_settings()


def test_a_metastore_in_use_is_named(on_spark: pytest.MonkeyPatch) -> None:
    metastore = read_settings().spark_data / "metastore"
    lock = metastore / "metastore_db" / "dbex.lck"
    lock.parent.mkdir(parents=True)
    lock.touch()
    require_spark(read_settings())
    program = f"import fcntl; file = open({str(lock)!r}, 'r+b'); fcntl.lockf(file, fcntl.LOCK_EX); print(); input()"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        assert f"The metastore {metastore} is in use by another process" in said()
        other.kill()
    require_spark(read_settings())


@pytest.mark.parametrize(
    "message",
    [
        # As a worker says it, and as the driver of a Spark Connect server does.
        "[FAILED_READ_FILE.FILE_NOT_EXIST] Encountered error while reading file"
        " file:{raw}/batches-1-1/events-1.parquet. File does not exist.",
        "[PATH_NOT_FOUND] Path does not exist: file:{raw}/batches-*/events-*.parquet. SQLSTATE: 42K03",
        "Caused by: java.io.FileNotFoundException: File file:{raw}/batches-1-1/events-1.parquet does not exist",
    ],
)
def test_a_raw_zone_that_the_cluster_cannot_see_is_named(settings: Settings, message: str) -> None:
    line = str(problem_of_spark(settings, message.format(raw=settings.raw)))
    assert "Spark at spark://cluster:7077 cannot see the raw zone" in line
    assert str(settings.raw) in line and "CONTACT_REPORTS_DATA" in line
    assert "\n" not in line


def test_a_driver_without_memory_is_named_with_its_setting(settings: Settings) -> None:
    line = str(problem_of_spark(settings, "Py4JJavaError: java.lang.OutOfMemoryError: Java heap space"))
    assert "not enough memory" in line and "CONTACT_REPORTS_SPARK_MEMORY" in line


def test_an_error_of_a_model_is_not_a_problem_of_spark(settings: Settings) -> None:
    assert problem_of_spark(settings, "[UNRESOLVED_COLUMN] A column cannot be resolved") is None
