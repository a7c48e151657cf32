"""The program: its commands, and what its exit status says."""

import click

from mock_truenas.cli.complaint import BrokeWhileServing
from mock_truenas.cli.faulting import fault
from mock_truenas.cli.listing import faults, methods, releases
from mock_truenas.cli.recording import capture
from mock_truenas.cli.serving import serve


def main() -> int:
    """Entry point. Exit status: 0 done or stopped by a signal, 1 broke while serving, 2 wrong usage."""
    try:
        status = commands.main(prog_name="mock-truenas", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return 2
    except click.ClickException as error:
        click.echo(f"mock-truenas: {error.format_message()}", err=True)
        return 2
    except BrokeWhileServing as error:
        click.echo(f"mock-truenas: broke while serving: {error}", err=True)
        return 1
    except click.Abort:
        return 1
    return status if isinstance(status, int) else 0


@click.group()
@click.version_option(package_name="pulse-sim")
def commands() -> None:
    """A TrueNAS SCALE appliance to test against."""


for command in (serve, fault, faults, methods, releases, capture):
    commands.add_command(command)
