"""The receiver before any key is checked: heads and bodies without end, connections that dawdle, too many of them."""

import contextlib
import resource
import select
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from orchestration.lib.receiver.app import BODY_LIMIT_BYTES, LARGE_BODIES, SMALL_BODY_BYTES, create_app
from orchestration.lib.receiver.inbox import Inbox
from orchestration.lib.serving.connections import Limits
from tests.attackers import CHUNKED, ENDLESS, UNSIGNED, attackers
from tests.memory import most_megabytes_of
from tests.serving_here import serving_here
from tests.webhooks import KEYS, Receiver, bombard, running_receiver, signature

KEY = KEYS["acme"][1]
BODY = b'{"event_type": "contact.created", "event_id": "1"}'
HEALTH = b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n"
MEGABYTE = 1 << 20


def signed_request(body: bytes = BODY) -> bytes:
    head = f"POST /webhooks/acme HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\nX-Webhook-Signature: "
    return head.encode() + signature(body, KEY) + b"\r\n\r\n" + body


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    with running_receiver(tmp_path_factory.mktemp("attacked") / "data") as receiver:
        yield receiver


@contextlib.contextmanager
def connections(port: int, count: int) -> Iterator[list[socket.socket]]:
    """As many connections, all of them closed in the end."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(count + 500, hard)), hard))
    with contextlib.ExitStack() as stack:
        yield [
            stack.enter_context(contextlib.closing(socket.create_connection(("127.0.0.1", port), timeout=20)))
            for _ in range(count)
        ]


def until_closed(connection: socket.socket) -> bytes:
    """What is answered until the receiver closes the connection."""
    answer = b""
    with contextlib.suppress(ConnectionError):
        while data := connection.recv(65536):
            answer += data
    return answer


@pytest.mark.slow
def test_honest_senders_beside_idle_and_endless_ones_are_all_served_and_the_memory_stays_small(tmp_path: Path) -> None:
    with running_receiver(tmp_path / "data") as receiver, attackers(receiver.port, idle=300, endless=20):
        time.sleep(1)
        load = bombard(receiver, seconds=6, senders=200, kills=0)
        assert httpx.get(f"{receiver.url}/health", timeout=10).json() == {"ok": True, "kept": len(load.kept)}
        assert load.statuses.keys() == {200}
        assert load.broken == 0
        assert len(load.kept) > 600
        assert most_megabytes_of(receiver.process.pid) < 300


@pytest.mark.slow
@pytest.mark.parametrize("stream", ENDLESS, ids=lambda stream: stream.__name__)
def test_what_has_no_end_is_cut_off_after_little(receiver: Receiver, stream: Callable[[], Iterator[bytes]]) -> None:
    sent = 0
    with connections(receiver.port, 1) as (connection,):
        with contextlib.suppress(ConnectionError):
            for part in stream():
                connection.sendall(part)
                sent += len(part)
                assert sent < 64 * MEGABYTE, "it is taken for as long as it comes"
        answer = b""
        with contextlib.suppress(ConnectionError):
            answer = connection.recv(65536)
    # The rest may be refused by a reset, which takes the answer with it.
    assert not answer or answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 413", b"HTTP/1.1 431"))
    assert httpx.get(f"{receiver.url}/health").status_code == 200
    assert most_megabytes_of(receiver.process.pid) < 200


@pytest.mark.slow
def test_more_idle_connections_than_there_may_be_shut_nobody_out(receiver: Receiver) -> None:
    with connections(receiver.port, Limits.connections + 200) as idle:
        assert httpx.get(f"{receiver.url}/health").status_code == 200
        assert receiver.post("acme", BODY, KEY).status_code == 200
        assert until_closed(idle[0]) == b""
        idle[-1].sendall(HEALTH)
        assert idle[-1].recv(1000).startswith(b"HTTP/1.1 200")
    assert receiver.log.read_text().count("connections at once") == 1


@pytest.mark.slow
def test_large_bodies_that_dawdle_take_a_bounded_memory_and_small_ones_are_taken_beside_them(
    receiver: Receiver,
) -> None:
    head = UNSIGNED + b"Content-Length: %d\r\n\r\n" % BODY_LIMIT_BYTES
    with connections(receiver.port, LARGE_BODIES * 8) as dawdling:
        for connection in dawdling:
            connection.sendall(head + b"x" * (SMALL_BODY_BYTES + 1))
        assert httpx.get(f"{receiver.url}/health").status_code == 200
        time.sleep(0.5)
        refused, _, _ = select.select(dawdling, [], [], 0)
        assert len(refused) == len(dawdling) - LARGE_BODIES
        assert all(connection.recv(1000).startswith(b"HTTP/1.1 503") for connection in refused)
        assert receiver.post("acme", BODY, KEY).status_code == 200
        assert receiver.post("acme", b"x" * (SMALL_BODY_BYTES + 1), KEY).status_code == 503
        assert httpx.get(f"{receiver.url}/health").status_code == 200
    until = time.monotonic() + 10
    while receiver.post("acme", b"x" * BODY_LIMIT_BYTES, KEY).status_code == 503:
        assert time.monotonic() < until
    assert most_megabytes_of(receiver.process.pid) < 300


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """A receiver in this process that has less patience."""
    keys = {workspace: [key.encode() for key in keys] for workspace, keys in KEYS.items()}
    app = create_app(keys, Inbox(tmp_path / "receiver"), body_seconds=0.8)
    with serving_here(app, Limits(connections=3, head_seconds=0.5, answer_seconds=1.5)) as port:
        yield port


def trickle(connection: socket.socket, data: bytes) -> bytes:
    """Send a byte now and then until the connection is closed, five seconds at most. Returns what was answered."""
    connection.settimeout(0.05)
    answer = b""
    with contextlib.suppress(ConnectionError):
        for number in range(100):
            connection.sendall(data[number : number + 1])
            try:
                received = connection.recv(65536)
            except TimeoutError:
                continue
            if not received:
                return answer
            answer += received
        raise AssertionError("it may take for ever")
    return answer


@pytest.mark.parametrize(
    ("whole", "trickled", "status"),
    [
        (b"", b"", None),
        (b"", b"POST /webhooks/acme HTTP/1.1\r\nX: " + b"x" * 100, None),
        (HEALTH, b"POST /webhooks/acme HTTP/1.1\r\nX: " + b"x" * 100, 200),
        (UNSIGNED + b"Content-Length: 1000\r\n\r\n", b"x" * 100, 408),
        (CHUNKED, b"1;" + b"x" * 100, 408),
        (CHUNKED, b"0\r\nX: " + b"x" * 100, 408),
        # What is answered before the body has come: the rest of it is not waited for.
        (b"POST /webhooks/nobody HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n", b"x" * 100, 404),
    ],
    ids=["nothing", "head", "second head", "body", "chunk size", "trailer", "body of a refused request"],
)
def test_a_connection_that_dawdles_is_closed(port: int, whole: bytes, trickled: bytes, status: int | None) -> None:
    with connections(port, 1) as (connection,):
        connection.sendall(whole)
        began = time.monotonic()
        answer = trickle(connection, trickled)
        assert time.monotonic() - began < 3
    assert answer.startswith(b"HTTP/1.1 %d" % status if status else b"") and bool(answer) == bool(status)


def test_a_connection_that_is_used_stays_for_longer_than_any_one_request_may_take(port: int) -> None:
    with connections(port, 1) as (connection,):
        until = time.monotonic() + 2
        while time.monotonic() < until:
            # The second one comes with the first.
            connection.sendall(signed_request() * 2)
            answer = b""
            while answer.count(b"HTTP/1.1 200") < 2:
                received = connection.recv(65536)
                assert received
                answer += received
            time.sleep(0.2)


def test_of_too_many_connections_the_one_whose_request_takes_longest_is_closed(port: int) -> None:
    with connections(port, 3) as (first, second, third):
        # That one is the youngest now.
        first.sendall(HEALTH)
        assert first.recv(1000).startswith(b"HTTP/1.1 200")
        with connections(port, 1) as (fourth,):
            assert until_closed(second) == b""
            for connection in (first, third, fourth):
                connection.sendall(HEALTH)
                assert connection.recv(1000).startswith(b"HTTP/1.1 200")
