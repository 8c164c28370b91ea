"""Shows by hand-computed examples that the reckoning reads files as the contract says: quotes and encodings."""

import codecs
import math
from pathlib import Path

import duckdb
import pytest

from tests.reckoning import Reckoning
from tests.unit.reckoned import WORKSPACES, Landing, column, event, jsonl

HEADER = "event_id,event_type,occurred_at,contact_id,contact_name\n"


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    landing = Landing(tmp_path)
    landing.run({"workspaces.csv": WORKSPACES})
    return landing


def row(number: int, name: str = "Ana") -> str:
    return f"e{number},added,2025-06-01T12:00Z,{number},{name}\n"


def added(reckoning: Reckoning) -> list[object]:
    return column(reckoning.view("contacts_added_log"), "contact_id", "contact_name")


def rejected(reckoning: Reckoning) -> list[object]:
    return column(reckoning.view("rejected_records"), "source_line", "reason", "raw_record")


@pytest.mark.parametrize(
    ("rows", "malformed", "accepted", "names"),
    [
        # Never closed: a line inside is a record, or the file ends inside.
        (row(1, '"Ana') + row(2), [2], [2], ["Ana"]),
        (row(1) + row(2, '"Ana'), [3], [1], ["Ana"]),
        (row(1, '"Ana').rstrip("\n"), [2], [], []),
        # In a middle column, and where the line before and the line after have a quoted field of their own.
        (row(1) + f'e2,"added{row(2)[8:]}' + row(3), [3], [1, 3], ["Ana", "Ana"]),
        # Closed by another mistake two lines on; the line between is a record.
        (row(1, '"Ana') + row(2) + row(3, '"Bo"'), [2], [2, 3], ["Ana", "Bo"]),
        # Two mistakes, each on its own line.
        (row(1, '"Ana') + row(2) + row(3, '"Bo') + row(4), [2, 4], [2, 4], ["Ana", "Ana"]),
        # Neither blank lines nor lines with other numbers of fields are records.
        (row(1, '"Ana\n\nof, Rome\n"'), [], [1], ["Ana\n\nof, Rome\n"]),
        # A quote within a field is a sign like any other.
        (row(1, 'Ana "A" Li'), [], [1], ['Ana "A" Li']),
        (row(1, '"Ana ""A"" Li"'), [], [1], ['Ana "A" Li']),
        # The line with the closing quote is a record by itself, too.
        (row(1, '"Ana') + row(2, 'Bo"'), [2], [2], ['Bo"']),
        # The end of a field in the first column has the separators of a record by nature.
        (row(1).replace("e1", '"e\n1"'), [], [1], ["Ana"]),
        # Of a row with a mistaken quote each line costs itself.
        (row(1).replace("e1", '"e\n1"').replace("Ana", '"Ana') + row(2), [2, 3], [2], ["Ana"]),
        # Two consecutive lines, each with a quote that is never closed.
        (row(1, '"Ana') + row(2, '"Bo') + row(3), [2, 3], [3], ["Ana"]),
    ],
)
def test_a_mistaken_quote_costs_its_own_line_only(
    landing: Landing, rows: str, malformed: list[int], accepted: list[int], names: list[str]
) -> None:
    reckoning = landing.run({"1/events/a.csv": HEADER + rows})
    assert added(reckoning) == list(zip(accepted, names, strict=True))
    assert column(reckoning.view("rejected_records"), "source_line", "reason") == [
        (line, "malformed_record") for line in malformed
    ]


def test_a_line_of_a_mistaken_quote_is_kept_as_it_landed(landing: Landing) -> None:
    reckoning = landing.run({"1/events/a.csv": HEADER + row(1, '"Ana') + row(2)})
    assert rejected(reckoning) == [(2, "malformed_record", row(1, '"Ana').rstrip("\n"))]


def test_mistaken_quotes_in_logs_exports_and_directories_cost_their_own_line_only(landing: Landing) -> None:
    reckoning = landing.run(
        {
            "1/report_logs/contacts-added.csv": 'Timestamp,Contact ID\n2025-06-01 12:00,"1\n2025-06-01 12:00,2\n',
            "1/data_export/contacts.csv": 'ContactID;DateTimeCreated\n3;"2025-06-01 12:00\n4;2025-06-01 12:00\n',
            "1/users/users.csv": 'user_id,user_name,deleted_at\n1,"Ana,\n2,Bo,\n',
        }
    )
    assert column(reckoning.view("contacts_added_log"), "contact_id") == [2, 4]
    assert column(reckoning.view("users"), "user_id") == ["2"]
    assert column(reckoning.view("rejected_records"), "route", "source_line") == [
        ("data_export", 2),
        ("report_log", 2),
        ("users", 2),
    ]


