"""The commands that keep running: Dagster, the receiver, the report page, the stand-in for respond.io's API."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime

import click

from orchestration.cli.preparation import become
from orchestration.lib.problems import Problem
from orchestration.lib.settings import read_settings

_MODULE = "orchestration.definitions"
Command = Callable[..., None]


def _listening(*, port: int) -> Callable[[Command], Command]:
    """The options of a command that listens: by default on this machine only."""

    def with_options(command: Command) -> Command:
        command = click.option("--port", default=port, show_default=True, help="The port to listen on.")(command)
        return click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")(command)

    return with_options


@click.command()
@_listening(port=3000)
def ui(host: str, port: int) -> None:
    """Open Dagster's web page and run its schedules, until interrupted.

    The page asks for no login, and takes what any website has a browser send: let it listen on this machine only.
    """
    become("dg", "dev", "--host", host, "--port", str(port))


@click.command()
@_listening(port=3000)
def webserver(host: str, port: int) -> None:
    """Serve Dagster's web page, as a service does; the daemon is another."""
    become("dagster-webserver", "--host", host, "--port", str(port), "--module-name", _MODULE)


@click.command()
def daemon() -> None:
    """Run Dagster's schedules and sensors and the runs they ask for, as a service does."""
    become("dagster-daemon", "run", "--module-name", _MODULE)


@click.command()
@_listening(port=8080)
def receiver(host: str, port: int) -> None:
    """Receive webhooks and keep them for the next run, until interrupted."""
    from orchestration.lib.receiver.server import serve

    serve(read_settings(), host, port)


@click.command()
@_listening(port=8000)
def page(host: str, port: int) -> None:
    """Serve the report page and the reports API, until interrupted.

    On an address that others reach it needs CONTACT_REPORTS_PAGE_PASSWORD.
    """
    from page.server import serve

    serve(read_settings(), host, port)


@click.command("stand-in")
@click.option("--port", default=8090, show_default=True, help="The port to listen on, of 127.0.0.1.")
def stand_in(port: int) -> None:
    """Serve a stand-in of respond.io's API, until interrupted: to try `fetch` without an account.

    It has 90 days of invented contacts, and prints the two variables that lead to it.
    """
    from orchestration.sample.sample import sample_behind_api
    from orchestration.sample.stand_in import StandIn

    api = StandIn({"stand-in": sample_behind_api(datetime.now(UTC))}, rate_limit=5)
    try:
        with api.served(port) as url:
            print(f"export CONTACT_REPORTS_API_URL={url}")
            print("""export CONTACT_REPORTS_API_TOKENS='{"acme": "stand-in"}'""", flush=True)
            threading.Event().wait()
    except OSError as error:
        raise Problem(
            f"The stand-in cannot listen on 127.0.0.1:{port} ({error.strerror})", "Name another --port"
        ) from None
    except KeyboardInterrupt:
        pass
