"""Which folders of the raw zone are merged: few stay, and what is merged is not merged over and over."""

import random

import pytest

from orchestration.lib.raw_zone.compaction import to_merge


def grow(sizes: list[int]) -> tuple[list[int], int, int]:
    """Folders that are left of batches of these sizes, the most there were, and how many bytes were written again."""
    folders: list[int] = []
    most = written = 0
    for size in sizes:
        folders.append(size)
        while found := to_merge(folders, [True] * (len(folders) - 1)):
            merged = sum(folders[found.start : found.stop])
            written += merged
            folders[found.start : found.stop] = [merged]
        most = max(most, len(folders))
    return folders, most, written


@pytest.mark.parametrize("size", [1_000, 100_000, 1_000_000])
def test_folders_stay_few_however_many_batches_come_and_are_written_anew_a_few_times(size: int) -> None:
    folders, most, written = grow([size] * 8_000)
    large = sum(folder >= 32 << 20 for folder in folders)
    assert most - large < 40
    assert written < 5 * sum(folders) + 8_000 * (64 << 10)


def test_folders_of_very_mixed_sizes_stay_few_beside_the_large_ones() -> None:
    rng = random.Random(1)
    folders, most, _ = grow([min(int(rng.paretovariate(0.6) * 5_000), 1 << 28) for _ in range(4_000)])
    large = sum(folder >= 32 << 20 for folder in folders)
    assert most < 64 + 5 * large


def test_many_small_folders_are_merged_at_once_and_large_ones_never() -> None:
    assert to_merge([10_000] * 1_000, [True] * 999) == range(1_000)
    assert to_merge([40 << 20] * 100, [True] * 99) is None
    assert to_merge([10_000] * 7, [True] * 6) is None
