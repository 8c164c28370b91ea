"""The datasets of bi/superset fit the published file."""

import re
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from tests.harness import Pipeline
from tests.superset.bundle import CHARTS, DATABASE, DATASETS

each_dataset = pytest.mark.parametrize("name", DATASETS)


@pytest.fixture(scope="module")
def published(sample: Pipeline) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published file, opened as the bundle says."""
    _, _, options = DATABASE["sqlalchemy_uri"].partition("?")
    config: dict[str, Any] = dict(option.split("=") for option in options.split("&"))
    with duckdb.connect(str(sample.settings.published), config=config) as connection:
        yield connection


def relation(dataset: dict[str, Any]) -> str:
    return f"({dataset['sql']})" if "sql" in dataset else f"{dataset['schema']}.{dataset['table_name']}"


def plain(comment: str) -> str:
    """A comment of the published file without its Markdown and its references to the contract."""
    return " ".join(re.sub(r"\s*\(contract [^)]*\)", "", comment).replace("`", "").split())


@each_dataset
def test_a_dataset_has_the_columns_and_types_of_the_published_file(
    name: str, published: duckdb.DuckDBPyConnection
) -> None:
    described = published.execute(f"describe select * from {relation(DATASETS[name])}").fetchall()
    assert [(column["column_name"], column["type"]) for column in DATASETS[name]["columns"]] == [
        (row[0], row[1]) for row in described
    ]


@pytest.mark.parametrize("name", sorted(DATASETS.keys() - {"contact_events"}))
def test_a_dataset_has_the_descriptions_of_the_published_file(name: str, published: duckdb.DuckDBPyConnection) -> None:
    comments = dict(
        published.execute(
            "select column_name, comment from duckdb_columns() where schema_name = 'reports' and table_name = ?", [name]
        ).fetchall()
    )
    assert {column["column_name"]: column["description"] for column in DATASETS[name]["columns"]} == {
        column: plain(comment) for column, comment in comments.items()
    }
    (comment,) = published.execute(
        "select comment from duckdb_views() where schema_name = 'reports' and view_name = $1 "
        "union all select comment from duckdb_tables() where schema_name = 'reports' and table_name = $1",
        [name],
    ).fetchone() or ("",)
    assert DATASETS[name]["description"] == plain(comment)


@each_dataset
def test_the_metrics_of_a_dataset_are_computed(name: str, published: duckdb.DuckDBPyConnection) -> None:
    for metric in DATASETS[name]["metrics"]:
        row = published.execute(f"select {metric['expression']} from {relation(DATASETS[name])}").fetchone()
        assert row is not None and row[0] is not None, metric["metric_name"]


def test_the_dashboard_has_every_component_of_the_report_page(published: duckdb.DuckDBPyConnection) -> None:
    components = published.execute("select key from reports.report_components order by position").fetchall()
    assert CHARTS.keys() - {"overview_change"} == {key for (key,) in components}
