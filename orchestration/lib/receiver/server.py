"""The receiver as a process: checks its keys, listens, logs, and ends on a signal."""

import logging
from collections.abc import Mapping, Sequence

from pydantic import SecretStr

from orchestration.lib.folders import make_private_folder
from orchestration.lib.landing.listing import is_listed
from orchestration.lib.problems import Problem
from orchestration.lib.receiver.app import Keys, create_app
from orchestration.lib.receiver.inbox import Inbox
from orchestration.lib.secrets import read_secrets
from orchestration.lib.serving import process
from orchestration.lib.serving.connections import Limits
from orchestration.lib.settings import Settings

_log = logging.getLogger(__name__)


def serve(settings: Settings, host: str, port: int) -> None:
    """Receive webhooks until SIGTERM or SIGINT, then answer the open requests and exit with 0.

    Raises Problem when there is no key, when a workspace's name cannot be a folder, or when the port is taken.
    """
    keys = checked_keys(read_secrets().webhook_keys)
    for workspace_id in keys:
        make_private_folder(settings.receiver)
        make_private_folder(settings.receiver / workspace_id)
    listener = process.listen("The receiver", host, port)
    process.become_service()
    _log.info(
        "Listening on http://%s/webhooks/<workspace_id> for %s", process.address_of(listener), ", ".join(sorted(keys))
    )
    if settings.is_sample:
        _log.warning("No landing folder is configured: bodies wait in %s until there is one", settings.receiver)
    process.serve(create_app(keys, Inbox(settings.receiver)), listener, Limits(), files=len(keys))


def checked_keys(secrets: Mapping[str, Sequence[SecretStr]]) -> Keys:
    """The keys as bytes, by workspace. Raises Problem when there is none, or when a name cannot be a folder."""
    if not secrets:
        raise Problem(
            "The receiver has no key to check webhooks against",
            'Set CONTACT_REPORTS_WEBHOOK_KEYS to JSON: {"<workspace_id>": ["<signing key>"]}',
        )
    for workspace_id in secrets:
        if (
            workspace_id != workspace_id.strip()
            or not workspace_id.isprintable()
            or not 0 < len(workspace_id.encode()) <= 200
            or "/" in workspace_id
            or not is_listed(workspace_id.lower())
        ):
            raise Problem(
                f"CONTACT_REPORTS_WEBHOOK_KEYS names a workspace {workspace_id[:200]!r}, which no folder can be called",
                "Use the workspace_id that workspaces.csv has",
            )
    return {
        workspace_id: [key.get_secret_value().encode("utf-8", "surrogatepass") for key in keys]
        for workspace_id, keys in secrets.items()
    }
