"""What analysts install reads the lake of the sample: DuckDB, Polars and pandas find the rows of the published file."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from orchestration.lib.settings import PROJECT_ROOT
from publications.lake import Lake
from tests.harness import Pipeline
from tests.lake_by_hand import a_lake

pytestmark = pytest.mark.slow

PYTHON = PROJECT_ROOT / ".venv-analysts" / "bin" / "python"
LOG = "reports/contacts_connected_log"
# The one for Spark needs its connector.
SCRIPTS_OF_THE_PAGE = [
    script
    for script in re.findall(r"^```python\n(.*?)^```", (PROJECT_ROOT / "docs" / "lake.md").read_text(), re.S | re.M)
    if "spark" not in script
]

# Each reader says how many rows there are, how many of a workspace, how many of a month, and the first instant.
_READERS = {
    "duckdb": """
import duckdb
from deltalake import DeltaTable
log = DeltaTable(path).to_pyarrow_dataset()
asked = "select count(*), count(*) filter (workspace_id = 'tui'), count(*) filter (report_date >= '{day}'), "
asked += "epoch_us(min(occurred_at)) from log"
found = duckdb.sql(asked).fetchone()
""",
    "polars": """
import datetime
import polars as pl
log = pl.scan_delta(path)
found = log.select(
    pl.len(), (pl.col("workspace_id") == "tui").sum().cast(pl.Int64).alias("a"),
    (pl.col("report_date") >= datetime.date.fromisoformat("{day}")).sum().cast(pl.Int64).alias("b"),
    pl.col("occurred_at").min().dt.timestamp("us").alias("c"),
).collect().row(0)
assert log.collect_schema()["occurred_at"] == pl.Datetime("us", "UTC")
assert log.filter(pl.col("workspace_id") == "tui").collect().height == found[1]
""",
    "pandas": """
import datetime
from deltalake import DeltaTable
log = DeltaTable(path).to_pandas()
days = log["report_date"].astype(str)
first = log["occurred_at"].min()
assert str(first.tz) == "UTC"
found = (len(log), (log["workspace_id"] == "tui").sum(), (days >= "{day}").sum(), first.value // 1000)
assert len(DeltaTable(path).to_pandas(partitions=[("workspace_id", "=", "tui")])) == found[1]
""",
}


@pytest.fixture(scope="module")
def lake(sample: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    lake = a_lake(tmp_path_factory.mktemp("read_back") / "lake")
    lake.publish(sample.settings.published)
    return lake


def test_the_lake_has_every_table_and_view_but_those_of_date_ranges(sample: Pipeline, lake: Lake) -> None:
    wanted = sample.query(
        """select table_schema || '/' || table_name from information_schema.tables
        where table_schema in ('marts', 'reports') and table_name not like '%date\\_range%' escape '\\' order by all"""
    )
    there = sorted(str(path.parent.relative_to(lake.target)) for path in Path(lake.target).glob("*/*/_delta_log"))
    assert there == [name for (name,) in wanted]
    assert "marts/fct_contact_events" in there and "reports/contacts_overview" in there
    assert lake.differences(sample.settings.published) == []


@pytest.mark.parametrize("script", SCRIPTS_OF_THE_PAGE, ids=["Polars", "pandas", "DuckDB"])
def test_the_scripts_of_the_page_find_rows(lake: Lake, script: str) -> None:
    script = script.replace("/srv/lake", lake.target) + "assert len(rows) > 0\n"
    done = subprocess.run([PYTHON, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("reader", _READERS)
def test_a_reader_finds_the_rows_of_the_file(sample: Pipeline, lake: Lake, reader: str) -> None:
    (expected,) = sample.query(
        """
        with log as (select *, max(report_date) over () - 20 as day from reports.contacts_connected_log)
        select count(*), count(*) filter (workspace_id = 'tui'), count(*) filter (report_date >= day),
            epoch_us(min(occurred_at)), any_value(day)::varchar
        from log"""
    )
    *numbers, day = expected
    script = f"import json\npath = {f'{lake.target}/{LOG}'!r}\n{_READERS[reader].replace('{day}', str(day))}"
    script += "print(json.dumps([int(number) for number in found]))"
    done = subprocess.run([PYTHON, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == numbers
