"""dbt's command line, in a process that ends when the run that started it is killed.

Otherwise a dbt that outlives its run would go on writing while the next run builds in the same folder.
The process also ends when memory runs out: DuckDB may then wait for ever for a thread without memory (seen with
`ulimit -v`).
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

from dbt.cli.main import dbtRunner

from orchestration.lib.problems import says_memory_is_short

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def _end_with(parent: int) -> None:
    """Have the kernel end this process with its parent. Only Linux can."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            sys.exit(1)


def _end_without_memory(event: Any) -> None:
    if event.info.name == "NodeFinished" and says_memory_is_short(event.data.run_result.message):
        os.kill(os.getpid(), signal.SIGKILL)


def main(parent: int, arguments: Sequence[str]) -> int:
    """Run dbt. Returns its exit code."""
    _end_with(parent)
    return int(not dbtRunner(callbacks=[_end_without_memory]).invoke(list(arguments)).success)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
