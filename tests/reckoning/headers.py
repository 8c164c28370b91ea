"""The names of the columns of each kind of file, in the languages that are known."""

from __future__ import annotations

import re
import unicodedata

# What a column is called in files of respond.io: its field, then its names. English and French, as the page has them.
EXPORTED_NAMES: dict[str, dict[str, tuple[str, ...]]] = {
    "report_logs": {
        "timestamp": ("Timestamp", "Horodatage"),
        "contactid": ("Contact ID", "ID du contact"),
        "primarycontactid": ("Primary Contact ID", "ID du contact principal"),
        "mergedcontactid": ("Merged Contact ID",),
        "contactname": ("Contact Name", "Nom du contact"),
        "source": ("Source",),
        "channel": ("Channel", "Canal"),
        "user": ("User", "Utilisateur"),
        "subsource": ("Sub Source",),
        "adcampaignid": ("Ad campaign ID",),
        "adgroupid": ("Ad group ID",),
        "adid": ("Ad ID",),
    },
    "data_export": {
        "contactid": ("ContactID",),
        "firstname": ("FirstName",),
        "lastname": ("LastName",),
        "datetimecreated": ("DateTimeCreated",),
        "datetime": ("Date & Time",),
        "senderid": ("Sender ID",),
        "sendertype": ("Sender Type",),
        "messageid": ("Message ID",),
        "channelid": ("Channel ID",),
    },
}
OUR_NAMES: dict[str, tuple[str, ...]] = {
    "events": (
        *("event_id", "event_type", "occurred_at", "contact_id", "contact_name"),
        *("source", "user_id", "channel_id", "merged_contact_id"),
    ),
    "users": ("user_id", "user_name", "deleted_at"),
    "channels": ("channel_id", "channel_name", "channel_type", "deleted_at"),
    "workspaces": ("workspace_id", "workspace_name", "timezone"),
}


def exported_name(name: str) -> str:
    """The form in which two spellings of a column's name are the same: its letters and digits, without accents."""
    return re.sub("[^a-z0-9]", "", unicodedata.normalize("NFD", name.lower()))


def canonical_name(name: str) -> str:
    """A column's name in our own files."""
    return name.strip().lower()


KNOWN = {
    kind: {exported_name(name): field for field, names in fields.items() for name in names}
    for kind, fields in EXPORTED_NAMES.items()
} | {kind: {name: name for name in names} for kind, names in OUR_NAMES.items()}


def spelled(kind: str, name: str) -> str:
    return exported_name(name) if kind in EXPORTED_NAMES else canonical_name(name)


def is_known(kind: str, name: str) -> bool:
    """Whether a column of this kind of file is called so."""
    return spelled(kind, name) in KNOWN[kind]


def field_of(kind: str, name: str) -> str:
    """The field that a column holds; of a column that nobody knows its name."""
    return KNOWN[kind].get(spelled(kind, name), spelled(kind, name))
