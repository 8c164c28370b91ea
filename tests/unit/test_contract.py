"""The contract agrees with the code: settings, sources, reject reasons, published columns. So do the settings."""

import csv
import re
import subprocess

import pytest
import yaml  # type: ignore[import-untyped]

from orchestration.lib.secrets import Secrets
from orchestration.lib.settings import PROJECT_ROOT, Settings

DOCS = PROJECT_ROOT / "docs"
CONTRACT = (DOCS / "contract.md").read_text()
SETTINGS = (DOCS / "settings.md").read_text()


def section(heading: str) -> str:
    """The text below a heading, up to the next one of its level or a higher one."""
    level = heading.split(" ", 1)[0]
    _, found, rest = CONTRACT.partition(f"\n{heading}\n")
    assert found, heading
    return re.split(rf"^#{{2,{len(level)}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def rows(text: str) -> list[list[str]]:
    """The cells of the tables in a text, the header of each table aside."""
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("|")]
    return [
        cells for i, cells in enumerate(lines) if not (cells[0].startswith("-") or set("".join(cells)) <= set("-|"))
    ]


def codes(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def described(folder: str) -> dict[str, list[str]]:
    """The columns of each published view or table function, by the name that readers use."""
    found = {}
    for path in sorted((PROJECT_ROOT / "models" / folder).glob("_*.yml")):
        for model in yaml.safe_load(path.read_text()).get("models", []):
            found[model["name"]] = [column["name"] for column in model["columns"]]
    return found


def test_every_section_that_the_code_cites_is_there() -> None:
    sections = re.findall(r"^## (\d)\. ", CONTRACT, flags=re.MULTILINE)
    assert sections == list("123456789")
    cited = subprocess.run(
        ["git", "grep", "-hoE", r"contract [0-9]+"], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert {line.split()[1] for line in cited.splitlines()} <= set(sections)


def test_the_settings_are_those_of_the_code() -> None:
    settings = {f"CONTACT_REPORTS_{name.upper()}" for name in (*Settings.model_fields, *Secrets.model_fields)}
    documented = [cells[0].strip("`") for cells in rows(SETTINGS)][1:]
    assert sorted(documented) == sorted(settings)


def test_the_sources_are_those_of_the_seed() -> None:
    with (PROJECT_ROOT / "seeds" / "event_sources.csv").open(newline="") as seed:
        seeded = [
            [
                f"`{row['source']}`",
                row["source_label"],
                row["label_fr"],
                ", ".join(name for name in ("added", "connected", "deleted", "merged") if row[name] == "true"),
            ]
            for row in csv.DictReader(seed)
        ]
    with (PROJECT_ROOT / "seeds" / "source_aliases.csv").open(newline="") as seed:
        aliases = {(row["alias"], row["source"]) for row in csv.DictReader(seed)}
    documented = rows(section("## 3. Sources"))
    assert [cells for cells in documented if len(cells) == 4][1:] == seeded
    assert {
        (alias, source.strip("`"))
        for spellings, source in (cells for cells in documented if len(cells) == 2)
        for alias in codes(spellings)
    } == aliases


def test_every_reject_reason_has_an_entry_in_the_order_in_which_they_are_checked() -> None:
    macro = (PROJECT_ROOT / "macros" / "events.sql").read_text().partition("macro reject_reasons()")[2]
    reasons = re.findall(r"'(\w+)'", macro.partition("endmacro")[0])
    assert len(reasons) > 5
    assert re.findall(r"^#### (\w+)$", section("### Reject reasons"), flags=re.MULTILINE) == reasons


def test_every_rule_of_superseding_has_an_entry() -> None:
    sql = (PROJECT_ROOT / "macros" / "superseding.sql").read_text()
    rules = re.findall(r"^ +(?:when .+ then )?'(\w+)'(?: as superseded_as,)?$", sql, flags=re.MULTILINE)
    entries = re.findall(r"^#### (\w+)$", section("### Superseding rules"), flags=re.MULTILINE)
    # Readers see a failed message under the first rule.
    assert entries == [rule for rule in rules if rule != "failed_message"]


@pytest.mark.parametrize(
    ("heading", "folder"),
    [("### Views of schema reports", "reports"), ("### Views of schema quality", "quality")],
)
def test_the_published_views_have_the_columns_of_the_contract(heading: str, folder: str) -> None:
    documented = {cells[0].strip("`"): codes(cells[2]) for cells in rows(section(heading))[1:]}
    assert documented == described(folder)


def test_the_table_functions_have_the_arguments_and_columns_of_the_contract() -> None:
    folder = PROJECT_ROOT / "models" / "reports" / "table_functions"
    views, functions = described("reports"), described("reports/table_functions")
    del functions["date_ranges_at"]
    documented = {
        cells[0].strip("`"): cells[1:] for cells in rows(section("### Table functions of schema reports"))[1:]
    }
    assert documented.keys() == functions.keys()
    for name, (arguments, columns) in documented.items():
        parameters = (folder / f"{name}.sql").read_text().partition("parameters=[")[2].partition("]")[0]
        assert ["start_date", "end_date", *codes(arguments)] == re.findall(r"^\s*['\"](\w+)", parameters, re.M), name
        view = re.match("as the view `(.*)`", columns)
        assert (views[view[1]] if view else codes(columns)) == functions[name], name
