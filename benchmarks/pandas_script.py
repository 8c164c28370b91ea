"""What is usual: the hand-written script's work in pandas, everything in memory.

`python -m benchmarks.pandas_script LANDING OUTPUT` reads the event files of a landing folder (canonical, JSONL and
Parquet, in UTF-8) and writes a raw zone of zstd Parquet and, as a Parquet file each, the report views, the quality
views, the daily counts and the contacts. Like the hand-written script it cannot be run again on what is new, and tests
nothing.
"""

import gzip
import hashlib
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks import pandas_contacts, pandas_rules

_FIELDS = [
    "event_id",
    "event_type",
    "occurred_at",
    "contact_id",
    "contact_name",
    "source",
    "user_id",
    "channel_id",
    "merged_contact_id",
]
_LOG = [
    "workspace_id",
    "occurred_at",
    "occurred_at_local",
    "report_date",
    "contact_id",
    "contact_name",
    "source",
    "source_label",
    "user_id",
    "user_name",
    "event_id",
    "route",
]


def main(landing: Path, output: Path) -> None:
    for folder in ("raw", "reports", "quality"):
        (output / folder).mkdir(parents=True)
    loaded_at = datetime.now(UTC)
    workspaces = read_csv(landing / "workspaces.csv")
    workspaces["workspace_name"] = workspaces["workspace_name"].fillna(workspaces["workspace_id"])
    sources = pandas_rules.read_sources()
    users = read_directory(landing, "user")
    users["shown_name"] = users["user_name"].fillna(users["user_id"]).mask(users["is_deleted"], users["user_id"])
    channels = read_directory(landing, "channel")
    channels["shown_name"] = channels["channel_name"].fillna(channels["channel_id"])
    files = list_files(landing, loaded_at)

    landed = read_events(landing, files, output / "raw")
    texts = landed[_FIELDS].drop(columns="contact_name").apply(pandas_rules.trimmed)
    events = pandas_rules.type_events(landed, texts, sources)
    events["reason"] = pandas_rules.reasons(events, landed, texts, sources, workspaces, loaded_at)
    rejected = rejected_records(events, landed, texts, files)
    del landed, texts

    landed_counts = events.assign(event_type=events["event_type"].fillna("unknown"))
    landed_counts = landed_counts.groupby(["file_id", "event_type"]).agg(
        landed=("line", "size"), rejected=("reason", "count")
    )
    events = events[events["reason"].isna()].drop(columns=["reason", "line"])
    events = pandas_rules.resolve(events, users, channels, workspaces, sources)
    superseded = events[events["superseded_by"].notna()]
    standing = events[events["superseded_by"].isna()]
    del events

    write_logs(standing, output / "reports")
    write_counts(standing, sources, channels, output / "reports")
    pandas_contacts.contacts(standing).to_parquet(output / "contacts.parquet", index=False)
    rejected.to_parquet(output / "quality" / "rejected_records.parquet", index=False)
    superseded[[*_LOG, "event_type", "superseded_by"]].to_parquet(
        output / "quality" / "superseded_events.parquet", index=False
    )
    write_balances(files, landed_counts, standing, superseded, output)
    write_directories(workspaces, sources, users, channels, output / "reports")


def read_csv(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype="str", keep_default_na=False).apply(pandas_rules.trimmed)


def read_directory(landing: Path, kind: str) -> pd.DataFrame:
    """The latest row of each id."""
    column = f"{kind}_id"
    frames = [
        read_csv(path).assign(workspace_id=path.parent.parent.name) for path in sorted(landing.glob(f"*/{kind}s/*.csv"))
    ]
    directory = pd.concat(frames, ignore_index=True)
    directory[column] = pandas_rules.id_texts(directory[column])
    directory["is_deleted"] = directory["deleted_at"].notna()
    return directory.drop_duplicates(["workspace_id", column], keep="last")


