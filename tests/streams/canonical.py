"""Generates canonical events, directories and workspaces, delivery by delivery."""

from __future__ import annotations

import gzip
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from random import Random
from zoneinfo import ZoneInfo

from tests.streams.people import People
from tests.streams.values import (
    BAD_CONTACT_IDS,
    BAD_TIMES,
    BROKEN_JSON,
    CLOCK_CHANGES,
    FIELDS,
    FIRST_EVENT,
    FORMATS,
    LAST_EVENT,
    NAMES,
    OFFSETS,
    PERSONS,
    REDELIVERIES,
    SHORTENED_IDS,
    SOURCE_SPELLINGS,
    SOURCES_FOR,
    TEXT_FORMATS,
    UNKNOWN_SOURCES,
    UNKNOWN_TYPES,
    ZONES,
)
from tests.streams.writing import JsonNumber, RandomText, csv_line, json_line, parquet_bytes, parquet_value

Values = dict[str, str | None]


@dataclass
class EventFile:
    """An event file as it was last delivered, so that later deliveries can repeat, change or mend it."""

    workspace_id: str
    extension: str
    events: list[Values]
    content: bytes
    original: bytes


class Stream(RandomText):
    """A landing folder's history, made delivery by delivery."""

    def __init__(self, rng: Random, events: int = 40) -> None:
        super().__init__(rng)
        self._events = events
        self._delivered = 0
        self._next_event = 0
        self._next_file = 0
        self.folders = rng.sample(("101", "202", "303", "acme-east", "42"), rng.randint(2, 4))
        self.zones = {folder: rng.choice(ZONES) for folder in self.folders}
        self._listed = set(self.folders[1:]) if self.chance(0.3) else set(self.folders)
        self._moments = [self.moment() for _ in range(12)]
        self.users = {folder: People(rng, ("1", "2", "3", "4")) for folder in self.folders}
        self.channels = {folder: People(rng, ("1", "2", "3")) for folder in self.folders}
        for people in (*self.users.values(), *self.channels.values()):
            people.change(self.moment())
        # Where nobody lists users and channels, only the webhooks say what they are called.
        self.folders_with_directory = [folder for folder in self.folders if self.chance(0.7)]
        self._past: dict[str, list[Values]] = {folder: [] for folder in self.folders}
        self._files: dict[str, EventFile] = {}
        self._broken: dict[str, EventFile] = {}
        self._unfinished: dict[str, bytes] = {}

    def next_delivery(self) -> dict[str, bytes | None]:
        """The files that arrive, change or go before the next run."""
        delivery: dict[str, bytes | None] = {}
        self._deliver_workspaces(delivery)
        for folder in self.folders:
            for kind, people in (("users", self.users[folder]), ("channels", self.channels[folder])):
                if self.chance(0.6):
                    people.change(self.moment())
                if folder in self.folders_with_directory and self.chance(0.5):
                    name = self.rng.choice((f"{kind}.csv", f"{kind}.csv", "snapshot-2.csv", "older.csv"))
                    delivery[f"{folder}/{kind}/{name}"] = self._directory(kind, people)
        self._finish(delivery)
        if not self.chance(0.05):
            self._deliver_events(delivery)
            self._redeliver(delivery)
            self._deliver_clutter(delivery)
        self._delivered += 1
        return delivery

    def _deliver_workspaces(self, delivery: dict[str, bytes | None]) -> None:
        if self._delivered and self.chance(0.4):
            folder = self.rng.choice(self.folders)
            if self.chance(0.3):
                self.zones[folder] = self.rng.choice(ZONES)
            else:
                unlisted = set(self.folders) - self._listed
                self._listed ^= unlisted or {folder}
        rows = [
            [
                folder,
                self.rng.choice((f"Workspace {folder}", f'The "{folder}", renamed')),
                self.zones[folder],
            ]
            for folder in self.folders
            if folder in self._listed
        ]
        rows.append(["999", "No folder yet", "Europe/Paris"])
        header = ["workspace_id", "workspace_name", "timezone"]
        delivery["workspaces.csv"] = self.csv_bytes(header, rows)

    def _directory(self, kind: str, people: People) -> bytes:
        id_name, name_name = ("user_id", "user_name") if kind == "users" else ("channel_id", "channel_name")
        header = [id_name, name_name, *(["channel_type"] if kind == "channels" else []), "deleted_at"]
        rows = []
        for row_id in self.rng.sample(people.ids, self.rng.randint(len(people.ids) // 2, len(people.ids))):
            rows.append([self.rng.choice((row_id, row_id, f"0{row_id}", f"{row_id}.0", f" {row_id} ")), row_id])
        for _ in range(self.rng.randint(0, 3)):
            rows.append([self.rng.choice(("1", "0", "wa-main", "u-x", "", *SHORTENED_IDS)), ""])
        table = []
        for landed_id, row_id in rows:
            name = people.name(row_id) if self.chance(0.85) else self.rng.choice((*PERSONS, "", "two\nlines"))
            channel_type = [self.rng.choice(("whatsapp", "email", "telegram", ""))] if kind == "channels" else []
            table.append([landed_id, name, *channel_type, people.deleted_at(row_id)])
            if self.chance(0.05):
                table.append(self.rng.choice((table[-1][:-1], [*table[-1], "more"])))
        return self.untidy_csv_bytes(header, table)

    def _deliver_events(self, delivery: dict[str, bytes | None]) -> None:
        left = self._events
        while left > 0:
            size = min(left, self.rng.randint(1, max(1, self._events // 2)))
            left -= size
            folder = self.rng.choice(self.folders)
            events = [self._event(folder) for _ in range(size)]
            extension = self.rng.choice(FORMATS)
            content = self._write(events, extension)
            file = EventFile(folder, extension, events, content, original=content)
            path = self._new_path(folder, extension)
            if extension.endswith((".gz", ".parquet")) and self.chance(0.15):
                self._broken[path] = file
                delivery[path] = self.damaged(content)
            else:
                self._files[path] = file
                delivery[path] = content
                if self.chance(0.05):
                    delivery[self._new_path(folder, extension)] = content

    def _redeliver(self, delivery: dict[str, bytes | None]) -> None:
        known = [path for path in self._files if path not in delivery]
        self.rng.shuffle(known)
        for path in known[:2]:
            file = self._files[path]
            action = self.rng.choice(REDELIVERIES)
            if action == "copy":
                delivery[self._new_path(file.workspace_id, file.extension)] = file.content
            elif action == "copy elsewhere":
                delivery[self._new_path(self.rng.choice(self.folders), file.extension)] = file.content
            elif action in ("grow", "rewrite"):
                kept = file.events if action == "grow" else self.rng.sample(file.events, len(file.events) // 2)
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
        folder = self.rng.choice(self.folders)
        if self.chance(0.4):
            extension = self.rng.choice(TEXT_FORMATS)
            content = self._write([self._event(folder) for _ in range(3)], extension)
            path = self._new_path(folder, extension)
            parent, name = path.rsplit("/", 1)
            hidden = self.rng.choice((f".{name}", f"{name}.tmp", f"{name}.part", f".{name}.tmp"))
            delivery[f"{parent}/{hidden}"] = content
            self._unfinished[f"{parent}/{hidden}"] = content
        if self.chance(0.1):
            delivery[f"{folder}/events/README.txt"] = b"Not an event file.\n"
        if self.chance(0.1):
            delivery[self._new_path(folder, ".csv")] = b"event_id,event_type,occurred_at,contact_id\n"
        if self.chance(0.1):
            empty = (b"", b"\n \n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\xef\xbb\xbf\n\xef\xbb\xbf", b"\xff\xfe")
            delivery[self._new_path(folder, ".jsonl")] = self.rng.choice(empty)

    def _finish(self, delivery: dict[str, bytes | None]) -> None:
        """Mends some of the files that were broken, and gives some of the unfinished ones their names."""
        for path in [path for path in self._broken if self.chance(0.5)]:
            file = self._broken.pop(path)
            delivery[path] = file.content
            self._files[path] = file
        for path in [path for path in self._unfinished if self.chance(0.3)]:
            parent, name = path.rsplit("/", 1)
            finished = name.removeprefix(".").removesuffix(".tmp").removesuffix(".part")
            delivery[path] = None
            delivery[f"{parent}/{finished}"] = self._unfinished.pop(path)

    def _new_path(self, folder: str, extension: str) -> str:
        self._next_file += 1
        stem = self.rng.choice(("events", "Export", "late", "a", "é", "z 1", "10"))
        return f"{folder}/events/{stem}-{self._next_file}{extension}"

    def moment(self) -> datetime:
        kind = self.rng.choice(("any", "midnight", "clock change"))
        if kind == "clock change":
            return self.rng.choice(CLOCK_CHANGES) + timedelta(minutes=self.rng.randint(-150, 150))
        moment = FIRST_EVENT + timedelta(seconds=self.rng.randrange(int((LAST_EVENT - FIRST_EVENT).total_seconds())))
        if kind == "any":
            return moment
        zone = ZoneInfo(self.rng.choice(list(self.zones.values())))
        midnight = moment.astimezone(zone).replace(hour=0, minute=0, second=0)
        nearness = self.rng.choice((-1, 0, 1, -1_000_000, 59_000_000, -2_000_000_000))
        return midnight.astimezone(UTC) + timedelta(microseconds=nearness)

    def _event(self, folder: str) -> Values:
        """An event, broken or not: a new one, an old one again, or an old one corrected."""
        past = self._past[folder]
        if past and self.chance(0.12):
            return dict(self.rng.choice(past))
        event = self._new_event(folder)
        if past and self.chance(0.15):
            event["event_id"] = self.rng.choice(past)["event_id"]
        elif past and self.chance(0.1):
            event = dict(self.rng.choice(past))
            name = self.rng.choice(("occurred_at", "contact_id", "source", "event_id", "contact_name"))
            event[name] = self._new_event(folder)[name]
        if self.chance(0.15):
            self._spoil(event)
        past.append(event)
        return event

    def _new_event(self, folder: str) -> Values:
        rng = self.rng
        event_type = rng.choice(("added", "added", "connected", "connected", "deleted", "merged", "merged"))
        event: Values = {
            "event_id": self._event_id(),
            "event_type": self.padded(rng.choice((event_type, event_type.upper(), event_type.title()))),
            "occurred_at": self.padded(self._time()),
            "contact_id": self._contact_id(),
            "contact_name": rng.choice((None, *NAMES)),
            "source": self._source(event_type),
            "user_id": self._person(self.users[folder], ("01", "2.0", " 4 ", "u-x", "77", "0")),
            "channel_id": self._person(self.channels[folder], ("03", "2.0", " 1", "wa-main", "88")),
            "merged_contact_id": None,
        }
        if event_type == "merged" and self.chance(0.75):
            event["merged_contact_id"] = self._contact_id()
        elif self.chance(0.1):
            # Looked at on merged events only, so that even nonsense does no harm elsewhere.
            event["merged_contact_id"] = rng.choice(("", "nonsense", self._contact_id()))
        return event

    def _person(self, people: People, spellings: tuple[str, ...]) -> str | None:
        """A user or channel by its id or its name, or none; seldom an id that a spreadsheet shortened."""
        if self.chance(0.02):
            return self.rng.choice(SHORTENED_IDS)
        row_id = self.rng.choice(people.ids)
        name = people.name(row_id)
        return self.rng.choice((None, "", row_id, row_id, name, name, name, *spellings, self.rng.choice(PERSONS)))

    def _event_id(self) -> str:
        self._next_event += 1
        if self.chance(0.03):
            return self.rng.choice(SHORTENED_IDS)
        spelling = self.rng.choice(("e{}", "e{}", "E{}", "{}", "é-{}", "{}.0", "0{}", " e{} ", "🦆{}", "e,{}"))
        return spelling.format(self._next_event)

    def _contact_id(self) -> str:
        number = self.rng.choice((1, 1, 2, 2, 3, 4, 5, 6, 7, 8, 123456789012, 2**63 - 1))
        return self.padded(self.rng.choice(("{}", "{}", "{}", "0{}", "{}.0", "000{}.0")).format(number))

    def _time(self) -> str:
        moment = self.rng.choice(self._moments) if self.chance(0.5) else self.moment()
        moment += timedelta(microseconds=self.rng.choice((0, 0, 0, 1, 300_000, 999_999, 3_600_000_000)))
        offset = timedelta(minutes=self.rng.choice(OFFSETS))
        local = moment.astimezone(timezone(offset))
        text = local.strftime("%Y-%m-%d") + self.rng.choice("T ") + local.strftime("%H:%M")
        if local.microsecond:
            # Digits beyond the microsecond are cut, not rounded.
            digits = f"{local.microsecond:06}"
            spellings = (digits, digits + "999", digits + "5", digits.rstrip("0"))
            text += f":{local.second:02}.{self.rng.choice(spellings)}"
        elif local.second or self.chance(0.5):
            text += f":{local.second:02}" + self.rng.choice(("", "", ".0", ".0000009", ".000"))
        sign = "-" if offset < timedelta() else "+"
        hours, minutes = divmod(abs(offset) // timedelta(minutes=1), 60)
        if not offset:
            return text + self.rng.choice(("Z", "Z", "+00:00", "-00:00", "+0000", "+00"))
        colon = self.rng.choice((":", ":", ""))
        with_minutes = minutes or self.chance(0.7)
        return text + f"{sign}{hours:02}" + (f"{colon}{minutes:02}" if with_minutes else "")

    def _source(self, event_type: str) -> str | None:
        rng = self.rng
        kind = rng.random()
        if kind < 0.15:
            return rng.choice((None, "", " "))
        if kind < 0.22:
            return self.padded(rng.choice(UNKNOWN_SOURCES))
        key = rng.choice(list(SOURCE_SPELLINGS) if kind < 0.3 else SOURCES_FOR[event_type])
        text = rng.choice(SOURCE_SPELLINGS[key])
        if self.chance(0.3):
            text = re.sub("[ _-]", lambda _: rng.choice((" ", "_", "-", "  ", " - ", "_ ")), text)
        return self.padded(rng.choice((text, text, text.upper(), text.lower())))

    def _spoil(self, event: Values) -> None:
        rng = self.rng
        fault = rng.choice(("missing", "missing", "type", "id", "id", "merged id", "time", "time", "itself"))
        if fault == "missing":
            for name in rng.sample(("event_id", "event_type", "occurred_at", "contact_id"), rng.randint(1, 3)):
                event[name] = rng.choice((None, "", "  "))
        elif fault == "type":
            event["event_type"] = self.padded(rng.choice(UNKNOWN_TYPES))
        elif fault == "id":
            event["contact_id"] = self.padded(rng.choice(BAD_CONTACT_IDS))
        elif fault == "time":
            event["occurred_at"] = self.padded(rng.choice(BAD_TIMES))
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
            if self.chance(0.04):
                lines.append(self.rng.choice(BROKEN_JSON).encode())
        return self.text_file(lines)

    def _json_line(self, event: Values) -> bytes:
        shown: dict[str, object] = {}
        for name in self.rng.sample(FIELDS, len(FIELDS)):
            value = event[name]
            if value is not None or self.chance(0.3):
                is_number = re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?(e[0-9]+)?", value or "") is not None
                shown[name] = JsonNumber(value or "") if is_number and self.chance(0.5) else value
        if self.chance(0.05):
            shown[self.rng.choice(("contact_name", "note"))] = JsonNumber('"cut \\ud83d"')
        elif self.chance(0.2):
            shown["note"] = self.rng.choice(("extra", True, None, JsonNumber("1.50"), "été"))
        tight = self.chance(0.5)
        return json_line(shown, ensure_ascii=self.chance(0.3), colon=":" if tight else ": ").encode()

    def _csv(self, events: list[Values]) -> bytes:
        rng = self.rng
        names = list(FIELDS)
        if self.chance(0.5):
            rng.shuffle(names)
        if self.chance(0.2):
            names.remove(rng.choice(("contact_name", "source", "user_id", "channel_id", "merged_contact_id")))
        if self.chance(0.2):
            names.insert(rng.randrange(len(names)), "note")
        delimiter = rng.choice(",,,;;\t")
        if delimiter == ";" and self.chance(0.3):
            names.append("city, country")
        spell = rng.choice((str, str, str.upper, str.title, lambda name: f" {name} "))
        quoted = self.chance(0.3)
        lines = [csv_line([spell(name) for name in names], delimiter).encode()]
        for event in events:
            row = [event.get(name) or "" for name in names]
            if self.chance(0.04):
                row = rng.choice((row[:-1], row[:1], [*row, ""], [*row, "more", "and more"]))
            lines.append(csv_line(row, delimiter, quoted).encode())
            if self.chance(0.02) and delimiter != "\t":
                lines.append((delimiter * (len(names) - 1)).encode())
        lines = self.with_stray_quotes(lines, delimiter)
        return self.text_file([f"sep={delimiter}".encode(), *lines] if self.chance(0.08) else lines)

    def _parquet(self, events: list[Values]) -> bytes:
        rng = self.rng
        types = dict.fromkeys(FIELDS, "varchar")
        for name in ("contact_id", "merged_contact_id", "user_id", "channel_id"):
            types[name] = rng.choice(("varchar", "varchar", "bigint", "double"))
        types["occurred_at"] = rng.choice(("varchar", "varchar", "timestamptz", "timestamptz", "timestamp"))
        if self.chance(0.2):
            del types[rng.choice(("contact_name", "source", "user_id", "channel_id"))]
        rows = [[parquet_value(event[name], kind) for name, kind in types.items()] for event in events]
        if self.chance(0.3):
            # The second is what DuckDB calls a row's number, if it is asked for it.
            types |= {rng.choice(("note", "file_row_number")): "varchar", "score": "double", "flag": "boolean"}
            rows = [
                [*row, rng.choice((None, "été")), rng.choice((None, 0.5)), rng.choice((None, True))] for row in rows
            ]
        return parquet_bytes(types, rows)
