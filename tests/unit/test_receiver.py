"""The receiver, by way of its ASGI interface and real files: what it answers, and what is then on the disk."""

import asyncio
import base64
import errno
import hashlib
import io
import itertools
import logging
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from starlette.types import Message

from orchestration.lib.problems import Problem
from orchestration.lib.receiver.server import checked_keys
from orchestration.lib.serving.process import log_handler
from tests.unit.receiving import BODY, LIMIT, SEGMENTS, Place
from tests.webhooks import KEYS, Headers, send, signature, signed


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.inbox.close()


@pytest.mark.parametrize("key", KEYS["acme"])
def test_a_body_signed_with_any_key_of_the_workspace_is_kept(place: Place, key: str) -> None:
    assert place.post(BODY, headers=signed(BODY, key)) == 200
    assert place.kept() == [BODY]


def test_the_name_of_the_header_is_the_one_respond_io_sends_and_its_value_the_one_openssl_makes(place: Place) -> None:
    # printf %s '{}' | openssl dgst -sha256 -hmac current-key-93ab -binary | base64
    signature = b"fwRMF5ZzBSdqxpU89s3axZx32EL0/Uk5gmzewkJmyK4="  # pragma: allowlist secret
    assert place.post(b"{}", headers=[(b"x-webhook-signature", signature)]) == 200


GOOD = signature(BODY, KEYS["acme"][1])


DIGEST = base64.b64decode(GOOD)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"=",
        GOOD.rstrip(b"="),
        GOOD[:-1],
        GOOD + b"=",
        GOOD + GOOD,
        b"sha256=" + GOOD,
        GOOD.swapcase(),
        DIGEST.hex().encode(),
        DIGEST,
        b"\xff\xfe\x80",
        "ключ".encode(),
        base64.b64encode(hashlib.sha256(BODY).digest()),
        signature(BODY, KEYS["globex"][0]),
        signature(BODY, ""),
        signature(BODY + b" ", KEYS["acme"][1]),
    ],
)
def test_any_other_signature_is_401(place: Place, value: bytes) -> None:
    assert place.post(BODY, headers=[(b"x-webhook-signature", value)]) == 401
    assert place.kept() == []


def test_without_a_signature_it_is_401_and_without_a_key_for_the_workspace_404(place: Place) -> None:
    assert place.post(BODY, headers=[]) == 401
    for workspace in ("nobody", "acme/", "", "..", "acme/..", "Acme", "acme\x00", "acme\n"):
        assert place.post(BODY, headers=signed(BODY), workspace=workspace) == 404
    assert place.kept() == []


def test_only_post_is_allowed_and_every_answer_is_without_detail(place: Place) -> None:
    answers: list[Message] = []

    async def request(method: str, path: str, headers: Headers) -> None:
        async def receive() -> Message:
            return {"type": "http.request", "body": BODY}

        async def answered(message: Message) -> None:
            answers.append(message)

        await place.request(method, path, headers, receive, answered)

    asyncio.run(request("GET", "/webhooks/acme", signed(BODY)))
    asyncio.run(request("POST", "/webhooks/nobody", []))
    asyncio.run(request("POST", "/webhooks/acme", []))
    asyncio.run(request("POST", "/elsewhere", []))
    assert [answer.get("status", answer.get("body")) for answer in answers] == [405, b"", 404, b"", 401, b"", 404, b""]


@pytest.mark.parametrize("blank", [b"", b" ", b"\r\n\t"])
def test_an_empty_body_is_400_even_when_it_is_signed(place: Place, blank: bytes) -> None:
    assert place.post(blank) == 400
    assert place.kept() == []


def test_a_body_as_long_as_the_limit_is_kept_and_one_byte_more_is_413_however_it_comes(place: Place) -> None:
    longest = b"x" * LIMIT
    assert place.post(longest) == 200
    too_long = longest + b"x"
    assert place.post(too_long) == 413
    assert place.post(*[too_long[i : i + 1] for i in range(len(too_long))]) == 413
    assert place.post(too_long, headers=[*signed(too_long), (b"content-length", b"5")]) == 413
    assert place.post(BODY, headers=[*signed(BODY), (b"content-length", b"1001")]) == 413
    assert place.post(BODY, headers=[*signed(BODY), (b"content-length", b"-")]) == 200
    assert place.kept() == [longest, BODY]


