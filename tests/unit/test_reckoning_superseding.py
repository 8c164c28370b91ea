"""Shows by hand-computed examples which records supersede which, and which days the downloads cover."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.unit.reckoned import WORKSPACES, Landing, column, event, jsonl

NOON = int(datetime(2025, 6, 1, 16, tzinfo=UTC).timestamp())  # in New York
LOG = "Timestamp,Contact ID,Channel\n"


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    landing = Landing(tmp_path)
    landing.run({"workspaces.csv": WORKSPACES})
    return landing


def message(
    event_id: str, *statuses: str, hook: str = "message.sent", contact_id: int = 7, channel: object = 1, day: int = 1
) -> dict[str, object]:
    """A webhook of a message at noon of a day of June 2025; its id is the event's without what follows a dash."""
    sent = {"messageId": event_id.split("-")[0], "channelId": channel, "timestamp": NOON + (day - 1) * 86400}
    status = {"status": [{"value": value} for value in statuses]} if statuses else {}
    return {"event_type": hook, "event_id": event_id, "contact": {"id": contact_id}, "message": sent | status}


def connected_log(*rows: tuple[int, int, str]) -> str:
    """Rows of day, contact and channel, at noon."""
    return LOG + "".join(f"2025-06-{day:02} 12:00:00,{contact},{channel}\n" for day, contact, channel in rows)


def standing(landing: Landing) -> list[object]:
    return column(landing.reckoning.view("contacts_connected_log"), "event_id")


def superseded(landing: Landing) -> list[object]:
    return column(landing.reckoning.view("superseded_events"), "event_id", "reason", "superseded_by")


@pytest.mark.parametrize(
    ("reports", "stands"),
    [
        ([["pending"]], True),
        ([["pending"], ["pending", "failed"]], False),
        ([["pending", "Failed"], ["pending"], []], False),
        ([["sent"], ["failed"], ["delivered"]], True),
        ([["delivered", "failed"], ["sent", "pending"]], False),
        ([["failed", "sent"], ["pending"]], True),
    ],
)
@pytest.mark.parametrize("in_one_run", [True, False])
def test_the_last_reported_status_of_a_message_decides(
    landing: Landing, reports: list[list[str]], stands: bool, in_one_run: bool
) -> None:
    for number, statuses in enumerate([["pending"], *reports]):
        path = f"1/webhooks/{number}.jsonl"
        landing.run({path: jsonl(message(f"100-{number}", *statuses), *[message("200-1")] * in_one_run)})
    assert [text for text in standing(landing) if str(text).startswith("100")] == (["100-0"] if stands else [])


def test_a_failed_message_retracts_its_webhooks_and_exports_and_what_they_superseded(landing: Landing) -> None:
    export = "Date & Time,Contact ID,Message ID,Channel ID\n2025-06-01 12:00,7,0100.0,1\n2025-06-01 13:00,7,300,1\n"
    landing.run(
        {
            "1/webhooks/1.jsonl": jsonl(message("100-a", "pending"), message("100-a", "sent")),
            "1/webhooks/2.jsonl": jsonl(message("100-b", hook="message.received"), message("100-c", "failed")),
            "1/data_export/messages.csv": export,
        }
    )
    assert standing(landing) == ["data_export/message/300"]
    assert superseded(landing) == [
        ("100-a", "same_event", None),
        ("100-a", "same_event", None),
        ("100-b", "same_event", None),
        ("data_export/message/100", "same_event", None),
    ]
    landing.run({"1/webhooks/3.jsonl": jsonl(message("100-d", "failed", "delivered"))})
    # The first by its time, then by its id.
    assert standing(landing) == ["100-a"]
    assert superseded(landing)[0] == ("100-a", "same_event", "100-a")


def test_less_detail_gives_way_to_more_within_a_second(landing: Landing) -> None:
    at = {"occurred_at": "2025-06-01T12:00:00.9Z"}
    landing.load_events(
        event("a", "connected"),
        event("b", "connected", channel_id="2", **at),
        event("c", "connected", channel_id="1", **at),
        event("d", "connected", occurred_at="2025-06-01T12:00:01Z"),
        event("e", "connected", 8),
        event("f", "merged"),
        event("g", "merged", merged_contact_id=9, **at),
        event("h", "merged", 9),
    )
    assert standing(landing) == ["b", "c", "d", "e"]
    assert column(landing.reckoning.view("contacts_merged_log"), "event_id") == ["g", "h"]
    assert superseded(landing) == [("a", "less_detail", "b"), ("f", "less_detail", "g")]


