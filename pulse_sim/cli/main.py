"""``pulse-sim``: the command group. Each command imports what it needs only when it is called.

That keeps ``pulse-sim check`` working on a machine that has a bundle but neither mock nor stack.
"""

import importlib
import os
import signal
import sys
from types import FrameType
from typing import Final, NoReturn

import click

from pulse_sim import __version__
from pulse_sim.cli.streams import outlive_readers

COMMANDS: Final = {
    "run": "pulse_sim.cli.run:run",
    "verdict": "pulse_sim.cli.verdict:verdict",
    "check": "pulse_sim.cli.check:check",
    "verify": "pulse_sim.cli.verify:verify",
    "key": "pulse_sim.cli.key:key",
    "diff": "pulse_sim.cli.diff:diff",
    "explain": "pulse_sim.cli.explain:explain",
    "gate": "pulse_sim.cli.gate:gate",
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
    """The console script. The working directory comes first on the path, for --sut.

    Interrupted or terminated, it cleans up and ends with 128 + the signal's number, as shells tell such an end: no
    status of a run or verdict, since there is none. Where nobody reads what it prints, it ends as it would have.
    """
    outlive_readers()
    sys.path.insert(0, os.getcwd())  # noqa: PTH109 - the path entry is text
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    cli()


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)  # a second one must not cut the cleaning up short
    os.write(2, f"{signal.Signals(number).name}: stopped\n".encode())  # no buffer may be in use twice here
    raise SystemExit(128 + number)


if __name__ == "__main__":
    main()
