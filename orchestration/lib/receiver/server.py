"""The receiver as a process: checks its keys, listens, logs, and ends on a signal."""

import logging
import signal
import sys
from collections.abc import Mapping, Sequence

import uvicorn
from pydantic import SecretStr

from orchestration.lib.folders import make_private_folder
from orchestration.lib.landing.listing import is_listed
from orchestration.lib.problems import Problem
from orchestration.lib.receiver.app import Keys, create_app
from orchestration.lib.receiver.inbox import Inbox
from orchestration.lib.secrets import read_secrets
from orchestration.lib.serving.connections import HEAD_BYTES, Limits, bounded
from orchestration.lib.serving.process import (
    BACKLOG,
    SHUTDOWN_SECONDS,
    address_of,
    allow_open_files,
    listen,
    log_handler,
)
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
    listener = listen("The receiver", host, port)
    logging.basicConfig(level=logging.INFO, handlers=[log_handler(sys.stderr)], force=True)
    _log.info("Listening on http://%s/webhooks/<workspace_id> for %s", address_of(listener), ", ".join(sorted(keys)))
    if settings.is_sample:
        _log.warning("No landing folder is configured: bodies wait in %s until there is one", settings.receiver)
    # When uvicorn ends, it restores these handlers and repeats the signal.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    limits = Limits()
    allow_open_files(limits.connections + BACKLOG + len(keys))
    config = uvicorn.Config(
        create_app(keys, Inbox(settings.receiver)),
        # httptools, uvicorn's first choice, accepts heads of any length.
        http=bounded(limits),
        h11_max_incomplete_event_size=HEAD_BYTES,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        lifespan="on",
        backlog=BACKLOG,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    uvicorn.Server(config).run(sockets=[listener])


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
