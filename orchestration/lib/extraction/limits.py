"""How much is read at once, and how long a record may be. Tests set smaller numbers."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """The sizes that extraction works with."""

    # DuckDB's fixed cost per statement, a few ms, is negligible for a chunk of this size. Two workers with a few copies
    # of a chunk each stay far below 1 GB.
    chunk_bytes: int = 32 << 20
    longest_record_bytes: int = 64 << 20
    # Lines or fields of a chunk. Each costs DuckDB 16 bytes and more, even where its text has one byte.
    most_values: int = 4 << 20
    # The checksum of a smaller file takes less than a millisecond, which is not worth a thread.
    thread_bytes: int = 1 << 20
    # A file that changed less than this before reading began may change again without a new time, as clocks of file
    # systems advance every few milliseconds only. Its checksum is not remembered.
    settled_seconds: float = 2.0
    # A spreadsheet is held in memory as a whole, outside of this process. One of a million rows and nine columns takes
    # 742 MB and unpacks to 396 MiB.
    sheet_memory_bytes: int = 1 << 30
    sheet_unpacked_bytes: int = 1 << 30
    sheet_cpu_seconds: int = 300


LIMITS = Limits()