def list_files(landing: Path, loaded_at: datetime) -> pd.DataFrame:
    """The event files that are complete; of those of the same bytes in a workspace the first."""
    paths = [
        path
        for path in sorted(landing.glob("*/events/*"))
        if not path.name.startswith(".") and not path.name.endswith((".tmp", ".part"))
    ]
    files = pd.DataFrame(
        {
            "workspace_id": [path.parent.parent.name for path in paths],
            "source_file": [str(path.relative_to(landing)) for path in paths],
            "checksum": [checksum(path) for path in paths],
            "loaded_at": pd.Timestamp(loaded_at),
        }
    )
    files = files.drop_duplicates(["workspace_id", "checksum"]).drop(columns="checksum")
    files.insert(0, "file_id", range(1, len(files) + 1))
    return files


def checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_events(landing: Path, files: pd.DataFrame, raw: Path) -> pd.DataFrame:
    """Every record as it landed, in the order of loading; each file's go to the raw zone."""
    frames = []
    for file in files.itertuples():
        path = landing / file.source_file
        frame = read_parquet(path) if path.suffix == ".parquet" else read_lines(path)
        frame.insert(0, "file_id", file.file_id)
        frame.to_parquet(raw / f"events-{file.file_id}.parquet", compression="zstd", index=False)
        frames.append(frame.assign(workspace_id=file.workspace_id))
    return pd.concat(frames, ignore_index=True)


def read_parquet(path: Path) -> pd.DataFrame:
    frame = pd.read_parquet(path).reindex(columns=_FIELDS)
    frame.insert(0, "line", range(1, len(frame) + 1))
    return frame.assign(parse_error=None, record=None).astype({"parse_error": "str", "record": "str"})


def read_lines(path: Path) -> pd.DataFrame:
    records = []
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                records.append({"line": number, "record": line.rstrip("\n"), **parse(line)})
    frame = pd.DataFrame(records, columns=["line", *_FIELDS, "parse_error", "record"])
    return frame.astype(dict.fromkeys([*_FIELDS, "parse_error", "record"], "str"))


def parse(line: str) -> dict[str, str | None]:
    """The fields of a line, as text, or what is wrong with it."""
    try:
        fields = json.loads(line)
    except ValueError:
        return {"parse_error": "not JSON"}
    if not isinstance(fields, dict):
        return {"parse_error": "not a JSON object"}
    return {field: as_text(fields.get(field)) for field in _FIELDS}


def as_text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)


def rejected_records(
    events: pd.DataFrame, landed: pd.DataFrame, texts: pd.DataFrame, files: pd.DataFrame
) -> pd.DataFrame:
    """The records that are no events, as they landed, with the reason."""
    rejected = events.loc[events["reason"].notna(), ["file_id", "line", "contact_id", "reason"]]
    landed, texts = landed.loc[rejected.index], texts.loc[rejected.index]
    rejected["detail"] = pandas_rules.details(rejected, landed, texts)
    rows = [
        json.dumps(
            {field: value for field, value in row.items() if pd.notna(value)},
            ensure_ascii=False,
            separators=(",", ":"),
        )
        for row in landed[_FIELDS].to_dict("records")
    ]
    rejected["raw_record"] = landed["record"].fillna(pd.Series(rows, index=rejected.index, dtype="str"))
    rejected = rejected.rename(columns={"line": "source_line"}).assign(route="events")
    rejected = rejected.merge(files, on="file_id")
    return rejected[
        ["workspace_id", "route", "source_file", "source_line", "reason", "detail", "raw_record", "loaded_at"]
    ]


def write_logs(standing: pd.DataFrame, reports: Path) -> None:
    """A log of each type of event, the newest first."""
    extra = {"connected": ["channel_id", "channel_name"], "merged": ["merged_contact_id"]}
    for event_type in pandas_rules.EVENT_TYPES:
        log = standing.loc[standing["event_type"] == event_type, [*_LOG, *extra.get(event_type, [])]]
        if event_type == "merged":
            log = log.rename(columns={"contact_id": "primary_contact_id"})
        log.sort_values("occurred_at", ascending=False).to_parquet(
            reports / f"contacts_{event_type}_log.parquet", index=False
        )


