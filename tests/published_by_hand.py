"""A published file made by hand, with the views that say how the data is and nothing else."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import duckdb

_VIEWS = """
    create schema reports; create schema quality;
    create table reports.workspaces as select 'acme' as workspace_id;
    create table reports.data_status (last_event_at timestamptz);
    create table quality.load_balance (records_landed bigint, records_standing bigint);
    create table quality.rejected_records (workspace_id varchar, reason varchar);
    create table quality.cut_report_logs (source_file varchar, event_type varchar, workspace_id varchar,
        download_from date, download_to date, days_to_download bigint, loaded_at timestamptz);
    create table quality.report_log_gaps
        (workspace_id varchar, event_type varchar, first_date date, last_date date, days bigint, certainty varchar);
    create table quality.refused_files
        (workspace_id varchar, source_file varchar, reason varchar, loaded_at timestamptz, header varchar);
"""


def publish_by_hand(
    path: Path,
    *,
    newest_event_at: datetime | None = None,
    rejects: Sequence[tuple[str, str]] = (),
    gaps: Sequence[str] = (),
    refused: Sequence[tuple[str, str, str]] = (),
    reason: str = "no known header",
) -> None:
    """Write the file again. Rejects are workspace and reason; gaps are days, all of them in the added log of acme.

    Refused files are workspace, path and header, all of them for one reason.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as connection:
        connection.execute(_VIEWS)
        connection.execute("insert into reports.data_status values (?)", [newest_event_at])
        connection.execute("insert into quality.load_balance values (?, 0)", [len(rejects)])
        for reject in rejects:
            connection.execute("insert into quality.rejected_records values (?, ?)", reject)
        for day in gaps:
            connection.execute(
                "insert into quality.report_log_gaps values ('acme', 'added', $1, $1, 1, 'certain')", [day]
            )
        for file in refused:
            connection.execute("insert into quality.refused_files values ($1, $2, $4, now(), $3)", (*file, reason))
