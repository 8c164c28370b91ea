"""The publications that are configured: each by one variable, and absent without it."""

from collections.abc import Sequence

from orchestration.lib.secrets import read_mask_key, read_secrets
from orchestration.lib.settings import Settings
from publications.interface import Publication
from publications.masked.publication import MaskedCopy


def configured(settings: Settings) -> Sequence[Publication]:
    """The publications of the environment, in the order in which they follow. Raises Problem for a wrong variable."""
    publications: list[Publication] = []
    if key := read_mask_key():
        publications.append(MaskedCopy(settings, key))
    # Imported here: drivers take time to import (PostgreSQL's 0.2 s), which runs without them need not spend.
    if address := read_secrets().postgres:
        from publications.postgres.publication import PostgresPublication

        publications.append(PostgresPublication(address, settings))
    if settings.lake is not None:
        from publications.lake import Lake

        publications.append(Lake(settings.lake, settings.memory_limit_of_duckdb, settings.spill))
    return publications