@pytest.mark.parametrize(
    "content",
    [
        HEADER.replace(",", "\t") + row(1, "Li; Ana").replace(",", "\t"),
        HEADER.replace(",", ";").replace("contact_name", "contact_name;city, country")
        + row(1, "Li, Ana;Lyon").replace(",", ";", 4),
        "sep=;\n" + HEADER.replace(",", ";") + row(1, "Li").replace(",", ";"),
        "\ufeffSEP=|\r\n\n" + HEADER.replace(",", "|") + row(1, "Li, Ana").replace(",", "|", 4),
    ],
)
def test_the_separator_is_the_one_that_is_said_or_gives_the_most_known_columns(landing: Landing, content: str) -> None:
    reckoning = landing.run({"1/events/a.csv": content})
    assert len(added(reckoning)) == 1
    assert not rejected(reckoning)


def test_byte_order_marks_are_no_records_at_the_start_and_between_files(landing: Landing) -> None:
    lines = [jsonl(event(f"j{number}", contact_id=number)) for number in (1, 2)]
    reckoning = landing.run(
        {
            "1/events/a.csv": "\ufeff\ufeff" + HEADER + row(3) + "\ufeff" + row(4, '"two\nlines"') + "\ufeff\n",
            "1/events/a.jsonl": "\ufeff\ufeff" + lines[0] + "\ufeff" + lines[1] + "\ufeff\n\ufeff\ufeffnonsense\n",
        }
    )
    assert column(reckoning.view("contacts_added_log"), "contact_id") == [1, 2, 3, 4]
    assert rejected(reckoning) == [(4, "malformed_record", "nonsense")]


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_read_where_a_mark_says_it(landing: Landing, codec: str) -> None:
    mark = codecs.BOM_UTF16_LE if codec == "utf-16-le" else codecs.BOM_UTF16_BE
    content = HEADER + row(1, "李 🦆") + "short\n"
    reckoning = landing.run({"1/events/a.csv": mark + content.encode(codec)})
    assert added(reckoning) == [(1, "李 🦆")]
    assert rejected(reckoning) == [(3, "malformed_record", "short")]


def test_ansi_text_is_refused_without_the_setting_and_read_with_it(tmp_path: Path) -> None:
    files: dict[str, str | bytes | None] = {
        "workspaces.csv": WORKSPACES,
        "1/events/a.csv": (HEADER + row(1, "Zoé") + row(2)).encode("cp1252"),
        "1/events/b.csv": HEADER + row(3, "Zoé"),
        "1/users/a.csv": "user_id,user_name\n7,Zoé\n8,Bob\n".encode("cp1252"),
    }
    without, with_setting = Landing(tmp_path / "without"), Landing(tmp_path / "with", Reckoning(encoding="cp1252"))
    assert added(without.run(files)) == [(2, "Ana"), (3, "Zoé")]
    assert column(without.reckoning.view("users"), "user_name") == ["Bob"]
    assert rejected(without.reckoning)[1] == (2, "malformed_record", r"e1,added,2025-06-01T12:00Z,1,Zo\xE9")
    assert added(with_setting.run(files)) == [(1, "Zoé"), (2, "Ana"), (3, "Zoé")]
    assert column(with_setting.reckoning.view("users"), "user_name") == ["Bob", "Zoé"]


def test_half_a_surrogate_pair_is_the_replacement_character(landing: Landing) -> None:
    reckoning = landing.load_events(
        '{"event_id": "a\\ud83d", "event_type": "added", "occurred_at": "2025-06-01T12:00Z", "contact_id": 1}',
        event("b", contact_id=2, contact_name="\ud83e\udd86"),
        event("c", contact_id=3, contact_name="\udd86\ud83e", note={"\ud83e": ["\ud83e"]}),
    )
    assert column(reckoning.view("contacts_added_log"), "event_id", "contact_name") == [
        ("a\ufffd", None),
        ("b", "🦆"),
        ("c", "\ufffd\ufffd"),
    ]


