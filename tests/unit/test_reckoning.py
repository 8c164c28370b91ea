"""Shows by hand-computed examples from the contract that the reckoning which other tests trust is right."""

import gzip
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

import duckdb
import pytest

from tests.reckoning import comparable_row
from tests.reckoning.views import VIEWS
from tests.streams import make_deliveries
from tests.unit.reckoned import NOW, WORKSPACES, Landing, column, event, jsonl

STATES = ("standing", "superseded", "rejected", "ignored")


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(tmp_path)


def test_each_record_is_rejected_for_the_first_reason_that_applies(landing: Landing) -> None:
    reckoning = landing.load_events(
        "[1]",
        '{"event_id": NaN}',
        event(" ", "nonsense", contact_id=None),
        event("a", "nonsense", contact_id="x"),
        event("b", contact_id="+5", occurred_at="never"),
        event("c", "merged", merged_contact_id=0, occurred_at="never"),
        event("d", occurred_at=" never ", source="broadcast"),
        event("e", "deleted", source=" Carrier  Pigeon"),
        event("f", "merged", merged_contact_id="007.0"),
        event("g", "merged", merged_contact_id="007.0", source="api"),
        event("h", merged_contact_id="7"),
    )
    assert column(reckoning.view("rejected_records"), "source_line", "reason", "detail") == [
        (1, "malformed_record", None),
        (10, "source_not_allowed", "api"),
        (2, "malformed_record", None),
        (3, "missing_field", "event_id, contact_id"),
        (4, "unknown_event_type", "nonsense"),
        (5, "invalid_contact_id", "+5"),
        (6, "invalid_contact_id", "0"),
        (7, "invalid_occurred_at", "never"),
        (8, "source_not_allowed", "Carrier  Pigeon"),
        (9, "merged_into_itself", "007.0"),
    ]
    assert column(reckoning.view("contacts_added_log"), "event_id") == ["h"]


def test_times_are_validated_against_the_year_2000_and_their_own_loading(landing: Landing) -> None:
    tomorrow, later = "2026-11-23T12:00:00Z", "2026-11-23T12:00:00.000001Z"
    landing.load_events(
        event("a", contact_id=1, occurred_at=tomorrow),
        event("b", contact_id=2, occurred_at=later),
        event("c", contact_id=3, occurred_at="2000-01-01T00:00:00Z"),
        event("d", contact_id=4, occurred_at="1999-12-31T23:59:59.999999Z"),
    )
    reckoning = landing.load_events(event("e", contact_id=5, occurred_at=later))
    assert column(reckoning.view("contacts_added_log"), "event_id") == ["a", "c", "e"]
    assert column(reckoning.view("rejected_records"), "detail") == ["1999-12-31T23:59:59.999999Z", later]


def test_the_last_loaded_of_the_same_event_stands_unless_it_is_rejected(landing: Landing) -> None:
    landing.load_events(event("e", contact_id=1), event("e", contact_id=2))
    reckoning = landing.load_events(event("e", contact_id=3), event("e", contact_id="x"))
    assert column(reckoning.view("contacts_added_log"), "contact_id") == [3]
    assert column(reckoning.view("superseded_events"), "contact_id", "superseded_by") == [(1, "e"), (2, "e")]


def test_of_the_same_fact_the_earliest_then_the_smallest_id_stands(landing: Landing) -> None:
    reckoning = landing.load_events(
        event("late", contact_id=1, occurred_at="2025-06-01T12:00:01Z"),
        event("é", contact_id="01"),
        event("z", contact_id="1.0"),
        event("earlier, but of another type", "deleted", 1, occurred_at="2025-05-01T00:00Z"),
    )
    assert column(reckoning.view("contacts_added_log"), "event_id") == ["z"]
    assert column(reckoning.view("superseded_events"), "event_id", "superseded_by") == [
        ("late", "z"),
        ("é", "z"),
    ]


def test_an_event_sent_again_is_superseded_by_the_one_that_stands_in_the_end(landing: Landing) -> None:
    reckoning = landing.load_events(
        event("a", contact_id=1, occurred_at="2025-06-01T00:00Z"),
        event("b", contact_id=1, occurred_at="2025-01-01T00:00Z"),
        event("a", contact_id=1, occurred_at="2025-07-01T00:00Z"),
        event("b", contact_id=2, occurred_at="2025-08-01T00:00Z"),
        event("c", contact_id=1, occurred_at="2025-06-15T00:00Z"),
    )
    assert column(reckoning.view("contacts_added_log"), "event_id", "contact_id") == [("b", 2), ("c", 1)]
    assert column(reckoning.view("superseded_events"), "event_id", "superseded_by") == [
        ("a", "c"),
        ("a", "c"),
        ("b", "b"),
    ]


