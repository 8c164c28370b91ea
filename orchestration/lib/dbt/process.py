"""dbt at work: a process that ends with the run that started it."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from orchestration.lib.secrets import without_secrets
from orchestration.lib.settings import PROJECT_ROOT


@contextmanager
def running(arguments: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A dbt command in a process of its own, which reports as JSON on its output. It ends with the block."""
    process = subprocess.Popen(
        _command(arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=without_secrets() | {"DBT_LOG_FORMAT": "json", "PYTHONUNBUFFERED": "1"},
        cwd=PROJECT_ROOT,
    )
    try:
        yield process
    finally:
        process.kill()  # Does nothing to a process that has ended.
        process.wait()


def run(arguments: Sequence[str]) -> int:
    """Run a dbt command that writes to this process's output. Returns its exit code."""
    return subprocess.run(_command(arguments), env=without_secrets(), cwd=PROJECT_ROOT, check=False).returncode


def _command(arguments: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "orchestration.lib.dbt.child", str(os.getpid()), *arguments]
