"""Reckons the contract's outputs in plain Python, to compare the pipeline's published views with."""

from __future__ import annotations

import codecs
import csv
import gzip
import hashlib
import io
import json
import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

Row = dict[str, object]
Fields = dict[str, str | None]

EVENT_TYPES = ("added", "connected", "deleted", "merged")
REQUIRED = ("event_id", "event_type", "occurred_at", "contact_id")
OPTIONAL = ("contact_name", "source", "user_id", "channel_id", "merged_contact_id")
ROUTE = "events"
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
GREATEST_ID = 2**63 - 1


@dataclass(frozen=True)
class Source:
    """A row of the contract's table of sources."""

    key: str
    label: str
    label_fr: str
    allowed_for: tuple[str, ...]


SOURCES = {
    source.key: source
    for source in (
        Source("user", "User", "Utilisateur", EVENT_TYPES),
        Source("contact_import", "Contact Import", "Importation des contacts", ("added",)),
        Source("developer_api", "Developer API", "API développeur", ("added", "connected")),
        Source("incoming_message", "Incoming Message", "Message entrant", ("added", "connected")),
        Source("echo_message", "Echo Message", "Message d'écho", ("added", "connected")),
        Source("zapier", "Zapier", "Zapier", ("added", "connected")),
        Source("make", "Make", "Make", ("added", "connected")),
        Source("click_to_chat_ads", "Click-to-Chat Ads", "Annonces de click-to-chat", ("added", "connected")),
        Source("broadcast", "Broadcast", "Diffusion", ("connected",)),
        Source("other", "Other", "Autre", ("added", "connected")),
        Source("unknown", "Unknown", "Inconnue", ("added", "connected")),
    )
}
ALIASES = {
    "Paid Ads": "click_to_chat_ads",
    "api": "developer_api",
    "import": "contact_import",
    "ctc_ads": "click_to_chat_ads",
    "contact": "incoming_message",
}


@dataclass(frozen=True, eq=False)
class Record:
    """A landed record; its fields are None where it is malformed."""

    workspace_id: str
    source_file: str
    source_line: int
    raw_record: str
    fields: Fields | None
    loaded_at: datetime


@dataclass(frozen=True)
class LoadedFile:
    """A version of an event file, as it was loaded."""

    workspace_id: str
    source_file: str
    loaded_at: datetime
    records: list[Record]


@dataclass(frozen=True, eq=False)
class Event:
    """An accepted record, its values typed."""

    record: Record
    workspace_id: str
    event_id: str
    event_type: str
    occurred_at: datetime
    contact_id: int
    contact_name: str | None
    source: str
    user_id: str | None
    channel_id: str | None
    merged_contact_id: int | None


@dataclass(frozen=True)
class Rejection:
    """Why a record does not count; a malformed record's detail is anybody's guess, and None here."""

    reason: str
    detail: str | None


@dataclass
class Outcome:
    """Every landed record in its one state."""

    standing: list[Event] = field(default_factory=list)
    superseded: list[tuple[Event, str]] = field(default_factory=list)
    rejected: list[tuple[Record, Rejection]] = field(default_factory=list)
    states: dict[Record, str] = field(default_factory=dict)


def parse_instant(text: str) -> datetime | None:
    """The instant in UTC that a canonical `occurred_at` names, None where it names none."""
    match = re.fullmatch(
        r"([0-9]{4})-([0-9]{2})-([0-9]{2})[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]+))?)?"
        r"(?:Z|([+-])([0-9]{2})(?::?([0-9]{2}))?)",
        text,
    )
    if not match:
        return None
    *clock, fraction, sign, hours, minutes = match.groups()
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    if int(hours or 0) > 23 or int(minutes or 0) > 59:
        return None
    try:
        year, month, day, hour, minute, second = (int(part or 0) for part in clock)
        local = datetime(year, month, day, hour, minute, second, int((fraction or "0")[:6].ljust(6, "0")), UTC)
        return local + offset if sign == "-" else local - offset
    except (ValueError, OverflowError):
        return None


