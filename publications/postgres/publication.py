"""The publication to PostgreSQL."""

import logging
from pathlib import Path

from pydantic import SecretStr

from orchestration.lib.settings import Settings
from publications.interface import Published
from publications.postgres import work
from publications.postgres.address import Address
from publications.postgres.process import run_apart
from publications.postgres.work import Totals, identity_of

_log = logging.getLogger(__name__)


class PostgresPublication:
    """The schemas `reports` and `quality` of the file, in a database of PostgreSQL."""

    name = "postgres"
    title = "PostgreSQL"
    description = (
        "The report views as tables of PostgreSQL, and the table functions as its functions. One transaction replaces"
        " what differs from the file."
    )
    kind = "postgres"

    def __init__(self, url: SecretStr, settings: Settings) -> None:
        self._address = Address(url)
        self._memory_limit = settings.memory_limit_of_duckdb
        self._known: tuple[object, Totals] | None = None
        self.place = self.target = self._address.target

    def state(self) -> str:
        """As in the interface."""
        return work.state(self._address)

    def publish(self, file: Path) -> Published:
        """As in the interface. Readers see the old publication until the transaction is committed."""
        identity = identity_of(file)
        said = run_apart(self._address, "publish", self._memory_limit, file)
        # The check after a publication is about the same file: it is not read a second time.
        self._known = (identity, said["totals"])
        for note in said["notes"]:
            _log.warning(note)
        return Published(said["rows"], said["moved"], said["state"], tuple(said["notes"]))

    def differences(self, file: Path) -> list[str]:
        """As in the interface. Rows are read back, as far as `checking` says."""
        totals = self._known[1] if self._known and self._known[0] == identity_of(file) else None
        found: list[str] = run_apart(self._address, "differences", self._memory_limit, file, totals)["differences"]
        return found
