"""Generates the files of the connectors: the same facts as report logs, exports, webhooks and what the API gave."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from tests.streams.values import BROKEN_JSON, CLOCK_CHANGES, NAMES, PERSONS, SOURCE_SPELLINGS, SOURCES_FOR
from tests.streams.writing import JsonNumber, RandomText, csv_line, json_line

LOG_COLUMNS = {
    "old": ("Timestamp", "Contact ID", "Contact Name", "Source", "User"),
    "new": (
        *("Timestamp", "Contact ID", "Contact Name", "Source"),
        *("Sub Source", "Ad campaign ID", "Ad group ID", "Ad ID", "User"),
    ),
}
HEADER_SPELLINGS: tuple[Callable[[str], str], ...] = (
    str,
    str,
    str.upper,
    lambda name: name.replace(" ", ""),
    lambda name: name.lower().replace(" ", "_"),
    lambda name: f" {name} ",
)
NULLS = ("", "-", " -", "- ")
SENDERS = (
    "contact",
    "user",
    "user",
    "echo",
    "workflow",
    "broadcast",
    "api",
    "Zapier",
    "make",
    "n8n",
    "ai_agent",
    "bot",
)
OTHER_WEBHOOKS = ("contact.updated", "contact.tag.updated", "conversation.opened", "comment.created", "call.ended", "x")
# Times of exports that are none, or need an offset there: the shapes of clocks that nobody showed.
BAD_LOG_TIMES = ("yesterday", "01/05/2024 10:00", "2024-02-30 10:00", "2024-05-01", "1999-12-31 10:00:00", "1714557600")
BAD_LOG_IDS = ("1.2E+08", "0", "-5", "'-5", "1e3", "five", "9223372036854775808")
BAD_EPOCHS = ("soon", "-5", "0", "99999999999999999999", "2024-05-01T10:00:00", "1e9")
CUT_AT = 10_000


@dataclass(frozen=True)
class Fact:
    """Something that happened, whichever route tells it."""

    number: int
    event_type: str
    moment: datetime
    contact_id: int
    name: str
    source: str
    user: str
    channel: str
    merged_contact_id: int | None


class Connectors(RandomText):
    """The connectors' files of a landing folder's history, made delivery by delivery.

    The folders' zones may change between deliveries; `moment` gives times worth testing.
    """

    def __init__(self, rng: Random, zones: dict[str, str], moment: Callable[[], datetime], events: int) -> None:
        super().__init__(rng)
        self._zones = zones
        self._moment = moment
        self._events = events
        self._facts: dict[str, list[Fact]] = {folder: [] for folder in zones}
        self._numbers = 0
        self._delivered: dict[str, bytes] = {}
        self._broken: dict[str, bytes] = {}
        self._cut_file_comes = self.chance(0.15)

    def deliver(self, delivery: dict[str, bytes | None]) -> None:
        """Adds the files that arrive, change or go before the next run."""
        for path in [path for path in self._broken if self.chance(0.5)]:
            delivery[path] = self._broken.pop(path)
        left = self._events
        while left > 0:
            size = min(left, self.rng.randint(1, max(1, self._events // 2)))
            left -= size
            folder = self.rng.choice(list(self._zones))
            self._facts[folder] += [self._fact(folder) for _ in range(size)]
            for _ in range(self.rng.choice((2, 3, 4))):
                self._deliver_file(folder, size, delivery)
        for folder in self._zones:
            for kind in ("users", "channels"):
                if self.chance(0.3):
                    delivery[f"{folder}/api/{kind}.jsonl"] = self._listing(kind)
        if self._cut_file_comes and self._delivered:
            self._cut_file_comes = False
            folder = self.rng.choice(list(self._zones))
            delivery[f"{folder}/report_logs/contacts-added-cut.csv"] = self._cut_report_log()
        self._redeliver(delivery)
        self._deliver_clutter(delivery)

    def _deliver_file(self, folder: str, size: int, delivery: dict[str, bytes | None]) -> None:
        makers = (
            *[self._report_log] * 3,
            *[self._webhooks] * 2,
            self._exported_contacts,
            self._exported_messages,
            self._api_contacts,
            self._canonical,
        )
        path, content = self.rng.choice(makers)(folder, size)
        if not path.startswith(("api/", "events/")) and self.chance(0.2):
            path, content = f"{path}.gz", gzip.compress(content, mtime=0)
            if self.chance(0.3):
                self._broken[f"{folder}/{path}"] = content
                content = self.damaged(content)
        delivery[f"{folder}/{path}"] = content
        if f"{folder}/{path}" not in self._broken:
            self._delivered[f"{folder}/{path}"] = content

    def _redeliver(self, delivery: dict[str, bytes | None]) -> None:
        known = [path for path in self._delivered if path not in delivery]
        self.rng.shuffle(known)
        for path in known[:2]:
            action = self.rng.choice(("copy", "rename", "remove", "grow", "elsewhere"))
            content = self._delivered[path]
            workspace, kind, name = path.split("/")
            copy = f"{self._number()}.".join(name.split(".", 1))
            if action in ("copy", "rename"):
                delivery[f"{workspace}/{kind}/{copy}"] = content
            if action in ("rename", "remove"):
                delivery[path] = None
                del self._delivered[path]
            elif action == "elsewhere":
                delivery[f"{self.rng.choice(list(self._zones))}/{kind}/{copy}"] = content
            elif action == "grow" and not path.endswith(".gz"):
                lines = content.splitlines(keepends=True)
                self._delivered[path] = delivery[path] = content + (lines[-1] if content.endswith(b"\n") else b"\n")

    def _deliver_clutter(self, delivery: dict[str, bytes | None]) -> None:
        folder = self.rng.choice(list(self._zones))
        if self._facts[folder] and self.chance(0.3):
            path, content = self.rng.choice((self._report_log, self._webhooks))(folder, 3)
            parent, name = path.rsplit("/", 1)
            hidden = self.rng.choice((f".{name}", f"{name}.tmp", f"{name}.part"))
            delivery[f"{folder}/{parent}/{hidden}"] = content
        if self.chance(0.2):
            other = (
                "report_logs/a.jsonl",
                "data_export/a.txt",
                "webhooks/a.csv",
                "api/other.jsonl",
                "api/tags-1.jsonl",
            )
            delivery[f"{folder}/{self.rng.choice(other)}"] = b'{"id": 1, "created_at": 1714557600}\n'
        if self.chance(0.1):
            empty = ("report_logs/contacts-added.csv", "webhooks/none.jsonl", "api/contacts-none.jsonl")
            delivery[f"{folder}/{self.rng.choice(empty)}"] = self.rng.choice((b"", b"\n", b"\xef\xbb\xbf"))

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers

    def _fact(self, folder: str) -> Fact:
        rng = self.rng
        past = self._facts[folder]
        event_type = rng.choice(("added", "added", "connected", "connected", "deleted", "merged", "merged"))
        moment = rng.choice(past).moment if past and self.chance(0.1) else self._moment()
        contact_id = rng.choice((*range(1, 25), 123456789012, 2**63 - 1))
        return Fact(
            number=self._number(),
            event_type=event_type,
            moment=moment.replace(microsecond=0) if self.chance(0.6) else moment,
            contact_id=contact_id,
            name=rng.choice(NAMES),
            source=rng.choice(list(SOURCE_SPELLINGS) if self.chance(0.05) else SOURCES_FOR[event_type]),
            user=rng.choice(("1", "2", "3", "4", "77")),
            channel=rng.choice(("1", "2", "3", "88")),
            merged_contact_id=rng.choice((None, None, contact_id, *range(1, 13))) if event_type == "merged" else None,
        )

    def _told(self, folder: str, size: int, *event_types: str) -> list[Fact]:
        """Facts of these types that lie near each other, as a download has them; others are told again, later."""
        facts = sorted(
            (fact for fact in self._facts[folder] if fact.event_type in event_types), key=lambda fact: fact.moment
        )
        size = max(size, len(facts) // 3)
        start = self.rng.randrange(max(1, len(facts) - size + 1))
        chosen = facts[start : start + size]
        if self.chance(0.5):
            self.rng.shuffle(chosen)
        return chosen

    def _wall_clock(self, folder: str, moment: datetime) -> str:
        """A time as respond.io exports it: the workspace's clock, mostly without an offset, even one nobody saw."""
        rng = self.rng
        zone = ZoneInfo(self._zones[folder])
        if self.chance(0.05):
            return rng.choice(BAD_LOG_TIMES)
        local = moment.astimezone(zone)
        if self.chance(0.08):
            # Perhaps in the hour that a clock skips: a wall clock that goes on from just before the change.
            change = rng.choice(CLOCK_CHANGES) - timedelta(seconds=1)
            local = change.astimezone(zone).replace(tzinfo=None) + timedelta(minutes=rng.randint(-70, 70))
        text = local.strftime(f"%Y-%m-%d{rng.choice('  T')}%H:%M")
        if local.second or local.microsecond or self.chance(0.7):
            text += f":{local.second:02}" + (
                f".{local.microsecond:06}" if local.microsecond else rng.choice(("", ".0"))
            )
        if local.tzinfo is not None and self.chance(0.15):
            text += rng.choice(("{0:%z}", "{1}")).format(local, "" if local.utcoffset() else "Z")
        return self.padded(text)

    def _contact_id(self, contact_id: int) -> str:
        if self.chance(0.04):
            return self.rng.choice(BAD_LOG_IDS)
        return self.padded(self.rng.choice(("{}", "{}", "{}", "{}.0", "00{}")).format(contact_id))

    def _guarded(self, text: str) -> str:
        return f"'{text}" if re.match("[=+@-]", text) and self.chance(0.7) else text

    def _null(self) -> str:
        return self.rng.choice(NULLS)

    def _source(self, fact: Fact) -> str:
        if self.chance(0.1):
            return self._null()
        return self.padded(self.rng.choice(SOURCE_SPELLINGS[fact.source]))

    def _person(self, row_id: str) -> str:
        return self.rng.choice((row_id, f"0{row_id}", f"{row_id}.0", *PERSONS, "@home", "", "-"))

    def _report_log(self, folder: str, size: int) -> tuple[str, bytes]:
        rng = self.rng
        event_type = rng.choice(self._facts[folder]).event_type
        columns = list(LOG_COLUMNS[rng.choice(("old", "new"))])
        if event_type == "connected":
            columns.insert(-1, "Channel")
        if event_type == "merged" and self.chance(0.8):
            columns[columns.index("Contact ID")] = "Primary Contact ID"
        if event_type == "merged" and self.chance(0.6):
            columns.append("Merged Contact ID")
        if self.chance(0.1):
            columns.remove(rng.choice(("Source", "User", "Contact Name")))
        if self.chance(0.05):
            columns.remove("Timestamp")
        if self.chance(0.5):
            rng.shuffle(columns)
        if self.chance(0.1):
            columns.append(rng.choice(("Note", "Contact ID", "Source", "timestamp")))
        rows = []
        for fact in self._told(folder, size, event_type):
            rows.append([self._log_value(folder, fact, name) for name in columns])
            if self.chance(0.1):
                rows.append(rows[-1])
        word = event_type if self.chance(0.85) else rng.choice(("added", "deleted", "merged", "reconnected", "log"))
        stem = rng.choice((f"contacts-{word}", f"Contacts_{word.title()}", f"{word} {self._number()}", word))
        if self.chance(0.05):
            stem = f"added-deleted-{word}"
        return f"report_logs/{stem}-{self._number()}.csv", self._table(columns, rows)

    def _log_value(self, folder: str, fact: Fact, column: str) -> str:
        rng = self.rng
        if self.chance(0.01):
            return self._null()
        if column.lower() == "timestamp":
            return self._wall_clock(folder, fact.moment)
        if column in ("Contact ID", "Primary Contact ID"):
            return self._contact_id(fact.contact_id)
        if column == "Merged Contact ID":
            return self._contact_id(fact.merged_contact_id) if fact.merged_contact_id else self._null()
        if column == "Contact Name":
            return self._guarded(fact.name)
        if column == "Source":
            return self._source(fact)
        if column in ("User", "Channel"):
            return self._guarded(self._person(fact.user if column == "User" else fact.channel))
        return rng.choice(("1.2E+17", "-", "", "spring, sale"))

    def _table(self, columns: list[str], rows: list[list[str]]) -> bytes:
        rng = self.rng
        delimiter = rng.choice(",,,;")
        spell = rng.choice(HEADER_SPELLINGS)
        quoted = self.chance(0.3)
        lines = [csv_line([spell(name) for name in columns], delimiter).encode()]
        for row in rows:
            if self.chance(0.03):
                row = rng.choice((row[:-1], [*row, ""], [*row, "more"]))
            lines.append(csv_line(row, delimiter, quoted).encode())
        return self.text_file(lines)

    def _cut_report_log(self) -> bytes:
        """A file of as many rows as a table of the page gives, most of them the same few facts."""
        first = self.rng.choice(CLOCK_CHANGES).replace(tzinfo=None) - timedelta(days=2)
        rows = [f"{first + timedelta(seconds=37 * i)},{i % 7 + 1},Ana,User,Ana" for i in range(CUT_AT)]
        return "\n".join(["Timestamp,Contact ID,Contact Name,Source,User", *rows, ""]).encode()

    def _exported_contacts(self, folder: str, size: int) -> tuple[str, bytes]:
        columns = ["ContactID", "FirstName", "LastName", "PhoneNumber", "DateTimeCreated", "Channels"]
        if self.chance(0.3):
            columns[columns.index("ContactID")], columns[columns.index("DateTimeCreated")] = (
                "Contact ID",
                "DateTime Created",
            )
        if self.chance(0.05):
            columns.remove("DateTimeCreated" if "DateTimeCreated" in columns else "DateTime Created")
            columns.append("Date & Time")
        if self.chance(0.3):
            self.rng.shuffle(columns)
        rows = []
        for fact in self._told(folder, size, "added"):
            first, _, last = fact.name.partition(" ")
            values = {
                "contactid": self._contact_id(fact.contact_id),
                "firstname": first or self._null(),
                "lastname": last or self._null(),
                "datetimecreated": self._wall_clock(folder, fact.moment),
            }
            rows.append([values.get(name.lower().replace(" ", ""), "-") for name in columns])
        return f"data_export/{self._export_name('contacts')}", self._table(columns, rows)

    def _exported_messages(self, folder: str, size: int) -> tuple[str, bytes]:
        columns = [
            "Date & Time",
            "Sender ID",
            "Sender Type",
            "Contact ID",
            "Message ID",
            "Content",
            "Channel ID",
            "Type",
        ]
        if self.chance(0.05):
            columns.remove("Message ID")
        if self.chance(0.3):
            self.rng.shuffle(columns)
        rows = []
        for fact in self._told(folder, size, "connected"):
            for later in range(self.rng.choice((1, 1, 2, 4))):
                values = {
                    "Date & Time": self._wall_clock(folder, fact.moment + timedelta(minutes=61 * later)),
                    "Sender ID": self.rng.choice((fact.user, f"{fact.user}.0", "-")),
                    "Sender Type": self.rng.choice((*SENDERS, "-", "import")),
                    "Contact ID": self._contact_id(fact.contact_id),
                    "Message ID": f"{fact.number}{later}" if not self.chance(0.04) else self._null(),
                    "Content": self.rng.choice(("hello", "two\nlines", 'a "quote"', "-")),
                    "Channel ID": self.rng.choice((fact.channel, f"{fact.channel}.0", f"0{fact.channel}")),
                }
                rows.append([values.get(name, "text") for name in columns])
        if self.chance(0.3):
            self.rng.shuffle(rows)
        return f"data_export/{self._export_name('messages')}", self._table(columns, rows)

    def _export_name(self, kind: str) -> str:
        stem = kind if self.chance(0.8) else self.rng.choice(("contacts", "messages", "Messages", "export"))
        return f"{stem}-{self._number()}.csv"

    def _webhooks(self, folder: str, size: int) -> tuple[str, bytes]:
        lines: list[bytes] = []
        for fact in self._told(folder, size, "added", "connected"):
            for body in self._bodies(fact):
                lines.append(
                    json_line(body, ensure_ascii=self.chance(0.3), colon=self.rng.choice((":", ": "))).encode()
                )
                if self.chance(0.08):
                    lines.append(lines[-1])
            if self.chance(0.04):
                # What is valid JSON of our own would be a webhook of nobody's type.
                lines.append(self.rng.choice([line for line in BROKEN_JSON if "event_type" not in line]).encode())
        return f"webhooks/{self.rng.choice(('hooks', '2024-05-01', 'é'))}-{self._number()}.jsonl", self.text_file(lines)

    def _bodies(self, fact: Fact) -> list[dict[str, object]]:
        if fact.event_type == "added":
            bodies = [self._body(fact, "contact.created", fact.moment, "0")]
        else:
            hooks = ("message.received", "message.sent")
            bodies = [
                self._body(fact, self.rng.choice(hooks), fact.moment + timedelta(hours=later), str(later))
                for later in range(self.rng.choice((1, 1, 2)))
            ]
        if self.chance(0.15):
            bodies.append(self._body(fact, self.rng.choice(OTHER_WEBHOOKS), fact.moment, "other"))
        return bodies

    def _body(self, fact: Fact, hook: str, moment: datetime, copy: str) -> dict[str, object]:
        rng = self.rng
        first, _, last = fact.name.partition(" ")
        contact: dict[str, object] = {
            "id": self._json_id(str(fact.contact_id)),
            "firstName": first or None,
            "lastName": last or None,
            "assignee": {"id": None, "firstName": None},
            "created_at": self._epoch(moment if hook == "contact.created" else moment - timedelta(days=9)),
        }
        body: dict[str, object] = {
            "event_type": rng.choice((hook, hook, hook, hook.title())),
            "event_id": f"00000000-0000-4000-8000-{fact.number:08}{copy[:4]:0>4}",
            "contact": contact,
        }
        if hook.startswith("message"):
            self._add_message(body, fact, moment)
        self._spoil(body, contact)
        return body

    def _add_message(self, body: dict[str, object], fact: Fact, moment: datetime) -> None:
        rng = self.rng
        statuses = rng.choice(
            (["pending"], ["pending", "sent"], ["pending", "failed"], ["Failed"], ["failed", "read"], [])
        )
        message: dict[str, object] = {
            "messageId": JsonNumber(str(int(moment.timestamp() * 1e6))),
            "contactId": self._json_id(str(fact.contact_id)),
            "channelId": self._json_id(fact.channel),
            "timestamp": self._epoch(moment),
            "message": {"type": "text", "text": 'say "hi"\n{"event_type": "added"}'},
            "status": [{"value": value, "timestamp": JsonNumber("1")} for value in statuses],
        }
        if self.chance(0.1):
            message["status"] = rng.choice((None, "failed", [], [None], {}))
        body["message"] = message
        if self.chance(0.8):
            body["channel"] = rng.choice(({"id": self._json_id(fact.channel), "name": "Shop"}, None, {"id": None}))
        if self.chance(0.8):
            sender: dict[str, object] = {"source": rng.choice((*SENDERS, None, ""))}
            if self.chance(0.7):
                sender["userId"] = rng.choice((self._json_id(fact.user), None))
            body["sender"] = rng.choice((sender, sender, sender, None))
        if self.chance(0.5):
            body["user"] = {"id": self._json_id(rng.choice(("1", "2", fact.user))), "firstName": "Ana"}
        if self.chance(0.1):
            del body["contact"]

    def _spoil(self, body: dict[str, object], contact: dict[str, object]) -> None:
        if self.chance(0.12):
            fault = self.rng.choice(("event_id", "event_type", "contact", "id", "created_at"))
            target = body if fault in body else contact
            target.pop(fault, None)
            if self.chance(0.4):
                target[fault] = self.rng.choice((None, ""))

    def _json_id(self, text: str) -> object:
        if self.chance(0.02):
            return self.rng.choice(("x", JsonNumber("0"), JsonNumber("1.5"), True))
        return JsonNumber(text) if self.chance(0.7) else text

    def _epoch(self, moment: datetime) -> object:
        """Seconds, milliseconds or microseconds, with or without a fraction, as a number or as text."""
        rng = self.rng
        if self.chance(0.05):
            bad = rng.choice(BAD_EPOCHS)
            return JsonNumber(bad) if re.fullmatch("-?[0-9]+(e9)?", bad) and self.chance(0.5) else bad
        microseconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
        whole = rng.choice((10**6, 10**3, 1))
        text = str(microseconds // whole)
        if whole > 1 and self.chance(0.4):
            text += f".{microseconds % whole:0{len(str(whole)) - 1}}" + rng.choice(("", "9"))
        elif self.chance(0.1):
            return rng.choice((f"{moment:%Y-%m-%dT%H:%M:%S}Z", f"{moment:%Y-%m-%d %H:%M}+00:00"))
        return JsonNumber(text) if self.chance(0.7) else text

    def _api_contacts(self, folder: str, size: int) -> tuple[str, bytes]:
        lines = []
        for fact in self._told(folder, size, "added"):
            first, _, last = fact.name.partition(" ")
            contact: dict[str, object] = {
                "id": self._json_id(str(fact.contact_id)),
                "firstName": first or None,
                "lastName": last,
                "tags": ["a", {"b": None}],
                "created_at": self._epoch(fact.moment),
            }
            self._spoil(contact, contact)
            lines.append(json_line(contact).encode())
        return f"api/contacts-{self._number()}.jsonl", self.text_file(lines)

    def _listing(self, kind: str) -> bytes:
        """All users or channels as the API lists them now: some are new, some have another name, some are gone."""
        rng = self.rng
        lines: list[bytes] = []
        for number in rng.sample(range(1, 7), rng.randint(0, 6)):
            first, _, last = rng.choice(PERSONS).partition(" ")
            entry: dict[str, object] = {"id": self._json_id(str(number)), "email": rng.choice((f"{number}@x.io", None))}
            if kind == "users":
                entry |= {
                    "firstName": rng.choice((first, None)),
                    "lastName": rng.choice((last, None, "")),
                    "team": None,
                }
            else:
                entry |= {"name": rng.choice((*PERSONS, None, "")), "source": rng.choice(("whatsapp", "email", None))}
            lines.append(json_line(entry).encode())
        return self.text_file(lines)

    def _canonical(self, folder: str, size: int) -> tuple[str, bytes]:
        lines = []
        for fact in self._told(folder, size, "added", "connected", "deleted", "merged"):
            event = {
                "event_id": f"fact-{fact.number}",
                "event_type": fact.event_type,
                "occurred_at": f"{fact.moment:%Y-%m-%dT%H:%M:%S.%fZ}",
                "contact_id": fact.contact_id,
                "source": self.rng.choice(SOURCE_SPELLINGS[fact.source]),
                "user_id": self._person(fact.user),
                "channel_id": self._person(fact.channel),
                "merged_contact_id": fact.merged_contact_id,
            }
            if fact.event_type == "added" and self.chance(0.1):
                # The same event by another route under the same id: what was loaded last stands.
                event["event_id"] = f"00000000-0000-4000-8000-{fact.number:08}0000"
            lines.append(json_line(event).encode())
        return f"events/facts-{self._number()}.jsonl", self.text_file(lines)