def parse_contact_id(text: str) -> int | None:
    """The contact id that a trimmed text spells, None where it spells none."""
    if not re.fullmatch(r"[0-9]+(\.0)?", text):
        return None
    digits = text.removesuffix(".0").lstrip("0")
    return int(digits) if digits and len(digits) <= 19 and int(digits) <= GREATEST_ID else None


def normalised_id(text: str | None) -> str | None:
    """A user's or channel's id without leading zeros and a trailing `.0`; any other text as it is."""
    if text is None or not re.fullmatch(r"[0-9]+(\.0)?", text):
        return text
    return text.removesuffix(".0").lstrip("0") or "0"


def trimmed(text: str | None) -> str | None:
    """The text without the white space around it, None where nothing is left."""
    return (text or "").strip() or None


def resolved_source(text: str | None, event_type: str) -> str:
    """The key of the source that a trimmed raw text means for this type of event."""
    if text is None:
        return "unknown" if event_type in ("added", "connected") else "user"
    return SOURCE_BY_SPELLING.get(spelling(text), "other")


def spelling(text: str) -> str:
    """The form in which two spellings of a source are the same."""
    return re.sub(r"[ _-]+", " ", text.lower())


SOURCE_BY_SPELLING = {spelling(alias): key for alias, key in ALIASES.items()} | {
    spelling(text): source.key for source in SOURCES.values() for text in (source.key, source.label, source.label_fr)
}


def hex_escaped(error: UnicodeError) -> tuple[str, int]:
    """Decoding error handler that shows each undecodable byte as its hexadecimal escape."""
    assert isinstance(error, UnicodeDecodeError)
    return "".join(f"\\x{byte:02X}" for byte in error.object[error.start : error.end]), error.end


codecs.register_error("hex_escaped", hex_escaped)


@dataclass(frozen=True)
class Line:
    """A physical line with its line ending, and whether it was UTF-8."""

    text: str
    is_utf8: bool


def physical_lines(data: bytes) -> list[Line]:
    """The lines of a text file, its BOM left out."""
    lines = []
    for line in io.BytesIO(data.removeprefix(codecs.BOM_UTF8)).readlines():
        try:
            lines.append(Line(line.decode(), True))
        except UnicodeDecodeError:
            lines.append(Line(line.decode(errors="hex_escaped"), False))
    return lines


def without_line_ending(text: str) -> str:
    """The text without the line feed, or carriage return and line feed, that ends it."""
    return text.removesuffix("\n").removesuffix("\r")


def read_jsonl(data: bytes) -> Iterator[tuple[int, str, Fields | None]]:
    """Line number, raw text and fields of each record of a JSON Lines file."""
    for number, line in enumerate(physical_lines(data), start=1):
        if line.text.strip():
            raw = without_line_ending(line.text)
            yield number, raw, json_fields(raw) if line.is_utf8 else None


def json_fields(text: str) -> Fields | None:
    """The fields of a JSON object, each as text; None where the text is not strictly one."""
    try:
        value = json.loads(text, parse_int=str, parse_float=str, parse_constant=refuse_constant)
        # An escaped half of a surrogate pair is no text: encoding it raises a ValueError too.
        json.dumps(value, ensure_ascii=False).encode()
    except ValueError:
        return None
    if not isinstance(value, dict):
        return None
    return {name: json_text(content) for name, content in value.items()}


def refuse_constant(name: str) -> object:
    """Refuses NaN and the infinities, which Python reads and JSON does not know."""
    raise ValueError(name)


def json_text(value: object) -> str | None:
    """The text of a JSON value whose numbers were left as text."""
    return value if value is None or isinstance(value, str) else json.dumps(value)


