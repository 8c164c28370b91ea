"""Counts by source or channel, in descending order. The largest have a colour each, the rest share one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from page.catalog import Component
from page.filters import Filters, channel_value
from page.publication import Reader, Row
from page.view import View

# More colours cannot be told apart. Sources or channels beyond this number are shown as one group.
_COLORS = 8


@dataclass(frozen=True)
class Counted:
    """The count of a source or channel in one period."""

    key: str
    label: str
    count: int
    percentage: float
    period: date


@dataclass(frozen=True)
class Group:
    """A source or channel with its own colour, or the rest as one group."""

    keys: Sequence[str]
    label: str
    color: int
    count: int
    percentage: float


@dataclass(frozen=True)
class Dimension:
    """The dimension of a breakdown: source or channel."""

    key_of: Callable[[Row], str]
    label_of: Callable[[Row], str]
    filtered: Callable[[Filters, Sequence[str]], Filters]  # the filters with only these values
    count: str  # the column of the counts

    def counts(self, rows: Sequence[Row]) -> list[Counted]:
        """The rows of a report in descending order of their counts."""
        counts = [
            Counted(self.key_of(row), self.label_of(row), row[self.count], row["percentage"], row["period_start"])
            for row in rows
        ]
        return sorted(counts, key=lambda counted: (-counted.count, counted.label, counted.key))


def dimension_of(view: View, component: Component) -> Dimension | None:
    """The dimension of a component, found by the columns of its view; None if it has none."""
    columns = view.reader.once_per_publication(
        f"columns of {component.view}", lambda reader: _columns(reader, component.view)
    )
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
    """The largest sources or channels, with a colour each. If there are more than colours, the rest is one group."""
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
