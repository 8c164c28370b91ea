"""What a warehouse file was built from: written into the file by the run that builds it, and read by the next one."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import duckdb

from orchestration.lib.raw_zone.zone import RawZone
from orchestration.lib.settings import PROJECT_ROOT
from orchestration.lib.warehouse.published import has_a_writer, open_published

# What the models' results depend on, besides the raw zone. dbt's tests only look at them.
_RULE_FILES = (
    "models/**/*.sql",
    "macros/*.sql",
    "macros/dialects/*.sql",
    "seeds/*.csv",
    "dbt_project.yml",
    "profiles.yml",
)


@dataclass(frozen=True)
class BuildState:
    """What a warehouse was built from. Warehouses with equal states hold the same rows."""

    zone_id: str
    raw_zone: str  # its path, which views of the publication contain
    batch_id: int
    batches: str  # fingerprint of batches 1 to batch_id
    rules: str  # fingerprint of models, macros, seeds, and listed workspaces

    @property
    def forgotten(self) -> str:
        """Fingerprint of the contacts that are masked in these batches. Empty if there are none."""
        return "/".join(self.batches.split("/")[2:])


def rules_fingerprint(zone: RawZone, engine: str) -> str:
    """Fingerprint of models, macros, seeds, listed workspaces with their zones, engine, and the version of DuckDB."""
    digest = hashlib.sha256()
    for pattern in _RULE_FILES:
        for path in sorted(PROJECT_ROOT.glob(pattern)):
            digest.update(f"{path.relative_to(PROJECT_ROOT)}\0".encode() + path.read_bytes() + b"\0")
    files, workspaces = zone.reading("files"), zone.reading("workspaces")
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"""
            select workspace_id, timezone from {workspaces}
            where file_id = (select max(file_id) from {files} where kind = 'workspaces') order by source_line"""
        ).fetchall()
    digest.update(repr(rows).encode())
    # Hashes that the warehouse keeps may differ from one version of DuckDB to the next. Those of another engine do.
    digest.update(f"{engine} {duckdb.__version__}".encode())
    return digest.hexdigest()


def read_state(path: Path) -> BuildState | None:
    """The state that a warehouse file was built from. None when the file cannot be read or has none."""
    try:
        with open_published(path) as connection:
            return state_of(connection)
    except duckdb.IOException as error:
        if "Could not set lock" in str(error):
            raise has_a_writer(path) from None
        return None
    except duckdb.Error:
        return None


def state_of(connection: duckdb.DuckDBPyConnection) -> BuildState | None:
    """The same, of the published file that is attached to a connection. Raises duckdb.Error when it has none."""
    row = connection.execute(
        "select zone_id, raw_zone, batch_id, batches, rules from contact_reports.intermediate.build_state"
    ).fetchone()
    return BuildState(*row) if row else None
