"""Shows by hand-computed examples that the reckoning reads the connectors' files as the contract and respond.io say."""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.reckoning.values import parse_epoch_time, parse_exported_time
from tests.unit.reckoned import NOW, Landing, column, event, hook, jsonl, listed_workspaces, states

NEW_YORK = ZoneInfo("America/New_York")


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return listed_workspaces(tmp_path)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2025-06-01 12:00:00", datetime(2025, 6, 1, 16, tzinfo=UTC)),
        ("2025-06-01T12:00", datetime(2025, 6, 1, 16, tzinfo=UTC)),
        ("2025-06-01 12:00:00.1234569", datetime(2025, 6, 1, 16, 0, 0, 123456, tzinfo=UTC)),
        ("2025-06-01 12:00:00+02", datetime(2025, 6, 1, 10, tzinfo=UTC)),
        # The hour that exists twice: the first of the two.
        ("2024-11-03 01:30:00", datetime(2024, 11, 3, 5, 30, tzinfo=UTC)),
        # The hour that does not exist: 03:30 of the summer clock.
        ("2024-03-10 02:30:00", datetime(2024, 3, 10, 7, 30, tzinfo=UTC)),
        ("2025-06-01", None),
        ("01/06/2025 12:00", None),
        ("2025-02-29 12:00", None),
    ],
)
def test_an_exported_time_without_an_offset_is_the_workspaces_wall_clock(text: str, instant: datetime | None) -> None:
    assert parse_exported_time(text, NEW_YORK) == instant


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("1748779200", datetime(2025, 6, 1, 12, tzinfo=UTC)),
        ("1748779200.5", datetime(2025, 6, 1, 12, 0, 0, 500000, tzinfo=UTC)),
        ("1748779200123", datetime(2025, 6, 1, 12, 0, 0, 123000, tzinfo=UTC)),
        ("1748779200123.4567", datetime(2025, 6, 1, 12, 0, 0, 123456, tzinfo=UTC)),
        ("1748779200123456.9", datetime(2025, 6, 1, 12, 0, 0, 123456, tzinfo=UTC)),
        ("99999999999", datetime(5138, 11, 16, 9, 46, 39, tzinfo=UTC)),
        ("100000000000", datetime(1973, 3, 3, 9, 46, 40, tzinfo=UTC)),
        ("99999999999999999999", None),
        ("2025-06-01T12:00:00Z", datetime(2025, 6, 1, 12, tzinfo=UTC)),
        ("2025-06-01T12:00:00", None),
        ("-1748779200", None),
        ("1.7e9", None),
        ("soon", None),
    ],
)
def test_the_magnitude_of_an_epoch_time_says_its_unit(text: str, instant: datetime | None) -> None:
    assert parse_epoch_time(text, NEW_YORK) == instant


def test_a_report_log_is_read_by_its_header_and_its_nulls_and_guards_are_no_values(landing: Landing) -> None:
    content = (
        "\ufeffUSER;Source;contact_id;Contact Name;Timestamp;Ad ID\r\n"
        "Ana;User;123.0;'=1+1;2025-06-01 12:00:00;1.2E+17\r\n"
        '-;Paid Ads;124;"two\r\nlines";2025-06-01T12:00:00Z;-\r\n'
        " -;-;125; padded ;2025-06-01 12:00;\r\n"
        "-;User;1.2E+08;-;2025-06-01 12:00;\r\n"
        "-;User;-;-;-;\r\n"
    )
    reckoning = landing.run({"1/report_logs/contacts-added (1).csv": content})
    names = ("event_id", "contact_name", "source", "user_id", "route")
    assert column(reckoning.view("contacts_added_log"), *names) == [
        ("report_log/added/2025-06-01 12:00/125///1", " padded ", "unknown", None, "report_log"),
        ("report_log/added/2025-06-01 12:00:00/123///1", "=1+1", "user", "Ana", "report_log"),
        ("report_log/added/2025-06-01 12:00:00Z/124///1", "two\r\nlines", "click_to_chat_ads", None, "report_log"),
    ]
    assert column(reckoning.view("contacts_added_log"), "occurred_at")[0] == datetime(2025, 6, 1, 12, tzinfo=UTC)
    assert column(reckoning.view("rejected_records"), "source_line", "reason", "detail") == [
        (6, "invalid_contact_id", "1.2E+08"),
        (7, "missing_field", "occurred_at, contact_id"),
    ]


