"""dbt's project: the manifest that Dagster reads the models from, and the dbt command of a run."""

import hashlib
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock

from orchestration.lib.dbt.results import on_one_line
from orchestration.lib.problems import Problem, disk_is_full, says_disk_is_full
from orchestration.lib.progress import announce
from orchestration.lib.settings import PROJECT_ROOT, Settings

# Beside the running Python: the one that belongs to it, whatever PATH says.
DBT_EXECUTABLE = str(Path(sys.executable).with_name("dbt"))

# Only a full rebuild builds what depends on rules alone: views, functions, seeds, and what has this tag.
_WITHOUT_ROWS = ("view", "table_function")
_RULES_ALONE = "rules_alone"

_PROJECT_FILES = ("models/**/*", "macros/**/*", "seeds/**/*", "tests/dbt/**/*", "dbt_project.yml", "profiles.yml")


def build_arguments(*, rebuild: bool) -> list[str]:
    """The dbt command of a run.

    Unit tests check the code. They run with `make test`, not with the data.
    """
    arguments = ["build", "--exclude-resource-type", "unit_test"]
    if rebuild:
        return arguments
    arguments.append("seed")
    # A changed seed, view or function is a changed rule, which causes a full rebuild. Tests of views run all the same.
    unchanged = (f"config.materialized:{materialization}" for materialization in _WITHOUT_ROWS)
    tag = f"tag:{_RULES_ALONE}"
    return [*arguments, "--indirect-selection", "empty", "--exclude", "path:seeds", tag, *unchanged]


def nodes_to_build(manifest: Mapping[str, Any], *, rebuild: bool) -> list[Mapping[str, Any]]:
    """The models, tests and seeds that a run builds."""
    nodes = (node for node in manifest["nodes"].values() if node["resource_type"] != "operation")
    return [node for node in nodes if rebuild or not _is_made_of_rules(node)]


def _is_made_of_rules(node: Mapping[str, Any]) -> bool:
    return (
        node["config"]["materialized"] in _WITHOUT_ROWS
        or _RULES_ALONE in node["tags"]
        or node["original_file_path"].startswith("seeds/")
    )


def ensure_manifest(settings: Settings) -> Path:
    """The manifest of the project as it is now. It is parsed only after one of its files changed."""
    manifest = settings.dbt_target / "manifest.json"
    stamp = settings.dbt_target / "manifest.sha256"
    settings.dbt_target.mkdir(parents=True, exist_ok=True)
    with FileLock(settings.dbt_target / "manifest.lock"):
        digest = _project_digest(settings)
        if not (manifest.exists() and stamp.exists() and stamp.read_text() == digest):
            announce("parsing the models, which are new or have changed")
            parsed = subprocess.run(
                [DBT_EXECUTABLE, "--quiet", "parse", "--project-dir", str(PROJECT_ROOT)],
                capture_output=True,
                text=True,
                check=False,
            )
            if parsed.returncode:
                said = parsed.stdout + parsed.stderr
                if says_disk_is_full(said):
                    raise disk_is_full(settings.data, "dbt could not write its manifest")
                raise Problem(
                    f"dbt cannot parse the models: {on_one_line(said)}", "Mend the model or yml that it names"
                )
            stamp.write_text(digest)
    return manifest


def _project_digest(settings: Settings) -> str:
    digest = hashlib.sha256(str(settings.data).encode())
    for pattern in _PROJECT_FILES:
        for path in sorted(PROJECT_ROOT.glob(pattern)):
            if path.is_file():
                digest.update(f"{path.relative_to(PROJECT_ROOT)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()
