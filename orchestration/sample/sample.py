"""Writes the landing folder of the sample.

The contacts that a workspace adds on a day, and all their later events, depend only on the workspace, the day and the
sample's first day. So the file of any day can be written at any time, and the next call completes what a killed one
left.
"""

import gzip
import json
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.sample.connectors import behind_api, write_from_api, write_report_logs, write_webhooks
from orchestration.sample.files import as_csv, write_once
from orchestration.sample.stories import STORY_DAYS, DayOfContacts, Delivery
from orchestration.sample.workspaces import Channel, User, Workspace, sample_workspaces

if TYPE_CHECKING:
    from orchestration.sample import stand_in

_DAYS = 90  # written by the first call, today included
# Directories are exported on the first day, and again when all who leave have left.
_DIRECTORY_DAYS = (0, 64)

_IDENTITY_FIELDS = ("event_id", "event_type", "occurred_at", "contact_id", "contact_name")
_EVENT_FIELDS = (*_IDENTITY_FIELDS, "source", "user_id", "channel_id", "merged_contact_id")


def write_sample(folder: Path, now: datetime) -> bool:
    """Write the files of the sample up to `now` that the landing folder does not have. True if there were any."""
    today = now.astimezone(UTC).date()
    first = _first_day(folder) or today - timedelta(days=_DAYS - 1)
    wrote = False
    for workspace in sample_workspaces():
        match workspace.arrives_by:
            case "events":
                wrote |= _write_events(folder, workspace, first, now)
                wrote |= _write_directories(folder, workspace, first)
            case "report logs":
                wrote |= write_report_logs(folder, workspace, first, now)
                wrote |= _write_directories(folder, workspace, first)
            case "api":
                wrote |= write_from_api(folder, workspace, first, now)
                wrote |= write_webhooks(folder, workspace, first, now)
    # Last, because it completes the sample: without it no file is loaded.
    listing = [("workspace_id", "workspace_name", "timezone")]
    listing += [(each.workspace_id, each.workspace_name, each.timezone) for each in sample_workspaces()]
    return write_once(folder / "workspaces.csv", as_csv(listing)) or wrote


def sample_behind_api(now: datetime) -> "stand_in.Workspace":
    """What a stand-in of respond.io's API returns: 90 days of the workspace that comes by the API."""
    (workspace,) = (each for each in sample_workspaces() if each.arrives_by == "api")
    first = now.astimezone(UTC).date() - timedelta(days=_DAYS - 1)
    return behind_api(workspace, [first + timedelta(days=number) for number in range(_DAYS)], first, now)


def _first_day(folder: Path) -> date | None:
    """The first day of the sample in the folder; None when it has no events yet."""
    paths = (path for each in sample_workspaces() for path in folder.glob(f"{each.workspace_id}/events/[0-9]*"))
    return min((date.fromisoformat(path.name[:10]) for path in paths), default=None)


def _write_directories(folder: Path, workspace: Workspace, first: date) -> bool:
    wrote = False
    for day in _DIRECTORY_DAYS:
        users = [
            (user.user_id, user.user_name, _deleted_at(user, first, day))
            for user in workspace.users
            if user.in_directory
        ]
        channels = [
            (channel.channel_id, channel.channel_name, channel.channel_type, _deleted_at(channel, first, day))
            for channel in workspace.channels
        ]
        users_file = as_csv([("user_id", "user_name", "deleted_at"), *users])
        channels_file = as_csv([("channel_id", "channel_name", "channel_type", "deleted_at"), *channels])
        name = f"{first + timedelta(days=day)}.csv"
        wrote |= write_once(folder / workspace.workspace_id / "users" / name, users_file)
        wrote |= write_once(folder / workspace.workspace_id / "channels" / name, channels_file)
    return wrote


def _deleted_at(member: User | Channel, first: date, known_on_day: int) -> str:
    if member.deleted_on_day is None or member.deleted_on_day > known_on_day:
        return ""
    return f"{first + timedelta(days=member.deleted_on_day)}T00:00:00Z"


def _write_events(folder: Path, workspace: Workspace, first: date, now: datetime) -> bool:
    events = folder / workspace.workspace_id / "events"
    days = [first + timedelta(days=n) for n in range((now.astimezone(UTC).date() - first).days + 1)]
    paths = {day: events / f"{day}{workspace.file_suffix}" for day in days}
    arrived: dict[date, list[Delivery]] = {day: [] for day, path in paths.items() if not path.exists()}
    added_on = {day - timedelta(days=n) for day in arrived for n in range(STORY_DAYS + 1)}
    for added_day in sorted(added_on.intersection(days)):
        for delivery in DayOfContacts(workspace, added_day, first).deliveries():
            if delivery.arrives_at <= now and delivery.arrives_at.date() in arrived:
                arrived[delivery.arrives_at.date()].append(delivery)
    wrote = False
    for day, deliveries in arrived.items():
        if deliveries:
            deliveries.sort(key=lambda delivery: delivery.arrives_at)
            wrote |= write_once(paths[day], _event_file(workspace, deliveries))
    return wrote


def _event_file(workspace: Workspace, deliveries: Iterable[Delivery]) -> bytes:
    if workspace.file_suffix == ".csv":
        rows = [
            [each.record.get(field) for field in (_IDENTITY_FIELDS if each.is_cut_off else _EVENT_FIELDS)]
            for each in deliveries
        ]
        return as_csv([_EVENT_FIELDS, *rows])
    lines = []
    for each in deliveries:
        fields = {field: value for field, value in each.record.items() if value is not None}
        line = json.dumps(fields, ensure_ascii=False)
        lines.append(line[: len(line) * 2 // 3] if each.is_cut_off else line)
    content = "".join(f"{line}\n" for line in lines).encode()
    # Without the time of compression, so that the same content gives the same bytes.
    return gzip.compress(content, mtime=0) if workspace.file_suffix == ".jsonl.gz" else content
