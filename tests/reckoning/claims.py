"""What a record of each route says, brought into the canonical fields as text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from zoneinfo import ZoneInfo

from tests.reckoning.files import Fields, JsonValue, LandedFile, Record, json_text
from tests.reckoning.recognition import UNKNOWN_EXPORT, export_type, log_type, refusal
from tests.reckoning.values import (
    EVENT_TYPES,
    full_name,
    normalised_id,
    parse_canonical_time,
    parse_contact_id,
    parse_epoch_time,
    parse_exported_time,
    trimmed,
)

CONTACT_CREATED, MESSAGE_RECEIVED, MESSAGE_SENT = "contact.created", "message.received", "message.sent"


class NoClaim(Enum):
    """Why a record says nothing of an event."""

    MALFORMED = "malformed"
    IGNORED = "ignored"


@dataclass(frozen=True)
class Claim:
    """A record in the canonical fields: trimmed text, or None; how its time is read; why its type is refused."""

    event_id: str | None
    event_type: str | None
    occurred_at: str | None
    contact_id: str | None
    contact_name: str | None = None
    source: str | None = None
    user: str | None = None
    channel: str | None = None
    merged_contact_id: str | None = None
    read_time: Callable[[str, ZoneInfo], datetime | None] = parse_canonical_time
    refusal: str | None = None
    landed_id: str | None = None  # of the event or message, which a spreadsheet may have shortened
    message_id: str | None = None

    @property
    def known_type(self) -> str:
        """The type it claims; `unknown` where it is none of the contract's."""
        text = (self.event_type or "").lower()
        return text if text in EVENT_TYPES else "unknown"


def claims_of(file: LandedFile) -> dict[Record, Claim | NoClaim]:
    """What each record of a file claims."""
    readers: dict[str, Callable[[Fields], Claim | NoClaim]] = {
        "events": canonical_claim,
        "report_logs": ReportLog(file).claim,
        "data_export": DataExport(file).claim,
        "webhooks": webhook_claim,
        "api_contacts": api_claim,
    }
    read = readers[file.kind]
    return {record: NoClaim.MALFORMED if record.fields is None else read(record.fields) for record in file.records}


def text_of(fields: Fields, name: str) -> str | None:
    """A field's trimmed text, None where nothing is left."""
    return trimmed(json_text(fields.get(name)))


def canonical_claim(fields: Fields) -> Claim:
    return Claim(
        event_id=text_of(fields, "event_id"),
        event_type=text_of(fields, "event_type"),
        occurred_at=text_of(fields, "occurred_at"),
        contact_id=text_of(fields, "contact_id"),
        contact_name=json_text(fields.get("contact_name")) or None,
        source=text_of(fields, "source"),
        user=text_of(fields, "user_id"),
        channel=text_of(fields, "channel_id"),
        merged_contact_id=text_of(fields, "merged_contact_id"),
        landed_id=text_of(fields, "event_id"),
    )


def contact_id_in_event_id(text: str | None) -> str:
    """A contact id without leading zeros and `.0`; what is none as it is."""
    number = parse_contact_id(text or "")
    return str(number) if number is not None else text or ""


def exported_text(fields: Fields, name: str) -> str | None:
    """A value of an exported CSV file as it is, None where it is empty or a dash."""
    text = json_text(fields.get(name))
    return None if not text or text.strip() == "-" else text


class ReportLog:
    """A file of the page's logs: its type, and the rows counted that say the same."""

    def __init__(self, file: LandedFile) -> None:
        self.event_type = log_type(file)
        self._refusal = refusal(file)
        self._has_primary = "primarycontactid" in file.columns
        self._rows: Counter[str] = Counter()

    def claim(self, fields: Fields) -> Claim:
        def value(name: str) -> str | None:
            return trimmed(unguarded(exported_text(fields, name)))

        is_merged = self.event_type == "merged"
        # Of a file that no log is known to be, no column is known to be required.
        occurred_at: str | None = "unknown"
        contact_id: str | None = "unknown"
        if self.event_type is not None:
            occurred_at = value("timestamp")
            contact_id = value("primarycontactid" if is_merged and self._has_primary else "contactid")
        merged_contact_id = value("mergedcontactid") if is_merged else None
        parts = (
            "report_log",
            self.event_type or "unknown",
            (occurred_at or "").replace("T", " "),
            contact_id_in_event_id(contact_id),
            value("channel") or "",
            contact_id_in_event_id(merged_contact_id),
        )
        same = "/".join(parts)
        self._rows[same] += 1
        return Claim(
            event_id=f"{same}/{self._rows[same]}",
            event_type=self.event_type or "unknown",
            occurred_at=occurred_at,
            contact_id=contact_id,
            contact_name=unguarded(exported_text(fields, "contactname")),
            source=value("source"),
            user=value("user"),
            channel=value("channel"),
            merged_contact_id=merged_contact_id,
            read_time=parse_exported_time,
            refusal=self._refusal,
        )


