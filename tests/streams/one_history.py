"""Generates one history of contacts, reported in full by report logs, and once more by webhooks and the API."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from tests.streams.values import SOURCES_FOR, ZONES
from tests.streams.writing import Delivery, JsonNumber, csv_line, json_line

WORKSPACE = "101"
FIRST_DAY = datetime(2025, 2, 20, tzinfo=UTC)  # The clocks of three continents change within the next eight weeks.
DAYS = 56
CHANNELS = {"11": ("Shop WhatsApp", "whatsapp"), "12": ("Page, the", "facebook"), "13": ("mail@shop", "email")}
USERS = {"1": ("Ana", "Rossi"), "2": ("Bo", "Jr."), "3": ("Zoë", "Ångström")}
SOURCE_LABELS = {
    "user": "User",
    "contact_import": "Contact Import",
    "developer_api": "Developer API",
    "incoming_message": "Incoming Message",
    "echo_message": "Echo Message",
    "zapier": "Zapier",
    "make": "Make",
    "click_to_chat_ads": "Paid Ads",
    "broadcast": "Broadcast",
    "other": "Other",
    "unknown": "-",
}
# What a webhook can say of the sender of the first message, where its report log has this source.
SENDERS = {"user": "user", "developer_api": "api", "echo_message": "echo", "zapier": "zapier", "broadcast": "broadcast"}


@dataclass(frozen=True)
class Fact:
    """Something that happened once, to the second."""

    event_type: str
    moment: datetime
    contact_id: int
    source: str
    user: str
    channel: str = ""
    merged_contact_id: int = 0


@dataclass(frozen=True)
class OneHistory:
    """The same facts as three sets of files, each of which may arrive in any order and any number of runs.

    The webhooks need the directories, which give the channels' ids the names that the logs have.
    """

    workspaces: Delivery
    logs: Delivery
    webhooks: Delivery
    api: Delivery


def make_one_history(rng: Random, contacts: int = 60) -> OneHistory:
    """A history of so many contacts in one workspace, consistent in itself; the same for the same seed."""
    zone_name = rng.choice(ZONES)
    zone = ZoneInfo(zone_name)
    facts = [fact for contact_id in range(1, contacts + 1) for fact in facts_of(rng, zone, contact_id, contacts)]
    header = "workspace_id,workspace_name,timezone\n"
    return OneHistory(
        workspaces={"workspaces.csv": f"{header}{WORKSPACE},One,{zone_name}\n".encode()},
        logs=report_logs(rng, zone, facts),
        webhooks=webhooks(rng, zone, facts),
        api=api_files(rng, facts),
    )


def facts_of(rng: Random, zone: ZoneInfo, contact_id: int, contacts: int) -> list[Fact]:
    """What happens to a contact: it is added, perhaps connected, perhaps deleted or merged."""

    def fact(event_type: str, **more: str | int) -> Fact:
        source = rng.choice(SOURCES_FOR[event_type])
        moment = moment_after(rng, zone, event_type)
        return Fact(event_type, moment, contact_id, source, rng.choice(list(USERS)), **more)  # type: ignore[arg-type]

    facts = [fact("added")]
    facts += [fact("connected", channel=channel) for channel in rng.sample(list(CHANNELS), rng.choice((0, 1, 1, 2)))]
    end = rng.random()
    if end < 0.15:
        facts.append(fact("deleted"))
    elif end < 0.3:
        facts.append(fact("merged", merged_contact_id=contacts + contact_id))
    return facts


def moment_after(rng: Random, zone: ZoneInfo, event_type: str) -> datetime:
    """A second that only one reading of the workspace's wall clock can mean; often near midnight."""
    while True:
        moment = FIRST_DAY + timedelta(seconds=rng.randrange(DAYS * 86400))
        if rng.random() < 0.3:
            midnight = moment.astimezone(zone).replace(hour=0, minute=0, second=0)
            moment = midnight.astimezone(UTC) + timedelta(seconds=rng.choice((-1, 0, 1)))
        if moment.astimezone(zone).fold == 0:
            return moment


def report_logs(rng: Random, zone: ZoneInfo, facts: list[Fact]) -> Delivery:
    """Overlapping downloads of the four logs, newest first, as the page gives them."""
    files: dict[str, bytes | None] = {}
    for event_type in ("added", "connected", "deleted", "merged"):
        of_type = sorted((fact for fact in facts if fact.event_type == event_type), key=lambda fact: fact.moment)
        downloads = rng.randint(2, 3)
        size = len(of_type) // downloads + 1
        for number in range(downloads):
            # Each begins with some of what the one before it had.
            window = of_type[max(0, number * size - 3) : (number + 1) * size]
            files[f"{WORKSPACE}/report_logs/contacts-{event_type} ({number}).csv"] = report_log(
                zone, window, event_type
            )
    return files


