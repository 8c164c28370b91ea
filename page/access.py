"""Who is answered: names, password, length of a request, and the headers of every answer."""

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
from page.answers import error_answer

# Another website can have its name point to 127.0.0.1 (DNS rebinding). The browser then sends that name as the host.
LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})

# Nothing runs in a page, nothing of another site is loaded, and no other site shows a page of ours.
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

# A wrong password is answered after those before it, one a second. More than this many do not wait for that.
_SECONDS_PER_FAILURE = 1.0
_WAITING_FAILURES = 10

_log = logging.getLogger(__name__)


def required_hosts(address: str, *, has_password: bool) -> frozenset[str] | None:
    """The names under which a server that listens on this address answers; None where it answers under any.

    Raises Problem where it would be open to others.
    """
    if has_password:
        # A browser gives the password of one name to no other.
        return None
    # An IPv6 address may have a zone.
    if not ipaddress.ip_address(address.partition("%")[0]).is_loopback:
        raise Problem(
            f"On {address} others could read the report page without a password",
            "Set CONTACT_REPORTS_PAGE_PASSWORD, or leave out --host: then only this machine reaches it",
        )
    return LOCAL_NAMES | {f"[{address}]" if ":" in address else address}


class Turns:
    """Has those wait who failed: one after the other, and not too many."""

    def __init__(self, seconds: float = _SECONDS_PER_FAILURE, waiting: int = _WAITING_FAILURES) -> None:
        self._seconds, self._most = seconds, waiting
        self._next = 0.0

    async def wait(self) -> bool:
        """Wait for a turn. False, at once, where as many wait as may."""
        now = asyncio.get_running_loop().time()
        turn = max(now, self._next)
        if turn - now > self._most * self._seconds:
            return False
        self._next = turn + self._seconds
        await asyncio.sleep(turn - now)
        return True


@dataclass(frozen=True)
class Access:
    """Who is answered."""

    hosts: frozenset[str] | None  # None: under any name
    password: bytes | None
    turns: Turns = field(default_factory=Turns)

    def is_known(self, credentials: bytes) -> bool:
        """Whether the value of an Authorization header has the password. Takes the same time for all passwords."""
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
        # The comparison of texts of different lengths tells the length.
        return hmac.compare_digest(hashlib.sha256(password).digest(), hashlib.sha256(self.password).digest())


class Guard:
    """Answers what may be answered, refuses all else, and gives every answer the same headers."""

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
        path, headers = scope["path"], Headers(scope=scope)
        length = len(scope["raw_path"]) + len(scope["query_string"])
        if status := _too_long(length, sum(len(name) + len(value) + 4 for name, value in scope["headers"])):
            return _length_refused(path, status)
        if scope["method"] not in _METHODS:
            return error_answer(
                path, 405, "Only GET and HEAD are possible: nothing is written here", headers={"Allow": "GET, HEAD"}
            )
        if self._access.hosts is not None and not _is_named(headers.get("host", ""), self._access.hosts):
            names = ", ".join(sorted(self._access.hosts))
            return error_answer(
                path, 421, f"Without a password this page answers under these names only: {names}. Use one of them"
            )
        if _is_of_another_site(headers):
            return error_answer(path, 403, "Another website asked for this. Open it by its address, or by a link")
        if self._access.password is not None and path != _NO_PASSWORD_NEEDED:
            return await self._unknown(path, [value for name, value in scope["headers"] if name == b"authorization"])
        return None

    async def _unknown(self, path: str, credentials: list[bytes]) -> Response | None:
        if len(credentials) == 1 and self._access.is_known(credentials[0]):
            return None
        # A browser asks without a password first.
        if credentials and not await self._access.turns.wait():
            return error_answer(
                path,
                429,
                "Too many wrong passwords at once. Try again in some seconds",
                headers={"Retry-After": str(_WAITING_FAILURES), "Connection": "close"},
            )
        message = "The password is wrong" if credentials else "A password is needed. Any user name will do"
        return error_answer(path, 401, message, headers=_CHALLENGE)


def _guard(headers: MutableHeaders) -> None:
    headers.update(HEADERS)
    headers.setdefault("Cache-Control", _NOT_KEPT)


def _is_named(host: str, names: Iterable[str]) -> bool:
    found = _HOST.fullmatch(host)
    return found is not None and found[1].lower() in names


def _is_of_another_site(headers: Headers) -> bool:
    """Whether a browser asks on behalf of another website, other than by a link: for a picture, a frame, a script."""
    if headers.get("sec-fetch-site") not in ("cross-site", "same-site"):
        return False
    return headers.get("sec-fetch-mode") != "navigate" or headers.get("sec-fetch-dest") != "document"


def _too_long(request_line: int, headers: int) -> int | None:
    if request_line > HEAD_BYTES:
        return HTTPStatus.REQUEST_URI_TOO_LONG
    return HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE if request_line + headers > HEAD_BYTES else None


def _length_refused(path: str, status: int) -> Response:
    what = "address" if status == HTTPStatus.REQUEST_URI_TOO_LONG else "header"
    return error_answer(
        path,
        status,
        f"The {what} of the request is too long. A request has at most {HEAD_BYTES >> 10} KiB: choose fewer values",
        headers={"Connection": "close"},
    )


def answer_to_long_head(beginning: bytes) -> bytes:
    """The whole answer to a request whose head is too long to be read, which begins so."""
    line, end, _ = beginning.partition(b"\r\n")
    method, _, target = line.decode("latin-1").partition(" ")
    path = target.partition("?")[0]
    status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE if end else HTTPStatus.REQUEST_URI_TOO_LONG
    response = _length_refused(path, status)
    _guard(response.headers)
    _log.info("%.20s %.200s %d", quote(method), quote(path), status)
    head = [f"HTTP/1.1 {status.value} {status.phrase}".encode()]
    head += [b"%s: %s" % header for header in response.raw_headers]
    return b"\r\n".join([*head, b"", b"" if method == "HEAD" else bytes(response.body)])


class AccessLog:
    """Logs method, path, status and duration of every request. Not the query, where names may be."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # Where nothing is answered: 499 is nginx's for a client that has gone.
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
