"""A lake in S3 has what a lake in a folder has, from a server that speaks S3."""

import multiprocessing
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import s3fs

from orchestration.lib.problems import Problem
from tests.erasure import traces
from tests.lake_by_hand import TABLES, a_lake, assert_equal, delta_table, publish_days, versions
from tests.lake_in_s3 import s3_server, settings_of_s3

pytestmark = pytest.mark.slow

LAKE = "s3://lake/of contacts"
TWO = [("acme", "2026-01-05", 4), ("a b/50%é", "2026-02-05", 3)]


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with s3_server() as port:
        yield port


@pytest.fixture
def bucket(port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[s3fs.S3FileSystem]:
    for name, value in settings_of_s3(port).items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    files = s3fs.S3FileSystem()
    files.mkdir("lake")
    yield files
    files.rm("lake", recursive=True)
    s3fs.S3FileSystem.clear_instance_cache()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return publish_days(tmp_path / "contact_reports.duckdb", TWO)


def test_publications_in_s3_commit_what_changed_and_nothing_else(bucket: s3fs.S3FileSystem, file: Path) -> None:
    lake = a_lake(LAKE)
    lake.publish(file)
    assert_equal(lake, file)
    assert lake.publish(file).moved == 0
    assert versions(lake) == dict.fromkeys(TABLES, 0)
    publish_days(file, [*TWO, ("tui", "2026-03-01", 1)])
    lake.publish(file)
    assert_equal(lake, file)
    assert versions(lake) == {"marts.dim_source": 0, "marts.fct_events": 1, "reports.contacts_overview": 1}


def test_a_data_file_in_s3_that_is_gone_or_replaced_is_written_again(bucket: s3fs.S3FileSystem, file: Path) -> None:
    lake = a_lake(LAKE)
    lake.publish(file)
    first, second = (path for path in bucket.find("lake/of contacts/marts/fct_events") if path.endswith(".parquet"))
    bucket.rm(first)
    bucket.pipe_file(second, b"another one")
    assert lake.differences(file) != []
    lake.publish(file)
    assert_equal(lake, file)


def test_a_contact_that_was_forgotten_leaves_every_object(
    bucket: s3fs.S3FileSystem, file: Path, tmp_path: Path
) -> None:
    lake = a_lake(LAKE)

    def named() -> list[str]:
        copy = tmp_path / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        bucket.invalidate_cache()
        bucket.get("lake/of contacts/", f"{copy}/", recursive=True)
        return traces(copy, ["Zoë 1"])

    lake.publish(file)
    assert len(named()) > 0
    lake.publish(publish_days(file, TWO, forgotten=[1]))
    assert named() == []
    assert bucket.exists("lake/of contacts/forgotten")
    assert_equal(lake, file)
    assert lake.publish(file).moved == 0


def publish_in_a_process(file: Path, barrier: object) -> None:
    s3fs.S3FileSystem.clear_instance_cache()
    barrier.wait()  # type: ignore[attr-defined]
    a_lake(LAKE).publish(file)


def test_of_publishers_at_once_none_doubles_what_another_one_wrote(bucket: s3fs.S3FileSystem, file: Path) -> None:
    processes = multiprocessing.get_context("spawn")
    for days in (TWO, [*TWO, ("tui", "2026-03-01", 1)]):
        publish_days(file, days)
        barrier = processes.Barrier(3)
        publishers = [processes.Process(target=publish_in_a_process, args=(file, barrier)) for _ in range(3)]
        for publisher in publishers:
            publisher.start()
        for publisher in publishers:
            publisher.join()
        assert [publisher.exitcode for publisher in publishers] == [0, 0, 0]
        assert_equal(a_lake(LAKE), file)
    assert delta_table(a_lake(LAKE), "marts.fct_events").version() == 1


def test_a_bucket_that_is_not_there_and_a_server_that_is_not_there_are_problems(
    bucket: s3fs.S3FileSystem, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Problem, match=r"The lake s3://no-such-bucket/lake cannot be reached or written"):
        a_lake("s3://no-such-bucket/lake").publish(file)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(Problem, match=r"Check the bucket, the network, and the credentials") as raised:
        a_lake(LAKE).publish(file)
    assert raised.value.is_transient
