"""The filters of a request: read from its address, checked, and written back into a short one (contract 7)."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from page.catalog import ENGLISH, FRENCH, Catalog
from page.publication import Reader

DEFAULT_RANGE = "last_7_days"
DEFAULT_COMPARISON = "preceding"
LANGUAGES = (ENGLISH, FRENCH)
THEMES = ("light", "dark")

# The value of `channel` for what has no known channel. In the reports it is a NULL in the list. A channel whose id is
# this very text, or begins with the prefix, is written with the prefix.
_UNKNOWN_CHANNEL, _PREFIX = "unknown", "id:"

# An event before 2000 is rejected (contract 4).
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2100, 12, 31)
_MOST_VALUES = 500
_LONGEST_VALUE = 200
_LARGEST_ID = 2**63 - 1


class Refused(Exception):
    """A parameter that cannot be understood: its name, what is wrong, and the allowed values if they can be listed."""

    def __init__(self, parameter: str, message: str, allowed: Iterable[str] | None = None) -> None:
        super().__init__(f"{parameter}: {message}")
        self.parameter, self.message = parameter, message
        self.allowed = None if allowed is None else list(allowed)


@dataclass(frozen=True)
class Filters:
    """What is asked for. Dates are days in the zone of each event's workspace."""

    workspace: str | None  # None: all together
    date_range: str | None  # the preset that `start` and `end` come from
    start: date
    end: date
    frequency: str
    is_frequency_chosen: bool
    channels: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    contacts: tuple[int, ...] = ()
    contact_name: str = ""
    compared_with: str = DEFAULT_COMPARISON
    language: str = ENGLISH
    theme: str | None = None

    @property
    def given(self) -> list[str]:
        """The filters that are set, by their names in `reports.report_filters`; the dates always are."""
        is_set = {
            "channel": self.channels,
            "user": self.users,
            "source": self.sources,
            "contact": self.contacts or self.contact_name,
        }
        return [name for name, values in is_set.items() if values]

    def arguments(self, parameters: Collection[str]) -> dict[str, Any]:
        """The arguments of a report that has these parameters. A filter that is not set is left out."""
        values: dict[str, Any] = {
            "start_date": self.start,
            "end_date": self.end,
            "frequency": self.frequency,
            "workspace_id": self.workspace,
            "user_ids": list(self.users) or None,
            "sources": list(self.sources) or None,
            "contact_ids": list(self.contacts) or None,
            "channel_ids": [_channel_id(channel) for channel in self.channels] or None,
            "contact_name": self.contact_name or None,
            "compared_with": self.compared_with,
        }
        return {name: value for name, value in values.items() if name in parameters and value is not None}

    def described(self) -> dict[str, Any]:
        """The filters as understood, by the names of the parameters."""
        return {
            "workspace": self.workspace,
            "date_range": self.date_range,
            "from": self.start,
            "to": self.end,
            "frequency": self.frequency,
            "channel": list(self.channels),
            "user": list(self.users),
            "source": list(self.sources),
            "contact": list(self.contacts),
            "contact_name": self.contact_name or None,
            "compared_with": self.compared_with,
        }

    def on(self, first: date, last: date) -> "Filters":
        """The same filters on those days of a period that are in the range."""
        return replace(self, date_range=None, start=max(self.start, first), end=min(self.end, last))


def channel_value(channel_id: str | None) -> str:
    """The value of `channel` for a channel, None being the unknown one."""
    if channel_id is None:
        return _UNKNOWN_CHANNEL
    return _PREFIX + channel_id if channel_id == _UNKNOWN_CHANNEL or channel_id.startswith(_PREFIX) else channel_id


def _channel_id(value: str) -> str | None:
    return None if value == _UNKNOWN_CHANNEL else value.removeprefix(_PREFIX)


def address(path: str, filters: Filters, default_workspace: str | None = None, **more: str | int | None) -> str:
    """The shortest address of a page or a report with these filters, and more parameters, None left out."""
    days: list[tuple[str, Any]] = (
        [("date_range", None if filters.date_range == DEFAULT_RANGE else filters.date_range)]
        if filters.date_range
        else [("from", filters.start.isoformat()), ("to", filters.end.isoformat())]
    )
    pairs: list[tuple[str, Any]] = [
        ("workspace", None if filters.workspace == default_workspace else filters.workspace),
        *days,
        ("frequency", filters.frequency if filters.is_frequency_chosen else None),
        *(("channel", channel) for channel in filters.channels),
        *(("user", user) for user in filters.users),
        *(("source", source) for source in filters.sources),
        *(("contact", contact) for contact in filters.contacts),
        ("contact_name", filters.contact_name or None),
        ("compared_with", None if filters.compared_with == DEFAULT_COMPARISON else filters.compared_with),
        ("lang", None if filters.language == ENGLISH else filters.language),
        ("theme", filters.theme),
        *more.items(),
    ]
    query = "&".join(_encoded(name, value) for name, value in pairs if value is not None)
    return f"{path}?{query}" if query else path


@lru_cache(10_000)
def _encoded(name: str, value: str | int) -> str:
    # A page has some 700 addresses, most of which have most of their parameters in common: 62 against 20 ms.
    return urlencode([(name, value)])