def test_a_contact_is_newly_connected_once_on_each_channel(landing: Landing) -> None:
    reckoning = landing.load_events(
        event("a", "connected", channel_id="1"),
        event("b", "connected", channel_id="01.0"),
        event("c", "connected", channel_id="2"),
        event("d", "connected", occurred_at="2025-06-01T13:00:00Z"),
        event("e", "connected", channel_id=" ", occurred_at="2025-06-01T14:00:00Z"),
    )
    assert column(reckoning.view("contacts_connected_log"), "event_id", "channel_id", "channel_name") == [
        ("a", "1", "1"),
        ("c", "2", "2"),
        ("d", None, "Unknown"),
    ]


def test_merges_without_the_merged_contact_are_the_same_within_a_second(landing: Landing) -> None:
    reckoning = landing.load_events(
        event("a", "merged", occurred_at="2025-06-01T12:00:00.9Z"),
        event("b", "merged", occurred_at="2025-06-01T14:00:00.1+02:00"),
        event("c", "merged", occurred_at="2025-06-01T12:00:01Z"),
        event("d", "merged", merged_contact_id="8", occurred_at="2025-06-01T12:00:02Z"),
    )
    assert column(reckoning.view("contacts_merged_log"), "event_id", "merged_contact_id") == [
        ("b", None),
        ("c", None),
        ("d", 8),
    ]


def test_days_are_the_workspaces_own_and_the_overview_leaves_none_out(landing: Landing) -> None:
    reckoning = landing.run(
        {
            "workspaces.csv": WORKSPACES,
            "1/events/a.jsonl": jsonl(
                event("a", contact_id=1, occurred_at="2025-03-09T04:59:59Z"),
                event("b", contact_id=2, occurred_at="2025-03-10T03:59:59Z"),
                event("c", "connected", occurred_at="2025-03-12T03:59:59Z"),
            ),
            "2/events/a.jsonl": jsonl(event("a", occurred_at="2025-01-01T13:00Z")),
        }
    )
    assert [row["occurred_at_local"] for row in reckoning.view("contacts_added_log")] == [
        datetime(2025, 3, 8, 23, 59, 59),
        datetime(2025, 3, 9, 23, 59, 59),
        datetime(2025, 1, 2, 0, 0),
    ]
    assert column(reckoning.view("contacts_overview"), "workspace_id", "report_date", "contacts_added") == [
        ("1", date(2025, 3, 10), 0),
        ("1", date(2025, 3, 11), 0),
        ("1", date(2025, 3, 8), 1),
        ("1", date(2025, 3, 9), 1),
        ("2", date(2025, 1, 2), 1),
    ]


def test_a_file_is_loaded_once_by_its_bytes_and_again_in_full_when_it_changed(landing: Landing) -> None:
    first, second = jsonl(event("a")), jsonl(event("a"), event("b", contact_id=8))
    landing.run({"workspaces.csv": WORKSPACES, "1/events/a.jsonl": first, "1/events/b.jsonl": first})
    landing.run({"1/events/a.jsonl": second, "2/events/a.jsonl": first})
    reckoning = landing.run({"1/events/a.jsonl": first, "1/events/c.jsonl": second})
    assert column(reckoning.view("load_balance"), "source_file", "loaded_at", "records_landed") == [
        ("1/events/a.jsonl", NOW, 1),
        ("1/events/a.jsonl", NOW + timedelta(hours=1), 2),
        ("2/events/a.jsonl", NOW + timedelta(hours=1), 1),
    ]


def test_incomplete_files_wait_and_unreadable_ones_are_named_until_replaced(landing: Landing) -> None:
    content = jsonl(event("a")).encode()
    files: dict[str, str | bytes | None] = {
        "workspaces.csv": WORKSPACES,
        "1/events/.a.jsonl": content,
        "1/events/b.jsonl.tmp": content,
        "1/events/c.jsonl.part": content,
        "1/events/d.jsonl.gz": gzip.compress(content)[:-4],
        "1/events/e.parquet": b"PAR1 and no more",
    }
    for _ in range(2):
        reckoning = landing.run(files)
        assert reckoning.unreadable == ["1/events/d.jsonl.gz", "1/events/e.parquet"]
        assert reckoning.view("load_balance") == []
    reckoning = landing.run({"1/events/d.jsonl.gz": gzip.compress(content), "1/events/e.parquet": None})
    assert reckoning.unreadable == []
    assert column(reckoning.view("contacts_added_log"), "event_id") == ["a"]


