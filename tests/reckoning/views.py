"""The rows, in any order, of the views of the schemas `reports` and `quality`."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta

from tests.reckoning.arrivals import arrival_delays
from tests.reckoning.claims import Claim
from tests.reckoning.files import Record
from tests.reckoning.judging import Event
from tests.reckoning.log_views import cut_report_logs, refused_files, report_log_gaps
from tests.reckoning.reconciliation import reconciliation
from tests.reckoning.resolving import balance
from tests.reckoning.state import Row, State
from tests.reckoning.values import SOURCES


def log_row(state: State, event: Event) -> Row:
    return {
        "workspace_id": event.workspace_id,
        "occurred_at": event.occurred_at,
        "occurred_at_local": event.local,
        "report_date": event.local.date(),
        "contact_id": event.contact_id,
        "contact_name": event.contact_name,
        "source": event.source,
        "source_label": SOURCES[event.source].label,
        "user_id": event.user_id,
        "user_name": shown_user(state, event.workspace_id, event.user_id),
        "event_id": event.event_id,
        "route": event.record.route,
    }


def shown_user(state: State, workspace_id: str, user_id: str | None) -> str | None:
    """The user's name; the id of one that is deleted or that nobody knows."""
    entry = state.directories.users.latest(workspace_id, user_id)
    return user_id if entry is None or entry.is_deleted else entry.name or user_id


def shown_channel(state: State, event: Event) -> tuple[str, str | None]:
    """The channel's name and type."""
    if event.channel_id is None:
        return "Unknown", None
    entry = state.directories.channels.latest(event.workspace_id, event.channel_id)
    return (entry.name or event.channel_id, entry.channel_type) if entry else (event.channel_id, None)


def standing(state: State, event_type: str) -> list[Event]:
    return [event for event in state.outcome.standing if event.event_type == event_type]


def log(event_type: str) -> Callable[[State], Iterator[Row]]:
    """The view of a log whose rows have nothing of their own."""

    def rows(state: State) -> Iterator[Row]:
        for event in standing(state, event_type):
            yield log_row(state, event)

    return rows


def contacts_connected_log(state: State) -> Iterator[Row]:
    for event in standing(state, "connected"):
        name, _ = shown_channel(state, event)
        yield log_row(state, event) | {"channel_id": event.channel_id, "channel_name": name}


def contacts_merged_log(state: State) -> Iterator[Row]:
    for event in standing(state, "merged"):
        row = log_row(state, event)
        del row["contact_id"]
        yield row | {"primary_contact_id": event.contact_id, "merged_contact_id": event.merged_contact_id}


def contacts_overview(state: State) -> Iterator[Row]:
    counts: Counter[tuple[str, date, str]] = Counter()
    days: dict[str, list[date]] = defaultdict(list)
    for event in state.outcome.standing:
        day = event.local.date()
        counts[event.workspace_id, day, event.event_type] += 1
        days[event.workspace_id].append(day)
    for workspace_id, active_days in days.items():
        for offset in range((max(active_days) - min(active_days)).days + 1):
            day = min(active_days) + timedelta(days=offset)
            yield {
                "workspace_id": workspace_id,
                "report_date": day,
                "contacts_added": counts[workspace_id, day, "added"],
                "contacts_deleted": counts[workspace_id, day, "deleted"],
                "contacts_merged": counts[workspace_id, day, "merged"],
            }


def contacts_added_by_source(state: State) -> Iterator[Row]:
    counts = Counter((event.workspace_id, event.local.date(), event.source) for event in standing(state, "added"))
    for (workspace_id, day, source), count in counts.items():
        yield {
            "workspace_id": workspace_id,
            "report_date": day,
            "source": source,
            "source_label": SOURCES[source].label,
            "contacts_added": count,
        }


