"""The rules of the pandas script: what landed is typed and validated, names are resolved, duplicates set aside."""

from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd

_SEEDS = Path(__file__).parents[1] / "seeds"
EVENT_TYPES = ("added", "connected", "deleted", "merged")
_REQUIRED = ["event_id", "event_type", "occurred_at", "contact_id"]
_DIGITS = r"[0-9]+(?:\.0)?"
_LARGEST_ID = str(2**63 - 1)
_WITHOUT_OFFSET = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]+)?)?"
_ISO_8601 = _WITHOUT_OFFSET + r"(?:Z|[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?)"


def read_sources() -> pd.DataFrame:
    return pd.read_csv(_SEEDS / "event_sources.csv")


def trimmed(text: pd.Series) -> pd.Series:
    text = text.str.strip()
    return text.mask(text == "")


def id_texts(text: pd.Series) -> pd.Series:
    """Ids without leading zeros and a spreadsheet's `.0`; other text as it is."""
    digits = text.str.removesuffix(".0").str.lstrip("0").replace("", "0")
    return text.mask(text.str.fullmatch(_DIGITS, na=False), digits)


def type_events(landed: pd.DataFrame, texts: pd.DataFrame, sources: pd.DataFrame) -> pd.DataFrame:
    """The events with instants in UTC and ids as numbers; what cannot be read as such is missing.

    Users and channels are still the texts that landed.
    """
    event_type = texts["event_type"].str.lower()
    source = _resolve_sources(texts["source"], event_type, sources)
    is_iso = texts["occurred_at"].str.fullmatch(_ISO_8601)
    return pd.DataFrame(
        {
            "file_id": landed["file_id"],
            "line": landed["line"],
            "workspace_id": landed["workspace_id"],
            "event_type": event_type.where(event_type.isin(EVENT_TYPES)),
            "event_id": texts["event_id"],
            "occurred_at": pd.to_datetime(
                texts["occurred_at"].where(is_iso), format="ISO8601", utc=True, errors="coerce"
            ).dt.as_unit("us"),
            "contact_id": _id_numbers(texts["contact_id"]),
            "contact_name": landed["contact_name"].mask(landed["contact_name"] == ""),
            "source": source,
            "user_id": texts["user_id"].where(source == "user"),
            "channel_id": texts["channel_id"].where(event_type == "connected"),
            "merged_contact_id": _id_numbers(texts["merged_contact_id"].where(event_type == "merged")),
        }
    )


def reasons(
    events: pd.DataFrame,
    landed: pd.DataFrame,
    texts: pd.DataFrame,
    sources: pd.DataFrame,
    workspaces: pd.DataFrame,
    loaded_at: datetime,
) -> pd.Series:
    """Why a record is rejected: the first reason that applies; missing where none does."""
    event_type, contact_id, merged_contact_id = events["event_type"], events["contact_id"], events["merged_contact_id"]
    is_merged_unread = (event_type == "merged") & texts["merged_contact_id"].notna() & merged_contact_id.isna()
    is_out_of_time = (events["occurred_at"] < pd.Timestamp("2000-01-01", tz="UTC")) | (
        events["occurred_at"] > loaded_at + pd.Timedelta(hours=24)
    )
    is_not_allowed = pd.Series(False, index=events.index)
    for name in EVENT_TYPES:
        is_not_allowed |= (event_type == name) & events["source"].isin(sources.loc[~sources[name], "source"])
    rules = {
        "malformed_record": landed["parse_error"].notna(),
        "missing_field": texts[_REQUIRED].isna().any(axis=1),
        "unknown_workspace": ~events["workspace_id"].isin(workspaces["workspace_id"]),
        "unknown_event_type": event_type.isna(),
        "invalid_contact_id": contact_id.isna() | is_merged_unread,
        "invalid_occurred_at": events["occurred_at"].isna() | is_out_of_time,
        "source_not_allowed": is_not_allowed,
        "merged_into_itself": (merged_contact_id == contact_id).fillna(False).astype(bool),
    }
    return pd.Series(np.select(list(rules.values()), list(rules), default=None), index=events.index, dtype="str")


def details(rejected: pd.DataFrame, landed: pd.DataFrame, texts: pd.DataFrame) -> pd.Series:
    """What was refused, or the fields that are missing."""
    missing = pd.Series("", index=rejected.index)
    for field in _REQUIRED:
        missing += texts[field].isna().map({True: f"{field}, ", False: ""})
    values = {
        "malformed_record": landed["parse_error"],
        "missing_field": missing.str.removesuffix(", "),
        "unknown_workspace": landed["workspace_id"],
        "unknown_event_type": texts["event_type"],
        "invalid_contact_id": texts["contact_id"].where(rejected["contact_id"].isna(), texts["merged_contact_id"]),
        "invalid_occurred_at": texts["occurred_at"].mask(
            texts["occurred_at"].str.fullmatch(_WITHOUT_OFFSET, na=False), texts["occurred_at"] + " (no offset)"
        ),
        "source_not_allowed": texts["source"],
        "merged_into_itself": texts["merged_contact_id"],
    }
    conditions = [rejected["reason"] == reason for reason in values]
    return pd.Series(np.select(conditions, list(values.values()), default=None), index=rejected.index, dtype="str")


