"""Publishes in a process of its own: what ends that process does not end the run.

When the connection is cut while rows are sent, DuckDB's extension aborts the process that it is in: a destructor
raises. The process ends by itself when the one that started it is gone: a killed run writes no further.

`python -m publications.postgres.process` reads one line of JSON and writes one.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from orchestration.lib.problems import Problem, first_line, problem_of_signal, says_disk_is_full
from orchestration.lib.secrets import without_secrets
from orchestration.lib.settings import PROJECT_ROOT
from publications.postgres import work
from publications.postgres.address import Address
from publications.postgres.problems import cut_while_sending, memory_is_short_to_publish, problem_of


def run_apart(
    address: Address, what: str, memory_limit: str, file: Path, totals: work.Totals | None = None
) -> dict[str, Any]:
    """What `publish` or `differences` of `work` came to. Raises what they raise, OSError among it."""
    task = {"what": what, "memory_limit": memory_limit, "file": str(file.absolute()), "totals": totals}
    with (
        # Made here: a process that is killed leaves what it spilled.
        tempfile.TemporaryDirectory(prefix="contact-reports-") as spill,
        subprocess.Popen(
            [sys.executable, "-m", __name__],
            cwd=PROJECT_ROOT,
            env={**without_secrets(), "TMPDIR": spill},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        assert process.stdin is not None and process.stdout is not None
        try:
            # Not in the arguments, which every user of the machine can read.
            process.stdin.write(json.dumps(task | {"url": address.url.get_secret_value()}) + "\n")
            process.stdin.flush()
            # Its end of file would say that this process is gone: it stays open until the answer is here.
            said = process.stdout.read()
        except BaseException:
            process.kill()
            raise
    if process.returncode == -signal.SIGABRT:
        raise cut_while_sending(address)
    if process.returncode == -signal.SIGKILL:
        raise memory_is_short_to_publish("its process was killed")
    if process.returncode < 0:
        raise problem_of_signal("The process that publishes to PostgreSQL", process.returncode)
    if process.returncode or not said:
        raise RuntimeError(f"The publishing process ended with {process.returncode}; standard error has what it said")
    answer: dict[str, Any] = json.loads(said)
    if "os_error" in answer:
        raise OSError(*answer["os_error"])
    if "problem" in answer:
        raise Problem(answer["problem"], is_transient=answer["is_transient"])
    return answer


def _end_with_the_starter() -> None:
    sys.stdin.read()
    os._exit(1)


def _answer(task: dict[str, Any]) -> dict[str, Any]:
    address, file = Address(SecretStr(task["url"])), Path(task["file"])
    try:
        if task["what"] == "publish":
            published, totals = work.publish(address, task["memory_limit"], file)
            return {
                "rows": dict(published.rows),
                "moved": published.moved,
                "state": published.state,
                "notes": published.notes,
                "totals": totals,
            }
        totals = task["totals"] and {name: (rows, checksum) for name, (rows, checksum) in task["totals"].items()}
        return {"differences": work.differences(address, task["memory_limit"], file, totals)}
    except Problem as problem:
        return _answer_of(problem)
    except MemoryError as error:
        return _answer_of(memory_is_short_to_publish(first_line(error)))
    except OSError as error:
        if says_disk_is_full(str(error)):
            return _answer_of(problem_of(str(error), address))
        return {"os_error": [error.errno, error.strerror, error.filename]}


def _answer_of(problem: Problem) -> dict[str, Any]:
    return {"problem": str(problem), "is_transient": problem.is_transient}


def main() -> None:
    task = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_the_starter, daemon=True).start()
    print(json.dumps(_answer(task)), flush=True)
    # Nothing is left to do. A thread that reads standard input would keep Python from ending in order.
    os._exit(0)


if __name__ == "__main__":
    main()