@pytest.mark.parametrize(
    ("name", "header", "event_type"),
    [
        ("log.csv", "Primary Contact ID,Channel", "merged"),
        ("log.csv", "Contact ID,Channel", "connected"),
        ("contacts-added.csv", "Contact ID,Channel", "added"),
        ("contacts-added.csv", "Contact ID,Primary Contact ID", "unknown"),
        ("Contacts_DELETED2.csv", "Contact ID,Sub Source", "deleted"),
        ("merged.csv", "Contact ID", "merged"),
        ("reconnected-added.csv", "Contact ID", "added"),
        ("export.csv", "Contact ID,Ad group ID", "added"),
        ("added and deleted.csv", "Contact ID,Ad group ID", "added"),
        ("added and deleted.csv", "Contact ID", "unknown"),
        ("reconnected.csv", "Contact ID", "unknown"),
    ],
)
def test_the_name_says_before_the_header_which_log_a_file_is(
    landing: Landing, name: str, header: str, event_type: str
) -> None:
    values = ",".join(str(number) for number in range(7, 7 + len(header.split(","))))
    row = f"Timestamp,{header}\n2025-06-01 12:00,{values}\n"
    reckoning = landing.run({f"1/report_logs/{name}": row})
    assert column(reckoning.view("data_status"), "event_type") == [event_type]
    refused = ["unknown_event_type"] if event_type == "unknown" else []
    assert column(reckoning.view("rejected_records"), "reason") == refused
    names = ("source_file", "header", "records_rejected")
    assert column(reckoning.view("refused_files"), *names) == [
        (f"1/report_logs/{name}", f"Timestamp,{header}", 1) for _ in refused
    ]


def test_the_primary_contact_of_a_merged_log_remains_and_the_first_of_doubled_columns_counts(landing: Landing) -> None:
    header = "Timestamp,Contact ID,Primary Contact ID,Merged Contact ID,primary_contact_id\n"
    reckoning = landing.run(
        {
            "1/report_logs/a.csv": header + "2025-06-01 12:00,1,2,3.0,9\n2025-06-01 12:01,1,2,-,9\n",
            "1/report_logs/merged.csv": "Timestamp,Contact ID\n2025-06-01 12:01,4\n",
            "1/report_logs/z.csv": header + "2025-06-01 12:00,1,5,5,9\n2025-06-01 12:00,1,5,1e3,9\n",
        }
    )
    assert column(reckoning.view("contacts_merged_log"), "event_id", "primary_contact_id", "merged_contact_id") == [
        ("report_log/merged/2025-06-01 12:00/2//3/1", 2, 3),
        ("report_log/merged/2025-06-01 12:01/2///1", 2, None),
        ("report_log/merged/2025-06-01 12:01/4///1", 4, None),
    ]
    assert column(reckoning.view("rejected_records"), "reason", "detail") == [
        ("invalid_contact_id", "1e3"),
        ("merged_into_itself", "5"),
    ]