def test_csv_records_keep_their_text_and_start_at_their_physical_line(landing: Landing) -> None:
    content = (
        b"\xef\xbb\xbf Event_ID ;EVENT_TYPE;occurred_at;contact_id;contact_name\r\n"
        b"\r\n"
        b'a;Added;2025-06-01T12:00Z; 1 ;"two\r\n\r\nlines; ""quoted"""\r\n'
        b"b;added;2025-06-01T12:00Z;2; NULL\r\n"
        b"c;added;2025-06-01T12:00Z;3\r\n"
        b"d;added;2025-06-01T12:00Z;4;caf\xe9\r\n"
        b'e;added;"2025-06-01T12:00Z";0;""'
    )
    reckoning = landing.run({"workspaces.csv": WORKSPACES, "1/events/a.csv.gz": gzip.compress(content)})
    assert column(reckoning.view("contacts_added_log"), "contact_id", "contact_name") == [
        (1, 'two\r\n\r\nlines; "quoted"'),
        (2, " NULL"),
    ]
    assert column(reckoning.view("rejected_records"), "source_line", "reason", "raw_record") == [
        (7, "malformed_record", "c;added;2025-06-01T12:00Z;3"),
        (8, "malformed_record", r"d;added;2025-06-01T12:00Z;4;caf\xE9"),
        (9, "invalid_contact_id", 'e;added;"2025-06-01T12:00Z";0;""'),
    ]


def test_json_values_count_by_their_text(landing: Landing) -> None:
    start = '{"event_type": "ADDED", "occurred_at": "2025-06-01T12:00Z", '
    reckoning = landing.load_events(
        "\ufeff" + start + '"event_id": 1, "contact_id": 007}',
        start + '"event_id": 1.50, "contact_id": 12.0, "contact_name": true, "source": null, "user_id": 5}',
        "   ",
        start + '"event_id": 1, "contact_id": 1e3}',
    )
    names = ("event_id", "contact_id", "contact_name", "source", "user_id")
    assert column(reckoning.view("contacts_added_log"), *names) == [("1.50", 12, "true", "unknown", None)]
    assert column(reckoning.view("rejected_records"), "source_line", "reason", "detail") == [
        (1, "malformed_record", None),
        (4, "invalid_contact_id", "1e3"),
    ]


def test_parquet_rows_are_read_by_their_text_and_their_instants(landing: Landing) -> None:
    path = landing.folder / "1" / "events" / "a.parquet"
    path.parent.mkdir(parents=True)
    duckdb.sql(
        "select * from (values ('a', 'added', timestamptz '2025-06-01 12:00:00.5+02', 12.0::double, 1),"
        " ('b', 'added', null, 13.5, 2)) rows(event_id, event_type, occurred_at, contact_id, extra)"
    ).write_parquet(str(path))
    reckoning = landing.run({"workspaces.csv": WORKSPACES})
    assert column(reckoning.view("contacts_added_log"), "contact_id", "occurred_at") == [
        (12, datetime(2025, 6, 1, 10, 0, 0, 500000, tzinfo=UTC))
    ]
    (rejected,) = reckoning.view("rejected_records")
    assert (rejected["source_line"], rejected["detail"]) == (2, "occurred_at")
    same_row = '{"event_id": "b", "event_type": "added", "contact_id": 13.5, "extra": 2}'
    assert comparable_row(str(rejected["raw_record"])) == comparable_row(same_row)


def test_rows_of_a_workspace_load_and_leave_with_its_listing(landing: Landing) -> None:
    reckoning = landing.run(
        {
            "workspaces.csv": "workspace_id,workspace_name,timezone\n",
            "1/events/a.jsonl": jsonl(event("a"), "nonsense"),
            "1/users/users.csv": "user_id,user_name,deleted_at\n1,Ana,\n",
        }
    )
    listed_views = ("contacts_added_log", "users", "workspaces", "contacts_overview")
    assert [len(reckoning.view(name)) for name in listed_views] == [0, 0, 0, 0]
    assert column(reckoning.view("rejected_records"), "reason") == ["malformed_record", *["unknown_workspace"] * 2]
    landing.run({"workspaces.csv": WORKSPACES})
    assert [len(reckoning.view(name)) for name in listed_views] == [1, 1, 2, 1]
    landing.run({"workspaces.csv": "workspace_id,workspace_name,timezone\n2,Lord Howe,Australia/Lord_Howe\n"})
    assert [len(reckoning.view(name)) for name in listed_views] == [0, 0, 1, 0]


