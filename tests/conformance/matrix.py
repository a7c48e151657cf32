"""The conformance matrix as data: every cell of it, whether it runs, and if not, why it has no meaning.

Knows nothing of how a cell is run. Reading refuses a matrix in which a cell is left open or covered twice.
"""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML

FILE: Final = Path(__file__).with_name("matrix.yaml")
AXES: Final = ("stage", "event", "transport", "connection")
MOST_DIFFERENT: Final = 5


class MatrixError(ValueError):
    """The file does not say exactly one thing about each cell."""


@dataclass(frozen=True, order=True, slots=True)
class Cell:
    """One combination of the four axes."""

    stage: str
    event: str
    transport: str
    connection: str

    def __str__(self) -> str:
        return f"{self.stage}-{self.event}-{self.transport}-{self.connection}"

    @property
    def tls(self) -> bool:
        return self.transport == "tls"

    @property
    def kept(self) -> bool:
        return self.connection == "kept"


@dataclass(frozen=True, slots=True)
class Matrix:
    """The axes with a line on each value, and what holds for every cell, in the order of the axes."""

    stages: Mapping[str, str]
    events: Mapping[str, str]
    transports: tuple[str, ...]
    connections: Mapping[str, str]
    impossible: Mapping[Cell, str]
    different: Mapping[Cell, str]
    runs: tuple[Cell, ...]

    def cells(self) -> Iterator[Cell]:
        """All of them, whether they run or not."""
        return itertools.starmap(Cell, itertools.product(self.stages, self.events, self.transports, self.connections))


@cache
def the_matrix() -> Matrix:
    """The committed one."""
    return read(FILE.read_text("utf-8"))


def read(text: str) -> Matrix:
    """Raises MatrixError naming the cell or the word that is wrong."""
    document = YAML(typ="safe").load(text)
    values = {
        "stage": list(document["stages"]),
        "event": list(document["events"]),
        "transport": list(document["transports"]),
        "connection": list(document["connections"]),
    }
    verdicts: dict[Cell, str | None] = {}
    for rule in document["rules"]:
        verdict = _verdict(rule)
        for cell in _covered(rule, values):
            if cell in verdicts:
                raise MatrixError(f"{cell} is defined twice")
            verdicts[cell] = verdict
    cells = list(itertools.starmap(Cell, itertools.product(*values.values())))
    for cell in cells:
        if cell not in verdicts:
            raise MatrixError(f"{cell} is not defined")
    different = _different(document["different"], verdicts)
    return Matrix(
        stages=document["stages"],
        events=document["events"],
        transports=tuple(document["transports"]),
        connections=document["connections"],
        impossible={cell: reason for cell in cells if (reason := verdicts[cell]) is not None},
        different=different,
        runs=tuple(cell for cell in cells if verdicts[cell] is None),
    )


def _verdict(rule: Mapping[str, Any]) -> str | None:
    """The reason why the rule's cells are impossible; None where they run."""
    reason = rule.get("impossible")
    if (rule.get("run") is True) == bool(reason) or not set(rule) <= {*AXES, "run", "impossible"}:
        raise MatrixError(f"a rule says either run: true or impossible: with a reason: {dict(rule)}")
    return reason or None


def _covered(rule: Mapping[str, Any], values: Mapping[str, list[str]]) -> Iterator[Cell]:
    chosen = []
    for axis in AXES:
        named = rule.get(axis, values[axis])
        words = [named] if isinstance(named, str) else list(named)
        for word in words:
            if word not in values[axis]:
                raise MatrixError(f"no {axis} is called {word!r}")
        chosen.append(words)
    return itertools.starmap(Cell, itertools.product(*chosen))


def _different(entries: list[Mapping[str, str]], verdicts: Mapping[Cell, str | None]) -> dict[Cell, str]:
    by_name = {str(cell): cell for cell, verdict in verdicts.items() if verdict is None}
    different: dict[Cell, str] = {}
    for entry in entries:
        cell = by_name.get(entry["cell"])
        if cell is None or cell in different or not entry["reason"]:
            raise MatrixError(f"{entry['cell']} does not run, is listed twice or has no reason")
        different[cell] = entry["reason"]
    return different
