"""The same rows, landed as CSV and as XLSX, give the same warehouse."""

import csv
import io
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.harness import QUALITY_VIEWS, REPORT_VIEWS, Pipeline
from tests.spreadsheets import as_typed, table

ROWS = 150
WORKSPACES = "workspace_id,workspace_name,timezone\nacme,Acme,Europe/Paris\n"
NAMES = (
    "Ann",
    "007",
    "42",
    "2026-03-01",
    "NULL",
    "TRUE",
    " Bo ",
    'a "b", c',
    "é",
    "=1+1",
    "'=1",
    "line\nbreak",
    "-",
    "",
)
SOURCES = ("user", "Contact Import", "Message d’Echo", "Zapier", "unheard of", "", "-")
# What differs because the files do.
NOT_COMPARED = {"loaded_at", "last_loaded_at", "raw_record", "as_of"}


def _files(rng: random.Random) -> Iterator[tuple[str, list[Sequence[str]]]]:
    """The rows of files, by their path without the ending."""
    base = datetime.now(UTC).replace(tzinfo=None, hour=9, minute=0, second=0, microsecond=0) - timedelta(days=30)
    logs = ("Timestamp", "Contact ID", "Contact Name", "Source")

    def when() -> str:
        # Some at midnight, and some that are no time.
        at = base + timedelta(days=rng.randrange(25), seconds=rng.randrange(40_000))
        at = at.replace(hour=0, minute=0, second=0) if rng.random() < 0.1 else at
        return rng.choice(("soon", "")) if rng.random() < 0.05 else at.strftime("%Y-%m-%d %H:%M:%S")

    def contact() -> str:
        return rng.choice((str(rng.randrange(1, 400)), "0012", "1.2E+08", "five", "123456789012345"))

    def some(*columns: str) -> list[Sequence[str]]:
        values = {
            "Source": lambda: rng.choice(SOURCES),
            "Contact Name": lambda: rng.choice(NAMES),
            "User": lambda: rng.choice(("Sam", "7", "-", "")),
            "Channel": lambda: rng.choice(("WhatsApp", "17", "-")),
            "Timestamp": when,
        }
        return [columns, *([values.get(name, contact)() for name in columns] for _ in range(ROWS))]

    yield "report_logs/contacts-added", some(*logs, "User")
    yield "report_logs/contacts-connected", some(*logs, "Channel", "User")
    yield "report_logs/contacts-deleted", some(*logs, "User")
    yield "report_logs/contacts-merged", some("Timestamp", "Primary Contact ID", "Merged Contact ID", *logs[2:], "User")
    yield "report_logs/quien", some("Marca de tiempo", "ID de contacto")
    yield (
        "events/events",
        [
            ("event_id", "event_type", "occurred_at", "contact_id", "contact_name", "source", "user_id", "channel_id"),
            *(
                (
                    str(number),
                    rng.choice(("added", "CONNECTED", "nothing")),
                    f"{when()}+02:00",
                    contact(),
                    rng.choice(NAMES),
                )
                + (rng.choice(SOURCES), rng.choice(("7", "")), rng.choice(("17", "1.76277E+15", "")))
                for number in range(ROWS)
            ),
        ],
    )
    yield (
        "users/users",
        [
            ("user_id", "user_name", "deleted_at"),
            ("7", "Sam", ""),
            ("8", "2026-01-01", "2026-01-05"),
            ("9", "Lee", "2026-01-05 10:00:00"),
            ("10", "Kim", "0"),
            ("11", "Bo", "false"),
            ("12", "Al", "someday"),
            ("1.76277E+15", "Al", ""),
        ],
    )
    yield (
        "channels/channels",
        [
            ("channel_id", "channel_name", "channel_type", "deleted_at"),
            ("17", "WhatsApp", "whatsapp", ""),
            ("18", "42", "", "2026-02-01"),
        ],
    )


def _as_csv(rows: list[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _as_xlsx(rows: list[Sequence[str]]) -> bytes:
    return table([[as_typed(value) for value in row] for row in rows])


def _published(data: Path, files: dict[str, bytes]) -> dict[str, list[str]]:
    """The rows of every view, without what differs because the files do."""
    pipeline = Pipeline(data)
    (pipeline.landing / "workspaces.csv").write_text(WORKSPACES)
    for path, content in files.items():
        file = pipeline.landing / "acme" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    assert pipeline.run().unread.warnings == []
    views = [f"reports.{view}" for view in REPORT_VIEWS] + [f"quality.{view}" for view in QUALITY_VIEWS]
    return {view: sorted(map(_comparable, pipeline.rows(f"from {view}"))) for view in views}


def _comparable(row: dict[str, object]) -> str:
    # A line break in a name moves the lines of a CSV file, and not the rows of a spreadsheet.
    kept = {name: value for name, value in row.items() if name not in NOT_COMPARED and name != "source_line"}
    return repr(kept).replace(".xlsx", ".csv")


@pytest.mark.slow
def test_the_same_rows_as_csv_and_as_xlsx_give_the_same_warehouse(tmp_path: Path) -> None:
    files = dict(_files(random.Random(23)))

    as_csv = _published(tmp_path / "csv", {f"{path}.csv": _as_csv(rows) for path, rows in files.items()})
    as_xlsx = _published(tmp_path / "xlsx", {f"{path}.xlsx": _as_xlsx(rows) for path, rows in files.items()})

    assert all(as_csv[f"reports.contacts_{log}_log"] for log in ("added", "connected", "deleted", "merged"))
    assert as_csv["quality.rejected_records"] and as_csv["quality.refused_files"]
    for view, rows in as_csv.items():
        assert as_xlsx[view] == rows, view
