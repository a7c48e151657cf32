"""The commands of a verdict bundle on disk: ``commands/<evidence>.json`` says how one ended, ``….txt`` what it printed.

Knows nothing of how commands are executed nor of what they come to.
"""

from pathlib import Path
from typing import Final

from pulse_sim.canonical import canonical_json
from pulse_sim.evidence.hostile import BundleDamaged, read_document, read_json
from pulse_sim.evidence.partial import PartialBundle
from pulse_sim.verdict import CommandRun
from pulse_sim.verdict.commands import command_run, record_data

COMMANDS: Final = "commands"


def write_command(bundle: PartialBundle, name: str, record: CommandRun, output: bytes) -> None:
    """Keep one command of the plan under the id of its evidence."""
    bundle.write(f"{COMMANDS}/{name}.json", canonical_json(record_data(record)) + b"\n")
    bundle.write(f"{COMMANDS}/{name}.txt", output)


def read_command(root: Path, name: str) -> tuple[CommandRun | None, bytes | None]:
    """The record and the output of evidence ``name``; None in the place of what is missing, damaged or misshapen."""
    return _record(root, name), _output(root, name)


def _record(root: Path, name: str) -> CommandRun | None:
    try:
        return command_run(read_json(root, f"{COMMANDS}/{name}.json"))
    except (BundleDamaged, ValueError):
        return None


def _output(root: Path, name: str) -> bytes | None:
    try:
        return read_document(root, f"{COMMANDS}/{name}.txt")
    except BundleDamaged:
        return None