def test_exported_contacts_are_added_and_of_exported_messages_the_first_of_a_contact_and_channel(
    landing: Landing,
) -> None:
    messages = (
        "Date & Time,Sender ID,Sender Type,Contact ID,Message ID,Content,Channel ID\n"
        "2025-06-01 12:02,1,user,7,101,later,1\n"
        "2025-06-01 12:01,1,echo,7,0102.0,first,01.0\n"
        "2025-06-01 12:03,-,contact,7,103,elsewhere,2\n"
        "2025-06-01 12:04,1,import,7,104,refused,1\n"
        "2025-06-01 12:05,1,user,-,-,refused,1\n"
    )
    reckoning = landing.run(
        {
            "1/data_export/a.csv": "ContactID,FirstName,LastName,DateTimeCreated\n7,-,Lovelace,2025-06-01 12:00\n",
            "1/data_export/contacts.csv": messages,
            "1/data_export/Messages.csv": "Contact ID,Date & Time\n7,2025-06-01 12:00\n",
            "1/data_export/other.csv": "Contact ID,Date & Time\n7,2025-06-01 13:00\n",
        }
    )
    assert column(reckoning.view("contacts_added_log"), "event_id", "contact_name", "source", "route") == [
        ("data_export/contact/7", "Lovelace", "unknown", "data_export")
    ]
    assert column(reckoning.view("contacts_connected_log"), "event_id", "source", "channel_id") == [
        ("data_export/message/102", "echo_message", "1"),
        ("data_export/message/103", "incoming_message", "2"),
    ]
    assert column(reckoning.view("rejected_records"), "reason", "detail") == [
        ("missing_field", "event_id"),
        ("missing_field", "event_id, contact_id"),
        ("source_not_allowed", "import"),
        ("unknown_event_type", "neither the header nor the name of the file says what was exported"),
    ]
    assert column(reckoning.view("superseded_events"), "event_id", "reason", "superseded_by") == [
        ("data_export/message/101", "same_fact", "data_export/message/102")
    ]
    assert ("1/data_export/contacts.csv", 5, 2, 1, 2, 0) in states(landing)
    assert column(reckoning.view("data_status"), "event_type", "records_superseded") == [
        ("added", 0),
        ("connected", 1),
        ("unknown", 0),
    ]


def test_webhooks_tell_of_contacts_and_messages_and_those_of_other_types_are_ignored(landing: Landing) -> None:
    failed = {"timestamp": 1748779200, "status": [{"value": "pending"}, {"value": "Failed"}]}
    sent_at_last = {"timestamp": 1748779201, "status": [{"value": "failed"}, {"value": "sent"}]}
    reckoning = landing.run(
        {
            "1/webhooks/a.jsonl": jsonl(
                hook("Contact.Created", "a"),
                hook("message.received", "b", contact_id=None),
                hook("message.sent", "c", sender={"source": "user", "userId": 3}, channel={"id": 2}, user={"id": 4}),
                hook("message.sent", "d", sender={"source": "user"}, user={"id": 4}, message=sent_at_last),
                hook("message.sent", "e", message=failed),
                hook("message.received", "f", contact_id=9, message=failed, sender={"source": "ai_agent"}),
                hook("conversation.opened", None, contact_id="x"),  # type: ignore[arg-type]
                hook(5),
                "[1]",
                hook(None, "g"),
                hook("contact.created", "h", contact={"id": 7}),
                hook("message.sent", "i", contact={"id": "1e3"}),
                hook("message.sent", "j", message={"timestamp": "soon"}),
            )
        }
    )
    assert column(reckoning.view("contacts_added_log"), "event_id", "contact_name", "source", "route") == [
        ("a", "Ana", "unknown", "webhook")
    ]
    names = ("event_id", "contact_id", "source", "user_id", "channel_id")
    assert column(reckoning.view("contacts_connected_log"), *names) == [
        ("b", 8, "incoming_message", None, "1"),
        ("c", 7, "user", "3", "2"),
        ("d", 7, "user", "4", None),
        ("f", 9, "other", None, None),
    ]
    assert column(reckoning.view("rejected_records"), "source_line", "reason", "detail") == [
        (10, "missing_field", "event_type"),
        (11, "missing_field", "occurred_at"),
        (12, "invalid_contact_id", "1e3"),
        (13, "invalid_occurred_at", "soon"),
        (9, "malformed_record", None),
    ]
    assert states(landing) == [("1/webhooks/a.jsonl", 13, 5, 0, 5, 3)]
    assert column(reckoning.view("data_status"), "event_type", "records_landed", "records_ignored") == [
        ("added", 2, 0),
        ("connected", 6, 0),
        ("unknown", 5, 3),
    ]


def test_webhooks_of_a_workspace_that_is_not_listed_are_ignored_before_they_are_refused(landing: Landing) -> None:
    landing.run({"9/webhooks/a.jsonl.gz": gzip.compress(jsonl(hook("call.ended"), hook("contact.created")).encode())})
    assert states(landing) == [("9/webhooks/a.jsonl.gz", 2, 0, 0, 1, 1)]


