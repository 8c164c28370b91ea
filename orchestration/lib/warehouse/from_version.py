"""Makes the warehouse file from a version that Spark built: its tables are copied, dbt makes the views over them."""

import glob
from collections.abc import Mapping
from typing import Any

import duckdb

from orchestration.lib.sql import sql_name, sql_text
from orchestration.lib.warehouse.versions import Version

# dbt builds these over the tables. The work of a run is not published.
VIEWS_ARGUMENTS = (
    *("run", "--select", "config.materialized:view", "config.materialized:table_function"),
    *("--exclude", "tag:this_run"),
)
VIEWS_VARIABLES = {"CONTACT_REPORTS_TABLES_ARE_COPIED": "true"}
_TABLES = ("table", "incremental", "seed")


def copy_tables(version: Version, manifest: Mapping[str, Any]) -> None:
    """Copy the tables of a version into the prepared warehouse file. The manifest is the one of dbt for DuckDB.

    With CONTACT_REPORTS_SPARK_DAYS only the facts of so many days are copied, up to the newest day of any fact.
    """
    settings = version.settings
    nodes = [
        node
        for node in manifest["nodes"].values()
        if node["config"].get("materialized") in _TABLES and "this_run" not in node["tags"]
    ]
    with duckdb.connect(str(settings.warehouse)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"set memory_limit = {sql_text(settings.memory_limit_of_duckdb)}")
        connection.execute(f"set temp_directory = {sql_text(settings.spill)}")
        days = "true"
        if settings.spark_days:
            facts = " union all ".join(f"select report_date {_rows(version, node)}" for node in nodes if _is_fact(node))
            days = f"report_date > (select max(report_date) - {settings.spark_days} from ({facts}))"
        for node in nodes:
            schema, table = sql_name(node["schema"]), sql_name(node["schema"], node["alias"])
            # Facts are stored as DuckDB stores its own (`newest_first` in macros/events.sql).
            facts_only = f"where {days} order by occurred_at desc" if _is_fact(node) else ""
            connection.execute(f"create schema if not exists {schema}")
            connection.execute(f"create or replace table {table} as {_rows(version, node)} {facts_only}")


def _is_fact(node: Mapping[str, Any]) -> bool:
    return str(node["alias"]).startswith("fct_")


def _rows(version: Version, node: Mapping[str, Any]) -> str:
    """The rows of a table of the version, as SQL."""
    files = glob.escape(str(version.files_of(node["schema"], node["alias"]))) + "/*.parquet"
    return f"from read_parquet({sql_text(files)})"