def test_directories_name_users_and_channels_by_their_latest_row(landing: Landing) -> None:
    old = "user_id,user_name,deleted_at\n1,Ana,\n2,Bo,\n3,Cy,\n"
    landing.run({"workspaces.csv": WORKSPACES, "1/users/users.csv": old})
    landing.run({"1/users/users.csv": "user_id,user_name,deleted_at\n01.0,Ana Maria,\n2,Bo,2025-01-01\n"})
    reckoning = landing.run(
        {
            "1/users/users.csv": old + "4,Di\n",
            "1/users/z.csv": "deleted_at;USER_ID\n2025-01-01;3\n",
            "1/channels/a.csv": "channel_id,channel_name,channel_type,deleted_at\n1,Shop,whatsapp,2025-01-01\n",
            "1/events/a.jsonl": jsonl(
                event("a", contact_id=1, source="user", user_id="1"),
                event("b", contact_id=2, source="user", user_id="003"),
                event("c", contact_id=3, source="user", user_id="u-x"),
                event("d", contact_id=4, source="zapier", user_id="1"),
                event("e", "connected", channel_id="1.0"),
                event("f", "connected", channel_id="9"),
            ),
        }
    )
    assert column(reckoning.view("contacts_added_log"), "event_id", "user_id", "user_name") == [
        ("a", "1", "Ana"),
        ("b", "3", "3"),
        ("c", "u-x", "u-x"),
        ("d", None, None),
    ]
    assert column(reckoning.view("users"), "user_id", "user_name", "is_deleted") == [
        ("1", "Ana", False),
        ("2", "Bo", False),
        ("3", "3", True),
    ]
    names = ("channel_id", "channel_name", "channel_type")
    assert column(reckoning.view("contacts_connected_by_channel"), *names) == [
        ("1", "Shop", "whatsapp"),
        ("9", "9", None),
    ]


def test_data_status_counts_each_record_under_the_type_it_claims(landing: Landing) -> None:
    landing.load_events(event("a"), event("a", source="user"), event("b", "Added", contact_id="x"), event("c", "new"))
    reckoning = landing.load_events(event("a", "added", contact_id=None), "nonsense")
    assert sorted(map(tuple, (row.values() for row in reckoning.view("data_status")))) == [
        ("1", "added", *[datetime(2025, 6, 1, 12, tzinfo=UTC)] * 2, NOW + timedelta(hours=1), 4, 1, 1, 2, 0),
        ("1", "unknown", None, None, NOW + timedelta(hours=1), 2, 0, 0, 2, 0),
    ]


def test_contacts_survive_as_the_end_of_their_chain_of_merges(landing: Landing) -> None:
    def merged(event_id: str, away: int, into: int, day: int) -> dict[str, object]:
        occurred_at = f"2025-06-{day:02}T00:00Z"
        return event(event_id, "merged", into, merged_contact_id=away, occurred_at=occurred_at)

    reckoning = landing.load_events(
        merged("a", 1, 9, day=1),
        merged("b", 1, 2, day=2),
        merged("c", 2, 3, day=1),
        event("d", "deleted", 2, occurred_at="2025-06-03T00:00Z"),
        event("e", "deleted", 1, occurred_at="2025-06-02T00:00Z"),
        event("f", "deleted", 9),
        merged("g", 4, 5, day=4),
        merged("h", 5, 6, day=6),
        merged("i", 6, 4, day=5),
        merged("j", 7, 4, day=1),
    )
    assert column(reckoning.contacts(), "contact_id", "status", "survivor_contact_id") == [
        (1, "merged", 3),
        (2, "deleted", 3),
        (3, "active", 3),
        (4, "merged", 6),
        (5, "merged", 6),
        (6, "merged", 6),
        (7, "merged", 6),
        (9, "deleted", 9),
    ]
    (first,) = (row for row in reckoning.contacts() if row["contact_id"] == 1)
    assert first["first_event_at"] == datetime(2025, 6, 1, tzinfo=UTC)
    assert first["last_event_at"] == datetime(2025, 6, 2, tzinfo=UTC)


@pytest.mark.parametrize("seed", range(8))
def test_random_histories_reckon_and_nothing_is_lost(landing: Landing, seed: int) -> None:
    reckoning = landing.reckoning
    for delivery in make_deliveries(Random(seed), deliveries=4, events=30):
        landing.run(dict(delivery))
        views = {name: reckoning.view(name) for name in VIEWS}
        landed: Counter[str] = Counter()
        for row in views["load_balance"]:
            counts = {state: int(str(row[f"records_{state}"])) for state in STATES}
            assert row["records_landed"] == sum(counts.values())
            landed.update(counts)
        logs = ("contacts_added_log", "contacts_connected_log", "contacts_deleted_log", "contacts_merged_log")
        assert landed["standing"] == sum(len(views[log]) for log in logs)
        assert landed["superseded"] == len(views["superseded_events"])
        assert landed["rejected"] == len(views["rejected_records"])
        standing = {(row["workspace_id"], row["event_id"]) for log in logs for row in views[log]}
        assert len(standing) == landed["standing"]
        replaced = [row for row in views["superseded_events"] if row["superseded_by"] is not None]
        assert {(row["workspace_id"], row["superseded_by"]) for row in replaced} <= standing
        assert bool(reckoning.contacts()) == bool(standing)