def contacts_connected_by_channel(state: State) -> Iterator[Row]:
    counts = Counter(
        (event.workspace_id, event.local.date(), event.channel_id, *shown_channel(state, event))
        for event in standing(state, "connected")
    )
    for (workspace_id, day, channel_id, channel_name, channel_type), count in counts.items():
        yield {
            "workspace_id": workspace_id,
            "report_date": day,
            "channel_id": channel_id,
            "channel_name": channel_name,
            "channel_type": channel_type,
            "contacts_connected": count,
        }


def contacts_net_growth(state: State) -> Iterator[Row]:
    """Each contact is gone once, on the day of its first deletion or merge away; an unknown one by each merge."""
    gone: dict[object, tuple[str, datetime, date]] = {}
    for event in state.outcome.standing:
        if event.event_type in ("deleted", "merged"):
            contact_id = event.contact_id if event.event_type == "deleted" else event.merged_contact_id
            # A merge whose merged contact is unknown is a contact of its own.
            contact = (event.workspace_id, contact_id) if contact_id is not None else event
            end = (event.workspace_id, event.occurred_at, event.local.date())
            gone[contact] = min(gone.get(contact, end), end)
    gone_on = Counter((workspace_id, day) for workspace_id, _, day in gone.values())
    totals: Counter[object] = Counter()
    for row in contacts_overview(state):
        growth = int(str(row["contacts_added"])) - gone_on[str(row["workspace_id"]), row["report_date"]]  # type: ignore[index]
        totals[row["workspace_id"]] += growth
        yield row | {"net_growth": growth, "running_total": totals[row["workspace_id"]]}


def sources(state: State) -> Iterator[Row]:
    for source in SOURCES.values():
        yield {"source": source.key, "source_label": source.label, "label_fr": source.label_fr}


def users(state: State) -> Iterator[Row]:
    for workspace_id, user_id, entry in state.directories.users.entries():
        if workspace_id in state.workspaces:
            yield {
                "workspace_id": workspace_id,
                "user_id": user_id,
                "user_name": shown_user(state, workspace_id, user_id),
                "is_deleted": entry.is_deleted,
            }


def channels(state: State) -> Iterator[Row]:
    for workspace_id, channel_id, entry in state.directories.channels.entries():
        if workspace_id in state.workspaces:
            yield {
                "workspace_id": workspace_id,
                "channel_id": channel_id,
                "channel_name": entry.name or channel_id,
                "channel_type": entry.channel_type,
                "is_deleted": entry.is_deleted,
            }


def filter_values(state: State) -> Iterator[Row]:
    """The values of the filters: entries not deleted, ids and names of events, sources, the unknown channel."""
    for workspace_id in state.workspaces:
        for source in SOURCES.values():
            yield {
                "workspace_id": workspace_id,
                "filter": "source",
                "value": source.key,
                "label": source.label,
                "label_fr": source.label_fr,
            }
    events = state.outcome.standing
    in_events: dict[str, set[tuple[str, str | None]]] = {
        "channel": {(event.workspace_id, event.channel_id) for event in events if event.event_type == "connected"},
        "user": {(event.workspace_id, event.user_id) for event in events if event.user_id is not None},
    }
    for name, directory in (("channel", state.directories.channels), ("user", state.directories.users)):
        listed = {(workspace_id, value): entry for workspace_id, value, entry in directory.entries()}
        offered: dict[tuple[str, str | None], str] = {
            (workspace_id, value): entry.name or value
            for (workspace_id, value), entry in listed.items()
            if workspace_id in state.workspaces and not entry.is_deleted
        }
        offered |= {key: key[1] or "Unknown" for key in in_events[name] if key not in listed}
        alike = Counter((workspace_id, label) for (workspace_id, _), label in offered.items())
        for (workspace_id, value), label in offered.items():
            if alike[workspace_id, label] > 1 and value not in (None, label):
                label = f"{label} ({value})"
            yield {
                "workspace_id": workspace_id,
                "filter": name,
                "value": value,
                "label": label,
                "label_fr": "Inconnu" if value is None else label,
            }


def workspaces(state: State) -> Iterator[Row]:
    for workspace_id, workspace in state.workspaces.items():
        yield {
            "workspace_id": workspace_id,
            "workspace_name": workspace.get("workspace_name"),
            "timezone": workspace.get("timezone"),
        }


