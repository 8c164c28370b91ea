"""Attacks a receiver on this machine as somebody without a key may: `python -m tests.attackers 8080 300 20`.

That is port, senders that hold a connection and say nothing, and senders that send something without an end. It goes on
until it is killed, and for two minutes at most.
"""

import asyncio
import contextlib
import itertools
import subprocess
import sys
from collections.abc import Callable, Iterator

from orchestration.lib.settings import PROJECT_ROOT

POST = b"POST /webhooks/acme HTTP/1.1\r\nHost: a\r\n"
# Who has no key does not know the signature, but the header's name.
UNSIGNED = POST + b"X-Webhook-Signature: x\r\n"
CHUNKED = UNSIGNED + b"Transfer-Encoding: chunked\r\n\r\n"
_SECONDS_AT_MOST = 120


def endless_headers() -> Iterator[bytes]:
    yield POST
    yield from itertools.repeat(b"".join(b"X-%d: %d\r\n" % (number, number) for number in range(4000)))


def endless_line() -> Iterator[bytes]:
    yield POST + b"X-Long: "
    yield from itertools.repeat(b"x" * 65536)


def endless_path() -> Iterator[bytes]:
    yield b"POST /webhooks/"
    yield from itertools.repeat(b"x" * 65536)


def endless_body() -> Iterator[bytes]:
    yield CHUNKED
    yield from itertools.repeat(b"10000\r\n" + b"x" * 65536 + b"\r\n")


def endless_trailers() -> Iterator[bytes]:
    yield CHUNKED + b"0\r\n"
    yield from itertools.repeat(b"X-Trailer: x\r\n" * 5000)


def endless_chunk_size() -> Iterator[bytes]:
    yield CHUNKED + b"1;"
    yield from itertools.repeat(b"x" * 65536)


ENDLESS: list[Callable[[], Iterator[bytes]]] = [
    endless_headers,
    endless_line,
    endless_path,
    endless_body,
    endless_trailers,
    endless_chunk_size,
]


async def send_without_end(port: int, stream: Callable[[], Iterator[bytes]]) -> None:
    """Send, and begin again whenever the receiver has closed the connection."""
    while True:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            with contextlib.closing(writer):
                for part in stream():
                    writer.write(part)
                    await writer.drain()
                    await asyncio.sleep(0)


async def stay_idle(port: int) -> None:
    """Hold a connection and send nothing, and take another one whenever the receiver has closed it."""
    while True:
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            with contextlib.closing(writer):
                await reader.read()


async def attack(port: int, idle: int, endless: int) -> None:
    """Attack until this is cancelled."""
    await asyncio.gather(
        *(stay_idle(port) for _ in range(idle)),
        *(send_without_end(port, stream) for stream in itertools.islice(itertools.cycle(ENDLESS), endless)),
    )


@contextlib.contextmanager
def attackers(port: int, *, idle: int, endless: int) -> Iterator[None]:
    """Have a process attack during the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.attackers", str(port), str(idle), str(endless)], cwd=PROJECT_ROOT
    )
    try:
        yield
        assert process.poll() is None, "the attackers gave up"
    finally:
        process.kill()
        process.wait()


async def main() -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(attack(*map(int, sys.argv[1:])), _SECONDS_AT_MOST)


if __name__ == "__main__":
    asyncio.run(main())
