"""Random JSON and CSV, well-formed and damaged, is decoded as Python's own parsers decode it."""

import csv
import io
import json
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from orchestration.lib.extraction import decoding
from orchestration.lib.extraction.chunks import read_lines
from orchestration.lib.extraction.encodings import CHUNK_MARK, FIELD_MARK, INVALID_BYTE_MARK, RECORD_MARK
from orchestration.lib.landing.kinds import KINDS
from tests.integration.extraction.place import Place, Row, refuse_constant, rows_of

EVENTS = KINDS["events"]


def decoded_lines(data: bytes) -> dict[int, Row]:
    """The records of JSON lines by line number."""
    rows = {}
    for chunk in read_lines(io.BytesIO(data), compressed=False):
        parameters = [1, None, json.dumps([{"first_line": chunk.first_line}]), chunk.text]
        for row in rows_of(decoding.decode_json_lines(EVENTS, "not UTF-8"), parameters):
            rows[row["source_line"]] = row
    return rows


def parsed(line: str) -> object:
    """What Python reads from JSON, strictly; None where it is none."""
    try:
        return json.loads(line, parse_constant=refuse_constant)
    except ValueError:
        return None


def spelled(line: str) -> object:
    """A JSON value, its numbers as they are spelled."""
    return json.loads(line, parse_int=str, parse_float=str)


MARKS = INVALID_BYTE_MARK + FIELD_MARK + RECORD_MARK + CHUNK_MARK

text = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters=MARKS) | st.sampled_from('\0"\\{},:[]\n\r\u2028')
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**40), 10**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | text
    | st.sampled_from(["NaN, ]", ",}", "[Infinity", "null", "007", "1e3", "", "\\u0000", '"'])
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3), max_leaves=5
)
objects = st.dictionaries(st.sampled_from(tuple(EVENTS.columns)) | text, values, max_size=6)


@st.composite
def json_texts(draw: st.DrawFn, value: st.SearchStrategy[object]) -> str:
    space = draw(st.sampled_from(("", " ", "\t", " \r ")))
    separators = draw(st.sampled_from(((",", ":"), (", ", ": "), (" ,\t", "\r: "))))
    return space + json.dumps(draw(value), ensure_ascii=draw(st.booleans()), separators=separators) + space


FRAGMENTS = (
    *("NaN", "nan", "Infinity", "-Infinity", "-inf", "Inf", "true", "True", "nul", "null", "None", "undefined"),
    *("{", "}", "[", "]", ",", ",,", ",}", ",]", ":", '"', '""', "'"),
    *("\\", "\\u", "\\u0000", "\\ud83e\\udd86", "\\ud83e", "\\x"),
    *("0", "00", "-", "+", "1", ".", "e", "E+", "1e999", "-0", "0x1", "/*a*/", "//", "#"),
    *(" ", "\t", "\r", "\x0b", "\x0c", "\x00", "\x1f", "\x7f", "\ufeff", "\u00a0", "\u2028", "é", "🦆"),
    *("{}", "[]", '"a":1', '"a":', ',"event_id":NaN', ":[1,]"),
)


@st.composite
def damaged_json(draw: st.DrawFn) -> str:
    line = draw(json_texts(objects | values))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(line)))
        line = line[:at] + draw(st.sampled_from(FRAGMENTS)) + line[at + draw(st.integers(0, 2)) :]
    return line


# What is JSON but for a number that is none, or a comma too many.
loose_values = st.recursive(
    st.sampled_from(["NaN", "-Infinity", "inf", '"NaN"', '"a\\", ]"', "1.5", "-1e5", "null", "true"]),
    lambda inner: st.builds(
        "{}{}{}{}".format,
        st.just("["),
        st.lists(inner, max_size=2).map(" , ".join),
        st.sampled_from(["", "", ", "]),
        st.just("]"),
    ),
    max_leaves=3,
)
loose_objects = st.builds(
    "{}{}{}".format,
    st.just("{"),
    st.lists(loose_values.map(lambda value: f'"event_id": {value}'), max_size=2).map(", ".join),
    st.sampled_from(["}", "}", " }", ",}", ", }", "", "} }"]),
)
garbage = (
    damaged_json()
    | loose_objects
    | st.lists(st.sampled_from(FRAGMENTS), max_size=8).map("".join)
    | text.map(lambda line: line.replace("\n", ""))
)


