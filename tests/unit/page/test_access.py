"""Who is answered by the report page, and how: names, password, lengths, headers, errors, files, log."""

import asyncio
import base64
import json
import logging
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio.to_thread
import duckdb
import h11
import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from orchestration.lib.problems import Problem
from orchestration.lib.secrets import read_page_password, without_secrets
from orchestration.lib.serving.connections import HEAD_BYTES
from page.access import HEADERS, LOCAL_NAMES, Access, Turns, answer_to_long_head, required_hosts
from page.app import application
from page.assets import static_address
from page.filters import Refused
from page.publication import NotPublished, Publication, TooSlow

PASSWORD = "correct horse battery"  # pragma: allowlist secret
LOCAL = Access(LOCAL_NAMES, None)
DETAIL = "detail-of-the-defect"


def access_with(password: str = PASSWORD, turns: Turns | None = None) -> Access:
    return Access(None, password.encode(), turns or Turns(seconds=0))


def publish(path: Path, loaded_at: str = "2026-01-01T10:00:00Z") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    with duckdb.connect(str(new)) as connection:
        connection.execute("create schema reports")
        connection.execute("create table reports.data_status as select $1::timestamptz as last_loaded_at", [loaded_at])
    os.replace(new, path)


def fails(error: Exception) -> Route:
    def fail(request: Request) -> Response:
        raise error

    return Route(f"/{'api/' if isinstance(error, Refused) else ''}{type(error).__name__}", fail)


async def threads(request: Request) -> Response:
    return PlainTextResponse(str(anyio.to_thread.current_default_thread_limiter().total_tokens))


async def own_header(request: Request) -> Response:
    return PlainTextResponse("", headers={"Cache-Control": "no-store", "Content-Security-Policy": "default-src *"})


ROUTES = [
    Route("/", lambda request: PlainTextResponse("the page")),
    Route("/threads", threads),
    Route("/own", own_header),
    fails(RuntimeError(DETAIL)),
    fails(TooSlow()),
    fails(duckdb.CatalogException("Table with name report_filters does not exist!")),
    fails(Refused("work<b>", "'<script>' is not known", ["acme", "globex"])),
]


def app_of(folder: Path, access: Access) -> ASGIApp:
    (folder / "exports").mkdir(exist_ok=True)
    return application(ROUTES, Publication(folder / "published" / "file.duckdb", folder / "exports"), access)


class Client:
    """A browser of an application in this process, from its start to its end. Several requests wait for none."""

    def __init__(self, app: ASGIApp, url: str = "http://127.0.0.1:8000") -> None:
        self._app, self._url = app, url

    def __enter__(self) -> "Client":
        self._runner = asyncio.Runner()
        self._runner.run(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self._received.put_nowait({"type": "lifespan.shutdown"})
        self._runner.run(asyncio.wait_for(self._life, 10))
        self._runner.close()

    async def _start(self) -> None:
        self._received: asyncio.Queue[Message] = asyncio.Queue()
        sent: asyncio.Queue[Message] = asyncio.Queue()
        self._received.put_nowait({"type": "lifespan.startup"})
        self._life = asyncio.create_task(self._run({"type": "lifespan"}, self._received.get, sent.put))
        assert (await sent.get())["type"] == "lifespan.startup.complete"

    async def _run(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)

    def request(self, method: str, path: str, **values: Any) -> httpx.Response:
        return self._runner.run(self._request(method, path, **values))

    async def _request(self, method: str, path: str, **values: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=self._url) as client:
            return await client.request(method, path, **values)

    def get(self, path: str, **values: Any) -> httpx.Response:
        return self.request("GET", path, **values)

    def head(self, path: str) -> httpx.Response:
        return self.request("HEAD", path)

    def post(self, path: str) -> httpx.Response:
        return self.request("POST", path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    publish(folder / "published" / "file.duckdb")
    return folder


@pytest.fixture(scope="module")
def local(folder: Path) -> Iterator[Client]:
    """A page without a password, on 127.0.0.1."""
    with Client(app_of(folder, LOCAL)) as client:
        yield client


@pytest.fixture(scope="module")
def guarded(folder: Path) -> Iterator[Client]:
    """A page with a password."""
    with Client(app_of(folder, access_with()), "http://reports.example") as client:
        yield client


def basic(password: str | bytes, user: str = "anybody") -> str:
    password = password.encode() if isinstance(password, str) else password
    return "Basic " + base64.b64encode(user.encode() + b":" + password).decode()


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


def test_a_request_of_16_kib_is_answered_and_a_longer_one_is_refused(local: Client) -> None:
    # The others of the client take some 200 bytes.
    assert local.get("/", params={"x": "y" * (HEAD_BYTES - 1000)}).status_code == 200
    assert local.get("/", headers={"X": "y" * (HEAD_BYTES - 1000)}).status_code == 200
    for answer, what in (
        (local.get("/", params={"x": "y" * HEAD_BYTES}), (414, "The address of the request is too long")),
        (local.get("/api/x", headers={"X": "y" * HEAD_BYTES}), (431, "The header of the request is too long")),
        (local.get("/", headers={str(n): "" for n in range(4000)}), (431, "The header of the request is too long")),
    ):
        assert answer.status_code == what[0]
        assert f"{what[1]}. A request has at most 16 KiB" in answer.text
        assert answer.headers["Connection"] == "close"


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


# Errors and headers


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/", {}, 200),
        ("/health", {}, 200),
        ("/static/page.css", {}, 200),
        ("/static/page.css", {"If-None-Match": "*"}, 304),
        ("/", {"Sec-Fetch-Site": "cross-site"}, 403),
        ("/nothing", {}, 404),
        ("/static/nothing.css", {}, 404),
        ("/", {"Host": "attacker.example"}, 421),
        ("/?" + "x" * HEAD_BYTES, {}, 414),
        ("/", {"X": "x" * HEAD_BYTES}, 431),
        ("/RuntimeError", {}, 500),
        ("/api/Refused", {}, 422),
        ("/TooSlow", {}, 504),
        ("/CatalogException", {}, 503),
        ("/own", {}, 200),
    ],
)
def test_every_answer_has_the_headers(local: Client, path: str, headers: dict[str, str], status: int) -> None:
    answer = local.get(path, headers=headers)
    assert answer.status_code == status
    for name, value in HEADERS.items():
        assert answer.headers.get_list(name) == [value]
    assert "script-src" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == ("no-store" if path == "/own" else "private, no-cache")