def unguarded(text: str | None) -> str | None:
    """The text without the apostrophe that keeps a spreadsheet from taking it for a formula."""
    return text[1:] if text and re.match("'[=+@-]", text) else text


class DataExport:
    """A file of the Data Export: contacts or messages."""

    def __init__(self, file: LandedFile) -> None:
        claims = {"contacts": contact_claim, "messages": message_claim}
        self.claim = claims.get(export_type(file) or "", unknown_export_claim)


def contact_claim(fields: Fields) -> Claim:
    contact_id = trimmed(exported_text(fields, "contactid"))
    return Claim(
        event_id=f"data_export/contact/{contact_id_in_event_id(contact_id)}",
        event_type="added",
        occurred_at=trimmed(exported_text(fields, "datetimecreated")),
        contact_id=contact_id,
        contact_name=full_name(exported_text(fields, "firstname"), exported_text(fields, "lastname")),
        read_time=parse_exported_time,
    )


def message_claim(fields: Fields) -> Claim:
    landed_id = trimmed(exported_text(fields, "messageid"))
    message_id = normalised_id(landed_id)
    return Claim(
        event_id=f"data_export/message/{message_id}" if message_id else None,
        event_type="connected",
        occurred_at=trimmed(exported_text(fields, "datetime")),
        contact_id=trimmed(exported_text(fields, "contactid")),
        source=trimmed(exported_text(fields, "sendertype")),
        user=trimmed(exported_text(fields, "senderid")),
        channel=trimmed(exported_text(fields, "channelid")),
        read_time=parse_exported_time,
        landed_id=landed_id,
        message_id=message_id,
    )


def unknown_export_claim(fields: Fields) -> Claim:
    """None of its columns is known to be required."""
    return Claim(
        event_id="data_export",
        event_type="unknown",
        occurred_at="unknown",
        contact_id="unknown",
        refusal=UNKNOWN_EXPORT,
    )


def inner(fields: Fields, *path: str) -> JsonValue:
    """The value at a path of names, None where there is none."""
    value: JsonValue = dict(fields)
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def inner_text(fields: Fields, *path: str) -> str | None:
    return trimmed(json_text(inner(fields, *path)))


def webhook_claim(fields: Fields) -> Claim | NoClaim:
    hook = hook_of(fields)
    if hook and hook not in (CONTACT_CREATED, MESSAGE_RECEIVED, MESSAGE_SENT):
        return NoClaim.IGNORED
    if hook == MESSAGE_SENT and last_status(fields) == "failed":
        return NoClaim.IGNORED
    created_at, sent_at = inner_text(fields, "contact", "created_at"), inner_text(fields, "message", "timestamp")
    claim = Claim(
        event_id=inner_text(fields, "event_id"),
        event_type=None,
        # Without a type nobody knows which of the two is meant, so one that is there is not missing.
        occurred_at=sent_at or created_at,
        contact_id=inner_text(fields, "contact", "id") or inner_text(fields, "message", "contactId"),
        contact_name=full_name(
            json_text(inner(fields, "contact", "firstName")), json_text(inner(fields, "contact", "lastName"))
        ),
        read_time=parse_epoch_time,
        landed_id=inner_text(fields, "event_id"),
    )
    if hook == CONTACT_CREATED:
        return replace(claim, event_type="added", occurred_at=created_at)
    if not hook:
        return claim
    return replace(
        claim,
        event_type="connected",
        occurred_at=sent_at,
        source=inner_text(fields, "sender", "source") or ("contact" if hook == MESSAGE_RECEIVED else None),
        user=inner_text(fields, "sender", "userId") or inner_text(fields, "user", "id"),
        channel=inner_text(fields, "channel", "id") or inner_text(fields, "message", "channelId"),
        message_id=message_id_of(fields),
    )


def hook_of(fields: Fields) -> str:
    """What a webhook is about, empty where it does not say it."""
    return (inner_text(fields, "event_type") or "").lower()


def message_id_of(fields: Fields) -> str | None:
    return normalised_id(inner_text(fields, "message", "messageId"))


def last_status(fields: Fields) -> str | None:
    """The last status that a webhook lists of its message."""
    statuses = inner(fields, "message", "status")
    last = statuses[-1] if isinstance(statuses, list) and statuses else None
    return (json_text(last.get("value")) or "").lower() or None if isinstance(last, dict) else None


def api_claim(fields: Fields) -> Claim:
    contact_id = inner_text(fields, "id")
    return Claim(
        event_id=f"api/contact/{contact_id_in_event_id(contact_id)}",
        event_type="added",
        occurred_at=inner_text(fields, "created_at"),
        contact_id=contact_id,
        contact_name=full_name(json_text(fields.get("firstName")), json_text(fields.get("lastName"))),
        read_time=parse_epoch_time,
    )
