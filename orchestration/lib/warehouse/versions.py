"""The versions that Spark builds: each run builds all tables in schemas of its own, `contact_reports_v<number>_…`.

No two runs have the same number, so none writes into a folder of another one. macros/dialects/spark_versions.sql
removes what killed runs left, and points the views that readers know at the version that passed.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from orchestration.lib.settings import DATABASE_NAME, Settings


@dataclass(frozen=True)
class Version:
    """All tables of one run on Spark."""

    settings: Settings
    number: str
    forgotten: str  # fingerprint of the contacts that are masked; of another one, no former version stays
    compares_rejects: bool  # a reject is new if the version before has it not; False if that one has other batches

    @property
    def target_path(self) -> Path:
        """Where dbt keeps its manifest and its results for Spark. The manifest of DuckDB is another one."""
        return self.settings.dbt_target / "spark"

    @property
    def dbt_target(self) -> str:
        """The output of profiles.yml."""
        return "spark_connect" if self.settings.spark.startswith("sc://") else "spark"

    def environment(self) -> dict[str, str]:
        """The variables by which profiles.yml, dbt and the models know of the version."""
        return {
            "CONTACT_REPORTS_SCHEMA_PREFIX": self._schema_prefix,
            "CONTACT_REPORTS_FORGOTTEN": self.forgotten,
            "CONTACT_REPORTS_COMPARE_REJECTS": "true" if self.compares_rejects else "",
            "CONTACT_REPORTS_SPARK": self.settings.spark,
            "CONTACT_REPORTS_SPARK_MEMORY": self.settings.spark_memory,
            "CONTACT_REPORTS_SPARK_WAREHOUSE": str(self.settings.spark_data / "warehouse"),
            "CONTACT_REPORTS_SPARK_METASTORE": str(self.settings.spark_data / "metastore"),
            # Spark makes a pattern of it, in which a backslash is before special characters. DuckDB's has brackets.
            "CONTACT_REPORTS_RAW": re.sub(r"([\\*?{}\[\],])", r"\\\1", str(self.settings.raw)),
            "DBT_TARGET_PATH": str(self.target_path),
            "DBT_LOG_PATH": str(self.target_path / "logs"),
        }

    def schema(self, layer: str) -> str:
        """The schema of a layer of models."""
        return f"{self._schema_prefix}{layer}"

    def files_of(self, layer: str, table: str) -> Path:
        """The folder with the Parquet files of a table."""
        return self.settings.spark_data / "warehouse" / f"{self.schema(layer)}.db" / table

    @property
    def _schema_prefix(self) -> str:
        return f"{DATABASE_NAME}_v{self.number}_"


def new_version(settings: Settings, forgotten: str, *, compares_rejects: bool) -> Version:
    """A version for one run. Its number is the time, as only one run at a time writes (orchestration/lib/lock.py)."""
    return Version(settings, f"{datetime.now(UTC):%Y%m%d%H%M%S%f}", forgotten, compares_rejects)
