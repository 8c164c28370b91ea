"""All commands of `python -m orchestration`."""

import click

from orchestration.cli import commands, services
from orchestration.cli.preparation import warn_of_unknown_variables


@click.group()
def main() -> None:
    """contact-reports: contact events in, report views out."""
    warn_of_unknown_variables()


for command in (
    commands.run,
    commands.rebuild,
    commands.verify,
    commands.digest,
    commands.forget,
    commands.model,
    commands.fetch,
    commands.export,
    commands.docs,
    commands.status,
    services.ui,
    services.webserver,
    services.daemon,
    services.receiver,
    services.page,
    services.stand_in,
):
    main.add_command(command)
