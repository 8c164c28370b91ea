"""A command warns of a variable that looks like a setting and is none, and of no other one."""

import re

import pytest
from click.testing import CliRunner

from orchestration.cli.group import main
from orchestration.lib.settings import PROJECT_ROOT, environment, read_settings

_PLACES = ("docs/settings.md", "profiles.yml", "dagster.yaml", "deploy")
READ_SOMEWHERE = {
    name
    for place in _PLACES
    for path in [PROJECT_ROOT / place, *(PROJECT_ROOT / place).rglob("*")]
    if path.is_file()
    for name in re.findall("CONTACT_REPORTS_[A-Z_]*[A-Z]", path.read_text())
}


def warnings(monkeypatch: pytest.MonkeyPatch, *names: str) -> list[str]:
    """What a command says when these variables are set."""
    for name in names:
        monkeypatch.setenv(name, "a-secret")
    # Fails after the group was entered, so nothing else happens.
    said = CliRunner().invoke(main, ["export"]).stderr
    assert "a-secret" not in said
    return [line for line in said.splitlines() if line.startswith("warning")]


@pytest.mark.parametrize(
    ("name", "cure"),
    [
        ("CONTACT_REPORTS_POSTGRE", "Did you mean CONTACT_REPORTS_POSTGRES?"),
        ("contact_reports_landin", "Did you mean CONTACT_REPORTS_LANDING?"),
        ("CONTACT_REPORTS_Q", "docs/settings.md lists the settings"),
    ],
)
def test_a_misspelt_variable_is_named_once_with_the_nearest_one(
    monkeypatch: pytest.MonkeyPatch, name: str, cure: str
) -> None:
    assert warnings(monkeypatch, name) == [f"warning: {name} is no setting and has no effect. {cure}"]


def test_variables_that_anything_of_the_project_reads_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    passed_on = {name for name in environment(read_settings()) if name.startswith("CONTACT_REPORTS_")}
    assert {"CONTACT_REPORTS_DAGSTER_POSTGRES", "CONTACT_REPORTS_WAREHOUSE"} <= READ_SOMEWHERE
    assert warnings(monkeypatch, *READ_SOMEWHERE, *passed_on, "contact_reports_data", "CONTACT_REPORTED") == []
