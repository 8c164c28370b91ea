"""dbt's command line, in a process that goes when the run that started it is killed.

Without that, a dbt that outlives its run would build on in a warehouse file that the next run takes for its own. It
goes, too, when memory runs out: DuckDB may then wait for ever for a thread that found none (seen with `ulimit -v`).
"""

import ctypes
import os
import signal
import sys
from typing import Any

from orchestration.lib.problems import says_memory_is_short

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def _go_with(parent: int) -> None:
    """Have the kernel end this process with its parent. Only Linux knows how."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            sys.exit(1)


def _give_up(event: Any) -> None:
    if event.info.name == "NodeFinished" and says_memory_is_short(event.data.run_result.message):
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    _go_with(int(sys.argv[1]))
    # Who stops it while dbt is being imported, for seconds, need not read where that was.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from dbt.cli.main import dbtRunner

    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(not dbtRunner(callbacks=[_give_up]).invoke(sys.argv[2:]).success)
