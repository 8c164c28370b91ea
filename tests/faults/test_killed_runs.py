"""Runs are killed over and over while records arrive and a reader reads: nothing is lost, doubled or half shown."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from itertools import cycle
from multiprocessing import get_context
from pathlib import Path

import pytest

from orchestration.lib.raw_zone.zone import RawZone
from orchestration.lib.settings import PROJECT_ROOT
from orchestration.lib.warehouse.published import found_beside
from tests.comparison import assert_as_reckoned
from tests.faults.foreign import leave_beside, rows
from tests.faults.killing import START, Ending, get_ready, run_in_child, stage_of
from tests.harness import Pipeline
from tests.reckoning import Reckoning
from tests.streams import Delivery, apply, make_deliveries

# How one run after the other is killed: at a station of a stage, at a moment that chance chooses, or, which costs three
# times as much, the real command.
HOW = ("extract", "model", "command", "publish", "test", "moment", "prepare", "model")
# Half of the kills around dbt, where a station is one change to a file, come this much later, within the change itself.
WITHIN_SECONDS = 0.03
COMPARED_EVERY = 13
# After so many kills another program leaves what it wrote into the publication.
LOG_LEFT_EVERY = 6
# A changed workspaces.csv is a rebuild; most runs should not be.
LISTED_EVERY = 8


class History:
    """A pipeline, what lands in it, and what the reckoning makes of the same."""

    def __init__(self, data: Path, deliveries: list[Delivery]) -> None:
        self.pipeline, self.reckoning = Pipeline(data), Reckoning()
        self._deliveries = iter(enumerate(deliveries))
        self._loaded = 0

    def deliver(self) -> None:
        number, delivery = next(self._deliveries)
        listed = number % LISTED_EVERY == 0
        apply({path: delivery[path] for path in delivery if listed or path != "workspaces.csv"}, self.pipeline.landing)

    def notice(self) -> None:
        """Reckon what a run loaded, though it may not have lived to publish it."""
        raw = self.pipeline.settings.raw
        newest = RawZone(raw).newest_batch() if any(raw.glob("batches-*")) else 0
        assert newest - self._loaded in (0, 1)
        if newest > self._loaded:
            self._loaded = newest
            self.reckoning.load(self.pipeline.landing, self.pipeline.loaded_at(newest))


@pytest.fixture
def ready(data_folder: Path) -> Iterator[ProcessPoolExecutor]:
    """A process that has imported and parsed what a run needs, without threads or open connections."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        executor.submit(get_ready, data_folder).result()
        yield executor


@pytest.mark.slow
def test_runs_killed_anywhere_lose_nothing_double_nothing_and_show_no_reader_a_half(
    tmp_path: Path,
    data_folder: Path,
    ready: ProcessPoolExecutor,
    pytestconfig: pytest.Config,
    capsys: pytest.CaptureFixture[str],
) -> None:
    kills, seed = pytestconfig.getoption("kills"), random.randrange(10**9)
    rng = random.Random(seed)
    history = History(data_folder, make_deliveries(rng, deliveries=2 * kills + 20, events=12))
    killed: Counter[str] = Counter()

    def run(station: str | None = None, delay: float | None = None) -> Ending:
        ending = ready.submit(run_in_child, data_folder, station, delay).result()
        assert ending.outcome != "failed", f"seed {seed}, {ending.stations[-1:]}"
        history.notice()
        return ending

    def say(line: str) -> None:
        with capsys.disabled():
            print(f"\n{datetime.now():%H:%M:%S} {line}", end="", flush=True)

    for _ in range(2):
        history.deliver()
        whole = run()
    stations: dict[str, Iterator[str]] = {
        stage: cycle(rng.sample(of_stage, len(of_stage)))
        for stage in set(HOW) - {"command", "moment"}
        if (of_stage := [station for station in whole.stations if stage_of(station) == stage])
    }
    commands = cycle(STAGES)
    with reading(history.pipeline.settings.published, tmp_path) as seen:
        for how in cycle(HOW):
            history.deliver()
            if how == "command":
                stage = next(commands)
                kill_the_command(data_folder, stage, rng)
                history.notice()
                killed[f"command, {stage}"] += 1
            else:
                if how == "moment":
                    ending = run(START, rng.uniform(0, 0.8 * whole.seconds))
                elif how in ("model", "test"):
                    ending = run(next(stations[how]))
                else:
                    ending = run(next(stations[how]), rng.choice([None, rng.uniform(0, WITHIN_SECONDS)]))
                if ending.outcome != "killed":
                    continue
                killed[ending.stage] += 1
            if killed.total() % LOG_LEFT_EVERY == 0:
                leave_the_log_of_a_copy(history.pipeline.settings.published, tmp_path / "copy")
            if killed.total() % COMPARED_EVERY == 0:
                assert run().outcome == "finished"
                assert_nothing_is_of_others(history.pipeline.settings.published)
                assert_as_reckoned(history.pipeline, history.reckoning, f"seed {seed}, kill {killed.total()}")
                say(f"{killed.total()} of {kills} kills, no difference")
            if killed.total() == kills:
                break
        assert run().outcome == "finished"
        assert_nothing_is_of_others(history.pipeline.settings.published)
        assert_as_reckoned(history.pipeline, history.reckoning, f"seed {seed}, at the end")
    assert seen["errors"] == [], f"seed {seed}"
    assert seen["polls"] > kills
    say(f"seed {seed}: {dict(killed)}; {seen['polls']} polls of {seen['publications']} publications\n")


