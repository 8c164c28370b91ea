"""Formats of numbers, dates and times in English and French."""

from datetime import date, datetime, timedelta
from functools import lru_cache

from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal

_LOCALES = {"en": "en_GB", "fr": "fr_FR"}


class Formats:
    """Formats of one language."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._locale = _LOCALES[language]
        self._percent_sign = " %" if language == "fr" else "%"
        self._day = "j" if language == "fr" else "d"

    @property
    def colon(self) -> str:
        """The separator between a label and its value. French has a no-break space before the colon."""
        return "\u00a0: " if self.language == "fr" else ": "

    def number(self, value: int) -> str:
        """A whole number: 48,112."""
        return _decimal(value, "#,##0", self._locale)

    def signed(self, value: int) -> str:
        """A whole number with its sign, a true minus: +12, −3."""
        return _decimal(value, "+#,##0;−#,##0", self._locale) if value else "0"

    def percent(self, value: float) -> str:
        """A percentage of 0 to 100 with one decimal: 12.5%."""
        return _decimal(round(value, 1), "#,##0.0", self._locale) + self._percent_sign

    def signed_percent(self, value: float) -> str:
        """A percentage of change, with its sign: +12.5%."""
        return _decimal(round(value, 1), "+#,##0.0;−#,##0.0", self._locale) + self._percent_sign

    def hours(self, value: float) -> str:
        """A duration, given in hours, in the largest fitting unit: seconds, minutes, hours, or days from 48 hours."""
        for unit, length, least in ((self._day, 24.0, 48.0), ("h", 1.0, 1.0), ("min", 1 / 60, 1 / 60)):
            if abs(value) >= least:
                return f"{_decimal(round(value / length, 1), '#,##0.0;−#,##0.0', self._locale)} {unit}"
        return f"{_decimal(round(value * 3600), '#,##0;−#,##0', self._locale)} s"

    def day(self, value: date) -> str:
        """A date: 24 Nov 2026."""
        return _date(value, "d MMM y", self._locale)

    def days(self, start: date, end: date) -> str:
        """A range of dates, without repeating the month or year: 24 – 30 Nov 2026."""
        if start == end:
            return self.day(start)
        pattern = "d" if (start.year, start.month) == (end.year, end.month) else "d MMM"
        if start.year != end.year:
            pattern = "d MMM y"
        return f"{_date(start, pattern, self._locale)} – {self.day(end)}"

    def month(self, value: date) -> str:
        """A month: November 2026."""
        return _date(value, "MMMM y", self._locale)

    def instant(self, value: datetime) -> str:
        """A local time: 24 Nov 2026, 08:15."""
        return str(format_datetime(value, "d MMM y, HH:mm", locale=self._locale))

    def second(self, value: datetime) -> str:
        """A local time in a log: 2026-11-24 08:15:34."""
        return value.strftime("%Y-%m-%d %H:%M:%S")

    def period(self, start: date, frequency: str) -> str:
        """A period on the axis of a chart: 24 Nov."""
        return _date(start, "MMM y" if frequency == "month" else "d MMM", self._locale)

    def long_period(self, start: date, frequency: str, first: date, last: date) -> str:
        """A period in full: Tuesday 24 November 2026. `first` and `last` are its days in the range."""
        if frequency == "day":
            return _date(start, "EEEE d MMMM y", self._locale)
        if frequency == "month" and first.day == 1 and (last + timedelta(days=1)).day == 1:
            return self.month(start)
        return self.days(first, last)


@lru_cache(10_000)
def _decimal(value: float, pattern: str, locale: str) -> str:
    return str(format_decimal(value, pattern, locale=locale))


@lru_cache(10_000)
def _date(value: date, pattern: str, locale: str) -> str:
    return str(format_date(value, pattern, locale=locale))
