"""The sample's workspaces without event files: one comes by report logs, one by the API and webhooks."""

import csv
import io
import json
import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from orchestration.lib.landing.listing import Landing
from orchestration.sample.files import write_once
from orchestration.sample.stories import STORY_DAYS, ClearDayOfContacts, Delivery, Record
from orchestration.sample.workspaces import Channel, User, Workspace

if TYPE_CHECKING:
    from orchestration.sample import stand_in

# Each morning the logs of the last seven days are downloaded. In one week they were not, so no file has its first day.
_DOWNLOADED_AT = time(9)
_DAYS_BEFORE = 6
_NOT_DOWNLOADED = range(70, 77)

_AD_COLUMNS = ("Sub Source", "Ad campaign ID", "Ad group ID", "Ad ID")
_LOG_COLUMNS = {
    "added": ("Timestamp", "Contact ID", "Contact Name", "Source", *_AD_COLUMNS, "User"),
    "connected": ("Timestamp", "Contact ID", "Contact Name", "Source", *_AD_COLUMNS, "Channel", "User"),
    "deleted": ("Timestamp", "Contact ID", "Contact Name", "Source", "User"),
    "merged": ("Timestamp", "Primary Contact ID", "Contact Name", "Source", "User"),
}

# The day the webhooks were switched on. There are none of the time before.
_WEBHOOKS_FROM = 30
_FAILED = 0.03
_CLOSED = 0.15


def write_report_logs(folder: Path, workspace: Workspace, first: date, now: datetime) -> bool:
    """Write the missing downloads: four logs each morning, which overlap with those of the days before."""
    zone = ZoneInfo(workspace.timezone)
    missing: dict[int, dict[str, Path]] = {}
    for number in set(range((now.astimezone(zone).date() - first).days + 1)).difference(_NOT_DOWNLOADED):
        day = first + timedelta(days=number)
        logs = folder / workspace.workspace_id / "report_logs"
        paths = {log: logs / f"contacts-{log}-{day}.csv" for log in _LOG_COLUMNS}
        if datetime.combine(day, _DOWNLOADED_AT, zone) <= now and not all(path.exists() for path in paths.values()):
            missing[number] = paths
    if not missing:
        return False
    stories = _stories(workspace, first, min(missing) - _DAYS_BEFORE, max(missing))
    stories.sort(key=lambda delivery: delivery.arrives_at, reverse=True)
    for number, paths in missing.items():
        day = first + timedelta(days=number)
        since = datetime.combine(day - timedelta(days=_DAYS_BEFORE), time(), zone).astimezone(UTC)
        until = datetime.combine(day, _DOWNLOADED_AT, zone).astimezone(UTC)
        records = [delivery.record for delivery in stories if since <= delivery.arrives_at < until]
        for log, path in paths.items():
            write_once(path, _log(workspace, log, [each for each in records if each["event_type"] == log], number))
    return True


