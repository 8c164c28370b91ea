"""The column names that a file may have, by which its separator or its sheet is recognised. What they mean is in the
models."""

import csv
from collections.abc import Callable
from functools import cache

from orchestration.lib.extraction.spelling import SPELLINGS, header_spelling
from orchestration.lib.landing.kinds import Kind
from orchestration.lib.settings import PROJECT_ROOT


def known_names(kind: Kind) -> tuple[frozenset[str], str]:
    """The names that files of a kind may have, in one spelling, and which one of SPELLINGS that is."""
    if kind.is_export:
        return _names_of_exports(kind.name), "header_spelling"
    return frozenset(kind.columns.values()), "column_name"


def is_known_in(kind: Kind) -> Callable[[str], bool]:
    """A function that says whether files of a kind have a column of this name, as written in a header."""
    names, spelling = known_names(kind)
    spelled = SPELLINGS[spelling]
    return lambda name: spelled(name) in names


@cache
def _names_of_exports(kind: str) -> frozenset[str]:
    """The names of the seed `header_names` for a kind of file, in one spelling."""
    with open(PROJECT_ROOT / "seeds" / "header_names.csv", encoding="utf-8", newline="") as seed:
        return frozenset(header_spelling(row["header"]) for row in csv.DictReader(seed) if row["kind"] == kind)
