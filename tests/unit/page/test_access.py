"""Who is answered by the report page: names, password, lengths, methods."""

import asyncio
import base64
import logging
import time
from pathlib import Path

import h11
import httpx
import pytest

from orchestration.lib.problems import Problem
from orchestration.lib.secrets import read_page_password, without_secrets
from orchestration.lib.serving.connections import HEAD_BYTES
from page.access import HEADERS, LOCAL_NAMES, Turns, answer_to_long_head, required_hosts
from tests.unit.page.in_process import (
    PASSWORD,
    Client,
    access_with,
    app_of,
    basic,
)

# Names


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1", "127.0.0.1:8000", "[::1]", "[::1]:8000"])
def test_without_a_password_the_page_answers_under_the_names_of_this_machine(local: Client, host: str) -> None:
    assert local.get("/", headers={"Host": host}).text == "the page"


@pytest.mark.parametrize(
    "host",
    [
        *(
            "attacker.example",
            "127.0.0.1.attacker.example",
            "localhost.attacker.example:8000",
            "attacker.example:80:80",
        ),
        *("localhost:", "localhost:x", "user@localhost", "127.0.0.2", "::1", "[::1", "localhost, attacker.example", ""),
    ],
)
@pytest.mark.parametrize("path", ["/", "/health", "/api/v1/status", "/static/page.css"])
def test_without_a_password_any_other_name_is_refused_with_the_names_that_are_not(
    local: Client, host: str, path: str
) -> None:
    answer = local.get(path, headers={"Host": host})
    assert answer.status_code == 421
    assert "127.0.0.1, [::1], localhost" in answer.text


def test_with_a_password_any_name_is_answered(guarded: Client) -> None:
    headers = {"Host": "contact-reports.example.com", "Authorization": basic(PASSWORD)}
    assert guarded.get("/", headers=headers).text == "the page"


@pytest.mark.parametrize(
    ("address", "names"), [("127.0.0.1", LOCAL_NAMES), ("::1", LOCAL_NAMES), ("127.0.0.2", LOCAL_NAMES | {"127.0.0.2"})]
)
def test_on_this_machine_only_no_password_is_needed(address: str, names: frozenset[str]) -> None:
    assert required_hosts(address, has_password=False) == names
    assert required_hosts(address, has_password=True) is None


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.168.1.2", "2001:db8::1", "fe80::1%eth0", "::ffff:127.0.0.1"])
def test_where_others_reach_it_a_password_is_needed(address: str) -> None:
    with pytest.raises(Problem, match="CONTACT_REPORTS_PAGE_PASSWORD"):
        required_hosts(address, has_password=False)
    assert required_hosts(address, has_password=True) is None


@pytest.mark.parametrize(
    ("site", "mode", "destination", "status"),
    [
        ("cross-site", "no-cors", "image", 403),
        ("cross-site", "cors", "empty", 403),
        ("cross-site", "navigate", "iframe", 403),
        ("same-site", "no-cors", "style", 403),
        ("cross-site", "navigate", "document", 200),
        ("same-origin", "no-cors", "style", 200),
        ("none", "navigate", "document", 200),
    ],
)
def test_another_website_may_link_to_the_page_and_have_nothing_of_it(
    local: Client, site: str, mode: str, destination: str, status: int
) -> None:
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": destination}
    assert local.get("/", headers=headers).status_code == status


# The password


@pytest.mark.parametrize(
    "credentials",
    [
        basic(PASSWORD),
        basic(PASSWORD, user=""),
        basic(PASSWORD).replace("Basic", "bAsIc"),
        f"Bearer {PASSWORD}",
        f"bearer {PASSWORD}",
    ],
)
def test_with_the_password_everything_is_answered(guarded: Client, credentials: str) -> None:
    assert guarded.get("/", headers={"Authorization": credentials}).text == "the page"


@pytest.mark.parametrize(
    "credentials",
    [
        *(basic(""), basic(PASSWORD[:-1]), basic(f"{PASSWORD} "), basic(PASSWORD.upper()), basic("x", user=PASSWORD)),
        *(basic(b"\xff\xfe"), basic("\0"), "Basic", "Basic ", "Basic !!!!", "Basic YQ", "Bearer", "Bearer ", PASSWORD),
        *(f"Bearer {PASSWORD}x", f"Digest {PASSWORD}", f"Basic {PASSWORD}", ""),
        f"Basic {base64.b64encode(PASSWORD.encode()).decode()}",
    ],
)
def test_without_the_password_nothing_is_answered(guarded: Client, credentials: str) -> None:
    for path in ("/", "/nothing", "/api/v1/status", "/static/page.css", "/health/", "//health", "/RuntimeError"):
        answer = guarded.get(path, headers={"Authorization": credentials})
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == 'Basic realm="contact-reports", charset="UTF-8"'
        assert "The password is wrong" in answer.text
        assert PASSWORD not in answer.text


def test_without_any_password_a_browser_is_told_to_ask_for_one(guarded: Client) -> None:
    answer = guarded.get("/")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    assert "A password is needed" in answer.text


def test_two_passwords_are_none(guarded: Client) -> None:
    headers = [("Authorization", basic("wrong")), ("Authorization", basic(PASSWORD))]
    assert guarded.get("/", headers=headers).status_code == 401


