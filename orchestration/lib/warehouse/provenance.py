"""Whether the publication is whole, and what a run on this data folder wrote.

Kept in a note beside the data. Without the note the publication is read through once, and built again.
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

# DuckDB's headers: the file's, and two of the database's. Each checkpoint counts on in one of these.
_HEADER_BYTES = 3 * 4096


def is_whole(settings: Settings) -> bool:
    """Whether every block of the publication can be read. Only a file that no run here left so is looked through:
    one that was restored, edited or overwritten (0.1 s for 18 MB)."""
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
    """Whether the publication is what a run on this data folder wrote, and nobody since; None when that is forgotten.

    Every row of one that another program wrote into can be read, and its views may do anything.
    """
    _, made_here = _remembered(settings)
    return _fingerprint(settings.published) in made_here if made_here else None


def remember_publication(settings: Settings, built: Path) -> None:
    """Note a file that is about to be published. The run may be killed before it is, so the former one stays noted."""
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
    with contextlib.suppress(OSError):  # Forgotten, it costs a rebuild.
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
    """What changes when DuckDB writes into a file, and not when it is copied, moved or touched."""
    with path.open("rb") as file:
        return hashlib.sha256(file.read(_HEADER_BYTES)).hexdigest()
