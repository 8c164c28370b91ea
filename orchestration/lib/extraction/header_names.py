"""The column names that a file may have, by which its separator is recognised. What they mean is in the models."""

import csv
import unicodedata
from collections.abc import Callable
from functools import cache

from orchestration.lib.landing.kinds import Kind
from orchestration.lib.settings import PROJECT_ROOT


def column_name(name: str) -> str:
    """One spelling of a column's name in files that are not exports.

    Case does not count, nor do white space and invisible characters around the name.
    """
    return "".join(character for character in name if unicodedata.category(character) != "Cf").strip().lower()


def is_known_in(kind: Kind) -> Callable[[str], bool]:
    """A function that says whether files of a kind have a column of this name, as written in a header."""
    if kind.is_export:
        known = _names_of_exports(kind.name)
        return lambda name: _header_spelling(name) in known
    names = frozenset(kind.columns.values())
    return lambda name: column_name(name) in names


@cache
def _names_of_exports(kind: str) -> frozenset[str]:
    """The names of the seed `header_names` for a kind of file, in one spelling."""
    with open(PROJECT_ROOT / "seeds" / "header_names.csv", encoding="utf-8", newline="") as seed:
        return frozenset(_header_spelling(row["header"]) for row in csv.DictReader(seed) if row["kind"] == kind)


def _header_spelling(name: str) -> str:
    """As the macro `header_spelling`: letters and digits, without case and accents."""
    return "".join(character for character in unicodedata.normalize("NFD", name).lower() if character.isalnum())
