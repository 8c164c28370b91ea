"""The errors an operator can act on: one line that names the thing, the place and the cure."""

import signal

from orchestration.lib.text import printable


class Problem(Exception):
    """What keeps a run from succeeding until somebody mends it. Its text is the whole message, on one line.

    `is_transient`: it may go away within minutes without anybody's help, as a network failure does.
    """

    def __init__(self, what: str, cure: str | None = None, *, is_transient: bool = False) -> None:
        self.is_transient = is_transient
        super().__init__(printable(" ".join((f"{what}. {cure}" if cure else what).split())))


def says_disk_is_full(message: str) -> bool:
    """Whether a message of the system, of DuckDB or of SQLite says that nothing more can be written."""
    signs = ("No space left on device", "Disk quota exceeded", "File too large", "disk is full", "disk I/O error")
    return any(sign in message for sign in signs)


def disk_is_full(place: object, message: str) -> Problem:
    """The problem that `place` lies on a disk where nothing more can be written."""
    return Problem(
        f"The disk that holds {place} is full ({message})",
        "Free space or point CONTACT_REPORTS_DATA to a larger disk, and run again: nothing is lost",
    )


def says_memory_is_short(message: str) -> bool:
    """Whether a message of Python, of the system, or of DuckDB, says that there is no memory left."""
    signs = (
        "Out of Memory Error",
        "failed to allocate",
        "Cannot allocate memory",
        "can't start new thread",
        "bad_alloc",
    )
    return not says_disk_is_full(message) and any(sign in message for sign in signs)


def memory_is_short(message: str) -> Problem:
    """The problem that a run needs more memory than it gets."""
    return Problem(
        f"There is not enough memory ({message})",
        "Give the machine more memory, raise CONTACT_REPORTS_MEMORY_LIMIT where it is set, or free disk space below "
        "the data folder, where DuckDB spills to, and run again",
    )


def problem_of_signal(what: str, return_code: int) -> Problem:
    """The problem that a signal ended a child process. The kernel sends SIGKILL when memory is short."""
    if return_code == -signal.SIGKILL:
        return memory_is_short(f"{what} was killed")
    ended = signal.Signals(-return_code).name
    return Problem(f"{what} was ended by {ended}", "Nothing is lost, and what is published is untouched: run again")


def first_line(error: BaseException) -> str:
    return (str(error).strip() or repr(error)).splitlines()[0]
