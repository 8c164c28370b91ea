"""What PostgreSQL refuses, as a line with its cure and without the secret."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

import duckdb
import psycopg2

from orchestration.lib.problems import Problem, disk_is_full, says_disk_is_full, says_memory_is_short
from publications.postgres.address import Address

_VARIABLE = "CONTACT_REPORTS_POSTGRES"
_AGAIN = "The next run tries again: PostgreSQL keeps the publication that it has"
_SEE_THE_LOG = f"See the log of the server. {_AGAIN}"

# Sign in the message, what is the matter, the cure, and whether it may pass by itself.
_KNOWN = (
    (r"password authentication failed|no password supplied|authentication failed|no pg_hba.conf entry",
     "does not let the user in",
     f"Correct the user and password in {_VARIABLE}, or allow this host in pg_hba.conf", False),
    (r"role \".*\" does not exist", "has no such user", f"Create the user, or correct {_VARIABLE}", False),
    (r"database \".*\" does not exist", "has no such database", f"Create the database, or correct {_VARIABLE}", False),
    (r"permission denied|must be (owner|superuser|member)|insufficient privilege",
     "does not permit the user to publish",
     "Grant it `create` on the database, and let it own the schemas reports, quality and contact_reports", False),
    (r"No space left on device|[Dd]isk full|could not extend file|could not write",
     "has no space left on its disk", f"Free space on the disk of the server. {_AGAIN}", False),
    (r"lock timeout", "is locked by another session",
     f"End the session that holds a lock on a table of the schemas reports or quality. {_AGAIN}", True),
    (r"could not serialize|deadlock detected|duplicate key value",
     "was written by somebody else at the same time", f"Write to its tables only by publishing. {_AGAIN}", True),
    (r"read-only transaction|recovery is in progress",
     "is a standby, or read-only", f"Set {_VARIABLE} to the address of the primary server", False),
    (r"other objects depend on it|cannot change return type|cannot drop columns from view"
     r"|cannot change name of view column",
     "has objects of others that depend on one that changes", "Drop these, publish, and create them again", False),
    (r"could not translate host name|Connection refused|timeout expired|Is the server running|Network is unreachable"
     r"|No route to host|too many connections|connection slots|starting up|shutting down",
     "cannot be reached", f"Check that the server runs and that {_VARIABLE} has its address. {_AGAIN}", True),
    (r"server closed the connection|terminating connection|connection (was |has been )?(closed|lost|reset)|SSL SYSCALL"
     r"|[Cc]onnection reset|no connection to the server|Broken pipe|Connection timed out",
     "cut the connection", _SEE_THE_LOG, True),
)  # fmt: skip


@contextmanager
def explained(address: Address) -> Iterator[None]:
    """Turn errors of psycopg2 and of DuckDB into Problems. The original is dropped: it may have the secret."""
    try:
        yield
    except (psycopg2.Error, duckdb.Error) as error:
        raise problem_of(str(error) or repr(error), address) from None


def problem_of(message: str, address: Address) -> Problem:
    """The problem that a message of PostgreSQL, of libpq or of DuckDB tells of."""
    said = without_secret(message, address)
    shown = _essence(said)
    for sign, what, cure, is_transient in _KNOWN:
        if re.search(sign, said):
            return Problem(f"PostgreSQL at {address.target} {what} ({shown})", cure, is_transient=is_transient)
    if says_disk_is_full(said):
        return disk_is_full("the spill folder", shown)
    if says_memory_is_short(said):
        return memory_is_short_to_publish(shown)
    return Problem(f"PostgreSQL at {address.target} could not be published to ({shown})", _AGAIN)


def memory_is_short_to_publish(message: str) -> Problem:
    """The problem that the publishing process gets no memory: from DuckDB by the limit, or from the machine."""
    return Problem(
        f"There is not enough memory to publish to PostgreSQL ({message})",
        "Raise CONTACT_REPORTS_MEMORY_LIMIT, or give the machine more memory",
    )


def cut_while_sending(address: Address) -> Problem:
    """The problem that the server was gone while rows were sent. No message tells of it."""
    return Problem(
        f"PostgreSQL at {address.target} cut the connection while rows were sent", _SEE_THE_LOG, is_transient=True
    )


def without_secret(message: str, address: Address) -> str:
    """The message without the password, however it is written."""
    for secret in {address.password, quote(address.password, safe=""), quote(address.password)} - {""}:
        message = message.replace(secret, "***")
    # An address is printed with its password where a library shows what it was given.
    return re.sub(
        r"(postgres(?:ql)?://)[^\s\"']*", r"\1***", re.sub(r"password=('[^']*'|\S+)", "password=***", message)
    )


def _essence(message: str) -> str:
    """The part of the message that says what happened: from `ERROR:` or `FATAL:` on, or its last sentence of libpq."""
    found = re.search(r"(?:ERROR|FATAL|PANIC): +(.+)", message) or re.search(
        r"failed: (?!.*(?:ERROR|FATAL))(.+)", message
    )
    line = found.group(1) if found else message.strip().splitlines()[0]
    return line.strip()[:300]
