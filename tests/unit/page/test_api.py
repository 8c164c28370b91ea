"""The reports API on a small publication: answers, parameters, pages of a log, errors, documents."""

import base64
import json
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote

import pytest

from page.answers import STATUSES
from page.endpoints import ENDPOINTS
from tests.unit.page.conftest import Site, SiteOf
from tests.unit.page.small_publication import Event, Small

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
JANUARY = "from=2026-01-01&to=2026-01-31"


def read_log(site: Site, address: str, limit: int) -> list[list[str]]:
    """The event ids of a log, page by page."""
    pages, after = [], ""
    while True:
        answer = site.get(f"{address}&limit={limit}{after}")
        pages.append([row["event_id"] for row in answer["data"]])
        if answer["next"] is None:
            return pages
        after = f"&after={answer['next']}"


def test_an_answer_has_rows_parameters_time_of_loading_and_no_next(site_of: SiteOf) -> None:
    site = site_of(Small([Event("a", NOON + timedelta(microseconds=5))]))
    answer = site.get("/api/v1/logs/added?workspace=acme&contact=7&contact=7&frequency=week&lang=fr&theme=dark")
    assert answer == {
        "data": [
            {
                "workspace_id": "acme",
                "occurred_at": "2026-01-15T12:00:00.000005Z",
                "occurred_at_local": "2026-01-15T12:00:00.000005",
                "report_date": "2026-01-15",
                "contact_id": 7,
                "contact_name": "Ana",
                "source": "user",
                "source_label": "User",
                "user_id": "1",
                "user_name": "Sam",
                "event_id": "a",
                "route": "events",
            }
        ],
        "parameters": {
            "workspace": "acme",
            "date_range": "last_7_days",
            "from": "2026-01-01",
            "to": "2026-01-31",
            "user": [],
            "source": [],
            "contact": [7],
            "contact_name": None,
            "limit": 100,
        },
        "as_of": "2026-01-28T12:00:00Z",
        "next": None,
    }
    assert list(answer["data"][0])[:3] == ["workspace_id", "occurred_at", "occurred_at_local"]


def test_without_a_workspace_all_are_taken_together(site_of: SiteOf) -> None:
    site = site_of(Small([Event("a"), Event("b", workspace_id="zoo")]))
    answer = site.get(f"/api/v1/overview?{JANUARY}")
    assert [row["contacts_added"] for row in answer["data"]] == [2]
    assert answer["parameters"]["workspace"] is None and answer["parameters"]["date_range"] is None


def test_a_number_that_is_none_is_null(site: Site) -> None:
    assert site.get(f"/api/v1/compared?{JANUARY}")["data"][0]["percent"] is None
    # NaN in the small publication.
    assert [row["percentage"] for row in site.get(f"/api/v1/connected-by-channel?{JANUARY}")["data"]] == [None]


def test_every_endpoint_answers_and_a_list_can_be_of_one_workspace(site: Site) -> None:
    for endpoint in ENDPOINTS:
        query = f"?{JANUARY}" if "_between" in endpoint.relation else ""
        assert isinstance(site.get(endpoint.address + query)["data"], list)
    assert {row["workspace_id"] for row in site.get("/api/v1/date-ranges?workspace=zoo")["data"]} == {"zoo"}
    assert site.get("/api/v1/users?workspace=zoo")["data"] == []
    assert site.get("/api/v1/users?workspace=acme")["data"][0]["user_name"] == "Sam"


