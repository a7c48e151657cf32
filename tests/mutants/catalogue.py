"""The catalogue of fail-open changes: which text of which file becomes what, and which tests must then be red.

Knows nothing of how a change is tried.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ruamel.yaml import YAML

ROOT: Final = Path(__file__).resolve().parents[2]
FILE: Final = Path(__file__).with_name("mutants.yaml")
ROOMS: Final = ("checks", "verdict", "evidence")


@dataclass(frozen=True)
class Mutant:
    """One change. ``text`` stands exactly once in ``file``; ``killed_by`` are paths or ids pytest takes."""

    id: str
    file: str
    text: str
    becomes: str
    opens: str
    killed_by: tuple[str, ...]

    @property
    def module(self) -> str:
        """The dotted name of the changed module."""
        return self.file.removesuffix(".py").replace("/", ".")

    def source(self) -> str:
        """The changed source. Raises ValueError where the text is not there exactly once, or nothing would change."""
        source = (ROOT / self.file).read_text("utf-8")
        count = source.count(self.text)
        if count != 1:
            raise ValueError(f"{self.file} has {self.text!r} {count} times, not once: bring mutants.yaml up to date")
        if self.text == self.becomes:
            raise ValueError(f"{self.id} changes nothing")
        return source.replace(self.text, self.becomes)


def mutants() -> tuple[Mutant, ...]:
    """Every change, in the order of the file."""
    rows = YAML(typ="safe").load(FILE.read_text("utf-8"))
    return tuple(Mutant(**{**row, "killed_by": tuple(row["killed_by"])}) for row in rows)
