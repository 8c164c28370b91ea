"""The filters of a request: parsed from its query string, validated, and written to a short address (contract 7)."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from page.catalog import ENGLISH, FRENCH, Catalog
from page.publication import Reader
from page.texts import Sentence

DEFAULT_RANGE = "last_7_days"
DEFAULT_COMPARISON = "preceding"
LANGUAGES = (ENGLISH, FRENCH)
THEMES = ("light", "dark")

# The value of `channel` for events without a known channel. In `channel_ids` it is NULL. If the id of a channel equals
# this value, or begins with the prefix, the prefix is put before it.
_UNKNOWN_CHANNEL, _PREFIX = "unknown", "id:"

# An event before 2000 is rejected (contract 4).
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2100, 12, 31)
_MOST_VALUES = 500
_LONGEST_VALUE = 200
_LARGEST_ID = 2**63 - 1


class Refused(Exception):
    """An invalid parameter: its name, the problem, and the allowed values if they can be listed.

    `problem` is the key of a text without its prefix, `values` are the values that the text has.
    """

    def __init__(self, parameter: str, problem: str, allowed: Iterable[str] | None = None, **values: object) -> None:
        self.parameter, self.message = parameter, Sentence(f"invalid_{problem}", values)
        super().__init__(f"{parameter}: {self.message.text(ENGLISH)}")
        self.allowed = None if allowed is None else list(allowed)


@dataclass(frozen=True)
class Filters:
    """The filters of a request. Dates are days in the time zone of each event's workspace."""

    workspace: str | None  # None: all workspaces together
    date_range: str | None  # the preset of `start` and `end`, if any
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
        """The filters that are set, besides the dates, by their names in `reports.report_filters`."""
        is_set = {
            "channel": self.channels,
            "user": self.users,
            "source": self.sources,
            "contact": self.contacts or self.contact_name,
        }
        return [name for name, values in is_set.items() if values]

    def arguments(self, parameters: Collection[str]) -> dict[str, Any]:
        """The arguments for a table function with these parameters. Filters that are not set are left out."""
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
        """The filters by the names of the query parameters, with defaults filled in."""
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
        """The same filters on the days from `first` to `last` that are in the range."""
        return replace(self, date_range=None, start=max(self.start, first), end=min(self.end, last))


def channel_value(channel_id: str | None) -> str:
    """The value of the parameter `channel` for a channel id; None is the unknown channel."""
    if channel_id is None:
        return _UNKNOWN_CHANNEL
    return _PREFIX + channel_id if channel_id == _UNKNOWN_CHANNEL or channel_id.startswith(_PREFIX) else channel_id


def _channel_id(value: str) -> str | None:
    return None if value == _UNKNOWN_CHANNEL else value.removeprefix(_PREFIX)


def address(path: str, filters: Filters, default_workspace: str | None = None, **more: str | int | None) -> str:
    """The shortest address of a page or endpoint with these filters. `more` are other parameters; None is left out."""
    days: list[tuple[str, Any]] = (
        [("date_range", None if filters.date_range == DEFAULT_RANGE else filters.date_range)]
        if filters.date_range
        else [("from", filters.start.isoformat()), ("to", filters.end.isoformat())]
    )
    pairs: list[tuple[str, Any]] = [
        ("workspace", None if filters.workspace == default_workspace else filters.workspace),
        *days,
        ("frequency", filters.frequency if filters.is_frequency_chosen else None),
        ("channel", filters.channels or None),
        ("user", filters.users or None),
        ("source", filters.sources or None),
        ("contact", filters.contacts or None),
        ("contact_name", filters.contact_name or None),
        ("compared_with", None if filters.compared_with == DEFAULT_COMPARISON else filters.compared_with),
        ("lang", None if filters.language == ENGLISH else filters.language),
        ("theme", filters.theme),
        *more.items(),
    ]
    query = "&".join(_encoded(name, value) for name, value in pairs if value is not None)
    return f"{path}?{query}" if query else path


@lru_cache(500)
def _encoded(name: str, value: str | int | tuple[str | int, ...]) -> str:
    # Cached: a page has some 700 addresses with mostly the same parameters. This saves 42 of 62 ms, and seconds where a
    # filter has hundreds of values. An entry has up to 100 kB.
    return urlencode([(name, value)], doseq=True)


