"""The models are written once for all engines: only macros/dialects knows how an engine writes what others do not."""

import re
from pathlib import Path

import pytest

from orchestration.lib.settings import PROJECT_ROOT

DIALECTS = PROJECT_ROOT / "macros" / "dialects"
MODELS = sorted([*PROJECT_ROOT.glob("models/**/*.sql"), *PROJECT_ROOT.glob("tests/dbt/**/*.sql")])
# What Spark has in place of macros of dbt and of the start and end of a run.
BEYOND_SQL = {"spark_dbt", "spark_versions"}
DISPATCHED = re.compile(r"adapter\.dispatch\('(\w+)'\)")


def code(path: Path) -> str:
    """The file without its comments."""
    return re.sub(r"\{#.*?#\}|--[^\n]*", "", path.read_text(), flags=re.DOTALL)


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_no_model_and_no_test_of_data_names_an_engine(path: Path) -> None:
    named = re.findall(r"duckdb|spark|target\.(?:type|name)|adapter\.dispatch", code(path), re.IGNORECASE)
    assert not named


def dispatched(of_table_functions: bool) -> set[str]:
    """The macros that are dispatched, those that only table functions need or all others."""
    is_chosen = {path: (path.stem == "dispatch_table_functions") is of_table_functions for path in DIALECTS.iterdir()}
    return {name for path, chosen in is_chosen.items() if chosen for name in DISPATCHED.findall(path.read_text())}


def written_for(engine: str) -> set[str]:
    written = "".join(path.read_text() for path in DIALECTS.glob(f"{engine}*.sql") if path.stem not in BEYOND_SQL)
    return set(re.findall(rf"macro {engine}__(\w+)\(", written))


def test_duckdb_has_every_dispatched_macro() -> None:
    assert written_for("duckdb") == dispatched(of_table_functions=False) | dispatched(of_table_functions=True)


def test_spark_has_every_dispatched_macro_that_models_need() -> None:
    assert written_for("spark") - {"pattern"} == dispatched(of_table_functions=False)