def report_log(zone: ZoneInfo, facts: list[Fact], event_type: str) -> bytes:
    contact_column = "Primary Contact ID" if event_type == "merged" else "Contact ID"
    columns: dict[str, Callable[[Fact], str]] = {
        "Timestamp": lambda fact: f"{fact.moment.astimezone(zone):%Y-%m-%d %H:%M:%S}",
        contact_column: lambda fact: str(fact.contact_id),
        "Contact Name": lambda fact: f"Contact {fact.contact_id}",
        "Source": lambda fact: SOURCE_LABELS[fact.source],
        "User": lambda fact: " ".join(USERS[fact.user]) if fact.source == "user" else "-",
    }
    if event_type == "connected":
        columns["Channel"] = lambda fact: CHANNELS[fact.channel][0]
    if event_type == "merged":
        columns["Merged Contact ID"] = lambda fact: str(fact.merged_contact_id)
    rows = [[value(fact) for value in columns.values()] for fact in reversed(facts)]
    return "".join(csv_line(row, ",") + "\n" for row in (list(columns), *rows)).encode()


def webhooks(rng: Random, zone: ZoneInfo, facts: list[Fact]) -> Delivery:
    """What the webhooks reported: every contact created, every first message and later ones, some of them twice."""
    lines: dict[date, list[str]] = {}
    for number, fact in enumerate(facts):
        for body_number, (moment, body) in enumerate(bodies(rng, zone, fact)):
            body["event_id"] = f"00000000-0000-4000-8000-{number:08}{body_number:04}"
            day_lines = lines.setdefault(moment.date(), [])
            day_lines += [json_line(body)] * rng.choice((1, 1, 1, 2))
    captured: dict[str, bytes | None] = {}
    for day, day_lines in lines.items():
        rng.shuffle(day_lines)
        captured[f"{WORKSPACE}/webhooks/{day}.jsonl"] = "".join(f"{line}\n" for line in day_lines).encode()
    return captured


def bodies(rng: Random, zone: ZoneInfo, fact: Fact) -> list[tuple[datetime, dict[str, object]]]:
    """The webhooks that a fact causes, with their times; deletions and merges cause none."""
    contact = {"id": JsonNumber(str(fact.contact_id)), "firstName": "Contact", "lastName": str(fact.contact_id)}
    if fact.event_type == "added":
        created: dict[str, object] = {
            "event_type": "contact.created",
            "contact": contact | {"created_at": epoch(fact.moment)},
        }
        updated: dict[str, object] = {"event_type": "contact.updated", "contact": contact}
        return [(fact.moment, created), (fact.moment, updated)]
    if fact.event_type != "connected":
        return []
    moments = [same_day(zone, fact.moment, seconds=rng.choice((0, 0, 1, 3)))]
    moments += [fact.moment + timedelta(hours=rng.randint(1, 500)) for _ in range(rng.choice((0, 1, 2)))]
    reported: list[tuple[datetime, dict[str, object]]] = []
    for moment in moments:
        message = {"contactId": contact["id"], "channelId": JsonNumber(fact.channel), "timestamp": epoch(moment)}
        body: dict[str, object] = {"event_type": "message.received", "contact": contact, "message": message}
        if fact.source in SENDERS:
            body |= {"event_type": "message.sent", "sender": {"source": SENDERS[fact.source], "userId": fact.user}}
        if rng.random() < 0.5:
            body["channel"] = {"id": JsonNumber(fact.channel), "name": CHANNELS[fact.channel][0]}
        reported.append((moment, body))
    if rng.random() < 0.2:
        # One that never arrived, before the first that did.
        failed = {"contactId": contact["id"], "channelId": JsonNumber(fact.channel), "status": [{"value": "failed"}]}
        before = fact.moment - timedelta(days=2)
        sent: dict[str, object] = {
            "event_type": "message.sent",
            "contact": contact,
            "message": failed | {"timestamp": epoch(before)},
        }
        reported.append((before, sent))
    return reported


def same_day(zone: ZoneInfo, moment: datetime, seconds: int) -> datetime:
    """A moment so much later, unless the workspace's day has ended by then."""
    later = moment + timedelta(seconds=seconds)
    return later if later.astimezone(zone).date() == moment.astimezone(zone).date() else moment


def epoch(moment: datetime) -> JsonNumber:
    return JsonNumber(str(int(moment.timestamp())))


def api_files(rng: Random, facts: list[Fact]) -> Delivery:
    """The contacts by the days they were created on, and both directories."""
    polls: dict[str, list[str]] = {}
    for fact in facts:
        if fact.event_type == "added":
            contact = {"id": fact.contact_id, "firstName": "Contact", "lastName": str(fact.contact_id)}
            poll = f"{WORKSPACE}/api/contacts-{fact.moment:%Y-%m-%d}.jsonl"
            polls.setdefault(poll, []).append(json_line(contact | {"created_at": epoch(fact.moment)}))
    users = [{"id": int(row_id), "firstName": first, "lastName": last} for row_id, (first, last) in USERS.items()]
    channels = [{"id": int(row_id), "name": name, "source": kind} for row_id, (name, kind) in CHANNELS.items()]
    polls[f"{WORKSPACE}/api/users.jsonl"] = [json_line(user) for user in users]
    polls[f"{WORKSPACE}/api/channels.jsonl"] = [json_line(channel) for channel in channels]
    return {path: "".join(f"{line}\n" for line in lines).encode() for path, lines in polls.items()}
