"""dbt's command line, in a process that goes when the run that started it is killed.

Without that, a dbt that outlives its run would build on in a warehouse file that the next run takes for its own. It
goes, too, when memory runs out: DuckDB may then wait for ever for a thread that found none (seen with `ulimit -v`).

It gets ready before there is a warehouse: it imports dbt, loads the project, and works out what its arguments mean,
which are a line of JSON on its standard input. It opens the warehouse when another line says that it is there. When
there is none, it leaves.
"""

import ctypes
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

from orchestration.lib.dbt_trimmed import trim_importing, trim_loading
from orchestration.lib.long_lived import made_to_stay
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


def _wait_for_the_warehouse(event: Any) -> None:
    # The last that dbt says before it opens the file.
    if event.info.name == "ConcurrencyLine" and not sys.stdin.readline():
        os._exit(1)


def _leave(code: int) -> NoReturn:
    """End this process at once. The kernel takes back its memory, which DuckDB would first free block by block."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _main(parent: int) -> int:
    _go_with(parent)
    # Who stops it while it gets ready, for seconds, need not read where that was.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    with made_to_stay():
        trim_importing()
        from dbt.artifacts.schemas.run import RunExecutionResult
        from dbt.cli.main import dbtRunner

        target = Path(os.environ["DBT_TARGET_PATH"])
        trim_loading(target / "templates")
        # The manifest lies there already (`ensure_manifest`). Writing it once more, and again at the end of a build,
        # takes dbt 0.4 s; `--no-write-json` leaves out the results too.
        manifest: Any = dbtRunner().invoke(["--quiet", "--no-write-json", "parse"]).result
    if not (line := sys.stdin.readline()):
        return 0
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Where the project could not be loaded, dbt says so once more, to those who listen now.
    invoked = dbtRunner(manifest=manifest, callbacks=[_wait_for_the_warehouse, _give_up]).invoke(
        ["--no-write-json", *json.loads(line)]
    )
    if isinstance(invoked.result, RunExecutionResult):
        invoked.result.write(str(target / "run_results.json"))
    if invoked.success:
        _leave(0)
    # Nothing was written into the file: DuckDB does that as it is closed, for who looks for the cause.
    return 1


if __name__ == "__main__":
    sys.exit(_main(int(sys.argv[1])))
