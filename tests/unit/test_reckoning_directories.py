"""Shows by hand-computed examples how the reckoning knows users and channels, and resolves their names by time."""

from pathlib import Path

import pytest

from tests.reckoning import Reckoning
from tests.unit.reckoned import NOW, WORKSPACES, Landing, column, event, jsonl

USERS = "user_id,user_name,deleted_at\n"


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    landing = Landing(tmp_path)
    landing.run({"workspaces.csv": WORKSPACES})
    return landing


def users(reckoning: Reckoning) -> list[object]:
    return column(reckoning.view("users"), "user_id", "user_name", "is_deleted")


def resolved(landing: Landing, *names: str, occurred_at: str = "2025-06-01T12:00:00Z") -> list[object]:
    """The ids that names stand for in events at a time."""
    events = [
        event(f"n{number}", contact_id=number + 1, source="user", user_id=name, occurred_at=occurred_at)
        for number, name in enumerate(names)
    ]
    log = landing.load_events(*events).view("contacts_added_log")
    ids = {row["event_id"]: row["user_id"] for row in log}
    return [ids[sent["event_id"]] for sent in events]


def hook(event_type: object = "call.ended", **more: object) -> dict[str, object]:
    return {"event_type": event_type, "event_id": "h"} | more


@pytest.mark.parametrize(
    ("deleted_at", "expected"),
    [
        *((text, False) for text in ("", "  ", "NULL", "null", "\\N", "\\n", "-", "None", "NaN", "FALSE", "0")),
        *((text, False) for text in ("0000-00-00", "0000-00-00 00:00:00", "0000-00-00T00:00:00Z")),
        *((text, True) for text in ("2025-01-01", " 2025-01-01T00:00Z ", "2025-01-01 00:00:00.5+02", "1970-01-01")),
        *((text, None) for text in ("yes", "true", "1", "2025", "2025-02-30", "01/02/2025", "0000-00-01")),
    ],
)
def test_deleted_at_is_a_time_or_one_of_the_ways_to_say_none(
    landing: Landing, deleted_at: str, expected: bool | None
) -> None:
    reckoning = landing.run({"1/users/a.csv": f"{USERS}1,Ana,{deleted_at}\n"})
    assert column(reckoning.view("users"), "is_deleted") == ([] if expected is None else [expected])
    assert column(reckoning.view("rejected_records"), "reason", "detail") == (
        [("invalid_deleted_at", deleted_at)] if expected is None else []
    )


def test_rows_of_directories_that_cannot_be_used_are_rejected_and_change_nothing(landing: Landing) -> None:
    landing.run({"1/users/a.csv": f"{USERS}1,Ana,\n2,Bo,\n"})
    reckoning = landing.run(
        {
            "1/users/a.csv": f"{USERS}1,Anna,soon\n2,Bob\n ,Cy,\n1E+3,Di,\n4,Ed,-\n",
            "1/channels/a.csv": "channel_name,deleted_at\nShop,\n",
            "9/users/a.csv": f"{USERS}1,Ana,soon\n",
            "1/api/users.jsonl": jsonl({"id": None}, {"id": "1.5e+03"}, {"id": 5, "email": "flo@x.io"}, "[1]"),
        }
    )
    assert users(reckoning) == [("1", "Ana", False), ("2", "Bo", False), ("4", "Ed", False), ("5", "flo@x.io", False)]
    rows = column(reckoning.view("rejected_records"), "route", "source_line", "reason", "detail", "raw_record")
    assert rows == [
        ("api_users", 1, "missing_field", "user_id", '{"id": null}'),
        ("api_users", 2, "invalid_event_id", "1.5e+03", '{"id": "1.5e+03"}'),
        ("api_users", 4, "malformed_record", None, "[1]"),
        ("channels", 2, "missing_field", "channel_id", "Shop,"),
        ("users", 2, "invalid_deleted_at", "soon", "1,Anna,soon"),
        ("users", 2, "unknown_workspace", "9", "1,Ana,soon"),
        ("users", 3, "malformed_record", None, "2,Bob"),
        ("users", 4, "missing_field", "user_id", " ,Cy,"),
        ("users", 5, "invalid_event_id", "1E+3", "1E+3,Di,"),
    ]
    counts = ("route", "records_landed", "records_standing", "records_rejected", "records_ignored")
    assert column(reckoning.view("load_balance"), *counts) == [
        ("api_users", 4, 0, 3, 1),
        ("channels", 1, 0, 1, 0),
        ("users", 1, 0, 1, 0),
        ("users", 2, 0, 0, 2),
        ("users", 5, 0, 4, 1),
    ]
    assert reckoning.view("data_status") == []


def test_a_listing_with_a_broken_line_deletes_nobody_until_the_next_whole_one(landing: Landing) -> None:
    def listed(*ids: int, broken: bool = False) -> list[object]:
        lines: list[dict[str, object] | str] = [{"id": number, "firstName": f"U{number}"} for number in ids]
        landing.run({"1/api/users.jsonl": jsonl(*lines, *["{"] * broken)})
        return column(landing.reckoning.view("users"), "user_id", "is_deleted")

    assert listed(1, 2) == [("1", False), ("2", False)]
    assert listed(3, broken=True) == [("1", False), ("2", False), ("3", False)]
    assert listed(2) == [("1", True), ("2", False), ("3", True)]
    # What is gone for good is not deleted again.
    landing.run({"1/users/a.csv": "user_id,user_name\n1,Ana\n"})
    assert listed(2, 4) == [("1", False), ("2", False), ("3", True), ("4", False)]


