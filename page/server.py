"""The report page as a process: checks its password, listens, logs, and ends on a signal."""

import contextlib
import tempfile
from pathlib import Path

from orchestration.lib.secrets import read_page_password
from orchestration.lib.serving import process
from orchestration.lib.serving.connections import Limits
from orchestration.lib.settings import Settings
from orchestration.lib.text import printable
from page.access import Access, answer_to_long_head, required_hosts
from page.app import create_app
from page.publication import Publication

# A download is written for at most ten minutes, after it waited for its turn and for others. The client may be slow.
LIMITS = Limits(answer_seconds=900, sending_seconds=120, too_long=answer_to_long_head)


def serve(settings: Settings, host: str, port: int) -> None:
    """Serve the report page until SIGTERM or SIGINT, then answer the open requests and exit with 0.

    Raises Problem if the port is taken, the password is too short, or other machines could read without a password.
    """
    password = read_page_password()
    with (
        contextlib.closing(process.listen("The report page", host, port)) as listener,
        tempfile.TemporaryDirectory(prefix="contact-reports-page-", ignore_cleanup_errors=True) as exports,
    ):
        hosts = required_hosts(listener.getsockname()[0], has_password=password is not None)
        process.become_service()
        publication = Publication(settings.published, Path(exports))
        app = create_app(settings, publication, Path(exports), Access(hosts, password))
        print(f"The report page is at http://{process.address_of(listener)}")
        print(printable(f"It shows {settings.published}"), flush=True)
        process.serve(app, listener, LIMITS)
