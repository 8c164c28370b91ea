"""Every row of a Parquet file arrives, whatever columns and types it has."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from orchestration.lib.extraction import extract as extract_module
from orchestration.lib.extraction.parts import NewFile
from tests.integration.extraction.place import Place, event_ids, refuse_constant


def test_columns_of_parquet_are_brought_as_text(place: Place) -> None:
    place.land_parquet(
        "1/events/a.parquet",
        """
        select
            123::double as CONTACT_ID, 9::decimal(18, 0) as merged_contact_id, 7::utinyint as user_id,
            timestamptz '2024-03-01 10:00:00.123456+02' as occurred_at, 'x'::blob as event_id,
            'added'::enum('added') as event_type, null::varchar as source, ' NULL ' as contact_name
        """,
    )
    place.land_parquet("1/events/b.parquet", "select '007' as contact_id, timestamp '2024-03-01 10:00' as occurred_at")

    assert place.extract().warnings == []

    first, second = place.events()
    assert (first["contact_id"], first["merged_contact_id"], first["user_id"]) == ("123.0", "9", "7")
    assert first["occurred_at"] == "2024-03-01 08:00:00.123456+00"
    assert (first["event_id"], first["event_type"], first["source"]) == ("x", "added", None)
    assert (first["contact_name"], first["channel_id"]) == (" NULL ", None)
    assert set(first["number_fields"].split(",")) == {"contact_id", "merged_contact_id", "user_id"}
    assert (first["source_line"], first["raw_record"], first["extra_fields"]) == (1, None, None)
    assert (second["contact_id"], second["occurred_at"]) == ("007", "2024-03-01 10:00:00")
    assert second["number_fields"] == ""


def test_rows_of_parquet_are_counted_from_one_through_all_row_groups(place: Place) -> None:
    place.land_parquet(
        "1/events/a.parquet", "select range::varchar as event_id from range(10000)", ", row_group_size 2048"
    )

    place.extract()

    assert [(row["source_line"], row["event_id"]) for row in place.events()] == [(i + 1, str(i)) for i in range(10000)]


def test_a_timestamp_of_nanoseconds_with_a_time_zone_keeps_its_offset(place: Place) -> None:
    # DuckDB writes no such column, pandas does: in the footer, only the flag "adjusted to UTC" differs.
    file = place.land_parquet(
        "1/events/a.parquet", "select timestamp_ns '2024-03-01 10:00:00.123456789' as occurred_at"
    )
    without_zone, with_zone = bytes.fromhex("121c3c000000"), bytes.fromhex("111c3c000000")
    assert file.read_bytes().count(without_zone) == 1
    place.land("1/events/b.parquet", file.read_bytes().replace(without_zone, with_zone))

    assert place.extract().warnings == []

    assert [row["occurred_at"] for row in place.events()] == [
        "2024-03-01 10:00:00.123456789",
        "2024-03-01 10:00:00.123456+00",
    ]


def test_unknown_columns_of_parquet_are_kept(place: Place) -> None:
    place.land_parquet(
        "1/events/a.parquet",
        """
        select
            'x' as event_id, 1 as "odd "" name, é", [1, 2] as list, {'a': 'b'} as struct, null::int as nothing,
            'text' as text, date '2024-01-02' as day, true as yes, 'y' as filename, 'z' as batch_id
        """,
    )

    assert place.extract().warnings == []

    assert json.loads(place.events()[0]["extra_fields"]) == {
        'odd " name, é': 1,
        "list": [1, 2],
        "struct": {"a": "b"},
        "nothing": None,
        "text": "text",
        "day": "2024-01-02",
        "yes": True,
        "filename": "y",
        "batch_id": "z",
    }


def test_unknown_numbers_of_parquet_are_kept_as_they_are_in_json(place: Place) -> None:
    place.land_parquet(
        "1/events/a.parquet",
        "select 9007199254740993::bigint as a, 1234567890123456789012.12::decimal(38, 2) as b, "
        "'nan'::double as c, '-inf'::float as d",
    )

    place.extract()

    extra = json.loads(
        place.events()[0]["extra_fields"], parse_int=str, parse_float=str, parse_constant=refuse_constant
    )
    assert (extra["a"], extra["b"]) == ("9007199254740993", "1234567890123456789012.12")
    assert {"c", "d"} <= set(extra)


@pytest.mark.parametrize(
    "columns",
    [
        "'\\xFF\\x00'::blob as picture",
        "interval 1 day as i",
        "uuid() as u",
        "map {'a': 1} as m",
    ],
)
def test_an_unknown_column_of_any_name_and_type_does_not_cost_a_parquet_file_its_records(
    place: Place, columns: str
) -> None:
    place.land_parquet("1/events/a.parquet", f"select 'x' as event_id, {columns}")

    result = place.extract()

    assert result.warnings == []
    assert event_ids(place.events()) == ["x"]


def test_columns_may_have_the_names_that_duckdb_gives_the_number_of_a_row_and_its_file(place: Place) -> None:
    place.land_parquet(
        "1/events/a.parquet",
        "select 'e' || range as event_id, 100 + range as file_row_number, 'f' as filename, {'a': range} as file_index, "
        "'p' as path from range(5000)",
        ", row_group_size 2048",
    )
    place.land_parquet("1/events/b.parquet", "select 1 as FILE_ROW_NUMBER, 'B' as event_id, 2 as file_row_number_")

    assert place.extract().warnings == []

    *first, last = place.events()
    assert [(row["source_line"], row["event_id"]) for row in first] == [(i + 1, f"e{i}") for i in range(5000)]
    assert json.loads(first[4000]["extra_fields"]) == {
        "file_row_number": 4100,
        "filename": "f",
        "file_index": {"a": 4000},
        "path": "p",
    }
    assert (last["source_line"], last["event_id"]) == (1, "B")
    assert json.loads(last["extra_fields"]) == {"FILE_ROW_NUMBER": 1, "file_row_number_": 2}


def test_of_columns_of_one_name_the_first_counts_and_white_space_around_a_name_does_not(place: Place) -> None:
    place.land_parquet(
        "1/events/a.parquet",
        """
        select
            '1' as "\u00a0Event_ID ", '2' as event_id, '3' as "EVENT_ID",
            'u' as "\ufeffuser_id", 4 as "CONTACT_\u200bID"
        """,
    )

    assert place.extract().warnings == []

    (row,) = place.events()
    assert (row["event_id"], row["user_id"], row["contact_id"]) == ("1", "u", "4")


def test_nan_is_nothing_but_for_the_name_of_a_contact(place: Place) -> None:
    place.land_parquet(
        "1/events/a.parquet",
        """
        select
            'nan' as event_id, 'nan'::double as contact_id, 'nan'::float as user_id, '-nan'::double as channel_id,
            'nan'::double as contact_name, ' NaN ' as source, 8::float as merged_contact_id
        """,
    )
    place.land_parquet("1/events/b.parquet", "select 'NaN' as contact_name, 9::double as contact_id")

    place.extract()

    first, second = place.events()
    assert (first["contact_id"], first["user_id"], first["channel_id"]) == (None, None, None)
    assert (first["event_id"], first["contact_name"], first["source"]) == ("nan", "nan", " NaN ")
    assert first["merged_contact_id"] == "8.0"
    assert (second["contact_name"], second["contact_id"]) == ("NaN", "9.0")


def test_numbers_that_are_none_in_lists_and_structures_leave_the_row_json(place: Place) -> None:
    place.land_parquet(
        "1/events/a.parquet",
        "select [1.5, 'nan'::double] as a, {'x': 'inf'::float, 'nan': 1} as b, [1.5::double] as c, "
        "map {'k': '-inf'::double} as d, 'nan'::float as e",
    )

    place.extract()

    extra = json.loads(place.events()[0]["extra_fields"], parse_constant=refuse_constant)
    assert extra["c"] == [1.5]
    assert set(extra) == {"a", "b", "c", "d", "e"}


def test_ids_in_any_type_of_number_are_the_number(place: Place) -> None:
    place.land_parquet(
        "1/events/a.parquet",
        "select 123::decimal(18, 2) as contact_id, 7.50::decimal(9, 2) as user_id, 100::decimal(38, 0) as channel_id, "
        "9007199254740991::double as event_id, [5] as merged_contact_id, 1.00::decimal(9, 2) as contact_name",
    )

    place.extract()

    (row,) = place.events()
    assert (row["contact_id"], row["user_id"], row["channel_id"]) == ("123", "7.50", "100")
    assert (row["event_id"], row["merged_contact_id"]) == ("9007199254740991.0", "[5]")
    assert row["contact_name"] == "1.00"


def not_utf8(file: Path, text: str, bytes_: bytes) -> bytes:
    """A Parquet file in which a text has become other bytes, as many."""
    content, former = file.read_bytes(), text.encode()
    assert len(former) == len(bytes_) and former in content
    return content.replace(former, bytes_)


@pytest.mark.parametrize("dictionary", ["", ", dictionary_size_limit 0"])
@pytest.mark.parametrize("column", ["contact_name", "EVENT_ID", "source", "note"])
def test_a_text_that_is_not_utf8_costs_its_record_and_no_other(place: Place, column: str, dictionary: str) -> None:
    columns = {
        "EVENT_ID": "'e' || range",
        "contact_name": "'Zoë ' || range",
        "source": "'user'",
        "note": "'n'",
        "picture": r"'\xFF'::blob",
        "occurred_at": "timestamptz '2024-03-01 10:00:00+02'",
        "contact_id": "range::decimal(18, 0)",
        "tags": "['a', 'é']",
    } | {column: "case when range = 1 then 'Jos_abcd' else 'x' || range end"}
    query = ", ".join(f'{expression} as "{name}"' for name, expression in columns.items())
    file = place.land_parquet(
        "1/events/a.parquet", f"select {query} from range(4)", f", compression uncompressed{dictionary}"
    )
    place.land("1/events/a.parquet", not_utf8(file, "Jos_abcd", b"Jos\xe9abcd"))
    place.land_parquet("1/events/b.parquet", f"select {query} from range(10, 12)")

    result = place.extract()

    assert (result.files, result.warnings) == (3, [])
    rows = place.events()
    assert [(row["source_file"], row["source_line"]) for row in rows] == [
        *(("1/events/a.parquet", line) for line in (1, 2, 3, 4)),
        *(("1/events/b.parquet", line) for line in (1, 2)),
    ]
    assert [row["parse_error"] for row in rows] == [None, "not UTF-8", None, None, None, None]
    bad = rows[1]
    shown = json.loads(bad["extra_fields"])["note"] if column == "note" else bad[column.lower()]
    assert shown == "Jos\\xE9abcd"
    good = rows[2]
    assert good["contact_name"] == ("x2" if column == "contact_name" else "Zoë 2")
    assert (good["occurred_at"], good["contact_id"]) == ("2024-03-01 08:00:00+00", "2")
    assert json.loads(good["extra_fields"])["picture"] == "\\xFF"


def test_a_parquet_file_whose_texts_are_broken_with_the_rest_is_named_as_broken(place: Place) -> None:
    file = place.land_parquet(
        "1/events/a.parquet",
        "select 'Jos_abcd' as contact_name, range as contact_id from range(9)",
        ", compression uncompressed",
    )
    place.land("1/events/a.parquet", not_utf8(file, "Jos_abcd", b"Jos\xe9abcd")[:-9] + b"\0PAR1")

    (warning,) = place.extract().warnings

    assert warning.startswith("1/events/a.parquet is not loaded: it is not a Parquet file that can be read to its end")
    assert place.events() == []


def test_the_warning_of_a_broken_file_has_no_value_of_it(place: Place) -> None:
    file = place.land_parquet(
        "1/events/a.parquet",
        "select case range when 0 then 'Jos_abcd' end as contact_name, 7_777_777 + range as contact_id "
        "from range(5000)",
        ", compression uncompressed, dictionary_size_limit 0, row_group_size 2048",
    )
    content = not_utf8(file, "Jos_abcd", b"Jos\xe9abcd")
    begins = content.index((7_777_777 + 4096).to_bytes(8, "little"))  # in the last group of rows
    place.land("1/events/a.parquet", content[: begins - 24] + b"\xff" * 24 + content[begins:])

    (warning,) = place.extract().warnings

    assert "Invalid string encoding" in warning
    assert "Jos" not in warning


def test_a_parquet_file_without_rows_is_loaded_once(place: Place) -> None:
    place.land_parquet("1/events/a.parquet", "select 'x' as event_id where false")

    assert (place.extract().files, place.extract().files) == (2, 0)


def test_small_files_are_loaded_together_each_with_its_own_columns_and_row_numbers(place: Place) -> None:
    for number in range(6):
        place.land_parquet(f"1/events/{number}.parquet", f"select '{number}-' || range as event_id from range(3)")
    place.land_parquet("1/events/number.parquet", "select range as event_id from range(2)")
    place.land_parquet("1/events/same-name.parquet", "select 'x' as event_id, 'X' as EVENT_ID_")
    place.land_parquet("2/events/0.parquet", "select '0-' || range as event_id from range(3)")
    place.land_parquet(
        "2/events/names.parquet",
        "select 'n' as event_id, 'p' as path, 'q' as path_, 7 as file_index, 'f' as file_id, 's' as source_file, "
        "1 as files",
    )

    result = place.extract()

    assert (result.files, result.warnings) == (11, [])
    found = {(row["source_file"], row["source_line"]): row for row in place.events()}
    assert len(found) == 6 * 3 + 2 + 1 + 3 + 1
    for number in range(6):
        for line in (1, 2, 3):
            row = found[f"1/events/{number}.parquet", line]
            assert (row["event_id"], row["workspace_folder"]) == (f"{number}-{line - 1}", "1")
            assert (row["number_fields"], row["extra_fields"], row["batch_id"]) == ("", None, 1)
    assert found["2/events/0.parquet", 3]["workspace_folder"] == "2"
    assert found["1/events/number.parquet", 2]["number_fields"] == "event_id"
    assert json.loads(found["2/events/names.parquet", 1]["extra_fields"]) == {
        "path": "p",
        "path_": "q",
        "file_index": 7,
        "file_id": "f",
        "source_file": "s",
        "files": 1,
    }


def test_of_small_files_that_are_loaded_together_broken_ones_are_named_and_the_others_loaded(place: Place) -> None:
    for number in range(20):
        place.land_parquet(
            f"1/events/{number:02}.parquet", f"select '{number}' as event_id, range as n from range(100)"
        )
    whole = (place.landing / "1/events/00.parquet").read_bytes()
    # In the footer, which is read first, and among the records.
    place.land("1/events/03.parquet", whole[:-20])
    place.land("1/events/04.parquet", b"")
    place.land("1/events/11.parquet", whole[:4] + b"\xff" * 100 + whole[104:])

    for _ in range(2):
        result = place.extract()
        assert [warning.split(" is not loaded")[0] for warning in sorted(result.warnings)] == [
            "1/events/03.parquet",
            "1/events/04.parquet",
            "1/events/11.parquet",
        ]
    assert sorted({int(row["event_id"]) for row in place.events()}) == [n for n in range(20) if n not in (3, 4, 11)]
    assert len(place.events()) == 17 * 100


def test_of_large_files_broken_ones_are_named_in_their_order_and_cost_no_other(place: Place) -> None:
    for number in range(6):
        place.land_parquet(
            f"1/events/{number}.parquet",
            f"select '{number} ' || md5(range::varchar) as event_id from range(40000)",
            ", row_group_size 10000",
        )
    whole = (place.landing / "1/events/0.parquet").read_bytes()
    assert len(whole) >= 1 << 20
    # Among the records, after others that are whole, and in the footer.
    place.land("1/events/1.parquet", whole[:-300_000] + bytes(100_000) + whole[-200_000:])
    place.land("1/events/2.jsonl.gz", b"no gzip")
    place.land("1/events/4.parquet", whole[:-20])

    for files in (5, 0):
        result = place.extract()
        assert result.files == files
        assert [warning.split(" is not loaded")[0] for warning in result.warnings] == [
            "1/events/1.parquet",
            "1/events/2.jsonl.gz",
            "1/events/4.parquet",
        ]
    landed = Counter((row["source_file"][len("1/events/")], row["event_id"][0]) for row in place.events())
    assert landed == {(number, number): 40000 for number in "0235"}


def test_of_small_files_that_are_loaded_together_one_that_changed_meanwhile_waits_for_the_next_run(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        place.land_parquet(f"1/events/{number}.parquet", f"select '{number}' as event_id")
    new_files = extract_module._new_files

    def then_one_changes(*arguments: Any) -> list[NewFile]:
        found = new_files(*arguments)
        place.land_parquet("1/events/2.parquet", "select 'changed' as event_id")
        return found

    monkeypatch.setattr(extract_module, "_new_files", then_one_changes)
    result = place.extract()
    assert len(result.warnings) == 1 and "1/events/2.parquet is not loaded: it changed" in result.warnings[0]
    assert event_ids(place.events()) == ["0", "1", "3", "4"]
    monkeypatch.undo()
    assert place.extract().warnings == []
    assert event_ids(place.events()) == ["0", "1", "3", "4", "changed"]
