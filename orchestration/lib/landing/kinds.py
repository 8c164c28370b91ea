"""The kinds of files in the landing folder: where each lies, what it is called, and what its records hold.

This is the only list of them in Python. In SQL it is the seed `routes`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

_CSV = {".csv": "csv"}
# Wherever a CSV is taken, but for workspaces.csv.
_TABLES = {**_CSV, ".xlsx": "xlsx"}
_JSON_LINES = {".jsonl": "jsonl"}
# Formats that are not read when compressed with gzip.
COMPRESSED_BY_THEMSELVES = ("parquet", "xlsx")


@dataclass(frozen=True, eq=False)
class Kind:
    """A kind of file (contract 2)."""

    name: str  # also that of its table in the raw zone
    folder: str  # in a workspace's folder; empty: beside the workspaces' folders
    formats: Mapping[str, str]  # suffix → format
    columns: Mapping[str, str] = field(
        default_factory=dict
    )  # column → its name in the files: a CSV header, a JSON path
    file_names: str = "*"  # pattern of names in lower case
    route: str | None = None  # key of the seed `routes`
    # An export's header has many spellings, listed in the seed `header_names`. All of its fields are kept, in order.
    is_export: bool = False
    # A file of events is loaded when the workspace has not had its bytes yet. Any other file is loaded when its bytes
    # differ from what was last loaded from its path.
    brings_events: bool = True


def _as_named(*columns: str) -> dict[str, str]:
    return {column: column for column in columns}


# The raw zone keeps this order in its columns.json, and would take another one for another version of the project.
KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "events",
            folder="events",
            formats={**_JSON_LINES, **_TABLES, ".parquet": "parquet"},
            columns=_as_named(
                "event_id",
                "event_type",
                "occurred_at",
                "contact_id",
                "contact_name",
                "source",
                "user_id",
                "channel_id",
                "merged_contact_id",
            ),
            route="events",
        ),
        Kind("report_logs", folder="report_logs", formats=_TABLES, route="report_log", is_export=True),
        Kind("data_export", folder="data_export", formats=_TABLES, route="data_export", is_export=True),
        Kind(
            "webhooks",
            folder="webhooks",
            formats=_JSON_LINES,
            columns={
                "event_id": "event_id",
                "event_type": "event_type",
                "contact_id": "contact.id",
                "first_name": "contact.firstName",
                "last_name": "contact.lastName",
                "created_at": "contact.created_at",
                "message_contact_id": "message.contactId",
                "message_channel_id": "message.channelId",
                "message_id": "message.messageId",
                "message_timestamp": "message.timestamp",
                "message_status": "message.status",
                "channel_id": "channel.id",
                "channel_name": "channel.name",
                "channel_type": "channel.source",
                "sender_source": "sender.source",
                "sender_user_id": "sender.userId",
                "user_id": "user.id",
                "user_first_name": "user.firstName",
                "user_last_name": "user.lastName",
            },
            route="webhook",
        ),
        Kind(
            "api_contacts",
            folder="api",
            formats=_JSON_LINES,
            columns={
                "contact_id": "id",
                "first_name": "firstName",
                "last_name": "lastName",
                "created_at": "created_at",
            },
            file_names="contacts-*",
            route="api",
        ),
        Kind(
            "api_users",
            folder="api",
            formats=_JSON_LINES,
            columns={"user_id": "id", "first_name": "firstName", "last_name": "lastName", "email": "email"},
            file_names="users.jsonl",
            route="api_users",
            brings_events=False,
        ),
        Kind(
            "api_channels",
            folder="api",
            formats=_JSON_LINES,
            columns={"channel_id": "id", "channel_name": "name", "channel_type": "source"},
            file_names="channels.jsonl",
            route="api_channels",
            brings_events=False,
        ),
        Kind(
            "users",
            folder="users",
            formats=_TABLES,
            columns=_as_named("user_id", "user_name", "deleted_at"),
            route="users",
            brings_events=False,
        ),
        Kind(
            "channels",
            folder="channels",
            formats=_TABLES,
            columns=_as_named("channel_id", "channel_name", "channel_type", "deleted_at"),
            route="channels",
            brings_events=False,
        ),
        Kind(
            "workspaces",
            folder="",
            formats=_CSV,
            columns=_as_named("workspace_id", "workspace_name", "timezone"),
            file_names="workspaces.csv",
            brings_events=False,
        ),
    )
}
WORKSPACES = KINDS["workspaces"]

# The folders of a workspace.
FOLDERS = tuple(dict.fromkeys(kind.folder for kind in KINDS.values() if kind.folder))
