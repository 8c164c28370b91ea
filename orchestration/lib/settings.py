"""The settings of contract 1: read from the environment once, checked, paths made absolute."""

import codecs
import contextlib
import glob
import hashlib
import os
import re
import stat
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import duckdb
from pydantic import BeforeValidator, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from orchestration.lib.problems import Problem

PROJECT_ROOT = Path(__file__).resolve().parents[2]

# The catalog name that dbt writes into views and table macros is the file's stem, so every file that is or
# becomes the publication bears the same one.
DATABASE_NAME = "contact_reports"

# Two days without an event are an outage, or a very quiet business.
NEWEST_EVENT_WITHIN = timedelta(hours=48)

_HOURLY = "0 * * * *"
_MEMORY_LIMIT = "4GB"


def _split(value: object) -> object:
    return re.split(r"[\s,]+", value.strip(" ,")) if isinstance(value, str) else value


class Settings(BaseSettings):
    """Where things are and how they run. Every path is absolute; relative ones start at the repository root."""

    model_config = SettingsConfigDict(env_prefix="CONTACT_REPORTS_", env_ignore_empty=True, frozen=True)

    data: Path = Field(PROJECT_ROOT / "data", validate_default=True)
    landing: str | None = None
    target: Literal["duckdb", "spark"] = "duckdb"
    spark: str = "local[*]"  # where Spark runs
    spark_folder: Path | None = None  # of its tables
    spark_memory: str = "2g"  # of the driver
    spark_days: int | None = Field(None, ge=1)  # of facts in the published file
    schedule: str = _HOURLY
    encoding: str | None = None  # of text files that are not UTF-8
    memory_limit: str | None = None  # 4 GB, or DuckDB's own if that is less: 80 % of what machine or container has
    group_reads: bool = False
    dagster_home: Path = PROJECT_ROOT  # where dagster.yaml is
    lake: str | None = None
    runs_kept_days: int = Field(90, ge=1)
    api_url: str = "https://api.respond.io/v2"
    api_rate: float = Field(5, gt=0, allow_inf_nan=False)  # requests a second, for each method and path
    digest: str | None = None  # cron of the digest
    digest_from: str | None = None  # address of its mail
    digest_to: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)] = ()
    page_url: str | None = None  # where people reach the report page

    @field_validator("data", "dagster_home", "spark_folder")
    @classmethod
    def _from_the_root(cls, value: Path | None) -> Path | None:
        return value and PROJECT_ROOT / value.expanduser()

    @field_validator("spark")
    @classmethod
    def _place_of_spark(cls, value: str) -> str:
        host = r"[^\s/:;?#@]+"
        shapes = rf"local(\[(\*|\d+)\])?|yarn|k8s://\S+|spark://{host}:\d+|sc://{host}(:\d+)?(/(;\S*)?)?"
        with contextlib.suppress(ValueError):  # Of a port above 65535.
            if re.fullmatch(shapes, value, re.ASCII) and urlsplit(value).port != 0:
                return value
        raise ValueError("should be local[*], spark://host:port, yarn, k8s://…, or sc://host:port for Spark Connect")

    @field_validator("spark_memory")
    @classmethod
    def _memory_of_spark(cls, value: str) -> str:
        if not re.fullmatch(r"\d+[mg]", value, re.ASCII):
            raise ValueError("should be a size such as 8g")
        return value

    @field_validator("landing", "lake")
    @classmethod
    def _folder_or_bucket(cls, value: str | None) -> str | None:
        if value is None or re.match("s3://[^/]", value):
            return value
        if "://" in value:
            raise ValueError("should be a folder or s3://bucket/prefix")
        return str(PROJECT_ROOT / Path(value).expanduser())

    @field_validator("schedule", "digest")
    @classmethod
    def _cron(cls, value: str | None) -> str | None:
        # Dagster checks it, and takes 0.4 s to import. The defaults need no check.
        if value in (_HOURLY, None):
            return value
        from dagster import DagsterInvalidDefinitionError, ScheduleDefinition

        try:
            ScheduleDefinition(name="probe", job_name="probe", cron_schedule=value)
        except DagsterInvalidDefinitionError:
            raise ValueError("should be a cron expression such as '0 * * * *'") from None
        return value

    @field_validator("encoding")
    @classmethod
    def _encoding(cls, value: str | None) -> str | None:
        # Lines, quotes and separators are found before a text is read in it.
        ascii_bytes = bytes(range(128))
        try:
            if value is None or ascii_bytes.decode(codecs.lookup(value).name) == ascii_bytes.decode("ascii"):
                return value
        except (LookupError, UnicodeError):
            pass
        raise ValueError("should be an encoding that extends ASCII, such as cp1252")

    @field_validator("memory_limit")
    @classmethod
    def _size(cls, value: str | None) -> str | None:
        if value and not re.fullmatch(r"\d+([.]\d+)? ?[KMGT]i?B", value, re.ASCII):
            raise ValueError("should be a size such as 8GB")
        return value

    @field_validator("api_url", "page_url")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"https?://[\w.-]+(:\d{1,5})?(/[\w./-]*)?", value, re.ASCII):
            raise ValueError("should be an address such as https://reports.example.com")
        return value

    @field_validator("digest_from", "digest_to")
    @classmethod
    def _mail_addresses(cls, value: str | tuple[str, ...] | None) -> str | tuple[str, ...] | None:
        # In ASCII, as not every mail server takes others. Nothing in it can end a line of a header, or add an address.
        for address in (value,) if isinstance(value, str) else value or ():
            if not re.fullmatch(r"[\w.!#$%&'*+/=?^`{|}~-]+@[\w.-]+", address, re.ASCII):
                raise ValueError("should be a mail address such as reports@example.com")
        return value

    @property
    def raw(self) -> Path:
        return self.data / "raw"

    @property
    def plain_folder(self) -> Path:
        """The data folder; where its path has a `?`, a private folder elsewhere, for what cannot be in such a path.

        DuckDB takes a `?` in the path of a file that it writes for the start of options. So does SQLAlchemy.
        """
        if "?" not in str(self.data):
            return self.data
        name = hashlib.sha256(os.fsencode(self.data)).hexdigest()[:32]
        return Path(tempfile.gettempdir()) / f"contact-reports-{os.getuid()}" / name

    @property
    def sample_mark(self) -> Path:
        """There while the raw zone may hold a record of the sample."""
        return self.raw / "is_sample"

    @property
    def receiver(self) -> Path:
        """Where the bodies of webhooks wait until a run collects them."""
        return self.data / "receiver"

    @property
    def sample(self) -> Path:
        return self.data / "sample"

    @property
    def warehouse(self) -> Path:
        """The private file that a run builds in. Publishing renames it; the next run deletes one that is left."""
        return self.plain_folder / "warehouse" / f"{DATABASE_NAME}.duckdb"

    @property
    def spill(self) -> Path:
        """Where DuckDB writes what does not fit into memory while dbt builds, as in profiles.yml."""
        return self.data / "warehouse" / "spill"

    @property
    def spark_data(self) -> Path:
        """The folder of Spark's tables. Every machine of the cluster has to see it at this path."""
        return self.spark_folder or self.data / "spark"

    @property
    def published(self) -> Path:
        return self.data / "published" / f"{DATABASE_NAME}.duckdb"

    @property
    def masked(self) -> Path:
        """The masked copy of the published file."""
        return self.published.parent / "masked" / self.published.name

    @property
    def published_mode(self) -> int:
        # No write permission: a tool that opens the file for writing leaves a WAL that every reader replays.
        return 0o440 if self.group_reads else 0o400

    @property
    def memory_limit_of_duckdb(self) -> str:
        """What DuckDB may hold in a run."""
        return self.memory_limit or _default_memory_limit()

    @property
    def dbt_target(self) -> Path:
        return self.data / "dbt"

    @property
    def is_sample(self) -> bool:
        """Nothing is configured, landed or loaded: the project's own sample workspaces are used."""
        if self.landing is not None or (self.data / "landing").exists():
            return False
        # The sample never replaces a landing folder that went away or is not mounted.
        return self.sample_mark.exists() or not any(self.raw.glob("batch*"))

    @property
    def own_landing_url(self) -> str:
        """The landing folder, never the sample's."""
        return self.landing or str(self.data / "landing")

    @property
    def landing_url(self) -> str:
        """The landing folder, as an absolute path or s3://bucket/prefix."""
        return str(self.sample) if self.is_sample else self.own_landing_url


