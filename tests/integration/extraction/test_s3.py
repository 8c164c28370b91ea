"""A landing folder in S3 brings what a folder brings, from a server that speaks S3 and over the network."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import s3fs
from moto.server import ThreadedMotoServer

from orchestration.lib.landing.listing import Landing
from orchestration.lib.problems import Problem
from tests.integration.extraction.place import Place, Row

BUCKET = "landing-zone"
URL = f"s3://{BUCKET}/contacts"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[s3fs.S3FileSystem]:
    """An empty bucket, with the variables by which an operator says where it is."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", server)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    s3fs.S3FileSystem.clear_instance_cache()
    files = s3fs.S3FileSystem()
    files.mkdir(BUCKET)
    yield files
    files.rm(BUCKET, recursive=True)
    s3fs.S3FileSystem.clear_instance_cache()


def event(number: int, **fields: Any) -> str:
    known = {"event_id": f"{number}", "event_type": "added", "occurred_at": "2026-03-01T12:00Z", "contact_id": number}
    return json.dumps(known | fields) + "\n"


def land_one_of_each(place: Place) -> None:
    place.land("1/events/lines.jsonl", event(1) + "no JSON\n" + event(2, contact_name="Zoë"))
    place.land("1/events/lines.jsonl.gz", gzip.compress((event(3) + event(4)).encode()))
    place.land("2/events/table.csv", "event_id,event_type,occurred_at,contact_id\n5,added,2026-03-01T12:00Z,5\n")
    place.land_parquet("2/events/rows [1].parquet", "select 6 as event_id, 'added' as event_type, 6 as contact_id")
    place.land('2/events/it\'s "one" of & those?.jsonl', event(7))
    place.land("1/users/users.csv", "user_id,user_name,deleted_at\n7,Ann,\n")
    place.land("1/events/cut.jsonl.gz", gzip.compress(event(8).encode() * 100)[:-20])
    place.land("1/events/growing.jsonl.tmp", event(9))


def upload(bucket: s3fs.S3FileSystem, place: Place) -> None:
    for file in sorted(place.landing.rglob("*")):
        if file.is_file():
            bucket.pipe_file(f"{BUCKET}/contacts/{file.relative_to(place.landing).as_posix()}", file.read_bytes())


def everything(place: Place) -> dict[str, list[Row]]:
    tables = ("files", "events", "users", "workspaces")
    return {
        table: [{k: v for k, v in row.items() if k != "loaded_at"} for row in place.read(table)] for table in tables
    }


def test_the_same_files_in_s3_and_in_a_folder_are_loaded_alike(
    tmp_path: Path, place: Place, bucket: s3fs.S3FileSystem
) -> None:
    land_one_of_each(place)
    upload(bucket, place)
    in_s3 = Place(tmp_path, "raw_of_s3")
    in_s3.cache = tmp_path / "state_of_s3" / "checksums.json"
    from_s3, from_folder = in_s3.extract(Landing(URL)), place.extract()
    assert (from_s3.files, from_s3.records) == (from_folder.files, from_folder.records)
    assert from_s3.records >= 7
    assert from_s3.warnings == from_folder.warnings
    assert len(from_s3.warnings) == 1 and "cut.jsonl.gz" in from_s3.warnings[0]
    assert everything(in_s3) == everything(place)


def test_in_s3_nothing_is_loaded_twice_and_what_changed_is_loaded_again(
    place: Place, bucket: s3fs.S3FileSystem
) -> None:
    place.land("1/events/a.jsonl", event(1))
    upload(bucket, place)
    place.extract(Landing(URL))
    assert place.extract(Landing(URL)).files == 0
    bucket.pipe_file(f"{BUCKET}/contacts/1/events/a.jsonl", (event(1) + event(2)).encode())
    bucket.pipe_file(f"{BUCKET}/contacts/1/events/b.jsonl", event(1).encode())
    again = place.extract(Landing(URL))
    assert again.files == 1, "b has the bytes that a brought"
    assert [row["source_line"] for row in place.events()] == [1, 1, 2]


def test_a_marker_of_a_folder_is_no_file(place: Place, bucket: s3fs.S3FileSystem) -> None:
    place.land("1/events/a.jsonl", event(1))
    upload(bucket, place)
    for marker in ("contacts/", "contacts/1/", "contacts/1/events/", "contacts/2/"):
        bucket.pipe_file(f"{BUCKET}/{marker}", b"")
    extraction = place.extract(Landing(URL))
    assert extraction.warnings == []
    assert extraction.records == len(place.events()) + len(place.read("workspaces"))


def test_a_bucket_that_does_not_exist_is_a_problem_that_says_so(bucket: s3fs.S3FileSystem) -> None:
    with pytest.raises(Problem, match=r"The landing folder s3://no-such-bucket/contacts does not exist"):
        Landing("s3://no-such-bucket/contacts").list()