class Asked:
    """The query parameters of a request. Each is read once. Parameters that no code reads are unknown."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            # An empty value counts as absent, because a form sends all of its fields.
            if value.strip():
                self._values.setdefault(name, []).append(value)
        self._names = dict.fromkeys(name for name, _ in pairs)
        self._read: list[str] = []

    def several(self, name: str, longest: int = _LONGEST_VALUE) -> tuple[str, ...]:
        """The distinct values of a parameter that may be repeated. Raises Refused."""
        self._read.append(name)
        values = tuple(dict.fromkeys(self._values.get(name, ())))
        if len(values) > _MOST_VALUES:
            raise Refused(name, "number_of_values", number=len(values), most=_MOST_VALUES)
        for value in values:
            if len(value) > longest or "\0" in value:
                raise Refused(name, "length", length=len(value), longest=longest)
        return values

    def one(self, name: str, longest: int = _LONGEST_VALUE) -> str | None:
        """The value of a parameter; None if it is absent. Raises Refused."""
        values = self.several(name, longest)
        if len(values) > 1:
            raise Refused(name, "several")
        return values[0] if values else None

    def one_of(self, name: str, allowed: Collection[str]) -> str | None:
        """The value of a parameter with a fixed list of values; None if it is absent. Raises Refused."""
        value = self.one(name)
        if value is not None and value not in allowed:
            raise Refused(name, "unknown_value", allowed, value=value)
        return value

    def number(self, name: str, default: int, most: int) -> int:
        """An integer from 1 to `most`. Raises Refused."""
        value = self.one(name)
        if value is None:
            return default
        if not re.fullmatch("[0-9]{1,12}", value) or not 1 <= int(value) <= most:
            raise Refused(name, "number", value=value, most=most)
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
            raise Refused(name, "date", value=value) from None
        if not FIRST_DAY <= day <= LAST_DAY:
            raise Refused(name, "day", value=value, first=FIRST_DAY, last=LAST_DAY)
        return day

    def finish(self) -> None:
        """Raise Refused if a parameter was not read: it is unknown."""
        for name in self._names:
            if name not in self._read:
                raise Refused(name[:_LONGEST_VALUE], "unknown_parameter", self._read)


def read_filters(
    asked: Asked,
    catalog: Catalog,
    reader: Reader,
    *,
    default_workspace: str | None = None,
    default_frequency: Callable[[date, date], str] = lambda start, end: "day",
) -> Filters:
    """Parse and validate the filters of a request. Raises Refused."""
    workspace = asked.one_of("workspace", catalog.workspaces) or default_workspace
    start, end, date_range = _dates(asked, catalog, reader, workspace)
    frequency = asked.one_of("frequency", catalog.keys("frequency"))
    sources = asked.several("source")
    known_sources = catalog.keys("source")
    for source in sources:
        if source not in known_sources:
            raise Refused("source", "unknown_value", known_sources, value=source)
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
            raise Refused("date_range", "two_ranges")
        if not start or not end:
            raise Refused("to" if start else "from", "one_day")
        if start > end:
            raise Refused("from", "order", start=start, end=end)
        return start, end, None
    if workspace is None:
        raise Refused("workspace", "no_workspace", catalog.workspaces)
    date_range = date_range or DEFAULT_RANGE
    return *presets(reader, workspace)[date_range], date_range


def presets(reader: Reader, workspace: str) -> Mapping[str, tuple[date, date]]:
    """The first and the last day of each preset now, in the time zone of a workspace."""

    def read(reader: Reader) -> dict[str, tuple[date, date]]:
        rows = reader.rows("from reports.date_ranges where workspace_id = ?", [workspace])
        return {row["date_range"]: (row["start_date"], row["end_date"]) for row in rows}

    return reader.once(f"presets {workspace}", read)


def _contact_id(value: str) -> int:
    if not re.fullmatch("[0-9]{1,30}", value) or not 0 < int(value) <= _LARGEST_ID:
        raise Refused("contact", "contact", value=value)
    return int(value)


def refuse_inapplicable(
    filters: Filters, applicable: Collection[str], reasons: Mapping[str, Mapping[str, str]]
) -> None:
    """Raise Refused if a filter is set that does not apply to the report."""
    for name in filters.given:
        if name not in applicable:
            reason = reasons.get(name, {}).get(filters.language, "The filter does not apply here")
            raise Refused(name, "not_applicable", reason=reason)
