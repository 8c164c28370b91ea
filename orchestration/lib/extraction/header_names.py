"""The column names that a file may have, by which its separator is recognised. The models say what they mean."""

import csv
import unicodedata
from collections.abc import Callable
from functools import cache

from orchestration.lib.raw_zone.zone import RecordTable, column_name
from orchestration.lib.settings import PROJECT_ROOT


def is_known_in(table: RecordTable) -> Callable[[str], bool]:
    """What says of a name in a header, as it is written, whether the files of a table have such a column."""
    if table.is_export:
        known = _names_of_exports(table.name)
        return lambda name: _spelling(name) in known
    names = frozenset(table.fields.values())
    return lambda name: column_name(name) in names


@cache
def _names_of_exports(kind: str) -> frozenset[str]:
    """The names of the seed `header_names` for a kind of file, in one spelling."""
    with open(PROJECT_ROOT / "seeds" / "header_names.csv", encoding="utf-8", newline="") as seed:
        return frozenset(_spelling(row["header"]) for row in csv.DictReader(seed) if row["kind"] == kind)


def _spelling(name: str) -> str:
    """As the macro `header_spelling`: letters and digits, without case and accents."""
    return "".join(character for character in unicodedata.normalize("NFD", name).lower() if character.isalnum())
