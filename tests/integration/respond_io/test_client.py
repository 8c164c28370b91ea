"""The client against a stand-in that is served: paging, the rate, and every way in which an answer can fail."""

import contextlib
import itertools
import json
import socket
import time
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from orchestration.lib.problems import Problem
from orchestration.lib.respond_io.client import Client, Patience, Unreadable, read_page
from orchestration.sample import stand_in
from orchestration.sample.stand_in import CursorForm, Fault, StandIn, Workspace
from tests.integration.respond_io.conftest import TOKEN, Connect

BEGIN = datetime(2026, 11, 21, tzinfo=UTC)
END = BEGIN + timedelta(days=1)
CONTACTS = "/contact/list"


def contacts(count: int) -> list[dict[str, Any]]:
    return [{"id": n + 1, "firstName": f"Nº {n}", "created_at": int(BEGIN.timestamp()) + n} for n in range(count)]


def ids(client: Client) -> list[int]:
    return [item["id"] for page in client.contacts(BEGIN, END) for item in page]


@pytest.mark.parametrize("cursor_form", get_args(CursorForm))
@pytest.mark.parametrize("end", ["", None])
def test_every_page_is_fetched_whatever_the_cursor_looks_like(
    api: StandIn, workspace: Workspace, connect: Connect, cursor_form: CursorForm, end: str | None
) -> None:
    workspace.contacts += contacts(250)
    api.cursor_form, api.end = cursor_form, end
    client = connect()
    assert ids(client) == list(range(1, 251))
    assert [asked.query.get("cursorId") for asked in api.asked] == [None, "100", "200"]
    assert {asked.query["limit"] for asked in api.asked} == {"100"}
    assert client.requests == 3


def test_the_window_is_asked_for_in_utc_to_the_minute(api: StandIn, workspace: Workspace, connect: Connect) -> None:
    workspace.contacts += contacts(3)
    auckland = timezone(timedelta(hours=13))
    list(connect().contacts(BEGIN.astimezone(auckland), END.astimezone(auckland)))
    (asked,) = api.asked
    assert asked.body["timezone"] == "UTC"
    assert asked.body["filter"]["$and"][0]["value"] == {"from": "2026-11-21 00:00", "to": "2026-11-22 00:00"}


def test_an_address_is_never_followed(api: StandIn, workspace: Workspace, connect: Connect) -> None:
    workspace.contacts += contacts(2)
    api.faults[CONTACTS] = iter([stand_in.leading_to("http://192.0.2.1:9/steal?cursorId=1&limit=7")])
    assert ids(connect()) == [1, 2, 2]
    assert [asked.query["limit"] for asked in api.asked] == ["100", "100"]


SILENCE = stand_in.silent(1.5)
TRICKLE = stand_in.trickling(2, pieces=12)


def patience_with(fault: Fault) -> float:
    """Seconds for an answer: few only where one is late on purpose, for a busy machine is late by 0.3 s as well."""
    return 1 if fault in (SILENCE, TRICKLE) else 10