def read_settings() -> Settings:
    """Read and check the environment. Raises Problem naming the variable, its value and what is allowed."""
    try:
        settings = Settings()  # type: ignore[call-arg]
    except ValidationError as error:
        first = error.errors()[0]
        variable = f"CONTACT_REPORTS_{str(first['loc'][0]).upper()}"
        allowed = first["msg"].removeprefix("Value error, ").removeprefix("Input ")
        value = without_parameters(os.environ.get(variable, ""))
        raise Problem(f"{variable}={value!r} is not possible", f"It {allowed}") from None
    return settings


def without_parameters(url: str) -> str:
    """The address of a Spark Connect server alone: a parameter may be a token."""
    return re.sub("^(sc://[^/;?#]*).*", r"\1", url)


def guard(settings: Settings) -> None:
    """Let in the data folder's owner alone; with CONTACT_REPORTS_GROUP_READS its group, as far as the publication."""
    group = settings.group_reads
    modes = {
        settings.data: 0o710 if group else 0o700,
        settings.published.parent: 0o750 if group else 0o700,
        settings.published: settings.published_mode,
        settings.masked.parent: 0o750 if group else 0o700,
        settings.masked: settings.published_mode,
    }
    for path, mode in modes.items():
        # A folder of another user, or one that is mounted read-only, cannot be changed. If a run has to write there, it
        # fails with a message of its own.
        with contextlib.suppress(OSError):
            if stat.S_IMODE(path.stat().st_mode) & 0o777 != mode:
                path.chmod(mode)


