"""Runs a command and measures it with all its children: time, CPU, memory, and when it had done what."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]
# The environment that the pipeline runs in. Not this process's: where pandas is installed DuckDB's client
# imports it when it binds its first parameter, 1.5 CPU-seconds that no run of the pipeline has.
PYTHON = str(ROOT / ".venv" / "bin" / "python")

_INTERVAL = 0.05  # seconds between two looks at the processes


@dataclass(frozen=True)
class Usage:
    """What a command cost. Times in seconds; CPU is user and system, exact; memory in bytes."""

    wall: float
    cpu: float
    peak_memory: int  # the largest sum of the processes' resident sets that was seen; shared pages count for each
    started_at: float  # seconds since 1970
    output: str  # standard error
    cpu_so_far: list[tuple[float, float]] = field(repr=False)  # seconds since the start, CPU-seconds spent by then

    def cpu_at(self, seconds: float) -> float:
        """CPU-seconds spent that long after the start; between two looks, proportionally."""
        before = (0.0, 0.0)
        for moment, cpu in [*self.cpu_so_far, (self.wall, self.cpu)]:
            if moment >= seconds:
                share = (seconds - before[0]) / (moment - before[0]) if moment > before[0] else 1.0
                return before[1] + share * max(cpu - before[1], 0.0)
            before = (moment, max(cpu, before[1]))
        return self.cpu


def measure(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Usage:
    """Run a command in the repository's root to its end. Raises RuntimeError with what it said when it fails."""
    with tempfile.TemporaryFile() as stderr:
        started_at, started = time.time(), time.monotonic()
        child = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **(environment or {})}, stdout=subprocess.DEVNULL, stderr=stderr
        )
        process = psutil.Process(child.pid)
        peak, cpu_so_far = 0, [(0.0, 0.0)]
        while True:
            cpu, memory = _look_at(process)
            peak = max(peak, memory)
            cpu_so_far.append((time.monotonic() - started, cpu))
            # wait4 is the kernel's account of the child and of all the children it has waited for.
            pid, status, resources = os.wait4(child.pid, os.WNOHANG)
            if pid:
                break
            time.sleep(_INTERVAL)
        wall = time.monotonic() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        stderr.seek(0)
        output = stderr.read().decode(errors="replace")
    if child.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {child.returncode}:\n{output[-2000:]}")
    return Usage(wall, resources.ru_utime + resources.ru_stime, peak, started_at, output, cpu_so_far)


def run_python(module: str, *arguments: object, python: str = PYTHON, **environment: str) -> Usage:
    """Measure `python -m module arguments`."""
    return measure([python, "-m", module, *map(str, arguments)], environment)


def run_with_pandas(module: str, *arguments: object) -> Usage:
    """The same in this process's environment, which has pandas."""
    return run_python(module, *arguments, python=sys.executable)


def _look_at(process: psutil.Process) -> tuple[float, int]:
    """CPU-seconds spent by a process and its children, those that ended included, and their resident memory."""
    cpu, memory = 0.0, 0
    try:
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0, 0
    for member in family:
        try:
            with member.oneshot():
                times = member.cpu_times()
                memory += member.memory_info().rss
        except (psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
        cpu += times.user + times.system + times.children_user + times.children_system
    return cpu, memory