# Events at one instant, in two workspaces, with ids that begin alike and are longer than a cursor may be.
MANY = [
    *(Event(f"{number:02}", NOON + timedelta(seconds=number // 3)) for number in range(20)),
    *(Event(f"{number:02}", NOON + timedelta(seconds=number // 3), "zoo") for number in range(20)),
    *(Event("x" * 20_000 + str(number), NOON) for number in range(4)),
    Event('"\\é\x01李', NOON),
]


@pytest.mark.parametrize("limit", [1, 2, 7, 44, 45, 100])
def test_a_log_read_page_by_page_is_the_log_newest_first(site_of: SiteOf, limit: int) -> None:
    site = site_of(Small(MANY))
    pages = read_log(site, f"/api/v1/logs/added?{JANUARY}", limit)
    found = [event for page in pages for event in page]
    assert sorted(found) == sorted(event.event_id for event in MANY)
    assert found[:4] == ["18", "19", "18", "19"]
    assert all(len(page) == limit for page in pages[:-1]) and 0 < len(pages[-1]) <= limit


def test_a_publication_between_two_pages_loses_and_repeats_nothing_that_stands(site_of: SiteOf) -> None:
    site = site_of(Small(MANY))
    first = site.get(f"/api/v1/logs/added?{JANUARY}&limit=9")
    last_seen = first["data"][-1]
    # The last row that was seen no longer stands; newer ones, and some at the same instant, are new.
    kept = [event for event in MANY if (event.event_id, event.workspace_id) != (last_seen["event_id"], "acme")]
    new = [Event("new", NOON + timedelta(days=1)), Event("0-new", NOON), Event("old", NOON - timedelta(days=1))]
    Small([*kept, *new]).publish(site.published)
    site.wait_for_publication(lambda: len(site.get(f"/api/v1/logs/added?{JANUARY}&contact=7&limit=1000")["data"]))
    after, found = first["next"], []
    while after:
        answer = site.get(f"/api/v1/logs/added?{JANUARY}&limit=9&after={after}")
        found += answer["data"]
        after = answer["next"]
    seen = [(row["workspace_id"], row["event_id"]) for row in first["data"] + found]
    assert len(set(seen)) == len(seen)
    assert {(event.workspace_id, event.event_id) for event in kept} <= set(seen)
    assert ("acme", "old") in seen and ("acme", "0-new") in seen and ("acme", "new") not in seen


def test_a_date_range_keeps_its_days_while_a_log_is_read_page_by_page(site_of: SiteOf) -> None:
    small = Small([Event("a", NOON), Event("b", NOON - timedelta(days=13))])
    site = site_of(small)
    first = site.get("/api/v1/logs/added?workspace=acme&limit=1")
    small.date_range = ("2026-01-03", "2026-02-01")
    small.publish(site.published)
    site.wait_for_publication(lambda: site.get("/api/v1/date-ranges?workspace=acme")["data"][0]["start_date"])
    second = site.get(f"/api/v1/logs/added?workspace=acme&limit=1&after={first['next']}")
    assert [row["event_id"] for row in second["data"]] == ["b"]
    assert (second["parameters"]["from"], second["parameters"]["to"]) == ("2026-01-01", "2026-01-31")


def cursor(*parts: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


INSTANT = "2026-01-15T12:00:00Z"
CURSORS = [
    "x",
    "%2500",
    "=",
    "é",
    "a" * 9000,
    cursor(),
    cursor("logs/added", "2026-01-01", "2026-01-31", INSTANT, "acme", "a"),
    cursor("logs/added", "2026-01-01", "2026-01-31", INSTANT, "acme", "a", None),
    cursor("logs/added", "2026-01-01", "2026-01-31", INSTANT, "acme", "\ud800", ""),
    cursor("logs/added", "2026-01-31", "2026-01-01", INSTANT, "acme", "a", ""),
    cursor("logs/added", "0001-01-01", "9999-12-31", INSTANT, "acme", "a", ""),
    cursor("logs/added", "2026-01-01", "2026-01-31", "0001-01-01T00:00:00+14:00", "acme", "a", ""),
    cursor("logs/added", "2026-01-01", "2026-01-31", "2026-01-15T12:00:00", "acme", "a", ""),
    cursor("logs/deleted", "2026-01-01", "2026-01-31", INSTANT, "acme", "a", ""),
    base64.urlsafe_b64encode(b"[" * 5000).decode(),
    base64.urlsafe_b64encode(b"\xff\xfe").decode(),
]

REFUSED = [
    ("/api/v1/overview", "workspace", ["acme", "zoo"]),
    ("/api/v1/overview?date_range=today", "workspace", ["acme", "zoo"]),
    ("/api/v1/overview?workspace=nobody&date_range=today", "workspace", ["acme", "zoo"]),
    ("/api/v1/overview?workspace=acme&workspace=zoo", "workspace", None),
    (f"/api/v1/overview?{JANUARY}&date_range=today", "date_range", None),
    (f"/api/v1/overview?{JANUARY}&frequency=hour", "frequency", ["day", "week", "month", "total"]),
    (f"/api/v1/overview?{JANUARY}&limit=5", "limit", ...),
    (f"/api/v1/overview?{JANUARY}&channel=1", "channel", None),
    (f"/api/v1/overview?{JANUARY}&%ED%A0%80=1", "\ufffd\ufffd\ufffd", ...),
    (f"/api/v1/overview?{JANUARY}&%00=1", "\0", ...),
    (f"/api/v1/overview?{JANUARY}&user=%00", "user", None),
    (f"/api/v1/overview?{JANUARY}&source=%ED%A0%80", "source", ...),
    (f"/api/v1/overview?{JANUARY}&contact=x", "contact", None),
    (f"/api/v1/overview?{JANUARY}&contact={2**63}", "contact", None),
    (f"/api/v1/overview?{JANUARY}&" + "&".join(f"contact={number}" for number in range(1, 600)), "contact", None),
    ("/api/v1/overview?from=2026-01-31&to=2026-01-01", "from", None),
    ("/api/v1/overview?from=2026-01-31", "to", None),
    ("/api/v1/overview?from=0000-01-01&to=9999-12-31", "from", None),
    ("/api/v1/overview?from=2026-01-01&to=9999-12-31", "to", None),
    ("/api/v1/overview?from=2026-02-30&to=2026-03-01", "from", None),
    (f"/api/v1/logs/added?{JANUARY}&limit=0", "limit", None),
    (f"/api/v1/logs/added?{JANUARY}&limit=10001", "limit", None),
    (f"/api/v1/logs/added?{JANUARY}&limit=1&limit=2", "limit", None),
    (f"/api/v1/logs/added.csv?{JANUARY}&limit=5", "limit", ...),
    ("/api/v1/workspaces.csv?theme=dark", "theme", ...),
    ("/api/v1/sources?workspace=acme", "workspace", ...),
    *((f"/api/v1/logs/added?{JANUARY}&after={quote(value, safe='%')}", "after", None) for value in CURSORS),
]


@pytest.mark.parametrize(("address", "parameter", "allowed"), REFUSED, ids=range(len(REFUSED)))
def test_what_cannot_be_understood_is_refused_by_name(site: Site, address: str, parameter: str, allowed: Any) -> None:
    error = site.get(address, 422)["error"]
    assert list(error) == ["parameter", "message", "allowed"]
    assert error["parameter"] == parameter and error["message"]
    assert allowed is ... or error["allowed"] == allowed


def test_a_filter_that_a_report_does_not_have_is_refused_with_the_reason_in_the_language(site: Site) -> None:
    for language, reason in (("en", "Only connected contacts have a channel"), ("fr", "Seuls les contacts connectés")):
        error = site.get(f"/api/v1/logs/added?{JANUARY}&channel=1&lang={language}", 422)["error"]
        assert error["parameter"] == "channel" and reason in error["message"]
    assert site.get(f"/api/v1/logs/connected?{JANUARY}&channel=1&channel=unknown")["parameters"]["channel"] == [
        "1",
        "unknown",
    ]


def test_nothing_published_is_503_everywhere(site_of: SiteOf) -> None:
    site = site_of(None)
    for address in ("/api/v1/overview?workspace=acme", "/api/v1/users", "/api/v1/users.csv", "/openapi.json"):
        assert site.get(address, 503)["error"]["parameter"] is None


@pytest.mark.parametrize(
    "path", ["/api", "/api/", "/api/v1", "/api/v1/nothing", "/api/v1/overview/", "/api/v1/users.ods"]
)
def test_an_unknown_path_is_404_in_the_same_form(site: Site, path: str) -> None:
    assert site.get(path, 404)["error"]["message"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "FOO"])
def test_another_method_is_405_in_the_same_form(site: Site, method: str) -> None:
    for path in ("/api/v1/overview", "/api/v1/logs/added.csv"):
        answer = site.client.request(method, path)
        assert answer.status_code == 405 and answer.json()["error"]["parameter"] is None
        assert answer.headers["allow"] == "GET, HEAD"


def test_head_answers_as_get_does_without_the_body(site: Site) -> None:
    for address in (f"/api/v1/overview?{JANUARY}", "/api/v1/users", "/docs", "/openapi.json"):
        got, head = site.client.get(address), site.client.head(address)
        assert head.status_code == 200 and not head.content
        assert dict(head.headers) == dict(got.headers)
    assert site.client.head("/api/v1/overview").status_code == 422
    head = site.client.head("/api/v1/users.csv")
    assert head.status_code == 200 and "users.csv" in head.headers["content-disposition"]
    assert "content-length" not in head.headers


def test_an_answer_that_takes_too_long_is_504(site_of: SiteOf) -> None:
    site = site_of(Small([Event("a")]), seconds=0)
    assert site.get("/api/v1/users", 504)["error"]["parameter"] is None


def test_the_document_has_every_endpoint_with_the_columns_and_the_values_that_are_allowed(site: Site) -> None:
    document = site.get("/openapi.json")
    assert document["openapi"] == "3.1.0"
    assert set(document["paths"]) == {
        f"{endpoint.address}{ending}" for endpoint in ENDPOINTS for ending in ("", ".csv", ".xlsx", ".parquet")
    }
    row = site.get(f"/api/v1/logs/added?{JANUARY}")["data"][0]
    schema = document["components"]["schemas"]["logs-added"]
    assert list(schema["properties"]) == list(row) == schema["required"]
    parameters = {
        parameter["name"]: parameter for parameter in document["paths"]["/api/v1/overview"]["get"]["parameters"]
    }
    assert parameters["workspace"]["schema"]["enum"] == ["acme", "zoo"]
    assert parameters["source"]["schema"]["items"]["enum"][0] == "user"
    assert "channel" not in parameters and "limit" not in parameters
    assert all(parameter["description"] for parameter in parameters.values())
    assert set(document["components"]["responses"]) == {str(status) for status in STATUSES}


class _Page(HTMLParser):
    """What a page refers to, and what a policy of no scripts would break."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.forbidden: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        self.forbidden += [tag] if tag in ("script", "style", "iframe") else []
        self.forbidden += [name for name, _ in attrs if name == "style" or name.startswith("on")]


def test_the_page_of_documentation_loads_nothing_from_elsewhere_and_its_examples_answer(site_of: SiteOf) -> None:
    site = site_of(Small([Event("a")], workspaces=[("a&b <i>", "Odd")]))
    answer = site.client.get("/docs")
    page = _Page()
    page.feed(answer.text)
    assert not page.forbidden and "<i>" not in answer.text
    examples = [link for link in page.links if link.startswith("/api/")]
    assert len(examples) == 4 * len(ENDPOINTS)
    for link in examples:
        assert site.client.get(link).status_code == 200, link
    others = {link.partition("?")[0] for link in page.links if not link.startswith(("/api/", "#"))}
    assert others == {"/", "/openapi.json", "/static/api_docs.css", "/static/icon.svg", "/static/page.css"}
