"""All that the views are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tests.reckoning.claims import Claim, NoClaim
from tests.reckoning.directories import Directories, Resolver, read_directories
from tests.reckoning.downloads import Download, days_of_connected_logs, downloads
from tests.reckoning.files import DIRECTORY_KINDS, LandedFile, Record
from tests.reckoning.judging import Event, Validator
from tests.reckoning.messages import failed_messages
from tests.reckoning.rejections import Rejection
from tests.reckoning.resolving import Outcome, supersede

Row = dict[str, object]


@dataclass(frozen=True)
class State:
    """What was loaded so far and what became of it; the claims are of event records only."""

    files: list[LandedFile]
    claims: Mapping[Record, Claim | NoClaim]
    workspaces: Mapping[str, Mapping[str, str | None]]
    directories: Directories
    downloads: list[Download]
    outcome: Outcome


def state_of(
    files: list[LandedFile],
    claims: Mapping[Record, Claim | NoClaim],
    workspaces: Mapping[str, Mapping[str, str | None]],
) -> State:
    """What the files come to, in the order in which they were loaded, by the workspaces that are listed now."""
    zones = {workspace_id: row.get("timezone") or "" for workspace_id, row in workspaces.items()}
    directories = read_directories(files, zones)
    validator = Validator(zones, Resolver(directories.users), Resolver(directories.channels))
    outcome = Outcome()
    for file in files:
        for record in file.records:
            if file.kind in DIRECTORY_KINDS:
                verdict: object = directories.rejected.get(record)
            else:
                verdict = validator.validate(record, claims[record])
            if isinstance(verdict, Event):
                outcome.accepted.append(verdict)
            elif isinstance(verdict, Rejection):
                outcome.rejected.append((record, verdict))
                outcome.states[record] = "rejected"
            else:
                outcome.states[record] = "ignored"
    known = downloads(files, outcome.accepted, zones)
    supersede(outcome, failed_messages(files), days_of_connected_logs(known))
    return State(files, claims, workspaces, directories, known, outcome)