def csv_rows(data: bytes) -> Iterator[tuple[int, str, list[str], bool]]:
    """Line number, raw text, values and whether all was UTF-8, of each row of a CSV file, header included."""
    lines = physical_lines(data)
    header = next((line.text for line in lines if line.text.strip()), "")
    delimiter = ";" if ";" in header and "," not in header else ","
    reader = csv.reader((line.text for line in lines), delimiter=delimiter)
    start = 0
    for values in reader:
        row_lines = lines[start : reader.line_num]
        raw = without_line_ending("".join(line.text for line in row_lines))
        if raw.strip():
            yield start + 1, raw, values, all(line.is_utf8 for line in row_lines)
        start = reader.line_num


def read_csv(data: bytes) -> Iterator[tuple[int, str, Fields | None]]:
    """Line number, raw text and fields of each record of a CSV file."""
    rows = csv_rows(data)
    header = next(rows, None)
    if header is None:
        return
    names = [name.strip().lower() for name in header[2]]
    for number, raw, values, is_utf8 in rows:
        whole = is_utf8 and len(values) == len(names)
        yield number, raw, dict(zip(names, values, strict=True)) if whole else None


def read_parquet(path: Path) -> Iterator[tuple[int, str, Fields | None]]:
    """Row number, raw JSON and fields of each row of a Parquet file, every value as text."""
    with duckdb.connect() as connection:
        scan = "from read_parquet(?, hive_partitioning = false)"
        columns = connection.execute(f"describe select * {scan}", [str(path)]).fetchall()
        names = [column[0] for column in columns]
        instants = {column[0] for column in columns if column[1] == "TIMESTAMP WITH TIME ZONE"}
        values = ", ".join(f'epoch_us("{name}")' if name in instants else f'"{name}"::varchar' for name in names)
        rows = connection.execute(f"select {values} {scan}", [str(path)]).fetchall()
    for number, row in enumerate(rows, start=1):
        fields = {
            name: instant_text(value) if name in instants and value is not None else value
            for name, value in zip(names, row, strict=True)
        }
        yield number, json.dumps(fields), fields


def instant_text(microseconds: int) -> str:
    """A Parquet instant as a canonical `occurred_at`."""
    return f"{datetime(1970, 1, 1) + timedelta(microseconds=microseconds):%Y-%m-%dT%H:%M:%S.%f}Z"


def comparable_row(raw_record: str) -> dict[str, object]:
    """What two `raw_record`s of a Parquet row must agree on, whatever JSON types they were written with.

    Nulls are left out, numbers and booleans are their text, and an instant is the same in any spelling.
    """
    fields = json_fields(raw_record)
    assert fields is not None, raw_record
    present = {name: text for name, text in fields.items() if text is not None}
    return {name: parse_instant(text) or text for name, text in present.items()}


def read_event_file(path: Path) -> list[tuple[int, str, Fields | None]] | None:
    """Line number, raw text and fields of a file's records; None where it cannot be read to its end."""
    try:
        if path.suffix == ".parquet":
            return list(read_parquet(path))
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (EOFError, OSError, zlib.error, duckdb.Error):
        return None
    return list(read_csv(data) if path.name.removesuffix(".gz").endswith(".csv") else read_jsonl(data))


def read_directory(data: bytes) -> list[Fields]:
    """The trimmed rows of a directory file, but for those with a wrong number of fields."""
    rows = [fields for _, _, fields in read_csv(data) if fields is not None]
    return [{name: trimmed(value) for name, value in row.items()} for row in rows]


def is_taken(relative: Path) -> bool:
    """Whether a file is complete by its name."""
    return not relative.name.endswith((".tmp", ".part")) and not any(part.startswith(".") for part in relative.parts)