def test_no_more_than_the_limit_is_read(place: Place) -> None:
    asked = 0

    async def endless() -> Message:
        nonlocal asked
        asked += 1
        return {"type": "http.request", "body": b"x" * 100, "more_body": True}

    statuses = []

    async def answered(message: Message) -> None:
        statuses.append(message.get("status"))

    asyncio.run(place.request("POST", "/webhooks/acme", signed(BODY), endless, answered))
    assert statuses == [413, None]
    assert asked == LIMIT // 100 + 1


def test_a_sender_that_stops_in_the_middle_is_given_up_and_one_that_hangs_up_keeps_nothing(place: Place) -> None:
    statuses = []

    async def stalled() -> Message:
        return await asyncio.Future()

    async def answered(message: Message) -> None:
        statuses.append(message.get("status"))

    asyncio.run(place.request("POST", "/webhooks/acme", signed(BODY), stalled, answered))
    assert statuses == [408, None]
    assert asyncio.run(send(place.app, "/webhooks/acme", signed(BODY), [BODY], hang_up=True)) == 400
    assert place.kept() == []


def test_a_body_of_several_lines_becomes_one_line_that_means_the_same(place: Place) -> None:
    assert place.post(b'{\r\n  "a": 1,\n  "b": "x\\ny"\n}\n') == 200
    assert place.kept() == [b'{    "a": 1,   "b": "x\\ny" } ']


def test_what_holds_bodies_is_the_owners_alone(place: Place) -> None:
    umask = os.umask(0)
    try:
        assert place.post(BODY) == 200
        assert place.collect() == []
        assert place.post(BODY) == 200
    finally:
        os.umask(umask)
    modes = {
        path: stat.S_IMODE(path.stat().st_mode)
        for path in [*place.folder.glob("*"), *place.folder.glob(SEGMENTS), *place.landing.glob("acme/webhooks/**/*")]
    }
    assert len(modes) == 3
    assert all(mode == (0o700 if path.is_dir() else 0o600) for path, mode in modes.items()), modes


