"""The receiver, by way of its ASGI interface and real files: what it answers, and what then lies on the disk."""

import asyncio
import base64
import errno
import hashlib
import io
import itertools
import logging
import os
import shutil
import stat
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from starlette.types import ASGIApp, Message, Receive, Send

from orchestration.lib.landing.listing import Landing
from orchestration.lib.problems import Problem
from orchestration.lib.receiver import collecting
from orchestration.lib.receiver import inbox as inbox_module
from orchestration.lib.receiver.app import create_app
from orchestration.lib.receiver.collecting import collect
from orchestration.lib.receiver.inbox import Inbox
from orchestration.lib.receiver.segments import Segment
from orchestration.lib.receiver.server import checked_keys, log_handler
from tests.webhooks import KEYS, Headers, bodies_in, send, signature, signed

BODY = b'{"event_type": "contact.created", "event_id": "1"}'
LIMIT = 1000
SEGMENTS = "*/*.jsonl*"


class Place:
    """A receiver's folder, a landing folder, and the application that works on them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "data" / "receiver"
        self.landing = folder / "landing"
        self.landing.mkdir(parents=True)
        self.inbox = Inbox(self.folder)
        keys = {workspace: [key.encode() for key in keys] for workspace, keys in KEYS.items()}
        self.app: ASGIApp = create_app(keys, self.inbox, body_limit=LIMIT, body_seconds=0.2)

    def post(self, *chunks: bytes, headers: Headers | None = None, workspace: str = "acme") -> int:
        headers = signed(b"".join(chunks), KEYS.get(workspace, ["?"])[-1]) if headers is None else headers
        return asyncio.run(send(self.app, f"/webhooks/{workspace}", headers, chunks))

    async def request(self, method: str, path: str, headers: Headers, receive: Receive, answered: Send) -> None:
        scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": headers}
        await self.app(scope, receive, answered)

    def kept(self) -> list[bytes]:
        return bodies_in(self.folder, SEGMENTS)

    def collect(self) -> list[str]:
        return collect(self.folder, Landing(str(self.landing)))

    def landed(self) -> list[bytes]:
        assert not list(self.folder.glob(SEGMENTS))
        return bodies_in(self.landing, "*/webhooks/*.jsonl")


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


def test_folders_in_a_setgid_landing_folder_are_its_groups_too_and_the_bodies_stay_the_owners(place: Place) -> None:
    assert place.post(BODY) == 200
    if os.geteuid() == 0:
        os.chown(place.landing, -1, 12345)
    place.landing.chmod(0o2770)
    assert place.collect() == []
    landing = place.landing.stat()
    for folder in ("acme", "acme/webhooks"):
        made = (place.landing / folder).stat()
        assert (stat.S_IMODE(made.st_mode), made.st_gid) == (0o2770, landing.st_gid)
    (file,) = place.landing.glob("acme/webhooks/*")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    # What the receiver itself keeps is nobody else's.
    assert stat.S_IMODE((place.folder / "acme").stat().st_mode) == 0o700


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


def test_a_large_segment_is_left_for_the_next_run_and_a_new_one_begun(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox_module, "SEGMENT_BYTES", 3 * (len(BODY) + 1))
    for _ in range(7):
        assert place.post(BODY) == 200
    sizes = [path.stat().st_size // (len(BODY) + 1) for path in sorted(place.folder.glob(SEGMENTS))]
    assert sizes == [3, 3, 1]


@pytest.mark.parametrize("torn", [b"", b"{", b'{"half": "', b"x" * 200_000], ids=len)
@pytest.mark.parametrize("lines", [0, 1, 3000], ids="{} lines".format)
def test_a_torn_last_line_is_cut_and_whole_lines_are_delivered(place: Place, torn: bytes, lines: int) -> None:
    workspace = place.folder / "acme"
    workspace.mkdir(parents=True)
    (workspace / "2026-01-01T00-00-00.000000Z-00000000.jsonl.part").write_bytes((BODY + b"\n") * lines + torn)
    assert place.collect() == []
    assert place.landed() == [BODY] * lines
    assert list(workspace.iterdir()) == []


def test_a_run_takes_the_segment_of_a_living_receiver_which_begins_another(place: Place) -> None:
    for round in range(3):
        assert place.post(b'{"n": %d}' % round) == 200
        assert place.post(b'{"g": %d}' % round, workspace="globex") == 200
        assert place.collect() == []
        assert len(place.landed()) == 2 * (round + 1)
    assert [path.name for path in sorted(place.landing.iterdir())] == ["acme", "globex"]


def test_a_receiver_does_not_wait_for_a_run_that_holds_its_segment(place: Place) -> None:
    assert place.post(BODY) == 200
    (path,) = place.folder.glob(SEGMENTS)
    held = Segment(path, os.O_RDWR)
    assert held.lock()
    assert place.post(b'{"second": 1}') == 200
    assert path.read_bytes() == BODY + b"\n"
    held.close()
    assert place.collect() == []
    assert sorted(place.landed()) == sorted([BODY, b'{"second": 1}'])


def test_a_run_does_not_wait_for_a_receiver_that_hangs_and_loads_everything_else(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collecting, "LOCK_SECONDS", 0.2)
    monkeypatch.setattr(collecting, "LOCK_SECONDS_AFTERWARDS", 0.1)
    for workspace in KEYS:
        assert place.post(BODY, workspace=workspace) == 200
    acme, globex = sorted(place.folder.glob(SEGMENTS))
    hangs = Segment(acme, os.O_WRONLY | os.O_APPEND)
    assert hangs.lock()
    # A receiver that was started beside the one that hangs.
    assert place.post(b'{"second": 1}') == 200
    began = time.monotonic()
    for _ in range(2):
        (warning,) = place.collect()
        assert str(acme.parent) in warning
        assert "Restart the receiver" in warning
    assert time.monotonic() - began < 5
    assert bodies_in(place.landing, "*/webhooks/*.jsonl") == [b'{"second": 1}', BODY]
    hangs.append(b'{"late": 1}\n')  # It goes on, answers 200, and lets go.
    hangs.close()
    assert place.collect() == []
    assert sorted(place.landed()) == sorted([BODY, b'{"late": 1}', b'{"second": 1}', BODY])


def test_a_run_gets_the_segment_of_a_receiver_that_is_never_idle(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "LOCK_SECONDS", 2.0)
    over = threading.Event()
    answered: list[bytes] = []

    async def sender(number: int) -> None:
        while not over.is_set():
            body = b'{"n": "%d-%d"}' % (number, len(answered))
            assert await send(place.app, "/webhooks/acme", signed(body), [body]) == 200
            answered.append(body)

    async def send_without_a_pause() -> None:
        await asyncio.gather(*(sender(number) for number in range(20)))

    with ThreadPoolExecutor(1) as executor:
        busy = executor.submit(asyncio.run, send_without_a_pause())
        try:
            while len(answered) < 100:
                time.sleep(0.01)
            for _ in range(20):
                assert place.collect() == []
        finally:
            over.set()
        busy.result()
    assert place.collect() == []
    assert sorted(place.landed()) == sorted(answered)


def test_what_cannot_be_delivered_waits_and_is_a_warning(place: Place) -> None:
    assert place.post(BODY) == 200
    assert place.post(BODY, workspace="globex") == 200
    (place.landing / "acme").mkdir()
    (place.landing / "acme" / "webhooks").touch()
    for _ in range(2):
        (warning,) = place.collect()
        assert "acme" in warning
        assert str(place.landing) in warning
    assert len(bodies_in(place.landing, "globex/webhooks/*.jsonl")) == 1
    (place.landing / "acme" / "webhooks").unlink()
    assert place.collect() == []
    assert place.landed() == [BODY, BODY]


def test_a_landing_folder_that_is_configured_and_missing_is_not_made(place: Place) -> None:
    assert place.post(BODY) == 200
    place.landing.rmdir()
    (warning,) = place.collect()
    assert "No such file" in warning
    assert not place.landing.exists()
    assert place.kept() == [BODY]


def test_where_there_never_was_a_receiver_nothing_is_collected_or_made(place: Place) -> None:
    assert place.collect() == []
    assert not place.folder.exists()


def test_a_store_of_objects_gets_the_same_files(place: Place) -> None:
    assert place.post(BODY) == 200
    landing = Landing("memory://bucket/landing")
    assert collect(place.folder, landing) == []
    assert not list(place.folder.glob(SEGMENTS))
    (path,) = landing.files.glob("/bucket/landing/acme/webhooks/*.jsonl")
    assert landing.files.cat_file(path) == BODY + b"\n"


def test_a_store_of_objects_that_is_away_is_a_warning_and_nothing_is_lost(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Away(Exception):
        pass

    def refuse(source: str, target: str) -> None:
        raise Away("no route")

    assert place.post(BODY) == 200
    landing = Landing("memory://bucket/landing")
    monkeypatch.setattr(landing.files, "put_file", refuse)
    (warning,) = collect(place.folder, landing)
    assert "no route" in warning
    assert place.kept() == [BODY]


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


class Killed(BaseException):
    """Nothing catches it, as nothing catches a SIGKILL."""


def steps_until_done(work: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Do the work anew, dying one step on the disk later each time, until it is done. Yields after each death."""
    names = ("open", "fsync", "ftruncate", "rename", "replace", "unlink", "mkdir")
    copy = shutil.copyfileobj
    originals = {name: getattr(os, name) for name in names}
    step = 0
    while True:
        left = step

        def dying(name: str) -> Callable[..., object]:
            def call(*arguments: object, **named: object) -> object:
                nonlocal left
                if left == 0:
                    raise Killed(name)
                left -= 1
                return originals[name](*arguments, **named)

            return call

        def copy_half_and_die(source: BinaryIO, target: BinaryIO) -> None:
            nonlocal left
            if left == 0:
                target.write(source.read(12))
                raise Killed("copy")
            left -= 1
            copy(source, target)

        with monkeypatch.context() as patch:
            patch.setattr(shutil, "copyfileobj", copy_half_and_die)
            for name in names:
                patch.setattr(os, name, dying(name))
            try:
                work()
                return
            except Killed:
                pass
        yield step
        step += 1


def test_collecting_that_dies_before_any_step_is_made_good_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deaths = 0
    place = Place(tmp_path / "first")

    def work() -> None:
        place.collect()

    def prepare() -> None:
        nonlocal place
        place.inbox.close()
        place = Place(tmp_path / f"after-{deaths}")
        for number in range(3):
            assert place.post(b'{"n": %d}' % number) == 200
        (segment,) = place.folder.glob(SEGMENTS)
        with segment.open("ab") as file:
            file.write(b'{"torn')

    prepare()
    for step in steps_until_done(work, monkeypatch):
        assert step == deaths
        # A run that only looks at the landing folder sees whole files or none.
        assert bodies_in(place.landing, "acme/webhooks/[!.]*") in ([], [b'{"n": %d}' % n for n in range(3)])
        assert place.post(b'{"n": 3}') == 200
        assert place.collect() == []
        assert place.landed() == [b'{"n": %d}' % number for number in range(4)]
        assert not list(place.landing.glob("acme/webhooks/.*"))
        deaths += 1
        prepare()
    place.inbox.close()
    assert deaths > 8
