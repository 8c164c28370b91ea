"""Access control: host names, password, and the security headers of every response."""

import asyncio
import base64
import binascii
import hashlib
import hmac
import ipaddress
import logging
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from orchestration.lib.problems import Problem
from orchestration.lib.serving.connections import HEAD_BYTES
from page.answers import address_of_request, error_answer
from page.texts import Sentence

# Another website can have its name point to 127.0.0.1 (DNS rebinding). The browser then sends that name as the host.
LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})

# The browser runs no script, loads nothing from other sites, and lets no other site frame a page.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_NOT_KEPT = "private, no-cache"
_METHODS = ("GET", "HEAD")
_NO_PASSWORD_NEEDED = "/health"  # noqa: S105
_CHALLENGE = {"WWW-Authenticate": 'Basic realm="contact-reports", charset="UTF-8"'}
_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^:\[\]]+)(?::[0-9]{1,5})?")

# Wrong passwords are answered one a second. If this many answers are waiting, further ones get 429 at once.
_SECONDS_PER_FAILURE = 1.0
_WAITING_FAILURES = 10

_log = logging.getLogger(__name__)


def required_hosts(address: str, *, has_password: bool) -> frozenset[str] | None:
    """The host names that a server on this address accepts; None for any name.

    Raises Problem if other machines could read the page without a password.
    """
    if has_password:
        # A browser sends the password only to the host name it was entered for.
        return None
    # An IPv6 address may have a zone id.
    if not ipaddress.ip_address(address.partition("%")[0]).is_loopback:
        raise Problem(
            f"On {address} others could read the report page without a password",
            "Set CONTACT_REPORTS_PAGE_PASSWORD, or leave out --host: then only this machine reaches it",
        )
    return LOCAL_NAMES | {f"[{address}]" if ":" in address else address}


class Turns:
    """Delays the answers to wrong passwords: one at a time, and at most so many waiting."""

    def __init__(self, seconds: float = _SECONDS_PER_FAILURE, waiting: int = _WAITING_FAILURES) -> None:
        self._seconds, self._most = seconds, waiting
        self._next = 0.0

    async def wait(self) -> bool:
        """Wait for a turn. Returns False at once if the maximum is waiting already."""
        now = asyncio.get_running_loop().time()
        turn = max(now, self._next)
        if turn - now > self._most * self._seconds:
            return False
        self._next = turn + self._seconds
        await asyncio.sleep(turn - now)
        return True


@dataclass(frozen=True)
class Access:
    """The host names that are accepted, and the password."""

    hosts: frozenset[str] | None  # None: any name
    password: bytes | None
    turns: Turns = field(default_factory=Turns)

    def is_known(self, credentials: bytes) -> bool:
        """Whether the value of an Authorization header has the password. The comparison takes constant time."""
        assert self.password is not None
        scheme, _, given = credentials.partition(b" ")
        match scheme.lower():
            case b"bearer":
                password = given.strip()
            case b"basic":
                try:
                    decoded = base64.b64decode(given.strip(), validate=True)
                except binascii.Error:
                    return False
                password = decoded.partition(b":")[2]
            case _:
                return False
        # The digests have equal lengths: compare_digest leaks the length of its arguments if these differ.
        return hmac.compare_digest(hashlib.sha256(password).digest(), hashlib.sha256(self.password).digest())


class Guard:
    """ASGI middleware: refuses requests without access, and adds the security headers to every response."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app, self._access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message.setdefault("headers", [])
                _guard(MutableHeaders(scope=message))
            await send(message)

        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif refused := await self._refusal(scope):
            await refused(scope, receive, send_guarded)
        else:
            await self._app(scope, receive, send_guarded)

    async def _refusal(self, scope: Scope) -> Response | None:
        address, headers = address_of_request(scope), Headers(scope=scope)
        if scope["method"] not in _METHODS:
            return error_answer(address, 405, Sentence("failed_method"), headers={"Allow": "GET, HEAD"})
        if self._access.hosts is not None and not _is_named(headers.get("host", ""), self._access.hosts):
            names = ", ".join(sorted(self._access.hosts))
            return error_answer(address, 421, Sentence("failed_host", {"names": names}))
        if _is_of_another_site(headers):
            return error_answer(address, 403, Sentence("failed_other_site"))
        if self._access.password is not None and scope["path"] != _NO_PASSWORD_NEEDED:
            return await self._unknown(address, [value for name, value in scope["headers"] if name == b"authorization"])
        return None

    async def _unknown(self, address: str, credentials: list[bytes]) -> Response | None:
        if len(credentials) == 1 and self._access.is_known(credentials[0]):
            return None
        # A browser sends its first request without a password. This is not a failed attempt.
        if credentials and not await self._access.turns.wait():
            return error_answer(
                address,
                429,
                Sentence("failed_attempts"),
                headers={"Retry-After": str(_WAITING_FAILURES), "Connection": "close"},
            )
        message = Sentence("failed_password" if credentials else "failed_no_password")
        return error_answer(address, 401, message, headers=_CHALLENGE)


def _guard(headers: MutableHeaders) -> None:
    headers.update(HEADERS)
    headers.setdefault("Cache-Control", _NOT_KEPT)


def _is_named(host: str, names: Iterable[str]) -> bool:
    found = _HOST.fullmatch(host)
    return found is not None and found[1].lower() in names


def _is_of_another_site(headers: Headers) -> bool:
    """Whether another website made the browser send this, other than by a link: for an image, a frame or a script."""
    if headers.get("sec-fetch-site") not in ("cross-site", "same-site"):
        return False
    return headers.get("sec-fetch-mode") != "navigate" or headers.get("sec-fetch-dest") != "document"


def answer_to_long_head(beginning: bytes) -> bytes:
    """The complete response to a request with a head that is too long. `beginning` is the first part of the head."""
    line, end, _ = beginning.partition(b"\r\n")
    method, _, target = line.decode("latin-1").partition(" ")
    path = target.partition("?")[0]
    what, status = (
        ("header", HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE) if end else ("address", HTTPStatus.REQUEST_URI_TOO_LONG)
    )
    message = Sentence(f"failed_long_{what}", {"most": HEAD_BYTES >> 10})
    response = error_answer(target.partition(" ")[0], status, message, headers={"Connection": "close"})
    _guard(response.headers)
    _log.info("%.20s %.200s %d", quote(method), quote(path), status)
    head = [f"HTTP/1.1 {status.value} {status.phrase}".encode()]
    head += [b"%s: %s" % header for header in response.raw_headers]
    return b"\r\n".join([*head, b"", b"" if method == "HEAD" else bytes(response.body)])


class AccessLog:
    """Logs method, path, status and duration of every request. The query is not logged: it may contain names."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # 499, as in nginx: the client closed the connection before the response.
        began, status = time.monotonic(), 499

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        finally:
            milliseconds = 1000 * (time.monotonic() - began)
            path = quote(scope["path"], errors="replace")
            _log.info("%s %.200s %d %.0f ms", scope["method"], path, status, milliseconds)
