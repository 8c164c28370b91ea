"""The pages on the sample, without a browser: generated requests, requests during a publication, and the API."""

import os
import re
import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import urlencode

import duckdb
import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from orchestration.lib.settings import PROJECT_ROOT
from page.access import Access
from page.app import application
from page.downloads import Downloads
from page.forms import field_of
from page.pages import Pages
from page.publication import Publication, TooSlow
from page.rendering import render_page
from page.visit import read_visit
from tests.harness import Pipeline
from tests.integration.page.serving import running

pytestmark = pytest.mark.slow

PATHS = (
    "/",
    "/report.html",
    "/logs/added",
    "/logs/merged",
    "/events/added",
    "/quality/rejected_records",
    "/files/rejected_records.csv",
)
PARAMETERS = (
    *("workspace", "date_range", "from", "to", "frequency", "channel", "user", "source", "contact", "contact_name"),
    *("compared_with", "lang", "theme", "page", "event", "q", "limit", "nothing"),
)
VALUES = st.one_of(
    st.sampled_from(
        ["aurora", "tui", "last_30_days", "today", "2026-11-01", "2026-11-20", "day", "week", "total", "user", "zapier"]
    ),
    st.sampled_from(["unknown", "953950029", "maria", "year", "fr", "dark", "2", "0", "-1", "", " ", "%00", "null"]),
    st.sampled_from(
        ["0000-00-00", "2026-02-30", "9999-12-31", "2000-01-01", "2100-12-31", "1e3", "9" * 25, "'", '"><b>']
    ),
    st.text(max_size=20),
)


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=60) as client:
        yield client


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    path=st.sampled_from(PATHS),
    pairs=st.lists(st.tuples(st.sampled_from(PARAMETERS), VALUES), max_size=6),
)
def test_whatever_is_asked_the_answer_is_a_page_or_says_what_is_wrong(
    client: httpx.Client, path: str, pairs: list[tuple[str, str]]
) -> None:
    answer = client.get(f"{path}?{urlencode(pairs, errors='replace')}")
    assert answer.status_code in (200, 303, 422), answer.text
    if answer.status_code == 422:
        assert "<strong>" in answer.text
    if answer.status_code == 303:
        # The short address means the same, so it is not shortened again.
        assert client.get(answer.headers["location"]).status_code == 200


def test_more_than_a_page_can_show_is_refused_with_what_is_possible(client: httpx.Client) -> None:
    ids = urlencode([("contact", number) for number in range(1, 800)])
    assert client.get(f"/?{ids}").status_code == 422
    answer = client.get("/?from=2000-01-01&to=2100-12-31&frequency=day")
    assert answer.status_code == 422
    assert "<code>total</code>" in answer.text and "<code>day</code>" not in answer.text
    assert client.get("/?from=2026-11-20&to=2026-11-01").status_code == 422


def test_twenty_people_look_while_it_is_published(sample: Pipeline, tmp_path: Path) -> None:
    published = tmp_path / "data" / "published" / "contact_reports.duckdb"
    published.parent.mkdir(parents=True)
    shutil.copyfile(sample.settings.published, published)
    is_over = threading.Event()

    def look(address: str, number: int) -> list[int]:
        statuses = []
        with httpx.Client(base_url=address, timeout=60) as person:
            while not is_over.is_set():
                days = ("today", "last_7_days", "last_30_days")[number % 3]
                statuses.append(person.get(f"/?workspace=lumiere&date_range={days}", follow_redirects=True).status_code)
        return statuses

    with running(tmp_path) as page, ThreadPoolExecutor(20) as people:
        looking = [people.submit(look, page.url, number) for number in range(20)]
        for number in range(3):
            time.sleep(2)
            copy = shutil.copyfile(sample.settings.published, published.with_name(f"new-{number}"))
            os.replace(copy, published)
        time.sleep(2)
        is_over.set()
        statuses = [status for one in looking for status in one.result()]
    assert len(statuses) >= 20
    assert set(statuses) == {200}


