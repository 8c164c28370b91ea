"""How names are searched in PostgreSQL: plain letters, as in the file (contract 6).

PostgreSQL decomposes letters and knows lower case. What case folding does beyond that comes from Python's Unicode data.
"""

import sys
import unicodedata
from functools import cache

from orchestration.lib.sql import sql_name, sql_text
from publications.postgres.connection import Session

_STROKES = {"ł": "l", "ø": "o", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe"}
# Collations whose lower case knows all of Unicode.
_COLLATIONS = ("unicode", "und-x-icu", "pg_unicode_fast", "pg_c_utf8", "C.utf8", "C.UTF-8", "en_US.utf8", "en_US.UTF-8")
# A PostgreSQL that was built without ICU lists its collations, and cannot use them.
_USABLE = """
    select collname from pg_catalog.pg_collation
    where collencoding in (-1, 6) and (collprovider <> 'i' or pg_collation_actual_version(oid) is not null)"""
# The one mark below U+0370 that becomes a letter.
_IOTA_BELOW = "\u0345"


def body(session: Session) -> str:
    """The body of a function of PostgreSQL that brings the text `$1` to plain letters."""
    found = {name for (name,) in session.query(_USABLE)}
    collation = next((name for name in _COLLATIONS if name in found), "default")
    singles, several = _beyond_lower_case()
    # Decomposed; case and marks aside.
    text = f"replace(normalize($1, nfd), '{_IOTA_BELOW}', 'ι')"
    text = f"lower(regexp_replace({text}, '[\u0300-\u036f]', '', 'g') collate pg_catalog.{sql_name(collation)})"
    text = f"translate({text}, {sql_text(''.join(singles))}, {sql_text(''.join(singles.values()))})"
    for letter, letters in several.items():
        text = f"replace({text}, {sql_text(letter)}, {sql_text(letters)})"
    return f"select case when octet_length($1) = length($1) then lower($1) else {text} end"


@cache
def _beyond_lower_case() -> tuple[dict[str, str], dict[str, str]]:
    """The lower-case letters that are folded further: into one letter, and into several."""
    singles: dict[str, str] = {}
    several: dict[str, str] = {}
    for code in range(0x80, sys.maxunicode + 1):
        letter = chr(code)
        if unicodedata.category(letter) in ("Cn", "Co", "Cs") or 0x300 <= code < 0x370:
            continue
        if unicodedata.normalize("NFD", letter) != letter or letter.lower() != letter:
            continue
        plain = "".join(
            _STROKES.get(part, part)
            for part in unicodedata.normalize("NFD", letter.casefold())
            if not 0x300 <= ord(part) < 0x370
        )
        # Cherokee folds to its capitals; either stands for both.
        if plain != letter and plain.lower() != letter:
            (singles if len(plain) == 1 else several)[letter] = plain
    return singles, several
