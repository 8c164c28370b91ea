"""What webhooks report of the messages that were sent (contract 4)."""

from __future__ import annotations

from tests.reckoning.claims import MESSAGE_SENT, hook_of, last_status, message_id_of
from tests.reckoning.files import LandedFile


def failed_messages(files: list[LandedFile]) -> set[tuple[str, str]]:
    """Workspace and id of each message whose last reported status is that it failed; `pending` reports none."""
    statuses: dict[tuple[str, str], str] = {}
    for file in files:
        for record in file.records if file.kind == "webhooks" else []:
            if record.fields is None or hook_of(record.fields) != MESSAGE_SENT:
                continue
            message_id, status = message_id_of(record.fields), last_status(record.fields)
            if message_id and status and status != "pending":
                statuses[file.workspace_id, message_id] = status
    return {message for message, status in statuses.items() if status == "failed"}
