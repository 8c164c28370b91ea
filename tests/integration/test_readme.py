"""What the pages for readers promise, on the sample: their queries answer, and what is published is listed."""

import csv
import re
import subprocess
from pathlib import Path

import duckdb
import pytest

from orchestration.lib.settings import PROJECT_ROOT
from tests.harness import DERIVED_VIEWS, QUALITY_VIEWS, REPORT_VIEWS, Pipeline

README = (PROJECT_ROOT / "README.md").read_text()
COOKBOOK = (PROJECT_ROOT / "docs" / "cookbook.md").read_text()
ANALYSTS = (PROJECT_ROOT / "docs" / "analysts.md").read_text()
PUBLISHED_FILE = (PROJECT_ROOT / "docs" / "published-file.md").read_text()
# What these two pages show is read elsewhere: test_lake_read_back.py and tests/integration/publications try it.
ELSEWHERE = {"lake.md", "postgresql.md"}
PAGES = [
    README,
    *(path.read_text() for path in sorted((PROJECT_ROOT / "docs").glob("*.md")) if path.name not in ELSEWHERE),
]
QUERIES = re.findall(r"^```sql\n(.*?)^```", "\n".join(PAGES), flags=re.DOTALL | re.MULTILINE)
SCRIPTS = re.findall(r"^```python\n(.*?)^```", "\n".join(PAGES), flags=re.DOTALL | re.MULTILINE)
# In an environment of their own, as analysts install it.
SCRIPTS_FOR_ANALYSTS = [script for script in SCRIPTS if script in ANALYSTS]
# The script of the reports API asks a report page: tests/integration/page tries it.
OTHER_SCRIPTS = [script for script in SCRIPTS if script not in ANALYSTS and "http://" not in script]
# Beside the views that are reckoned: the rejected records once more, by the file.
NOT_RECKONED = {"refused_files"}


@pytest.fixture
def place(sample: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that queries and scripts are run in: the sample is in its data folder, and they may write files."""
    (tmp_path / "data").symlink_to(sample.settings.data)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.splitlines()[0][:60])
def test_every_query_of_the_pages_answers_with_rows(sample: Pipeline, query: str) -> None:
    assert sample.query(query.strip().removesuffix(";"))


def test_the_export_that_the_cookbook_shows_is_guarded_against_formulas(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (export,) = (query for query in QUERIES if "(header)" in query)
    names = ["=1+1", "+49", "-x", "@a", "\t=1", "\r=1", "Ann = Bob", "", None, 'Zoë, "7"']
    with duckdb.connect() as connection:
        connection.execute("create schema reports")
        connection.execute(
            """
            create table reports.contacts_added_log as
            select
                'lumiere' as workspace_id,
                '2026-03-01'::timestamp as occurred_at,
                7 as contact_id,
                name as contact_name
            from unnest($1::varchar[]) as names(name)""",
            [names],
        )
        connection.execute(export)
    with (tmp_path / "contacts_added_log.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["workspace_id", "occurred_at", "contact_id", "contact_name"]
    assert {row[1] for row in rows} == {"2026-03-01 00:00:00"}
    guarded = [f"'{name}" if name and name[0] in "=+-@\t\r" else name or "" for name in names]
    assert sorted(row[3] for row in rows) == sorted(guarded)


@pytest.mark.slow
@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("script", OTHER_SCRIPTS, ids=["own tables", "bound arguments", "opened in Python"])
def test_every_script_of_the_pages_finds_rows(script: str) -> None:
    names: dict[str, object] = {}
    exec(script, names)
    assert names["rows"]


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS_FOR_ANALYSTS, ids=["pandas", "Polars", "ibis", "ibis, a report"])
def test_every_script_for_analysts_finds_rows_with_the_libraries_that_it_imports(place: Path, script: str) -> None:
    python = PROJECT_ROOT / ".venv-analysts" / "bin" / "python"
    assert python.exists(), "make .venv-analysts/installed"
    script += "assert len(rows) > 0, 'no rows'\n"
    run = subprocess.run([python, "-c", script], cwd=place, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout


def test_the_cookbook_answers_at_least_twenty_questions_each_with_a_query_or_a_script() -> None:
    questions = re.split(r"^### ", COOKBOOK, flags=re.MULTILINE)[1:]
    assert len(questions) >= 20
    assert all(re.search(r"^```(sql|python)$", question, flags=re.MULTILINE) for question in questions)


def published_names(sample: Pipeline) -> tuple[set[str], set[str]]:
    """The views and the table functions that are published."""
    views = sample.query(
        "select table_name from information_schema.tables where table_schema in ('reports', 'quality')"
    )
    functions = sample.query("select function_name from duckdb_functions() where schema_name = 'reports'")
    return {str(name) for (name,) in views}, {str(name) for (name,) in functions}


@pytest.mark.slow
def test_the_page_of_the_published_file_names_every_view_and_function(sample: Pipeline) -> None:
    views, functions = published_names(sample)
    assert views == {*REPORT_VIEWS, *DERIVED_VIEWS, *QUALITY_VIEWS, *NOT_RECKONED}
    assert functions
    for name in views | functions:
        assert re.search(rf"`{name}[`(]", PUBLISHED_FILE), name


@pytest.mark.slow
def test_the_sql_of_every_view_and_function_is_where_the_readme_says(sample: Pipeline) -> None:
    views, functions = published_names(sample)
    models = PROJECT_ROOT / "models"
    for name in views:
        assert any((models / folder / f"{name}.sql").exists() for folder in ("reports", "quality")), name
    for name in functions:
        assert (models / "reports" / "table_functions" / f"{name}.sql").exists(), name


@pytest.mark.slow
def test_no_schema_bears_the_files_own_name_and_duckdb_1_4_can_read_the_file(sample: Pipeline) -> None:
    schemas = {name for (name,) in sample.query("select schema_name from duckdb_schemas() where not internal")}
    assert sample.settings.published.stem not in schemas
    # Bytes 12 to 20 are the storage version; 65 is what 1.2 to 1.4 write.
    header = sample.settings.published.read_bytes()[:20]
    assert header[8:12] == b"DUCK"
    assert int.from_bytes(header[12:20], "little") <= 65


@pytest.mark.slow
def test_the_facts_lie_newest_first_so_that_a_date_range_reads_only_its_part(sample: Pipeline) -> None:
    for event_type in ("added", "connected", "deleted", "merged"):
        query = f"select occurred_at from marts.fct_contacts_{event_type} order by rowid"
        times = [str(time) for (time,) in sample.query(query)]
        assert times == sorted(times, reverse=True), event_type