@pytest.mark.parametrize("query", ["workspace=lumiere&date_range=last_30_days", "workspace=aurora&source=user"])
def test_the_page_the_api_and_the_published_file_agree(client: httpx.Client, sample: Pipeline, query: str) -> None:
    page = client.get(f"/?{query}", follow_redirects=True).text
    compared = client.get(f"/api/v1/compared?{query}").json()
    asked = compared["parameters"]
    for row in compared["data"]:
        event_type = row["metric"].removeprefix("contacts_")
        component = "connected_metric" if event_type == "connected" else f"overview_{event_type}"
        shown = re.search(rf'id="{component}".*?class="big"><a[^>]*>([0-9,]+)<', page, re.DOTALL)
        assert shown and int(shown[1].replace(",", "")) == row["contacts"]
        sources = "" if not asked["source"] else f", sources := {asked['source']}"
        published = sample.query(
            f"select count(*) from reports.contacts_{event_type}_log_between("
            f"date '{asked['from']}', date '{asked['to']}', workspace_id := '{asked['workspace']}'{sources})"
        )
        assert published == [(row["contacts"],)]


@pytest.mark.parametrize("view", ["rejected_records", "load_balance", "superseded_events"])
def test_a_file_of_findings_has_all_rows_of_the_workspace(
    client: httpx.Client, sample: Pipeline, tmp_path: Path, view: str
) -> None:
    file = tmp_path / "rows.parquet"
    file.write_bytes(client.get(f"/files/{view}.parquet?workspace=bergwerk").content)
    with duckdb.connect(str(sample.settings.published), read_only=True) as connection:
        rows = f"from quality.{view} where workspace_id = 'bergwerk'"
        assert connection.execute(f"select count(*) from ({rows})").fetchone() != (0,) or view == "rejected_records"
        for one, other in ((rows, f"from '{file}'"), (f"from '{file}'", rows)):
            assert connection.execute(f"select count(*) from (({one}) except all ({other}))").fetchone() == (0,)


def test_the_script_of_the_documentation_reads_a_whole_log(address: str, sample: Pipeline) -> None:
    page = (PROJECT_ROOT / "docs" / "reports-api.md").read_text()
    (script,) = re.findall(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    script = script.replace("http://127.0.0.1:8000", address).replace("10_000", "500")
    names: dict[str, list[object]] = {}
    exec(script, names)
    (rows,) = sample.query(
        """
        select count(*) from reports.contacts_added_log as log
        inner join reports.date_ranges as ranges on
            log.workspace_id = ranges.workspace_id and log.report_date between ranges.start_date and ranges.end_date
        where log.workspace_id = 'aurora' and ranges.date_range = 'last_30_days'"""
    )
    assert (len(names["events"]),) == rows


MANY_VALUES = [("contact", number) for number in range(1, 495)] + [("user", number) for number in range(1, 480)]


@pytest.mark.parametrize("seconds", [0.05, 0.5, 2.0])
def test_a_page_ends_within_its_time_in_total(sample: Pipeline, tmp_path: Path, seconds: float) -> None:
    """With 400 periods and a thousand values of filters, which took 8 s when only queries were ended."""
    publication = Publication(sample.settings.published, tmp_path)
    downloads, published = Downloads(publication, tmp_path), sample.settings.published

    def app(seconds: float) -> ASGIApp:
        pages = Pages(publication, downloads, published, sample.settings.raw, seconds)
        return application(pages.routes(), publication, Access(hosts=None, password=None))

    # So that templates are compiled.
    assert TestClient(app(60)).get("/").status_code == 200
    client, last = TestClient(app(seconds)), date.today()
    for values in ([], [("channel", f"x{number}") for number in range(300)], MANY_VALUES):
        asked = [("from", last - timedelta(days=399)), ("to", last), ("frequency", "day"), *values]
        began = time.monotonic()
        answer = client.get(f"/?{urlencode(asked)}")
        assert time.monotonic() - began < seconds + 1
        assert answer.status_code in (200, 504)
        assert len(answer.content) < 3_000_000
        if seconds == 0.05:
            assert "Ask for fewer days, or for fewer values of a filter" in answer.text


def test_rendering_ends_when_the_time_is_over(sample: Pipeline, tmp_path: Path) -> None:
    publication = Publication(sample.settings.published, tmp_path)
    with publication.reading(60) as reader:
        visit = read_visit("/", [], reader)
        values = {"problems": [], "field_of": field_of, "has_form": True}
        assert "<form" in render_page("refused.html", visit, **values)
        reader.stop()
        with pytest.raises(TooSlow):
            render_page("refused.html", visit, **values)
        with pytest.raises(TooSlow):
            visit.view.log_address("added")
