"""Merges small folders of the raw zone that follow one another, so that their number does not grow with the batches'.

The merged folder appears in one step, and only then those that it was made of go. Rows keep their columns and their
order, so that whoever asks for the newest batches finds them in the last row groups of a file.
"""

import shutil
from collections.abc import Sequence
from contextlib import closing
from itertools import pairwise

import duckdb

from orchestration.lib.raw_zone.zone import PARQUET_OPTIONS, BatchFolder, RawZone, parquet_files, read_parquet, sql_text

# What is merged becomes so many times as large as the largest folder in it, at least. So a record is written anew
# some four times in all, until its folder is large. Where sizes are so mixed that too many folders stay, less will do.
GROWTH = 8
_ENOUGH_FOLDERS = 64
# A folder of as much is not touched again: opening it costs nothing beside reading it.
_LARGE_BYTES = 32 << 20
# The largest merge takes some ten CPU-seconds.
_LARGEST_BYTES = GROWTH * _LARGE_BYTES
# What is smaller counts as this: it costs no more to write than to open.
_SMALL_BYTES = 64 << 10


def compact(zone: RawZone, growth: int = GROWTH) -> int:
    """Merge what is worth it, which is what becomes `growth` times as large. Returns how many folders were merged.

    To be called by the only writer. Does nothing while somebody else relies on the zone: a later run will.
    """
    merged = 0
    with zone.unobserved() as unobserved:
        while unobserved and (folders := _worth_merging(zone, growth)):
            _merge(zone, folders)
            merged += len(folders)
    return merged


def _worth_merging(zone: RawZone, growth: int) -> Sequence[BatchFolder]:
    # Without the empty tables, which belong to no batch.
    folders = zone.folders()[1:]
    follows = [folder.first == before.last + 1 for before, folder in pairwise(folders)]
    found = to_merge([folder.bytes for folder in folders], follows, growth)
    return folders[found.start : found.stop] if found else []


def to_merge(sizes: Sequence[int], follows: Sequence[bool], growth: int = GROWTH) -> range | None:
    """Which folders are to be one, None when all is well, given their bytes, and of each but the first whether it
    follows the one before. Over a gap nothing is merged: the batches that are missing may be put back."""
    counted = [max(size, _SMALL_BYTES) for size in sizes]
    small = sorted((i for i, size in enumerate(counted) if size < _LARGE_BYTES), key=lambda i: -counted[i])
    for enough in (growth, 4, 2) if len(small) > _ENOUGH_FOLDERS else (growth,):
        for largest in small:
            limit = total = counted[largest]
            first = last = largest
            while first > 0 and follows[first - 1] and counted[first - 1] <= limit and total < _LARGEST_BYTES:
                first -= 1
                total += counted[first]
            while last < len(follows) and follows[last] and counted[last + 1] <= limit and total < _LARGEST_BYTES:
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
        zone.appear(folder, zone.path / f"batches-{folders[0].first}-{folders[-1].last}")
    for one in folders:
        shutil.rmtree(one.path)
