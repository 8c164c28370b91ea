"""Brings the raw zone in line with the list of forgotten contacts.

Each folder has a note of the contacts that are masked in it. It is written when all files of the folder are masked. So
a folder whose note lacks a contact of the list is masked again, whatever interrupted the last time, and so is a folder
that was put back from an older backup.
"""

import json
from collections.abc import Collection
from pathlib import Path

from orchestration.lib.problems import Problem
from orchestration.lib.progress import report
from orchestration.lib.raw_zone.forgotten import Contact, ForgottenContacts
from orchestration.lib.raw_zone.masking import mask
from orchestration.lib.raw_zone.zone import FORGOTTEN, BatchFolder, RawZone

# A look for something new holds the zone for less than a second.
_PATIENCE_SECONDS = 30


def prepare(zone: RawZone) -> int:
    """Prepare the zone (`RawZone.prepare`), and mask the forgotten contacts in each folder that may identify one.

    Returns how many records were masked. Only the writer calls it. Raises Problem while another process reads the zone
    `at_rest`.
    """
    zone.prepare()
    folders = folders_to_mask(zone)
    if not folders:
        return 0
    with zone.without_readers(_PATIENCE_SECONDS) as alone:
        if not alone:
            raise Problem(
                f"The raw zone {zone.path} is being read, so that forgotten contacts cannot be masked in it",
                "Wait until `verify` is done, and run again",
                is_transient=True,
            )
        masked, contacts = 0, ForgottenContacts(zone.path).read()
        for done, folder in enumerate(folders):
            report("masking forgotten contacts", done, len(folders))
            masked += _forget_in_folder(zone, folder.path, contacts)
        report("masking forgotten contacts", len(folders), len(folders))
    return masked


def commit(zone: RawZone, folder: Path, batch_id: int) -> None:
    """Make an incoming folder the next batch, in one step, with the forgotten contacts masked."""
    if contacts := ForgottenContacts(zone.path).read():
        _forget_in_folder(zone, folder, contacts)
    zone.commit(folder, batch_id)


def folders_to_mask(zone: RawZone) -> list[BatchFolder]:
    """The folders that may identify a forgotten contact."""
    contacts = ForgottenContacts(zone.path).read()
    if not contacts:
        return []
    return [folder for folder in zone.folders()[1:] if not contacts <= _masked_in(folder)]


def _masked_in(folder: BatchFolder) -> set[Contact]:
    try:
        return {Contact(*one) for one in json.loads(folder.forgotten)}
    except (ValueError, TypeError):
        return set()  # The folder is masked again, which does no harm.


def _forget_in_folder(zone: RawZone, folder: Path, contacts: Collection[Contact]) -> int:
    masked = mask(zone, folder, contacts)
    with zone.incoming() as incoming:
        note = incoming / FORGOTTEN
        note.write_text(json.dumps(sorted((one.workspace_id, one.contact_id) for one in contacts)), encoding="utf-8")
        zone.appear(note, folder / FORGOTTEN)
    return masked
