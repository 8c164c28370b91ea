"""The request of a page, as all its parts use it: filters, catalog, formats and texts."""

from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any

from orchestration.lib.export.files import FORMATS
from page.calls import Call
from page.catalog import ENGLISH, Catalog
from page.endpoints import address_of
from page.filters import DEFAULT_COMPARISON, DEFAULT_RANGE, Filters, address
from page.formats import Formats
from page.periods import default_frequency
from page.publication import Reader, Row
from page.texts import Texts
from page.trust import provisional_days

# What the values of a column are in `reports.report_labels`.
_SUBJECTS = {
    "source_label": "source",
    "channel_name": "channel",
    "certainty": "certainty",
    "reason": "superseding",
}

# A page has hundreds of links. With 500 values of a filter each link would be several kilobytes long.
_LONGEST_LINK = 2000


@dataclass(frozen=True)
class View:
    """A request for a page, on one publication. Dates are days in the time zone of the workspace."""

    reader: Reader
    catalog: Catalog
    filters: Filters
    default_workspace: str
    today: date
    formats: Formats
    text: Texts
    is_file: bool = False  # one self-contained file, without links

    @cached_property
    def provisional_days(self) -> frozenset[date]:
        """The provisional days of the range."""
        assert self.filters.workspace is not None
        days = provisional_days(self.reader, self.filters.workspace)
        return frozenset(day for day in days if self.filters.start <= day <= self.filters.end)

    def rows(self, call: Call) -> list[Row]:
        """The rows of a call, cached for each publication: several components and requests make the same call."""
        return self.reader.once(call.text(), call.rows)

    def call(self, function: str, **more: Any) -> Call:
        """A call of a table function with the filters of the request."""
        return self.call_under(self.filters, function, **more)

    def call_under(self, filters: Filters, function: str, **more: Any) -> Call:
        """A call of a table function with other filters."""
        return Call(function, filters.arguments(self.catalog.functions[function]), **more)

    def in_total(self, function: str) -> tuple[Filters, Call]:
        """A call of a table function for the whole range as one period, and its filters."""
        filters = replace(self.filters, frequency="total", is_frequency_chosen=True)
        return filters, self.call_under(filters, function)

    def address(self, path: str, under: Filters | None = None, /, **more: str | int | None) -> str:
        """The address of a page with the filters of the request, or with `under`, and with more parameters."""
        return address(path, under or self.filters, self.default_workspace, **more)

    def log_address(self, event_type: str, filters: Filters | None = None) -> str | None:
        """The address of a log. None in a self-contained file, and if the address is too long for a chart.

        Raises TooSlow: a page has thousands of addresses, and each may name hundreds of values.
        """
        self.reader.check()
        address = self.address(f"/logs/{event_type}", filters)
        return None if self.is_file or len(address) > _LONGEST_LINK else address

    def channel_name(self, row: Row) -> str | None:
        """The name of the channel of a row. The unknown channel is named in the language of the page."""
        name: str | None = row["channel_name"]
        return self.label("channel", "unknown") if row["channel_id"] is None and name else name

    def shown(self, column: str, value: Any) -> Any:
        """A value of a column of a view, in the language of the page if the publication has labels for the column."""
        if column == "event_type":
            return self.text(f"event_{value}")
        subject = _SUBJECTS.get(column)
        if subject is None:
            return value
        # A view has the key of a label, or the label itself in English.
        labels = ((key, self.catalog.labels[subject, key]) for key in self.catalog.keys(subject))
        return next((each[self.filters.language] for key, each in labels if value in (key, each[ENGLISH])), value)

    def home(self) -> str:
        """The report without filters, in the workspace and language of the request."""
        return self.cleared("/")

    def cleared(self, path: str) -> str:
        """The page without filters."""
        filters = replace(self._without_values(), frequency="", is_frequency_chosen=False)
        return self.in_date_range(path, DEFAULT_RANGE, replace(filters, compared_with=DEFAULT_COMPARISON))

    def in_workspace(self, path: str, workspace: str) -> str:
        """The page for another workspace. Filters by user, channel and contact are dropped."""
        return self.address(path, replace(self._without_values(), workspace=workspace, sources=self.filters.sources))

    def in_date_range(self, path: str, date_range: str, filters: Filters | None = None) -> str:
        """The page with another preset."""
        return self.address(path, replace(filters or self.filters, date_range=date_range))

    def in_language(self, path: str, language: str, **own: str | int | None) -> str:
        """The page in another language. `own` are its own parameters."""
        return self.address(path, replace(self.filters, language=language), **own)

    def with_theme(self, path: str, theme: str | None, **own: str | int | None) -> str:
        """The page with another theme. `own` are its own parameters."""
        return self.address(path, replace(self.filters, theme=theme), **own)

    def automatic_frequency(self) -> str:
        """The default frequency of the range."""
        return default_frequency(self.filters.start, self.filters.end)

    def downloads(self, function: str, filters: Filters) -> dict[str, str]:
        """The download addresses of a report, by format."""
        # The API counts by day by default, the page may not. So the frequency is always in the address.
        chosen = replace(filters, is_frequency_chosen="frequency" in self.catalog.functions[function])
        return {kind: address(f"{address_of(function)}.{kind}", chosen) for kind in FORMATS}

    def file_downloads(self, name: str) -> dict[str, str]:
        """The download addresses of a table that the API does not have, by format."""
        return {kind: self.address(f"/files/{name}.{kind}") for kind in FORMATS}

    def _without_values(self) -> Filters:
        return replace(self.filters, channels=(), users=(), sources=(), contacts=(), contact_name="")

    def label(self, subject: str, key: str) -> str:
        """A label of the publication in the language of the page."""
        return self.catalog.label(subject, key, self.filters.language)