def test_the_answers_to_those_without_a_password_have_the_headers_too(tmp_path: Path) -> None:
    app = app_of(tmp_path, access_with(turns=Turns(seconds=1, waiting=0)))
    with Client(app) as client:
        answers = [client.get("/"), *(client.get("/", headers={"Authorization": "Bearer wrong"}) for _ in range(2))]
    assert [answer.status_code for answer in answers] == [401, 401, 429]
    for answer in answers:
        assert HEADERS.items() <= {name.title(): value for name, value in answer.headers.items()}.items() | {
            (name, answer.headers[name]) for name in HEADERS
        }


def test_an_error_is_a_page_for_people_and_json_for_programs(local: Client) -> None:
    page = local.get("/nothing")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert f'href="{static_address("page.css").replace("&", "&amp;")}"' in page.text
    for path in ("/api", "/api/", "/api/v1/nothing"):
        assert local.get(path).json() == {
            "error": {"parameter": None, "message": "There is no such page", "allowed": None}
        }
    assert local.get("/apinothing").headers["Content-Type"] == "text/html; charset=utf-8"


def test_what_is_refused_says_which_parameter_and_what_is_possible(local: Client, tmp_path: Path) -> None:
    answer = local.get("/api/Refused")
    assert answer.status_code == 422
    assert answer.json() == {
        "error": {"parameter": "work<b>", "message": "'<script>' is not known", "allowed": ["acme", "globex"]}
    }
    [route] = [route for route in ROUTES if route.path == "/api/Refused"]
    publication = Publication(tmp_path / "none", tmp_path)
    with Client(application([Route("/page", route.endpoint)], publication, Access(None, None))) as client:
        page = client.get("/page").text
    for shown in ("work&lt;b&gt;", "&lt;script&gt;", "is not known", "acme", "globex"):
        assert shown in page
    assert "<script" not in page


def test_after_an_upgrade_it_asks_for_a_run(local: Client, caplog: pytest.LogCaptureFixture) -> None:
    answer = local.get("/CatalogException")
    assert "of another version than this page. Call make run" in answer.text
    assert "report_filters" not in answer.text
    assert "report_filters" in caplog.text


def test_a_defect_is_in_the_log_and_not_in_the_answer(local: Client) -> None:
    answer = local.get("/RuntimeError")
    assert answer.status_code == 500
    assert "Something went wrong" in answer.text
    assert DETAIL not in answer.text and "RuntimeError" not in answer.text and "Traceback" not in answer.text


