"""The runbook has an entry for everything the code can say to an operator, and none for what it no longer says."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import yaml  # type: ignore[import-untyped]

from orchestration.lib.monitoring.alerts import KINDS
from orchestration.lib.monitoring.health import EXPORT_CHECKS
from orchestration.lib.settings import PROJECT_ROOT

RUNBOOK = (PROJECT_ROOT / "docs" / "runbook.md").read_text()


def headings(chapter: str) -> set[str]:
    """The entries of a chapter of the runbook."""
    _, found, rest = RUNBOOK.partition(f"\n## {chapter}\n")
    assert found, chapter
    return set(re.findall(r"^### (.*)$", rest.split("\n## ")[0], flags=re.MULTILINE))


def _modules() -> list[Path]:
    packages = ("orchestration", "page", "publications")
    return sorted(path for package in packages for path in (PROJECT_ROOT / package).rglob("*.py"))


def said_by(*functions: str) -> set[str]:
    """The texts that the code passes to functions, with `…` for what is filled in. What passes on another's is none."""
    return {text for path in _modules() for text in _said_in(path, functions)}


def _kinds_of_problem() -> Iterator[str]:
    for path in _modules():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef) and any(ast.unparse(base) == "Problem" for base in node.bases):
                yield node.name


def _said_in(path: Path, functions: tuple[str, ...]) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and node.args and ast.unparse(node.func).endswith(functions):
            text = _template(node.args[0])
            if re.search(r"[a-z]{3}", text):
                yield text


def _template(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=str(text)):
            said = re.sub(r"%[sd]", "…", text)
        case ast.JoinedStr(values=parts):
            said = "".join(part.value if isinstance(part, ast.Constant) else "…" for part in parts)  # type: ignore[misc]
        case _:
            return "…"
    return re.sub("…+", "…", " ".join(said.split()))


def test_every_error_is_in_the_runbook() -> None:
    said = said_by("Problem", *_kinds_of_problem())
    assert len(said) > 30
    assert headings("Errors") == said


def test_every_warning_of_a_run_is_in_the_runbook() -> None:
    said = said_by("warnings.append", "refused.append") | {"… is not loaded: it …", "… is not loaded: …"}
    assert len(said) > 8
    assert headings("Files that were not read") == said


def test_every_reason_why_a_file_cannot_be_read_is_in_the_runbook() -> None:
    said = said_by("NotReadable")
    assert len(said) >= 5
    for reason in said:
        assert f"- *{reason}*" in RUNBOOK, reason


def test_every_line_that_a_service_logs_as_an_error_is_in_the_runbook() -> None:
    said = said_by("log.error", "log.warning")
    assert said
    assert headings("Lines in the logs of services") == said


def test_every_alert_is_in_the_runbook() -> None:
    assert headings("Alerts") == KINDS.keys()


def test_every_check_of_our_own_is_in_the_runbook() -> None:
    dbt = {path.stem for path in (PROJECT_ROOT / "tests" / "dbt").glob("*.sql")}
    python = {
        "every_file_was_read",
        "newest_event_is_recent",
        "every_workspace_has_a_token",
        "no_program_wrote_into_it",
    }
    assert len(dbt) > 10
    assert headings("Checks") == dbt | python | {check.name for check in EXPORT_CHECKS}


def test_every_entry_says_something() -> None:
    for entry in re.findall(r"^### .*\n((?:(?!#).*\n?)*)", RUNBOOK, flags=re.MULTILINE):
        assert len(entry.split()) >= 8, entry


def test_every_place_that_the_runbook_names_is_in_the_repository_or_in_the_data_folder() -> None:
    for path in re.findall(r"`((?:models|macros|seeds|orchestration|tests|deploy|docs)/[\w/.]*)`", RUNBOOK):
        assert (PROJECT_ROOT / path).exists(), path


def test_every_reason_of_a_reject_is_in_the_runbook_and_in_the_description_of_its_column() -> None:
    models = yaml.safe_load((PROJECT_ROOT / "models" / "quality" / "_quality.yml").read_text())["models"]
    [rejected] = [model for model in models if model["name"] == "rejected_records"]
    [reason] = [column for column in rejected["columns"] if column["name"] == "reason"]
    described = set(re.findall(r"`(\w+)`", reason["description"]))
    assert headings("Reject reasons") == described
    # Those that the models may give, as a data test has them.
    listed = (PROJECT_ROOT / "macros" / "events.sql").read_text()
    judged = set(re.findall(r"'((?:malformed|missing|unknown|invalid|source_not|merged_into)_\w+)'", listed))
    assert len(judged) > 5
    assert judged <= described
