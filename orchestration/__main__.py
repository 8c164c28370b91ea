"""The entry point of the command line: `python -m orchestration run`, `status`, `rebuild`, `verify`, …"""

import signal
import sys

import click

from orchestration.cli.group import main
from orchestration.lib.pipeline import explain
from orchestration.lib.problems import Problem
from orchestration.lib.settings import read_settings


def _safely() -> int:
    """Run a command; say what a person can do in one line."""
    # A scheduler stops a run like a person at the keyboard does: it cleans up, and leaves.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        print("error: Stopped before it was done. Nothing is lost: run it again", file=sys.stderr)
        return 130
    except Exception as error:
        problem = error if isinstance(error, Problem) else explain(error, read_settings())
        if problem is None:
            raise
        print(f"error: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_safely())