def test_nan_in_a_parquet_file_is_absent_but_for_a_name(landing: Landing) -> None:
    path = landing.folder / "1" / "events" / "a.parquet"
    path.parent.mkdir(parents=True)
    nan = math.nan
    duckdb.sql(
        "select 'a' as event_id, 'connected' as event_type, timestamptz '2025-06-01 12:00:00+00' as occurred_at,"
        " 7 as contact_id, $nan::double as contact_name, $nan::float as channel_id, 'x' as file_row_number",
        params={"nan": nan},
    ).write_parquet(str(path))
    reckoning = landing.run({})
    assert column(reckoning.view("contacts_connected_log"), "channel_id", "contact_name") == [(None, "nan")]


def test_columns_of_logs_are_known_in_french_and_unknown_headers_are_named_once_a_file(landing: Landing) -> None:
    french = "Horodatage;ID du contact principal;Nom du contact;Source;Utilisateur\n2025-06-01 12:00;7;Ana;-;9\n"
    spanish = "Marca de tiempo,ID de contacto,Fuente\n"
    reckoning = landing.run(
        {
            "1/report_logs/journal.csv": french,
            "1/report_logs/contacts-added.csv": spanish + "2025-06-01 12:00,1,Usuario\n" * 2,
            "1/report_logs/contactos.csv": spanish + "2025-06-01 12:00,2,Usuario\n",
            "1/data_export/contacts.csv": "Contacto,Fecha\n1,2\nx\n",
            "1/report_logs/contacts-deleted.csv": spanish,
        }
    )
    assert column(reckoning.view("contacts_merged_log"), "primary_contact_id", "user_id") == [(7, "9")]
    assert column(reckoning.view("refused_files"), "source_file", "header", "records_rejected") == [
        ("1/data_export/contacts.csv", "Contacto,Fecha", 2),
        ("1/report_logs/contactos.csv", spanish.rstrip(), 1),
        ("1/report_logs/contacts-added.csv", spanish.rstrip(), 2),
        ("1/report_logs/contacts-deleted.csv", spanish.rstrip(), 0),
    ]


def test_a_contacts_field_of_ones_own_may_be_called_like_a_column(landing: Landing) -> None:
    header = "ContactID,DateTimeCreated,Message ID,Contact ID,Channel ID\n"
    reckoning = landing.run({"1/data_export/a.csv": header + "7,2025-06-01 12:00,m-1,X-1,9\n"})
    assert column(reckoning.view("contacts_added_log"), "contact_id") == [7]


@pytest.mark.parametrize("shortened", ["1.76277E+15", "1,5e+3", "2E+05"])
def test_ids_that_a_spreadsheet_shortened_are_refused(landing: Landing, shortened: str) -> None:
    message = "Date & Time,Contact ID,Message ID,Channel ID\n"
    reckoning = landing.run(
        {
            "1/events/a.jsonl": jsonl(
                event(f" {shortened} "),
                event("b", "connected", channel_id=shortened),
                event("c", source="user", user_id=shortened),
                event("d", source="user", user_id=shortened, contact_id="x"),
                event("e", contact_id=shortened),
                event(shortened, "nonsense"),
                # Where they are not looked at, and ids that only look like them.
                event("f", "added", 1, channel_id=shortened, user_id=shortened, source="zapier"),
                event("1e3", contact_id=2),
                event("12E+5", contact_id=3),
            ),
            "1/data_export/messages.csv": f'{message}2025-06-01 12:00,1,"{shortened}",7\n',
            "1/webhooks/a.jsonl": jsonl(
                {"event_type": "contact.created", "event_id": shortened, "contact": {"id": 1, "created_at": 1748779200}}
            ),
        }
    )
    assert column(reckoning.view("rejected_records"), "source_file", "source_line", "reason", "detail") == [
        ("1/data_export/messages.csv", 2, "invalid_event_id", shortened),
        *(("1/events/a.jsonl", line, "invalid_event_id", shortened) for line in (1, 2, 3, 4)),
        ("1/events/a.jsonl", 5, "invalid_contact_id", shortened),
        ("1/events/a.jsonl", 6, "unknown_event_type", "nonsense"),
        ("1/webhooks/a.jsonl", 1, "invalid_event_id", shortened),
    ]
    assert column(reckoning.view("contacts_added_log"), "event_id") == ["12E+5", "1e3", "f"]
