"""Forgets a contact: puts it on the list, masks it in the raw zone, and says where else it is named.

The list comes first, in one step. Every run brings the raw zone in line with it, and rebuilds what was published from
it. So a kill at any moment leaves either nothing or a list that the next run carries out.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import duckdb

from orchestration.lib.extraction.checksums import ChecksumCache, checksum
from orchestration.lib.landing.listing import Landing
from orchestration.lib.lock import only_writer
from orchestration.lib.pipeline import checksum_cache
from orchestration.lib.problems import Problem
from orchestration.lib.raw_zone.forgetting import prepare
from orchestration.lib.raw_zone.forgotten import Contact, ForgottenContacts
from orchestration.lib.raw_zone.masking import Record, records_of
from orchestration.lib.raw_zone.zone import RawZone
from orchestration.lib.settings import Settings
from orchestration.lib.warehouse.published import open_published


@dataclass(frozen=True)
class Forgotten:
    """What became of a contact."""

    is_new: bool  # it was not on the list before
    masked: int  # records that were masked in the raw zone now


def forget(settings: Settings, contact: Contact) -> Forgotten:
    """Put a contact on the list, and mask it in the raw zone. The next run removes it from the publications.

    A contact that no record has yet is masked when it comes. Raises Problem when nothing was loaded of the workspace,
    or while a run writes.
    """
    zone = RawZone(settings.raw)
    if not zone.folders():
        # A raw zone that is made here would keep the first run from making the sample.
        raise Problem(f"Nothing was loaded into {settings.raw} yet", "Run `make run` first")
    with only_writer(settings.data):
        zone.prepare()
        if contact.workspace_id not in (known := _workspaces(zone)):
            raise Problem(
                f"No file of a workspace {contact.workspace_id!r} was loaded",
                f"These were: {', '.join(sorted(known)) or 'none'}",
            )
        is_new = ForgottenContacts(zone.path).add(contact)
        return Forgotten(is_new, prepare(zone))


def loaded_records(settings: Settings, contact: Contact) -> list[Record]:
    """The records of a contact that were loaded, masked or not."""
    return records_of(RawZone(settings.raw), contact)


def named_in_landing(settings: Settings, contact: Contact, records: Iterable[Record]) -> list[str]:
    """The files of the landing folder that hold these records of a contact, each with the lines."""
    lines: dict[tuple[str, str], list[int]] = defaultdict(list)
    for kind, checksum_of_file, line in records:
        lines[kind, checksum_of_file].append(line)
    landing, cache = Landing(settings.landing_url), ChecksumCache(checksum_cache(settings))
    found = []
    for file in landing.list().files:
        if file.workspace_id != contact.workspace_id or not file.kind.brings_events:
            continue
        if (sha256 := cache.get(file)) is None:
            with landing.open(file) as stream:
                sha256 = checksum(stream)
        if of_the_file := lines.get((file.kind.name, sha256)):
            found.append(f"{file.path}: {_ranges(of_the_file)}")
    return found


def merged_with(settings: Settings, contact: Contact) -> list[str]:
    """The ids of the contacts that a contact was merged with, which respond.io took for the same person."""
    with open_published(settings.published) as connection:
        rows = connection.execute(
            """
            select distinct unnest([primary_contact_id, merged_contact_id]) as id from marts.fct_contacts_merged
            where workspace_id = $1 and $2 in (primary_contact_id, merged_contact_id) order by id""",
            [contact.workspace_id, int(contact.contact_id)],
        ).fetchall()
    return [str(found) for (found,) in rows if found not in (None, int(contact.contact_id))]


def _workspaces(zone: RawZone) -> set[str]:
    with duckdb.connect() as connection:
        query = f"select distinct workspace_folder from {zone.reading('files')} where workspace_folder is not null"
        return {workspace for (workspace,) in connection.execute(query).fetchall()}


def _ranges(numbers: Iterable[int]) -> str:
    """Line numbers in words: `line 3`, `lines 2, 5-9`."""

    def runs() -> Iterator[tuple[int, int]]:
        first: int | None = None
        last: int | None = None
        for number in sorted(set(numbers)):
            if last is not None and first is not None:
                if number == last + 1:
                    last = number
                    continue
                yield first, last
            first = last = number
        if first is not None and last is not None:
            yield first, last

    found = list(runs())
    is_one = len(found) == 1 and found[0][0] == found[0][1]
    said = ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in found)
    return f"line {said}" if is_one else f"lines {said}"
