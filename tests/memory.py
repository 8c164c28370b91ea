"""How much memory another process has."""

from pathlib import Path


def most_megabytes_of(pid: int) -> float:
    """The largest resident set that the process had since its program started. Zero if it ended.

    `wait4` does not tell this: it counts the memory of the process that the program was started from.
    """
    status = Path(f"/proc/{pid}/status").read_text()
    return sum(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024