def leave_the_log_of_a_copy(published: Path, folder: Path) -> None:
    """As a program does that wrote into the publication and was killed; but for the reader, whom it would shut out."""
    folder.mkdir(exist_ok=True)
    copy = Path(shutil.copyfile(published, folder / published.name))
    log = leave_beside(copy, "create table main.of_another_program as select 1 as i")
    log.rename(published.with_name(log.name))


def assert_nothing_is_of_others(published: Path) -> None:
    assert not found_beside(published)
    assert rows(published, "from duckdb_tables() where table_name = 'of_another_program'") == []


@contextmanager
def reading(published: Path, folder: Path) -> Iterator[dict[str, object]]:
    """A reader that polls all the time; what it saw is known at the end."""
    end = folder / "end"
    seen: dict[str, object] = {}
    command = [sys.executable, "-m", "tests.faults.reader", str(published), str(end)]
    with subprocess.Popen(command, cwd=PROJECT_ROOT, stdout=subprocess.PIPE, text=True) as reader:
        try:
            yield seen
        finally:
            end.touch()
            seen |= json.loads(reader.communicate()[0])


def kill_the_command(data: Path, stage: str, rng: random.Random) -> None:
    """Start `python -m orchestration run`, and kill it soon after it has come to a stage."""
    log = data.with_suffix(".log")
    before = inodes(data)
    with log.open("w") as output:
        run = subprocess.Popen(
            [sys.executable, "-m", "orchestration", "run"],
            cwd=PROJECT_ROOT,
            env=os.environ | {"CONTACT_REPORTS_DATA": str(data)},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        while run.poll() is None and not STAGES[stage](data, before):
            time.sleep(0.002)
        assert run.poll() in (None, 0), log.read_text()
        time.sleep(rng.uniform(0, 1.5) if stage in ("starting", "building", "building, parent only") else 0)
        # The kernel that runs short of memory kills one process, not a group.
        if stage == "building, parent only":
            run.kill()
        elif run.poll() is None:
            os.killpg(run.pid, signal.SIGKILL)
        run.wait()


def inodes(data: Path) -> set[int]:
    files = [data / "published" / "contact_reports.duckdb", data / "warehouse" / "contact_reports.duckdb"]
    return {path.stat().st_ino for path in (*files, *(data / "raw").iterdir()) if path.exists()}


def is_new(path: Path, before: set[int]) -> bool:
    try:
        return path.stat().st_ino not in before
    except FileNotFoundError:
        return False


def has_new(folder: Path, pattern: str, before: set[int]) -> bool:
    return any(is_new(path, before) for path in folder.glob(pattern))


# How it can be seen from outside that a run has come to a stage.
STAGES: dict[str, Callable[[Path, set[int]], bool]] = {
    "building, parent only": lambda data, before: is_new(data / "warehouse" / "contact_reports.duckdb", before),
    "building": lambda data, before: is_new(data / "warehouse" / "contact_reports.duckdb", before),
    "published": lambda data, before: is_new(data / "published" / "contact_reports.duckdb", before),
    "extracting": lambda data, before: has_new(data / "raw", ".incoming-*", before),
    "extracted": lambda data, before: has_new(data / "raw", "batches-*", before),
    "starting": lambda data, before: True,
}
