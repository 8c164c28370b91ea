"""The calendar periods of a range: days, weeks from Monday, months, or the whole range."""

from datetime import date, timedelta

# More bars are hard to read. Longer ranges are grouped by week, then by month.
_MOST_DAYS = 45
_MOST_WEEKS = 60
# A page with more periods is too large to be useful.
MOST_PERIODS = 400


def default_frequency(start: date, end: date) -> str:
    """The default frequency of a range."""
    days = (end - start).days + 1
    if days <= _MOST_DAYS:
        return "day"
    return "week" if days <= 7 * _MOST_WEEKS else "month"


def period_end(start: date, frequency: str, range_end: date) -> date:
    """The last day of the period that begins on a day."""
    match frequency:
        case "day":
            return start
        case "week":
            return start + timedelta(days=6)
        case "month":
            return (start.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    return range_end


def period_starts(start: date, end: date, frequency: str) -> list[date]:
    """The first days of the calendar periods of a range. The first period may begin before the range."""
    match frequency:
        case "week":
            first = start - timedelta(days=start.weekday())
        case "month":
            first = start.replace(day=1)
        case _:
            first = start
    starts = [first]
    while (following := period_end(starts[-1], frequency, end) + timedelta(days=1)) <= end:
        starts.append(following)
    return starts
