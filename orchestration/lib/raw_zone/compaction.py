"""Merges small neighbouring folders of the raw zone, so that their number grows more slowly than that of the batches.

The merged folder appears in one step, and then the folders that it replaces are removed. Rows keep their columns and
their order, so a query for the newest batches reads the last row groups of a file only.
"""

import shutil
from collections.abc import Sequence
from contextlib import closing
from itertools import pairwise

import duckdb

from orchestration.lib.raw_zone.zone import (
    FORGOTTEN,
    PARQUET_OPTIONS,
    BatchFolder,
    RawZone,
    parquet_files,
    read_parquet,
)
from orchestration.lib.sql import sql_text

# A merged folder is at least this many times as large as the largest folder in it, so a record is written again some
# four times in all, until its folder is large. With more small folders than enough, 4 or 2 times will do.
GROWTH = 8
_ENOUGH_FOLDERS = 64
# A folder of this size is not merged again: the time to open it is negligible beside the time to read it.
LARGE_BYTES = 32 << 20
# A smaller folder counts as this size: writing it takes no longer than opening it.
_SMALL_BYTES = 64 << 10


def compact(zone: RawZone, growth: int = GROWTH, large_bytes: int = LARGE_BYTES) -> int:
    """Merge the folders that are worth it (`to_merge`). Returns how many were merged.

    Only the writer calls it. It does nothing while another process reads the zone `at_rest`; a later run merges then.
    """
    merged = 0
    with zone.without_readers() as alone:
        while alone and (folders := _worth_merging(zone, growth, large_bytes)):
            _merge(zone, folders)
            merged += len(folders)
    return merged


def _worth_merging(zone: RawZone, growth: int, large_bytes: int) -> Sequence[BatchFolder]:
    folders = zone.folders()[1:]  # The first one has the empty tables, which belong to no batch.
    follows = [
        folder.first == before.last + 1 and folder.forgotten == before.forgotten for before, folder in pairwise(folders)
    ]
    found = to_merge([folder.bytes for folder in folders], follows, growth, large_bytes)
    return folders[found.start : found.stop] if found else []


def to_merge(
    sizes: Sequence[int], follows: Sequence[bool], growth: int = GROWTH, large_bytes: int = LARGE_BYTES
) -> range | None:
    """The folders to merge into one; None when there are none.

    `sizes` are the bytes of each folder. `follows` says of each but the first whether its batches follow those of the
    folder before, and that the same contacts are masked in both. Nothing is merged across a gap, as the missing batches
    may be put back.
    """
    largest_bytes = GROWTH * large_bytes  # by default a merge of some ten CPU-seconds
    counted = [max(size, _SMALL_BYTES) for size in sizes]
    small = sorted((i for i, size in enumerate(counted) if size < large_bytes), key=lambda i: -counted[i])
    for enough in (growth, 4, 2) if len(small) > _ENOUGH_FOLDERS else (growth,):
        for largest in small:
            limit = total = counted[largest]
            first = last = largest
            while first > 0 and follows[first - 1] and counted[first - 1] <= limit and total < largest_bytes:
                first -= 1
                total += counted[first]
            while last < len(follows) and follows[last] and counted[last + 1] <= limit and total < largest_bytes:
                last += 1
                total += counted[last]
            if total >= enough * limit:
                return range(first, last + 1)
    return None


def _merge(zone: RawZone, folders: Sequence[BatchFolder]) -> None:
    tables = {file.stem.rsplit("-", 1)[0] for folder in folders for file in folder.path.glob("*.parquet")}
    with zone.incoming() as folder:
        with closing(duckdb.connect(config={"temp_directory": str(folder / "spill")})) as connection:
            for table in sorted(tables):
                files = [file for one in folders for file in parquet_files(one.path, table)]
                target = sql_text(folder / f"{table}-0.parquet")
                connection.execute(f"copy (from {read_parquet(files)}) to {target} ({PARQUET_OPTIONS})")
        shutil.rmtree(folder / "spill", ignore_errors=True)
        if note := folders[0].forgotten:
            (folder / FORGOTTEN).write_text(note, encoding="utf-8")
        zone.appear(folder, zone.path / f"batches-{folders[0].first}-{folders[-1].last}")
    for one in folders:
        shutil.rmtree(one.path)
