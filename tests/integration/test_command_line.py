"""The command line as an operator meets it: real processes, real files, exit codes and what is printed."""

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from orchestration.lib.monitoring.health import read_last_run
from orchestration.lib.settings import PROJECT_ROOT

Environment = dict[str, str]

# Runs a command with its data folder, `$0`, on a file system that has four megabytes left. It is there for the command
# alone, which is why what it leaves is copied to `$0.after`.
ON_A_SMALL_DISK = """
    set -e
    size=$(($(du -sk "$0" | cut -f1) + 4096))k
    cp -a "$0" "$0.after"
    mount -t tmpfs -o size=$size none "$0"
    cp -a "$0.after/." "$0"
    rm -rf "$0.after"
    "$@" && code=0 || code=$?
    cp -a "$0" "$0.after"
    exit $code
"""


def run(
    data: Path,
    *,
    landing: Path | str | None = None,
    prefix: tuple[str, ...] = (),
    before: Callable[[], None] | None = None,
    settings: Environment | None = None,
) -> subprocess.CompletedProcess[str]:
    """`contact-reports run` in a process of its own, with only these settings."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("CONTACT_REPORTS", "DBT"))}
    environment |= {"CONTACT_REPORTS_DATA": str(data)} | (settings or {})
    if landing is not None:
        environment["CONTACT_REPORTS_LANDING"] = str(landing)
    return subprocess.run(
        [*prefix, sys.executable, "-m", "orchestration", "run"],
        cwd=PROJECT_ROOT,
        env=environment,
        capture_output=True,
        text=True,
        preexec_fn=before,
        check=False,
    )


def assert_refused(refused: subprocess.CompletedProcess[str], *words: str) -> None:
    """Exit code not 0, and one line that names the thing and the cure."""
    assert refused.returncode != 0, refused.stderr
    errors = [line for line in refused.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, refused.stderr
    assert "Traceback" not in refused.stderr + refused.stdout
    for word in words:
        assert word in errors[0], errors[0]


def added(data: Path) -> int:
    published = data / "published" / "contact_reports.duckdb"
    with duckdb.connect(str(published), read_only=True) as connection:
        row = connection.execute("select count(*) from reports.contacts_added_log").fetchone()
    assert row is not None
    return int(row[0])


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    folder = tmp_path / "landing"
    (folder / "acme" / "events").mkdir(parents=True)
    (folder / "workspaces.csv").write_text("workspace_id,workspace_name,timezone\nacme,Acme,Europe/Paris\n")
    write_event(folder, 1)
    return folder


def write_event(landing: Path, number: int) -> None:
    event = {"event_id": f"{number}", "event_type": "added", "occurred_at": "2026-03-01T12:00Z", "contact_id": number}
    (landing / "acme" / "events" / f"{number}.jsonl").write_text(json.dumps(event) + "\n")


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a publication of one event."""
    base = tmp_path_factory.mktemp("operator")
    (base / "landing" / "acme" / "events").mkdir(parents=True)
    (base / "landing" / "workspaces.csv").write_text("workspace_id,workspace_name,timezone\nacme,Acme,Europe/Paris\n")
    write_event(base / "landing", 1)
    done = run(base / "data", landing=base / "landing")
    assert done.returncode == 0, done.stderr
    return base / "data"


@pytest.mark.slow
def test_make_run_on_a_fresh_data_folder_publishes_the_sample_and_a_second_run_does_nothing(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("CONTACT_REPORTS", "DBT"))}
    command = ["make", "--no-print-directory", "run"]
    environment |= {"CONTACT_REPORTS_DATA": str(tmp_path)}
    published = tmp_path / "published" / "contact_reports.duckdb"

    first = subprocess.run(command, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, check=False)
    assert first.returncode == 0, first.stderr
    assert "sample" in first.stderr
    assert "building and testing: 100 %" in first.stderr
    for said in ("landed", "standing", "superseded", "rejected", "The last 7 days", str(published), "make page"):
        assert said in first.stdout
    before = published.stat()
    counted = added(tmp_path)
    assert counted > 10_000

    second = subprocess.run(command, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, check=False)
    assert second.returncode == 0, second.stderr
    assert published.stat().st_mtime_ns == before.st_mtime_ns, "nothing was new, and yet it was published again"
    assert published.stat().st_ino == before.st_ino
    assert added(tmp_path) == counted


