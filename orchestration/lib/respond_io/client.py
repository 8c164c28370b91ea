"""A client of respond.io's Developer API v2 for one workspace's token: pages, request rate, retries, clear errors."""

import html
import json
import math
import re
import time
import urllib.parse
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple, NoReturn

import httpx
from pydantic import SecretStr
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from orchestration.lib.problems import Problem

_ITEMS_A_PAGE = 100  # the most the API gives
# An empty page may have a next one. After this many in a row the listing is given up, as it might never end.
_EMPTY_PAGES = 10
_LARGEST_ANSWER = 64 << 20
# 449 is respond.io's "queued, try again later".
_PASSING_STATUSES = frozenset({408, 425, 429, 449, *range(500, 600)})


@dataclass(frozen=True)
class Patience:
    """How often and how long to try a request. Times are in seconds.

    respond.io's own client makes 3 attempts, 1, 2, 4 … 10 s apart. This one makes more, as most fetches are scheduled
    and nobody waits for them.
    """

    attempts: int = 5
    first_wait: float = 1.0
    longest_wait: float = 10.0
    longest_retry_after: float = 300.0
    for_an_answer: float = 60.0  # until its last byte


class Page(NamedTuple):
    """A page of a listing, and the cursor of the next page: None on the last."""

    items: list[Any]
    cursor: str | None


class Unreadable(ValueError):
    """The error of bytes that are not a page. `items` are those that could be read nevertheless."""

    def __init__(self, why: str, items: list[Any] | None = None) -> None:
        super().__init__(why)
        self.items = items or []


class _NotAnswered(Exception):
    """A request that failed, or that returned items and no usable cursor."""

    def __init__(
        self, status: int | None, what: str, retry_after: float | None = None, items: list[Any] | None = None
    ) -> None:
        super().__init__(what)
        self.status = status
        self.what = what
        self.retry_after = retry_after
        self.items = items or []
        self.attempts = 1


class _TryAgain(_NotAnswered):
    """A request that failed, and may succeed the next time."""


