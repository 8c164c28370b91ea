"""The health of the data and of the runs, for `status`, checks and alerts."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from orchestration.lib.extraction.extract import UnreadFiles
from orchestration.lib.problems import Problem, first_line
from orchestration.lib.settings import Settings
from orchestration.lib.text import printable
from orchestration.lib.warehouse.published import found_beside, open_published

# A day without a run that succeeded is an outage.
PUBLISHED_WITHIN = timedelta(hours=24)

# A person mends the first few and looks again; the views have them all.
SHOWN = 5


@dataclass(frozen=True)
class ExportCheck:
    """A check of what was downloaded by hand, in the published file."""

    name: str  # of the check in Dagster, true when it passes
    alert: str  # the kind of alert, which says what is wrong
    label: str  # in the status
    view: str  # of schema quality
    query: str  # its rows say what somebody has to do, in which workspace and for which days; the newest first


EXPORT_CHECKS = (
    ExportCheck(
        "report_logs_are_complete",
        "report_log_is_cut",
        "cut logs",
        "cut_report_logs",
        """
        select format('{} has 10,000 rows and is surely cut: download the {} log of workspace {} again in shorter '
            'periods, from {} to {}', source_file, event_type, workspace_id, download_from, download_to) as finding,
            workspace_id, download_from as first_date, download_to as last_date
        from quality.cut_report_logs where days_to_download > 0 order by loaded_at desc, source_file""",
    ),
    ExportCheck(
        "report_log_days_are_covered",
        "report_log_days_are_missing",
        "missing days",
        "report_log_gaps",
        """
        select format('the {} log of workspace {} lacks {}: download it from {} to {}', event_type, workspace_id,
            case when days = 1 then 'a day' else format('{} days', days) end, first_date, last_date) as finding,
            workspace_id, first_date, last_date
        from quality.report_log_gaps where certainty = 'certain' order by last_date desc, workspace_id, event_type""",
    ),
    ExportCheck(
        "exports_are_recognised",
        "export_is_refused",
        "refused",
        "refused_files",
        """
        -- Without the header: in a file that has none it is a record, with the name of a contact.
        select format('{} is refused: {}. {}', source_file, reason, case
            when starts_with(reason, 'no column') then 'Add the names of its columns, which quality.refused_files '
                'lists, to seeds/header_names.csv; or write the English names into its header'
            else format('Rename it so that its name contains contacts-added, contacts-connected, contacts-deleted or '
                'contacts-merged (a Data Export: contacts or messages). Then {}: files with unchanged content are '
                'skipped',
                case when lower(source_file) like '%.xlsx' then 'save it again' else 'add an empty line at its end' end)
        end) as finding,
            workspace_id, loaded_at::date as first_date, loaded_at::date as last_date
        from quality.refused_files order by loaded_at desc, source_file""",
    ),
)


@dataclass(frozen=True)
class LastRun:
    """The last run that wrote in the data folder, and the last one that succeeded. Instants are ISO 8601, in UTC."""

    started_at: str
    ended_at: str | None = None  # None while it runs, and for ever when it was killed
    problem: str | None = None
    succeeded_at: str | None = None

    @property
    def in_words(self) -> str:
        if self.ended_at is None:
            return f"began at {self.started_at} and has not ended"
        return f"failed at {self.ended_at}: {self.problem}" if self.problem else f"succeeded at {self.ended_at}"


@dataclass(frozen=True)
class Health:
    """The state of the publication and of the runs. All instants are aware, and in UTC."""

    published_at: datetime | None  # None: nothing is published
    up_to_date_at: datetime | None  # when a run last published, or found nothing new
    newest_event_at: datetime | None
    records_landed: int
    records_standing: int
    rejects: dict[str, int]  # by workspace and reason, as shown
    exports: dict[str, list[str]]  # name of an export check → what to do about each finding
    unread_files: list[str]  # warnings of the last run that looked at the landing folder
    last_run: LastRun | None
    beside: list[Path] = field(default_factory=list)  # left by a program that wrote into the publication

    def stale(self, now: datetime, published_within: timedelta, newest_event_within: timedelta) -> dict[str, str]:
        """What is older than it may be: `publication` or `newest_event` → in words."""
        stale = {}
        if self.published_at is None:
            stale["publication"] = "nothing is published yet"
        elif self.up_to_date_at is not None and now - self.up_to_date_at > published_within:
            stale["publication"] = (
                f"the publication is stale: no run has succeeded since {shown(self.up_to_date_at)}, "
                f"more than {hours(published_within)} ago"
            )
        if self.published_at is not None and self.newest_event_at is None:
            stale["newest_event"] = "there is no event"
        elif self.newest_event_at is not None and now - self.newest_event_at > newest_event_within:
            stale["newest_event"] = (
                f"the data is stale: the newest event happened at {shown(self.newest_event_at)}, "
                f"more than {hours(newest_event_within)} ago"
            )
        return stale


def read_health(settings: Settings) -> Health:
    """Read the published file and the note on the last run. A missing publication is no error here.

    Raises Problem when there is one that cannot be read.
    """
    last_run, unread_files = read_last_run(settings.data), read_unread_files(settings.data).warnings
    try:
        published_at = datetime.fromtimestamp(settings.published.stat().st_mtime, UTC)
        with open_published(settings.published) as connection:
            newest, landed, standing = connection.execute(
                """
                select
                    (select epoch_us(max(last_event_at)) from reports.data_status),
                    coalesce(sum(records_landed), 0),
                    coalesce(sum(records_standing), 0)
                from quality.load_balance"""
            ).fetchall()[0]
            rejects = connection.execute(
                """
                select format('workspace {}: {}', workspace_id, reason), count(*)
                from quality.rejected_records group by all order by all"""
            ).fetchall()
            exports = find_in_exports(connection)
    except FileNotFoundError:
        no_findings: dict[str, list[str]] = {check.name: [] for check in EXPORT_CHECKS}
        return Health(None, None, None, 0, 0, {}, no_findings, unread_files, last_run)
    except duckdb.Error as error:
        raise Problem(
            f"The publication {settings.published} cannot be read: {first_line(error)}",
            "Close what has it open for writing; if nothing has, run again: what lies beside it is removed, and it is "
            "rebuilt from the raw zone where it is damaged",
        ) from None
    looked = [datetime.fromisoformat(last_run.succeeded_at)] if last_run and last_run.succeeded_at else []
    with suppress(FileNotFoundError):
        looked.append(datetime.fromtimestamp(_found_up_to_date(settings.data).stat().st_mtime, UTC))
    return Health(
        published_at=published_at,
        up_to_date_at=max([published_at, *looked]),
        newest_event_at=None if newest is None else datetime.fromtimestamp(newest / 1e6, UTC),
        records_landed=landed,
        records_standing=standing,
        rejects=dict(rejects),
        exports=exports,
        unread_files=unread_files,
        last_run=last_run,
        beside=found_beside(settings.published),
    )


def find_in_exports(connection: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """What each of the export checks finds in the published file."""
    return {
        check.name: [printable(row[0]) for row in connection.execute(check.query).fetchall()] for check in EXPORT_CHECKS
    }


def first_few(found: list[str], view: str | None = None) -> list[str]:
    """The first few findings, and how many more there are (in a view of schema quality)."""
    more = f"and {len(found) - SHOWN:,} more" + (f": see quality.{view}" if view else "")
    return found[:SHOWN] + ([more] if len(found) > SHOWN else [])


def read_last_run(data: Path) -> LastRun | None:
    """The note on the last run; None when there is none, or it cannot be read."""
    try:
        return LastRun(**json.loads((data / "last_run.json").read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


@contextmanager
def noting_the_run(data: Path, problem_of_the_run: Callable[[], str | None]) -> Iterator[None]:
    """Keep a note on a run, in `last_run.json`, from its begin to its end. Its lock is held meanwhile."""
    before = read_last_run(data)
    run = LastRun(_now(), succeeded_at=before.succeeded_at if before else None)
    _write(data / "last_run.json", asdict(run))
    try:
        yield
    finally:
        now, problem = _now(), problem_of_the_run()
        ended = replace(run, ended_at=now, problem=problem, succeeded_at=run.succeeded_at if problem else now)
        _write(data / "last_run.json", asdict(ended))


def note_run(data: Path, problem: str | None) -> None:
    """Note a run without steps: nothing was new, or its problem was found before it began."""
    with noting_the_run(data, lambda: problem):
        pass


def note_up_to_date(data: Path) -> None:
    """Note that nothing was new, without a run. No lock is needed."""
    _found_up_to_date(data).touch()


def _found_up_to_date(data: Path) -> Path:
    return data / "found_up_to_date"


def note_unread_files(data: Path, unread: UnreadFiles) -> None:
    """Keep which files of the landing folder a run did not read, until the next run."""
    _write(data / "unread_files.json", asdict(unread))


def read_unread_files(data: Path) -> UnreadFiles:
    """The files that the last run did not read. Empty where no run has looked at the landing folder yet."""
    try:
        return UnreadFiles(**json.loads((data / "unread_files.json").read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return UnreadFiles()


def shown(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def hours(span: timedelta) -> str:
    return f"{span / timedelta(hours=1):g} h"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _write(note: Path, content: object) -> None:
    """Write in one step: a reader finds the old note or the new one. Not flushed, as losing it loses no data."""
    new = note.with_name(f"{note.name}.tmp")
    new.write_text(json.dumps(content) + "\n")
    os.replace(new, note)
