"""A stock Superset in the environment that make test-superset makes, with the bundle imported as docs/bi.md says."""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.superset.bundle import BUNDLE, DATABASE

PROGRAMS = Path(f"{sys.prefix}-superset") / "bin"
USER = "admin"


@dataclass(frozen=True)
class Superset:
    """Where it is, and how to log in."""

    address: str
    password: str


@contextmanager
def superset(home: Path, published: Path) -> Iterator[Superset]:
    """A Superset that reads this published file. The bundle is imported, and then updated from the folder."""
    password = secrets.token_hex()
    environment = {**os.environ, "SUPERSET_HOME": str(home), "SUPERSET_SECRET_KEY": secrets.token_hex(32)}
    account = ["--username", USER, "--firstname", "A", "--lastname", "B", "--email", "a@example.com"]
    bundle, archive = _bundle_for(published, home), home / "contacts.zip"
    subprocess.run([sys.executable, "-m", "zipfile", "-c", archive, bundle], check=True)
    commands: tuple[list[str | Path], ...] = (
        ["db", "upgrade"],
        ["fab", "create-admin", *account, "--password", password],
        ["init"],
        ["import-dashboards", "--path", archive, "--username", USER],
        ["import-directory", "--overwrite", bundle],
    )
    for command in commands:
        _run(command, environment, home / "commands.log")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    # Without --no-control-socket gunicorn makes a folder in the home of whoever runs the tests.
    serving = ["--no-control-socket", "-k", "gthread", "--threads", "8", "--timeout", "120", "-b", f"127.0.0.1:{port}"]
    with (home / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [PROGRAMS / "gunicorn", *serving, "superset.app:create_app()"], env=environment, stdout=log, stderr=log
        )
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_until_it_answers(server, address)
        yield Superset(address, password)
    finally:
        server.terminate()
        server.wait(60)


def _bundle_for(published: Path, home: Path) -> Path:
    """A copy of the bundle, with the path of the published file in it."""
    bundle = home / "superset"
    shutil.copytree(BUNDLE, bundle)
    path, _, _ = DATABASE["sqlalchemy_uri"].partition("?")
    database = bundle / "databases" / "contact_reports.yaml"
    database.write_text(database.read_text().replace(path, f"duckdb:///{published}"))
    return bundle


def _run(command: list[str | Path], environment: dict[str, str], log: Path) -> None:
    with log.open("ab") as output:
        done = subprocess.run([PROGRAMS / "superset", *command], env=environment, stdout=output, stderr=output)
    assert done.returncode == 0, (command[0], log.read_text()[-4000:])


def _wait_until_it_answers(server: "subprocess.Popen[bytes]", address: str) -> None:
    until = time.monotonic() + 120
    while True:
        assert server.poll() is None, "Superset's server ended"
        try:
            httpx.get(f"{address}/health", timeout=5)
        except httpx.TransportError:
            assert time.monotonic() < until, "Superset does not answer"
            time.sleep(0.2)
        else:
            return
