"""Why records are rejected (contract 4)."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Rejection:
    """Why a record does not count; a malformed record's detail is anybody's guess, and None here."""

    reason: str
    detail: str | None


def is_shortened(text: str | None) -> bool:
    """Whether a text is an id that a spreadsheet has shortened, as 1.76277E+15."""
    return text is not None and re.fullmatch(r"[0-9]([.,][0-9]+)?[eE][+][0-9]+", text) is not None
