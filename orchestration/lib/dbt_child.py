"""dbt's command line, in a process that goes when the run that started it is killed.

Without that, a dbt that outlives its run would build on in a warehouse file that the next run takes for its own.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def _go_with(parent: int) -> None:
    """Have the kernel end this process with its parent. Only Linux knows how."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            sys.exit(1)


if __name__ == "__main__":
    _go_with(int(sys.argv.pop(1)))
    from dbt.cli.main import cli

    cli()