class Client:
    """The API with one workspace's token. Counts its requests and the seconds it waited."""

    def __init__(
        self, workspace_id: str, token: SecretStr, url: str, *, rate: float, patience: Patience | None = None
    ) -> None:
        """`rate` is in requests per second, for each method and path. Raises Problem when the token cannot be one."""
        self.workspace_id = workspace_id
        self.requests = 0
        self.waited = 0.0
        self._rate = rate
        self._patience = patience or Patience()
        self._sent: dict[tuple[str, str], deque[float]] = {}
        self._not_before: dict[tuple[str, str], float] = {}
        self._token = token.get_secret_value().strip()
        if not re.fullmatch(r"[!-~]+", self._token):
            # httpx would refuse it as well, and quote it in the error.
            raise Problem(
                f"The token of workspace {workspace_id!r} has characters that no token has",
                "Copy it again into CONTACT_REPORTS_API_TOKENS",
            )
        self._http = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {self._token}"},
            timeout=self._patience.for_an_answer,
            # A proxy of the environment is not used for an address on this machine.
            trust_env=httpx.URL(url).host not in ("127.0.0.1", "::1", "localhost"),
        )

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *error: object) -> None:
        self._http.close()

    def contacts(self, begin: datetime, end: datetime) -> Iterator[list[Any]]:
        """The contacts created from `begin` to `end` (to the minute, any zone), page by page.

        Raises Problem when the API does not give all pages.
        """
        window = {name: f"{at.astimezone(UTC):%Y-%m-%d %H:%M}" for name, at in (("from", begin), ("to", end))}
        created = {"category": "contactField", "field": "createdAt", "operator": "isTimestampBetween", "value": window}
        # All three keys are required; the window is read in the zone named here.
        return self._pages("POST", "/contact/list", {"search": "", "timezone": "UTC", "filter": {"$and": [created]}})

    def users(self) -> Iterator[list[Any]]:
        """The users of the workspace, page by page. Raises Problem like `contacts`."""
        return self._pages("GET", "/space/user")

    def channels(self) -> Iterator[list[Any]]:
        """The channels of the workspace, page by page. Raises Problem like `contacts`."""
        return self._pages("GET", "/space/channel")

    def _pages(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Iterator[list[Any]]:
        cursor: str | None = None
        asked: set[str] = set()
        empty = 0
        while True:
            try:
                items, cursor = self._ask(method, path, cursor, body)
            except _NotAnswered as error:
                if error.items:
                    yield error.items
                self._give_up(method, path, error)
            yield items
            if cursor is None:
                return
            empty = 0 if items else empty + 1
            if cursor in asked:
                self._give_up(method, path, _NotAnswered(200, f"a page that leads back to cursor {cursor[:40]}"))
            if empty == _EMPTY_PAGES:
                self._give_up(method, path, _NotAnswered(200, f"{empty} empty pages, one after the other"))
            asked.add(cursor)

    def _ask(self, method: str, path: str, cursor: str | None, body: Mapping[str, Any] | None) -> Page:
        """One page, after as many attempts as `Patience` allows. Raises _NotAnswered when the last one failed."""
        patience = self._patience
        exponential = wait_exponential(multiplier=patience.first_wait, max=patience.longest_wait)
        enough = stop_after_attempt(patience.attempts)

        def requested_wait(state: RetryCallState) -> float | None:
            error = state.outcome.exception() if state.outcome else None
            return error.retry_after if isinstance(error, _NotAnswered) else None

        retrying = Retrying(
            retry=retry_if_exception_type(_TryAgain),
            stop=lambda state: enough(state) or (requested_wait(state) or 0) > patience.longest_retry_after,
            wait=lambda state: requested_wait(state) or exponential(state),
            sleep=self._wait,
            reraise=True,
        )
        try:
            return retrying(self._ask_once, method, path, cursor, body)
        except _NotAnswered as error:
            error.attempts = retrying.statistics["attempt_number"]
            raise

    def _ask_once(self, method: str, path: str, cursor: str | None, body: Mapping[str, Any] | None) -> Page:
        parameters = {"limit": str(_ITEMS_A_PAGE)} | ({} if cursor is None else {"cursorId": cursor})
        self._keep_the_rate(method, path)
        try:
            with self._http.stream(method, path, params=parameters, json=body) as response:
                self._obey_rate_headers(method, path, response.headers)
                content = self._read(response)
        except httpx.RequestError as error:
            raise _TryAgain(None, f"no answer ({type(error).__name__}: {error})") from None
        status = response.status_code
        if not response.is_success:
            what = f"{status} ({self._message_in(content) or response.reason_phrase or 'without a word'})"
            if status in _PASSING_STATUSES:
                raise _TryAgain(status, what, _retry_after(response.headers))
            raise _NotAnswered(status, what)
        try:
            return read_page(content)
        except Unreadable as error:
            # JSON may contain people's names and numbers, which must not get into a message.
            said = self._message_in(content) if content.lstrip()[:1] == b"<" else f"{len(content):,} bytes"
            what = f"{status} with {error} ({said})"
            raise _TryAgain(status, what, items=error.items) from None

    def _read(self, response: httpx.Response) -> bytes:
        """The body. httpx has a timeout for each chunk only, so a slow answer could go on for ever."""
        until = time.monotonic() + self._patience.for_an_answer
        chunks = bytearray()
        for chunk in response.iter_bytes():
            chunks += chunk
            if time.monotonic() > until:
                raise _TryAgain(None, f"no answer that ended within {self._patience.for_an_answer:g} s")
            if len(chunks) > _LARGEST_ANSWER:
                raise _NotAnswered(response.status_code, f"more than {_LARGEST_ANSWER >> 20} MB")
        return bytes(chunks)

    def _keep_the_rate(self, method: str, path: str) -> None:
        endpoint = (method, path)
        if (wait := self._not_before.get(endpoint, 0.0) - time.monotonic()) > 0:
            self._wait(wait)
        now = time.monotonic()
        self._sent.setdefault(endpoint, deque(maxlen=1000)).append(now)
        self._not_before[endpoint] = now + 1 / self._rate
        self.requests += 1

    def _obey_rate_headers(self, method: str, path: str, headers: httpx.Headers) -> None:
        """Slow down as the answer's headers ask. Their window is not documented, and taken for one second.

        They never speed requests up, as the rate may be set lower than the API's on purpose.
        """
        endpoint = (method, path)
        sent = self._sent[endpoint]
        limit = _positive(headers.get("X-RateLimit-Limit"))
        if limit:
            after = min(1 / limit, self._patience.longest_wait) if limit < self._rate else 0
            self._not_before[endpoint] = max(self._not_before[endpoint], sent[-1] + after)
        if _positive(headers.get("X-RateLimit-Remaining")) == 0:
            began = next(at for at in sent if at > sent[-1] - 1)
            self._not_before[endpoint] = max(self._not_before[endpoint], began + 1)

    def _wait(self, seconds: float) -> None:
        self.waited += seconds
        time.sleep(seconds)

    def _give_up(self, method: str, path: str, error: _NotAnswered) -> NoReturn:
        cure = "Run again later: what was fetched has landed, and the rest is asked for again"
        match error.status:
            case _ if (error.retry_after or 0) > self._patience.longest_retry_after:
                cure = f"It asks us to wait {error.retry_after:,.0f} s, which is too long for a run: run again then"
            case 401 | 403:
                cure = "Check this workspace's token in CONTACT_REPORTS_API_TOKENS"
            case 404:
                cure = "Check CONTACT_REPORTS_API_URL"
            case 429:
                cure = "Lower CONTACT_REPORTS_API_RATE, or run again later"
            case status if status and status < 500 and status not in _PASSING_STATUSES and status != 200:
                cure = "The API is not as we know it: look for changes in respond.io's documentation"
        times = f" at the last of {error.attempts} attempts" if error.attempts > 1 else ""
        what = self._in_short(error.what)
        raise Problem(
            f"respond.io's API, workspace {self.workspace_id!r}: {method} {path} got {what}{times}",
            cure,
            is_transient=isinstance(error, _TryAgain),
        ) from None

    def _message_in(self, content: bytes) -> str:
        """What an answer says: the `message` of JSON, or the text of HTML."""
        text = content[:100_000].decode(errors="replace")
        try:
            answer = json.loads(content)
            if isinstance(answer, dict) and isinstance(answer.get("message"), str):
                text = answer["message"]
        except (ValueError, RecursionError):
            text = re.sub(r"<(style|script)\b.*?</\1>|<[^>]*>", " ", text, flags=re.DOTALL | re.IGNORECASE)
            text = html.unescape(text)
        return self._in_short(text)

    def _in_short(self, text: str) -> str:
        """One line of at most 250 characters, without the token."""
        text = text.replace(self._token, "***")
        text = " ".join("".join(char if char.isprintable() else " " for char in text).split())
        return text if len(text) <= 250 else f"{text[:249]}…"


def read_page(content: bytes) -> Page:
    """The items of a page and the next cursor. Raises Unreadable, which says what the bytes are instead."""
    if content.lstrip().startswith(b"<"):
        raise Unreadable("HTML instead of JSON")
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        raise Unreadable("broken JSON") from None
    if not isinstance(answer, dict) or not isinstance(answer.get("items"), list):
        raise Unreadable("JSON without items")
    if not isinstance(pagination := answer.get("pagination"), dict):
        raise Unreadable("JSON without pagination")
    try:
        return Page(answer["items"], _cursor(pagination.get("next")))
    except ValueError as error:
        raise Unreadable(str(error), answer["items"]) from None


def _cursor(following: object) -> str | None:
    """The cursor in `next`, which is an address, a cursor, or on the last page null or "". No address is followed."""
    if isinstance(following, str) and re.search("[/?=]", following):
        try:
            query = urllib.parse.parse_qs(urllib.parse.urlsplit(following).query, keep_blank_values=True)
        except ValueError:
            query = {}
        following = query.get("cursorId", [False])[0]
    if following is None or following == "":
        return None
    if type(following) in (int, str) and re.fullmatch("[!-~]{1,200}", cursor := str(following)):
        return cursor
    raise ValueError("a next page that names no cursorId")


def _retry_after(headers: httpx.Headers) -> float | None:
    """Seconds to wait; None when the header is absent or cannot be read."""
    value = headers.get("Retry-After")
    if (seconds := _positive(value)) is not None:
        return seconds
    try:
        at = parsedate_to_datetime(value or "")
        return max((at.astimezone(UTC) - datetime.now(UTC)).total_seconds(), 0)
    except (ValueError, OverflowError):
        return None


def _positive(value: str | None) -> float | None:
    """A header's number; None when it is no number, negative or not finite."""
    try:
        number = float(value or "")
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None
