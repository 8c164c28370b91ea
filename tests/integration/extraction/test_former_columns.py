"""A raw zone whose tables had other columns in a former version is brought over by the next run."""

from pathlib import Path

import duckdb
import pytest

from orchestration.lib.raw_zone import RECORD_TABLES, RawZone, parquet_files, read_parquet
from tests.integration.extraction.place import Place, event_ids, json_lines

# Each field of an export had a column of its own, and each record the header, its names by letters and digits.
FORMER_COLUMNS = {
    "report_logs": {
        "occurred_at": "timestamp",
        "contact_id": "contactid",
        "primary_contact_id": "primarycontactid",
        "merged_contact_id": "mergedcontactid",
        "contact_name": "contactname",
        "source": "source",
        "channel_name": "channel",
        "user_name": "user",
    },
    "data_export": {
        "contact_id": "contactid",
        "first_name": "firstname",
        "last_name": "lastname",
        "created_at": "datetimecreated",
        "occurred_at": "datetime",
        "message_id": "messageid",
        "sender_type": "sendertype",
        "sender_id": "senderid",
        "channel_id": "channelid",
    },
}


def as_before(zone: RawZone, table: str, file: Path, headers: str) -> None:
    """Rewrite a file of the zone as a former version wrote it."""
    rows = f"{read_parquet([file])} as records"
    if table == "files":
        select = f"select * exclude (header, delimiter) from {rows}"
    elif table == "webhooks":
        select = f"select * exclude (sender_user_id, channel_id) from {rows}"
    elif table in FORMER_COLUMNS:
        names = "list_transform(header, lambda name: regexp_replace(lower(name), '[^a-z0-9]', '', 'g'))"
        fields = "coalesce(fields, string_split(raw_record, delimiter))"
        columns = ", ".join(
            f"case when parse_error is null then {fields}[list_position({names}, '{name}')] end as {column}"
            for column, name in FORMER_COLUMNS[table].items()
        )
        select = f"select records.* exclude (fields), to_json({names})::varchar as header, {columns} from {rows}"
        select += f" left join ({headers}) using (file_id)"
    else:
        return
    with duckdb.connect() as connection:
        connection.execute(f"copy ({select}) to '{file}.new' (format parquet)")
    Path(f"{file}.new").rename(file)


@pytest.mark.parametrize("cut_short", [False, True])
def test_records_of_a_former_version_have_their_fields_and_files_their_header(place: Place, cut_short: bool) -> None:
    place.land(
        "1/report_logs/added.csv", 'Timestamp,Contact ID,Note,User\n2026-01-01,7,x,"Lee, Ann"\n2026-01-02,8,y,Bob\n'
    )
    place.land("1/report_logs/bad.csv", "Timestamp,Contact ID\n1\n")
    place.land("1/data_export/messages.csv", "Message ID;Date & Time\nm;2026-01-01\n")
    place.land("1/webhooks/a.jsonl", '{"event_id": "1", "sender": {"userId": 7}, "channel": {"id": "c"}}\nnot JSON\n')
    place.land("1/events/a.jsonl", json_lines(1))
    place.extract()
    place.land("1/report_logs/deleted.csv", "Contact ID,Timestamp\n9,2026-01-03\n")
    place.extract()
    zone = RawZone(place.raw)
    kept = {table: place.read(table) for table in ("webhooks", "events")}
    with duckdb.connect() as connection:
        headers = f"select file_id, header, delimiter from {zone.reading('files')}"
        connection.execute(f"copy ({headers}) to '{place.raw / 'headers'}' (format parquet)")
    for folder in zone.folders():
        if cut_short and folder.first == 1:
            continue  # as if a run that brought it over was killed after this folder
        for table in ("files", *RECORD_TABLES):
            for file in parquet_files(folder.path, table):
                as_before(zone, table, file, f"from '{place.raw / 'headers'}'")
    (place.raw / "headers").unlink()
    (place.raw / "batches-0-0" / "columns.json").unlink()

    assert place.extract().files == 0

    assert {table: place.read(table) for table in kept} == kept
    files = {row["source_file"]: row["header"] for row in place.read("files") if row["header"]}
    names = [list(map(str.lower, header or [])) for header in files.values()]
    assert [[name.replace(" ", "").replace("&", "") for name in header] for header in names] == [
        ["messageid", "datetime"],
        ["timestamp", "contactid", "note", "user"],
        ["timestamp", "contactid"],
        ["contactid", "timestamp"],
    ]
    added, bob, bad, deleted = place.read("report_logs")
    assert added["fields"][:2] + added["fields"][3:] == ["2026-01-01", "7", "Lee, Ann"]
    assert (bob["fields"] or bob["raw_record"].split(","))[1] == "8"
    assert (bad["fields"], bad["parse_error"]) == (None, "expected 2 fields, found 1")
    assert (deleted["fields"] or deleted["raw_record"].split(",")) == ["9", "2026-01-03"]
    place.land("1/events/b.jsonl", json_lines(2))
    assert place.extract().files == 1
    assert event_ids(place.events()) == ["1", "2"]