def test_contacts_of_the_api_are_added_without_a_source(landing: Landing) -> None:
    contacts: list[dict[str, object]] = [
        {"id": 7, "firstName": "Ana", "lastName": "Li", "created_at": 1748779200},
        {"id": None},
    ]
    reckoning = landing.run(
        {
            "1/api/contacts-1.jsonl": jsonl(*contacts),
            "1/api/contacts.jsonl": jsonl(*contacts),
            "1/report_logs/contacts-added.txt": "Timestamp,Contact ID\n",
        }
    )
    names = ("event_id", "contact_name", "source", "route")
    assert column(reckoning.view("contacts_added_log"), *names) == [("api/contact/7", "Ana Li", "unknown", "api")]
    assert column(reckoning.view("rejected_records"), "reason", "detail") == [
        ("missing_field", "occurred_at, contact_id")
    ]
    assert len(states(landing)) == 1


def test_logs_and_events_stand_before_the_other_routes_and_then_the_earliest(landing: Landing) -> None:
    def superseded() -> list[object]:
        return column(landing.reckoning.view("superseded_events"), "event_id", "route", "superseded_by")

    landing.run({"1/api/contacts-1.jsonl": jsonl({"id": 7, "created_at": 1748000000})})
    landing.run({"1/webhooks/a.jsonl": jsonl(hook("contact.created", "a"))})
    assert superseded() == [("a", "webhook", "api/contact/7")]
    landing.run({"1/data_export/a.csv": "ContactID,DateTimeCreated\n7,2025-06-02 12:00\n"})
    landing.run({"1/report_logs/added.csv": "Timestamp,Contact ID\n2025-06-03 12:00,7\n"})
    landing.run({"1/events/a.jsonl": jsonl(event("e", occurred_at="2025-06-04T12:00Z"))})
    log = "report_log/added/2025-06-03 12:00/7///1"
    assert superseded() == [
        ("a", "webhook", log),
        ("api/contact/7", "api", log),
        ("data_export/contact/7", "data_export", log),
        ("e", "events", log),
    ]


def test_the_same_event_sent_again_by_another_route_is_the_last_loaded_one(landing: Landing) -> None:
    landing.run({"1/webhooks/a.jsonl": jsonl(hook("contact.created", "a"))})
    reckoning = landing.run({"1/events/a.jsonl": jsonl(event("a", contact_id=8))})
    assert column(reckoning.view("contacts_added_log"), "contact_id", "route") == [(8, "events")]


def test_a_file_is_known_by_its_bytes_within_its_kind(landing: Landing) -> None:
    content = jsonl({"id": 7, "created_at": 1748779200, "event_type": "x", "event_id": "a"})
    landing.run({"1/webhooks/a.jsonl": content, "1/api/contacts-a.jsonl": content})
    landing.run(
        {"1/webhooks/b.jsonl": content, "1/api/contacts-b.jsonl": content, "1/webhooks/.c.jsonl": content + "\n"}
    )
    assert states(landing) == [("1/api/contacts-a.jsonl", 1, 1, 0, 0, 0), ("1/webhooks/a.jsonl", 1, 0, 0, 0, 1)]


def test_names_stand_for_ids_that_have_or_had_them(landing: Landing) -> None:
    log = "Timestamp,Contact ID,Source,User,Channel\n2025-06-01 12:00,7,User,Ana,Shop\n"

    def named() -> list[object]:
        names = ("user_id", "user_name", "channel_id", "channel_name")
        return column(landing.reckoning.view("contacts_connected_log"), *names)

    landing.run({"1/report_logs/a.csv": log, "1/webhooks/a.jsonl": jsonl(hook("message.received", "w"))})
    assert named() == [("Ana", "Ana", "Shop", "Shop"), (None, None, "1", "1")]
    landing.run(
        {"1/users/a.csv": "user_id,user_name,deleted_at\n5,Ana,2025-07-01\n", "1/channels/a.csv": channel("Shop")}
    )
    assert named() == [("5", "5", "1", "Shop")]
    landing.run({"1/users/b.csv": "user_id,user_name\n6,Ana\n", "1/channels/b.csv": channel("Store")})
    # The first Ana was deleted after the event, the second was not at all. The one channel was called Shop before.
    assert named() == [("5", "5", "1", "Store")]


