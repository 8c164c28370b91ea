"""The pandas script's contacts: what became of each."""

from typing import Any

import numpy as np
import pandas as pd

_KEY = ["workspace_id", "contact_id"]


def contacts(standing: pd.DataFrame) -> pd.DataFrame:
    """One row per contact that events are of, with its latest name, its times, and the contact it was merged into."""
    events = standing[[*_KEY, "contact_name", "event_type", "occurred_at", "event_id", "merged_contact_id"]]
    events = events.sort_values("occurred_at", kind="stable")
    times = events.groupby(_KEY)["occurred_at"]

    def times_of(event_type: str) -> Any:
        return events[events["event_type"] == event_type].groupby(_KEY)["occurred_at"]

    own = pd.DataFrame(
        {
            "first_event_at": times.min(),
            "last_event_at": times.max(),
            "contact_name": events.dropna(subset="contact_name").groupby(_KEY)["contact_name"].last(),
            "added_at": times_of("added").min(),
            "first_connected_at": times_of("connected").min(),
            "deleted_at": times_of("deleted").max(),
        }
    )

    merges = events.dropna(subset="merged_contact_id").sort_values(["occurred_at", "event_id"])
    merges = merges.rename(columns={"contact_id": "merged_into_contact_id", "merged_contact_id": "contact_id"})
    merged = merges.groupby(_KEY).agg(
        first_merged_at=("occurred_at", "min"),
        merged_at=("occurred_at", "max"),
        merged_into_contact_id=("merged_into_contact_id", "last"),
        merge_event_id=("event_id", "last"),
    )
    merged["survivor_contact_id"] = survivors(merged)

    found = own.join(merged, how="outer").reset_index()
    found["survivor_contact_id"] = found["survivor_contact_id"].fillna(found["contact_id"])
    found["first_event_at"] = found[["first_event_at", "first_merged_at"]].min(axis=1)
    found["last_event_at"] = found[["last_event_at", "merged_at"]].max(axis=1)
    is_merged, is_deleted = found["merged_at"].notna(), found["deleted_at"].notna()
    found["status"] = np.select(
        [is_merged & (found["deleted_at"] > found["merged_at"]), is_merged, is_deleted],
        ["deleted", "merged", "deleted"],
        default="active",
    )
    return found.drop(columns=["first_merged_at", "merge_event_id"])


def survivors(merged: pd.DataFrame) -> pd.Series:
    """The contact that remains at the end of a chain of merges. Of merges in a circle the last is believed."""
    onward = merged["merged_into_contact_id"].to_dict()

    def follow(workspace_id: str, contact_id: int) -> Any:
        seen: list[int] = []
        while (workspace_id, contact_id) in onward:
            if contact_id in seen:
                circle = merged.loc[[(workspace_id, one) for one in seen[seen.index(contact_id) :]]]
                return circle.sort_values(["merged_at", "merge_event_id"])["merged_into_contact_id"].iloc[-1]
            seen.append(contact_id)
            contact_id = onward[workspace_id, contact_id]
        return contact_id

    return pd.Series([follow(*contact) for contact in merged.index], index=merged.index, dtype="Int64")
