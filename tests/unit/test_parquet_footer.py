"""The footer of a Parquet file with its texts declared as bytes: of whole files, and of bytes that are none."""

import contextlib
import random
from pathlib import Path

import duckdb
import pytest

from orchestration.lib.extraction.parquet_footer import copy_with_texts_as_bytes


def types(file: Path) -> dict[str, str]:
    with duckdb.connect() as connection:
        return {row[0]: row[1] for row in connection.execute(f"describe from '{file}'").fetchall()}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.parquet"
    columns = ", ".join(f"'{i}' as c{i}, {i} as n{i}" for i in range(20))
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select 'é' as text, {{'a': 1}}::json as js, 'x'::blob as bytes, 1.5::decimal(30, 2) as number, "
            f"['a'] as list, {{'a': 'b', 'd': date '2024-01-02'}} as struct, map {{'k': 'v'}} as map, uuid() as u, "
            f"timestamptz '2024-03-01 10:00:00+00' as t, {columns}) to '{path}'"
        )
    return path


def test_texts_become_bytes_and_all_else_stays(file: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.parquet"

    copy_with_texts_as_bytes(str(file), str(copy))

    as_bytes = {name: kind.replace("VARCHAR", "BLOB").replace("JSON", "BLOB") for name, kind in types(file).items()}
    assert types(copy) == as_bytes
    assert as_bytes["struct"] == "STRUCT(a BLOB, d DATE)"
    with duckdb.connect() as connection:
        rows = connection.execute(f"select decode(text), number, struct.d, n19 from '{copy}'").fetchall()
        assert rows == connection.execute(f"select text, number, struct.d, n19 from '{file}'").fetchall()


def test_bytes_that_are_no_footer_are_an_error_of_value_and_soon_found_out(file: Path, tmp_path: Path) -> None:
    whole, copy = file.read_bytes(), tmp_path / "copy.parquet"
    length = int.from_bytes(whole[-8:-4], "little")
    start = len(whole) - 8 - length
    chance = random.Random(1)
    crafted = [
        b"",
        b"PAR1",
        b"PAR1" * 3,
        (1 << 31).to_bytes(4, "little") + b"PAR1",
        b"\x29\xfc" + b"\xff" * 9 + b"\x7f" + bytes(9),  # a list that says it is endless
        b"\x1c" * 100_000,  # structures in structures
        b"\x16" + b"\xff" * 1000,
        *(whole[start : start + chance.randrange(length)] for _ in range(50)),
    ]
    for content in crafted:
        broken = tmp_path / "broken.parquet"
        broken.write_bytes(content + len(content).to_bytes(4, "little") + b"PAR1")
        with contextlib.suppress(ValueError):
            copy_with_texts_as_bytes(str(broken), str(copy))
    for _ in range(300):
        damaged = bytearray(whole)
        for _ in range(3):
            damaged[chance.randrange(start, len(whole) - 8)] = chance.randrange(256)
        (tmp_path / "damaged.parquet").write_bytes(damaged)
        with contextlib.suppress(ValueError):
            copy_with_texts_as_bytes(str(tmp_path / "damaged.parquet"), str(copy))
