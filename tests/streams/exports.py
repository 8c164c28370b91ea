"""Generates what people download: report logs and the Data Export, as CSV."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from tests.streams.facts import Fact, Facts, Message
from tests.streams.values import CLOCK_CHANGES, SENDERS, SHORTENED_IDS, SOURCE_SPELLINGS
from tests.streams.writing import csv_line

LOG_COLUMNS = {
    "old": ("Timestamp", "Contact ID", "Contact Name", "Source", "User"),
    "new": (
        *("Timestamp", "Contact ID", "Contact Name", "Source"),
        *("Sub Source", "Ad campaign ID", "Ad group ID", "Ad ID", "User"),
    ),
}
# As the French page has them, and in a language that nobody knows.
FRENCH_COLUMNS = {
    "Timestamp": "Horodatage",
    "Contact ID": "ID du contact",
    "Primary Contact ID": "ID du contact principal",
    "Contact Name": "Nom du contact",
    "Channel": "Canal",
    "User": "Utilisateur",
}
SPANISH_COLUMNS = {
    "Timestamp": "Marca de tiempo",
    "Contact ID": "ID de contacto",
    "Primary Contact ID": "ID de contacto principal",
    "Contact Name": "Nombre del contacto",
    "Source": "Fuente",
    "User": "Usuario",
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
# Times of exports that are none, or need an offset there: the shapes of clocks that nobody showed.
BAD_LOG_TIMES = ("yesterday", "01/05/2024 10:00", "2024-02-30 10:00", "2024-05-01", "1999-12-31 10:00:00", "1714557600")
BAD_LOG_IDS = ("1.2E+08", "0", "-5", "'-5", "1e3", "five", "9223372036854775808")
CUT_AT = 10_000


class Exports(Facts):
    """Report logs and exports of the facts, their path below the workspace and their bytes."""

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

    def _report_log(self, folder: str, size: int, event_type: str = "") -> tuple[str, bytes]:
        rng = self.rng
        event_type = event_type or rng.choice(self._facts[folder]).event_type
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
            columns.append(rng.choice(("Note", "Contact ID", "Source", "timestamp", "city, country")))
        if event_type == "connected" and self.chance(0.25):
            columns.remove("Channel")
        rows = []
        facts = self._reported(folder, size, event_type)
        for fact in facts:
            rows.append([self._log_value(folder, fact, name) for name in columns])
            if self.chance(0.1):
                rows.append(rows[-1])
        word = event_type if self.chance(0.85) else rng.choice(("added", "deleted", "merged", "reconnected", "log"))
        stem = rng.choice((f"contacts-{word}", f"Contacts_{word.title()}", f"{word} {self._number()}", word))
        if self.chance(0.05):
            stem = f"added-deleted-{word}"
        if facts and self.chance(0.3):
            stem += f"-{self._range_asked_for(facts)}"
            if self.chance(0.2):
                rows = []
        translation = rng.choice((FRENCH_COLUMNS, FRENCH_COLUMNS, SPANISH_COLUMNS)) if self.chance(0.2) else {}
        header = [translation.get(name, name) for name in columns]
        return f"report_logs/{stem}-{self._number()}.csv", self._table(header, rows)

    def _range_asked_for(self, facts: list[Fact]) -> str:
        """Two dates as the name of a file has them: around the facts, within them, or no range at all."""
        rng = self.rng
        first, last = min(fact.moment for fact in facts), max(fact.moment for fact in facts)
        before, after = (timedelta(days=rng.choice((0, 1, 5, 30, -2))) for _ in range(2))
        days = [f"{first - before:%Y-%m-%d}", f"{last + after:%Y-%m-%d}"]
        return rng.choice(("_to_", "-", " ")).join(days if self.chance(0.9) else days[::-1])

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
            return self._guarded(
                self._person(self._users[folder], fact.user)
                if column == "User"
                else self._person(self._channels[folder], fact.channel)
            )
        return rng.choice(("1.2E+17", "-", "", "spring, sale"))

    def _table(self, columns: list[str], rows: list[list[str]]) -> bytes:
        rng = self.rng
        delimiter = rng.choice(",,,;;\t")
        spell = rng.choice(HEADER_SPELLINGS)
        quoted = self.chance(0.3)
        lines = [csv_line([spell(name) for name in columns], delimiter).encode()]
        for row in rows:
            if self.chance(0.03):
                row = rng.choice((row[:-1], [*row, ""], [*row, "more"]))
            lines.append(csv_line(row, delimiter, quoted).encode())
        lines = self.with_stray_quotes(lines, delimiter)
        return self.text_file([f"sep={delimiter}".encode(), *lines] if self.chance(0.08) else lines)

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
        if self.chance(0.2):
            # A field of one's own may be called like a column that we know.
            columns.append(self.rng.choice(("Message ID", "Contact ID", "Channel ID", "city, country")))
        rows = []
        for fact in self._reported(folder, size, "added"):
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
        for fact in self._reported(folder, size, "connected"):
            for message in self._messages(fact):
                values = {
                    "Date & Time": self._wall_clock(folder, message.moment),
                    "Sender ID": self.rng.choice((fact.user, f"{fact.user}.0", "-")),
                    "Sender Type": self.rng.choice((*SENDERS, "-", "import")),
                    "Contact ID": self._contact_id(fact.contact_id),
                    "Message ID": self._message_id(message),
                    "Content": self.rng.choice(("hello", "two\nlines", 'a "quote"', "-")),
                    "Channel ID": self.rng.choice((fact.channel, f"{fact.channel}.0", f"0{fact.channel}")),
                }
                rows.append([values.get(name, "text") for name in columns])
        if self.chance(0.3):
            self.rng.shuffle(rows)
        return f"data_export/{self._export_name('messages')}", self._table(columns, rows)

    def _message_id(self, message: Message) -> str:
        if self.chance(0.06):
            return self.rng.choice((self._null(), *SHORTENED_IDS))
        return self.rng.choice((message.message_id, message.message_id, f"{message.message_id}.0"))

    def _export_name(self, kind: str) -> str:
        stem = kind if self.chance(0.8) else self.rng.choice(("contacts", "messages", "Messages", "export"))
        return f"{stem}-{self._number()}.csv"
