"""Sends a digest to everybody who has not got it, and keeps who got what.

A note is written after each delivery: a repeated run goes on where the one before it stopped. A delivery is made
at least once. It is made twice when the process is killed between it and its note, and when a server takes a message
without an answer.
"""

import os
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import TypeAdapter, ValidationError

from orchestration.lib.folders import flush_to_disk
from orchestration.lib.posting import NotSent
from orchestration.lib.problems import Problem
from orchestration.lib.secrets import Secrets
from orchestration.lib.settings import Settings
from publications.digest.channels import Channel, Recipient
from publications.digest.mail import Mail
from publications.digest.numbers import Digest
from publications.digest.slack import Slack

_LOCK_SECONDS = 120
# Recipient → period → workspace → the last day of what was delivered.
Notes = dict[str, dict[str, dict[str, date]]]
_NOTES = TypeAdapter(Notes)


def channels(settings: Settings, secrets: Secrets) -> list[Channel]:
    """The channels that are configured. Raises Problem when there is none, or one of which a part is missing."""
    found: list[Channel] = []
    if secrets.digest_url:
        found.append(Slack(secrets.digest_url))
    if secrets.digest_smtp:
        if settings.digest_from is None or not settings.digest_to:
            raise Problem(
                "CONTACT_REPORTS_DIGEST_SMTP is set without a sender or without recipients",
                "Set CONTACT_REPORTS_DIGEST_FROM to an address, and CONTACT_REPORTS_DIGEST_TO to one or several",
            )
        found.append(Mail(secrets.digest_smtp, settings.digest_from, settings.digest_to))
    if not found:
        raise Problem(
            "The digest has nowhere to go",
            "Set CONTACT_REPORTS_DIGEST_URL; or CONTACT_REPORTS_DIGEST_SMTP, CONTACT_REPORTS_DIGEST_FROM and "
            "CONTACT_REPORTS_DIGEST_TO",
        )
    return found


def send(data: Path, channels: Sequence[Channel], digest: Digest, *, again: bool = False) -> list[str]:
    """Send to each recipient the workspaces whose period it has not got; with `again` all. Returns who got it.

    Each recipient is tried. Raises Problem when one did not get it; the others keep what they got.
    """
    sent: list[str] = []
    failures: list[tuple[Recipient, NotSent]] = []
    path = data / "digests.json"
    try:
        with FileLock(data / "digest.lock", timeout=_LOCK_SECONDS):
            notes = _read(path)
            # Where the note cannot be written, nothing is sent.
            _write(path, notes)
            for channel in channels:
                for workspaces, recipients in _waiting(channel, digest, {} if again else notes).items():
                    part = digest.only(workspaces)
                    for recipient, failure in channel.deliver(part, recipients):
                        if failure:
                            failures.append((recipient, failure))
                        else:
                            _note(notes, recipient, part)
                            _write(path, notes)
                            sent.append(recipient.label)
    except Timeout:
        raise Problem("Another process is sending the digest", "Wait until it has ended", is_transient=True) from None
    if failures:
        reasons = "; ".join(f"{recipient.label}: {failure.reason}" for recipient, failure in failures)
        everybody = sum(len(channel.recipients) for channel in channels)
        raise Problem(
            f"The digest was not sent to {len(failures)} of {everybody} recipients: {reasons}",
            f"Mend that, and run `make digest PERIOD={digest.period}`: it sends to those alone",
            is_transient=any(failure.is_transient for _, failure in failures),
        )
    return sent


def _waiting(channel: Channel, digest: Digest, notes: Notes) -> dict[frozenset[str], list[Recipient]]:
    """The recipients by the workspaces that they wait for. Those that wait for none are left out."""
    waiting: dict[frozenset[str], list[Recipient]] = defaultdict(list)
    for recipient in channel.recipients:
        got = notes.get(recipient.key, {}).get(digest.period, {})
        waits_for = frozenset(key for key, end in digest.ends.items() if got.get(key, date.min) < end)
        if waits_for:
            waiting[waits_for].append(recipient)
    return waiting


def _note(notes: Notes, recipient: Recipient, digest: Digest) -> None:
    notes.setdefault(recipient.key, {}).setdefault(digest.period, {}).update(digest.ends)


def _read(path: Path) -> Notes:
    """The notes. Where they are lost, everybody gets the digest of the period once more."""
    try:
        return _NOTES.validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return {}


def _write(path: Path, notes: Notes) -> None:
    new = path.with_name(f"{path.name}.tmp")
    new.write_bytes(_NOTES.dump_json(notes, indent=1))
    flush_to_disk(new)
    os.replace(new, path)
