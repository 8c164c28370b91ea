"""Alerts: each condition is reported once when it begins, and again only if it ended in between."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel

from orchestration.lib import posting
from orchestration.lib.monitoring.health import EXPORT_CHECKS, PUBLISHED_WITHIN, Health, first_few
from orchestration.lib.secrets import read_secrets
from orchestration.lib.settings import NEWEST_EVENT_WITHIN
from orchestration.lib.text import printable

# Alert → what it reports. docs/runbook.md says what to do about each.
KINDS = {
    "run_failed": "a run of Dagster's failed",
    "new_rejects": "more records are rejected than before",
    "publication_is_stale": "no run has succeeded for longer than is usual",
    "publication_cannot_be_read": "the published file is damaged, or open for writing elsewhere",
    "data_is_stale": "no event has happened for longer than is usual",
    "file_was_not_read": "a file that landed could not be loaded, or lies where none is expected",
    "report_log_is_cut": "a downloaded log has the 10,000 rows at which respond.io cuts",
    "report_log_days_are_missing": "no download of a log covers some days",
    "export_is_refused": "an exported file is not what its name says",
}
_STALE = {"publication": "publication_is_stale", "newest_event": "data_is_stale"}

UNSENT_AT_MOST = 100


@dataclass(frozen=True)
class Alert:
    """One alert."""

    kind: str
    text: str

    def __str__(self) -> str:
        return printable(f"contact-reports, {self.kind}: {self.text}")


@dataclass(frozen=True)
class EndedRun:
    """A run that ended. The subject is its job and its assets: a success of a subject ends the subject's failures."""

    run_id: str
    subject: str
    problem: str | None


class AlertState(BaseModel):
    """What has been reported, and what could not be posted yet. Kept from one evaluation of the sensor to the next."""

    runs_until: datetime | None = None
    run_ids: list[str] = []
    failures: dict[str, list[str]] = {}  # by subject
    rejects: dict[str, int] = {}
    conditions: list[str] = []
    findings: list[str] = []
    unsent: list[str] = []


def of_runs(state: AlertState, runs: Iterable[EndedRun]) -> Iterator[Alert]:
    """A failure whose message differs from those of its subject since the last success. Runs in order of ending."""
    for run in runs:
        if run.run_id in state.run_ids:
            continue
        state.run_ids = [*state.run_ids, run.run_id][-200:]
        if run.problem is None:
            state.failures.pop(run.subject, None)
            continue
        # Times, process numbers and counts differ each time.
        same = re.sub(r"\d+", "0", run.problem)
        known = state.failures.setdefault(run.subject, [])
        if same not in known:
            state.failures[run.subject] = [*known, same][-20:]
            yield Alert("run_failed", f"run {run.run_id[:8]} of {run.subject}: {run.problem}")


def of_health(state: AlertState, health: Health, now: datetime) -> Iterator[Alert]:
    """What is stale, more rejects than before, and findings in exports that were not there before."""
    stale = health.stale(now, PUBLISHED_WITHIN, NEWEST_EVENT_WITHIN)
    if health.last_run is None and health.published_at is None:
        stale = {}  # The first run is yet to come.
    yield from _of_conditions(state, {_STALE[what]: text for what, text in stale.items()})
    more = {
        group: count - state.rejects.get(group, 0)
        for group, count in health.rejects.items()
        if count > state.rejects.get(group, 0)
    }
    if more:
        shown = "; ".join(f"{count:,} in {group}" for group, count in more.items())
        yield Alert("new_rejects", f"{sum(more.values()):,} more records are rejected: {shown}")
    state.rejects = health.rejects
    for check in EXPORT_CHECKS:
        yield from _of_findings(state, check.alert, health.exports[check.name])


def of_unread_files(state: AlertState, warnings: Iterable[str]) -> Iterator[Alert]:
    yield from _of_findings(state, "file_was_not_read", list(warnings))


def of_unreadable_publication(state: AlertState, problem: str) -> Iterator[Alert]:
    yield from _of_conditions(state, {"publication_cannot_be_read": problem})


def _of_conditions(state: AlertState, holding: Mapping[str, str]) -> Iterator[Alert]:
    for kind, text in holding.items():
        if kind not in state.conditions:
            yield Alert(kind, text)
    state.conditions = sorted(holding)


def _of_findings(state: AlertState, kind: str, found: list[str]) -> Iterator[Alert]:
    known = {finding for finding in state.findings if finding.startswith(f"{kind} ")}
    keys = {f"{kind} {text}": text for text in found}
    new = [text for key, text in keys.items() if key not in known]
    state.findings = sorted(set(state.findings) - known | keys.keys())
    if new:
        yield Alert(kind, "; ".join(first_few(new)))


def post(lines: list[str]) -> str | None:
    """Post lines as one message to CONTACT_REPORTS_ALERT_URL. Returns why it failed, or None.

    Without the variable nothing is posted, and that is no failure. What is returned never has the address in it.
    """
    url = read_secrets().alert_url
    if url is None or not lines:
        return None
    refused = posting.post(url, posting.escaped("\n".join(lines)))
    return refused.reason if refused else None
