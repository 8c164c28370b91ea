"""What is said of PostgreSQL: where it is and what it refused, never the password."""

import signal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from orchestration.lib.problems import Problem, problem_of_signal
from orchestration.lib.secrets import read_secrets, without_secrets
from publications.postgres.address import Address
from publications.postgres.problems import problem_of
from publications.postgres.process import run_apart

ADDRESS = Address(SecretStr("postgresql://ana:s3cr%40t@db.example.com:6543/reports?sslmode=require"))


def test_the_target_has_no_password_and_no_options() -> None:
    assert ADDRESS.target == "ana@db.example.com:6543/reports"
    assert ADDRESS.password == "s3cr@t"  # pragma: allowlist secret
    assert "sslmode=require" in ADDRESS.dsn and "connect_timeout=10" in ADDRESS.dsn


def test_an_option_of_the_address_is_not_overridden() -> None:
    address = Address(SecretStr("postgresql://ana@db/reports?connect_timeout=3&application_name=mine"))
    assert "connect_timeout=3" in address.dsn and "application_name=mine" in address.dsn


def test_an_unknown_option_is_named() -> None:
    with pytest.raises(Problem, match="^CONTACT_REPORTS_POSTGRES has the unknown option 'sslmod'[.] Options are"):
        _ = Address(SecretStr("postgresql://ana:s3cr%40t@db/reports?sslmod=require")).target


def test_a_part_of_a_password_is_not_named_as_an_option() -> None:
    with pytest.raises(Problem, match="^CONTACT_REPORTS_POSTGRES cannot be read") as refused:
        _ = Address(SecretStr("postgresql://ana:s3/cr?et=x@db/reports")).target

    assert "'et'" not in str(refused.value)


@pytest.mark.parametrize(
    ("message", "said", "is_transient"),
    [
        ("port 5432 failed: Connection refused\n\tIs the server running?", "cannot be reached", True),
        ("port 1 failed: FATAL:  password authentication failed for user \"ana\"", "does not let the user in", False),
        ("FATAL:  no pg_hba.conf entry for host \"1.2.3.4\"", "does not let the user in", False),
        ("ERROR:  permission denied for database reports", "does not permit", False),
        ("ERROR:  could not extend file \"base/1\": No space left on device\nHINT:  Check.", "no space left", False),
        ("ERROR:  canceling statement due to lock timeout", "is locked by another session", True),
        ("FATAL:  terminating connection due to administrator command", "cut the connection", True),
        ("ERROR:  could not serialize access due to concurrent update", "was written by somebody else", True),
        ("ERROR:  cannot execute DELETE in a read-only transaction", "is a standby, or read-only", False),
        ("ERROR:  cannot drop column a because other objects depend on it", "has objects of others", False),
        ("Out of Memory Error: failed to allocate", "There is not enough memory", False),
        ("something new", "could not be published to (something new)", False),
    ],
)  # fmt: skip
def test_each_refusal_is_one_line_with_its_cure(message: str, said: str, is_transient: bool) -> None:
    problem = problem_of(message, ADDRESS)
    assert said in str(problem)
    assert problem.is_transient == is_transient
    assert "\n" not in str(problem)


@given(before=st.text(max_size=20), after=st.text(max_size=20))
# pragma: allowlist nextline secret
@pytest.mark.parametrize("secret", ["s3cr@t", "s3cr%40t", "password=s3cr@t", "password='s3cr@t'"])
def test_no_message_has_the_password(secret: str, before: str, after: str) -> None:
    said = str(problem_of(f"{before} {secret} {after}", ADDRESS))
    assert "s3cr" not in said.replace(before, "").replace(after, "")


def test_an_address_that_a_library_quotes_is_hidden() -> None:
    said = str(problem_of('Unable to connect to "postgresql://ana:other@db/x": no', ADDRESS))
    assert "other" not in said


@pytest.mark.parametrize("value", ["db.example.com", "mysql://a@b/c", "postgresql:// a", "postgresql+psycopg2://a@b/c"])
def test_a_variable_that_is_no_address_is_refused_without_its_value(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONTACT_REPORTS_POSTGRES", value)
    with pytest.raises(Problem, match="CONTACT_REPORTS_POSTGRES cannot be read") as raised:
        read_secrets()
    assert value not in str(raised.value)


def test_an_address_that_libpq_cannot_read_is_refused_without_its_value() -> None:
    with pytest.raises(Problem, match="CONTACT_REPORTS_POSTGRES cannot be read") as raised:
        _ = Address(SecretStr("postgresql://ana:s3cr@t@db:port/x?nonsense")).target
    assert "s3cr" not in str(raised.value)


def test_programs_that_do_not_publish_do_not_get_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTACT_REPORTS_POSTGRES", "postgresql://ana@db/reports")
    assert "CONTACT_REPORTS_POSTGRES" not in without_secrets()


def test_an_error_of_the_machine_in_the_publishing_process_is_raised_in_the_one_that_started_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as raised:
        run_apart(ADDRESS, "publish", "1GB", tmp_path / "gone.duckdb")
    assert raised.value.filename == str(tmp_path / "gone.duckdb")


@pytest.mark.parametrize(
    ("number", "said"),
    [(signal.SIGKILL, "There is not enough memory (dbt was killed)"), (signal.SIGTERM, "dbt was ended by SIGTERM")],
)
def test_a_child_that_a_signal_ended_is_a_problem_with_a_cure(number: signal.Signals, said: str) -> None:
    assert str(problem_of_signal("dbt", -number)).startswith(f"{said}. ")
