"""What a text means as an instant, an id or a source."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from zoneinfo import ZoneInfo

EVENT_TYPES = ("added", "connected", "deleted", "merged")
GREATEST_ID = 2**63 - 1
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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
    "echo": "echo_message",
}

CLOCK = r"([0-9]{4})-([0-9]{2})-([0-9]{2})[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]+))?)?"
OFFSET = r"(?:Z|([+-])([0-9]{2})(?::?([0-9]{2}))?)"


def parse_clock(groups: tuple[str | None, ...]) -> datetime | None:
    """The date and time that the groups of CLOCK spell, without a zone; digits beyond the microsecond are cut."""
    year, month, day, hour, minute, second = (int(part or 0) for part in groups[:6])
    try:
        return datetime(year, month, day, hour, minute, second, int((groups[6] or "0")[:6].ljust(6, "0")))
    except ValueError:
        return None


def parse_instant(text: str) -> datetime | None:
    """The instant in UTC that a canonical `occurred_at` names, None where it names none."""
    match = re.fullmatch(CLOCK + OFFSET, text)
    if not match:
        return None
    *clock, sign, hours, minutes = match.groups()
    local = parse_clock(tuple(clock))
    if local is None or int(hours or 0) > 23 or int(minutes or 0) > 59:
        return None
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    try:
        return (local + offset if sign == "-" else local - offset).replace(tzinfo=UTC)
    except OverflowError:
        return None


def is_clock_without_offset(text: str) -> bool:
    """Whether a canonical `occurred_at` is a time but for its offset."""
    match = re.fullmatch(CLOCK, text)
    return match is not None and int(match[4]) < 24 and int(match[5]) < 60 and int(match[6] or 0) < 60


def parse_canonical_time(text: str, zone: ZoneInfo) -> datetime | None:
    """The instant of a time that needs an offset, whatever the workspace's zone."""
    return parse_instant(text)


def parse_exported_time(text: str, zone: ZoneInfo) -> datetime | None:
    """The instant of a time whose offset may be absent: then it is the wall clock of the zone.

    In the hour that exists twice it is the first, in the hour that does not the clock is moved on by the gap.
    """
    match = re.fullmatch(CLOCK, text)
    if not match:
        return parse_instant(text)
    local = parse_clock(match.groups())
    try:
        return local and local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    except OverflowError:
        return None


def is_no_deletion(text: str | None) -> bool:
    """Whether a trimmed `deleted_at` is one of the ways to say that there was no deletion."""
    lowered = (text or "").lower()
    is_zero_date = re.fullmatch(r"0000-00-00([t ]00:00(:00(\.0+)?)?(z|[+-]00(:?00)?)?)?", lowered)
    return lowered in ("", "null", "\\n", "-", "none", "nan", "false", "0") or is_zero_date is not None


def parse_deletion(text: str, zone: ZoneInfo) -> datetime | None:
    """The instant of a deletion: a time as exports have it, or a date, which is its midnight in the zone."""
    is_date = re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text)
    return parse_exported_time(f"{text}T00:00" if is_date else text, zone)


def parse_epoch_time(text: str, zone: ZoneInfo) -> datetime | None:
    """The instant of seconds, milliseconds or microseconds since 1970, by their magnitude; else of a canonical time."""
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
        return parse_instant(text)
    number = Decimal(text)
    microseconds = number * (10**6 if number < 10**11 else 10**3 if number < 10**14 else 1)
    try:
        return EPOCH + timedelta(microseconds=int(microseconds))
    except OverflowError:
        return None


def parse_contact_id(text: str) -> int | None:
    """The contact id that a trimmed text spells, None where it spells none."""
    if not re.fullmatch(r"[0-9]+(\.0)?", text):
        return None
    digits = text.removesuffix(".0").lstrip("0")
    return int(digits) if digits and len(digits) <= 19 and int(digits) <= GREATEST_ID else None


def normalised_id(text: str | None) -> str | None:
    """An id without leading zeros and a trailing `.0`; any other text as it is."""
    if text is None or not re.fullmatch(r"[0-9]+(\.0)?", text):
        return text
    return text.removesuffix(".0").lstrip("0") or "0"


def trimmed(text: str | None) -> str | None:
    """The text without the white space around it, None where nothing is left."""
    return (text or "").strip() or None


def full_name(first: str | None, last: str | None) -> str | None:
    """First and last name as one, None where there is neither."""
    return trimmed(f"{first or ''} {last or ''}")


def resolved_source(text: str | None, event_type: str) -> str:
    """The key of the source that a trimmed raw text means for this type of event."""
    if text is None:
        return "unknown" if event_type in ("added", "connected") else "user"
    return SOURCE_BY_SPELLING.get(spelling(text), "other")


APOSTROPHES = "'\u2019\u2018\u02bc\u2032\u00b4`"


@cache
def spelling(text: str) -> str:
    """The form in which two spellings of a source are the same: no case, accents, kinds of apostrophe or separator."""
    decomposed = unicodedata.normalize("NFD", text.lower())
    without_accents = "".join(sign for sign in decomposed if not unicodedata.combining(sign))
    return re.sub(r"[ _-]+", " ", re.sub(f"[{APOSTROPHES}]", "'", without_accents))


SOURCE_BY_SPELLING = {spelling(alias): key for alias, key in ALIASES.items()} | {
    spelling(text): source.key for source in SOURCES.values() for text in (source.key, source.label, source.label_fr)
}
