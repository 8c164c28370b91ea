"""The receiver as a process of its own: under load, killed, on a full disk, refused, stopped, and what it says."""

import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from orchestration.lib.landing.listing import Landing
from orchestration.lib.pipeline import load_landing
from orchestration.lib.receiver.collecting import collect
from orchestration.lib.settings import PROJECT_ROOT, Settings
from tests.webhooks import (
    KEYS,
    Receiver,
    assert_every_answered_body_is_loaded_once,
    bodies_in,
    run_load,
    running_receiver,
    signature,
)

BODY = b'{"event_type": "contact.created", "event_id": "1"}'
KEY = KEYS["acme"][1]


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    with running_receiver(tmp_path_factory.mktemp("receiver") / "data") as receiver:
        yield receiver


def conversation(receiver: Receiver, *parts: bytes) -> bytes:
    """What is answered to these bytes, until the receiver closes or says nothing more for a second."""
    answer = b""
    with socket.create_connection(("127.0.0.1", receiver.port)) as connection:
        connection.settimeout(1)
        try:
            for part in parts:
                connection.sendall(part)
            while data := connection.recv(65536):
                answer += data
        except (TimeoutError, ConnectionError):
            pass
    return answer


def head(*lines: str, body: bytes = BODY) -> bytes:
    signed = f"X-Webhook-Signature: {signature(body, KEY).decode()}"
    return "\r\n".join(["POST /webhooks/acme HTTP/1.1", "Host: localhost", signed, *lines, "", ""]).encode()


@pytest.mark.slow
def test_under_load_and_killed_three_times_every_body_answered_with_200_is_loaded_once(tmp_path: Path) -> None:
    receiver, load, landing = run_load(tmp_path, seconds=4)
    assert set(load.statuses) == {200}
    assert load.broken >= 3 * 100, "the kills hit nobody"
    assert len(load.kept) > 1000
    assert_every_answered_body_is_loaded_once(load, landing, tmp_path / "raw")
    assert not list(receiver.data.glob("receiver/*/*"))
    # No key is in anything that was written, the raw zone included.
    written = [receiver.log, *(path for path in tmp_path.rglob("*") if path.is_file())]
    assert len(written) > 3
    for path in written:
        assert not any(key.encode() in path.read_bytes() for keys in KEYS.values() for key in keys), path


@pytest.mark.slow
def test_a_collector_killed_at_random_moments_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    folder, landing = tmp_path / "receiver", tmp_path / "landing"
    landing.mkdir()
    (folder / "acme").mkdir(parents=True)
    for number in range(300):
        name = f"2026-01-01T00-00-00.{number:06d}Z-00000000.jsonl.part"
        (folder / "acme" / name).write_bytes(b'{"n": %d}\n' % number + b'{"torn')
    code = f"from tests.webhooks import *; collect(Path({str(folder)!r}), Landing({str(landing)!r}))"
    kills = 0
    while len(list((landing / "acme").glob("webhooks/*.jsonl"))) < 300:
        collector = subprocess.Popen([sys.executable, "-c", code], cwd=PROJECT_ROOT)
        before = len(list((folder / "acme").iterdir()))
        while len(list((folder / "acme").iterdir())) > before - 80 and collector.poll() is None:
            time.sleep(0.002)
        collector.kill()
        kills += collector.wait() == -signal.SIGKILL
    assert kills >= 3
    assert collect(folder, Landing(str(landing))) == []
    assert sorted(bodies_in(landing, "acme/webhooks/*")) == sorted(b'{"n": %d}' % number for number in range(300))
    assert not list((folder / "acme").iterdir())


@pytest.mark.slow
def test_bodies_in_chunks_are_taken_and_one_that_never_ends_is_413(receiver: Receiver) -> None:
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (BODY[:9], BODY[9:])) + b"0\r\n\r\n"
    taken = conversation(receiver, head("Transfer-Encoding: chunked", "Connection: close"), chunks)
    assert taken.startswith(b"HTTP/1.1 200")
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    assert conversation(receiver, head("Transfer-Encoding: chunked"), chunk * 20).startswith(b"HTTP/1.1 413")
    too_long = b"x" * (1 << 20) + b"x"
    declared = head(f"Content-Length: {len(too_long)}", body=too_long)
    assert conversation(receiver, declared, too_long).startswith(b"HTTP/1.1 413")
    assert conversation(receiver, declared).startswith(b"HTTP/1.1 413")
    # A length that is too short makes another body of it, and the rest a request that is none: one of the two is
    # answered. With one that is too long the receiver waits for more.
    assert conversation(receiver, head("Content-Length: 5"), BODY)[:12] in (b"HTTP/1.1 401", b"HTTP/1.1 400")
    assert conversation(receiver, head("Content-Length: 5000"), BODY) == b""
    assert conversation(receiver, b"POST /webhooks/\xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n").startswith(b"HTTP/1.1 400")
    assert httpx.get(f"{receiver.url}/health").json() == {"ok": True, "kept": 1}


@pytest.mark.slow
def test_the_command_of_the_page_on_webhooks_signs_a_body_that_is_kept(tmp_path: Path) -> None:
    page = (PROJECT_ROOT / "docs" / "webhooks.md").read_text()
    (command,) = re.findall(r"^```sh\n(body=.*?)^```", page, flags=re.MULTILINE | re.DOTALL)
    with running_receiver(tmp_path / "data") as receiver:
        command = command.replace("127.0.0.1:8080", f"127.0.0.1:{receiver.port}").replace("try-it", KEY)
        answer = subprocess.run(["bash", "-ec", command], capture_output=True, text=True, check=True)
        assert answer.stdout.startswith("HTTP/1.1 200")
    (body,) = bodies_in(tmp_path, "data/receiver/acme/*")
    assert json.loads(body)["event_type"] == "contact.created"