def export_settings(settings: Settings) -> None:
    """Put the resolved paths back into the environment, for dagster.yaml, profiles.yml and child processes."""
    os.environ.update(environment(settings))
    (settings.data / "dagster").mkdir(parents=True, exist_ok=True)
    if settings.plain_folder != settings.data:
        _prepare_plain_folder(settings)
    guard(settings)


def environment(settings: Settings) -> dict[str, str]:
    """The variables by which dagster.yaml, profiles.yml and dbt know of the settings."""
    return {
        "CONTACT_REPORTS_DATA": str(settings.data),
        # dbt makes a glob pattern of it, in which brackets are special.
        "CONTACT_REPORTS_RAW": glob.escape(str(settings.raw)),
        "CONTACT_REPORTS_WAREHOUSE": str(settings.warehouse),
        "CONTACT_REPORTS_MEMORY_LIMIT": settings.memory_limit_of_duckdb,
        "DBT_PROFILES_DIR": str(PROJECT_ROOT),
        "DBT_TARGET_PATH": str(settings.dbt_target),
        "DBT_LOG_PATH": str(settings.dbt_target / "logs"),
        # dbt's output is kept. Its own log file would hold every statement a second time.
        "DBT_LOG_LEVEL_FILE": "none",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DAGSTER_DISABLE_TELEMETRY": "true",
        "DAGSTER_HOME": str(settings.dagster_home),
        # Dagster's programs import the modules that dagster.yaml names.
        "PYTHONPATH": os.pathsep.join(
            dict.fromkeys([str(PROJECT_ROOT), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))])
        ),
        "CONTACT_REPORTS_DAGSTER": str(settings.plain_folder / "dagster"),
    }


def _prepare_plain_folder(settings: Settings) -> None:
    """Make the folder, with a link to Dagster's state. Raises Problem where it cannot be private, or has a `?` too."""
    folder, link = settings.plain_folder, settings.plain_folder / "dagster"
    with contextlib.suppress(FileExistsError):
        folder.parent.mkdir(mode=0o700)
    status = folder.parent.lstat()
    if "?" in str(folder) or status.st_uid != os.getuid() or stat.S_IMODE(status.st_mode) != 0o700:
        raise Problem(
            f"{settings.data} has a question mark in its path, and {folder.parent} cannot stand in for it",
            "Set TMPDIR to a folder of your own without a question mark, or rename the data folder",
        )
    folder.mkdir(exist_ok=True)
    if not link.is_symlink():
        link.symlink_to(settings.data / "dagster")


def _default_memory_limit() -> str:
    """4 GB, or DuckDB's own default if that is less.

    Some ten million events fit. The work of a run is in memory, and spills to the disk if it does not fit.
    """
    with duckdb.connect() as connection:
        row = connection.execute(
            """
            select case
                when parse_formatted_bytes(current_setting('memory_limit')) > parse_formatted_bytes($1) then $1
                else current_setting('memory_limit')
            end""",
            [_MEMORY_LIMIT],
        ).fetchone()
    assert row is not None
    return str(row[0])
