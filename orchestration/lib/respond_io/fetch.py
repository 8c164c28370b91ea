"""Fetches from respond.io's API into the landing folder: contacts by the day they were created, users and channels.

    <workspace_id>/api/contacts-20261121T0000Z-20261122T0000Z.jsonl     all contacts created in that window (UTC)
    <workspace_id>/api/contacts-partial-<when>.jsonl                    the contacts of a listing that broke off
    <workspace_id>/api/users.jsonl, channels.jsonl                      the whole listing, sorted

Only the names record what was fetched. A file appears whole or not at all. A file of contacts is never replaced.
"""

import json
import re
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import IO, Any

from orchestration.lib.folders import flush_to_disk, make_landing_folder
from orchestration.lib.landing.listing import Landing, is_listed
from orchestration.lib.problems import Problem
from orchestration.lib.respond_io.client import Client

# A contact may take this long from its creation until listings show it. respond.io does not say how long; this is our
# choice. A contact that comes twice counts once.
OVERLAP = timedelta(minutes=60)
# The days of the first fetch. Earlier days are fetched by a backfill.
FIRST_DAYS = 7

_MINUTE = "%Y%m%dT%H%MZ"
_WINDOW = re.compile(r"contacts-(\d{8}T\d{4}Z)-(\d{8}T\d{4}Z)(?:-\d+)?\.jsonl")
_DAY = timedelta(days=1)

Window = tuple[datetime, datetime]


@dataclass
class Fetched:
    """The number of contacts that were fetched, and the file they are in."""

    contacts: int = 0
    file: str | None = None


def fetch_contacts(client: Client, landing: Landing, day: date, now: datetime) -> Fetched:
    """Fetch the contacts created on a day (UTC), until `now` at most, into one file of the landing folder.

    A day that was fetched in part is continued, with an overlap. A day that was fetched whole is fetched whole again.
    When the listing breaks off, the contacts so far land under a name without a window, and Problem is raised.
    """
    fetched = Fetched()
    if (window := _window(landing, client.workspace_id, day, now)) is None:
        return fetched
    begin, end = window
    with tempfile.NamedTemporaryFile() as spool:
        try:
            for items in client.contacts(begin, end):
                spool.writelines(map(_line, items))
                fetched.contacts += len(items)
        except BaseException:
            if fetched.contacts:
                _add(landing, client.workspace_id, f"contacts-partial-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}", spool)
            raise
        name = f"contacts-{begin:{_MINUTE}}-{end:{_MINUTE}}"
        fetched.file = _add(landing, client.workspace_id, name, spool)
    return fetched


def fetch_directories(client: Client, landing: Landing) -> list[str]:
    """Fetch all users and channels. Each complete listing replaces the previous one. Returns the paths."""
    paths = []
    for name, pages in (("users", client.users()), ("channels", client.channels())):
        # Sorted, so that the same members give the same bytes in whatever order they come.
        items = sorted((item for page in pages for item in page), key=_by_id)
        paths.append(f"{client.workspace_id}/api/{name}.jsonl")
        with tempfile.NamedTemporaryFile() as spool:
            spool.writelines(map(_line, items))
            _deliver(landing, paths[-1], spool)
    return paths


def windows_of(landing: Landing, workspace_id: str) -> list[Window]:
    """The windows in the names of a workspace's files, in order."""
    landing.files.invalidate_cache()
    try:
        entries = landing.files.ls(landing.absolute(f"{workspace_id}/api"), detail=False)
    except FileNotFoundError:
        return []
    windows = []
    for entry in entries:
        if match := _WINDOW.fullmatch(entry.rsplit("/", 1)[-1]):
            try:
                begins, ends = (datetime.strptime(text, _MINUTE).replace(tzinfo=UTC) for text in match.groups())
            except ValueError:
                continue
            windows.append((begins, ends))
    return sorted(windows)


def fetched_until(windows: list[Window], day: date) -> datetime:
    """The time up to which a day (UTC) was fetched without a gap; the day's beginning when it was not fetched."""
    until, end = _bounds(day)
    for begins, ends in windows:
        if begins <= until:
            until = max(until, ends)
    return min(until, end)


