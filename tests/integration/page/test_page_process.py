"""The report page as a process of its own: started, refused, under attack, while publications change, stopped."""

import asyncio
import contextlib
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import httpx
import pytest

from orchestration.lib.serving.connections import HEAD_BYTES
from orchestration.lib.settings import PROJECT_ROOT
from page.access import HEADERS
from tests.attackers import stay_idle
from tests.integration.page.serving import Page, running

PASSWORD = "correct horse battery"  # pragma: allowlist secret
KNOWN = ("anybody", PASSWORD)


def publish(data: Path, loaded_at: str) -> None:
    """Put another publication in the place of the one before, as a run does."""
    path = data / "published" / "contact_reports.duckdb"
    path.parent.mkdir(parents=True, exist_ok=True)
    new = data / "new.duckdb"
    with duckdb.connect(str(new)) as connection:
        connection.execute("create schema reports")
        connection.execute("create table reports.data_status as select $1::timestamptz as last_loaded_at", [loaded_at])
    new.chmod(0o400)
    os.replace(new, path)


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A page without a password."""
    folder = tmp_path_factory.mktemp("local")
    (folder / "data").mkdir()
    publish(folder / "data", "2026-01-01T10:00:00Z")
    with running(folder) as page:
        yield page


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A page with a password."""
    folder = tmp_path_factory.mktemp("guarded")
    (folder / "data").mkdir()
    publish(folder / "data", "2026-01-01T10:00:00Z")
    with running(folder, PASSWORD) as page:
        yield page


def files_in(folder: Path) -> set[tuple[str, int]]:
    return {(str(path), path.lstat().st_mtime_ns) for path in folder.rglob("*")}