class Reckoning:
    """What the contract says of a landing folder's history: load after each delivery, then view.

    The `raw_record` of a Parquet row is JSON: compare it by `comparable_row`, on both sides.
    """

    def __init__(self) -> None:
        self.unreadable: list[str] = []
        self.files: list[LoadedFile] = []
        self._workspaces: dict[str, Fields] = {}
        self._users: dict[tuple[str, str], Fields] = {}
        self._channels: dict[tuple[str, str], Fields] = {}
        self._loaded_contents: set[tuple[str, bytes]] = set()
        self._loaded_directories: dict[Path, bytes] = {}

    def load(self, landing: Path, loaded_at: datetime) -> None:
        """Loads what is new in the landing folder, as one run of the pipeline at that time would.

        `unreadable` then names the files that this run must warn of.
        """
        self.unreadable = []
        listing = landing / "workspaces.csv"
        if listing.is_file():
            rows = read_directory(listing.read_bytes())
            self._workspaces = {row_id: row for row in rows if (row_id := row.get("workspace_id"))}
        paths = [path.relative_to(landing) for path in landing.glob("*/*/*") if path.is_file()]
        for path in sorted(filter(is_taken, paths), key=lambda path: path.as_posix().encode()):
            workspace_id, kind, name = path.parts
            if kind == "events" and name.endswith((".jsonl", ".csv", ".jsonl.gz", ".csv.gz", ".parquet")):
                self._load_events(landing, path, workspace_id, loaded_at)
            elif kind == "users" and name.endswith(".csv"):
                self._load_directory(landing, path, self._users, "user_id")
            elif kind == "channels" and name.endswith(".csv"):
                self._load_directory(landing, path, self._channels, "channel_id")

    def _load_events(self, landing: Path, path: Path, workspace_id: str, loaded_at: datetime) -> None:
        content = (workspace_id, hashlib.sha256((landing / path).read_bytes()).digest())
        if content in self._loaded_contents:
            return
        parts = read_event_file(landing / path)
        if parts is None:
            self.unreadable.append(path.as_posix())
            return
        self._loaded_contents.add(content)
        records = [Record(workspace_id, path.as_posix(), *part, loaded_at) for part in parts]
        self.files.append(LoadedFile(workspace_id, path.as_posix(), loaded_at, records))

    def _load_directory(
        self, landing: Path, path: Path, directory: dict[tuple[str, str], Fields], id_name: str
    ) -> None:
        data = (landing / path).read_bytes()
        if self._loaded_directories.get(path) == data:
            return
        self._loaded_directories[path] = data
        for row in read_directory(data):
            row_id = normalised_id(row.get(id_name))
            if row_id is not None:
                directory[path.parts[0], row_id] = row

    def view(self, name: str) -> list[Row]:
        """The rows, in any order, of a view of the schemas `reports` and `quality`."""
        views: dict[str, Callable[[], Iterable[Row]]] = {
            "contacts_overview": self._contacts_overview,
            "contacts_added_by_source": self._contacts_added_by_source,
            "contacts_connected_by_channel": self._contacts_connected_by_channel,
            "contacts_added_log": lambda: map(self._log_row, self._standing("added")),
            "contacts_connected_log": lambda: map(self._connected_log_row, self._standing("connected")),
            "contacts_deleted_log": lambda: map(self._log_row, self._standing("deleted")),
            "contacts_merged_log": lambda: map(self._merged_log_row, self._standing("merged")),
            "sources": self._sources_view,
            "users": self._users_view,
            "channels": self._channels_view,
            "workspaces": self._workspaces_view,
            "data_status": self._data_status,
            "rejected_records": self._rejected_records,
            "superseded_events": self._superseded_events,
            "load_balance": self._load_balance,
        }
        return list(views[name]())

    def contacts(self) -> list[Row]:
        """One row per contact of a standing event, with its status and the contact it survives as."""
        events_of: dict[tuple[str, int], list[Event]] = defaultdict(list)
        merged_away: dict[tuple[str, int], Event] = {}
        deleted_at: dict[tuple[str, int], datetime] = {}
        for event in self._outcome().standing:
            contact = (event.workspace_id, event.contact_id)
            events_of[contact].append(event)
            if event.event_type == "deleted":
                deleted_at[contact] = event.occurred_at
            if event.merged_contact_id is not None:
                away = (event.workspace_id, event.merged_contact_id)
                events_of[away].append(event)
                merged_away[away] = max(event, merged_away.get(away, event), key=by_time_and_id)
        rows: list[Row] = []
        for contact, events in events_of.items():
            status = "deleted" if contact in deleted_at else "active"
            if contact in merged_away:
                last_merge = merged_away[contact].occurred_at
                status = "deleted" if deleted_at.get(contact, last_merge) > last_merge else "merged"
            rows.append(
                {
                    "workspace_id": contact[0],
                    "contact_id": contact[1],
                    "status": status,
                    "first_event_at": min(event.occurred_at for event in events),
                    "last_event_at": max(event.occurred_at for event in events),
                    "survivor_contact_id": survivor(contact, merged_away),
                }
            )
        return rows

    def _judge(self, record: Record) -> Event | Rejection:
        if record.fields is None:
            return Rejection("malformed_record", None)
        values = {name: trimmed(record.fields.get(name)) for name in REQUIRED + OPTIONAL}
        missing = [name for name in REQUIRED if values[name] is None]
        if missing:
            return Rejection("missing_field", ", ".join(missing))
        event_id, type_text, time_text, contact_text = (values[name] or "" for name in REQUIRED)
        if record.workspace_id not in self._workspaces:
            return Rejection("unknown_workspace", record.workspace_id)
        event_type = event_type_of(record)
        if event_type == "unknown":
            return Rejection("unknown_event_type", type_text)
        contact_id = parse_contact_id(contact_text)
        if contact_id is None:
            return Rejection("invalid_contact_id", contact_text)
        merged_text = values["merged_contact_id"] if event_type == "merged" else None
        merged_contact_id = parse_contact_id(merged_text) if merged_text is not None else None
        if merged_text is not None and merged_contact_id is None:
            return Rejection("invalid_contact_id", merged_text)
        occurred_at = parse_instant(time_text)
        if occurred_at is None or not EARLIEST <= occurred_at <= record.loaded_at + timedelta(hours=24):
            return Rejection("invalid_occurred_at", time_text)
        source = resolved_source(values["source"], event_type)
        if event_type not in SOURCES[source].allowed_for:
            return Rejection("source_not_allowed", values["source"])
        if merged_contact_id == contact_id:
            return Rejection("merged_into_itself", merged_text)
        return Event(
            record=record,
            workspace_id=record.workspace_id,
            event_id=event_id,
            event_type=event_type,
            occurred_at=occurred_at,
            contact_id=contact_id,
            contact_name=record.fields.get("contact_name") or None,
            source=source,
            user_id=normalised_id(values["user_id"]) if source == "user" else None,
            channel_id=normalised_id(values["channel_id"]),
            merged_contact_id=merged_contact_id,
        )

    def _outcome(self) -> Outcome:
        outcome = Outcome()
        accepted: list[Event] = []
        for file in self.files:
            for record in file.records:
                verdict = self._judge(record)
                if isinstance(verdict, Event):
                    accepted.append(verdict)
                else:
                    outcome.rejected.append((record, verdict))
                    outcome.states[record] = "rejected"
        last_sent = {(event.workspace_id, event.event_id): event for event in accepted}
        best: dict[tuple[object, ...], Event] = {}
        for event in last_sent.values():
            key = natural_key(event)
            best[key] = min(best.get(key, event), event, key=by_time_and_id)
        for event in accepted:
            winner = best[natural_key(last_sent[event.workspace_id, event.event_id])]
            if event is winner:
                outcome.standing.append(event)
                outcome.states[event.record] = "standing"
            else:
                outcome.superseded.append((event, winner.event_id))
                outcome.states[event.record] = "superseded"
        return outcome

    def _standing(self, event_type: str) -> list[Event]:
        return [event for event in self._outcome().standing if event.event_type == event_type]

    def _local(self, event: Event) -> datetime:
        zone = ZoneInfo(self._workspaces[event.workspace_id]["timezone"] or "")
        return event.occurred_at.astimezone(zone).replace(tzinfo=None)

    def _log_row(self, event: Event) -> Row:
        local = self._local(event)
        return {
            "workspace_id": event.workspace_id,
            "occurred_at": event.occurred_at,
            "occurred_at_local": local,
            "report_date": local.date(),
            "contact_id": event.contact_id,
            "contact_name": event.contact_name,
            "source": event.source,
            "source_label": SOURCES[event.source].label,
            "user_id": event.user_id,
            "user_name": self._user_name(event.workspace_id, event.user_id),
            "event_id": event.event_id,
            "route": ROUTE,
        }

    def _connected_log_row(self, event: Event) -> Row:
        name, _ = self._channel(event)
        return self._log_row(event) | {"channel_id": event.channel_id, "channel_name": name}

    def _merged_log_row(self, event: Event) -> Row:
        row = self._log_row(event) | {
            "primary_contact_id": event.contact_id,
            "merged_contact_id": event.merged_contact_id,
        }
        del row["contact_id"]
        return row

    def _user_name(self, workspace_id: str, user_id: str | None) -> str | None:
        if user_id is None:
            return None
        user = self._users.get((workspace_id, user_id), {})
        return user_id if user.get("deleted_at") else user.get("user_name") or user_id

    def _channel(self, event: Event) -> tuple[str, str | None]:
        if event.channel_id is None:
            return "Unknown", None
        channel = self._channels.get((event.workspace_id, event.channel_id), {})
        return channel.get("channel_name") or event.channel_id, channel.get("channel_type")

    def _contacts_overview(self) -> Iterator[Row]:
        counts: Counter[tuple[str, date, str]] = Counter()
        days: dict[str, list[date]] = defaultdict(list)
        for event in self._outcome().standing:
            day = self._local(event).date()
            counts[event.workspace_id, day, event.event_type] += 1
            days[event.workspace_id].append(day)
        for workspace_id, active_days in days.items():
            for offset in range((max(active_days) - min(active_days)).days + 1):
                day = min(active_days) + timedelta(days=offset)
                yield {
                    "workspace_id": workspace_id,
                    "report_date": day,
                    "contacts_added": counts[workspace_id, day, "added"],
                    "contacts_deleted": counts[workspace_id, day, "deleted"],
                    "contacts_merged": counts[workspace_id, day, "merged"],
                }

    def _contacts_added_by_source(self) -> Iterator[Row]:
        counts = Counter(
            (event.workspace_id, self._local(event).date(), event.source) for event in self._standing("added")
        )
        for (workspace_id, day, source), count in counts.items():
            yield {
                "workspace_id": workspace_id,
                "report_date": day,
                "source": source,
                "source_label": SOURCES[source].label,
                "contacts_added": count,
            }

    def _contacts_connected_by_channel(self) -> Iterator[Row]:
        counts = Counter(
            (event.workspace_id, self._local(event).date(), event.channel_id, *self._channel(event))
            for event in self._standing("connected")
        )
        for (workspace_id, day, channel_id, channel_name, channel_type), count in counts.items():
            yield {
                "workspace_id": workspace_id,
                "report_date": day,
                "channel_id": channel_id,
                "channel_name": channel_name,
                "channel_type": channel_type,
                "contacts_connected": count,
            }

    def _sources_view(self) -> Iterator[Row]:
        for source in SOURCES.values():
            yield {"source": source.key, "source_label": source.label, "label_fr": source.label_fr}

    def _users_view(self) -> Iterator[Row]:
        for (workspace_id, user_id), user in self._users.items():
            if workspace_id in self._workspaces:
                yield {
                    "workspace_id": workspace_id,
                    "user_id": user_id,
                    "user_name": self._user_name(workspace_id, user_id),
                    "is_deleted": user.get("deleted_at") is not None,
                }

    def _channels_view(self) -> Iterator[Row]:
        for (workspace_id, channel_id), channel in self._channels.items():
            if workspace_id in self._workspaces:
                yield {
                    "workspace_id": workspace_id,
                    "channel_id": channel_id,
                    "channel_name": channel.get("channel_name") or channel_id,
                    "channel_type": channel.get("channel_type"),
                    "is_deleted": channel.get("deleted_at") is not None,
                }

    def _workspaces_view(self) -> Iterator[Row]:
        for workspace_id, workspace in self._workspaces.items():
            yield {
                "workspace_id": workspace_id,
                "workspace_name": workspace.get("workspace_name"),
                "timezone": workspace.get("timezone"),
            }

    def _data_status(self) -> Iterator[Row]:
        outcome = self._outcome()
        records: dict[tuple[str, str], list[Record]] = defaultdict(list)
        for file in self.files:
            for record in file.records:
                records[record.workspace_id, event_type_of(record)].append(record)
        times: dict[tuple[str, str], list[datetime]] = defaultdict(list)
        for event in outcome.standing:
            times[event.workspace_id, event.event_type].append(event.occurred_at)
        for (workspace_id, event_type), landed in records.items():
            yield {
                "workspace_id": workspace_id,
                "event_type": event_type,
                "first_event_at": min(times[workspace_id, event_type], default=None),
                "last_event_at": max(times[workspace_id, event_type], default=None),
                "last_loaded_at": max(record.loaded_at for record in landed),
            } | balance(landed, outcome)

    def _rejected_records(self) -> Iterator[Row]:
        for record, rejection in self._outcome().rejected:
            yield {
                "workspace_id": record.workspace_id,
                "route": ROUTE,
                "source_file": record.source_file,
                "source_line": record.source_line,
                "reason": rejection.reason,
                "detail": rejection.detail,
                "raw_record": record.raw_record,
                "loaded_at": record.loaded_at,
            }

    def _superseded_events(self) -> Iterator[Row]:
        for event, superseded_by in self._outcome().superseded:
            yield self._log_row(event) | {"event_type": event.event_type, "superseded_by": superseded_by}

    def _load_balance(self) -> Iterator[Row]:
        outcome = self._outcome()
        for file in self.files:
            yield {
                "workspace_id": file.workspace_id,
                "route": ROUTE,
                "source_file": file.source_file,
                "loaded_at": file.loaded_at,
            } | balance(file.records, outcome)


