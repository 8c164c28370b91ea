"""Exports in a language that no seed knows are refused by the file; a row of the seed later, they count."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from orchestration.lib.settings import PROJECT_ROOT

HEADER = "Marca de tiempo;ID de contacto;Nombre;Fuente"
LOG = f'{HEADER}\n2026-03-01 10:00:00;1;Ann;Zapier\n2026-03-01 10:01:00;2;"Cid; B";-\n'


def run(project: Path, data: Path) -> str:
    """One run of the project; what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "orchestration", "run"],
        cwd=project,
        env=os.environ | {"CONTACT_REPORTS_DATA": str(data), "CONTACT_REPORTS_LANDING": str(data / "landing")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def published(data: Path, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(data / "published" / "contact_reports.duckdb"), read_only=True) as connection:
        return connection.execute(query).fetchall()


@pytest.mark.slow
def test_what_landed_in_another_language_counts_once_the_seed_knows_it(tmp_path: Path) -> None:
    project, data = tmp_path / "project", tmp_path / "data"
    shutil.copytree(PROJECT_ROOT, project, ignore=shutil.ignore_patterns(".git", ".venv*", "data"))
    logs = data / "landing" / "acme" / "report_logs"
    logs.mkdir(parents=True)
    (data / "landing" / "workspaces.csv").write_text("workspace_id,workspace_name,timezone\nacme,Acme,Europe/Paris\n")
    (logs / "contacts-added.csv").write_text(LOG)
    (logs / "contactos-eliminados.csv").write_text(f"{HEADER}\n2026-03-02 10:00:00;3;Eva;-\n")

    said = run(project, data)

    assert published(data, "select source_file, records_rejected, header from quality.refused_files order by 1") == [
        ("acme/report_logs/contactos-eliminados.csv", 1, HEADER),
        ("acme/report_logs/contacts-added.csv", 2, HEADER),
    ]
    # What the one file is is known by its name, and its columns are not.
    reasons = published(data, "select reason, count(*) from quality.rejected_records group by reason order by reason")
    assert reasons == [("missing_field", 2), ("unknown_event_type", 1)]
    assert said.count("contacts-added.csv is refused") == 1
    assert "Add the names of its columns, which quality.refused_files lists" in said

    seeds = project / "seeds"
    with (seeds / "header_names.csv").open("a") as file:
        file.write("es,report_logs,marca de tiempo,occurred_at\nes,report_logs,ID de contacto,contact_id\n")
        file.write("es,report_logs,Nombre,contact_name\nes,report_logs,Fuente,source\n")
    with (seeds / "file_names.csv").open("a") as file:
        file.write("es,report_logs,eliminados,deleted\n")

    run(project, data)

    assert published(data, "select contact_id, contact_name, source from reports.contacts_added_log order by 1") == [
        (1, "Ann", "zapier"),
        (2, "Cid; B", "unknown"),
    ]
    assert published(data, "select contact_id from reports.contacts_deleted_log") == [(3,)]
    assert published(data, "select count(*) from quality.refused_files") == [(0,)]
