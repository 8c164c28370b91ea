"""The reports API and its files against the views and table functions of the published sample, row by row."""

import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb
import pytest
from starlette.testclient import TestClient

from page.endpoints import ENDPOINTS, Endpoint
from tests.harness import Pipeline
from tests.integration.page.serving import api_of

pytestmark = pytest.mark.slow

Row = dict[str, Any]

LOGS = [endpoint for endpoint in ENDPOINTS if endpoint.is_log]
REPORTS = [endpoint for endpoint in ENDPOINTS if "_between" in endpoint.relation]
LISTS = [endpoint for endpoint in ENDPOINTS if endpoint not in REPORTS]
# Two months that the sample has.
END = datetime.now(UTC).date() - timedelta(days=3)
START = END - timedelta(days=60)
DAYS = f"from={START}&to={END}"
# Queries, and the arguments that they stand for.
FILTERS = [
    ("", {}),
    ("&workspace=aurora", {"workspace_id": "aurora"}),
    ("&source=user&source=zapier", {"sources": ["user", "zapier"]}),
    ("&workspace=harbour&frequency=week&compared_with=month", {"workspace_id": "harbour"}),
    ("&contact_name=Ã", {"contact_name": "ã"}),
]


@pytest.fixture(scope="module")
def client(sample: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with (
        api_of(sample.settings.published, tmp_path_factory.mktemp("page") / "exports") as app,
        TestClient(app) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def connection(sample: Pipeline) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(sample.settings.published), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        yield connection


def rows_of(connection: duckdb.DuckDBPyConnection, sql: str, values: Any = None) -> list[Row]:
    cursor = connection.execute(sql, values)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def parameters_of(connection: duckdb.DuckDBPyConnection, endpoint: Endpoint) -> list[str]:
    ((parameters,),) = connection.execute(
        "select parameters from duckdb_functions() where 'reports.' || function_name = ?", [endpoint.relation]
    ).fetchall()
    return list(parameters)


def called(connection: duckdb.DuckDBPyConnection, endpoint: Endpoint, arguments: Row) -> list[Row]:
    """The rows of an endpoint's table function."""
    parameters = parameters_of(connection, endpoint)
    used = {name: value for name, value in arguments.items() if name in parameters}
    given = "".join(f", {name} := ${name}" for name in used)
    return rows_of(connection, f"from {endpoint.relation}($start, $end{given})", {"start": START, "end": END, **used})


def as_json(value: Any) -> Any:
    """A value as the API writes it."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat() + ("Z" if value.tzinfo else "")
    return value.isoformat() if isinstance(value, date) else value


def comparable(rows: list[Row]) -> list[str]:
    return sorted(repr(list(row.items())) for row in rows)


@pytest.mark.parametrize("endpoint", REPORTS, ids=lambda endpoint: endpoint.path)
@pytest.mark.parametrize(("query", "filters"), FILTERS, ids=lambda value: value if isinstance(value, str) else "")
def test_a_report_has_the_rows_of_its_table_function(
    client: TestClient, connection: duckdb.DuckDBPyConnection, endpoint: Endpoint, query: str, filters: Row
) -> None:
    arguments = dict(filters)
    if "frequency" in query:
        arguments |= {"frequency": "week", "compared_with": "month"}
    expected = called(connection, endpoint, arguments)
    answer = client.get(f"{endpoint.address}?{DAYS}{query}" + ("&limit=10000" if endpoint.is_log else ""))
    if not filters.keys() <= {*parameters_of(connection, endpoint), "channel_ids"}:
        assert answer.status_code == 422 and "does not apply" in answer.json()["error"]["message"]
        return
    found = answer.json()["data"]
    wanted = [{name: as_json(value) for name, value in row.items()} for row in expected]
    if endpoint.is_log and len(wanted) > 10_000:
        assert len(found) == 10_000 and set(comparable(found)) <= set(comparable(wanted))
    else:
        assert wanted and comparable(found) == comparable(wanted)


@pytest.mark.parametrize("endpoint", LISTS, ids=lambda endpoint: endpoint.path)
def test_a_list_has_the_rows_of_its_view(
    client: TestClient, connection: duckdb.DuckDBPyConnection, endpoint: Endpoint
) -> None:
    expected = rows_of(connection, f"from {endpoint.relation}")
    found = client.get(endpoint.address).json()
    wanted = [{name: as_json(value) for name, value in row.items()} for row in expected]
    assert wanted and comparable(found["data"]) == comparable(wanted)
    ((newest,),) = connection.execute("select max(last_loaded_at) from reports.data_status").fetchall()
    assert found["as_of"] == as_json(newest)


def test_a_date_range_is_that_of_the_workspace(client: TestClient, connection: duckdb.DuckDBPyConnection) -> None:
    for row in rows_of(connection, "from reports.date_ranges where workspace_id in ('tui', 'aurora')"):
        parameters = client.get(
            f"/api/v1/overview?workspace={row['workspace_id']}&date_range={row['date_range']}"
        ).json()["parameters"]
        assert (parameters["from"], parameters["to"]) == (as_json(row["start_date"]), as_json(row["end_date"]))


@pytest.mark.parametrize("endpoint", LOGS, ids=lambda endpoint: endpoint.path)
def test_a_log_read_page_by_page_is_the_log(
    client: TestClient, connection: duckdb.DuckDBPyConnection, endpoint: Endpoint
) -> None:
    expected = rows_of(
        connection,
        f"select workspace_id, event_id from {endpoint.relation}(?, ?) "
        "order by occurred_at desc, workspace_id, event_id",
        [START, END],
    )
    limit = max(len(expected) // 7, 1)
    found: list[Row] = []
    after = ""
    while True:
        answer = client.get(f"{endpoint.address}?{DAYS}&limit={limit}{after}").json()
        found += answer["data"]
        if answer["next"] is None:
            break
        after = f"&after={answer['next']}"
    assert [(row["workspace_id"], row["event_id"]) for row in found] == [tuple(row.values()) for row in expected]


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.path)
@pytest.mark.parametrize("kind", ["csv", "parquet", "xlsx"])
def test_a_file_has_all_rows(
    client: TestClient, connection: duckdb.DuckDBPyConnection, tmp_path: Path, endpoint: Endpoint, kind: str
) -> None:
    is_report = endpoint in REPORTS
    answer = client.get(f"{endpoint.address}.{kind}" + (f"?{DAYS}" if is_report else ""))
    assert answer.status_code == 200
    path = tmp_path / f"read.{kind}"
    path.write_bytes(answer.content)
    relation = f"{endpoint.relation}('{START}', '{END}')" if is_report else endpoint.relation
    types = {row["column_name"]: row["column_type"] for row in rows_of(connection, f"describe from {relation}")}
    expected = rows_of(connection, f"from {relation} order by {endpoint.order_by}")
    with duckdb.connect() as reading:
        reading.execute("set TimeZone = 'UTC'")
        if kind == "parquet":
            found = rows_of(reading, f"from '{path}'")
        elif kind == "csv":
            read = f"read_csv('{path}', header = true, all_varchar = true, quote = '\"', escape = '\"', delim = ',')"
            found = rows_of(reading, f"select {', '.join(map(from_csv, types, types.values()))} from {read}")
        else:
            found = sheet(path, types)
    assert list(found[0]) == list(types)
    if kind == "xlsx":
        expected = [{name: as_cell(value) for name, value in row.items()} for row in expected]
    assert len(found) == len(expected) > 0
    # A cell has microseconds as a part of a day.
    alike = [pytest.approx(row, abs=1e-10) if kind == "xlsx" else row for row in expected]
    assert all(row == other for row, other in zip(found, alike, strict=True))


def from_csv(name: str, type_: str) -> str:
    """The column of a CSV file, without the apostrophes."""
    if type_ == "VARCHAR":
        # An empty field is NULL, an empty text `""`; DuckDB reads both as NULL, and no text of the sample is empty.
        return f"regexp_replace({name}, '^''([=+@\\t\\r-])', '\\1') as {name}"
    if type_ == "VARCHAR[]":
        return f"string_split({name}, ', ') as {name}"
    return f"{name}::{type_} as {name}"


def sheet(path: Path, types: dict[str, str]) -> list[Row]:
    """The rows of a spreadsheet, as its cells have them."""
    extension = files("duckdb_extension_excel") / "extensions" / f"v{duckdb.__version__}" / "excel.duckdb_extension"
    with duckdb.connect() as reading:
        reading.execute(f"load '{extension}'")
        cells = rows_of(reading, f"from read_xlsx('{path}', header = true, all_varchar = true)")
    return [{name: cell_of(value, types[name]) for name, value in row.items()} for row in cells]


def cell_of(text: str | None, type_: str) -> Any:
    """What a cell holds: a text, or a number."""
    if text is None or type_ in ("VARCHAR", "VARCHAR[]"):
        return text or None
    return float(text)


def as_cell(value: Any) -> Any:
    """A value as in a cell: timestamps are in UTC, and dates are numbers of days."""
    match value:
        case datetime():
            return (value.replace(tzinfo=None) - datetime(1899, 12, 30)) / timedelta(days=1)
        case date():
            return float((value - date(1899, 12, 30)).days)
        case bool() | int() | float():
            return float(value)
        case list():
            return ", ".join(value)
    return value


def test_a_spreadsheet_is_a_whole_archive(client: TestClient) -> None:
    content = client.get(f"/api/v1/logs/connected.xlsx?{DAYS}").content
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        assert file.testzip() is None and "xl/workbook.xml" in file.namelist()