def event_type_of(record: Record) -> str:
    """The type that a record claims, judged or not; `unknown` where it is none of the contract's."""
    text = (trimmed((record.fields or {}).get("event_type")) or "").lower()
    return text if text in EVENT_TYPES else "unknown"


def natural_key(event: Event) -> tuple[object, ...]:
    """What makes two events the same fact."""
    key = (event.workspace_id, event.event_type, event.contact_id)
    if event.event_type == "connected":
        return *key, event.channel_id
    if event.event_type == "merged" and event.merged_contact_id is None:
        return *key, event.occurred_at.replace(microsecond=0)
    return *key, event.merged_contact_id


def by_time_and_id(event: Event) -> tuple[datetime, bytes]:
    """Of events of the same fact the least stands; of merges the greatest is the latest."""
    return event.occurred_at, event.event_id.encode()


def survivor(contact: tuple[str, int], merged_away: dict[tuple[str, int], Event]) -> int:
    """The contact that a chain of merges ends in; of a cycle, the primary of its latest merge."""
    workspace_id, contact_id = contact
    path: list[int] = []
    while (workspace_id, contact_id) in merged_away:
        if contact_id in path:
            cycle = path[path.index(contact_id) :]
            return max((merged_away[workspace_id, member] for member in cycle), key=by_time_and_id).contact_id
        path.append(contact_id)
        contact_id = merged_away[workspace_id, contact_id].contact_id
    return contact_id


def balance(records: list[Record], outcome: Outcome) -> Row:
    """How many of the records were landed, and how many are in each state."""
    counts = Counter(outcome.states[record] for record in records)
    return {
        "records_landed": len(records),
        "records_standing": counts["standing"],
        "records_superseded": counts["superseded"],
        "records_rejected": counts["rejected"],
        "records_ignored": 0,
    }