class Asked:
    """The parameters of an address. Each is read once; what is left over is not known."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            # An empty value is absent: a form sends all of its fields.
            if value.strip():
                self._values.setdefault(name, []).append(value)
        self._names = dict.fromkeys(name for name, _ in pairs)
        self._read: list[str] = []

    def several(self, name: str, longest: int = _LONGEST_VALUE) -> tuple[str, ...]:
        """The different values of a parameter that may be repeated. Raises Refused."""
        self._read.append(name)
        values = tuple(dict.fromkeys(self._values.get(name, ())))
        if len(values) > _MOST_VALUES:
            raise Refused(name, f"has {len(values)} values. At most {_MOST_VALUES} are possible")
        for value in values:
            if len(value) > longest or "\0" in value:
                raise Refused(name, f"has a value of {len(value)} characters. It has at most {longest}, none NUL")
        return values

    def one(self, name: str, longest: int = _LONGEST_VALUE) -> str | None:
        """The value of a parameter, None without one. Raises Refused."""
        values = self.several(name, longest)
        if len(values) > 1:
            raise Refused(name, "has more than one value")
        return values[0] if values else None

    def one_of(self, name: str, allowed: Collection[str]) -> str | None:
        """The same for a parameter with a closed list of values."""
        value = self.one(name)
        if value is not None and value not in allowed:
            raise Refused(name, f"{value!r} is not known", allowed)
        return value

    def number(self, name: str, default: int, most: int) -> int:
        """A whole number from 1. Raises Refused."""
        value = self.one(name)
        if value is None:
            return default
        if not re.fullmatch("[0-9]{1,12}", value) or not 1 <= int(value) <= most:
            raise Refused(name, f"{value!r} is not a number from 1 to {most}")
        return int(value)

    def day(self, name: str) -> date | None:
        """A date. Raises Refused."""
        value = self.one(name)
        if value is None:
            return None
        try:
            if not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
                raise ValueError
            day = date.fromisoformat(value)
        except ValueError:
            raise Refused(name, f"{value!r} is not a date such as 2026-01-31") from None
        if not FIRST_DAY <= day <= LAST_DAY:
            raise Refused(name, f"{value} is not between {FIRST_DAY} and {LAST_DAY}")
        return day

    def finish(self) -> None:
        """Raise Refused if the address has a parameter that was not read, which is an unknown one."""
        for name in self._names:
            if name not in self._read:
                raise Refused(name[:_LONGEST_VALUE], "is not a parameter here", self._read)


def read_filters(
    asked: Asked,
    catalog: Catalog,
    reader: Reader,
    *,
    default_workspace: str | None = None,
    default_frequency: Callable[[date, date], str] = lambda start, end: "day",
) -> Filters:
    """The filters of an address. Raises Refused."""
    workspace = asked.one_of("workspace", catalog.workspaces) or default_workspace
    start, end, date_range = _dates(asked, catalog, reader, workspace)
    frequency = asked.one_of("frequency", catalog.keys("frequency"))
    sources = asked.several("source")
    known_sources = catalog.keys("source")
    for source in sources:
        if source not in known_sources:
            raise Refused("source", f"{source!r} is not known", known_sources)
    return Filters(
        workspace=workspace,
        date_range=date_range,
        start=start,
        end=end,
        frequency=frequency or default_frequency(start, end),
        is_frequency_chosen=frequency is not None,
        channels=asked.several("channel"),
        users=asked.several("user"),
        sources=sources,
        contacts=tuple(_contact_id(value) for value in asked.several("contact")),
        contact_name=asked.one("contact_name") or "",
        compared_with=asked.one_of("compared_with", catalog.keys("compared_with")) or DEFAULT_COMPARISON,
        language=asked.one_of("lang", LANGUAGES) or ENGLISH,
        theme=asked.one_of("theme", THEMES),
    )


def _dates(asked: Asked, catalog: Catalog, reader: Reader, workspace: str | None) -> tuple[date, date, str | None]:
    start, end = asked.day("from"), asked.day("to")
    date_range = asked.one_of("date_range", catalog.keys("date_range"))
    if start or end:
        if date_range:
            raise Refused("date_range", "is given together with from or to. Leave one of them out")
        if not start or not end:
            raise Refused("to" if start else "from", "is missing: give both the first and the last day")
        if start > end:
            raise Refused("from", f"{start} is after to, {end}. It must be the same day or earlier")
        return start, end, None
    if workspace is None:
        raise Refused(
            "workspace",
            "is missing: a date range needs a workspace, as today depends on its time zone. Give one, or from and to",
            catalog.workspaces,
        )
    date_range = date_range or DEFAULT_RANGE
    days = reader.rows(
        "select start_date, end_date from reports.date_ranges where workspace_id = ? and date_range = ?",
        [workspace, date_range],
    )[0]
    return days["start_date"], days["end_date"], date_range


def _contact_id(value: str) -> int:
    if not re.fullmatch("[0-9]{1,30}", value) or not 0 < int(value) <= _LARGEST_ID:
        raise Refused("contact", f"{value!r} is not the id of a contact, which is a positive whole number")
    return int(value)


def refuse_inapplicable(
    filters: Filters, applicable: Collection[str], reasons: Mapping[str, Mapping[str, str]]
) -> None:
    """Raise Refused where a filter is set that a report does not have."""
    for name in filters.given:
        if name not in applicable:
            reason = reasons.get(name, {}).get(filters.language, "The filter does not apply here")
            raise Refused(name, f"is not applicable here: {reason}")
