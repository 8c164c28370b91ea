"""Loads new files as one batch: their records as Parquet files, and the manifest that says which files they are."""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import duckdb

from orchestration.lib.extraction.csv_reading import CsvHeader
from orchestration.lib.extraction.encodings import INVALID_BYTE_MARK
from orchestration.lib.extraction.limits import LIMITS, Limits
from orchestration.lib.extraction.parquet_loader import ParquetLoader
from orchestration.lib.extraction.parts import NewFile, Outcome, Parts
from orchestration.lib.extraction.text_loader import TextLoader
from orchestration.lib.landing.listing import Landing
from orchestration.lib.raw_zone.zone import parquet_files, read_parquet


class Batch:
    """A batch that is written into a folder."""

    def __init__(
        self,
        landing: Landing,
        connection: duckdb.DuckDBPyConnection,
        folder: Path,
        batch_id: int,
        loaded_at: datetime,
        encoding: str | None,
        limits: Limits = LIMITS,
    ) -> None:
        self._landing = landing
        self._encoding = encoding
        self._limits = limits
        self._parts = Parts(connection, folder, batch_id, loaded_at)
        self.records = 0  # after `load`

    def load(self, new_files: Sequence[NewFile]) -> Outcome:
        """Load the files that can be read to their end. The others are refused."""
        outcome = Outcome(new_files)
        with self._parts.workers:
            text_loader = TextLoader(self._landing, self._parts, outcome, self._encoding, self._limits)
            for new in new_files:
                if new.file.format != "parquet":
                    text_loader.load(new)
            parquet_loader = ParquetLoader(self._landing, self._parts, outcome)
            parquet_loader.load(new for new in new_files if new.file.format == "parquet")
            text_loader.finish()
        self._write_manifest(outcome)
        return outcome

    def _write_manifest(self, outcome: Outcome) -> None:
        """Write which versions of which files this batch loaded, and how many records each of them had."""
        records = self._count_records(outcome)
        self.records = sum(records.values())
        self._parts.write(
            self._parts.folder / "files-0.parquet",
            """
            select
                $1::bigint as batch_id,
                unnest(from_json($3, '[{
                    "file_id": "BIGINT", "workspace_folder": "VARCHAR", "kind": "VARCHAR", "source_file": "VARCHAR",
                    "sha256": "VARCHAR", "bytes": "BIGINT", "records": "BIGINT", "header": ["VARCHAR"],
                    "delimiter": "VARCHAR"
                }]'), max_depth := 2),
                $2::timestamptz as loaded_at""",
            json.dumps(
                [
                    {
                        **new.description,
                        "kind": new.file.kind.name,
                        "sha256": new.sha256,
                        "bytes": new.file.size,
                        "records": records.get(new.file_id, 0),
                        **_described(outcome.headers.get(new.file_id)),
                    }
                    for new in sorted(outcome.loaded, key=lambda new: new.file_id)
                ]
            ),
        )

    def _count_records(self, outcome: Outcome) -> dict[int, int]:
        """The records of each loaded file, by file_id; files without records are left out."""
        records: dict[int, int] = {}
        for kind in {new.file.kind for new in outcome.loaded}:
            if parts := parquet_files(self._parts.folder, kind.name):
                counts = f"select file_id, count(*) from {read_parquet(parts)} group by file_id"
                records |= dict(self._parts.connection.execute(counts).fetchall())
        return records


def _described(header: CsvHeader | None) -> dict[str, object]:
    """What a manifest says of an export's header. Other files have none there."""
    if header is None:
        return {"header": None, "delimiter": None}
    return {
        "header": [name.replace(INVALID_BYTE_MARK, "\\x") for name in header.names],
        "delimiter": header.delimiter,
    }
