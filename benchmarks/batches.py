"""A raw zone as years of runs and merges leave it: each of its files loaded by a run of its own, all in one folder."""

import shutil
from pathlib import Path

import duckdb


def load_one_by_one(raw: Path) -> int:
    """Make of a raw zone's only batch as many as it has files. Returns their number."""
    (batch,) = raw.glob("batches-1-1")
    with duckdb.connect() as connection:
        (number,) = connection.execute(f"select max(file_id) from '{batch}/files-*.parquet'").fetchall()[0]
        batches = raw / f"batches-1-{number}"
        batches.mkdir()
        for table in sorted({file.stem.rsplit("-", 1)[0] for file in batch.iterdir()}):
            connection.execute(
                f"""
                copy (select * replace (file_id as batch_id) from '{batch}/{table}-*.parquet' order by file_id)
                to '{batches}/{table}-0.parquet' (format parquet, compression zstd)"""
            )
    shutil.rmtree(batch)
    return int(number)
