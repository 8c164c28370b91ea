"""Builds one model and what depends on it in a scratch copy of the publication, to see what an edit changes."""

import contextlib
import io

import duckdb

from orchestration.lib.dbt import process as dbt
from orchestration.lib.lock import only_writer
from orchestration.lib.problems import Problem
from orchestration.lib.settings import PROJECT_ROOT, Settings
from orchestration.lib.sql import sql_name
from orchestration.lib.warehouse.build import prepare, remove_spill
from orchestration.lib.warehouse.plan import Plan
from orchestration.lib.warehouse.state import read_state


def preview(settings: Settings, model: str, rows: int) -> str:
    """Build a model, its data tests and its descendants as a full refresh would. Returns some of its rows as a table.

    dbt writes to this process's output.

    Raises:
        Problem: there is no such model, nothing is published yet, or dbt cannot build it.
    """
    # dbt only warns of a name that it does not know.
    if model not in {path.stem for path in (PROJECT_ROOT / "models").rglob("*.sql")}:
        raise Problem(f"There is no model {model}", "Give the name of a file below models/, without .sql")
    state = read_state(settings.published) if settings.published.exists() else None
    if state is None:
        raise Problem("There is no publication to copy", "Run `make run` first")
    with only_writer(settings.data):
        # Where a run builds: dbt parses the whole project again when a path in its environment changes.
        prepare(settings, Plan(state, reason="a model was edited", rebuild=False))
        try:
            _build(model)
            return _first_rows(settings, model, rows)
        finally:
            settings.warehouse.unlink(missing_ok=True)
            remove_spill(settings)


def _build(model: str) -> None:
    command = ["build", "--exclude-resource-type", "unit_test", "--full-refresh", "--select"]
    # Models of `this_run` exist only in the memory of one dbt process. Those that are needed are built again.
    selection = [f"{model}+", f"@{model},tag:this_run"]
    if dbt.run([*command, *selection]):
        raise Problem(f"dbt could not build {model}", "See what it says above")


def _first_rows(settings: Settings, model: str, rows: int) -> str:
    with duckdb.connect(str(settings.warehouse), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        found = connection.execute(
            """
            select table_schema, table_name from information_schema.tables
            where table_catalog = current_database() and table_name = $1""",
            [model],
        ).fetchone()
        if found is None:
            return f"{model} is no table or view of the file: its rows cannot be shown"
        relation = connection.sql(f"from {sql_name(*found)} limit {rows}")
        shown = io.StringIO()
        with contextlib.redirect_stdout(shown):
            relation.show(max_rows=rows)  # As text, a relation has at most 20 rows.
        return f"{'.'.join(found)}\n{shown.getvalue()}"
