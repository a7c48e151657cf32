"""``pulse-sim``: the command group. Each command imports what it needs only when it is called.

That keeps ``pulse-sim check`` working on a machine that has a bundle but neither mock nor stack.
"""

import importlib
import os
import sys
from typing import Final

import click

from pulse_sim import __version__

COMMANDS: Final = {
    "run": "pulse_sim.cli.run:run",
    "verdict": "pulse_sim.cli.verdict:verdict",
    "check": "pulse_sim.cli.check:check",
    "scenario": "pulse_sim.cli.scenario:scenario",
    "serve": "pulse_sim.cli.serve:serve",
}


class LazyGroup(click.Group):
    """A group whose commands are imported by name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order of the table."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        del ctx
        target = COMMANDS.get(cmd_name)
        if target is None:
            return None
        module, _, name = target.partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pulse-sim")
def cli() -> None:
    """Rehearse the rollout of Pulse's TrueNAS integration and decide it on evidence."""


def main() -> None:
    """The console script. The working directory comes first on the path, for --sut."""
    sys.path.insert(0, os.getcwd())  # noqa: PTH109 - the path entry is text
    cli()


if __name__ == "__main__":
    main()
