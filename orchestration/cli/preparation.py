"""What a command checks in its first second, before it imports Dagster or dbt."""

import contextlib
import difflib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from orchestration.lib.dbt.project import ensure_manifest
from orchestration.lib.lock import only_writer
from orchestration.lib.monitoring.health import note_run
from orchestration.lib.problems import Problem
from orchestration.lib.secrets import Secrets, read_secrets
from orchestration.lib.settings import PROJECT_ROOT, Settings, export_settings, read_settings
from orchestration.lib.text import printable

_PREFIX = "CONTACT_REPORTS_"
# Variables that a command passes to dbt and Dagster, and one that deploy/dagster.yaml reads.
_NOT_SETTINGS = (
    *("RAW", "WAREHOUSE", "DAGSTER", "DAGSTER_POSTGRES"),
    *("SCHEMA_PREFIX", "FORGOTTEN", "COMPARE_REJECTS", "SPARK_WAREHOUSE", "SPARK_METASTORE", "TABLES_ARE_COPIED"),
)


def prepare_to_write() -> Settings:
    """Check the settings, and whatever else can be checked in the first second; make the data folder."""
    settings = read_settings()
    if tokens := read_secrets().api_tokens:
        from orchestration.lib.respond_io.fetch import check_workspace_id

        for workspace_id in tokens:
            check_workspace_id(workspace_id)
    try:
        export_settings(settings)
    except (FileExistsError, FileNotFoundError, NotADirectoryError) as error:
        raise Problem(
            f"The data folder {settings.data} cannot be made: {error.strerror}",
            "Set CONTACT_REPORTS_DATA to a folder, or to a place where one can be made",
        ) from None
    if not (settings.dagster_home / "dagster.yaml").is_file():
        raise Problem(
            f"CONTACT_REPORTS_DAGSTER_HOME={str(settings.dagster_home)!r} has no dagster.yaml",
            "Set it to a folder that has one, such as deploy, or leave it out",
        )
    return settings


@contextlib.contextmanager
def noting_problems(settings: Settings) -> Iterator[None]:
    """Note what stops a run before it begins, for `status`; not while another run writes."""
    try:
        yield
    except Problem as problem:
        with contextlib.suppress(Problem), only_writer(settings.data):
            note_run(settings.data, str(problem))
        raise


def warn_of_unknown_variables() -> None:
    """Print a line for each variable of the environment that has the prefix of the settings and is none of them."""
    settings = [field.upper() for field in (*Settings.model_fields, *Secrets.model_fields)]
    for name in sorted(os.environ):
        setting = name.upper().removeprefix(_PREFIX)
        if setting != name.upper() and setting not in (*settings, *_NOT_SETTINGS):
            nearest = difflib.get_close_matches(setting, settings, n=1)
            cure = f"Did you mean {_PREFIX}{nearest[0]}?" if nearest else "docs/settings.md lists the settings"
            print(printable(f"warning: {name} is no setting and has no effect. {cure}"), file=sys.stderr)


def make_landing(settings: Settings) -> None:
    """Make the landing folder if a workspace has a token: its files are fetched into it, and the sample is not used."""
    if read_secrets().api_tokens and settings.landing is None:
        (settings.data / "landing").mkdir(parents=True, exist_ok=True)


def become(program: str, *arguments: str) -> NoReturn:
    """Replace this process by a program of Dagster, with our settings."""
    settings = prepare_to_write()
    # Parsed here once, not in each process that loads the definitions.
    ensure_manifest(settings)
    executable = str(Path(sys.executable).with_name(program))
    os.chdir(PROJECT_ROOT)
    os.execv(executable, [executable, *arguments])