def channel(name: str) -> str:
    return f"channel_id,channel_name,channel_type\n1,{name},whatsapp\n"


def test_a_text_that_is_an_id_is_not_taken_for_a_name(landing: Landing) -> None:
    users = "user_id,user_name\n1,02\n2,Bo\n4,007\n"
    landing.run({"1/users/a.csv": users})
    reckoning = landing.load_events(
        event("a", contact_id=1, source="user", user_id="02"),
        event("b", contact_id=2, source="user", user_id="007"),
        event("c", contact_id=3, source="user", user_id="08"),
        event("d", contact_id=4, source="user", user_id="bo"),
    )
    assert column(reckoning.view("contacts_added_log"), "event_id", "user_id", "user_name") == [
        ("a", "2", "Bo"),
        ("b", "7", "7"),
        ("c", "8", "8"),
        ("d", "bo", "bo"),
    ]


def test_what_a_listing_of_the_api_no_longer_has_is_deleted_until_it_comes_back(landing: Landing) -> None:
    def users() -> list[object]:
        return column(landing.reckoning.view("users"), "user_id", "user_name", "is_deleted")

    ana, bo = {"id": 1, "firstName": "Ana", "lastName": None}, {"id": "02", "firstName": "", "email": "bo@x.io"}
    landing.run({"1/api/users.jsonl": jsonl(ana, bo, "nonsense"), "1/users/a.csv": "user_id,user_name\n3,Cy\n"})
    assert users() == [("1", "Ana", False), ("2", "bo@x.io", False), ("3", "Cy", False)]
    landing.run({"1/api/users.jsonl": jsonl(bo)})
    assert users() == [("1", "1", True), ("2", "bo@x.io", False), ("3", "Cy", False)]
    landing.run({"1/api/users.jsonl": jsonl(ana | {"lastName": "Li"})})
    assert users() == [("1", "Ana Li", False), ("2", "2", True), ("3", "Cy", False)]
    landing.run({"1/users/b.csv": "user_id,user_name\n2,Bo\n"})
    landing.run({"1/api/users.jsonl": jsonl(ana)})
    assert users() == [("1", "Ana", False), ("2", "Bo", False), ("3", "Cy", False)]


def test_channels_of_the_api_have_names_and_types_and_keep_them_when_deleted(landing: Landing) -> None:
    landing.run({"1/api/channels.jsonl": jsonl({"id": 1, "name": "Shop", "source": "whatsapp"})})
    reckoning = landing.run({"1/api/channels.jsonl": ""})
    names = ("channel_id", "channel_name", "channel_type", "is_deleted")
    assert column(reckoning.view("channels"), *names) == [("1", "Shop", "whatsapp", True)]


def test_the_samples_of_webhooks_are_read_as_respond_io_documents_them(landing: Landing) -> None:
    received = {
        "contact": {"id": 1, "firstName": "John", "lastName": "Doe", "assignee": {"id": 2}, "created_at": 1663274081},
        "message": {"messageId": 1262965213, "contactId": 123, "channelId": 123, "timestamp": 1662965213}
        | {"status": [{"value": "pending"}, {"value": "failed", "message": "Failed reason"}]},
        "channel": {"id": 1, "name": "string", "source": "facebook", "meta": "{}"},
        "event_type": "message.received",
        "event_id": "313ba4a0",
    }
    reckoning = landing.run({"1/webhooks/a.jsonl": json.dumps(received)})
    (row,) = reckoning.view("contacts_connected_log")
    assert (row["contact_id"], row["contact_name"], row["channel_id"], row["source"]) == (
        *(1, "John Doe", "1"),
        "incoming_message",
    )
    assert row["occurred_at"] == datetime(2022, 9, 12, 6, 46, 53, tzinfo=UTC) < NOW
