"""The metrics by name, asked through MetricFlow's command line, against the views of the sample."""

import csv
import json
import math
import os
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestration.lib.settings import PROJECT_ROOT, export_settings
from tests.harness import Pipeline

pytestmark = pytest.mark.slow

Answer = list[dict[str, str]]
Ask = Callable[..., Answer]
MF = str(Path(sys.executable).with_name("mf"))
# The commands of docs/analysts.md: what is made once, and the questions.
PREPARATION, QUESTIONS = (
    commands
    for commands in re.findall(r"^```sh\n(.*?)^```", (PROJECT_ROOT / "docs" / "analysts.md").read_text(), re.S | re.M)
    if "eval" in commands or "$mf" in commands
)


@pytest.fixture(scope="module")
def scratch(sample: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What docs/analysts.md has a reader make: a copy of the publication, and what `mf` reads of the project."""
    scratch = tmp_path_factory.mktemp("scratch")
    in_a_shell(sample, scratch, PREPARATION)
    return scratch


def in_a_shell(sample: Pipeline, scratch: Path, commands: str) -> str:
    """What commands of the page print, with this folder for /tmp/scratch. One that fails ends them."""
    run = subprocess.run(
        ["sh", "-e", "-c", commands.replace("/tmp/scratch", str(scratch))],
        cwd=PROJECT_ROOT,
        env=os.environ | {"CONTACT_REPORTS_DATA": str(sample.settings.data)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def test_the_questions_of_the_page_are_answered_after_its_preparation(sample: Pipeline, scratch: Path) -> None:
    said = in_a_shell(sample, scratch, PREPARATION.replace(".venv/bin/dbt", "true") + QUESTIONS)

    assert "Maison Lumière" in said and "PERCENTILE_CONT" in said
    assert len((scratch / "added.csv").read_text().splitlines()) > 5


@pytest.fixture(scope="module")
def ask(sample: Pipeline, scratch: Path) -> Ask:
    """Ask MetricFlow for metrics by group, in a process of its own."""
    export_settings(sample.settings)
    environment = dict(os.environ) | {
        "CONTACT_REPORTS_WAREHOUSE": str(scratch / sample.settings.published.name),
        "DBT_TARGET_PATH": str(scratch / "target"),
        "DBT_LOG_PATH": str(scratch / "logs"),
    }

    def ask(metrics: list[str], *group_by: str) -> Answer:
        answer = scratch / "answer.csv"
        command = [MF, "query", "--quiet", "--metrics", ",".join(metrics), "--group-by", ",".join(group_by)]
        run = subprocess.run(
            [*command, "--csv", str(answer)], cwd=scratch, env=environment, capture_output=True, text=True, check=False
        )
        assert run.returncode == 0, run.stdout + run.stderr
        with answer.open(newline="") as file:
            return list(csv.DictReader(file))

    return ask


def share_metrics(scratch: Path) -> dict[str, str]:
    """The share of each source, by its key."""
    metrics = json.loads((scratch / "target" / "semantic_manifest.json").read_text())["metrics"]
    prefix = "contacts_added_share_"
    return {name.removeprefix(prefix): name for metric in metrics if (name := metric["name"]).startswith(prefix)}


def number(text: str) -> float:
    """A value of an answer; groups that a metric does not have are empty."""
    return float(text) if text not in ("", "None") else 0.0


def test_daily_counts_and_net_growth_are_those_of_the_views(sample: Pipeline, ask: Ask) -> None:
    names = ["contacts_added", "contacts_deleted", "contacts_merged", "net_growth"]
    answer = ask(names, "workspace", "metric_time__day")
    found = {(row["workspace"], row["metric_time__day"][:10]): [number(row[name]) for name in names] for row in answer}
    expected = {
        (workspace_id, str(day)): values
        for workspace_id, day, *values in sample.query(
            f"select workspace_id, report_date, {', '.join(names)} from reports.contacts_net_growth"
        )
    }
    assert len(found) == len(answer)
    assert found == expected


def test_counts_by_source_are_those_of_the_view(sample: Pipeline, ask: Ask) -> None:
    answer = ask(["contacts_added"], "workspace__workspace_name", "source__source_label", "metric_time__month")
    found = [
        (
            row["workspace__workspace_name"],
            row["source__source_label"],
            row["metric_time__month"][:10],
            number(row["contacts_added"]),
        )
        for row in answer
    ]
    expected = sample.query(
        """
        select workspace_name, source_label, date_trunc('month', report_date)::date::varchar, sum(contacts_added)
        from reports.contacts_added_by_source
        inner join reports.workspaces using (workspace_id)
        group by all"""
    )
    assert sorted(found) == sorted(expected)


def test_counts_by_channel_and_their_shares_are_those_of_the_reports(sample: Pipeline, ask: Ask) -> None:
    answer = ask(["contacts_connected"], "workspace", "event__channel_id", "channel__channel_name")
    counts = {(row["workspace"], row["event__channel_id"] or None): number(row["contacts_connected"]) for row in answer}
    totals: dict[str, float] = defaultdict(float)
    for (workspace_id, _), contacts in counts.items():
        totals[workspace_id] += contacts
    found = {(*key, contacts, round(100 * contacts / totals[key[0]], 9)) for key, contacts in counts.items()}
    expected = sample.query(
        """
        select report.workspace_id, channel_id, contacts_connected, round(percentage, 9)
        from reports.workspaces as workspaces, reports.contacts_connected_between(
            '2000-01-01', '2049-12-31', frequency := 'total', workspace_id := workspaces.workspace_id
        ) as report"""
    )
    assert found == set(expected)
    assert len(found) > 5
    names = sample.query("select channel_name from reports.channels")
    assert {row["channel__channel_name"] for row in answer} - {""} <= {name for (name,) in names}


def test_each_source_that_may_add_contacts_has_the_share_of_the_report(
    sample: Pipeline, ask: Ask, scratch: Path
) -> None:
    shares = share_metrics(scratch)
    allowed = sample.query("select source from seeds.event_sources where added")
    assert set(shares) == {source for (source,) in allowed}
    answer = ask([*shares.values()], "workspace")
    found = {
        (row["workspace"], source, round(100 * number(row[metric]), 9))
        for row in answer
        for source, metric in shares.items()
        if number(row[metric])
    }
    expected = sample.query(
        """
        select workspaces.workspace_id, source, round(percentage, 9)
        from reports.workspaces as workspaces, reports.contacts_added_between(
            '2000-01-01', '2049-12-31', frequency := 'total', workspace_id := workspaces.workspace_id
        ) as report"""
    )
    assert found == set(expected)


def test_the_median_of_hours_to_connect_is_that_of_the_view(sample: Pipeline, ask: Ask) -> None:
    answer = ask(["median_hours_to_connect"], "workspace", "source", "metric_time__month")
    found: dict[tuple[object, ...], float] = {
        (row["workspace"], row["source"], row["metric_time__month"][:10]): float(hours)
        for row in answer
        if (hours := row["median_hours_to_connect"]) not in ("", "None")
    }
    expected = {
        (workspace_id, source, str(month)): float(str(hours))
        for workspace_id, source, month, hours in sample.query(
            """
            select workspace_id, source, month_start, median_hours_to_connect
            from reports.contacts_time_to_connect where median_hours_to_connect is not null"""
        )
    }
    assert found.keys() == expected.keys()
    assert all(math.isclose(found[key], expected[key], rel_tol=1e-9) for key in expected)