def test_less_detail_gives_way_to_what_stands_for_the_more_detailed(landing: Landing) -> None:
    landing.run({"1/report_logs/connected.csv": "Timestamp,Contact ID\n2025-06-01 12:00:00,7\n"})
    assert standing(landing) == ["report_log/connected/2025-06-01 12:00:00/7///1"]
    landing.run({"1/webhooks/a.jsonl": jsonl(message("100"))})
    landing.run({"1/report_logs/z.csv": connected_log((5, 7, "1"))})
    first = "report_log/connected/2025-06-05 12:00:00/7/1//1"
    assert superseded(landing) == [
        ("100", "same_fact", first),
        ("report_log/connected/2025-06-01 12:00:00/7///1", "less_detail", first),
    ]


def test_logs_and_events_come_first_and_of_the_other_routes_the_earliest(landing: Landing) -> None:
    landing.run({"1/webhooks/a.jsonl": jsonl(message("100", day=3))})
    export = "Date & Time,Contact ID,Message ID,Channel ID\n"
    landing.run({"1/data_export/messages.csv": export + "2025-06-04 12:00,7,200,1\n2025-06-02 12:00,7,201,1\n"})
    assert standing(landing) == ["data_export/message/201"]
    assert column(landing.reckoning.view("superseded_events"), "reason") == ["same_fact", "same_fact"]
    landing.load_events(event("e", "connected", channel_id=1, occurred_at="2025-07-01T00:00Z"))
    assert standing(landing) == ["e"]


def test_who_is_not_in_a_log_that_covers_the_day_was_connected_before(landing: Landing) -> None:
    hooks = [message(str(number), contact_id=number, day=number) for number in range(1, 7)]
    # The log has contact 3 on another day, contact 4 by its second.
    landing.run({"1/webhooks/a.jsonl": jsonl(*hooks, message("44", contact_id=4, day=4, channel=9))})
    landing.run({"1/report_logs/a.csv": connected_log((2, 21, "1"), (4, 4, "1"), (5, 3, "1"), (6, 26, "1"))})
    landing.run({"1/report_logs/b.csv": connected_log((6, 26, "1"), (9, 29, "1"))})
    log = "report_log/connected/2025-06-{0:02} 12:00:00/{1}/1//1"
    assert superseded(landing) == [
        ("3", "same_fact", log.format(5, 3)),
        ("4", "same_fact", log.format(4, 4)),
        ("44", "not_in_log", None),
        ("5", "not_in_log", None),
        (log.format(6, 26), "same_event", log.format(6, 26)),
    ]
    # The first and the last day of a download may be covered in part only.
    assert {"1", "2", "6"} <= set(standing(landing))
    names = ("report_date", "standing_webhook", "is_covered_by_logs", "is_provisional", "not_in_log")
    rows = {str(row["report_date"])[-2:]: row for row in landing.reckoning.view("reconciliation")}
    assert [rows["01"][name] for name in names[1:]] == [1, False, True, 0]
    assert [rows["02"][name] for name in names[1:]] == [1, True, False, 0]
    assert [rows["04"][name] for name in names[1:]] == [0, True, False, 1]
    assert rows["05"]["not_in_log"] == 1


def test_what_an_event_superseded_is_superseded_by_none_when_no_log_lists_it(landing: Landing) -> None:
    landing.run({"1/webhooks/a.jsonl": jsonl(message("100", day=3), message("101", day=4), message("101", day=4))})
    landing.run({"1/report_logs/contacts-connected.csv": connected_log((1, 1, "1"), (9, 9, "1"))})
    assert superseded(landing) == [
        ("100", "not_in_log", None),
        ("101", "same_event", None),
        ("101", "same_fact", None),
    ]
    counts = {str(row["report_date"])[-2:]: row for row in landing.reckoning.view("reconciliation")}
    assert [counts["03"][name] for name in ("standing_webhook", "is_provisional", "not_in_log")] == [0, False, 1]


def test_what_took_the_place_of_a_row_without_its_channel_is_in_the_log(landing: Landing) -> None:
    rows = "2025-06-01 12:00:00,1\n2025-06-03 12:00:00,7\n2025-06-09 12:00:00,9\n"
    landing.run({"1/report_logs/contacts-connected.csv": f"Timestamp,Contact ID\n{rows}"})
    landing.run({"1/webhooks/a.jsonl": jsonl(message("100", day=3), message("101", contact_id=8, day=4))})
    assert "100" in standing(landing)
    assert superseded(landing) == [
        ("101", "not_in_log", None),
        ("report_log/connected/2025-06-03 12:00:00/7///1", "less_detail", "100"),
    ]


