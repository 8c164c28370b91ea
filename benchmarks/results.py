"""What was measured, kept in docs/performance.json: of each measure the newest figures, with their date and machine."""

import json
import os
import platform
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import duckdb
import psutil

from benchmarks.measure import ROOT, Usage

RESULTS = ROOT / "docs" / "performance.json"

Entry = dict[str, Any]


def read() -> list[Entry]:
    return list(json.loads(RESULTS.read_text())) if RESULTS.exists() else []


def keep(measure: str, note: str, **figures: Any) -> None:
    """Keep an entry in the place of the one of the same measure, number of events and format."""
    entry = {
        "measure": measure,
        "date": datetime.now(UTC).date().isoformat(),
        "machine": _machine(),
        "note": note,
        **figures,
    }
    entries = [other for other in read() if _identity(other) != _identity(entry)]
    entries.append(entry)
    entries.sort(key=lambda one: (one["measure"], one.get("format", ""), one.get("events", 0)))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(entries, indent=1) + "\n")


def medians(usages: Sequence[Usage]) -> dict[str, float]:
    """Of runs of the same thing: seconds, CPU-seconds and gigabytes."""
    return {
        "runs": len(usages),
        "wall": round(statistics.median(usage.wall for usage in usages), 2),
        "cpu": round(statistics.median(usage.cpu for usage in usages), 2),
        "memory": round(statistics.median(usage.peak_memory for usage in usages) / 1e9, 2),
    }


def median_stages(runs: Sequence[dict[str, tuple[float, float]]]) -> dict[str, list[float]]:
    """Of each stage: seconds and CPU-seconds."""
    return {
        stage: [round(statistics.median(run[stage][unit] for run in runs), 2) for unit in (0, 1)] for stage in runs[0]
    }


def _identity(entry: Entry) -> tuple[Any, ...]:
    return entry["measure"], entry.get("format"), entry.get("events")


def _machine() -> str:
    memory = psutil.virtual_memory().total / 1e9
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GB, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, DuckDB {duckdb.__version__}"
    )