def days_to_fetch(landing: Landing, workspace_id: str, today: date) -> tuple[date, date]:
    """The first and last day (UTC) to fetch: from the end of the newest window to today; without windows, a week."""
    windows = windows_of(landing, workspace_id)
    first = max((ends.date() for _, ends in windows), default=today - (FIRST_DAYS - 1) * _DAY)
    # A later day may have been fetched by a backfill while an earlier one was fetched in part.
    while _bounds(first - _DAY)[0] < fetched_until(windows, first - _DAY) < _bounds(first)[0]:
        first -= _DAY
    return min(first, today), today


def check_workspace_id(workspace_id: str) -> None:
    """Raise Problem when a workspace of the tokens cannot be a folder of the landing folder."""
    if not is_listed(workspace_id) or not workspace_id.isprintable() or re.search(r"[/\\]", workspace_id):
        raise Problem(
            f"CONTACT_REPORTS_API_TOKENS names workspace {workspace_id!r}, which cannot be a folder",
            "Name it as in workspaces.csv",
        )


def _window(landing: Landing, workspace_id: str, day: date, now: datetime) -> Window | None:
    """The window to fetch; None when the day has not begun."""
    first, last = _bounds(day)
    end = min(now.astimezone(UTC).replace(second=0, microsecond=0), last)
    if end <= first:
        return None
    until = fetched_until(windows_of(landing, workspace_id), day)
    if until == last or (until == first and end == last):
        return first, last
    return min(until, end) - OVERLAP, end


def _bounds(day: date) -> Window:
    midnight = datetime.combine(day, time(), UTC)
    return midnight, midnight + _DAY


def _line(item: Any) -> bytes:
    """An item on one line. Half of a surrogate pair remains an escape."""
    text = json.dumps(item, ensure_ascii=False, separators=(",", ":"))
    return text.encode(errors="backslashreplace") + b"\n"


def _by_id(item: Any) -> tuple[int, str]:
    """The key to sort members by: the id where it is a number, then the whole item."""
    member_id = item.get("id") if isinstance(item, dict) else None
    return member_id if isinstance(member_id, int) else 0, json.dumps(item, sort_keys=True)


def _add(landing: Landing, workspace_id: str, name: str, spool: IO[bytes]) -> str:
    """Deliver a file of contacts, under a numbered name if another file has its name. Returns the path.

    The other file stays, as the raw zone may not have loaded it yet.
    """
    number = 1
    while True:
        path = f"{workspace_id}/api/{name}{'' if number == 1 else f'-{number}'}.jsonl"
        if not landing.files.exists(landing.absolute(path)) or _is_same(landing, path, spool):
            _deliver(landing, path, spool)
            return path
        number += 1


def _is_same(landing: Landing, path: str, spool: IO[bytes]) -> bool:
    spool.seek(0)
    with landing.files.open(landing.absolute(path), "rb") as stream:
        while True:
            landed, fetched = stream.read(1 << 20), spool.read(1 << 20)
            if landed != fetched:
                return False
            if not landed:
                return True


def _deliver(landing: Landing, path: str, spool: IO[bytes]) -> None:
    """Put a file into the landing folder in one step, unless the same bytes are there already."""
    spool.flush()
    with _writing(landing, path):
        if landing.files.exists(landing.absolute(path)) and _is_same(landing, path, spool):
            return
        if not landing.is_local:
            landing.files.put_file(spool.name, landing.absolute(path))
            return
        target = Path(landing.absolute(path))
        make_landing_folder(target.parent)
        hidden = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
        try:
            shutil.copyfile(spool.name, hidden)
            flush_to_disk(hidden)
            hidden.replace(target)
        finally:
            hidden.unlink(missing_ok=True)
        flush_to_disk(target.parent)


@contextmanager
def _writing(landing: Landing, path: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if landing.is_local:
            raise
        # The errors of S3 have many types and no common one.
        raise Problem(
            f"{path} cannot be written to the landing folder {landing.url}: {error}",
            "Check the bucket, the network, and the credentials in the AWS_* variables",
        ) from error
