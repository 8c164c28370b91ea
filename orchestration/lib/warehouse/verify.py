"""Checks the publication against a full rebuild in a scratch folder, which is removed at the end.

The rebuild reads the batches that the publication was built from. Every table is compared. The publication stays open
meanwhile, so a run that replaces it does not change what is compared.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from orchestration.lib.dbt.process import build_showing_progress
from orchestration.lib.dbt.results import failures
from orchestration.lib.landing.kinds import KINDS
from orchestration.lib.problems import Problem, says_disk_is_full
from orchestration.lib.progress import announce
from orchestration.lib.raw_zone.zone import PARQUET_OPTIONS, RawZone, read_parquet
from orchestration.lib.settings import Settings, environment
from orchestration.lib.sql import sql_name, sql_text
from orchestration.lib.text import counted
from orchestration.lib.warehouse.published import attach_published, found_beside
from orchestration.lib.warehouse.state import BuildState, rules_fingerprint

# Tables about the last run alone. A rebuild has other rows in them.
_OF_ONE_RUN = r"int\_%change%"
_SAMPLE_ROWS = 3
_SAMPLE_LETTERS = 300


@dataclass
class Verification:
    """What was compared, and each difference as a line."""

    checked: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)

    def compare(self, what: str, expected: object, found: object) -> None:
        if expected == found:
            self.checked.append(f"{what}: {found:,}" if isinstance(found, int) else what)
        else:
            self.differences.append(f"{what}: should be {expected}, is {found}")


def verify(settings: Settings) -> Verification:
    """Compare counts, balance, every table, and the definitions of every view and function with a rebuild.

    Raises Problem when there is nothing to compare: no publication, one that cannot be read, or one of other rules.
    """
    if settings.target != "duckdb":
        raise Problem(
            "What Spark built cannot be verified by a rebuild on this machine", "`make rebuild` builds it again"
        )
    if not settings.published.exists():
        raise Problem(f"There is no {settings.published}", "Run `make run` first")
    result = Verification()
    for path in found_beside(settings.published):
        result.differences.append(
            f"{path} is left of a program that wrote into the publication and was ended: readers see what it wrote"
        )
    with tempfile.TemporaryDirectory(prefix="contact-reports-verify-") as folder, duckdb.connect() as connection:
        scratch = settings.model_copy(update={"data": Path(folder).resolve()})
        connection.execute(f"set temp_directory = {sql_text(scratch.data / 'spill')}")
        connection.execute("set TimeZone = 'UTC'")
        # The publication's views may be anybody's: nothing else may be opened.
        connection.execute(f"set allowed_directories = [{sql_text(scratch.warehouse.parent)}]")
        state = _open_publication(settings, connection)
        with RawZone(settings.raw).at_rest():
            with _of_a_damaged_publication(settings):
                _compare_counts(settings, connection, state, result)
            _link_batches(RawZone(settings.raw), scratch.raw, state.batch_id)
            if rules_fingerprint(RawZone(scratch.raw), settings.target) != state.rules:
                raise Problem(
                    "The rules changed since the publication (models, seeds, or DuckDB's version)",
                    "Run `make run`, which rebuilds everything, then verify",
                )
            # dbt parses them for each new folder: 27 of 61 seconds for the sample.
            batches = counted(state.batch_id, "batch", "batches")
            announce(f"rebuilding from {batches} in {folder}, parsing the models first")
            _build(scratch)
        connection.execute(f"attach {sql_text(scratch.warehouse)} as rebuilt (read_only)")
        announce("comparing")
        with _of_a_damaged_publication(settings):
            _compare_definitions(settings, scratch, connection, result)
            _compare_tables(connection, result)
    return result


@contextmanager
def _of_a_damaged_publication(settings: Settings) -> Iterator[None]:
    of_another_layout = (duckdb.PermissionException, duckdb.CatalogException, duckdb.BinderException)
    try:
        yield
    except duckdb.Error as error:
        says_so = "Corrupt database file" in str(error) or str(settings.published) in str(error)
        if says_so or isinstance(error, of_another_layout):
            raise _damaged(settings) from error
        raise


def _damaged(settings: Settings) -> Problem:
    return Problem(f"{settings.published} is damaged, or of another layout", "Run `make run`, which rebuilds it")


def _open_publication(settings: Settings, connection: duckdb.DuckDBPyConnection) -> BuildState:
    """Attach it, which holds on to this version of the file, and read what it was built from."""
    try:
        attach_published(connection, settings.published)
        row = connection.execute(
            "select zone_id, raw_zone, batch_id, batches, rules from contact_reports.intermediate.build_state"
        ).fetchone()
    except duckdb.Error as error:
        raise _damaged(settings) from error
    if row is None:
        raise _damaged(settings)
    return BuildState(*row)


def _compare_counts(
    settings: Settings, connection: duckdb.DuckDBPyConnection, state: BuildState, result: Verification
) -> None:
    zone = RawZone(settings.raw)
    result.compare("the raw zone is the one that was published", state.zone_id, zone.zone_id)
    result.compare("its batches are those that were published", state.batches, zone.fingerprint(state.batch_id))
    landed = 0
    with duckdb.connect() as of_the_zone:
        for name, kind in KINDS.items():
            # Every byte is read, so that a file that is broken anywhere is named here.
            query = (
                f"select count(*), max(hash(columns(*))) from {zone.reading(name)} where batch_id <= {state.batch_id}"
            )
            count = _one(of_the_zone, query)
            landed += count if kind.brings_events else 0
    validated = "select sum(records_landed)::bigint from contact_reports.intermediate.int_file_records"
    result.compare("event records in the raw zone and among those validated", landed, _one(connection, validated) or 0)
    states = "records_standing + records_superseded + records_rejected + records_ignored"
    for view in ("quality.load_balance", "reports.data_status"):
        unbalanced = f"select count(*) from contact_reports.{view} where records_landed <> {states}"
        result.compare(f"rows of {view} that do not add up", 0, _one(connection, unbalanced))


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]  # type: ignore[no-any-return]


def _link_batches(zone: RawZone, scratch: Path, newest: int) -> None:
    """Make a raw zone of links with the batches up to `newest`. A folder with later ones is copied without them."""
    scratch.mkdir()
    for folder in zone.folders():
        if folder.last <= newest:
            (scratch / folder.path.name).symlink_to(folder.path)
        elif folder.first <= newest:
            target = scratch / f"batches-{folder.first}-{newest}"
            target.mkdir()
            with duckdb.connect() as connection:
                for file in folder.path.glob("*.parquet"):
                    connection.execute(
                        f"copy (from {read_parquet([file])} where batch_id <= {newest}) "
                        f"to {sql_text(target / file.name)} ({PARQUET_OPTIONS})"
                    )


def _build(scratch: Settings) -> None:
    scratch.warehouse.parent.mkdir()
    code, said = build_showing_progress(
        ["build", "--exclude-resource-type", "unit_test", "test"], environment(scratch), "rebuilding"
    )
    if code or not _has_tables(scratch.warehouse):
        failed = f"{failures(scratch.dbt_target)} {said[:300]}"
        if not code or says_disk_is_full(said):
            failed = "not all of it could be written"
        raise Problem(
            f"The scratch folder {scratch.data} could not be built: {failed}",
            "It needs as much memory as a run, and as much disk space as the warehouse, below TMPDIR",
        )


def _has_tables(path: Path) -> bool:
    """Whether the tables are in the file. DuckDB reports no error when it closes a file that it cannot write."""
    with duckdb.connect(str(path), read_only=True) as connection:
        return bool(connection.execute("from duckdb_tables()").fetchone())


def _compare_definitions(
    settings: Settings, scratch: Settings, connection: duckdb.DuckDBPyConnection, result: Verification
) -> None:
    # Views of the raw zone contain its path.
    elsewhere, here = (sql_text(environment(one)["CONTACT_REPORTS_RAW"])[1:-1] for one in (scratch, settings))
    for what, query in {
        "views": "select schema_name || '.' || view_name, sql from duckdb_views() where database_name = $1",
        "functions": """
            select schema_name || '.' || function_name, string_agg(macro_definition order by macro_definition)
            from duckdb_functions() where database_name = $1 and not internal group by all""",
    }.items():
        found, expected = (
            dict(connection.execute(query, [name]).fetchall()) for name in ("contact_reports", "rebuilt")
        )
        for name in sorted(found.keys() | expected.keys()):
            if found.get(name) != str(expected.get(name)).replace(elsewhere, here):
                result.differences.append(f"{name}: is not defined as it should be")
        result.checked.append(f"definitions of {what}: {len(expected):,}")


def _compare_tables(connection: duckdb.DuckDBPyConnection, result: Verification) -> None:
    """Compare the number of rows and their hashes, table by table. Look for the rows where they differ."""
    columns = f"""
        select schema_name, table_name, list(column_name || ' ' || data_type order by column_index)
        from duckdb_columns() semi join duckdb_tables() using (database_name, schema_name, table_name)
        where database_name = $1 and table_name not like '{_OF_ONE_RUN}' escape '\\' and table_name <> 'build_state'
        group by all"""
    found, expected = (
        {(schema, table): types for schema, table, types in connection.execute(columns, [name]).fetchall()}
        for name in ("contact_reports", "rebuilt")
    )
    rows = 0
    for table in sorted(found.keys() | expected.keys()):
        if found.get(table) != expected.get(table):
            result.differences.append(
                f"{'.'.join(table)}: its columns are not as they should be: {found.get(table) or 'it is missing'}"
            )
            continue
        published, rebuilt = (
            connection.execute(
                f"select count(*), bit_xor(hash(one)), sum(hash(one)) from {sql_name(database, *table)} as one"
            ).fetchall()[0]
            for database in ("contact_reports", "rebuilt")
        )
        rows += rebuilt[0]
        if published != rebuilt:
            _find_rows(connection, table, result)
    result.checked.append(f"tables: {len(expected):,}, of {rows:,} rows")


def _find_rows(connection: duckdb.DuckDBPyConnection, table: tuple[str, str], result: Verification) -> None:
    shown = ".".join(table)
    for what, one, other in (("missing", "rebuilt", "contact_reports"), ("too many", "contact_reports", "rebuilt")):
        only_there = f"(from {sql_name(one, *table)} except all from {sql_name(other, *table)})"
        if count := _one(connection, f"select count(*) from {only_there}"):
            result.differences.append(f"{shown}: {count:,} rows {what}")
            sample = connection.execute(
                f"select row_to_json(one)::varchar from {only_there} as one limit {_SAMPLE_ROWS}"
            )
            result.differences += [f"    {row[0][:_SAMPLE_LETTERS]}" for row in sample.fetchall()]