def write_counts(standing: pd.DataFrame, sources: pd.DataFrame, channels: pd.DataFrame, reports: Path) -> None:
    day = ["workspace_id", "report_date"]
    daily = (
        standing.groupby([*day, "event_type", "source", "user_id", "channel_id"], dropna=False)
        .size()
        .reset_index(name="contacts")
    )
    daily.to_parquet(reports.parent / "daily.parquet", index=False)

    spans = daily.groupby("workspace_id")["report_date"].agg(["min", "max"])
    days = pd.concat(
        [
            pd.DataFrame({"workspace_id": span.Index, "report_date": pd.date_range(span.min, span.max)})
            for span in spans.itertuples()
        ]
    )
    counts = daily.pivot_table(index=day, columns="event_type", values="contacts", aggfunc="sum", fill_value=0)
    counts = counts.reindex(columns=["added", "deleted", "merged"], fill_value=0).add_prefix("contacts_").reset_index()
    overview = days.merge(counts, on=day, how="left").fillna(dict.fromkeys(counts.columns[2:], 0))
    overview.to_parquet(reports / "contacts_overview.parquet", index=False)

    added = daily[daily["event_type"] == "added"].groupby([*day, "source"])["contacts"].sum()
    added = added.reset_index(name="contacts_added").merge(sources[["source", "source_label"]], on="source")
    added.to_parquet(reports / "contacts_added_by_source.parquet", index=False)

    connected = daily[daily["event_type"] == "connected"].groupby([*day, "channel_id"], dropna=False)["contacts"].sum()
    connected = connected.reset_index(name="contacts_connected")
    shown = channels[["workspace_id", "channel_id", "shown_name", "channel_type"]]
    connected = connected.merge(shown, on=["workspace_id", "channel_id"], how="left")
    connected["channel_name"] = connected["shown_name"].fillna(connected["channel_id"]).fillna("Unknown")
    connected.drop(columns="shown_name").to_parquet(reports / "contacts_connected_by_channel.parquet", index=False)


def write_directories(
    workspaces: pd.DataFrame, sources: pd.DataFrame, users: pd.DataFrame, channels: pd.DataFrame, reports: Path
) -> None:
    """What the reports call things."""
    workspaces.to_parquet(reports / "workspaces.parquet", index=False)
    sources[["source", "source_label", "label_fr"]].to_parquet(reports / "sources.parquet", index=False)
    for directory, kind, extra in ((users, "user", []), (channels, "channel", ["channel_type"])):
        shown = directory.assign(**{f"{kind}_name": directory["shown_name"]})
        shown = shown[["workspace_id", f"{kind}_id", f"{kind}_name", *extra, "is_deleted"]]
        shown.to_parquet(reports / f"{kind}s.parquet", index=False)


def write_balances(
    files: pd.DataFrame, landed: pd.DataFrame, standing: pd.DataFrame, superseded: pd.DataFrame, output: Path
) -> None:
    """What became of the records of each file, and of each type of event in each workspace."""
    key = ["file_id", "event_type"]
    counts = landed.assign(standing=standing.groupby(key).size(), superseded=superseded.groupby(key).size())
    counts = counts.add_prefix("records_").assign(records_ignored=0).fillna(0).astype("int64").reset_index()

    balance = files.merge(counts.groupby("file_id").sum(numeric_only=True), on="file_id", how="left").fillna(
        dict.fromkeys(counts.columns[2:], 0)
    )
    balance.assign(route="events").to_parquet(output / "quality" / "load_balance.parquet", index=False)

    of_type = ["workspace_id", "event_type"]
    status = counts.merge(files, on="file_id").drop(columns=["file_id", "source_file"])
    status = status.groupby(of_type).agg({"loaded_at": "max", **dict.fromkeys(counts.columns[2:], "sum")})
    times = standing.groupby(of_type)["occurred_at"].agg(first_event_at="min", last_event_at="max")
    status = status.rename(columns={"loaded_at": "last_loaded_at"}).join(times).reset_index()
    status.to_parquet(output / "reports" / "data_status.parquet", index=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
