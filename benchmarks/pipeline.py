"""The pipeline as the thing that is measured: its runs in a data folder of their own, and what its stages cost."""

import json
import re
import shutil
from collections import defaultdict
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from benchmarks.generate import write_landing
from benchmarks.measure import Usage, run_python

STAGES = ("starting", "extracting", "starting dbt", "models", "tests", "publishing and the rest")

_PROGRESS = re.compile(r"^\[ *([0-9.]+) s\] (.+): \d+ %$", re.MULTILINE)


class Pipeline:
    """A data folder, and runs on it."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.published = data / "published" / "contact_reports.duckdb"

    def warm_up(self) -> None:
        """Run once on a hundred events and forget them.

        What is done once on a machine stays: the parsed models, Dagster's tables.
        """
        shutil.rmtree(self.data, ignore_errors=True)
        landing = self.data / "landing"
        write_landing(landing, 100)
        self.run(landing)
        shutil.rmtree(landing)
        self.forget()

    def forget(self) -> None:
        """Remove all that was loaded."""
        for folder in ("raw", "warehouse", "published", "cache"):
            shutil.rmtree(self.data / folder, ignore_errors=True)

    def run(self, landing: Path) -> Usage:
        return run_python(
            "orchestration", "run", CONTACT_REPORTS_DATA=str(self.data), CONTACT_REPORTS_LANDING=str(landing)
        )

    def stages(self, usage: Usage) -> dict[str, tuple[float, float]]:
        """Seconds and CPU-seconds of each stage of the run just made, from what it said and dbt's run_results.json.

        Models and tests run at the same time: what the two took together is shared out by their own times.
        """
        said = [(float(seconds), doing) for seconds, doing in _PROGRESS.findall(usage.output)]
        extracting = [seconds for seconds, doing in said if doing in ("looking for new files", "loading")]
        # The command's clock starts when Python has started and the command line is read.
        marks = [0.0, extracting[0], extracting[-1]] if extracting else [0.0, 0.0, 0.0]
        nodes, spent = self._nodes(usage.started_at)
        marks += [min(begin for begin, _ in nodes), max(end for _, end in nodes)] if nodes else [marks[-1]] * 2
        marks.append(usage.wall)
        spans = [(end - begin, usage.cpu_at(end) - usage.cpu_at(begin)) for begin, end in pairwise(marks)]
        starting, extract, dbt_start, building, rest = spans
        tests = spent["test"] / sum(spent.values()) if spent else 0.0
        return dict(
            zip(
                STAGES,
                (
                    starting,
                    extract,
                    dbt_start,
                    ((1 - tests) * building[0], (1 - tests) * building[1]),
                    (tests * building[0], tests * building[1]),
                    rest,
                ),
                strict=True,
            )
        )

    def slowest_models(self, count: int = 10) -> list[tuple[str, float]]:
        """The models that the last run of dbt took longest for, with their seconds."""
        results = json.loads((self.data / "dbt" / "run_results.json").read_text())["results"]
        times = [(result["unique_id"].split(".", 2)[-1], float(result["execution_time"])) for result in results]
        return sorted(times, key=lambda time: -time[1])[:count]

    def _nodes(self, since: float) -> tuple[list[tuple[float, float]], dict[str, float]]:
        """When each model and test ran, in seconds after `since`, and how long each kind took; nothing without dbt."""
        spans: list[tuple[float, float]] = []
        spent: dict[str, float] = defaultdict(float)
        path = self.data / "dbt" / "run_results.json"
        for result in json.loads(path.read_text())["results"] if path.exists() else ():
            times = [
                (_seconds(timing["started_at"]) - since, _seconds(timing["completed_at"]) - since)
                for timing in result["timing"]
                if timing["started_at"] and timing["completed_at"]
            ]
            if times and times[0][0] > 0:
                spans.append((min(begin for begin, _ in times), max(end for _, end in times)))
                spent[result["unique_id"].split(".")[0]] += spans[-1][1] - spans[-1][0]
        return spans, spent


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
