"""Whether the publication is whole, and whether a run on this data folder wrote it.

Both are kept in a note in `cache/`. Without the note a run reads the whole publication once, and rebuilds it.
"""

import contextlib
import hashlib
import json
import os
from pathlib import Path

import duckdb

from orchestration.lib.settings import DATABASE_NAME, Settings
from orchestration.lib.sql import sql_name
from orchestration.lib.warehouse.published import attach_published

# DuckDB's headers: one of the file and two of the database. Each checkpoint increments a counter in one of the two.
_HEADER_BYTES = 3 * 4096


def is_whole(settings: Settings) -> bool:
    """Whether every block of the publication can be read.

    Only a file that changed since a run here published or read it is read (0.1 s for 18 MB).
    """
    signature = _signature(settings.published)
    if _remembered(settings)[0] == signature:
        return True
    try:
        with duckdb.connect() as connection:
            attach_published(connection, settings.published)
            tables = connection.execute(
                "select schema_name, table_name from duckdb_tables() where database_name = $1", [DATABASE_NAME]
            ).fetchall()
            for schema, table in tables:
                name = sql_name(DATABASE_NAME, schema, table)
                connection.execute(f"select max(hash(columns(*))) from {name}").fetchall()
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error:
        return False
    _remember(settings, signature, _remembered(settings)[1])
    return True


def was_made_here(settings: Settings) -> bool | None:
    """Whether a run on this data folder wrote the publication, and no other program has since. None without a note.

    A file that another program wrote into can be whole, but its views may run any SQL.
    """
    _, made_here = _remembered(settings)
    return _fingerprint(settings.published) in made_here if made_here else None


def remember_publication(settings: Settings, built: Path) -> None:
    """Note a file that is about to be published. The present one stays noted, as the run may be killed before that."""
    former = [_fingerprint(settings.published)] if settings.published.exists() and was_made_here(settings) else []
    _remember(settings, _signature(built), [*former, _fingerprint(built)])


def _remembered(settings: Settings) -> tuple[str, list[str]]:
    """The signature of the publication that was whole, and the fingerprints of those that were made here."""
    try:
        memory = json.loads(_memory(settings).read_text())
        return str(memory["whole"]), [str(fingerprint) for fingerprint in memory["made_here"]]
    except (OSError, ValueError, TypeError, KeyError):
        return "", []


def _remember(settings: Settings, whole: str, made_here: list[str]) -> None:
    with contextlib.suppress(OSError):  # Without the note the next run is a full rebuild.
        memory = _memory(settings)
        memory.parent.mkdir(exist_ok=True)
        incoming = memory.with_suffix(".tmp")
        incoming.write_text(json.dumps({"whole": whole, "made_here": made_here}))
        os.replace(incoming, memory)


def _memory(settings: Settings) -> Path:
    return settings.data / "cache" / "publication_seen"


def _signature(path: Path) -> str:
    status = path.stat()
    return f"{status.st_ino} {status.st_size} {status.st_mtime_ns}"


def _fingerprint(path: Path) -> str:
    """A value that changes when DuckDB writes into a file, but not when it is copied, moved or touched."""
    with path.open("rb") as file:
        return hashlib.sha256(file.read(_HEADER_BYTES)).hexdigest()
