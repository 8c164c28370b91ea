"""One spelling of a column's name, by which names are compared."""

import unicodedata


def column_name(name: str) -> str:
    """One spelling of a column's name in files that are not exports.

    Case does not count, nor do white space and invisible characters around the name.
    """
    return "".join(character for character in name if unicodedata.category(character) != "Cf").strip().lower()


def header_spelling(name: str) -> str:
    """One spelling of a column's name in exports, as the macro `header_spelling`: letters and digits, without case and
    accents."""
    return "".join(character for character in unicodedata.normalize("NFD", name).lower() if character.isalnum())


SPELLINGS = {"column_name": column_name, "header_spelling": header_spelling}