def resolve(
    events: pd.DataFrame,
    users: pd.DataFrame,
    channels: pd.DataFrame,
    workspaces: pd.DataFrame,
    sources: pd.DataFrame,
) -> pd.DataFrame:
    """Accepted events with ids, names and labels, the workspace's wall clock, and `superseded_by`."""
    events = _resolve_names(events, users, "user")
    events = _resolve_names(events, channels, "channel")
    is_connected = events["event_type"] == "connected"
    events["channel_name"] = events["channel_name"].mask(is_connected & events["channel_name"].isna(), "Unknown")
    events["source_label"] = events["source"].map(sources.set_index("source")["source_label"])
    events["route"] = "events"
    _add_local_time(events, workspaces)
    events["superseded_by"] = _superseded_by(events)
    return events


def _resolve_names(events: pd.DataFrame, directory: pd.DataFrame, kind: str) -> pd.DataFrame:
    """The events with the ids of users or channels for the texts that landed, and the names they are shown by.

    A text is an id of the directory, else the name of exactly one of its entries, else an id that nobody knows.
    """
    column, name = f"{kind}_id", f"{kind}_name"
    key = ["workspace_id", column]
    references = events[key].dropna().drop_duplicates()
    references["id"] = id_texts(references[column])
    by_id = directory[[*key, "shown_name"]].rename(columns={column: "id"})
    names = directory[~directory[name].str.fullmatch(_DIGITS, na=True)]
    by_name = names.drop_duplicates(["workspace_id", name], keep=False)[["workspace_id", name, column, "shown_name"]]
    by_name = by_name.set_axis(["workspace_id", column, "named_id", "named_shown_name"], axis="columns")
    references = references.merge(by_id, on=["workspace_id", "id"], how="left").merge(by_name, on=key, how="left")
    is_named = references["shown_name"].isna() & references["named_id"].notna()
    references[name] = references["shown_name"].fillna(references["named_shown_name"]).fillna(references["id"])
    references["id"] = references["id"].mask(is_named, references["named_id"])
    resolved = events.merge(references[[*key, "id", name]], on=key, how="left")
    return resolved.drop(columns=column).rename(columns={"id": column})


def _add_local_time(events: pd.DataFrame, workspaces: pd.DataFrame) -> None:
    """Add the workspace's wall clock, and its day as midnight."""
    timezones = events["workspace_id"].map(workspaces.set_index("workspace_id")["timezone"])
    parts = [
        occurred_at.dt.tz_convert(timezone).dt.tz_localize(None)
        for timezone, occurred_at in events["occurred_at"].groupby(timezones)
    ]
    events["occurred_at_local"] = pd.concat(parts)
    events["report_date"] = events["occurred_at_local"].dt.normalize()


def _superseded_by(events: pd.DataFrame) -> pd.Series:
    """The id of the event that stands in an event's place; missing where it stands itself.

    The last sent stands of an event sent again, the earliest of a fact sent again under another id.
    """
    event = ["workspace_id", "event_id"]
    is_sent_again = events.duplicated(event, keep="last")
    last_sent = events[~is_sent_again]
    is_without_merged = (last_sent["event_type"] == "merged") & last_sent["merged_contact_id"].isna()
    last_sent = last_sent.assign(second=last_sent["occurred_at"].dt.floor("s").where(is_without_merged))
    fact = ["workspace_id", "event_type", "contact_id", "channel_id", "merged_contact_id", "second"]
    repeated = last_sent[last_sent.duplicated(fact, keep=False)].sort_values(["occurred_at", "event_id"])
    repeated["superseded_by"] = repeated.groupby(fact, dropna=False)["event_id"].transform("first")
    told_again = repeated[repeated.duplicated(fact)]
    sent_again = events.loc[is_sent_again, event].reset_index()
    sent_again = sent_again.merge(told_again[[*event, "superseded_by"]], on=event, how="left").set_index("index")
    return pd.concat([told_again["superseded_by"], sent_again["superseded_by"].fillna(sent_again["event_id"])]).reindex(
        events.index
    )


def _id_numbers(text: pd.Series) -> pd.Series:
    """Positive integers below 2^63; missing where the text is none."""
    digits = text.where(text.str.fullmatch(_DIGITS, na=False)).str.removesuffix(".0").str.lstrip("0")
    length = digits.str.len()
    is_in_range = length.between(1, 18) | ((length == 19) & (digits <= _LARGEST_ID))
    return digits.where(is_in_range).astype("Int64")


def _resolve_sources(text: pd.Series, event_type: pd.Series, sources: pd.DataFrame) -> pd.Series:
    aliases = pd.read_csv(_SEEDS / "source_aliases.csv")
    spellings = pd.concat(
        [sources.set_index(column)["source"] for column in ("source_label", "label_fr")]
        + [sources.set_index("source", drop=False)["source"], aliases.set_index("alias")["source"]]
    )
    spellings.index = _spelling(spellings.index.to_series())
    known = spellings[~spellings.index.duplicated()]
    landed = text.drop_duplicates().dropna()
    found = _spelling(landed).map(known).fillna("other").set_axis(landed)
    absent = event_type.map({"added": "unknown", "connected": "unknown", "deleted": "user", "merged": "user"})
    return text.map(found).fillna(absent)


def _spelling(text: pd.Series) -> pd.Series:
    return text.str.lower().str.replace(r"[\s_-]+", " ", regex=True)
