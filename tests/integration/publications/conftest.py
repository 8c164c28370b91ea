"""A server of PostgreSQL, and an empty database for each test."""

from collections.abc import Iterator
from itertools import count

import psycopg2
import pytest

from tests.postgresql import postgresql

_numbers = count(1)


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The address of a server of the tests' own, as its superuser."""
    with postgresql() as address:
        yield address.replace("+psycopg2", "")


def _new_database(server: str) -> str:
    name = f"test_{next(_numbers)}"
    connection = psycopg2.connect(server)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f"create database {name}")
    connection.close()
    return server.removesuffix("/postgres") + f"/{name}"


@pytest.fixture
def database(server: str) -> str:
    """The address of an empty database."""
    return _new_database(server)


@pytest.fixture(scope="module")
def database_of_the_module(server: str) -> str:
    """The same, for all tests of a module."""
    return _new_database(server)
