"""A reader of the published file that never stops: opens it whenever it changed, and asks whether it is consistent.

`python -m tests.faults.reader <published file> <file that ends it>` prints polls, publications seen and errors as JSON.
"""

import json
import sys
import time
from pathlib import Path

import duckdb

# Each has to be true whatever was loaded: views of different tables say the same.
INVARIANTS = {
    "the overview is the logs": """
        select
            (select coalesce(sum(contacts_added), 0) from reports.contacts_overview)
            = (select count(*) from reports.contacts_added_log)
            and (select coalesce(sum(contacts_deleted), 0) from reports.contacts_overview)
            = (select count(*) from reports.contacts_deleted_log)
            and (select coalesce(sum(contacts_merged), 0) from reports.contacts_overview)
            = (select count(*) from reports.contacts_merged_log)""",
    "the daily reports are the logs": """
        select
            (select coalesce(sum(contacts_added), 0) from reports.contacts_added_by_source)
            = (select count(*) from reports.contacts_added_log)
            and (select coalesce(sum(contacts_connected), 0) from reports.contacts_connected_by_channel)
            = (select count(*) from reports.contacts_connected_log)""",
    "what landed adds up": """
        select bool_and(
            records_landed = records_standing + records_superseded + records_rejected + records_ignored
        ) from quality.load_balance""",
    "what is rejected is there": """
        select
            (select sum(records_rejected) from quality.load_balance)
            = (select count(*) from quality.rejected_records)
        """,
    "the status is the balance of the files of events": """
        select
            (select sum(records_landed) from reports.data_status)
            = (
                select sum(records_landed) from quality.load_balance
                where route in (select route from seeds.routes where brings_events)
            )
        """,
    "every loaded file is of a batch that was built": """
        select max(batch_id) <= (select batch_id from intermediate.build_state) from staging.stg_files""",
}
# How often it looks whether the file changed, which costs next to nothing, and when it opens one that did not.
LOOK_SECONDS, OPEN_SECONDS = 0.005, 1.0


def poll(published: Path) -> tuple[int, list[str]]:
    """Open the file, and check everything. Returns its newest batch, and what is not so."""
    with duckdb.connect(str(published), read_only=True) as connection:
        row = connection.execute("select batch_id from intermediate.build_state").fetchone()
        assert row is not None
        wrong = []
        for what, query in INVARIANTS.items():
            answer = connection.execute(query).fetchone()
            if answer is None or answer[0] is False:
                wrong.append(f"batch {row[0]}: not so: {what}")
    return int(row[0]), wrong


def main(published: Path, end: Path) -> None:
    polls, newest, publications = 0, 0, set()
    errors: list[str] = []
    seen, opened = None, 0.0
    while not end.exists():
        time.sleep(LOOK_SECONDS)
        try:
            status = published.stat()
            state = status.st_ino, status.st_size, status.st_mtime_ns
            if state == seen and time.monotonic() - opened < OPEN_SECONDS:
                continue
            seen, opened = state, time.monotonic()
            publications.add(status.st_ino)
            polls += 1
            batch, wrong = poll(published)
            errors += wrong
            if batch < newest:
                errors.append(f"batch {batch} after batch {newest}")
            newest = max(newest, batch)
        except Exception as error:
            errors.append(f"{type(error).__name__}: {error}")
    print(json.dumps({"polls": polls, "publications": len(publications), "errors": errors}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
