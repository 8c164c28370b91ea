"""Every row of a Parquet file arrives, whatever columns and types it has."""

import json

import pytest

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


def test_a_parquet_file_without_rows_is_loaded_once(place: Place) -> None:
    place.land_parquet("1/events/a.parquet", "select 'x' as event_id where false")

    assert (place.extract().files, place.extract().files) == (2, 0)
