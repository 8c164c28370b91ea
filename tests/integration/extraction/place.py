"""A landing folder with what is extracted from it, and helpers that several tests of extraction share."""

import glob
import json
import re
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from orchestration.lib.extraction.extract import Extraction, extract
from orchestration.lib.extraction.limits import LIMITS
from orchestration.lib.landing.kinds import KINDS
from orchestration.lib.landing.listing import Landing
from orchestration.lib.raw_zone.zone import RawZone

Row = dict[str, Any]
WORKSPACES = "workspace_id,workspace_name,timezone\n1,One,UTC\n2,Two,Europe/Paris\n"


class Place:
    """A landing folder with two workspaces, and what is extracted from it."""

    def __init__(self, folder: Path, raw: str = "raw") -> None:
        self.landing = folder / "landing"
        self.raw = folder / raw
        self.cache = folder / "state" / "checksums.json"
        self.limits = LIMITS
        self.land("workspaces.csv", WORKSPACES)

    def land(self, path: str, content: str | bytes) -> Path:
        """Have a file arrive, or change; where it stands already, in place."""
        file = self.landing / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    def land_parquet(self, path: str, query: str, options: str = "") -> Path:
        """Have a Parquet file arrive, whatever characters its name has."""
        with tempfile.TemporaryDirectory() as folder:
            reader().execute(f"copy ({query}) to '{folder}/rows.parquet' (format parquet {options})")
            return self.land(path, Path(folder, "rows.parquet").read_bytes())

    def extract(
        self, landing: Landing | None = None, *, encoding: str | None = None, memory_limit: str | None = None
    ) -> Extraction:
        result = extract(
            landing or Landing(str(self.landing)),
            RawZone(self.raw),
            self.cache,
            encoding=encoding,
            memory_limit=memory_limit,
            limits=self.limits,
        )
        self.check(result)
        return result

    def read(self, table: str) -> list[Row]:
        """All rows of a table of the raw zone, in the order of loading."""
        order = "file_id" if table == "files" else "file_id, source_line"
        return rows_of(f"select * from read_parquet($1::varchar[]) order by {order}", [self.parquet(table)])

    def parquet(self, table: str) -> list[str]:
        """The files of a table, as patterns that match only them."""
        return [glob.escape(str(file)) for file in self.raw.glob(f"batches-*/{table}-*.parquet")]

    def events(self) -> list[Row]:
        return self.read("events")

    def loaded(self, path: str) -> list[Row]:
        """The versions of a file that were loaded, the first one first."""
        return [row for row in self.read("files") if row["source_file"] == path]

    def check(self, result: Extraction) -> None:
        """What must hold after every run: nothing is there twice or by half, and batches agree with their manifests."""
        assert all(re.fullmatch(r"batches-\d+-\d+", path.name) for path in self.raw.iterdir())
        assert {path.name for path in self.cache.parent.glob("*")} <= {self.cache.name}
        files = self.read("files")
        assert len({row["file_id"] for row in files}) == len(files)
        lines = " union all ".join(
            f"select file_id, source_line from read_parquet(${i}::varchar[])" for i in range(1, len(KINDS) + 1)
        )
        counts = rows_of(
            "select file_id, count(*) as records, count(distinct source_line) as lines "
            f"from ({lines}) group by file_id",
            [self.parquet(table) for table in KINDS],
        )
        assert all(row["records"] == row["lines"] for row in counts)
        assert {row["file_id"]: row["records"] for row in counts} == {
            row["file_id"]: row["records"] for row in files if row["records"]
        }
        batch = files[len(files) - result.files :]
        assert result.records == sum(row["records"] for row in batch)
        assert (result.batch_id is not None) == (result.files > 0)
        assert len({row["loaded_at"] for row in batch}) <= 1


@cache
def reader() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"threads": 1})
    connection.execute("set TimeZone = 'UTC'")
    return connection


def rows_of(query: str, parameters: object) -> list[Row]:
    cursor = reader().execute(query, parameters)
    names = [name for name, *_ in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def json_lines(*event_ids: object) -> str:
    return "".join(json.dumps({"event_id": str(event_id), "event_type": "added"}) + "\n" for event_id in event_ids)


def event_ids(rows: Iterable[Row]) -> list[str]:
    return [row["event_id"] for row in rows]


def refuse_constant(name: str) -> object:
    """Have `json.loads` refuse NaN and Infinity."""
    raise ValueError(name)
