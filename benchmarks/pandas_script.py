"""The usual script: pandas, everything in memory, no care for what is broken beyond dropping it.

`python -m benchmarks.pandas_script LANDING OUTPUT` reads the event files of a landing folder and writes the four logs
as Parquet and the daily counts as CSV. It keeps no raw zone, says nothing of what it dropped, and knows neither the
rules for sources by type of event nor those for users and channels that are named.
"""

import gzip
import json
import sys
from pathlib import Path

import pandas as pd


def main(landing: Path, output: Path) -> None:
    output.mkdir(parents=True, exist_ok=True)
    workspaces = pd.read_csv(landing / "workspaces.csv", dtype=str)
    users = read_directory(landing, "users")
    channels = read_directory(landing, "channels")

    frames = []
    for path in sorted(landing.glob("*/events/*")):
        frame = pd.read_parquet(path) if path.suffix == ".parquet" else read_lines(path)
        frame["workspace_id"] = path.parent.parent.name
        frames.append(frame)
    events = pd.concat(frames, ignore_index=True)

    events["event_type"] = events["event_type"].str.strip().str.lower()
    events["occurred_at"] = pd.to_datetime(events["occurred_at"], format="ISO8601", utc=True, errors="coerce")
    events["contact_id"] = pd.to_numeric(events["contact_id"], errors="coerce")
    events["merged_contact_id"] = pd.to_numeric(events["merged_contact_id"], errors="coerce")
    events["source"] = events["source"].fillna("unknown").str.lower().str.replace(r"[\s_-]+", "_", regex=True)
    events = events.dropna(subset=["event_id", "event_type", "occurred_at", "contact_id"])
    events = events[events["event_type"].isin(["added", "connected", "deleted", "merged"])]
    events = events.merge(workspaces, on="workspace_id")

    events = events.drop_duplicates(["workspace_id", "event_id"], keep="last")
    events = events.sort_values("occurred_at")
    key = ["workspace_id", "event_type", "contact_id", "channel_id", "merged_contact_id"]
    events = events.drop_duplicates(key, keep="first")

    parts = []
    for timezone, part in events.groupby("timezone"):
        local = part["occurred_at"].dt.tz_convert(timezone).dt.tz_localize(None)
        parts.append(part.assign(occurred_at_local=local, report_date=local.dt.date))
    events = pd.concat(parts)
    events = events.merge(users[["workspace_id", "user_id", "user_name"]], on=["workspace_id", "user_id"], how="left")
    events = events.merge(
        channels[["workspace_id", "channel_id", "channel_name", "channel_type"]],
        on=["workspace_id", "channel_id"],
        how="left",
    )

    for event_type, log in events.groupby("event_type"):
        log.sort_values("occurred_at", ascending=False).to_parquet(output / f"contacts_{event_type}_log.parquet")
    days = ["workspace_id", "report_date"]
    overview = events.groupby([*days, "event_type"]).size().unstack(fill_value=0)
    overview.to_csv(output / "contacts_overview.csv")
    added = events[events["event_type"] == "added"]
    added.groupby([*days, "source"]).size().to_csv(output / "contacts_added_by_source.csv")
    connected = events[events["event_type"] == "connected"]
    connected.groupby([*days, "channel_name"]).size().to_csv(output / "contacts_connected_by_channel.csv")


def read_directory(landing: Path, folder: str) -> pd.DataFrame:
    frames = []
    for path in sorted(landing.glob(f"*/{folder}/*.csv")):
        frames.append(pd.read_csv(path, dtype=str).assign(workspace_id=path.parent.parent.name))
    return pd.concat(frames, ignore_index=True)


def read_lines(path: Path) -> pd.DataFrame:
    records = []
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        for line in file:
            try:
                records.append(json.loads(line))
            except ValueError:
                continue
    return pd.DataFrame(records)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
