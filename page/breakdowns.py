"""Counts by source or channel: the largest first, each of the largest with a colour of its own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from page.catalog import Component
from page.filters import Filters, channel_value
from page.publication import Reader, Row
from page.view import View

# Colours that can be told apart. What is beyond them is shown together.
_COLORS = 8


@dataclass(frozen=True)
class Counted:
    """A source or channel, and its contacts in one period."""

    key: str
    label: str
    count: int
    percentage: float
    period: date


@dataclass(frozen=True)
class Group:
    """A source or channel with a colour of its own, or all those that have none."""

    keys: Sequence[str]
    label: str
    color: int
    count: int
    percentage: float


@dataclass(frozen=True)
class Dimension:
    """What a report breaks its counts down by."""

    key_of: Callable[[Row], str]
    label_of: Callable[[Row], str]
    filtered: Callable[[Filters, Sequence[str]], Filters]  # the filters of some of its values
    count: str  # the column

    def counts(self, rows: Sequence[Row]) -> list[Counted]:
        """The rows of a report, the largest first."""
        counts = [
            Counted(self.key_of(row), self.label_of(row), row[self.count], row["percentage"], row["period_start"])
            for row in rows
        ]
        return sorted(counts, key=lambda counted: (-counted.count, counted.label, counted.key))


def dimension_of(view: View, component: Component) -> Dimension | None:
    """The dimension of a component's report, None if it has none. The columns of its view say which it is."""
    columns = view.reader.once(f"columns of {component.view}", lambda reader: _columns(reader, component.view))
    count = f"contacts_{component.event_types[0]}"
    if "channel_id" in columns:
        return Dimension(
            lambda row: channel_value(row["channel_id"]),
            lambda row: str(view.channel_name(row)),
            lambda filters, keys: replace(filters, channels=tuple(keys)),
            count,
        )
    if "source" in columns:
        return Dimension(
            lambda row: str(row["source"]),
            lambda row: view.label("source", row["source"]),
            lambda filters, keys: replace(filters, sources=tuple(keys)),
            count,
        )
    return None


def grouped(counts: Sequence[Counted], others: str) -> list[Group]:
    """The largest with a colour each. If there are more than colours, the rest is one group."""
    alone = counts if len(counts) <= _COLORS else counts[: _COLORS - 1]
    rest = counts[len(alone) :]
    groups = [
        Group([counted.key], counted.label, color, counted.count, counted.percentage)
        for color, counted in enumerate(alone, start=1)
    ]
    if rest:
        count, percentage = sum(one.count for one in rest), sum(one.percentage for one in rest)
        groups.append(Group([one.key for one in rest], others, 0, count, percentage))
    return groups


def _columns(reader: Reader, name: str) -> list[str]:
    return [row["column_name"] for row in reader.rows(f"describe {name}")]