@pytest.mark.slow
@pytest.mark.parametrize(
    ("setting", "value", "allowed"),
    [
        ("CONTACT_REPORTS_TARGET", "postgres", "'duckdb' or 'spark'"),
        ("CONTACT_REPORTS_TARGET", "spark", "'duckdb'"),
        ("CONTACT_REPORTS_SCHEDULE", "every hour", "cron"),
        ("CONTACT_REPORTS_LANDING", "ftp://files", "s3://bucket/prefix"),
        ("CONTACT_REPORTS_MEMORY_LIMIT", "much", "a size such as 8GB"),
        ("CONTACT_REPORTS_ENCODING", "ansi8", "cp1252"),
        ("CONTACT_REPORTS_ENCODING", "utf-16", "cp1252"),
    ],
)
def test_a_wrong_setting_is_refused_with_what_is_allowed(
    tmp_path: Path, setting: str, value: str, allowed: str
) -> None:
    assert_refused(run(tmp_path, settings={setting: value}), setting, value, allowed)
    assert not (tmp_path / "published").exists()


@pytest.mark.slow
def test_a_run_with_nothing_new_shows_what_lasts_and_leaves_dagster_alone(data_folder: Path, landing: Path) -> None:
    data = data_folder
    (landing / "acme" / "events" / "notes.docx").write_text("?")
    (landing / "acme" / "report_logs").mkdir()
    for name, day_one in (("1", 1), ("2", 20)):
        days = "".join(
            f"2026-03-{day:02} 10:00:00,{day},API\n" for day in range(day_one, day_one + 4) for _ in range(2)
        )
        path = landing / "acme" / "report_logs" / f"contacts-added-{name}.csv"
        path.write_text(f"Timestamp,Contact ID,Source\n{days}")
    lasting = (
        "warning: acme/events/notes.docx is not read: ",
        "warning: the added log of workspace acme lacks 15 days: download it from 2026-03-05 to 2026-03-19",
        "warning: the data is stale: ",
    )
    first = run(data, landing=landing)
    assert first.returncode == 0, first.stderr
    time.sleep(2.1)  # A file that changed within two seconds is looked into once more.
    run(data, landing=landing)
    events = sum(path.stat().st_size for path in (data / "dagster").rglob("*.db"))
    idle = run(data, landing=landing)
    assert idle.returncode == 0, idle.stderr
    assert "no new data; up to date: published file" in idle.stderr
    assert sum(path.stat().st_size for path in (data / "dagster").rglob("*.db")) == events
    for done in (first, idle):
        lines = done.stdout.splitlines()
        for warning in lasting:
            assert [line for line in lines if line.startswith(warning)], done.stdout
    last = read_last_run(data)
    assert last is not None and last.succeeded_at == last.ended_at is not None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"CONTACT_REPORTS_LANDING": "/nowhere"}, ("/nowhere", "does not exist")),
        ({"CONTACT_REPORTS_LANDING": "LICENSE"}, ("LICENSE", "is not a folder")),
        ({"CONTACT_REPORTS_DATA": "LICENSE"}, ("LICENSE", "cannot be made", "CONTACT_REPORTS_DATA")),
        ({"CONTACT_REPORTS_DATA": "LICENSE/data"}, ("LICENSE/data", "cannot be made")),
        ({"CONTACT_REPORTS_DAGSTER_HOME": "docs"}, ("CONTACT_REPORTS_DAGSTER_HOME", "dagster.yaml")),
        ({"CONTACT_REPORTS_API_TOKENS": "abc"}, ("CONTACT_REPORTS_API_TOKENS", "cannot be read")),
    ],
)
def test_a_cheap_mistake_is_told_before_the_models_are_parsed(
    tmp_path: Path, settings: Environment, words: tuple[str, ...]
) -> None:
    assert_refused(run(tmp_path, settings=settings), *words)
    assert not (tmp_path / "dbt").exists()


@pytest.mark.slow
def test_a_time_zone_that_does_not_exist_is_told_before_the_models_are_parsed(tmp_path: Path, landing: Path) -> None:
    (landing / "workspaces.csv").write_text("workspace_id,workspace_name,timezone\nacme,Acme,Europe/Pariss\n")
    assert_refused(run(tmp_path / "data", landing=landing), "'Europe/Pariss'")
    assert not (tmp_path / "data" / "dbt").exists()
    last = read_last_run(tmp_path / "data")
    assert last is not None and "Europe/Pariss" in (last.problem or ""), "the status tells of it"


@pytest.mark.slow
def test_a_missing_landing_folder_is_named(published: Path, tmp_path: Path) -> None:
    refused_without_harm(published, tmp_path / "nowhere", "nowhere", "does not exist", "CONTACT_REPORTS_LANDING")


@pytest.mark.slow
def test_a_missing_workspaces_csv_is_named(published: Path, landing: Path) -> None:
    (landing / "workspaces.csv").unlink()
    refused_without_harm(published, landing, "workspaces.csv", "workspace_id,workspace_name,timezone")


@pytest.mark.slow
def test_a_time_zone_that_does_not_exist_is_named_with_one_that_does(published: Path, landing: Path) -> None:
    (landing / "workspaces.csv").write_text("workspace_id,workspace_name,timezone\nacme,Acme,Europe/Pariss\n")
    refused_without_harm(published, landing, "'acme'", "'Europe/Pariss'", "Europe/Paris?")


