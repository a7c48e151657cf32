"""The lines that repeat a run or a verdict; the same from whatever directory it was made.

A file is named from its catalogue on (``scenarios/…``), so that equal evidence gives equal reports. Knows no file.
"""

import shlex
from pathlib import PurePath
from typing import Final

from pulse_sim.report.text import plain
from pulse_sim.verdict import RunSummary

_CATALOGUE: Final = "scenarios"
_SCHEDULE: Final = "fifo"


def run_line(summary: RunSummary, source_file: str | None) -> str:
    """``pulse-sim run <file> --seed N``, with whatever else was not the default."""
    file = source_file or f"{summary.scenario.partition('[')[0]}.yaml"
    return run_command(told_file(file), summary.seed, summary.world, summary.sut, summary.schedule)


def run_command(file: str, seed: int, world: str, sut: str, schedule: str) -> str:
    """The same line for a file named as it is, quoted for a shell; an empty text stands for the default."""
    parts = ["pulse-sim", "run", file, "--seed", str(seed)]
    for option, value, default in (
        ("--world", world, "simulated"),
        ("--sut", sut, "reference"),
        ("--schedule", schedule, _SCHEDULE),
    ):
        if value not in ("", default):
            parts += [option, value]
    return plain(shlex.join(parts))


def labelled(schedule: str) -> str:
    """What a run's name is followed by: nothing for the default schedule, the schedule's own name for another."""
    return f", {plain(schedule)} schedule" if schedule not in ("", _SCHEDULE) else ""


def verdict_line(plan: str, seed: int, source_file: str | None, sut: str = "") -> str:
    """``pulse-sim verdict <plan> --seed N``, with the system under test where it was not the default."""
    parts = ["pulse-sim", "verdict", told_file(source_file or f"{plan}.yaml"), "--seed", str(seed)]
    return plain(shlex.join([*parts, "--sut", sut] if sut not in ("", "reference") else parts))


def told_file(path: str) -> str:
    """``path`` from its last directory ``scenarios`` on, or its name alone where there is none."""
    parts = PurePath(path).parts
    places = [index for index, part in enumerate(parts) if part == _CATALOGUE]
    return "/".join(parts[places[-1] :] if places else parts[-1:])