@settings(max_examples=70, deadline=None)
@given(st.lists(json_texts(objects), min_size=1, max_size=8))
def test_fields_of_json_objects_are_what_python_reads(lines: Sequence[str]) -> None:
    rows = decoded_lines("\n".join(lines).encode())

    assert list(rows) == list(range(1, len(lines) + 1))
    for line, row in zip(lines, rows.values(), strict=True):
        expected = json.loads(line)
        assert (row["parse_error"], row["raw_bytes"]) == (None, None)
        for field in EVENTS.columns:
            value, found = expected.get(field), row[field]
            if value is None or isinstance(value, str):
                assert found == value
            elif isinstance(value, list | dict):
                assert spelled(found) == spelled(json.dumps(value))
            else:
                assert found == json.dumps(value)


@settings(max_examples=150, deadline=None)
@given(st.lists(garbage, min_size=1, max_size=8))
@example(['{"event_id": NaN}', '{"event_id": "NaN"}', '{"a": [-Infinity]}', '{"a": "\\\\", "b": nan}'])
@example(['{"event_id": [1, ]}', '{"event_id": "[1, ]"}', '{"event_id": "a",}', '{"a": "\\",}"}'])
def test_a_line_is_a_record_without_error_exactly_when_it_is_a_json_object(lines: Sequence[str]) -> None:
    rows = decoded_lines(("\n".join(lines) + "\n").encode())

    for number, line in enumerate(lines, 1):
        # A byte order mark that starts a line is not part of it.
        line = line.lstrip("\ufeff")
        if re.search(r"[^ \t\r\f]", line) is None:
            assert number not in rows
            continue
        row = rows[number]
        assert row["raw_record"] == line.removesuffix("\r")
        assert (row["parse_error"] is None) == isinstance(parsed(line), dict)
        assert row["parse_error"] is None or all(row[field] is None for field in EVENTS.columns)


SURROGATES = (
    "\\ud83d",
    "\\uDE00",
    "\\ud83d\\ude00",
    "\\\\",
    "\\\\ud83d",
    "\\u0041",
    "\\u005cud83d",
    "\\n",
    "🦆",
    "ud83d",
    "a",
)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(st.sampled_from(SURROGATES), max_size=7).map("".join), min_size=1, max_size=6))
@example(["\\ud83d\\ud83d\\ude00\\ude00", "\\\\\\ud83d", "\\\\ud83d"])
def test_half_a_surrogate_pair_anywhere_in_a_line_is_a_replacement_character(texts: list[str]) -> None:
    lines = [f'{{"event_id": "{text}", "contact_id": 1e3, "x{text}": [{{"y": "{text}"}}]}}' for text in texts]

    rows = decoded_lines("\n".join(lines).encode())

    for text, line, row in zip(texts, lines, rows.values(), strict=True):
        assert row["event_id"] == re.sub("[\ud800-\udfff]", "\ufffd", json.loads(f'"{text}"'))
        assert (row["contact_id"], row["parse_error"], row["raw_record"]) == ("1e3", None, line)


def csv_line(row: Sequence[str], quoting: Any) -> str:
    written = io.StringIO(newline="")
    csv.writer(written, quoting=quoting).writerow(row)
    return written.getvalue()


@settings(max_examples=12, deadline=None)
@given(
    st.permutations([*EVENTS.columns, "extra", "other"]).flatmap(
        lambda names: st.integers(1, 11).map(lambda n: names[:n])
    ),
    st.lists(st.lists(text | st.sampled_from(["", "a,b", '"', "a\r\nb"]), min_size=1, max_size=11), max_size=20),
    st.sampled_from((csv.QUOTE_MINIMAL, csv.QUOTE_ALL)),
)
def test_fields_of_csv_are_what_python_reads(names: list[str], rows: list[list[str]], quoting: Any) -> None:
    # A line inside quotes that looks like a record is one, and where it has the wrong number of fields it may.
    rows = [[value.replace(",", "") if "\n" in value else value for value in row] for row in rows]
    rows = [
        [value.replace("\n", "") for value in row] if i % 2 else (row * len(names))[: len(names)]
        for i, row in enumerate(rows)
    ]
    written = [csv_line(row, quoting) for row in [names, *rows]]
    records = [row for row, line in zip(rows, written[1:], strict=True) if re.search(r"[^ \t\n\f\r]", line)]
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder))
        place.land("1/events/a.csv", "".join(written))

        place.extract()

        found = place.events()
    assert len(found) == len(records)
    for row, values in zip(found, records, strict=True):
        if len(values) == len(names):
            assert row["parse_error"] is None
            assert {field: row[field] for field in EVENTS.columns} == dict.fromkeys(EVENTS.columns) | {
                name: value for name, value in zip(names, values, strict=True) if name in EVENTS.columns
            }
        else:
            assert row["parse_error"] == f"expected {len(names)} fields, found {len(values)}"
            assert all(row[field] is None for field in EVENTS.columns)
