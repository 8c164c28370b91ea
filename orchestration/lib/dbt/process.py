"""dbt at work: a process that ends with the run that started it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType

from orchestration.lib.progress import report
from orchestration.lib.secrets import without_secrets
from orchestration.lib.settings import PROJECT_ROOT

# What dbt reports when it is done with a model, a seed, or an exposure, for which there is nothing to do.
_RESULTS = ("LogModelResult", "LogSeedResult", "LogNodeNoOpResult")


@contextmanager
def running(
    arguments: Sequence[str], variables: Mapping[str, str] = MappingProxyType({})
) -> Iterator[subprocess.Popen[bytes]]:
    """A dbt command in a process of its own, which reports as JSON on its output. It ends with the block.

    `variables` come on top of the environment.
    """
    process = subprocess.Popen(
        _command(arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**without_secrets(), **variables, "DBT_LOG_FORMAT": "json", "PYTHONUNBUFFERED": "1"},
        cwd=PROJECT_ROOT,
    )
    try:
        yield process
    finally:
        process.kill()  # Does nothing to a process that has ended.
        process.wait()


def build_showing_progress(arguments: Sequence[str], variables: Mapping[str, str], doing: str) -> tuple[int, str]:
    """Run a dbt command that builds, and report how far it is. Returns its exit code, and its errors on one line."""
    done, errors = 0, []
    with running(arguments, variables) as process:
        assert process.stdout
        with process.stdout:
            for line in process.stdout:
                try:
                    event = json.loads(line)
                    name, level = event["info"]["name"], event["info"]["level"]
                except (ValueError, TypeError, KeyError):
                    errors.append(line.decode(errors="replace"))  # of Python or the system
                    continue
                if name in _RESULTS:
                    done += 1
                    report(doing, done, event["data"]["total"])
                elif level == "error":
                    errors.append(event["info"]["msg"])
        return process.wait(), " ".join(" ".join(errors).split())


def run(arguments: Sequence[str]) -> int:
    """Run a dbt command that writes to this process's output. Returns its exit code."""
    return subprocess.run(_command(arguments), env=without_secrets(), cwd=PROJECT_ROOT, check=False).returncode


def _command(arguments: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "orchestration.lib.dbt.child", str(os.getpid()), *arguments]
