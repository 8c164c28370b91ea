"""The documentation of the publication: dbt's page and the data dictionary, both written from the descriptions."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb

from orchestration.lib.dbt.project import DBT_EXECUTABLE, ensure_manifest
from orchestration.lib.problems import Problem
from orchestration.lib.settings import DATABASE_NAME, PROJECT_ROOT, Settings
from orchestration.lib.warehouse.published import open_published

DICTIONARY = PROJECT_ROOT / "docs" / "dictionary.md"
_SCHEMAS = {
    "reports": "What the report page shows.",
    "quality": "What became of the records that were landed.",
    "marts": "The facts and dimensions that the reports are made of.",
}


def write_page(settings: Settings) -> Path:
    """Write dbt's documentation of the models and the publication, as one file below the data folder. Returns it.

    dbt opens what it describes for writing, which would shut readers out: it is given a copy.

    Raises:
        Problem: dbt cannot describe the models.
    """
    page = settings.data / "docs" / "index.html"
    page.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=page.parent, prefix=".") as folder:
        target = Path(folder)
        copy = target / f"{DATABASE_NAME}.duckdb"
        shutil.copyfile(settings.published, copy)
        generated = subprocess.run(
            [DBT_EXECUTABLE, "--quiet", "docs", "generate", "--static", "--project-dir", str(PROJECT_ROOT)],
            env={**os.environ, "CONTACT_REPORTS_WAREHOUSE": str(copy), "DBT_TARGET_PATH": str(target)},
            capture_output=True,
            text=True,
            check=False,
        )
        if generated.returncode:
            said = " ".join((generated.stdout + generated.stderr).split())
            raise Problem(f"dbt cannot describe the models: {said[:500]}", "Mend what it names, then `make run`")
        os.replace(target / "static_index.html", page)
    return page


def write_dictionary(settings: Settings) -> Path:
    """Write the data dictionary into the repository. Returns it."""
    DICTIONARY.write_text(dictionary(ensure_manifest(settings), settings.published))
    return DICTIONARY


def dictionary(manifest: Path, published: Path) -> str:
    """The data dictionary in Markdown: descriptions from dbt's manifest, types from the published file.

    Raises:
        Problem: the file was published before a model of the manifest was added.
    """
    models: dict[str, list[dict[str, Any]]] = {schema: [] for schema in _SCHEMAS}
    for node in json.loads(manifest.read_text())["nodes"].values():
        if node["resource_type"] == "model" and node["schema"] in models:
            models[node["schema"]].append(node)
    with open_published(published) as connection:
        try:
            return "\n".join(_lines(models, connection))
        except duckdb.CatalogException as error:
            raise Problem(
                f"{published} is older than the models: {str(error).splitlines()[0]}", "`make run` publishes a new one"
            ) from None


def _lines(models: dict[str, list[dict[str, Any]]], connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    yield "# Data dictionary"
    yield ""
    yield "Every view, table and table function of the published file. Written by `make docs` from the descriptions in"
    yield "`models/`, which are also in the database: `from duckdb_columns()`, `duckdb_views()`, `duckdb_functions()`."
    yield ""
    for schema, about in _SCHEMAS.items():
        ordered = sorted(models[schema], key=lambda model: (_is_function(model), model["alias"]))
        yield f"## {schema}"
        yield ""
        yield f"{about} " + ", ".join(f"[{model['alias']}](#{schema}{model['alias']})" for model in ordered)
        yield ""
        for model in ordered:
            yield from _section(model, connection)


def _section(model: dict[str, Any], connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    name = f"{model['schema']}.{model['alias']}"
    parameters: list[str] = model["config"].get("parameters") or []
    yield f"### {name}"
    yield ""
    if _is_function(model):
        yield f"`{name}({', '.join(parameters)})`"
        yield ""
    yield _one_line(model["description"])
    yield ""
    yield "| column | type | meaning |"
    yield "|---|---|---|"
    for column, data_type, *_ in _columns(model, connection):
        meaning = _one_line(model["columns"].get(column, {}).get("description", "")).replace("|", "\\|")
        # Without the values of an ENUM: they are in its seed.
        yield f"| `{column}` | {data_type.partition('(')[0].lower()} | {meaning} |"
    yield ""


def _columns(model: dict[str, Any], connection: duckdb.DuckDBPyConnection) -> list[tuple[str, ...]]:
    """The names and types of its columns."""
    name = f"{model['schema']}.{model['alias']}"
    if _is_function(model):
        # DuckDB describes a function by a call of it. The arguments do not matter.
        required = ["null" for parameter in model["config"]["parameters"] if ":=" not in parameter]
        return connection.execute(f"describe from {name}({', '.join(required)})").fetchall()
    # Not by DESCRIBE: it opens the files that a view reads, and this connection must not.
    columns = connection.execute(
        """
        select column_name, data_type from duckdb_columns()
        where schema_name = ? and table_name = ? order by column_index""",
        [model["schema"], model["alias"]],
    ).fetchall()
    if not columns:
        raise duckdb.CatalogException(f"{name} does not exist")
    return columns


def _is_function(model: dict[str, Any]) -> bool:
    return bool(model["config"]["materialized"] == "table_function")


def _one_line(text: str) -> str:
    return " ".join(text.split())
