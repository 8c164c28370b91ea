"""The values that the form offers for each filter, and the filters that are set."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from page.filters import Filters, channel_value
from page.publication import Reader, Row
from page.view import View

# The filters that have several values, and their fields in Filters.
_FIELDS = {"channel": "channels", "user": "users", "source": "sources", "contact": "contacts"}

# Each chip has an address with all other values. Hundreds of them would be a page of many megabytes.
_MOST_CHIPS = 20


@dataclass(frozen=True)
class Choice:
    """A value of a filter."""

    value: str
    label: str
    is_chosen: bool


@dataclass(frozen=True)
class FilterChoices:
    """A filter with its values."""

    parameter: str
    label: str
    choices: Sequence[Choice]
    note: str | None = None

    @property
    def chosen(self) -> int:
        """How many values are chosen."""
        return sum(choice.is_chosen for choice in self.choices)


@dataclass(frozen=True)
class Chip:
    """A filter that is set, and the address without it."""

    filter: str
    value: str
    href: str


def read_choices(view: View) -> list[FilterChoices]:
    """The filters with a list of values. Deleted channels are counted in the reports, but not offered."""
    filters = view.filters
    deleted = view.reader.once_per_publication(
        f"deleted {filters.workspace}", lambda reader: _deleted_channels(reader, view)
    )
    return [
        FilterChoices(
            "channel",
            view.label("filter", "channel"),
            _choices(view, "channel", filters.channels),
            view.text("deleted_channels", number=deleted) if deleted else None,
        ),
        FilterChoices("user", view.label("filter", "user"), _choices(view, "user", filters.users)),
        FilterChoices("source", view.label("filter", "source"), _choices(view, "source", filters.sources)),
    ]


def chips(view: View, path: str) -> list[Chip]:
    """The filters that are set, one by one. Many values of one filter are removed together."""
    filters = view.filters
    found = []

    def add(name: str, label: str, without: Filters) -> None:
        found.append(Chip(view.label("filter", name), label, view.address(path, without)))

    for name, field in _FIELDS.items():
        values, labels = getattr(filters, field), _labels(view, name)
        if len(values) > _MOST_CHIPS:
            all_values: dict[str, Any] = {field: ()}
            add(name, view.text("chosen", number=len(values)), replace(filters, **all_values))
            continue
        for value in values:
            without: dict[str, Any] = {field: tuple(other for other in values if other != value)}
            add(name, labels.get(value, str(value)), replace(filters, **without))
    if filters.contact_name:
        add("contact", filters.contact_name, replace(filters, contact_name=""))
    return found


def _choices(view: View, name: str, chosen: Sequence[str]) -> list[Choice]:
    labels = _labels(view, name)
    set_values = frozenset(chosen)
    # A chosen value stays chosen, even if it is not offered.
    values = [*labels, *(value for value in chosen if value not in labels)]
    return [Choice(value, labels.get(value, value), value in set_values) for value in values]


def _labels(view: View, name: str) -> dict[str, str]:
    workspace = view.filters.workspace
    column = "label_fr" if view.filters.language == "fr" else "label"
    rows = view.reader.once_per_publication(f"values {workspace}", lambda reader: _filter_values(reader, workspace))
    value_of = channel_value if name == "channel" else str
    return {value_of(row["value"]): row[column] for row in rows if row["filter"] == name}


def _filter_values(reader: Reader, workspace: str | None) -> list[Row]:
    return reader.rows(
        "from reports.filter_values where workspace_id = ? order by filter, value is null, lower(label), value",
        [workspace],
    )


def _deleted_channels(reader: Reader, view: View) -> int:
    rows = reader.rows(
        "select count(*) as number from reports.channels where workspace_id = ? and is_deleted",
        [view.filters.workspace],
    )
    return int(rows[0]["number"])