def test_webhooks_name_users_and_channels_that_nothing_else_lists(landing: Landing) -> None:
    reckoning = landing.run(
        {
            "1/channels/a.csv": "channel_id,channel_name,channel_type\n1,Shop,whatsapp\n1E+3,Bad,\n",
            "1/webhooks/a.jsonl": jsonl(
                hook(channel={"id": 2, "name": " Web ", "source": "web"}, user={"id": "07.0", "firstName": "Ana"}),
                hook("contact.created", channel={"id": 1, "name": "Other"}, user={"id": 8, "firstName": " "}),
                hook(None, user={"id": 9, "firstName": "Bo", "lastName": "Li"}, channel={"id": 2, "name": "Web 2"}),
                hook(user={"id": 9}, channel={"id": None, "name": "None"}),
                hook(user=5, channel=[1]),
                '{"user": {"id": 10, "firstName": "Cut"}',
            ),
        }
    )
    assert users(reckoning) == [("7", "Ana", False), ("9", "Bo Li", False)]
    assert column(reckoning.view("channels"), "channel_id", "channel_name", "channel_type") == [
        ("1", "Shop", "whatsapp"),
        ("2", "Web 2", None),
    ]
    # The name that the channel had is still known, and no longer once a directory lists it.
    assert resolved(landing, "Ana", "Bo Li", "Cut") == ["7", "9", "Cut"]
    reckoning = landing.run({"1/users/a.csv": "user_id,user_name\n7,Zoe\n"})
    assert users(reckoning) == [("7", "Zoe", False), ("9", "Bo Li", False)]
    assert resolved(landing, "Ana", "Zoe") == ["Ana", "7"]


def test_a_name_is_of_those_that_have_it_now_and_else_of_those_that_had_it(landing: Landing) -> None:
    landing.run({"1/users/a.csv": USERS + "1,Ana,\n2,Bo,\n3,Cy,\n"})
    landing.run({"1/users/b.csv": USERS + "1,Ann,\n2,Ana,\n3,Di,\n4,Cy,\n5,Ed,\n"})
    landing.run({"1/users/c.csv": USERS + "4,Cyd,\n"})
    # Ana is the second today; Cy was the third's name, and the fourth's; Ann is called so now.
    assert resolved(landing, "Ana", "Ann", "Bo", "Cy", "ana", " Ed ") == ["2", "1", "2", "Cy", "ana", "5"]


@pytest.mark.parametrize(
    ("occurred_at", "user_id"),
    [
        ("2025-01-31T23:59:59Z", "1"),
        # Deleted at the very time of the event, and after it.
        ("2025-02-01T00:00:00Z", "2"),
        ("2025-02-28T12:00:00Z", "2"),
        ("2025-03-01T05:00:00Z", "3"),
    ],
)
def test_of_those_of_a_name_the_one_whose_deletion_was_first_after_the_event_is_meant(
    landing: Landing, occurred_at: str, user_id: str
) -> None:
    # The second was deleted at midnight in New York, five hours after that of UTC.
    landing.run({"1/users/a.csv": USERS + "1,Ana,2025-02-01T00:00:00Z\n2,Ana,2025-03-01\n3,Ana,\n4,Bo,\n"})
    assert resolved(landing, "Ana", occurred_at=occurred_at) == [user_id]


def test_a_name_that_several_may_mean_or_that_only_deleted_ones_had_stays_text(landing: Landing) -> None:
    names = "1,Ana,2025-02-01\n2,Ana,2025-02-01\n3,Bo,\n4,Bo,\n5,Cy,2025-02-01\n"
    landing.run({"1/users/a.csv": USERS + names + "6,Di,2026-01-01\n7,Di,2026-01-01\n8,Di,\n"})
    assert resolved(landing, "Ana", "Bo", "Cy", "Di", occurred_at="2025-01-01T00:00Z") == ["Ana", "Bo", "5", "Di"]
    assert resolved(landing, "Ana", "Bo", "Cy", "Di", occurred_at="2025-06-01T00:00Z") == ["Ana", "Bo", "Cy", "Di"]


def test_one_who_is_no_longer_listed_by_the_api_is_deleted_when_that_was_loaded(landing: Landing) -> None:
    landing.run({"1/api/users.jsonl": jsonl({"id": 1, "firstName": "Ana"})})
    landing.run({"1/api/users.jsonl": jsonl({"id": 2, "firstName": "Ana"})})
    assert resolved(landing, "Ana") == ["1"]
    assert resolved(landing, "Ana", occurred_at=f"{NOW:%Y-%m-%d}T23:00:00Z") == ["2"]


def test_a_channel_known_to_a_log_by_name_and_to_webhooks_by_id_is_one(landing: Landing) -> None:
    log = "Timestamp,Contact ID,Channel\n2025-06-01 08:00:00,7,Web\n"
    message = {"contactId": 7, "channelId": 70, "timestamp": 1748779201}
    body = hook("message.received", contact={"id": 7}, message=message, channel={"id": 70, "name": "Web"})
    reckoning = landing.run({"1/report_logs/contacts-connected.csv": log, "1/webhooks/a.jsonl": jsonl(body)})
    assert column(reckoning.view("contacts_connected_log"), "route", "channel_id", "channel_name") == [
        ("report_log", "70", "Web")
    ]
