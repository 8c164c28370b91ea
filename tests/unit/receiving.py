"""A receiver with its folders, for tests that send to it and collect from it."""

import asyncio
from pathlib import Path

from starlette.types import ASGIApp, Receive, Send

from orchestration.lib.landing.listing import Landing
from orchestration.lib.receiver.app import create_app
from orchestration.lib.receiver.collecting import collect
from orchestration.lib.receiver.inbox import SEGMENT_BYTES, Inbox
from tests.webhooks import KEYS, Headers, bodies_in, send, signed

BODY = b'{"event_type": "contact.created", "event_id": "1"}'
LIMIT = 1000
SEGMENTS = "*/*.jsonl*"


class Place:
    """A receiver's folder, a landing folder, and the application that works on them."""

    def __init__(self, folder: Path, segment_bytes: int = SEGMENT_BYTES) -> None:
        self.folder = folder / "data" / "receiver"
        self.landing = folder / "landing"
        self.landing.mkdir(parents=True)
        self.inbox = Inbox(self.folder, segment_bytes)
        self.lock_seconds: dict[str, float] = {}
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
        return collect(self.folder, Landing(str(self.landing)), **self.lock_seconds)

    def landed(self) -> list[bytes]:
        assert not list(self.folder.glob(SEGMENTS))
        return bodies_in(self.landing, "*/webhooks/*.jsonl")
