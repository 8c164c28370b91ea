"""Shows by hand-computed examples that the reference implementation knows which days downloads of logs cover."""

import gzip
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.unit.reckoned import Landing, column, event, hook, jsonl, listed_workspaces


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return listed_workspaces(tmp_path)


def test_identical_rows_of_a_file_are_two_events_and_overlapping_downloads_the_same_one(landing: Landing) -> None:
    header = "Timestamp,Contact ID,Source,User,Channel\n"
    landing.run({"1/report_logs/a.csv": header + "2025-06-01 12:00,7,User,Ana,Shop\n" * 2})
    row = "2025-06-01T12:00,07.0,User,Bo,Shop\n"
    reckoning = landing.run({"1/report_logs/b.csv.gz": gzip.compress((header + row).encode())})
    assert column(reckoning.view("contacts_connected_log"), "event_id", "user_id", "channel_id") == [
        ("report_log/connected/2025-06-01 12:00/7/Shop//1", "Bo", "Shop")
    ]
    assert column(reckoning.view("superseded_events"), "event_id", "superseded_by") == [
        (f"report_log/connected/2025-06-01 12:00/7/Shop//{n}", "report_log/connected/2025-06-01 12:00/7/Shop//1")
        for n in (1, 2)
    ]


def added_log(*times: str) -> str:
    # A contact for each time, as a contact is added once.
    rows = "".join(f"{time},{re.sub('[^0-9]', '', time) or 1}\n" for time in times)
    return f"Timestamp,Contact ID\n{rows}"


def test_days_between_downloads_that_none_covers_are_a_gap(landing: Landing) -> None:
    reckoning = landing.run(
        {
            "1/report_logs/added-1.csv": added_log("2025-06-01 23:59", "2025-06-03 00:01"),
            "1/report_logs/added-2.csv": added_log("2025-06-06 12:00", "2025-06-06 13:00", "yesterday"),
            "1/report_logs/added-3.csv": added_log("2025-06-08 12:00"),
            "1/report_logs/deleted.csv": added_log("2025-06-05 12:00"),
            "1/report_logs/added-4.csv": added_log("nonsense"),
        }
    )
    assert sorted(tuple(map(str, row.values())) for row in reckoning.view("report_log_gaps")) == [
        ("1", "added", "2025-06-04", "2025-06-05", "2", "certain"),
        ("1", "added", "2025-06-07", "2025-06-07", "1", "certain"),
    ]
    assert reckoning.view("cut_report_logs") == []


def test_a_file_of_ten_thousand_rows_covers_only_the_days_within(landing: Landing) -> None:
    start = datetime(2025, 6, 1, 12)
    rows = [f"{start + timedelta(minutes=i // 2)}" for i in range(10_000)]  # until 4 June, 23:19
    landing.run({"1/report_logs/added-1.csv": added_log(*rows)})
    reckoning = landing.run(
        {
            "1/report_logs/added-2.csv": added_log("2025-05-30 12:00"),
            "1/report_logs/added-3.csv": added_log("2025-06-04 12:00", "2025-06-05 12:00"),
            "1/report_logs/added-4.csv": added_log(*rows[1:]) + "2025-06-02 12:00\n",
            "1/report_logs/log.csv": "Timestamp,Contact ID\n" + "2025-06-02 12:00,1\n" * 10_000,
        }
    )
    names = ("event_type", "source_file", "first_date", "last_date", "days_to_download")
    cut = sorted(tuple(str(row[name]) for name in names) for row in reckoning.view("cut_report_logs"))
    assert cut == [
        ("added", "1/report_logs/added-1.csv", "2025-06-01", "2025-06-04", "1"),
        ("added", "1/report_logs/added-4.csv", "2025-06-01", "2025-06-04", "1"),
        ("unknown", "1/report_logs/log.csv", "None", "None", "0"),
    ]
    assert [str(row["first_date"]) for row in reckoning.view("report_log_gaps")] == ["2025-05-31"]


def test_the_routes_are_reconciled_day_by_day(landing: Landing) -> None:
    def created(contact_id: int, day: int) -> dict[str, object]:
        at = int(datetime(2025, 6, day, 16, tzinfo=UTC).timestamp())
        return hook("contact.created", f"w{contact_id}", contact={"id": contact_id, "created_at": at})

    reckoning = landing.run(
        {
            # Contacts 1 to 4, on as many days.
            "1/report_logs/added.csv": "Timestamp,Contact ID\n"
            + "".join(f"2025-06-0{day} 12:00,{day}\n" for day in range(1, 5)),
            "1/webhooks/a.jsonl": jsonl(created(2, 2), created(5, 3), created(6, 6)),
            "1/api/contacts-1.jsonl": jsonl({"id": 7, "created_at": 1748952000}, {"id": 1, "created_at": "soon"}),
            "1/events/a.jsonl": jsonl(event("a", "deleted", occurred_at="2025-06-01T16:00Z")),
        }
    )
    counts = [f"standing_{route}" for route in ("report_log", "events", "data_export", "webhook", "api")]
    names = ("event_type", *counts, "is_covered_by_logs", "missing_in_logs", "only_in_logs")
    by_day = {(str(row["report_date"]), *(row[name] for name in names)) for row in reckoning.view("reconciliation")}
    assert by_day == {
        ("2025-06-01", "added", 1, 0, 0, 0, 0, True, 0, 0),
        ("2025-06-01", "deleted", 0, 1, 0, 0, 0, False, 0, 0),
        ("2025-06-02", "added", 1, 0, 0, 0, 0, True, 0, 0),
        ("2025-06-03", "added", 1, 0, 0, 1, 1, True, 2, 1),
        ("2025-06-04", "added", 1, 0, 0, 0, 0, True, 0, 1),
        ("2025-06-06", "added", 0, 0, 0, 1, 0, False, 0, 0),
    }
