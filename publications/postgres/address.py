"""The address of PostgreSQL: what may be shown of it, and what a connection needs."""

import re
from dataclasses import dataclass

import psycopg2
from psycopg2.extensions import make_dsn, parse_dsn
from pydantic import SecretStr

from orchestration.lib.problems import Problem

# A connection that the network dropped without a word ends after two minutes, and not after two hours.
_DEFAULTS = {
    "connect_timeout": "10",
    "application_name": "contact-reports",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "6",
    "tcp_user_timeout": "120000",
}


@dataclass(frozen=True)
class Address:
    """An address of PostgreSQL as a URL, with any options of libpq."""

    url: SecretStr

    @property
    def target(self) -> str:
        """User, host, port and database; no password and no options."""
        parts = self._parts
        return (
            f"{parts.get('user', '')}@{parts.get('host') or parts.get('hostaddr') or 'localhost'}"
            f":{parts.get('port', '5432')}/{parts.get('dbname') or parts.get('user', '')}"
        )

    @property
    def password(self) -> str:
        return self._parts.get("password", "")

    @property
    def dsn(self) -> str:
        """For libpq. It has the password."""
        return str(make_dsn(**{**_DEFAULTS, **self._parts}))

    @property
    def _parts(self) -> dict[str, str]:
        try:
            parts: dict[str, str] = parse_dsn(self.url.get_secret_value())
        except psycopg2.ProgrammingError as error:
            if option := self._unknown_option(str(error)):
                raise Problem(
                    f"CONTACT_REPORTS_POSTGRES has the unknown option {option!r}",
                    "Options are those of libpq, such as sslmode, sslrootcert and connect_timeout",
                ) from None
            # Its message may have the address.
            raise Problem(
                "CONTACT_REPORTS_POSTGRES cannot be read",
                "It is an address such as postgresql://<user>:<password>@<host>:5432/<database>; special characters of "
                "the password are written as %XX",
            ) from None
        return parts

    def _unknown_option(self, message: str) -> str | None:
        """The option that libpq does not know. None where it may be a part of the password, which ends at the `@`."""
        _, _, options = self.url.get_secret_value().partition("?")
        found = re.search('invalid URI query parameter: "(.+)"', message)
        return found[1] if found and "@" not in options else None