def _log(workspace: Workspace, log: str, records: list[Record], number: int) -> bytes:
    """A log as the page exports it on a day: users and channels are names, and `-` stands for a missing value."""
    users = {
        each.user_id: each.user_name
        for each in workspace.users
        if each.deleted_on_day is None or each.deleted_on_day > number
    }
    channels = {each.channel_id: each.channel_name for each in workspace.channels}
    text = io.StringIO()
    writer = csv.DictWriter(text, _LOG_COLUMNS[log], restval="-", extrasaction="ignore", quoting=csv.QUOTE_ALL)
    writer.writeheader()
    for record in records:
        user_id, channel_id = record["user_id"], record.get("channel_id")
        row = {
            "Timestamp": record["occurred_at"],
            "Contact ID": record["contact_id"],
            "Primary Contact ID": record["contact_id"],
            "Contact Name": _guarded(str(record["contact_name"] or "-")),
            "Source": record["source"] or "-",
            "User": users.get(str(user_id), user_id or "-"),
            "Channel": channels.get(str(channel_id), channel_id or "-"),
        }
        if record["source"] == "Paid Ads":
            ad = Random(str(record["contact_id"])).randrange(40)
            row |= {"Sub Source": "Facebook", "Ad campaign ID": 120_210_000_000_000_000 + ad // 8}
            row |= {"Ad group ID": 120_211_000_000_000_000 + ad // 4, "Ad ID": 120_212_000_000_000_000 + ad}
        writer.writerow(row)
    return text.getvalue().encode()


def _guarded(name: str) -> str:
    """The name with an apostrophe if a spreadsheet would take it for a formula."""
    return f"'{name}" if name != "-" and name.startswith(("=", "+", "-", "@")) else name


def write_from_api(folder: Path, workspace: Workspace, first: date, now: datetime) -> bool:
    """Fetch the missing days from a stand-in of respond.io's API, as a run fetches them from the API."""
    from orchestration.lib.respond_io.fetch import fetched_until, windows_of

    landing = Landing(str(folder))
    today = now.astimezone(UTC).date()
    days = [first + timedelta(days=number) for number in range((today - first).days + 1)]
    windows = windows_of(landing, workspace.workspace_id)
    until = {day: fetched_until(windows, day) for day in days}
    # Today is fetched once, as in the other workspaces.
    missing = [
        day
        for day, at in until.items()
        if at == datetime.combine(day, time(), UTC) or (day < today and at.date() == day)
    ]
    listings = [folder / workspace.workspace_id / "api" / f"{name}.jsonl" for name in ("users", "channels")]
    if not missing and all(path.exists() for path in listings):
        return False
    # These imports take half a second, and only the day's first run needs them.
    from pydantic import SecretStr

    from orchestration.lib.respond_io.client import Client
    from orchestration.lib.respond_io.fetch import fetch_contacts, fetch_directories
    from orchestration.sample import stand_in

    there = {day - timedelta(days=n) for day in missing for n in (0, 1)}.intersection(days)
    with (
        stand_in.StandIn({"sample": behind_api(workspace, there, first, now)}).served() as url,
        # Without a limit, as nobody else uses the stand-in.
        Client(workspace.workspace_id, SecretStr("sample"), url, rate=1e6) as client,
    ):
        for day in missing:
            fetch_contacts(client, landing, day, now)
        fetch_directories(client, landing)
    return True


def behind_api(workspace: Workspace, days: Iterable[date], first: date, now: datetime) -> "stand_in.Workspace":
    """What the API returns of a workspace: contacts added on some days, and the users and channels of today."""
    from orchestration.sample import stand_in

    added = [
        delivery
        for day in sorted(days)
        for delivery in ClearDayOfContacts(workspace, day, first).deliveries()
        if delivery.record["event_type"] == "added" and delivery.arrives_at <= now
    ]
    today = now.astimezone(UTC).date()
    return stand_in.Workspace(
        [_contact(delivery.record, delivery.arrives_at) for delivery in added],
        [_user(user) for user in workspace.users if _is_present(user, today, first)],
        [_channel(channel) for channel in workspace.channels if _is_present(channel, today, first)],
    )


def write_webhooks(folder: Path, workspace: Workspace, first: date, now: datetime) -> bool:
    """Write the missing days of captured webhooks."""
    webhooks = folder / workspace.workspace_id / "webhooks"
    numbers = range(_WEBHOOKS_FROM, (now.astimezone(UTC).date() - first).days + 1)
    paths = {number: webhooks / f"{first + timedelta(days=number)}.jsonl" for number in numbers}
    bodies: dict[int, list[dict[str, Any]]] = {number: [] for number, path in paths.items() if not path.exists()}
    if not bodies:
        return False
    added: dict[object, datetime] = {}
    for delivery in sorted(_stories(workspace, first, min(bodies), max(bodies)), key=lambda each: each.arrives_at):
        created = added.setdefault(delivery.record["contact_id"], delivery.arrives_at)
        number = (delivery.arrives_at.date() - first).days
        if number in bodies and delivery.arrives_at <= now:
            bodies[number] += _webhooks(workspace, delivery, created)
    wrote = False
    for number, day in bodies.items():
        lines = (json.dumps(body, ensure_ascii=False, separators=(",", ":")) for body in day)
        wrote |= bool(day) and write_once(paths[number], "".join(f"{line}\n" for line in lines).encode())
    return wrote


def _stories(workspace: Workspace, first: date, begin: int, end: int) -> list[Delivery]:
    """At least all events from one day to another. Days are counted from the sample's first."""
    return [
        delivery
        for number in range(max(begin - STORY_DAYS, 0), end + 1)
        for delivery in ClearDayOfContacts(workspace, first + timedelta(days=number), first).deliveries()
    ]


def _webhooks(workspace: Workspace, delivery: Delivery, created: datetime) -> Iterator[dict[str, Any]]:
    """The webhooks that respond.io sends for an event. It sends none for deleted and merged contacts."""
    record, at = delivery.record, delivery.arrives_at
    chance = Random(f"{workspace.workspace_id} {record['event_id']}")
    contact = _contact(record, created)

    def body(event_type: str, **more: Any) -> dict[str, Any]:
        event_id = str(uuid.UUID(int=chance.getrandbits(128), version=4))
        return {"event_type": event_type, "event_id": event_id, "contact": contact, **more}

    if record["event_type"] == "added":
        yield body("contact.created")
    elif record["event_type"] == "connected":
        channel = next(each for each in workspace.channels if each.channel_id == record["channel_id"])
        incoming = record["source"] == "incoming_message"
        user = next((each for each in workspace.users if each.user_id == record["user_id"]), None)
        if not incoming and chance.random() < _FAILED:
            yield body("message.sent", **_message(record, at, channel, user, "failed"))
            at += timedelta(seconds=20)
        event_type = "message.received" if incoming else "message.sent"
        yield body(event_type, **_message(record, at, channel, user, "delivered"))
        if chance.random() < _CLOSED:
            yield body("conversation.closed", conversation={"conversationClosedAt": int(at.timestamp())})


def _message(record: Record, at: datetime, channel: Channel, user: User | None, status: str) -> dict[str, Any]:
    moment = round(at.timestamp() * 1000)
    incoming = record["source"] == "incoming_message"
    message = {
        "messageId": moment * 1000,
        "contactId": record["contact_id"],
        "channelId": int(channel.channel_id),
        "traffic": "incoming" if incoming else "outgoing",
        "message": {"type": "text", "text": "…"},
        "timestamp": moment,
        "status": [{"value": "pending", "timestamp": moment}, {"value": status, "timestamp": moment + 400}],
    }
    more: dict[str, Any] = {"message": message, "channel": _channel(channel)}
    if not incoming:
        more["sender"] = {"source": record["source"], "userId": int(user.user_id) if user else None}
    if user:
        more["user"] = {name: _user(user)[name] for name in ("id", "firstName", "lastName")}
    return more


def _contact(record: Record, created: datetime) -> dict[str, Any]:
    first_name, _, last_name = str(record["contact_name"] or "").partition(" ")
    return {
        "id": record["contact_id"],
        "firstName": first_name,
        "lastName": last_name or None,
        "phone": None,
        "email": None,
        "language": "en",
        "countryCode": "NZ",
        "custom_fields": [],
        "status": "open",
        "tags": [],
        "assignee": None,
        "lifecycle": None,
        "created_at": int(created.timestamp()),
    }


def _user(user: User) -> dict[str, Any]:
    first_name, _, last_name = user.user_name.partition(" ")
    return {
        "id": int(user.user_id),
        "firstName": first_name,
        "lastName": last_name,
        "email": f"user-{user.user_id}@tui.example",
        "role": "agent",
        "team": None,
    }


def _channel(channel: Channel) -> dict[str, Any]:
    return {"id": int(channel.channel_id), "name": channel.channel_name, "source": channel.channel_type}


def _is_present(member: User | Channel, today: date, first: date) -> bool:
    return member.deleted_on_day is None or member.deleted_on_day > (today - first).days
