"""What a row of a directory file, a line of a listing or a webhook says of a user or channel (contract 2 and 5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from tests.reckoning.files import Fields, JsonValue, Record, json_text
from tests.reckoning.rejections import Rejection, is_shortened
from tests.reckoning.values import full_name, is_no_deletion, normalised_id, parse_deletion, trimmed


@dataclass(frozen=True)
class Entry:
    """A row of a user or channel."""

    row_id: str
    name: str | None
    channel_type: str | None = None
    deleted_at: datetime | None = None

    @property
    def is_deleted(self) -> bool:
        return self.deleted_at is not None


def text_of(fields: Fields, name: str) -> str | None:
    return trimmed(json_text(fields.get(name)))


def read_row(record: Record, zones: Mapping[str, str]) -> Entry | Rejection:
    """The user or channel that a record of a directory file describes, or the first reason why it describes none."""
    fields, kind = record.fields, record.file.kind
    if fields is None:
        return Rejection("malformed_record", None)
    prefix = "user" if kind.endswith("users") else "channel"
    is_listed = kind.startswith("api_")
    landed_id = text_of(fields, "id" if is_listed else f"{prefix}_id")
    row_id = normalised_id(landed_id)
    if row_id is None:
        return Rejection("missing_field", f"{prefix}_id")
    if record.workspace_id not in zones:
        return Rejection("unknown_workspace", record.workspace_id)
    if is_shortened(landed_id):
        return Rejection("invalid_event_id", landed_id)
    if is_listed:
        if prefix == "channel":
            return Entry(row_id, text_of(fields, "name"), text_of(fields, "source"))
        return Entry(row_id, name_of_user(fields) or text_of(fields, "email"))
    deleted_text = text_of(fields, "deleted_at")
    deleted_at = None
    if not is_no_deletion(deleted_text):
        deleted_at = parse_deletion(deleted_text or "", ZoneInfo(zones[record.workspace_id]))
        if deleted_at is None:
            return Rejection("invalid_deleted_at", deleted_text)
    return Entry(row_id, text_of(fields, f"{prefix}_name"), text_of(fields, f"{prefix}_type"), deleted_at)


def name_of_user(fields: Fields) -> str | None:
    return full_name(text_of(fields, "firstName"), text_of(fields, "lastName"))


def rows_of_webhook(fields: Fields | None) -> tuple[Entry | None, Entry | None]:
    """The user and the channel that a webhook names, None where it does not name one."""
    user, channel = part(fields, "user"), part(fields, "channel")
    return (
        named(user, name_of_user(user)),
        named(channel, text_of(channel, "name"), text_of(channel, "source")),
    )


def part(fields: Fields | None, name: str) -> dict[str, JsonValue]:
    """The object that a webhook has under a name; empty where there is none."""
    value = (fields or {}).get(name)
    return value if isinstance(value, dict) else {}


def named(fields: Fields, name: str | None, channel_type: str | None = None) -> Entry | None:
    row_id = text_of(fields, "id")
    if row_id is None or name is None or is_shortened(row_id):
        return None
    return Entry(normalised_id(row_id) or row_id, name, channel_type)
