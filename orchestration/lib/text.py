"""Text that somebody else wrote, such as the name of a file, on its way to a terminal, a log or an alert."""

import io
import re

# Control characters, what turns the direction of writing, other line ends, and halves of surrogate pairs. With them a
# name could move the cursor, change colours, hide what stands beside it, or look like a line of its own.
_NOT_PRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    """The text on one line, with escapes such as `\\x1b` for what a terminal or a reader of logs would act upon."""
    return _NOT_PRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def counted(number: int, one: str, many: str) -> str:
    """A number with its noun: `1 batch`, `2,000 batches`."""
    return f"{number:,} {one if number == 1 else many}"


def printable_lines(text: str) -> str:
    """The same for a text whose line ends are our own."""
    return "\n".join(map(printable, text.split("\n")))


class PrintableFile(io.TextIOWrapper):
    """A text file, or a log, that only gets what can be printed."""

    def write(self, text: str) -> int:
        super().write(printable_lines(text))
        return len(text)
