"""Writes records that nobody would send: random bytes, and CSV and JSON that is nearly what each kind expects."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from random import Random

from tests.streams.values import BAD_CONTACT_IDS, BAD_TIMES, BROKEN_JSON, INVALID_UTF8, NAMES
from tests.streams.writing import csv_line

WORKSPACES = b"workspace_id,workspace_name,timezone\n101,Fuzzed,Australia/Lord_Howe\n"
COLUMNS = {
    "events": (
        "event_id",
        "event_type",
        "occurred_at",
        "contact_id",
        "contact_name",
        "source",
        "user_id",
        "channel_id",
    ),
    "report_logs": ("Timestamp", "Contact ID", "Contact Name", "Source", "Channel", "User", "Primary Contact ID"),
    "data_export": ("Date & Time", "Contact ID", "Message ID", "Channel ID", "Sender Type", "DateTimeCreated"),
}
JSON_NAMES = (
    *("event_id", "event_type", "occurred_at", "contact_id", "id", "contact", "message", "channel", "sender", "user"),
    *("created_at", "timestamp", "status", "value", "contactId", "channelId", "source", "userId", "firstName"),
)
TEXTS = (
    *("", "-", " -", "'=1", "1", "2", "7.0", "added", "connected", "merged", "contact.created", "message.sent"),
    *("message.received", "failed", "2025-04-06 02:15:00", "2025-10-05T02:15", "2025-06-01T12:00:00Z", "1750000000"),
    *("1750000000000", "1e308", "99999999999999999999999999", "\x00", "\x1f", "\ufeff", "\ufdd0", "\U0010ffff", "\r"),
    *NAMES,
    *BAD_CONTACT_IDS,
    *BAD_TIMES,
)
TIMES = ("2025-04-06 02:15:00", "2025-10-05T02:15", "2025-06-01T12:00:00Z", "2025-06-02 09:30+02:00")
EPOCHS = (1750000000, "1750000000", 1750000000000, 1750000000000000, 1750000000.75)
# What a field would hold, by the letters of its name; most fuzzed fields do, or no record would come far.
LIKELY: dict[str, tuple[object, ...]] = {
    "eventid": tuple(f"e{number}" for number in range(50)),
    "eventtype": ("added", "connected", "deleted", "Merged"),
    "contactid": (1, 2, 3, "4", "5.0", "006"),
    "primarycontactid": (1, 2, 3, "4", "5.0", "006"),
    "messageid": tuple(range(100, 150)),
    "occurredat": TIMES[2:],
    "timestamp": TIMES,
    "datetime": TIMES,
    "datetimecreated": TIMES,
    "source": ("", "user", "Paid Ads", "-", "broadcast"),
    "sendertype": ("user", "contact", "echo", "workflow"),
}
LITTLE = (
    b'"',
    b",",
    b";",
    b"\n",
    b"\r\n",
    b"\r",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b"\\",
    b"\x00",
    b" ",
    b"-",
    b"1e9",
    b"'",
)
NAMES_OF_FILES = {
    "events": ("events.jsonl", "events.csv", "events.jsonl.gz"),
    "report_logs": ("contacts-added.csv", "contacts-connected.csv.gz", "merged and deleted.csv", "log.csv"),
    "data_export": ("contacts.csv", "messages.csv.gz", "export.csv"),
    "webhooks": ("hooks.jsonl", "hooks.jsonl.gz"),
    "api": ("contacts-1.jsonl", "contacts-2.jsonl"),
}


def write_fuzzed(rng: Random, landing: Path, records: int = 10_000) -> None:
    """Writes at least so many fuzzed lines over all kinds of event files into a landing folder, and a workspace.

    How many records a file has is for the reckoning to say: quotes join lines, and blank lines are none.
    """
    (landing / "workspaces.csv").write_bytes(WORKSPACES)
    paths = [f"101/{kind}/{name}" for kind, names in NAMES_OF_FILES.items() for name in names]
    for path in paths:
        content = fuzzed_file(rng, path, lines=records // len(paths) + 1)
        target = landing / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(gzip.compress(content, mtime=0) if path.endswith(".gz") else content)


def fuzzed_file(rng: Random, path: str, lines: int) -> bytes:
    """So many fuzzed lines in the format that the path names, under a header that can be read where there is one."""
    kind = path.split("/")[1]
    if ".csv" not in path:
        return b"".join(fuzzed_json_line(rng, kind) + b"\n" for _ in range(lines))
    columns = list(COLUMNS[kind])
    for name in rng.sample(columns[2:], rng.randint(0, 3)):
        columns.remove(name)
    delimiter = rng.choice(",;")
    rows = b"".join(fuzzed_csv_row(rng, columns, delimiter) + b"\n" for _ in range(lines))
    return csv_line(columns, delimiter).encode() + b"\n" + rows


def fuzzed_csv_row(rng: Random, columns: list[str], delimiter: str) -> bytes:
    """A row of texts, or the same with bytes changed, or no row at all."""
    if rng.random() < 0.1:
        return random_bytes(rng)
    values = [str(likely(rng, name)) for name in columns] + [""] * (rng.random() < 0.05)
    row = csv_line(values, delimiter).encode()
    return disturbed(rng, row) if rng.random() < 0.1 else row


def fuzzed_json_line(rng: Random, kind: str) -> bytes:
    """An object of names that some kind knows, or the same with bytes changed, or no JSON at all."""
    chance = rng.random()
    if chance < 0.1:
        return random_bytes(rng)
    if chance < 0.15:
        return rng.choice(BROKEN_JSON).encode()
    value = json_value(rng, depth=0) if chance < 0.3 else likely_object(rng, kind)
    line = json.dumps(value, ensure_ascii=rng.random() < 0.3).encode()
    return disturbed(rng, line) if rng.random() < 0.15 else line


def likely(rng: Random, name: str) -> object:
    """What a field of this name would hold, or now and then any text."""
    known = LIKELY.get("".join(filter(str.isalpha, name.lower())))
    return rng.choice(known if known and rng.random() < 0.9 else TEXTS)


def likely_object(rng: Random, kind: str) -> dict[str, object]:
    """What a line of this kind would hold, its values and now and then its shape changed."""
    if kind == "events":
        value: dict[str, object] = {name: likely(rng, name) for name in COLUMNS["events"]}
    elif kind == "api":
        value = {"id": likely(rng, "contact_id"), "firstName": rng.choice(TEXTS), "created_at": rng.choice(EPOCHS)}
    else:
        contact = {"id": likely(rng, "contact_id"), "lastName": rng.choice(TEXTS), "created_at": rng.choice(EPOCHS)}
        message = {"channelId": rng.choice(TEXTS), "timestamp": rng.choice(EPOCHS), "status": json_value(rng, depth=1)}
        value = {
            "event_type": rng.choice(("contact.created", "message.received", "message.sent", "call.ended", *TEXTS[:3])),
            "event_id": likely(rng, "event_id"),
            "contact": contact,
            "message": message,
            "sender": {"source": likely(rng, "sendertype"), "userId": rng.choice(TEXTS)},
        }
    if rng.random() < 0.1:
        value[rng.choice(list(value))] = json_value(rng, depth=1)
    return value


def json_value(rng: Random, depth: int) -> object:
    """Any JSON value; objects where it stands at the top."""
    kind = rng.choice(("object", "object", "list", "text", "text", "number", "other")) if depth else "object"
    if kind == "object" and depth < 4:
        return {rng.choice(JSON_NAMES): json_value(rng, depth + 1) for _ in range(rng.randint(0, 7))}
    if kind == "list" and depth < 4:
        return [json_value(rng, depth + 1) for _ in range(rng.randint(0, 3))]
    if kind == "number":
        return rng.choice((0, 1, -1, 7, 1.5, 1750000000, 1750000000.25, 1750000000000, 10**25, 1e300))
    return rng.choice((None, True, False)) if kind == "other" else rng.choice(TEXTS)


def disturbed(rng: Random, line: bytes) -> bytes:
    """The line with some bytes changed, put in or taken out."""
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(len(line) + 1)
        line = line[:place] + rng.choice((*LITTLE, *INVALID_UTF8, b"")) + line[place + rng.randint(0, 2) :]
    return line


def random_bytes(rng: Random) -> bytes:
    return rng.randbytes(rng.randint(0, 60))
