"""Opens the published file so that files can be written from it in little memory."""

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import duckdb

from orchestration.lib.sql import sql_text
from orchestration.lib.warehouse.published import attach_published

_THREADS = 2
_MEMORY = "256MB"
# How much freed memory DuckDB keeps. By its defaults the report page had up to 497 MB for one file of three million
# rows, up to 706 MB for four at once, and kept 380 MB. With this it has 459 and 556 MB, and keeps 145 MB.
_KEPT = "16MB"
_EXCEL = files("duckdb_extension_excel") / "extensions" / f"v{duckdb.__version__}" / "excel.duckdb_extension"


def open_to_export(published: Path, folder: Path, also_read: Sequence[Path] = ()) -> duckdb.DuckDBPyConnection:
    """A connection with the published file attached, which writes and spills into one folder, and into no other.

    Other files are read only below `also_read`. Raises duckdb.Error when the published file cannot be read.
    """
    root = duckdb.connect(
        config={
            "threads": _THREADS,
            "memory_limit": _MEMORY,
            "temp_directory": str(folder),
            "allocator_background_threads": True,
            "allocator_flush_threshold": _KEPT,
            "allocator_bulk_deallocation_flush_threshold": _KEPT,
        }
    )
    try:
        root.execute("set TimeZone = 'UTC'")
        root.execute(f"load {sql_text(str(_EXCEL))}")
        allowed = ", ".join(sql_text(place) for place in (folder, *also_read))
        root.execute(f"set allowed_directories = [{allowed}]")
        attach_published(root, published)
    except BaseException:
        root.close()
        raise
    return root
