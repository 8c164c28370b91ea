"""What a component of the report shows: numbers, lists, charts, tables and previews of logs, formatted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from page.calls import Call
from page.charts import BarChart, Donut
from page.filters import Filters
from page.publication import Row


@dataclass(frozen=True)
class Change:
    """The change of a number from an earlier range."""

    text: str
    direction: str  # up, down or same
    before: str
    days_before: str
    note: str | None = None  # why the ranges are not fully comparable


@dataclass(frozen=True)
class Metric:
    """A number with its change."""

    label: str
    value: str
    href: str | None
    change: Change


@dataclass(frozen=True)
class Entry:
    """One line of a list by source or channel."""

    label: str
    count: str
    percent: str
    share: float  # 0 to 100
    href: str | None


@dataclass(frozen=True)
class Breakdown:
    """A number with its list by source or channel."""

    metric: Metric
    entries: Sequence[Entry]


@dataclass(frozen=True)
class Table:
    """The numbers of a chart as a table."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Chart:
    """A bar chart and its numbers."""

    chart: BarChart
    table: Table


@dataclass(frozen=True)
class LogPreview:
    """The newest rows of a log, and how many there are."""

    event_type: str
    total: int
    rows: Sequence[Row]


Body = Metric | Breakdown | Chart | Donut | LogPreview


@dataclass(frozen=True)
class Shown:
    """A component with its state. On the report it has a body if the state is `ok`."""

    key: str
    kind: str
    block: str
    title: str
    state: str
    reason: str | None
    begins_on: date | None
    call: Call
    filters: Filters  # those of the call
    body: Body | None


# The filters of a component's call, the call, and a function that reads the rows and returns the body.
Kind = tuple[Filters, Call, Callable[[], Body]]
