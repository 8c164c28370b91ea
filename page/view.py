"""What all parts of a page share: who asks for what, and in which words."""

from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any

from page.calls import Call, Query
from page.catalog import ENGLISH, Catalog
from page.downloads import FORMATS
from page.endpoints import address_of
from page.filters import DEFAULT_COMPARISON, DEFAULT_RANGE, Filters, address
from page.formats import Formats
from page.periods import default_frequency
from page.publication import Reader, Row
from page.texts import Texts

# A page has hundreds of links. With the 500 values that a filter may have, each would have kilobytes.
_LONGEST_LINK = 2000


@dataclass(frozen=True)
class View:
    """A request for a page, on one publication. Dates are days in the zone of the workspace."""

    reader: Reader
    catalog: Catalog
    filters: Filters
    default_workspace: str
    today: date
    provisional_days_query: Query
    formats: Formats
    text: Texts
    is_file: bool = False  # a page on its own, without links

    @cached_property
    def provisional_days(self) -> frozenset[date]:
        """The days of the range of which only webhooks and the API tell."""
        query = self.provisional_days_query
        return frozenset(row["report_date"] for row in self.reader.once(query.text(), query.rows))

    def rows(self, call: Call) -> list[Row]:
        """The rows of a call. Several components show the same ones, and people look at the same reports."""
        return self.reader.once(call.text(), call.rows)

    def call(self, function: str, **more: Any) -> Call:
        """A call of a report under the filters."""
        return self.call_under(self.filters, function, **more)

    def call_under(self, filters: Filters, function: str, **more: Any) -> Call:
        """A call of a report under other filters."""
        return Call(function, filters.arguments(self.catalog.functions[function]), **more)

    def address(self, path: str, under: Filters | None = None, /, **more: str | int | None) -> str:
        """The address of a page under the filters, or under others, with more parameters."""
        return address(path, under or self.filters, self.default_workspace, **more)

    def log_address(self, event_type: str, filters: Filters | None = None) -> str | None:
        """The address of a log. None where there are no links, and where a chart would become large by it."""
        address = self.address(f"/logs/{event_type}", filters)
        return None if self.is_file or len(address) > _LONGEST_LINK else address

    def channel_name(self, row: Row) -> str | None:
        """The name of the channel of a row, which the reports have in English if it is not known."""
        name: str | None = row["channel_name"]
        return self.text("unknown_channel") if row["channel_id"] is None and name else name

    def source_label(self, label: str) -> str:
        """The label of a source in the language of the page, from its English one."""
        labels = (self.catalog.labels["source", key] for key in self.catalog.keys("source"))
        return next((each[self.filters.language] for each in labels if each[ENGLISH] == label), label)

    def home(self) -> str:
        """The report without filters, in the workspace and language of the request."""
        return self.cleared("/")

    def cleared(self, path: str) -> str:
        """The page without filters."""
        filters = replace(self._without_values(), frequency="", is_frequency_chosen=False)
        return self.in_date_range(path, DEFAULT_RANGE, replace(filters, compared_with=DEFAULT_COMPARISON))

    def in_workspace(self, path: str, workspace: str) -> str:
        """The page for another workspace, whose users, channels and contacts are others."""
        return self.address(path, replace(self._without_values(), workspace=workspace, sources=self.filters.sources))

    def in_date_range(self, path: str, date_range: str, filters: Filters | None = None) -> str:
        """The page for another preset."""
        return self.address(path, replace(filters or self.filters, date_range=date_range))

    def in_language(self, path: str, language: str) -> str:
        """The page in another language."""
        return self.address(path, replace(self.filters, language=language))

    def with_theme(self, path: str, theme: str | None) -> str:
        """The page in other colours."""
        return self.address(path, replace(self.filters, theme=theme))

    def automatic_frequency(self) -> str:
        """The frequency of the range if none is chosen."""
        return default_frequency(self.filters.start, self.filters.end)

    def downloads(self, function: str, filters: Filters) -> dict[str, str]:
        """The addresses of all rows of a report as files, by format."""
        # The API's own frequency is by day.
        chosen = replace(filters, is_frequency_chosen="frequency" in self.catalog.functions[function])
        return {kind: address(f"{address_of(function)}.{kind}", chosen) for kind in FORMATS}

    def file_downloads(self, name: str) -> dict[str, str]:
        """The same for rows that the API does not have."""
        return {kind: self.address(f"/files/{name}.{kind}") for kind in FORMATS}

    def _without_values(self) -> Filters:
        return replace(self.filters, channels=(), users=(), sources=(), contacts=(), contact_name="")

    def label(self, subject: str, key: str) -> str:
        """A label of the publication in the language of the page."""
        return self.catalog.label(subject, key, self.filters.language)
