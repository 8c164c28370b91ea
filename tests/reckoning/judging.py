"""Validates what a record claims: an event, or the first reason for which it is none (contract 4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.reckoning.claims import Claim, NoClaim
from tests.reckoning.directories import Resolver
from tests.reckoning.files import Record
from tests.reckoning.rejections import Rejection, is_shortened
from tests.reckoning.values import SOURCES, is_clock_without_offset, parse_contact_id, resolved_source

REQUIRED = ("event_id", "event_type", "occurred_at", "contact_id")
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST_AFTER_LOADING = timedelta(hours=24)


@dataclass(frozen=True, eq=False)
class Event:
    """An accepted record, its values typed, its user and channel by their ids."""

    record: Record
    workspace_id: str
    event_id: str
    event_type: str
    occurred_at: datetime
    local: datetime
    contact_id: int
    contact_name: str | None
    source: str
    user_id: str | None
    channel_id: str | None
    merged_contact_id: int | None
    message_id: str | None


@dataclass(frozen=True)
class Validator:
    """Validates by the zones of the listed workspaces, and the users and channels as they are now."""

    zones: Mapping[str, str]
    users: Resolver
    channels: Resolver

    def validate(self, record: Record, claim: Claim | NoClaim) -> Event | Rejection | NoClaim:
        if claim is NoClaim.IGNORED:
            return claim
        if isinstance(claim, NoClaim):
            return Rejection("malformed_record", None)
        missing = [name for name in REQUIRED if getattr(claim, name) is None]
        if missing:
            return Rejection("missing_field", ", ".join(missing))
        if record.workspace_id not in self.zones:
            return Rejection("unknown_workspace", record.workspace_id)
        event_type = claim.known_type
        if event_type == "unknown":
            return Rejection("unknown_event_type", claim.refusal or claim.event_type)
        source = resolved_source(claim.source, event_type)
        shortened = next(filter(is_shortened, ids_as_text(claim, event_type, source)), None)
        if shortened is not None:
            return Rejection("invalid_event_id", shortened)
        contact_id = parse_contact_id(claim.contact_id or "")
        if contact_id is None:
            return Rejection("invalid_contact_id", claim.contact_id)
        merged_text = claim.merged_contact_id if event_type == "merged" else None
        merged_contact_id = parse_contact_id(merged_text) if merged_text is not None else None
        if merged_text is not None and merged_contact_id is None:
            return Rejection("invalid_contact_id", merged_text)
        zone = ZoneInfo(self.zones[record.workspace_id])
        occurred_at = claim.read_time(claim.occurred_at or "", zone)
        if occurred_at is None or not EARLIEST <= occurred_at <= record.file.loaded_at + LATEST_AFTER_LOADING:
            lacks_offset = record.route == "events" and is_clock_without_offset(claim.occurred_at or "")
            return Rejection("invalid_occurred_at", f"{claim.occurred_at}{' (no offset)' if lacks_offset else ''}")
        if event_type not in SOURCES[source].allowed_for:
            return Rejection("source_not_allowed", claim.source)
        if merged_contact_id == contact_id:
            return Rejection("merged_into_itself", merged_text)
        return Event(
            record=record,
            workspace_id=record.workspace_id,
            event_id=claim.event_id or "",
            event_type=event_type,
            occurred_at=occurred_at,
            local=occurred_at.astimezone(zone).replace(tzinfo=None),
            contact_id=contact_id,
            contact_name=claim.contact_name,
            source=source,
            user_id=self.users.resolve(record.workspace_id, claim.user, occurred_at) if source == "user" else None,
            channel_id=self.channels.resolve(record.workspace_id, claim.channel, occurred_at),
            merged_contact_id=merged_contact_id,
            message_id=claim.message_id,
        )


def ids_as_text(claim: Claim, event_type: str, source: str) -> list[str | None]:
    """The ids of a claim that are texts: the event's, and those of a channel and a user that count."""
    channel = claim.channel if event_type == "connected" else None
    return [claim.landed_id, channel, claim.user if source == "user" else None]
