"""The text that a cell of a spreadsheet means: what a CSV file of the same rows would have."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal

Cell = str | float | bool | date | time | timedelta  # int is a float, datetime a date

# A cell's number is a double. It is exact for every integer below 2^53.
_EXACT_BELOW = 2**53
# Excel keeps 15 digits of a number that is typed or opened, and writes zeros for the rest.
_DIGITS_OF_EXCEL = 15


def texts_of(cells: Sequence[Cell], columns_with_times: frozenset[int]) -> list[str]:
    """The texts of a row. `columns_with_times` are the columns whose dates have a time somewhere."""
    return [
        cell if type(cell) is str else _text(cell, is_instant=column in columns_with_times)
        for column, cell in enumerate(cells)
    ]


def _text(cell: Cell, *, is_instant: bool) -> str:
    # The order matters: a bool is an int, and a datetime is a date.
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float | int):
        return number_text(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(" ", "milliseconds" if cell.microsecond else "seconds")
    if isinstance(cell, date):
        # The reader gives a date for midnight, too.
        return f"{cell.isoformat()} 00:00:00" if is_instant else cell.isoformat()
    if isinstance(cell, timedelta):
        return _duration_text(cell)
    return cell if isinstance(cell, str) else cell.isoformat("milliseconds" if cell.microsecond else "seconds")


def number_text(number: float) -> str:
    """A number as digits, without an exponent.

    An integer that may have lost digits gets the scientific notation of spreadsheets, by which ids are rejected
    (contract 4, `invalid_event_id`): one from 2^53 on, and one of more than 15 digits that ends in zero.
    """
    if number == int(number):
        whole = int(number)
        if abs(whole) < 10**_DIGITS_OF_EXCEL or (abs(whole) < _EXACT_BELOW and whole % 10):
            return str(whole)
        digits, exponent = f"{number:.{_DIGITS_OF_EXCEL - 1}E}".split("E")
        return f"{digits.rstrip('0').rstrip('.')}E{exponent}"
    # Spreadsheets show 15 digits: 0.3, where the sum 0.1 + 0.2 is 0.30000000000000004.
    return format(Decimal(f"{number:.{_DIGITS_OF_EXCEL}g}"), "f")


def _duration_text(duration: timedelta) -> str:
    """Hours, which may be more than 24, minutes and seconds."""
    sign, seconds = ("-", -duration) if duration < timedelta() else ("", duration)
    minutes, rest = divmod(int(seconds.total_seconds()), 60)
    return f"{sign}{minutes // 60}:{minutes % 60:02}:{rest:02}"
