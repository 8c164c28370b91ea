"""Generates edge-case-ridden histories of a landing folder: files arrive, overlap, change, break and go."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import duckdb

Delivery = Mapping[str, bytes | None]
Values = dict[str, str | None]

FIELDS = (
    "event_id",
    "event_type",
    "occurred_at",
    "contact_id",
    "contact_name",
    "source",
    "user_id",
    "channel_id",
    "merged_contact_id",
)
ZONES = (
    "America/New_York",
    "Europe/Paris",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "UTC",
    "America/St_Johns",
    "Asia/Kathmandu",
)
FIRST_EVENT = datetime(2024, 3, 1, tzinfo=UTC)
LAST_EVENT = datetime(2026, 3, 1, tzinfo=UTC)
CLOCK_CHANGES = tuple(
    datetime.fromisoformat(moment).replace(tzinfo=UTC)
    for moment in (
        "2024-03-10 07:00",
        "2024-11-03 06:00",
        "2025-03-09 07:00",
        "2025-11-02 06:00",
        "2024-03-31 01:00",
        "2024-10-27 01:00",
        "2025-03-30 01:00",
        "2025-10-26 01:00",
        "2024-04-06 15:00",
        "2024-10-05 15:30",
        "2025-04-05 15:00",
        "2025-10-04 15:30",
    )
)
OFFSETS = (0, 60, 120, -300, -240, 330, 345, 630, 660, 780, -210, -720, 1439, -1380)
NAMES = (
    "Ada Lovelace",
    'Grace "Amazing" Hopper',
    "O'Neil, Shaquille",
    "two\nlines",
    "two\r\nlines, \r\n\r\nand more",
    "NULL",
    "null",
    "007",
    "1e3",
    "",
    " ",
    "  leading and trailing ",
    "\tTab",
    "Zoë Ångström",
    "Zoe\u0308",
    "李小龙",
    "🦆 Duck 👩‍👩‍👧",
    "line\u2028separator\u0085next",
    "semi;colon",
    "back\\slash \\n \\xE9",
    '"',
    "=1+1",
    "{}",
    "true",
    "x" * 300,
)
SOURCES_FOR = {
    "added": (
        *["user"] * 4,
        "contact_import",
        "developer_api",
        "incoming_message",
        "echo_message",
        "zapier",
        "make",
        "click_to_chat_ads",
        "other",
        "unknown",
    ),
    "connected": (
        *["user"] * 2,
        "developer_api",
        "incoming_message",
        "echo_message",
        "zapier",
        "make",
        "click_to_chat_ads",
        "broadcast",
        "other",
        "unknown",
    ),
    "deleted": ("user",),
    "merged": ("user",),
}
SOURCE_SPELLINGS = {
    "user": ("user", "User", "Utilisateur", "USER"),
    "contact_import": ("contact_import", "Contact Import", "Importation des contacts", "import"),
    "developer_api": ("developer_api", "Developer API", "API développeur", "API DÉVELOPPEUR", "api"),
    "incoming_message": ("incoming_message", "Incoming Message", "Message entrant", "contact"),
    "echo_message": ("echo_message", "Echo Message", "Message d'écho", "MESSAGE D'ÉCHO"),
    "zapier": ("zapier", "Zapier"),
    "make": ("make", "Make"),
    "click_to_chat_ads": (
        "click_to_chat_ads",
        "Click-to-Chat Ads",
        "Annonces de click-to-chat",
        "Paid Ads",
        "ctc_ads",
    ),
    "broadcast": ("broadcast", "Broadcast", "Diffusion"),
    "other": ("other", "Other", "Autre"),
    "unknown": ("unknown", "Unknown", "Inconnue"),
}
UNKNOWN_SOURCES = (
    "Carrier Pigeon",
    "user2",
    "_user_",
    "contactimport",
    "developer.api",
    "Message d\u2019écho",
    "NULL",
    "0",
    "🕊",
)
UNKNOWN_TYPES = ("updated", "add", "unknown", "connected!", "merge", "NULL", "1", "contact.added")
BAD_CONTACT_IDS = (
    "0",
    "-5",
    "+5",
    "1e3",
    "9223372036854775808",
    "18446744073709551616",
    "99999999999999999999999999",
    "000",
    "0.0",
    "5.5",
    "5.",
    "5.00",
    ".0",
    "1_000",
    "1,000",
    "0x1F",
    "five",
    "NaN",
    "٣",
    "5 6",
    "null",
)
BAD_TIMES = (
    "2024-05-01T10:00:00",
    "2024-05-01 10:00",
    "2024-05-01",
    "1999-12-31T23:59:59Z",
    "1999-12-30T12:00:00+02:00",
    "1970-01-01T00:00:00Z",
    "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00+23:00",
    "2099-01-01T00:00:00Z",
    "9999-12-31T23:59:59-23:00",
    "yesterday",
    "2024-02-30T10:00:00Z",
    "2025-02-29T10:00:00Z",
    "2024-13-01T10:00:00Z",
    "2024-05-01T24:00:00Z",
    "2024-05-01T10:60:00Z",
    "2024-05-01T23:59:60Z",
    "2024-05-01t10:00:00Z",
    "2024-05-01T10:00:00z",
    "2024-05-01  10:00:00Z",
    "2024-05-01T10:00:00 Z",
    "2024-05-01T10:00:00 +02:00",
    "2024-05-01T10:00:00.Z",
    "2024-05-01T10:00.5Z",
    "2024-05-01T10:00:00,5Z",
    "2024-05-01T10Z",
    "2024-05-01Z",
    "20240501T100000Z",
    "2024-5-1T10:00:00Z",
    "2024-05-01T1:00:00Z",
    "24-05-01T10:00:00Z",
    "+2024-05-01T10:00:00Z",
    "2024-05-01T10:00:00+24:00",
    "2024-05-01T10:00:00+05:60",
    "2024-05-01T10:00:00+5",
    "2024-05-01T10:00:00+530",
    "2024-05-01T10:00:00+02:00:00",
    "2024-05-01T10:00:00+02:",
    "2024-05-01T10:00:00 UTC",
    "2024-05-01T10:00:00 Europe/Paris",
    "2024-05-01T10:00:00Z+01",
    "2024-W18-3T10:00:00Z",
    "1714557600",
    "2024/05/01 10:00:00Z",
    "\uff12\uff10\uff12\uff14-05-01T10:00:00Z",
    "infinity",
    "epoch",
    "now",
)
BROKEN_JSON = (
    "not json",
    '[{"event_id": "a1"}]',
    '"event"',
    "42",
    "null",
    "{}",
    '{"event_id": "t1", "event_type": "added"',
    '{"event_id": "t2", "event_type": "added", }',
    '{"event_id": "t3", "contact_id": NaN}',
    '{"event_id": "t4", "contact_id": -Infinity}',
    '{"event_id": "t5", "contact_id": 05}',
    '{"event_id": "t6"} {"event_id": "t7"}',
    "{'event_id': 't8'}",
    '{"event_id": "t9", "contact_name": "tab\there"}',
    '{"event_id": "half \\ud83e pair", "event_type": "added"}',
    '{event_id: "t10"}',
    '{"event_id": "t11"} // a comment',
)
REDELIVERIES = ("copy", "copy elsewhere", "grow", "grow", "rewrite", "restore", "rename", "remove")
INVALID_UTF8 = (b"\xff", b"\xe9", b"\xe2\x82", b"\xf0\x9f\xa6", b"\xc3\x28", b"\x80\x81")
TEXT_FORMATS = (".jsonl", ".csv", ".jsonl.gz", ".csv.gz")
FORMATS = (*TEXT_FORMATS, ".jsonl", ".csv", ".parquet")


@dataclass
class EventFile:
    """An event file as it was last delivered, so that later deliveries can repeat, change or mend it."""

    workspace_id: str
    extension: str
    events: list[Values]
    content: bytes
    original: bytes


def make_deliveries(rng: Random, deliveries: int = 4, events: int = 40) -> list[Delivery]:
    """A history of so many deliveries, each with about so many new records; the same for the same seed.

    The order is part of it: apply one delivery, load, apply the next.
    """
    stream = Stream(rng, events)
    return [stream.next_delivery() for _ in range(deliveries)]


def apply(delivery: Delivery, landing: Path) -> None:
    """Writes a delivery's files into the landing folder, and removes those that are None."""
    for name, content in delivery.items():
        path = landing / name
        if content is None:
            path.unlink(missing_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


class Stream:
    """A landing folder's history, made delivery by delivery."""

    def __init__(self, rng: Random, events: int = 40) -> None:
        self._rng = rng
        self._events = events
        self._delivered = 0
        self._next_event = 0
        self._next_file = 0
        self._folders = rng.sample(("101", "202", "303", "acme-east", "42"), rng.randint(2, 4))
        self._zones = {folder: rng.choice(ZONES) for folder in self._folders}
        self._listed = set(self._folders[1:]) if self._chance(0.3) else set(self._folders)
        self._moments = [self._moment() for _ in range(12)]
        self._past: dict[str, list[Values]] = {folder: [] for folder in self._folders}
        self._files: dict[str, EventFile] = {}
        self._broken: dict[str, EventFile] = {}
        self._unfinished: dict[str, bytes] = {}

    def next_delivery(self) -> Delivery:
        """The files that arrive, change or go before the next run."""
        delivery: dict[str, bytes | None] = {}
        self._deliver_workspaces(delivery)
        for folder in self._folders:
            for kind in ("users", "channels"):
                if self._chance(0.5):
                    name = self._rng.choice((f"{kind}.csv", f"{kind}.csv", "snapshot-2.csv", "older.csv"))
                    delivery[f"{folder}/{kind}/{name}"] = self._directory(kind)
        self._finish(delivery)
        if not self._chance(0.05):
            self._deliver_events(delivery)
            self._redeliver(delivery)
            self._deliver_clutter(delivery)
        self._delivered += 1
        return delivery

    def _chance(self, probability: float) -> bool:
        return self._rng.random() < probability

    def _deliver_workspaces(self, delivery: dict[str, bytes | None]) -> None:
        if self._delivered == 0:
            if self._chance(0.1):
                return
        elif self._chance(0.4):
            folder = self._rng.choice(self._folders)
            if self._chance(0.3):
                self._zones[folder] = self._rng.choice(ZONES)
            else:
                unlisted = set(self._folders) - self._listed
                self._listed ^= unlisted or {folder}
        rows = [
            [
                folder,
                self._rng.choice((f"Workspace {folder}", f'The "{folder}", renamed')),
                self._zones[folder],
            ]
            for folder in self._folders
            if folder in self._listed
        ]
        rows.append(["999", "No folder yet", "Europe/Paris"])
        header = ["workspace_id", "workspace_name", "timezone"]
        delivery["workspaces.csv"] = self._csv_bytes(header, rows)

    def _directory(self, kind: str) -> bytes:
        id_name, name_name = ("user_id", "user_name") if kind == "users" else ("channel_id", "channel_name")
        header = [id_name, name_name, *(["channel_type"] if kind == "channels" else []), "deleted_at"]
        rows = []
        for _ in range(self._rng.randint(0, 10)):
            row_id = self._rng.choice(("1", "1", "2", "3", "4", "03", "2.0", " 1 ", "0", "wa-main", "u-x", ""))
            name = self._rng.choice(
                ("Ana", "Ana", "Bo, Jr.", 'Cy "C"', "", " Padded ", "Dé 🦆", "two\nlines", "NULL", "7")
            )
            kind_of_channel = [self._rng.choice(("whatsapp", "email", "telegram", ""))] if kind == "channels" else []
            deleted_at = self._rng.choice(("", "", "", " ", "2025-01-01T00:00:00Z", "yes"))
            rows.append([row_id, name, *kind_of_channel, deleted_at])
            if self._chance(0.05):
                rows.append(self._rng.choice((rows[-1][:-1], [*rows[-1], "more"])))
        return self._csv_bytes(header, rows)

    def _csv_bytes(self, header: list[str], rows: Sequence[Sequence[str]]) -> bytes:
        delimiter = ";" if self._chance(0.2) else ","
        ending = "\r\n" if self._chance(0.3) else "\n"
        lines = [csv_line(header, delimiter)]
        for row in rows:
            lines.append(csv_line(row, delimiter))
            if self._chance(0.03):
                lines.append("")
        return (b"\xef\xbb\xbf" if self._chance(0.15) else b"") + "".join(line + ending for line in lines).encode()

    def _deliver_events(self, delivery: dict[str, bytes | None]) -> None:
        left = self._events
        while left > 0:
            size = min(left, self._rng.randint(1, max(1, self._events // 2)))
            left -= size
            folder = self._rng.choice(self._folders)
            events = [self._event(folder) for _ in range(size)]
            extension = self._rng.choice(FORMATS)
            content = self._write(events, extension)
            file = EventFile(folder, extension, events, content, original=content)
            path = self._new_path(folder, extension)
            if extension.endswith((".gz", ".parquet")) and self._chance(0.15):
                self._broken[path] = file
                delivery[path] = self._damaged(content)
            else:
                self._files[path] = file
                delivery[path] = content
                if self._chance(0.05):
                    delivery[self._new_path(folder, extension)] = content

    def _redeliver(self, delivery: dict[str, bytes | None]) -> None:
        known = [path for path in self._files if path not in delivery]
        self._rng.shuffle(known)
        for path in known[:2]:
            file = self._files[path]
            action = self._rng.choice(REDELIVERIES)
            if action == "copy":
                delivery[self._new_path(file.workspace_id, file.extension)] = file.content
            elif action == "copy elsewhere":
                delivery[self._new_path(self._rng.choice(self._folders), file.extension)] = file.content
            elif action in ("grow", "rewrite"):
                kept = file.events if action == "grow" else self._rng.sample(file.events, len(file.events) // 2)
                file.events = [*kept, self._event(file.workspace_id)]
                file.content = self._write(file.events, file.extension)
                delivery[path] = file.content
            elif action == "restore":
                delivery[path] = file.original
            elif action in ("rename", "remove"):
                if action == "rename":
                    delivery[self._new_path(file.workspace_id, file.extension)] = file.content
                delivery[path] = None
                del self._files[path]

    def _deliver_clutter(self, delivery: dict[str, bytes | None]) -> None:
        folder = self._rng.choice(self._folders)
        if self._chance(0.4):
            extension = self._rng.choice(TEXT_FORMATS)
            content = self._write([self._event(folder) for _ in range(3)], extension)
            path = self._new_path(folder, extension)
            parent, name = path.rsplit("/", 1)
            hidden = self._rng.choice((f".{name}", f"{name}.tmp", f"{name}.part", f".{name}.tmp"))
            delivery[f"{parent}/{hidden}"] = content
            self._unfinished[f"{parent}/{hidden}"] = content
        if self._chance(0.1):
            delivery[f"{folder}/events/README.txt"] = b"Not an event file.\n"
        if self._chance(0.1):
            delivery[self._new_path(folder, ".csv")] = b"event_id,event_type,occurred_at,contact_id\n"
        if self._chance(0.1):
            delivery[self._new_path(folder, ".jsonl")] = self._rng.choice((b"", b"\n \n", b"\xef\xbb\xbf"))

    def _finish(self, delivery: dict[str, bytes | None]) -> None:
        """Mends some of the files that were broken, and gives some of the unfinished ones their names."""
        for path in [path for path in self._broken if self._chance(0.5)]:
            file = self._broken.pop(path)
            delivery[path] = file.content
            self._files[path] = file
        for path in [path for path in self._unfinished if self._chance(0.3)]:
            parent, name = path.rsplit("/", 1)
            finished = name.removeprefix(".").removesuffix(".tmp").removesuffix(".part")
            delivery[path] = None
            delivery[f"{parent}/{finished}"] = self._unfinished.pop(path)

    def _damaged(self, content: bytes) -> bytes:
        wrong_checksum = content[:-8] + bytes(byte ^ 0xFF for byte in content[-8:])
        truncated = content[: self._rng.randint(1, len(content) - 1)]
        return self._rng.choice((truncated, truncated, wrong_checksum, b"this is no archive\n"))

    def _new_path(self, folder: str, extension: str) -> str:
        self._next_file += 1
        stem = self._rng.choice(("events", "Export", "late", "a", "é", "z 1", "10"))
        return f"{folder}/events/{stem}-{self._next_file}{extension}"

    def _moment(self) -> datetime:
        kind = self._rng.choice(("any", "midnight", "clock change"))
        if kind == "clock change":
            return self._rng.choice(CLOCK_CHANGES) + timedelta(minutes=self._rng.randint(-150, 150))
        moment = FIRST_EVENT + timedelta(seconds=self._rng.randrange(int((LAST_EVENT - FIRST_EVENT).total_seconds())))
        if kind == "any":
            return moment
        zone = ZoneInfo(self._rng.choice(list(self._zones.values())))
        midnight = moment.astimezone(zone).replace(hour=0, minute=0, second=0)
        nearness = self._rng.choice((-1, 0, 1, -1_000_000, 59_000_000, -2_000_000_000))
        return midnight.astimezone(UTC) + timedelta(microseconds=nearness)

    def _event(self, folder: str) -> Values:
        """An event, broken or not: a new one, an old one again, or an old one corrected."""
        past = self._past[folder]
        if past and self._chance(0.12):
            return dict(self._rng.choice(past))
        event = self._new_event()
        if past and self._chance(0.15):
            event["event_id"] = self._rng.choice(past)["event_id"]
        elif past and self._chance(0.1):
            event = dict(self._rng.choice(past))
            name = self._rng.choice(("occurred_at", "contact_id", "source", "event_id", "contact_name"))
            event[name] = self._new_event()[name]
        if self._chance(0.15):
            self._spoil(event)
        past.append(event)
        return event

    def _new_event(self) -> Values:
        rng = self._rng
        event_type = rng.choice(("added", "added", "connected", "connected", "deleted", "merged", "merged"))
        event: Values = {
            "event_id": self._event_id(),
            "event_type": self._padded(rng.choice((event_type, event_type.upper(), event_type.title()))),
            "occurred_at": self._padded(self._time()),
            "contact_id": self._contact_id(),
            "contact_name": rng.choice((None, *NAMES)),
            "source": self._source(event_type),
            "user_id": rng.choice((None, "", "1", "2", "3", "01", "2.0", " 4 ", "u-x", "77", "0")),
            "channel_id": rng.choice((None, "", "1", "2", "3", "03", "2.0", " 1", "wa-main", "88")),
            "merged_contact_id": None,
        }
        if event_type == "merged" and self._chance(0.75):
            event["merged_contact_id"] = self._contact_id()
        elif self._chance(0.1):
            # Looked at on merged events only, so that even nonsense does no harm elsewhere.
            event["merged_contact_id"] = rng.choice(("", "nonsense", self._contact_id()))
        return event

    def _event_id(self) -> str:
        self._next_event += 1
        spelling = self._rng.choice(("e{}", "e{}", "E{}", "{}", "é-{}", "{}.0", "0{}", " e{} ", "🦆{}", "e,{}"))
        return spelling.format(self._next_event)

    def _contact_id(self) -> str:
        number = self._rng.choice((1, 1, 2, 2, 3, 4, 5, 6, 7, 8, 123456789012, 2**63 - 1))
        return self._padded(self._rng.choice(("{}", "{}", "{}", "0{}", "{}.0", "000{}.0")).format(number))

    def _padded(self, text: str) -> str:
        if not self._chance(0.1):
            return text
        before, after = self._rng.choice(((" ", ""), ("", " "), ("\t", "  "), ("\u00a0", "\u3000")))
        return f"{before}{text}{after}"

    def _time(self) -> str:
        moment = self._rng.choice(self._moments) if self._chance(0.5) else self._moment()
        moment += timedelta(microseconds=self._rng.choice((0, 0, 0, 1, 300_000, 999_999, 3_600_000_000)))
        offset = timedelta(minutes=self._rng.choice(OFFSETS))
        local = moment.astimezone(timezone(offset))
        text = local.strftime("%Y-%m-%d") + self._rng.choice("T ") + local.strftime("%H:%M")
        if local.microsecond:
            # Digits beyond the microsecond are cut, not rounded.
            digits = f"{local.microsecond:06}"
            spellings = (digits, digits + "999", digits + "5", digits.rstrip("0"))
            text += f":{local.second:02}.{self._rng.choice(spellings)}"
        elif local.second or self._chance(0.5):
            text += f":{local.second:02}" + self._rng.choice(("", "", ".0", ".0000009", ".000"))
        sign = "-" if offset < timedelta() else "+"
        hours, minutes = divmod(abs(offset) // timedelta(minutes=1), 60)
        if not offset:
            return text + self._rng.choice(("Z", "Z", "+00:00", "-00:00", "+0000", "+00"))
        colon = self._rng.choice((":", ":", ""))
        with_minutes = minutes or self._chance(0.7)
        return text + f"{sign}{hours:02}" + (f"{colon}{minutes:02}" if with_minutes else "")

    def _source(self, event_type: str) -> str | None:
        rng = self._rng
        kind = rng.random()
        if kind < 0.15:
            return rng.choice((None, "", " "))
        if kind < 0.22:
            return self._padded(rng.choice(UNKNOWN_SOURCES))
        key = rng.choice(list(SOURCE_SPELLINGS) if kind < 0.3 else SOURCES_FOR[event_type])
        text = rng.choice(SOURCE_SPELLINGS[key])
        if self._chance(0.3):
            text = re.sub("[ _-]", lambda _: rng.choice((" ", "_", "-", "  ", " - ", "_ ")), text)
        return self._padded(rng.choice((text, text, text.upper(), text.lower())))

    def _spoil(self, event: Values) -> None:
        rng = self._rng
        fault = rng.choice(("missing", "missing", "type", "id", "id", "merged id", "time", "time", "itself"))
        if fault == "missing":
            for name in rng.sample(("event_id", "event_type", "occurred_at", "contact_id"), rng.randint(1, 3)):
                event[name] = rng.choice((None, "", "  "))
        elif fault == "type":
            event["event_type"] = self._padded(rng.choice(UNKNOWN_TYPES))
        elif fault == "id":
            event["contact_id"] = self._padded(rng.choice(BAD_CONTACT_IDS))
        elif fault == "time":
            event["occurred_at"] = self._padded(rng.choice(BAD_TIMES))
        else:
            spellings = ("3", "003", " 3.0") if fault == "itself" else BAD_CONTACT_IDS
            event["event_type"], event["source"] = "merged", rng.choice((None, "user"))
            event["contact_id"] = rng.choice(("3", "03", "3.0"))
            event["merged_contact_id"] = rng.choice(spellings)

    def _write(self, events: list[Values], extension: str) -> bytes:
        if extension == ".parquet":
            return self._parquet(events)
        content = self._csv(events) if extension.startswith(".csv") else self._jsonl(events)
        return gzip.compress(content, mtime=0) if extension.endswith(".gz") else content

    def _jsonl(self, events: list[Values]) -> bytes:
        lines: list[bytes] = []
        for event in events:
            lines.append(self._json_line(event))
            if self._chance(0.04):
                lines.append(self._rng.choice(BROKEN_JSON).encode())
        return self._text_file(lines)

    def _json_line(self, event: Values) -> bytes:
        shown: dict[str, object] = {}
        for name in self._rng.sample(FIELDS, len(FIELDS)):
            value = event[name]
            if value is not None or self._chance(0.3):
                is_number = re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?(e[0-9]+)?", value or "") is not None
                shown[name] = JsonNumber(value or "") if is_number and self._chance(0.5) else value
        if self._chance(0.2):
            shown["note"] = self._rng.choice(("extra", True, None, JsonNumber("1.50"), "été"))
        tight = self._chance(0.5)
        return json_object(shown, ensure_ascii=self._chance(0.3), colon=":" if tight else ": ").encode()

    def _csv(self, events: list[Values]) -> bytes:
        rng = self._rng
        names = list(FIELDS)
        if self._chance(0.5):
            rng.shuffle(names)
        if self._chance(0.2):
            names.remove(rng.choice(("contact_name", "source", "user_id", "channel_id", "merged_contact_id")))
        if self._chance(0.2):
            names.insert(rng.randrange(len(names)), "note")
        delimiter = rng.choice(",,,;")
        spell = rng.choice((str, str, str.upper, str.title, lambda name: f" {name} "))
        quoted = self._chance(0.3)
        lines = [csv_line([spell(name) for name in names], delimiter).encode()]
        for event in events:
            row = [event.get(name) or "" for name in names]
            if self._chance(0.04):
                row = rng.choice((row[:-1], row[:1], [*row, ""], [*row, "more", "and more"]))
            lines.append(csv_line(row, delimiter, quoted).encode())
            if self._chance(0.02):
                lines.append((delimiter * (len(names) - 1)).encode())
        return self._text_file(lines)

    def _text_file(self, lines: list[bytes]) -> bytes:
        """The lines with blank and undecodable ones among them; never blank before the first."""
        rng = self._rng
        ending = b"\r\n" if self._chance(0.3) else b"\n"
        parts: list[bytes] = []
        for number, line in enumerate(lines):
            if number > 0 and self._chance(0.03):
                # Between two letters or digits, where it cannot break a CSV row's quotes.
                cut = rng.choice([match.end() for match in re.finditer(rb"\w(?=\w)", line)] or [len(line)])
                line = line[:cut] + rng.choice(INVALID_UTF8) + line[cut:]
            parts.append(line)
            if self._chance(0.04):
                parts.append(rng.choice((b"", b"", b"   ", b"\t")))
        content = ending.join(parts)
        bom = b"\xef\xbb\xbf" if self._chance(0.15) else b""
        return bom + content + (ending if self._chance(0.8) else b"")

    def _parquet(self, events: list[Values]) -> bytes:
        rng = self._rng
        types = dict.fromkeys(FIELDS, "varchar")
        for name in ("contact_id", "merged_contact_id", "user_id", "channel_id"):
            types[name] = rng.choice(("varchar", "varchar", "bigint", "double"))
        types["occurred_at"] = rng.choice(("varchar", "varchar", "timestamptz", "timestamptz", "timestamp"))
        if self._chance(0.2):
            del types[rng.choice(("contact_name", "source", "user_id", "channel_id"))]
        rows = [[parquet_value(event[name], kind) for name, kind in types.items()] for event in events]
        if self._chance(0.3):
            types |= {"note": "varchar", "score": "double", "flag": "boolean"}
            rows = [
                [*row, rng.choice((None, "été")), rng.choice((None, 0.5)), rng.choice((None, True))] for row in rows
            ]
        return parquet_bytes(types, rows)


class JsonNumber(str):
    """Text to be written into JSON as the number it spells."""


def json_object(fields: Mapping[str, object], *, ensure_ascii: bool, colon: str) -> str:
    """One line of JSON, its numbers spelled as they were given."""
    pairs = (
        f'"{name}"{colon}' + (value if isinstance(value, JsonNumber) else json.dumps(value, ensure_ascii=ensure_ascii))
        for name, value in fields.items()
    )
    return "{" + ("," if colon == ":" else ", ").join(pairs) + "}"


def csv_line(values: Sequence[str], delimiter: str, quoted: bool = False) -> str:
    """One CSV row without its line ending."""
    line = io.StringIO()
    # With any other line terminator, Python before 3.13 would leave a line break in a name unquoted.
    csv.writer(line, delimiter=delimiter, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL).writerow(values)
    return line.getvalue().removesuffix("\r\n")


def parquet_value(text: str | None, kind: str) -> object:
    """The text as a value of a Parquet column; what does not fit becomes NULL."""
    trimmed = (text or "").strip()
    if text is None or kind == "varchar":
        return text
    if kind.startswith("timestamp"):
        try:
            moment = datetime.fromisoformat(trimmed)
        except ValueError:
            return None
        # An instant that is refused has no text that the contract settles.
        if moment.tzinfo is None or not 2024 <= moment.year <= 2026:
            return None
        return moment if kind == "timestamptz" else moment.replace(tzinfo=None, microsecond=0)
    if not re.fullmatch(r"-?[0-9]{1,18}(\.0)?", trimmed):
        return None
    number = int(trimmed.removesuffix(".0"))
    return number if kind == "bigint" else float(number)


def parquet_bytes(types: Mapping[str, str], rows: Sequence[Sequence[object]]) -> bytes:
    """A Parquet file with columns of these DuckDB types."""
    columns = ", ".join(f"{name} {kind}" for name, kind in types.items())
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(f"create table events ({columns})")
        if rows:
            row = f"({', '.join('?' for _ in types)})"
            values = [value for row_values in rows for value in row_values]
            connection.execute(f"insert into events values {', '.join(row for _ in rows)}", values)
        path = Path(folder) / "events.parquet"
        connection.execute(f"copy events to '{path}' (format parquet)")
        return path.read_bytes()
