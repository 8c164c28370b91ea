"""Publishes two files to a PostgreSQL server of its own, one after the other, and prints what that took, as JSON.

`python -m benchmarks.publish_to_postgres <first file> <file after an incremental run>`, in the environment `.venv`.
"""

import json
import sys
import time
from contextlib import closing
from pathlib import Path

import psycopg2
from pydantic import SecretStr

from orchestration.lib.settings import read_settings
from publications.postgres import checksums
from publications.postgres.address import Address
from publications.postgres.catalog import read_catalog
from publications.postgres.connection import opened
from publications.postgres.publication import PostgresPublication
from tests.postgresql import postgresql


def main(first: Path, second: Path) -> None:
    settings = read_settings()
    with postgresql() as address:
        url = SecretStr(address.replace("+psycopg2", ""))
        publication = PostgresPublication(url, settings)
        figures: dict[str, float] = {}
        for name, file in (("first", first), ("tick", second), ("again", second)):
            started, worked = time.perf_counter(), _seconds_of_work(url)
            published = publication.publish(file)
            figures[f"{name}_seconds"] = time.perf_counter() - started
            figures[f"{name}_work_seconds"] = _seconds_of_work(url) - worked
            figures[f"{name}_moved"] = published.moved
        started = time.perf_counter()
        if differences := publication.differences(second):
            raise SystemExit("\n".join(differences))
        figures["check_seconds"] = time.perf_counter() - started
        # What a publication does before it begins a transaction.
        with opened(Address(url), second, settings.memory_limit_of_duckdb) as session:
            started = time.perf_counter()
            checksums.read_file(session, read_catalog(second).tables)
            figures["reading_seconds"] = time.perf_counter() - started
    figures["rows"] = sum(published.rows.values())
    print(json.dumps({name: round(figure, 2) for name, figure in figures.items()}))


def _seconds_of_work(url: SecretStr) -> float:
    """How long the server has run statements of this database, by its own account."""
    with closing(psycopg2.connect(url.get_secret_value())) as connection, connection.cursor() as cursor:
        # A session adds what it did when it ends.
        cursor.execute("select active_time / 1000 from pg_stat_database where datname = current_database()")
        ((seconds,),) = cursor.fetchall()
    return float(seconds)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