def test_a_cut_log_and_the_dates_in_a_name_say_nothing_of_who_is_not_listed(landing: Landing) -> None:
    landing.run({"1/webhooks/a.jsonl": jsonl(message("100", day=3))})
    landing.run({"1/report_logs/connected 2025-06-01 2025-06-30.csv": connected_log((2, 1, "1"), (2, 2, "1"))})
    cut = connected_log((1, 1, "1"), *[(9, number, "1") for number in range(101, 10_100)])
    landing.run({"1/report_logs/contacts-connected.csv": cut})
    assert "100" in standing(landing)
    landing.run({"1/report_logs/contacts-connected-2.csv": cut + "2025-06-10 12:00:00,1,1\n"})
    assert "100" not in standing(landing)


def gaps(landing: Landing) -> list[tuple[str, ...]]:
    names = ("event_type", "first_date", "last_date", "days", "certainty")
    return sorted(tuple(str(row[name]) for name in names) for row in landing.reckoning.view("report_log_gaps"))


def deleted_log(*days: int) -> str:
    return "Timestamp,Contact ID\n" + "".join(f"2025-06-{day:02} 12:00:00,{day}\n" for day in days)


def test_a_gap_is_certain_only_in_a_log_of_an_event_a_day(landing: Landing) -> None:
    landing.run({"1/report_logs/deleted-1.csv": deleted_log(1, 3), "1/report_logs/deleted-2.csv": deleted_log(6)})
    assert gaps(landing) == [("deleted", "2025-06-04", "2025-06-05", "2", "possible")]
    # The same events again make no more of them.
    landing.run({"1/report_logs/deleted-3.csv": deleted_log(3, 1)})
    assert gaps(landing)[0][-1] == "possible"
    landing.run({"1/report_logs/deleted-4.csv": deleted_log(2)})
    assert gaps(landing)[0][-1] == "certain"


def test_two_dates_in_the_name_of_a_download_are_the_days_that_it_covers(landing: Landing) -> None:
    landing.run(
        {
            "1/report_logs/deleted-1.csv": deleted_log(1),
            "1/report_logs/contacts-deleted_2025-06-05_2025-06-10.csv": deleted_log(4, 7),
            "1/report_logs/contacts-deleted 2025-06-12 2025-06-13 (1).csv": deleted_log(),
            # Not covered: one date, no order, a log that nobody knows, and a workspace that is not listed.
            "1/report_logs/contacts-deleted-2025-06-14.csv": deleted_log(16),
            "1/report_logs/contacts-deleted-2025-06-30-2025-06-20.csv": deleted_log(18),
            "1/report_logs/log 2025-06-20 2025-06-30.csv": deleted_log(25),
            "9/report_logs/deleted 2025-06-20 2025-06-30.csv": deleted_log(25),
        }
    )
    assert [gap[1:3] for gap in gaps(landing)] == [
        ("2025-06-02", "2025-06-03"),
        ("2025-06-11", "2025-06-11"),
        ("2025-06-14", "2025-06-15"),
        ("2025-06-17", "2025-06-17"),
    ]


def test_a_contact_is_gone_once_and_a_merge_of_an_unknown_one_counts(landing: Landing) -> None:
    def on(day: int) -> str:
        return f"2025-06-{day:02}T12:00Z"

    landing.load_events(
        *(event(f"a{number}", contact_id=number, occurred_at=on(1)) for number in range(1, 6)),
        event("m1", "merged", 1, merged_contact_id=2, occurred_at=on(3)),
        event("m2", "merged", 3, merged_contact_id=2, occurred_at=on(2)),
        event("d2", "deleted", 2, occurred_at=on(4)),
        event("d1", "deleted", 1, occurred_at=on(4)),
        event("m3", "merged", 3, occurred_at=on(4)),
        event("m4", "merged", 3, occurred_at="2025-06-04T13:00Z"),
    )
    growth = column(landing.reckoning.view("contacts_net_growth"), "net_growth", "running_total", "contacts_merged")
    assert growth == [(-1, 4, 1), (-3, 1, 2), (0, 4, 1), (5, 5, 0)]