@pytest.mark.parametrize(
    "password", ["pässwörd-größe-ß", "密码密码密码密码密码密码", "with:colons:in:it:", "  spaces around  "]
)
def test_a_password_may_have_any_characters(tmp_path: Path, password: str) -> None:
    with Client(app_of(tmp_path, access_with(password))) as client:
        assert client.get("/", headers={"Authorization": basic(password)}).status_code == 200
        assert client.get("/", headers={"Authorization": basic(password[:-1])}).status_code == 401
        bearer = b"Bearer " + password.encode()
        if password == password.strip():
            assert client.get("/", headers={b"Authorization": bearer}).status_code == 200


def test_health_needs_no_password_and_says_only_how_old_the_data_is(guarded: Client) -> None:
    for headers in ({}, {"Authorization": basic("wrong")}):
        answer = guarded.get("/health", headers=headers)
        assert answer.status_code == 200
        assert answer.json() == {"ok": True, "as_of": "2026-01-01T10:00:00Z"}


def test_wrong_passwords_wait_their_turn_and_nobody_else_does(tmp_path: Path) -> None:
    app = app_of(tmp_path, access_with(turns=Turns(seconds=0.5, waiting=5)))

    async def flood() -> tuple[list[tuple[int, float]], list[tuple[int, float]]]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:

            async def ask(credentials: str) -> tuple[int, float]:
                began = time.monotonic()
                answer = await client.get("/", headers={"Authorization": credentials})
                if answer.status_code == 429:
                    assert answer.headers["Retry-After"] == "10"
                return answer.status_code, time.monotonic() - began

            attackers = [asyncio.create_task(ask(basic(f"wrong {number}"))) for number in range(100)]
            await asyncio.sleep(0)
            honest = [await ask(basic(PASSWORD)) for _ in range(20)]
            return [await attacker for attacker in attackers], honest

    failed, honest = asyncio.run(flood())
    answered = [seconds for status, seconds in failed if status == 401]
    assert 6 <= len(answered) <= 12
    assert max(answered) > 2
    assert {status for status, _ in failed} == {401, 429}
    assert {status for status, _ in honest} == {200}
    assert sorted(seconds for _, seconds in honest)[10] < 0.25


@pytest.mark.parametrize("value", ["", " ", "short", "elevenchars", "  elevenchars  ", "x" * 11])
def test_an_empty_or_short_password_is_refused_and_not_shown(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("CONTACT_REPORTS_PAGE_PASSWORD", value)
    with pytest.raises(Problem, match="CONTACT_REPORTS_PAGE_PASSWORD") as refused:
        read_page_password()
    assert not value.strip() or value not in str(refused.value)


def test_a_long_password_is_taken_and_no_child_process_gets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONTACT_REPORTS_PAGE_PASSWORD", raising=False)
    assert read_page_password() is None
    monkeypatch.setenv("CONTACT_REPORTS_PAGE_PASSWORD", "twelve-chärs")
    assert read_page_password() == "twelve-chärs".encode()
    assert "CONTACT_REPORTS_PAGE_PASSWORD" not in without_secrets()


# Lengths and methods


@pytest.mark.parametrize(
    ("beginning", "status"),
    [
        (b"GET /?" + b"x" * HEAD_BYTES, 414),
        (b"GET /api/v1/status?" + b"x" * HEAD_BYTES, 414),
        (b"GET /x HTTP/1.1\r\nX: " + b"x" * HEAD_BYTES, 431),
        (b"HEAD /x HTTP/1.1\r\nX: " + b"x" * HEAD_BYTES, 431),
        (b"\xff" * HEAD_BYTES, 414),
        (b"\x1b[2J\n" * HEAD_BYTES, 414),
    ],
)
def test_the_answer_to_a_head_that_is_too_long_is_whole(
    beginning: bytes, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    client = h11.Connection(h11.CLIENT)
    method = "HEAD" if beginning.startswith(b"HEAD") else "GET"
    client.send(h11.Request(method=method, target="/", headers=[("Host", "x")]))
    client.send(h11.EndOfMessage())
    client.receive_data(answer_to_long_head(beginning[:HEAD_BYTES]))
    head = client.next_event()
    assert isinstance(head, h11.Response)
    assert head.status_code == status
    assert {name.lower().encode(): value.encode() for name, value in HEADERS.items()}.items() <= dict(
        head.headers
    ).items()
    body = b""
    while isinstance(event := client.next_event(), h11.Data):
        body += event.data
    assert isinstance(event, h11.EndOfMessage)
    assert body.lstrip().startswith(
        b'{"error"' if b"/api" in beginning else b"" if b"HEAD" in beginning else b"<!doctype html>"
    )
    (line,) = caplog.messages
    assert line.isprintable() and str(status) in line and len(line) < 300


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"])
def test_nothing_but_get_and_head_is_possible(guarded: Client, method: str) -> None:
    for path in ("/", "/health", "/static/page.css", "/nothing"):
        answer = guarded.request(method, path, headers={"Authorization": basic(PASSWORD)}, content=b"x=1")
        assert answer.status_code == 405
        assert answer.headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", ["/", "/health", "/static/page.css"])
def test_head_is_answered_as_get_without_the_body(local: Client, path: str) -> None:
    assert local.head(path).status_code == local.get(path).status_code == 200
    assert local.head("/nothing").status_code == 404