def conversation(port: int, *parts: bytes) -> bytes:
    """The response to these bytes, until the page closes the connection or sends nothing for two seconds."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.settimeout(2)
        for part in parts:
            connection.sendall(part)
        with contextlib.suppress(TimeoutError):
            while data := connection.recv(65536):
                answer += data
    return answer


# Start and stop


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_is_and_what_it_shows_and_ends_on_a_signal_leaving_nothing(
    tmp_path: Path, number: signal.Signals
) -> None:
    (tmp_path / "data").mkdir()
    publish(tmp_path / "data", "2026-01-01T10:00:00Z")
    before = files_in(tmp_path / "data")
    with running(tmp_path) as page:
        assert page.output.read_text().splitlines() == [
            f"The report page is at {page.url}",
            f"It shows {page.data}/published/contact_reports.duckdb",
        ]
        assert httpx.get(f"{page.url}/health").json() == {"ok": True, "as_of": "2026-01-01T10:00:00Z"}
        (exports,) = page.temporary.iterdir()
        assert stat.S_IMODE(exports.stat().st_mode) == 0o700
        # One connection that is idle and one that has begun a request do not keep it.
        with (
            socket.create_connection(("127.0.0.1", page.port)),
            socket.create_connection(("127.0.0.1", page.port)) as begun,
        ):
            begun.sendall(b"GET / HTTP/1.1\r\n")
            assert httpx.get(f"{page.url}/health").status_code == 200
            assert page.stop(number) < 5
        assert "Traceback" not in page.log.read_text()
        assert not list(page.temporary.iterdir())
    assert files_in(tmp_path / "data") == before


@pytest.mark.slow
def test_it_starts_without_dagster_and_dbt(tmp_path: Path) -> None:
    code = "import sys; import orchestration.cli.group, page.server; print(*sys.modules)"
    imported = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    )
    modules = {name.partition(".")[0] for name in imported.stdout.split()}
    assert {"page", "starlette", "duckdb"} <= modules
    assert not modules & {
        "dagster",
        "dagster_dbt",
        "dbt",
        "dbt_common",
        "sqlglot",
        "s3fs",
        "boto3",
        "botocore",
        "pandas",
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("password", "arguments", "words"),
    [
        (None, ["--host", "0.0.0.0"], ["CONTACT_REPORTS_PAGE_PASSWORD", "--host"]),
        (None, ["--host", "::"], ["CONTACT_REPORTS_PAGE_PASSWORD", "--host"]),
        ("", [], ["CONTACT_REPORTS_PAGE_PASSWORD", "12 characters"]),
        ("too short", ["--host", "0.0.0.0"], ["CONTACT_REPORTS_PAGE_PASSWORD", "12 characters"]),
        (None, ["--port", "{taken}"], ["The report page cannot listen on 127.0.0.1:", "--port"]),
        (None, ["--port", "70000"], ["The report page cannot listen on 127.0.0.1:70000", "--port"]),
        (
            None,
            ["--host", "no.such.host.invalid"],
            ["The report page cannot listen on no.such.host.invalid:", "--host"],
        ),
    ],
)
def test_what_it_cannot_start_with_is_said_in_one_line(
    tmp_path: Path, local: Page, password: str | None, arguments: list[str], words: list[str]
) -> None:
    page = Page(tmp_path, password, *(argument.format(taken=local.port) for argument in arguments))
    assert page.process.wait(30) == 1
    (line,) = page.log.read_text().splitlines()
    assert line.startswith("error: ")
    assert all(word in line for word in words), line
    assert "too short" not in line
    assert page.output.read_text() == ""
    assert not list(page.temporary.iterdir())


@pytest.mark.slow
def test_with_a_password_it_listens_where_others_reach_it(tmp_path: Path) -> None:
    page = Page(tmp_path, PASSWORD, "--host", "0.0.0.0")
    try:
        page.wait_until_it_listens()
        assert httpx.get(page.url).status_code == 401
        assert httpx.get(page.url, auth=KNOWN).status_code == 503
        assert PASSWORD not in page.log.read_text() + page.output.read_text()
    finally:
        page.process.kill()
        page.process.wait()


@pytest.mark.slow
def test_the_first_publication_and_every_next_one_are_seen_within_two_seconds(tmp_path: Path) -> None:
    with running(tmp_path) as page:
        nothing = httpx.get(page.url)
        assert nothing.status_code == 503
        assert "Call make run" in nothing.text
        assert httpx.get(f"{page.url}/health").status_code == 503
        for day in ("2026-01-01", "2026-01-02", "2026-01-03"):
            publish(page.data, f"{day}T10:00:00Z")
            until = time.monotonic() + 2
            while httpx.get(f"{page.url}/health").json()["as_of"] != f"{day}T10:00:00Z":
                assert time.monotonic() < until
                time.sleep(0.05)
        assert set(os.listdir(page.data)) == {"published"}
        assert os.listdir(page.data / "published") == ["contact_reports.duckdb"]


# Who is answered


@pytest.mark.slow
def test_under_another_name_nothing_is_answered(local: Page) -> None:
    for host in ("attacker.example", f"attacker.example:{local.port}"):
        answer = httpx.get(f"{local.url}/health", headers={"Host": host})
        assert answer.status_code == 421
        assert "localhost" in answer.text
    assert conversation(local.port, b"GET /health HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 421")
    assert conversation(local.port, b"GET /health HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 400")
    absolute = b"GET http://localhost/health HTTP/1.1\r\nHost: attacker.example\r\n\r\n"
    assert conversation(local.port, absolute).startswith(b"HTTP/1.1 421")


@pytest.mark.slow
def test_every_kind_of_answer_of_the_process_has_the_headers(local: Page, guarded: Page) -> None:
    for url, status in (
        (f"{local.url}/health", 200),
        (f"{local.url}/static/page.css", 200),
        (f"{local.url}/nothing", 404),
        (f"{local.url}/?{'x' * HEAD_BYTES}", 414),
        (guarded.url, 401),
    ):
        answer = httpx.get(url)
        assert answer.status_code == status
        for name, value in HEADERS.items():
            assert answer.headers[name] == value
        assert "server" not in answer.headers
    assert httpx.post(f"{local.url}/health", content=b"x" * 100_000).status_code == 405
    head = httpx.head(f"{local.url}/health")
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.slow
def test_a_flood_of_wrong_passwords_keeps_nobody_who_knows_it_from_the_page(guarded: Page) -> None:
    before = guarded.megabytes()
    statuses: Counter[int] = Counter()
    over = threading.Event()

    def guess(number: int) -> None:
        # Some clients disconnect while they wait for their turn.
        with httpx.Client(timeout=2) as client:
            while not over.is_set():
                with contextlib.suppress(httpx.TransportError):
                    statuses[client.get(guarded.url, auth=("x", f"wrong {number}")).status_code] += 1

    with ThreadPoolExecutor(16) as executor:
        guesses = [executor.submit(guess, number) for number in range(16)]
        time.sleep(1)
        waited = []
        with httpx.Client() as client:
            for _ in range(50):
                began = time.monotonic()
                assert client.get(f"{guarded.url}/static/page.css", auth=KNOWN).status_code == 200
                waited.append(time.monotonic() - began)
            assert client.get(f"{guarded.url}/health").status_code == 200
        over.set()
    assert all(guess.exception() is None for guess in guesses)
    assert statuses.keys() == {401, 429}
    assert statuses[401] < 30, "one a second"
    assert statuses[429] > 100
    assert sorted(waited)[25] < 0.5
    assert guarded.megabytes() - before < 30


@pytest.mark.slow
def test_idle_connections_shut_nobody_out(local: Page) -> None:
    async def ask_beside_idle_ones() -> list[float]:
        idle = [asyncio.create_task(stay_idle(local.port)) for _ in range(300)]
        await asyncio.sleep(0.5)
        waited = []
        async with httpx.AsyncClient() as client:
            for _ in range(50):
                began = time.monotonic()
                assert (await client.get(f"{local.url}/health")).status_code == 200
                waited.append(time.monotonic() - began)
        for task in idle:
            task.cancel()
        return waited

    assert sorted(asyncio.run(ask_beside_idle_ones()))[25] < 0.2


# Requests that are too long


@pytest.mark.slow
def test_a_request_of_16_kib_is_answered(local: Page) -> None:
    # The other headers of the client take some 200 bytes.
    assert httpx.get(f"{local.url}/health", params={"x": "y" * (HEAD_BYTES - 1000)}).status_code == 200
    assert httpx.get(f"{local.url}/health", headers={"X": "y" * (HEAD_BYTES - 1000)}).status_code == 200


@pytest.mark.slow
@pytest.mark.parametrize("size", [HEAD_BYTES, 1 << 20, 3 << 20, 10 << 20])
def test_a_query_string_that_is_too_long_is_answered(local: Page, size: int) -> None:
    before = local.megabytes()
    head = b"GET /?%s HTTP/1.1\r\nHost: localhost\r\n\r\n" % (b"x" * size)
    # Of more than 4 MiB the rest is not received, and its sender may see no answer.
    with contextlib.suppress(*([OSError] if size > 4 << 20 else [])):
        answer = conversation(local.port, head)
        assert answer.startswith(b"HTTP/1.1 414")
        assert b"The address of the request is too long" in answer
    assert httpx.get(f"{local.url}/health").status_code == 200
    assert local.megabytes() - before < 20
    assert "Traceback" not in local.log.read_text()


@pytest.mark.slow
def test_a_hundred_thousand_headers_are_refused_and_delay_nobody(local: Page) -> None:
    headers = b"".join(b"a%d:b\r\n" % number for number in range(100_000))
    head = b"GET / HTTP/1.1\r\nHost: localhost\r\n" + headers + b"\r\n"
    with ThreadPoolExecutor(8) as executor:
        answers = [executor.submit(conversation, local.port, head) for _ in range(8)]
        began = time.monotonic()
        assert httpx.get(f"{local.url}/health").status_code == 200
        assert time.monotonic() - began < 1
        assert {answer.result()[:12] for answer in answers} == {b"HTTP/1.1 431"}


@pytest.mark.slow
def test_bytes_that_are_no_request_are_400(local: Page) -> None:
    for nonsense in (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n", b"\r\n" * 20_000):
        assert conversation(local.port, nonsense)[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 431", b"HTTP/1.1 414")
    assert httpx.get(f"{local.url}/health").status_code == 200