@pytest.mark.slow
def test_the_log_has_method_path_and_status_and_neither_query_nor_header_nor_body(receiver: Receiver) -> None:
    url = f"{receiver.url}/webhooks/acme%0Aforged"
    assert httpx.post(f"{url}?key={KEY}", content=BODY, headers={"Authorization": KEY}).status_code == 404
    assert receiver.post("acme", b'{"secret-of-a-customer": 1}', "wrong").status_code == 401
    log = receiver.log.read_text()
    assert "INFO POST /webhooks/acme%0Aforged 404\n" in log
    assert "INFO POST /webhooks/acme 401\n" in log
    for hidden in ("forged?", "customer", "Authorization", KEY, signature(BODY, KEY).decode()):
        assert hidden not in log


@pytest.mark.slow
def test_a_disk_that_is_full_is_503_until_there_is_space_and_what_was_kept_stays(tmp_path: Path) -> None:
    def allow_small_files_only() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 1 << 30))

    with running_receiver(tmp_path / "data", before=allow_small_files_only) as receiver:
        # The limit is not one that the log would reach.
        bodies = [b'{"n": %d, "pad": "%s"}' % (number, b"x" * 3000) for number in range(9)]
        statuses = [receiver.post("acme", body, KEY).status_code for body in bodies]
        assert statuses == [200] * 6 + [503] * 3
        resource.prlimit(receiver.process.pid, resource.RLIMIT_FSIZE, (1 << 30, 1 << 30))
        assert receiver.post("acme", bodies[8], KEY).status_code == 200
        assert bodies_in(tmp_path, "data/receiver/acme/*") == [*bodies[:6], bodies[8]]
        resource.prlimit(receiver.process.pid, resource.RLIMIT_FSIZE, (1000, 1 << 30))
        assert httpx.get(f"{receiver.url}/health").status_code == 503


@pytest.mark.slow
def test_on_sigterm_what_is_in_flight_is_answered_and_the_exit_code_is_0(tmp_path: Path) -> None:
    with running_receiver(tmp_path / "data") as receiver:
        with socket.create_connection(("127.0.0.1", receiver.port)) as connection, ThreadPoolExecutor(1) as executor:
            connection.sendall(head(f"Content-Length: {len(BODY)}") + BODY[:10])
            wait_for_a_request_in_flight(receiver)
            stopped = executor.submit(receiver.stop)
            while "Shutting down" not in receiver.log.read_text():
                time.sleep(0.01)
            connection.sendall(BODY[10:])
            assert connection.recv(1000).startswith(b"HTTP/1.1 200")
            assert stopped.result() == 0
        assert "Traceback" not in receiver.log.read_text()
    assert bodies_in(tmp_path, "data/receiver/acme/*.jsonl.part") == [BODY]


def wait_for_a_request_in_flight(receiver: Receiver) -> None:
    # It is read before this later one is.
    assert httpx.get(f"{receiver.url}/health").status_code == 200


@pytest.mark.slow
@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (None, ["CONTACT_REPORTS_WEBHOOK_KEYS", '{"<workspace_id>": ["<signing key>"]}']),
        (json.dumps({"../up": [KEY]}), ["'../up'", "workspaces.csv"]),
        (json.dumps({"acme": [KEY]}), ["cannot listen", "--port"]),
    ],
)
def test_what_it_cannot_start_with_is_said_in_one_line(
    tmp_path: Path, receiver: Receiver, keys: str | None, words: list[str]
) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CONTACT_REPORTS")}
    environment |= {"CONTACT_REPORTS_DATA": str(tmp_path)} | ({"CONTACT_REPORTS_WEBHOOK_KEYS": keys} if keys else {})
    refused = subprocess.run(
        [sys.executable, "-m", "orchestration", "receiver", "--port", str(receiver.port)],
        cwd=PROJECT_ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 1
    (line,) = refused.stderr.splitlines()
    assert line.startswith("error: ")
    assert all(word in line for word in words), line
    assert KEY not in line


@pytest.mark.slow
def test_a_run_collects_what_a_receiver_kept_and_goes_on_when_it_cannot(tmp_path: Path) -> None:
    landing = tmp_path / "landing"
    landing.mkdir()
    (landing / "workspaces.csv").write_text("workspace_id,workspace_name,timezone\nacme,Acme,UTC\n")
    settings = Settings(data=tmp_path / "data", landing=str(landing))  # type: ignore[call-arg]
    with running_receiver(settings.data) as receiver:
        assert receiver.post("acme", BODY, KEY).status_code == 200
        load_landing(settings)
        assert bodies_in(landing, "acme/webhooks/*.jsonl") == [BODY]
        assert receiver.post("globex", BODY, KEYS["globex"][0]).status_code == 200
        (landing / "globex").touch()
        extraction = load_landing(settings)
        assert "globex" in extraction.warnings[0]
        assert "wait there" in extraction.warnings[0]
        (landing / "globex").unlink()
        load_landing(settings)
        assert bodies_in(landing, "*/webhooks/*.jsonl") == [BODY, BODY]
