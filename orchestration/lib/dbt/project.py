"""How dbt is called: its arguments, its process, and the manifest that Dagster reads the models from."""

import contextlib
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock

from orchestration.lib.problems import Problem, disk_is_full, says_disk_is_full
from orchestration.lib.progress import announce
from orchestration.lib.secrets import without_secrets
from orchestration.lib.settings import PROJECT_ROOT, Settings

# Beside the running Python: the one that belongs to it, whatever PATH says.
DBT_EXECUTABLE = str(Path(sys.executable).with_name("dbt"))

# Materializations that hold no rows: they are what the rules make them, and copied with the publication. So are tables
# that no record has a part in, and tests of such, by their tag.
_WITHOUT_ROWS = ("view", "table_function")
_RULES_ALONE = "rules_alone"

_PROJECT_FILES = ("models/**/*", "macros/**/*", "seeds/**/*", "tests/dbt/**/*", "dbt_project.yml", "profiles.yml")


def build_arguments(*, rebuild: bool, chosen: Sequence[str] = ()) -> list[str]:
    """The dbt command of a run, of everything or of the models chosen.

    Unit tests are about the code and run with `make test`, not with the data.
    """
    arguments = ["build", "--exclude-resource-type", "unit_test"]
    if rebuild:
        return arguments
    arguments.append("seed")
    if chosen:
        return [*arguments, "--select", *chosen]
    # A changed seed, view or function is a changed rule, and that is a rebuild. Tests of views look at what is new.
    unchanged = (f"config.materialized:{materialization}" for materialization in _WITHOUT_ROWS)
    tag = f"tag:{_RULES_ALONE}"
    return [*arguments, "--indirect-selection", "empty", "--exclude", "path:seeds", tag, *unchanged]


def nodes_to_build(manifest: Mapping[str, Any], *, rebuild: bool) -> list[Mapping[str, Any]]:
    """The models, tests and seeds that a run of everything builds."""
    nodes = (node for node in manifest["nodes"].values() if node["resource_type"] != "operation")
    return [node for node in nodes if rebuild or not _is_made_of_rules(node)]


def _is_made_of_rules(node: Mapping[str, Any]) -> bool:
    return (
        node["config"]["materialized"] in _WITHOUT_ROWS
        or _RULES_ALONE in node["tags"]
        or node["original_file_path"].startswith("seeds/")
    )


@contextlib.contextmanager
def left_to_its_process() -> Iterator[None]:
    """Import modules of dagster-dbt by themselves, and as where there is no dbt, which they know how to do without.

    Otherwise it loads dbt here too, for the names of a few states (1.2 s), and what is for dbt's cloud (0.15 s).
    """
    spec = importlib.util.find_spec("dagster_dbt")
    assert spec is not None
    hidden = {name: sys.modules.get(name) for name in ("dbt", "dagster_dbt")}
    sys.modules["dbt"] = None  # type: ignore[assignment]
    sys.modules["dagster_dbt"] = importlib.util.module_from_spec(spec)
    try:
        yield
    finally:
        for name, module in hidden.items():
            del sys.modules[name]
            if module:
                sys.modules[name] = module