@pytest.mark.slow
def test_a_landing_folder_without_permission_is_named(published: Path, landing: Path) -> None:
    (landing / "acme" / "events").chmod(0)
    # Root may read everything, unless that capability is taken from it.
    capabilities = "-dac_override,-dac_read_search"
    prefix = ("setpriv", f"--bounding-set={capabilities}", f"--inh-caps={capabilities}") if os.geteuid() == 0 else ()
    try:
        refused_without_harm(published, landing, str(landing), "permission", prefix=prefix)
    finally:
        (landing / "acme" / "events").chmod(0o755)


@pytest.mark.slow
def test_a_full_disk_is_named(published: Path, landing: Path) -> None:
    for number in range(2, 1000):
        write_event(landing, number)

    small_disk = ("unshare", "--map-root-user", "--mount", "sh", "-c", ON_A_SMALL_DISK, str(published))
    content = (published / "published" / "contact_reports.duckdb").read_bytes()
    assert_refused(run(published, landing=landing, prefix=small_disk), str(published), "full", "Free space")
    shutil.rmtree(published)
    published.with_suffix(".after").rename(published)
    assert (published / "published" / "contact_reports.duckdb").read_bytes() == content
    # With room again. What landed in the meantime is not lost.
    assert run(published, landing=landing).returncode == 0
    assert added(published) == 999


@pytest.mark.slow
@pytest.mark.parametrize("megabytes", [1, 3], ids=["while dbt parses", "while dbt builds"])
def test_a_disk_that_fills_on_the_first_run_is_named(tmp_path: Path, landing: Path, megabytes: int) -> None:
    def allow_small_files_only() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (megabytes << 20, megabytes << 20))

    data = tmp_path / "data"
    assert_refused(run(data, landing=landing, before=allow_small_files_only), str(data), "full", "Free space")
    assert not (data / "published" / "contact_reports.duckdb").exists()


@pytest.mark.slow
def test_a_disk_that_fills_when_all_is_built_is_named_and_nothing_is_lost(published: Path, landing: Path) -> None:
    """What is built fits into memory, and is written into the file at the end."""
    header = "event_id,event_type,occurred_at,contact_id,contact_name\n"
    events = (f"{n},added,2026-03-01T12:00:00Z,{n},Somebody called {n * n}\n" for n in range(2, 30_001))
    (landing / "acme" / "events" / "many.csv").write_text(header + "".join(events))
    size = (published / "published" / "contact_reports.duckdb").stat().st_size

    def allow_three_more_blocks() -> None:
        # Enough for what the warehouse is to be built from, not for what is built.
        limit = size + 3 * 262_144
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    refused_without_harm(published, landing, "full", "Free space", before=allow_three_more_blocks)
    assert run(published, landing=landing).returncode == 0
    assert added(published) == 30_000


def refused_without_harm(
    data: Path,
    landing: Path,
    *words: str,
    prefix: tuple[str, ...] = (),
    before: Callable[[], None] | None = None,
) -> None:
    """The run is refused, and the publication is, byte for byte, what it was."""
    publication = data / "published" / "contact_reports.duckdb"
    content = publication.read_bytes()
    assert_refused(run(data, landing=landing, prefix=prefix, before=before), *words)
    assert publication.read_bytes() == content


@pytest.mark.slow
def test_a_failing_data_test_keeps_the_publication_and_is_named(published: Path, landing: Path, tmp_path: Path) -> None:
    """A test of the project's own is made to fail in a copy of the project."""
    project = tmp_path / "project"
    shutil.copytree(PROJECT_ROOT, project, ignore=shutil.ignore_patterns(".git", ".venv*", "data"))
    (project / "tests" / "dbt" / "no_contact_is_ever_added.sql").write_text(
        "select * from {{ ref('fct_contacts_added') }}\n"
    )
    publication = published / "published" / "contact_reports.duckdb"
    content = publication.read_bytes()
    write_event(landing, 5000)
    refused = subprocess.run(
        [sys.executable, "-m", "orchestration", "run"],
        cwd=project,
        env=os.environ | {"CONTACT_REPORTS_DATA": str(published), "CONTACT_REPORTS_LANDING": str(landing)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert_refused(refused, "no_contact_is_ever_added", "The publication is untouched")
    assert publication.read_bytes() == content


@pytest.mark.slow
def test_what_a_run_writes_only_its_owner_may_read(published: Path) -> None:
    files = [path for path in published.rglob("*") if not path.is_symlink()]
    assert {"raw", "published", "dagster", "dbt", "logs", "cache"} <= {path.name for path in published.iterdir()}
    assert [str(path) for path in (published, *files) if path.stat().st_mode & 0o077] == []
