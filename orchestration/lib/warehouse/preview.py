"""Builds one model and what depends on it in a scratch copy of the publication, to see what an edit changes."""

import os
import subprocess

import duckdb

from orchestration.lib.dbt.project import DBT_EXECUTABLE
from orchestration.lib.lock import only_writer
from orchestration.lib.problems import Problem
from orchestration.lib.settings import PROJECT_ROOT, Settings
from orchestration.lib.sql import sql_name
from orchestration.lib.warehouse.build import prepare, remove_spill
from orchestration.lib.warehouse.plan import Plan
from orchestration.lib.warehouse.state import read_state


def preview(settings: Settings, model: str, rows: int) -> str:
    """Build a model, its data tests and its descendants as a full refresh would. Returns some of its rows as a table.

    dbt writes to this process's output. Raises Problem when nothing is published yet, or when dbt cannot build it.
    """
    state = read_state(settings.published) if settings.published.exists() else None
    if state is None:
        raise Problem("There is no publication to copy", "Run `make run` first")
    with only_writer(settings.data):
        # In the place where a run builds: dbt parses everything again when a path in its environment changes.
        prepare(settings, Plan(state, reason="a model was edited", rebuild=False))
        try:
            _build(model)
            return _first_rows(settings, model, rows)
        finally:
            settings.warehouse.unlink(missing_ok=True)
            remove_spill(settings)


def _build(model: str) -> None:
    command = [DBT_EXECUTABLE, "build", "--exclude-resource-type", "unit_test", "--full-refresh", "--select"]
    # What a run keeps in memory is gone with it, and built again for the model and its descendants.
    selection = [f"{model}+", f"@{model},tag:this_run"]
    if subprocess.run([*command, *selection], cwd=PROJECT_ROOT, env=os.environ, check=False).returncode:
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
        return f"{'.'.join(found)}\n{relation}"
