"""The receiver as an ASGI application: how each request is answered."""

import asyncio
import base64
import hashlib
import hmac
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from orchestration.lib.receiver.inbox import Inbox

# respond.io's bodies are a few kilobytes.
BODY_LIMIT_BYTES = 1 << 20

# A larger body is a large one. Only so many large ones are read at once, so that senders without a key take no more
# memory than these.
SMALL_BODY_BYTES = 64 << 10
LARGE_BODIES = 32

# A slow sender keeps a connection busy. A normal one needs a fraction of a second.
BODY_SECONDS = 30.0

# base64(HMAC-SHA256(body, key)), as respond.io signs.
SIGNATURE_HEADER = "x-webhook-signature"

Keys = Mapping[str, Sequence[bytes]]

_log = logging.getLogger(__name__)


def create_app(
    keys: Keys, inbox: Inbox, *, body_limit: int = BODY_LIMIT_BYTES, body_seconds: float = BODY_SECONDS
) -> ASGIApp:
    """The application that keeps bodies in `inbox` if they are signed with one of the workspace's `keys`.

    `body_limit` is in bytes; `body_seconds` is how long a body may take to arrive.
    """

    large_bodies = asyncio.Semaphore(LARGE_BODIES)

    async def webhook(request: Request) -> Response:
        workspace_id = request.path_params["workspace_id"]
        if workspace_id not in keys:
            return Response(status_code=404)
        if SIGNATURE_HEADER not in request.headers:
            return Response(status_code=401)
        try:
            async with asyncio.timeout(body_seconds):
                body = await _read_body(request, large_bodies)
        except _TooManyLargeBodies:
            return Response(status_code=503)
        except TimeoutError:
            return Response(status_code=408, headers={"connection": "close"})
        except ClientDisconnect:
            return Response(status_code=400)  # Only for the log.
        # Starlette decodes headers as Latin-1, so this returns the bytes that were sent.
        if not is_signed(body, request.headers[SIGNATURE_HEADER].encode("latin-1"), keys[workspace_id]):
            return Response(status_code=401)
        if not body.strip():
            return Response(status_code=400)
        try:
            await inbox.keep(workspace_id, body)
        except OSError:
            return Response(status_code=503)
        return Response(status_code=200)

    async def health(request: Request) -> Response:
        try:
            await inbox.check()
        except OSError:
            return JSONResponse({"ok": False, "kept": inbox.kept}, status_code=503)
        return JSONResponse({"ok": True, "kept": inbox.kept})

    app = Starlette(
        routes=[
            Route("/webhooks/{workspace_id}", webhook, methods=["POST"], max_body_size=body_limit),
            Route("/health", health),
        ],
        exception_handlers={HTTPException: _without_detail},
        lifespan=_closing(inbox),
    )
    # Otherwise a path with a surplus slash is answered with a redirect.
    app.router.redirect_slashes = False
    return _AccessLog(app)


def is_signed(body: bytes, signature: bytes, keys: Sequence[bytes]) -> bool:
    """Whether `signature` is that of `body` with one of the keys. Takes the same time for all signatures."""
    matches = [hmac.compare_digest(base64.b64encode(hmac.digest(key, body, hashlib.sha256)), signature) for key in keys]
    return any(matches)


class _TooManyLargeBodies(Exception):
    """As many large bodies as allowed are being read."""


async def _read_body(request: Request, large_bodies: asyncio.Semaphore) -> bytes:
    body = bytearray()
    async with AsyncExitStack() as places:
        async for chunk in request.stream():
            if len(body) <= SMALL_BODY_BYTES < len(body) + len(chunk):
                if large_bodies.locked():
                    raise _TooManyLargeBodies
                await places.enter_async_context(large_bodies)
            body += chunk
    return bytes(body)


async def _without_detail(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return Response(status_code=error.status_code, headers=error.headers)


def _closing(inbox: Inbox) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        inbox.close()

    return lifespan


class _AccessLog:
    """Logs method, path and status of every request. Uvicorn's own access log has the query too, where a key may be."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def log_and_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                _log.info("%s %.200s %d", scope["method"], quote(scope["path"], errors="replace"), message["status"])
            await send(message)

        await self._app(scope, receive, log_and_send if scope["type"] == "http" else send)
