"""Sends webhooks as respond.io does: to the application in this process, and to a receiver that is a real one.

`python -m tests.webhooks 60` puts a receiver under load for 60 seconds and prints what came of it.
"""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import httpx
from starlette.types import ASGIApp, Message

from orchestration.lib.extraction.extract import extract
from orchestration.lib.landing.listing import Landing
from orchestration.lib.raw_zone.zone import RawZone
from orchestration.lib.receiver.collecting import collect
from orchestration.lib.settings import PROJECT_ROOT

KEYS = {"acme": ["retired-key-5f1d", "current-key-93ab"], "globex": ["globex-key-77c0"]}
Headers = list[tuple[bytes, bytes]]


def signature(body: bytes, key: str) -> bytes:
    return base64.b64encode(hmac.new(key.encode(), body, hashlib.sha256).digest())


def signed(body: bytes, key: str = KEYS["acme"][1]) -> Headers:
    return [(b"x-webhook-signature", signature(body, key))]


async def send(
    app: ASGIApp, path: str, headers: Headers, chunks: Iterable[bytes], method: str = "POST", *, hang_up: bool = False
) -> int:
    """One request through the ASGI interface. Returns the status of the answer."""
    messages: list[Message] = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    messages.append({"type": "http.disconnect"} if hang_up else {"type": "http.request", "body": b""})
    answer: list[Message] = []

    async def receive() -> Message:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def answered(message: Message) -> None:
        answer.append(message)

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode("utf-8", "replace"),
        "query_string": b"",
        "root_path": "",
        "headers": headers,
    }
    await app(scope, receive, answered)
    assert [message["type"] for message in answer] == ["http.response.start", "http.response.body"]
    return int(answer[0]["status"])


def bodies_in(folder: Path, pattern: str) -> list[bytes]:
    """All lines of the files that match, which must all be whole."""
    lines: list[bytes] = []
    for path in sorted(folder.glob(pattern)):
        data = path.read_bytes()
        assert data.endswith(b"\n"), path
        lines += data[:-1].split(b"\n")
    return lines


class Receiver:
    """`python -m orchestration receiver`, on a data folder and a port of its own."""

    def __init__(self, data: Path, before: Callable[[], None] | None = None) -> None:
        self.data = data
        self.log = data.parent / "receiver.log"
        self.before = before
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = int(probe.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes]

    def start(self) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CONTACT_REPORTS")}
        environment |= {"CONTACT_REPORTS_DATA": str(self.data), "CONTACT_REPORTS_WEBHOOK_KEYS": json.dumps(KEYS)}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "orchestration", "receiver", "--port", str(self.port)],
                cwd=PROJECT_ROOT,
                env=environment,
                stdout=log,
                stderr=log,
                preexec_fn=self.before,
            )

    def wait_until_it_listens(self) -> None:
        until = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                assert self.process.poll() is None, self.log.read_text()
                assert time.monotonic() < until, self.log.read_text()
                time.sleep(0.02)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)

    def post(self, workspace_id: str, body: bytes, key: str) -> httpx.Response:
        return httpx.post(
            f"{self.url}/webhooks/{workspace_id}",
            content=body,
            headers={"X-Webhook-Signature": signature(body, key).decode()},
            timeout=60,
        )


@contextlib.contextmanager
def running_receiver(data: Path, before: Callable[[], None] | None = None) -> Iterator[Receiver]:
    receiver = Receiver(data, before)
    receiver.start()
    try:
        receiver.wait_until_it_listens()
        yield receiver
    finally:
        receiver.kill()


@dataclass
class Load:
    """What many senders saw: the bodies they sent, the answers, and the seconds each 200 took."""

    sent: set[bytes] = field(default_factory=set)
    kept: set[bytes] = field(default_factory=set)
    statuses: Counter[int] = field(default_factory=Counter)
    broken: int = 0
    waited: list[float] = field(default_factory=list)
    over: bool = False


def bombard(receiver: Receiver, *, seconds: float, senders: int = 200, kills: int = 3) -> Load:
    """Send as many bodies as can be, all senders at once, killing the receiver and starting it again in between.

    `seconds` is how long the receiver lives, all its lives together.
    """
    load = Load()
    asyncio.run(_bombard(receiver, load, seconds, senders, kills))
    return load


