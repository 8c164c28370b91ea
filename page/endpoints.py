"""The endpoints and parameters of the reports API. Routes and the OpenAPI document are generated from them."""

from collections.abc import Collection
from dataclasses import dataclass

from page.catalog import Catalog

PREFIX = "/api/v1"

DEFAULT_LIMIT, LARGEST_LIMIT = 100, 10_000


@dataclass(frozen=True)
class Endpoint:
    """An endpoint of the API, and the view or table function that it reads."""

    path: str  # after PREFIX
    relation: str  # a view or a table function of the published file, with its schema
    summary: str
    order_by: str
    is_log: bool = False  # paginated

    @property
    def address(self) -> str:
        """The path of the endpoint."""
        return f"{PREFIX}/{self.path}"

    @property
    def name(self) -> str:
        """The name of its files: the relation without schema and without `_between`."""
        return self.relation.removeprefix("reports.").removesuffix("_between")

    def arguments(self, catalog: Catalog) -> Collection[str] | None:
        """The parameters of the table function, None for a view."""
        return catalog.functions.get(self.relation)


# The sort key of a log. It is the same in every publication, so a cursor stays valid. Only the beginning of the event
# id is compared, as a cursor has to fit into a URL. Ids with the same beginning are ordered by their hashes.
CHARACTERS_OF_AN_ID = 500
LOG_KEY = {
    "occurred_at": "occurred_at",
    "workspace_id": "workspace_id",
    "event": f"left(event_id, {CHARACTERS_OF_AN_ID})",
    "hash": f"if(length(event_id) > {CHARACTERS_OF_AN_ID}, md5(event_id), '')",
}
_NEWEST_FIRST = "occurred_at desc, " + ", ".join(list(LOG_KEY.values())[1:])


def _log(event_type: str) -> Endpoint:
    return Endpoint(
        f"logs/{event_type}",
        f"reports.contacts_{event_type}_log_between",
        f"Events of contacts {event_type}, newest first",
        _NEWEST_FIRST,
        is_log=True,
    )


ENDPOINTS = (
    Endpoint(
        "overview",
        "reports.contacts_overview_between",
        "Contacts added, deleted and merged, by period, with zeros for empty periods",
        "period_start",
    ),
    Endpoint(
        "added-by-source",
        "reports.contacts_added_between",
        "Contacts added, by period and source",
        "period_start, source",
    ),
    Endpoint(
        "connected-by-channel",
        "reports.contacts_connected_between",
        "Contacts connected, by period and channel",
        "period_start, workspace_id, channel_id",
    ),
    Endpoint(
        "compared",
        "reports.contacts_compared_between",
        "The counts of the range and of an earlier range",
        "metric",
    ),
    Endpoint(
        "net-growth",
        "reports.contacts_net_growth_between",
        "Contacts added less contacts gone, by period, with zeros for empty periods",
        "period_start",
    ),
    Endpoint(
        "time-to-connect",
        "reports.contacts_time_to_connect_between",
        "The hours from added to first connected, by workspace, month and source",
        "month_start desc, contacts_added desc, workspace_id, source",
    ),
    _log("added"),
    _log("connected"),
    _log("deleted"),
    _log("merged"),
    Endpoint(
        "components",
        "reports.report_components",
        "The metrics, charts and logs of the report page, and the filters that apply to each",
        "position",
    ),
    Endpoint(
        "date-ranges",
        "reports.date_ranges",
        "The first and the last day of each preset, at the time of the request, by workspace",
        "workspace_id, date_range",
    ),
    Endpoint("workspaces", "reports.workspaces", "The workspaces", "workspace_name, workspace_id"),
    Endpoint("users", "reports.users", "The users of the workspaces", "workspace_id, user_name, user_id"),
    Endpoint(
        "channels", "reports.channels", "The channels of the workspaces", "workspace_id, channel_name, channel_id"
    ),
    Endpoint("sources", "reports.sources", "The sources of events", "source"),
    Endpoint(
        "status",
        "reports.data_status",
        "The freshness and completeness of the data, by workspace and event type",
        "workspace_id, event_type",
    ),
)


def address_of(relation: str) -> str:
    """The address of the endpoint of a view or table function."""
    return next(endpoint.address for endpoint in ENDPOINTS if endpoint.relation == relation)


@dataclass(frozen=True)
class Parameter:
    """A query parameter."""

    name: str
    description: str
    argument: str | None = None  # of the table functions that have it; without one, all have it
    is_list: bool = False
    subject: str | None = None  # what its values are in `reports.report_labels`


PARAMETERS = (
    Parameter("workspace", "The id of a workspace. Default: all workspaces together.", "workspace_id"),
    Parameter(
        "date_range",
        "A preset, in the time zone of the workspace. It requires `workspace`. Default: `last_7_days`, if `from` "
        "and `to` are not given.",
        subject="date_range",
    ),
    Parameter("from", "The first day (inclusive), such as `2026-01-01`. Give `to` as well, and no `date_range`."),
    Parameter("to", "The last day (inclusive)."),
    Parameter(
        "frequency",
        "The length of the periods. Default: `day`. Weeks begin on Monday. `total` is one period.",
        "frequency",
        subject="frequency",
    ),
    Parameter(
        "compared_with",
        "The earlier range. `preceding` (default) is the same number of days just before. `week`, `month` and `year` "
        "are the same days one week, month or year earlier.",
        "compared_with",
        subject="compared_with",
    ),
    Parameter(
        "channel",
        "The id of a channel; `unknown` for events without a known channel. Repeat the parameter for several.",
        "channel_ids",
        is_list=True,
    ),
    Parameter("user", "The id of a user. Repeat the parameter for several.", "user_ids", is_list=True),
    Parameter(
        "source", "The key of a source. Repeat the parameter for several.", "sources", is_list=True, subject="source"
    ),
    Parameter("contact", "The id of a contact. Repeat the parameter for several.", "contact_ids", is_list=True),
    Parameter(
        "contact_name",
        "A part of the contact's name. Case and accents are ignored.",
        "contact_name",
    ),
)


def parameters_of(endpoint: Endpoint, catalog: Catalog, columns: Collection[str]) -> list[Parameter]:
    """The parameters that change what an endpoint answers."""
    arguments = endpoint.arguments(catalog)
    if arguments is None:
        return [
            parameter for parameter in PARAMETERS if parameter.argument == "workspace_id" and "workspace_id" in columns
        ]
    return [parameter for parameter in PARAMETERS if parameter.argument is None or parameter.argument in arguments]