@pytest.mark.parametrize("call", ["write", "fsync"])
def test_what_the_disk_refuses_is_503_and_nothing_of_it_stays(
    place: Place, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    assert place.post(BODY) == 200
    refusals = 0

    def write_half(descriptor: int, data: memoryview) -> int:
        nonlocal refusals
        refusals += 1
        if refusals == 1:
            return write(descriptor, data[:7])
        raise OSError(errno.ENOSPC, "No space left on device")

    def refuse(descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    write = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, call, write_half if call == "write" else refuse)
        assert place.post(b'{"refused": 1}') == 503
    assert place.post(b'{"after": 1}') == 200
    assert place.kept() == [BODY, b'{"after": 1}']


def test_half_a_line_that_could_not_be_taken_back_is_cut_off_before_the_next(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(descriptor: int, *more: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    assert place.post(BODY) == 200
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", refuse)
        patch.setattr(os, "ftruncate", refuse)
        assert place.post(b'{"refused": 1}') == 503
        assert place.kept() == [BODY, b'{"refused": 1}']
    assert place.post(b'{"after": 1}') == 200
    assert place.kept() == [BODY, b'{"after": 1}']


def test_health_says_how_many_were_kept_and_503_while_the_disk_refuses(place: Place) -> None:
    async def health() -> int:
        return max(await asyncio.gather(*(send(place.app, "/health", [], [], "GET") for _ in range(5))))

    assert place.post(BODY) == 200
    assert asyncio.run(health()) == 200
    assert place.inbox.kept == 1
    place.folder.rename(place.folder.with_name("away"))
    place.folder.touch()
    assert asyncio.run(health()) == 503
    assert place.post(BODY, workspace="globex") == 503
    place.folder.unlink()
    assert asyncio.run(health()) == 200
    assert [path.name for path in place.folder.iterdir()] == []


def test_bodies_that_come_together_wait_for_the_disk_once(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    assert place.post(BODY) == 200
    flushed = 0

    def count(descriptor: int) -> None:
        nonlocal flushed
        flushed += 1
        fsync(descriptor)

    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", count)
    bodies = [b'{"n": %d}' % number for number in range(200)]

    async def together() -> list[int]:
        return await asyncio.gather(*(send(place.app, "/webhooks/acme", signed(body), [body]) for body in bodies))

    assert set(asyncio.run(together())) == {200}
    assert flushed <= 3
    assert sorted(place.kept()) == sorted([BODY, *bodies])


def test_a_large_segment_is_left_for_the_next_run_and_a_new_one_begun(tmp_path: Path) -> None:
    place = Place(tmp_path, segment_bytes=3 * (len(BODY) + 1))
    for _ in range(7):
        assert place.post(BODY) == 200
    sizes = [path.stat().st_size // (len(BODY) + 1) for path in sorted(place.folder.glob(SEGMENTS))]
    assert sizes == [3, 3, 1]
    place.inbox.close()


def test_the_log_escapes_what_a_terminal_would_act_upon() -> None:
    stream = io.StringIO()
    log = logging.Logger("receiver")
    log.addHandler(handler := log_handler(stream))
    log.warning("Bodies for workspace %s", "a\x1b[2J\n2026 INFO forged\u202e")
    handler.flush()
    (line,) = stream.getvalue().splitlines()
    assert line.endswith(r"WARNING Bodies for workspace a\x1b[2J\n2026 INFO forged\u202e")


def test_a_workspace_without_a_possible_folder_is_refused_and_no_key_at_all_as_well() -> None:
    good = {name: [SecretStr("k")] for name in ("123", "acme", "a b", "ünï", "a..b", "x.csv")}
    assert checked_keys(good) == {name: [b"k"] for name in good}
    for name in (
        "",
        ".",
        "..",
        "../a",
        "a/b",
        "/",
        ".a",
        "a.tmp",
        "a.part",
        " a",
        "a\n",
        "a\x00b",
        "a" * 201,
        "\ud800",
    ):
        with pytest.raises(Problem, match="CONTACT_REPORTS_WEBHOOK_KEYS names"):
            checked_keys({"fine": [SecretStr("k")], name: [SecretStr("k")]})
    with pytest.raises(Problem, match="CONTACT_REPORTS_WEBHOOK_KEYS to JSON"):
        checked_keys({})


# What hundreds of senders might do at once: bodies, cut anywhere, to any workspace, with any signature and odd headers.
_BODIES = st.one_of(
    st.binary(max_size=60), st.text(max_size=40).map(str.encode), st.just(b"x" * (LIMIT + 1)), st.just(b"\r\n")
)
_EXTRA = st.one_of(
    st.just(()), st.just(()), st.tuples(st.tuples(st.sampled_from([b"content-length", b"host"]), st.binary(max_size=9)))
)
_SENT = st.tuples(_BODIES, _EXTRA, st.integers(0, 60), st.binary(max_size=50))
_WORKSPACES = ("acme", "globex", "nobody", "..", "a\nb")
_SIGNATURES = ("right", "retired", "none", "other", "any bytes")


@pytest.mark.slow
def test_of_ten_thousand_odd_requests_none_fails_and_every_200_is_one_line(place: Place) -> None:
    requests = 0
    expected: list[bytes] = []

    async def request(
        number: int, workspace: str, kind: str, body: bytes, extra: Headers, cut: int, signature: bytes
    ) -> None:
        if body.strip() and len(body) < LIMIT:
            body += b"|%d" % number  # So that a line says which request it came from.
        headers = list(extra)
        keys = KEYS.get(workspace, ["?"])
        if kind == "any bytes":
            headers.append((b"x-webhook-signature", signature))
        elif kind != "none":
            headers += signed(body, {"right": keys[-1], "retired": keys[0], "other": "?"}[kind])
        status = await send(place.app, f"/webhooks/{workspace}", headers, [body[:cut], b"", body[cut:]])
        assert status in (200, 400, 401, 404, 413)
        good = workspace in KEYS and kind in ("right", "retired") and body.strip() and len(body) <= LIMIT
        assert status != 200 or good
        if status == 200:
            expected.append(body.replace(b"\r", b" ").replace(b"\n", b" "))
        elif good:  # Only a length that claims too much can be in the way.
            assert status == 413
            assert extra

    async def at_once(sent: list[tuple[bytes, Headers, int, bytes]]) -> None:
        nonlocal requests
        group = [(*to, *one) for one in sent for to in itertools.product(_WORKSPACES, _SIGNATURES)]
        await asyncio.gather(*(request(requests + i, *fuzzed) for i, fuzzed in enumerate(group)))
        requests += len(group)

    # To draw a request takes longer than to answer it: each that is drawn is sent to all, with all signatures.
    @settings(max_examples=55, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(_SENT, min_size=8, max_size=8))
    def fuzz(sent: list[tuple[bytes, Headers, int, bytes]]) -> None:
        asyncio.run(at_once(sent))

    fuzz()
    assert requests >= 10_000
    assert len(expected) > 300
    assert sorted(place.kept()) == sorted(expected)
    assert place.collect() == []
    assert sorted(place.landed()) == sorted(expected)