async def _bombard(receiver: Receiver, load: Load, seconds: float, senders: int, kills: int) -> None:
    tasks = [asyncio.create_task(_sender(receiver, load, number)) for number in range(senders)]
    for life in range(kills + 1):
        if life:
            receiver.kill()
            receiver.start()
        await asyncio.to_thread(receiver.wait_until_it_listens)
        await asyncio.sleep(seconds / (kills + 1))
    load.over = True
    await asyncio.gather(*tasks)


async def _sender(receiver: Receiver, load: Load, number: int) -> None:
    """Bodies one after the other, each sent once: what was not answered may have been kept or not."""
    workspace = list(KEYS)[number % len(KEYS)]
    sent = 0
    while not load.over:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", receiver.port)
        except OSError:
            await asyncio.sleep(0.05)
            continue
        # By hand: an HTTP library takes more of the processor than the receiver does.
        with contextlib.closing(writer):
            while not load.over:
                sent += 1
                body = json.dumps({"event_type": "message.received", "event_id": f"{number}-{sent}", "pad": "x" * 900})
                if not await _post(reader, writer, workspace, body.encode(), load):
                    load.broken += 1
                    break


async def _post(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, workspace: str, body: bytes, load: Load
) -> bool:
    head = (
        f"POST /webhooks/{workspace} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
        f"X-Webhook-Signature: {signature(body, KEYS[workspace][-1]).decode()}\r\n\r\n"
    )
    load.sent.add(body)
    began = time.monotonic()
    try:
        writer.write(head.encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
    except (OSError, asyncio.IncompleteReadError):
        return False
    status = int(answer.split(b" ", 2)[1])
    load.statuses[status] += 1
    if status == 200:
        load.kept.add(body)
        load.waited.append(time.monotonic() - began)
    return True


def collect_until_killed(data: str, landing: str) -> None:
    """What runs do, one after the other."""
    while True:
        assert collect(Path(data, "receiver"), Landing(landing)) == []
        time.sleep(0.05)


def start_collector(data: Path, landing: Path) -> "subprocess.Popen[bytes]":
    code = f"from tests.webhooks import *; collect_until_killed({str(data)!r}, {str(landing)!r})"
    return subprocess.Popen([sys.executable, "-c", code], cwd=PROJECT_ROOT)


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[int(share * (len(values) - 1))]


def run_load(folder: Path, seconds: float) -> tuple[Receiver, Load, Path]:
    """Receiver under load and killed three times, a collector beside it that is killed as well; all of it collected."""
    data, landing = folder / "data", folder / "landing"
    landing.mkdir()
    with running_receiver(data) as receiver:
        collector = start_collector(data, landing)
        try:
            load = bombard(receiver, seconds=seconds)
        finally:
            assert collector.poll() is None, "the collector met an error"
            collector.kill()
            collector.wait()
        assert receiver.stop() == 0, receiver.log.read_text()[-2000:]
    assert collect(data / "receiver", Landing(str(landing))) == []
    return receiver, load, landing


def assert_every_answered_body_is_loaded_once(load: Load, landing: Path, raw: Path) -> None:
    """Load what landed into a raw zone, and look there."""
    (landing / "workspaces.csv").write_text("workspace_id,workspace_name,timezone\n")
    extraction = extract(Landing(str(landing)), RawZone(raw), raw.parent / "cache" / "checksums.json")
    assert extraction.warnings == []
    with duckdb.connect() as connection:
        query = "select raw_record from read_parquet(?)"
        loaded = connection.execute(query, [str(raw / "batches-*" / "webhooks-*.parquet")]).fetchall()
    bodies = [body.encode() for (body,) in loaded]
    assert len(bodies) == len(set(bodies)), "a body is loaded twice"
    assert load.kept <= set(bodies), "a body that was answered with 200 is lost"
    assert set(bodies) <= load.sent


def main() -> None:
    seconds = float(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        _, load, landing = run_load(Path(folder), seconds)
        assert_every_answered_body_is_loaded_once(load, landing, Path(folder, "raw"))
        files = len(list(landing.glob("*/webhooks/*.jsonl")))
    print(
        f"{seconds:.0f} s: {dict(load.statuses)}, {load.broken} connections broken, {len(load.kept) / seconds:.0f}/s, "
        f"p50 {1000 * percentile(load.waited, 0.5):.0f} ms, p99 {1000 * percentile(load.waited, 0.99):.0f} ms, "
        f"{files} files, every body answered with 200 is loaded once"
    )


if __name__ == "__main__":
    main()
