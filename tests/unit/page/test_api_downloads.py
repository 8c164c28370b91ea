"""The reports API's files: what is in them, their names, and what stays behind."""

import io
import threading
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import duckdb
import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from orchestration.lib.export.files import FORMATS
from tests.unit.page.conftest import Site, SiteOf
from tests.unit.page.small_publication import Event, Small

JANUARY = "from=2026-01-01&to=2026-01-31"
LOG = f"/api/v1/logs/added.{{}}?{JANUARY}"
# Takes minutes, and can be interrupted.
ENDLESS = "select count(*) as n from range(10000000000) as a (i) where i % 7 = hash(i) % 9"


def read(content: bytes, folder: Path, function: str) -> list[tuple[Any, ...]]:
    """The rows of a file, as DuckDB reads them, the header among those of a CSV or XLSX file."""
    path = folder / "read"
    path.write_bytes(content)
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        return connection.execute(f"from {function.format(repr(str(path)))}").fetchall()


CSV = "read_csv({}, all_varchar = true, header = false, delim = ',', quote = '\"', escape = '\"')"


def cells(content: bytes) -> str:
    """The first sheet of an XLSX file as XML."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        return file.read("xl/worksheets/sheet1.xml").decode()


def test_a_csv_file_begins_with_a_byte_order_mark_and_a_header(site: Site) -> None:
    content = site.client.get(LOG.format("csv")).content
    assert content.startswith(b"\xef\xbb\xbfworkspace_id,occurred_at,occurred_at_local,")
    assert content.count(b"\n") == 2


GUARDED = ["=1+1", "+1", "-1", "@a", "\t=1", "\r=1"]
PLAIN = ["Ana", "a=1", " =1", "'=1", "", "1-1", 'é, "quoted"\nline']


def test_texts_that_look_like_formulas_are_guarded_in_csv_and_no_number_is(site_of: SiteOf, tmp_path: Path) -> None:
    names = GUARDED + PLAIN
    site = site_of(Small([Event(f"{number:02}", contact_name=name) for number, name in enumerate(names)]))
    rows = read(site.client.get(LOG.format("csv")).content, tmp_path, CSV)[1:]
    assert [row[5] or "" for row in rows] == [f"'{name}" for name in GUARDED] + PLAIN
    # Numbers and dates begin with `-` as they are.
    sql = "select -5 as n, -0.5::double as f, ['-a', 'b'] as l, date '2026-01-01' as d, null::varchar as t"
    answer = download(site, sql, "csv")
    assert answer.content.decode("utf-8-sig").splitlines() == ["n,f,l,d,t", '-5,-0.5,"\'-a, b",2026-01-01,']


def download(site: Site, sql: str, kind: str, name: str = "name") -> Any:
    """What a browser gets as the file of any query."""
    with TestClient(with_file(site, sql, kind, name)) as client:
        return client.get("/")


def with_file(site: Site, sql: str, kind: str, name: str = "name") -> Starlette:
    """An application that answers with the file of a query."""
    return Starlette(routes=[Route("/", lambda _: site.downloads.file(sql, {}, name, kind))])


def test_instants_are_utc_and_wall_clocks_have_no_zone(site_of: SiteOf, tmp_path: Path) -> None:
    at = datetime(2026, 1, 15, 12, 30, 1, 250_000, tzinfo=UTC)
    site = site_of(Small([Event("a", at)]))
    (row,) = read(site.client.get(LOG.format("csv")).content, tmp_path, CSV)[1:]
    assert row[1:4] == ("2026-01-15T12:30:01.25Z", "2026-01-15 12:30:01.25", "2026-01-15")
    (row,) = read(site.client.get(LOG.format("parquet")).content, tmp_path, "read_parquet({})")
    assert row[1] == at and row[2] == at.replace(tzinfo=None)
    sheet = cells(site.client.get(LOG.format("xlsx")).content)
    # A cell with a date and a time, twice.
    assert sheet.count("<v>46037.52084780093</v>") == 2


def test_a_spreadsheet_has_what_excel_can_read(site: Site) -> None:
    sql = (
        "select 'a' || chr(0) || chr(11) || chr(65535) || '<' as t, repeat('x', 40000) as long, ['a', 'b'] as l, "
        "'=1+1' as f, 999999999999999 as exact, 1234567890123456789 as id, null::bigint as none"
    )
    sheet = cells(download(site, sql, "xlsx").content)
    assert "<t>a\ufffd\ufffd\ufffd&lt;</t>" in sheet
    assert f">{'x' * 16_383}<" in sheet
    assert "<t>a, b</t>" in sheet
    assert 't="inlineStr"><is><t>=1+1</t>' in sheet and "<f>" not in sheet
    # Excel would round the second number.
    assert "<v>999999999999999</v>" in sheet and "<t>1234567890123456789</t>" in sheet


def test_more_rows_than_a_sheet_holds_are_several_files_in_one(site_of: SiteOf, tmp_path: Path) -> None:
    site = site_of(Small([Event("a")]), rows_of_a_sheet=3)
    answer = download(site, "select i from range(8) as numbers (i) order by i desc", "xlsx", "a/ü")
    assert answer.headers["content-type"] == "application/zip"
    assert 'filename="a_u.zip"' in answer.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.namelist() == ["a_ü_1.xlsx", "a_ü_2.xlsx", "a_ü_3.xlsx"]
        parts = [cells(archive.read(name)).count("<v>") for name in archive.namelist()]
        assert parts == [3, 3, 2]
        last = cells(archive.read("a_ü_3.xlsx"))
    assert last.index("<v>1</v>") < last.index("<v>0</v>") and "<t>i</t>" in last
    for rows, ending in ((3, "xlsx"), (0, "xlsx"), (4, "zip")):
        found = download(site, f"select i from range({rows}) as numbers (i)", "xlsx").headers["content-disposition"]
        assert found == f'attachment; filename="name.{ending}"'


@pytest.mark.parametrize(
    ("name", "disposition"),
    [
        ("log_acme_2026-01-01", 'attachment; filename="log_acme_2026-01-01.csv"'),
        (
            "log_Müller & Söhne",
            "attachment; filename=\"log_Muller_Sohne.csv\"; filename*=UTF-8''log_M%C3%BCller_S%C3%B6hne.csv",
        ),
        ("李", "attachment; filename=\"_.csv\"; filename*=UTF-8''%E6%9D%8E.csv"),
        ('../a"\r\nb;c', 'attachment; filename="_a_b_c.csv"'),
        ("", 'attachment; filename="_.csv"'),
        ("a" * 300, f'attachment; filename="{"a" * 60}.csv"'),
    ],
)
def test_the_name_of_a_file_is_safe(site: Site, name: str, disposition: str) -> None:
    assert download(site, "select 1 as n", "csv", name).headers["content-disposition"] == disposition


def test_a_file_is_named_by_its_report_workspace_and_days(site: Site) -> None:
    for address, name in {
        f"/api/v1/logs/added.csv?workspace=acme&{JANUARY}": "contacts_added_log_acme_2026-01-01_2026-01-31.csv",
        f"/api/v1/overview.xlsx?{JANUARY}": "contacts_overview_2026-01-01_2026-01-31.xlsx",
        "/api/v1/users.parquet?workspace=zoo": "users_zoo.parquet",
    }.items():
        assert site.client.get(address).headers["content-disposition"] == f'attachment; filename="{name}"'


def test_a_file_has_all_rows_newest_first_and_leaves_nothing_behind(site_of: SiteOf, tmp_path: Path) -> None:
    events = [Event(f"{number:03}", datetime(2026, 1, 1 + number % 30, tzinfo=UTC)) for number in range(150)]
    site = site_of(Small(events))
    expected = [event.event_id for event in sorted(events, key=lambda e: (-e.occurred_at.timestamp(), e.event_id))]
    for kind, function in (("csv", CSV), ("parquet", "read_parquet({})")):
        answer = site.client.get(LOG.format(kind))
        assert int(answer.headers["content-length"]) == len(answer.content)
        found = [row[10] for row in read(answer.content, tmp_path, function)]
        assert found[kind == "csv" :] == expected
    assert not list(site.exports.iterdir())


def in_the_background(call: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=call)
    thread.start()
    return thread


def test_a_file_is_not_made_for_a_client_that_is_gone(site: Site) -> None:
    started = time.monotonic()
    assert not replace(site, app=with_file(site, ENDLESS, "csv")).ask("/", leave_after=0.3)
    assert time.monotonic() - started < 20
    assert not list(site.exports.iterdir())
    # Its turn has ended.
    for _ in range(5):
        assert site.client.get("/api/v1/users.csv").status_code == 200


def test_a_client_that_leaves_does_not_wait_for_the_file_of_another(site: Site) -> None:
    site = replace(site, app=with_file(site, ENDLESS, "csv"))

    waited: list[float] = []

    async def asking() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(site.send, "/", "", 2.0)
            await anyio.sleep(0.5)
            started = time.monotonic()
            await site.send("/", "", 0.2)
            waited.append(time.monotonic() - started)

    anyio.run(asking)
    assert waited[0] < 1


def test_nothing_stays_of_a_file_that_a_client_did_not_read_to_its_end(site: Site) -> None:
    for kind in FORMATS:
        # It is sent the head, and leaves.
        sent = site.ask(f"/api/v1/logs/added.{kind}", JANUARY, leave_after=1)
        assert [message["type"] for message in sent] == ["http.response.start"]
        assert not list(site.exports.iterdir())


def test_a_file_that_takes_too_long_is_504_and_leaves_nothing_behind(site_of: SiteOf) -> None:
    site = site_of(Small([Event("a")]), make_seconds=0.3)
    answer = download(site, ENDLESS, "csv")
    assert answer.status_code == 504 and "takes too long" in answer.text
    assert not list(site.exports.iterdir())


def test_a_download_that_finds_no_turn_is_503_with_the_time_to_wait(site_of: SiteOf) -> None:
    site = site_of(Small([Event("a")]), at_once=1, make_seconds=5, wait_seconds=0.2)
    thread = in_the_background(lambda: download(site, ENDLESS, "csv"))
    try:
        deadline = time.monotonic() + 20
        while not list(site.exports.iterdir()):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        answer = site.client.get("/api/v1/users.csv")
        assert answer.status_code == 503 and answer.json()["error"]["message"]
        assert int(answer.headers["retry-after"]) > 0
        # Answers as JSON, and those without a body, need no turn.
        assert site.client.get("/api/v1/users").status_code == 200
        assert site.client.head("/api/v1/users.csv").status_code == 200
    finally:
        thread.join()
    assert site.client.get("/api/v1/users.csv").status_code == 200


def test_a_file_of_a_report_that_is_refused_is_422(site: Site) -> None:
    for kind in FORMATS:
        assert site.get(f"/api/v1/overview.{kind}", 422)["error"]["parameter"] == "workspace"


@pytest.mark.parametrize(
    ("name", "sheet"),
    [
        ("added_acme", "added_acme"),
        ("added_lumiere_2026-11-01_2026-11-30", "added_lumiere_2026-11-01"),
        ("x" * 40, "x" * 31),
        ("a/b[c]:'*?\\", "a_b_c______"),
        ("", "rows"),
    ],
)
def test_a_sheet_has_the_name_of_its_file_as_far_as_a_spreadsheet_allows(site: Site, name: str, sheet: str) -> None:
    answer = download(site, "select 1 as n", "xlsx", name)
    with zipfile.ZipFile(io.BytesIO(answer.content)) as file:
        assert f'<sheet name="{sheet}" ' in file.read("xl/workbook.xml").decode()