RECOVERABLE = {
    "429": stand_in.error(429, "Slow down"),
    "429 with a time to wait": stand_in.error(429, **{"Retry-After": "0.01"}),
    "429 with a date in the past": stand_in.error(429, **{"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}),
    "429 with nonsense": stand_in.error(429, **{"Retry-After": "soon"}),
    "429 with less than nothing": stand_in.error(429, **{"Retry-After": "-5"}),
    "449": stand_in.error(449, "Queued"),
    "408": stand_in.error(408),
    "500": stand_in.error(500),
    "502 with HTML": stand_in.html(502),
    "503 with a time to wait": stand_in.error(503, **{"Retry-After": "0"}),
    "200 with HTML": stand_in.html(),
    "truncated JSON": stand_in.truncated,
    "a torn connection": stand_in.torn,
    "silence": SILENCE,
    "an answer that trickles": TRICKLE,
    "an empty body": stand_in.body(b""),
    "a null": stand_in.body(b"null"),
    "no items": stand_in.body(b'{"pagination": {"next": null}}'),
    "no pagination": stand_in.body(b'{"items": []}'),
    "a next page without a cursor": stand_in.leading_to("https://api.respond.io/v2/contact/list?limit=100"),
    "a cursor of another type": stand_in.leading_to({"cursorId": 3}),
}


@pytest.mark.parametrize("fault", RECOVERABLE.values(), ids=RECOVERABLE)
def test_a_fault_that_passes_costs_nothing_but_time(
    api: StandIn, workspace: Workspace, connect: Connect, fault: Fault
) -> None:
    workspace.contacts += contacts(250)
    api.faults[CONTACTS] = iter([None, fault, fault])
    client = connect(for_an_answer=patience_with(fault))
    assert ids(client) == list(range(1, 251))
    assert Counter(asked.query.get("cursorId") for asked in api.asked) == {None: 1, "100": 3, "200": 1}
    assert client.waited > 0


GIVEN_UP = {
    "429": (stand_in.error(429, "Slow down"), 4, ["429 (Slow down)", "4 attempts", "CONTACT_REPORTS_API_RATE"]),
    "429 for a year": (stand_in.error(429, **{"Retry-After": "31536000"}), 1, ["429", "31,536,000 s"]),
    "429 until a far day": (
        stand_in.error(429, **{"Retry-After": "Fri, 31 Dec 9999 23:59:59 GMT"}),
        1,
        ["429", "too long"],
    ),
    "503 for an hour": (stand_in.error(503, **{"Retry-After": "3600"}), 1, ["503", "3,600 s"]),
    "449": (stand_in.error(449, "Queued"), 4, ["449 (Queued)", "Run again later"]),
    "500": (stand_in.error(500, "Out of order"), 4, ["500 (Out of order)", "Run again later"]),
    "400": (stand_in.error(400, "No such field"), 1, ["400 (No such field)"]),
    "401": (stand_in.error(401, "Who are you?"), 1, ["401 (Who are you?)", "CONTACT_REPORTS_API_TOKENS"]),
    "403": (stand_in.html(403), 1, ["403 (Oops You cannot be here)", "CONTACT_REPORTS_API_TOKENS"]),
    "404": (stand_in.error(404), 1, ["404", "CONTACT_REPORTS_API_URL"]),
    "a redirect": (stand_in.error(302, Location="http://192.0.2.1:9/"), 1, ["302"]),
    "HTML": (stand_in.html(), 4, ["200 with HTML instead of JSON (Oops", "Run again later"]),
    "truncated JSON": (stand_in.truncated, 4, ["200 with broken JSON (", " bytes)"]),
    "a torn connection": (stand_in.torn, 4, ["no answer (RemoteProtocolError"]),
    "silence": (SILENCE, 4, ["no answer (ReadTimeout"]),
    "a token that comes back": (stand_in.error(500, f"Who is {TOKEN}?"), 4, ["500 (Who is ***?)"]),
    "a token at the end": (stand_in.error(500, "x" * 235 + TOKEN), 4, ["xxx***"]),
}


@pytest.mark.parametrize(("fault", "attempts", "words"), GIVEN_UP.values(), ids=GIVEN_UP)
def test_a_fault_that_stays_is_given_up_with_workspace_endpoint_status_and_cure(
    api: StandIn, workspace: Workspace, connect: Connect, fault: Fault, attempts: int, words: list[str]
) -> None:
    workspace.contacts += contacts(250)
    api.faults[CONTACTS] = itertools.chain([None], itertools.repeat(fault))
    pages = connect(for_an_answer=patience_with(fault)).contacts(BEGIN, END)
    assert len(next(pages)) == 100
    with pytest.raises(Problem) as problem:
        next(pages)
    message = str(problem.value)
    for word in ["workspace 'acme'", "POST /contact/list", *words]:
        assert word in message, message
    assert TOKEN[:6] not in message
    assert "Nº" not in message, "contacts are nobody's business there"
    assert len(message) < 600
    assert len(api.asked) == 1 + attempts


def test_a_wrong_token_is_named_without_being_shown(connect: Connect) -> None:
    with pytest.raises(Problem, match="403.*CONTACT_REPORTS_API_TOKENS") as problem:
        ids(connect(token="tok-wrong"))
    assert "tok-wrong" not in str(problem.value)
    for impossible in ("tok-with\nnewline", "tök", "tok with space"):
        with pytest.raises(Problem, match="characters") as problem:
            connect(token=impossible)
        assert impossible not in str(problem.value)


def test_nobody_at_the_address_is_no_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/v2"
    with (
        Client("acme", SecretStr(TOKEN), url, rate=5, patience=Patience(attempts=1)) as client,
        pytest.raises(Problem, match="got no answer .*ConnectError"),
    ):
        ids(client)


@pytest.mark.parametrize("next_cursor", ["2", 2, "https://api.respond.io/contact/list?cursorId=2"])
def test_a_cursor_that_comes_again_ends_the_listing_with_an_error(
    api: StandIn, workspace: Workspace, connect: Connect, next_cursor: str | int
) -> None:
    workspace.contacts += contacts(5)
    api.faults[CONTACTS] = itertools.repeat(stand_in.leading_to(next_cursor))
    came = []
    with pytest.raises(Problem, match="leads back to cursor 2"):
        for page in connect().contacts(BEGIN, END):
            came += page
    assert {item["id"] for item in came} == {1, 2, 3, 4, 5}
    assert len(api.asked) == 2


def test_empty_pages_do_not_go_on_for_ever(api: StandIn, connect: Connect) -> None:
    api.faults[CONTACTS] = (stand_in.leading_to(number) for number in itertools.count())
    with pytest.raises(Problem, match="empty pages"):
        ids(connect())


def longest_run_within_a_second(api: StandIn) -> int:
    times = [asked.at for asked in api.asked]
    return max(sum(begin <= at < begin + 0.95 for at in times) for begin in times)


def test_the_rate_of_the_setting_is_kept(api: StandIn, workspace: Workspace, connect: Connect) -> None:
    workspace.contacts += contacts(1000)
    began = time.monotonic()
    assert len(ids(connect(rate=8))) == 1000
    assert time.monotonic() - began >= 9 / 8 - 0.05
    assert longest_run_within_a_second(api) <= 8


def test_a_lower_limit_in_the_headers_wins_and_nothing_is_refused(
    api: StandIn, workspace: Workspace, connect: Connect
) -> None:
    workspace.contacts += contacts(1000)
    api.rate_limit = 8
    assert len(ids(connect(rate=1e6))) == 1000
    # One answer may have been on its way when the window slid.
    assert sum(asked.status == 429 for asked in api.asked) <= 1


def test_a_limit_that_others_have_used_up_is_waited_for(api: StandIn, workspace: Workspace, connect: Connect) -> None:
    workspace.contacts += contacts(5)
    api.rate_limit = 4
    clients = [connect(rate=1e6) for _ in range(3)]
    for client in clients * 2:
        assert len(ids(client)) == 5
    assert {asked.status for asked in api.asked} == {200, 429}


@pytest.fixture
def client(connect: Connect) -> Client:
    return connect()


pages = st.fixed_dictionaries(
    {
        "items": st.lists(st.none() | st.integers() | st.text() | st.dictionaries(st.text(), st.integers())),
        "pagination": st.fixed_dictionaries(
            {"next": st.none() | st.booleans() | st.integers() | st.text() | st.floats() | st.just("/?cursorId=5")}
        ),
    }
)
answers = st.binary() | st.text().map(str.encode) | pages.map(lambda page: json.dumps(page).encode())


@given(st.lists(answers, max_size=6))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_answered_ends_well_or_in_a_problem_and_gives_all_that_came(
    api: StandIn, client: Client, bodies: list[bytes]
) -> None:
    api.asked.clear()
    api.faults[CONTACTS] = iter([stand_in.body(body) for body in bodies])
    came: list[Any] = []
    try:
        for items in client.contacts(BEGIN, END):
            came += items
    except Problem as problem:
        assert "workspace 'acme'" in str(problem)
    expected = []
    for body in bodies[: sum(asked.status == 200 for asked in api.asked)]:
        with contextlib.suppress(Unreadable):
            expected += read_page(body).items
    assert repr(came[: len(expected)]) == repr(expected)


def test_numbers_of_any_length_and_unknown_fields_are_kept() -> None:
    page = read_page(
        b'{"items": [{"id": 123456789012345678901234567890, "new": {"a": [1.5, null]}}], "pagination": {}}'
    )
    assert page.items == [{"id": 123456789012345678901234567890, "new": {"a": [1.5, None]}}]
    assert page.cursor is None