def data_status(state: State) -> Iterator[Row]:
    records: dict[tuple[str, str], list[Record]] = defaultdict(list)
    for record, claim in state.claims.items():
        event_type = claim.known_type if isinstance(claim, Claim) else "unknown"
        records[record.workspace_id, event_type].append(record)
    times: dict[tuple[str, str], list[datetime]] = defaultdict(list)
    for event in state.outcome.standing:
        times[event.workspace_id, event.event_type].append(event.occurred_at)
    for (workspace_id, event_type), landed in records.items():
        yield {
            "workspace_id": workspace_id,
            "event_type": event_type,
            "first_event_at": min(times[workspace_id, event_type], default=None),
            "last_event_at": max(times[workspace_id, event_type], default=None),
            "last_loaded_at": max(record.file.loaded_at for record in landed),
        } | balance(landed, state.outcome)


def rejected_records(state: State) -> Iterator[Row]:
    for record, rejection in state.outcome.rejected:
        yield {
            "workspace_id": record.workspace_id,
            "route": record.route,
            "source_file": record.file.source_file,
            "source_line": record.source_line,
            "reason": rejection.reason,
            "detail": rejection.detail,
            "raw_record": record.raw_record,
            "loaded_at": record.file.loaded_at,
        }


def superseded_events(state: State) -> Iterator[Row]:
    for event, reason, superseded_by in state.outcome.superseded:
        added = {"event_type": event.event_type, "reason": reason, "superseded_by": superseded_by}
        yield log_row(state, event) | added


def event_records(state: State) -> Iterator[Row]:
    superseded = {event: (reason, superseded_by) for event, reason, superseded_by in state.outcome.superseded}
    for event in state.outcome.accepted:
        row = log_row(state, event)
        del row["source"], row["user_id"]
        reason, superseded_by = superseded.get(event, (None, None))
        yield row | {
            "event_type": event.event_type,
            "merged_contact_id": event.merged_contact_id,
            "channel_name": shown_channel(state, event)[0] if event.event_type == "connected" else None,
            "state": "superseded" if event in superseded else "standing",
            "reason": reason,
            "superseded_by": superseded_by,
            "source_file": event.record.file.source_file,
            "source_line": event.record.source_line,
            "loaded_at": event.record.file.loaded_at,
        }


def landed_records(state: State) -> Iterator[Row]:
    for record in state.claims:
        yield {
            "workspace_id": record.workspace_id,
            "route": record.route,
            "source_file": record.file.source_file,
            "source_line": record.source_line,
            "loaded_at": record.file.loaded_at,
            "raw_record": record.raw_record,
        }


def load_balance(state: State) -> Iterator[Row]:
    for file in state.files:
        yield {
            "workspace_id": file.workspace_id,
            "route": file.route,
            "source_file": file.source_file,
            "loaded_at": file.loaded_at,
        } | balance(file.records, state.outcome)


VIEWS: dict[str, Callable[[State], Iterable[Row]]] = {
    "contacts_overview": contacts_overview,
    "contacts_added_by_source": contacts_added_by_source,
    "contacts_connected_by_channel": contacts_connected_by_channel,
    "contacts_added_log": log("added"),
    "contacts_connected_log": contacts_connected_log,
    "contacts_deleted_log": log("deleted"),
    "contacts_merged_log": contacts_merged_log,
    "contacts_net_growth": contacts_net_growth,
    "sources": sources,
    "filter_values": filter_values,
    "users": users,
    "channels": channels,
    "workspaces": workspaces,
    "data_status": data_status,
    "rejected_records": rejected_records,
    "superseded_events": superseded_events,
    "event_records": event_records,
    "landed_records": landed_records,
    "load_balance": load_balance,
    "cut_report_logs": cut_report_logs,
    "report_log_gaps": report_log_gaps,
    "refused_files": refused_files,
    "reconciliation": reconciliation,
    "arrival_delays": arrival_delays,
}
