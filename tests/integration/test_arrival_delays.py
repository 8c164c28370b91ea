"""How complete a day was after some days: the view, on files that were loaded on different days, and what to ask it."""

import random
import re
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from orchestration.lib.settings import PROJECT_ROOT
from tests.comparison import assert_same_rows
from tests.harness import Pipeline
from tests.reckoning import Reckoning
from tests.streams import apply, make_deliveries

# Some midnights apart, in every zone.
APART = timedelta(hours=31)
DAY = timedelta(days=1)


@pytest.mark.slow
def test_a_standing_event_is_known_since_the_day_of_its_first_loading(data_folder: Path, tmp_path: Path) -> None:
    # 35 of its 132 standing events were known before their own record was loaded.
    pipeline, reckoning = Pipeline(data_folder), Reckoning()
    for number, delivery in enumerate(make_deliveries(random.Random(5), deliveries=4, events=60)):
        apply(delivery, pipeline.landing)
        batch_id = pipeline.run().batch_id
        loaded_at = pipeline.loaded_at(batch_id) if batch_id is not None else datetime.now(UTC)
        reckoning.load(pipeline.landing, loaded_at + number * APART)
    # What the files would say, had the runs been days apart. Views follow at once.
    copy = tmp_path / pipeline.settings.published.name
    shutil.copyfile(pipeline.settings.published, copy)
    with duckdb.connect(str(copy)) as connection:
        connection.execute(
            """
            update staging.stg_files set loaded_at = loaded_at + runs.number * $1
            from (
                select batch_id, row_number() over (order by batch_id) - 1 as number
                from (select distinct batch_id from staging.stg_files)
            ) as runs
            where stg_files.batch_id = runs.batch_id""",
            [APART],
        )
        cursor = connection.execute("select * from quality.arrival_delays")
        names = [column[0] for column in cursor.description or ()]
        published = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    assert len({row["days_after"] for row in published}) > 10
    assert_same_rows(published, reckoning.view("arrival_delays"), "arrival_delays")


def test_the_cookbook_estimates_yesterday_by_what_was_missing_of_other_days_after_one_day() -> None:
    page = (PROJECT_ROOT / "docs" / "cookbook.md").read_text()
    (query,) = re.findall(r"^### How much of yesterday .*?^```sql\n(.*?)^```", page, flags=re.DOTALL | re.MULTILINE)
    today = date.today()
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(
            """
            create schema quality;
            create schema reports;
            create table quality.load_balance (workspace_id varchar, loaded_at timestamptz);
            create table quality.arrival_delays
                (workspace_id varchar, report_date date, event_type varchar, days_after bigint, events_arrived bigint);
            create table reports.contacts_compared_by_date_range
                (workspace_id varchar, metric varchar, date_range varchar, contacts bigint);
            insert into reports.contacts_compared_by_date_range values
                ('acme', 'contacts_added', 'yesterday', 60), ('acme', 'contacts_added', 'today', 1),
                ('acme', 'contacts_connected', 'yesterday', 4), ('acme', 'contacts_merged', 'yesterday', 7),
                ('new', 'contacts_added', 'yesterday', 5)"""
        )
        connection.executemany(
            "insert into quality.load_balance values ($1, $2)",
            [("acme", today - 30 * DAY), ("acme", today), ("new", today)],
        )
        connection.executemany(
            "insert into quality.arrival_delays values ($1, $2, $3, $4, $5)",
            [
                ("acme", today - 20 * DAY, "added", 0, 50),
                ("acme", today - 20 * DAY, "added", 1, 10),
                ("acme", today - 20 * DAY, "added", 5, 20),
                ("acme", today - 9 * DAY, "added", 1, 15),
                ("acme", today - 9 * DAY, "added", 8, 5),
                # Nothing is known of it after one day.
                ("acme", today - 10 * DAY, "connected", 2, 9),
                # It was loaded with the first files; it is not over; another workspace.
                ("acme", today - 32 * DAY, "added", 2, 900),
                ("acme", today - 3 * DAY, "added", 2, 900),
                ("new", today - 20 * DAY, "added", 20, 900),
            ],
        )
        rows = connection.execute(query).fetchall()
    assert rows == [
        ("acme", "contacts_added", 60, 25.0, 80.0),
        ("acme", "contacts_connected", 4, 100.0, None),
        ("acme", "contacts_merged", 7, None, None),
        ("new", "contacts_added", 5, None, None),
    ]