def test_before_the_first_publication_it_says_so_and_shows_the_page_as_soon_as_there_is_one(tmp_path: Path) -> None:
    published = tmp_path / "published" / "file.duckdb"
    publication = Publication(published, tmp_path)

    def report(request: Request) -> Response:
        with publication.reading(5) as reader:
            return PlainTextResponse(str(reader.rows("select 42 as answer")[0]["answer"]))

    routes = [Route("/", report), Route("/api/v1/status", report)]
    with Client(application(routes, publication, Access(None, None))) as client:
        for path in ("/", "/api/v1/status"):
            answer = client.get(path)
            assert answer.status_code == 503
            assert answer.headers["Retry-After"] == "10"
            assert "Nothing is published yet. Call make run" in answer.text
            assert str(tmp_path) not in answer.text
        health = client.get("/health")
        assert (health.status_code, health.json()) == (503, {"ok": False, "as_of": None})
        publish(published)
        assert client.get("/").text == "42"
        assert client.get("/health").json() == {"ok": True, "as_of": "2026-01-01T10:00:00Z"}


def test_a_publication_that_cannot_be_read_is_named_in_the_log_only(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "published").mkdir()
    (tmp_path / "published" / "file.duckdb").write_bytes(b"no database" * 1000)
    with Client(app_of(tmp_path, Access(None, None))) as client:
        assert client.get("/health").status_code == 503
    (message,) = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert message.startswith(f"Nothing can be shown: {tmp_path}")


def test_at_most_eight_threads_read(local: Client) -> None:
    assert local.get("/threads").text == "8"


def test_a_query_that_runs_when_the_page_ends_is_ended(tmp_path: Path) -> None:
    publish(tmp_path / "published" / "file.duckdb")
    publication = Publication(tmp_path / "published" / "file.duckdb", tmp_path)
    ended: list[Exception] = []
    running = threading.Event()

    def read_for_ever() -> None:
        try:
            with publication.reading(600) as reader:
                running.set()
                reader.rows("select count(*) from range(1_000_000) a, range(1_000_000) b, range(1_000_000) c")
        except (TooSlow, NotPublished) as error:
            ended.append(error)

    thread = threading.Thread(target=read_for_ever, daemon=True)
    with publication:
        thread.start()
        assert running.wait(10)
        time.sleep(0.2)
    thread.join(5)
    assert [type(error) for error in ended] == [TooSlow]
    with pytest.raises(TooSlow), publication.reading(600):
        pass


# Files


def test_a_file_is_kept_by_browsers_under_the_address_with_its_fingerprint_only(local: Client) -> None:
    address = static_address("page.css")
    assert address.startswith("/static/page.css?v=")
    kept = local.get(address)
    assert kept.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert kept.headers["Content-Type"] == "text/css; charset=utf-8"
    for other in ("/static/page.css", "/static/page.css?v=0", f"{address}&v=0", f"{address}x"):
        answer = local.get(other)
        assert answer.text == kept.text
        assert answer.headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize(
    "path", ["/static/", "/static", "/static/../access.py", "/static/%2e%2e/access.py", "/static/%00"]
)
def test_nothing_but_these_files_is_given(local: Client, path: str) -> None:
    answer = local.get(path)
    assert answer.status_code == 404
    assert "import" not in answer.text


# The log


def test_the_log_has_method_path_status_and_duration_and_no_name(
    local: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="page.access")
    local.get("/?contact_name=Ada", headers={"Authorization": basic("Ada")})
    local.get("/%0Aforged%1b%5B2J\u202e")
    local.post("/")
    lines = caplog.messages
    assert [line.rsplit(" ", 2)[0] for line in lines] == [
        "GET / 200",
        "GET /%0Aforged%1B%5B2J%E2%80%AE 404",
        "POST / 405",
    ]
    assert all(line.endswith(" ms") and line.split()[-2].isdigit() for line in lines)
    assert "Ada" not in json.dumps(lines)


def test_an_error_page_keeps_the_language_the_theme_and_the_workspace(local: Client) -> None:
    page = local.get("/TooSlow?lang=fr&theme=dark&workspace=a%26b&from=2026-01-01").text
    assert '<html lang="fr" data-theme="dark">' in page
    assert "C&#39;est trop long" in page
    assert 'href="/?lang=fr&amp;theme=dark&amp;workspace=a%26b"' in page
    assert '<html lang="en">' in local.get("/TooSlow?lang=xx&theme=red").text
