"""What a downloaded file is, by its name and its header, and why it is refused (contract 2)."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from tests.reckoning.files import LandedFile
from tests.reckoning.values import EVENT_TYPES

UNKNOWN_LOG = "neither the header nor the name of the file says which log it is"
UNKNOWN_EXPORT = "neither the header nor the name of the file says what was exported"
OTHER_LOG = "the name of the file says another log than its header"
UNKNOWN_COLUMNS = "the header lacks columns that every record needs"

ONLY_OF_MERGED = {"primarycontactid", "mergedcontactid"}
ONLY_OF_ADDED_OR_CONNECTED = {"subsource", "adcampaignid", "adgroupid", "adid"}
# One of each of these groups of columns must be there, or no record of the file can be accepted.
NEEDED = {
    "added": ({"timestamp"}, {"contactid"}),
    "connected": ({"timestamp"}, {"contactid"}),
    "deleted": ({"timestamp"}, {"contactid"}),
    "merged": ({"timestamp"}, {"contactid", "primarycontactid"}),
    "contacts": ({"datetimecreated"}, {"contactid"}),
    "messages": ({"datetime"}, {"contactid"}, {"messageid"}),
}


def log_type(file: LandedFile) -> str | None:
    """Which log a file is, by its name or else by its header; None where neither says it, or both but differently."""
    named = log_type_by_name(file)
    if named:
        return None if says_other_log(file) else named
    if not ONLY_OF_MERGED.isdisjoint(file.columns):
        return "merged"
    if "channel" in file.columns:
        return "connected"
    return "added" if ONLY_OF_ADDED_OR_CONNECTED & set(file.columns) else None


def log_type_by_name(file: LandedFile) -> str | None:
    name = PurePosixPath(file.source_file).name.lower()
    words = [word for word in EVENT_TYPES if word in re.findall(r"[^\W\d_]+", name)]
    return words[0] if len(words) == 1 else None


def says_other_log(file: LandedFile) -> bool:
    """Whether the header has a column that the log of the file's name cannot have."""
    named = log_type_by_name(file)
    return named is not None and named != "merged" and not ONLY_OF_MERGED.isdisjoint(file.columns)


def export_type(file: LandedFile) -> str | None:
    """Whether an export is of contacts or messages; a contact may have a field of its own called Message ID."""
    if "datetimecreated" in file.columns:
        return "contacts"
    if "messageid" in file.columns:
        return "messages"
    name = PurePosixPath(file.source_file).name.lower()
    return next((kind for kind in ("messages", "contacts") if name.startswith(kind)), None)


def refusal(file: LandedFile) -> str | None:
    """Why a downloaded file is refused, None where it is read."""
    if file.kind == "report_logs":
        known, unknown = log_type(file), OTHER_LOG if says_other_log(file) else UNKNOWN_LOG
    else:
        known, unknown = export_type(file), UNKNOWN_EXPORT
    if known is None:
        return unknown
    has_all = all(columns & set(file.columns) for columns in NEEDED[known])
    return None if has_all else UNKNOWN_COLUMNS