class _Child:
    """dbt's process, which works out what its arguments mean and waits for the warehouse."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self._arguments, self.environment = list(arguments), _environment()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "orchestration.lib.dbt.child", str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self.environment,
            cwd=PROJECT_ROOT,
        )
        self.tell(json.dumps(self._arguments))

    def is_ready_for(self, arguments: Sequence[str]) -> bool:
        return self.process.poll() is None and self._arguments == list(arguments) and self.environment == _environment()

    def tell(self, line: str) -> None:
        """Tell dbt a line. One that died meanwhile says why on its output, and has no results."""
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()

    def tell_no_more(self) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()


def _environment() -> dict[str, str]:
    return without_secrets() | {"DBT_LOG_FORMAT": "json", "PYTHONUNBUFFERED": "1"}


_waiting: list[_Child] = []
_started: list[subprocess.Popen[bytes]] = []


def get_ready(settings: Settings, *, rebuild: bool = False) -> None:
    """Have dbt imported, the project loaded, and what a run of everything builds worked out by the time that `start` is
    called: 3 s, on the other core.

    It goes with this process, whether it was needed or not. Raises Problem when the project cannot be parsed.
    """
    ensure_manifest(settings)
    if not _waiting:
        _waiting.append(_Child(build_arguments(rebuild=rebuild or not settings.published.exists())))


def start(arguments: Sequence[str], meanwhile: Callable[[], None] = lambda: None) -> subprocess.Popen[bytes]:
    """dbt at work, in a process that goes when this one is killed. It tells what it does on its output, as JSON.

    `meanwhile` is called while dbt works out what to do; dbt waits for its end before it opens the warehouse.
    """
    if _waiting and not _waiting[0].is_ready_for(arguments):
        send_away()
    child = _waiting.pop() if _waiting else _Child(arguments)
    _started.append(child.process)
    try:
        meanwhile()
        child.tell("the warehouse is there")
    finally:
        # Where the warehouse could not be prepared, dbt leaves.
        child.tell_no_more()
    return child.process


def send_away() -> None:
    """End the dbt that got ready and was not needed, and one that still builds though nobody listens any more."""
    while _waiting:
        _started.append(_waiting.pop().process)
    while _started:
        with _started.pop() as process:
            process.kill()


def ensure_manifest(settings: Settings) -> Path:
    """The manifest of the project as it is now, parsed anew only when a file of it changed."""
    manifest = settings.dbt_target / "manifest.json"
    stamp = settings.dbt_target / "manifest.sha256"
    settings.dbt_target.mkdir(parents=True, exist_ok=True)
    with FileLock(settings.dbt_target / "manifest.lock"):
        digest = _project_digest(settings)
        if not (manifest.exists() and stamp.exists() and stamp.read_text() == digest):
            announce("parsing the models, as they are new or changed")
            shutil.rmtree(settings.dbt_target / "templates", ignore_errors=True)
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


def error_messages(target: Path) -> str:
    """All that the models of a dbt invocation said that could not be built."""
    return "\n".join(result["message"] or "" for result in _failed(target) if result["status"] != "fail")


def keep_messages(target: Path, log: Path) -> None:
    """Write what dbt said of each model, seed and test that failed into a file, in full, each with its query."""
    said = [
        f"{one['unique_id']}\n{one['message']}\n{one.get('compiled_code') or ''}".strip() for one in _failed(target)
    ]
    with contextlib.suppress(OSError):  # The disk may be what failed.
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("\n\n".join(said) + "\n")


def _failed(target: Path) -> list[dict[str, Any]]:
    return [result for result in _results(target) if result["status"] in ("fail", "error", "runtime error")]


def _results(target: Path) -> list[dict[str, Any]]:
    try:
        results: list[dict[str, Any]] = json.loads((target / "run_results.json").read_text())["results"]
    except (OSError, ValueError, KeyError):
        return []
    return results


def failures(target: Path, at_most: int = 3) -> str:
    """What went wrong in a dbt invocation, from its run_results.json, short enough for one line."""
    results = _results(target)
    if not results:
        return "dbt left no results, see its log"
    found = []
    for result in _failed(target):
        kind, _, name, *_ = result["unique_id"].split(".")
        if result["status"] == "fail":
            found.append(f"{kind} {name} found {result['failures']} rows")
        else:
            found.append(f"{kind} {name}: {on_one_line(result['message'] or '')}")
    more = f" and {len(found) - at_most} more" if len(found) > at_most else ""
    return "; ".join(found[:at_most]) + more


# Long enough for what dbt and DuckDB put before the cause, short enough for a line that a person reads.
_MESSAGE_AT_MOST = 800
# What they add that is no cause: frames of tables, the way through macros, advice, the options of a CSV reader.
_NO_CAUSE = re.compile(
    r"[|\s:-]*|> (in|called by) .*|Please ensure the name, .*|This (type|error) .*|Possible .*|\* .*"
    r"|[a-z_]+ = .*|Column \w+ is being converted .*|The Column types set .*"
)


def on_one_line(message: str) -> str:
    """A message of dbt's: the rows of a table follow each other, and what is no cause is left out."""
    lines = [line.strip() for line in message.splitlines()]
    rows = [
        "; ".join(cell.strip() for cell in line.strip("|").split("|")) if line.startswith("|") else line
        for line in lines
        if not _NO_CAUSE.fullmatch(line)
    ]
    said = " ".join(" / ".join(rows).split())
    return said if len(said) <= _MESSAGE_AT_MOST else f"{said[:_MESSAGE_AT_MOST]} …"
