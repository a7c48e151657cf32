"""The table of clients, a cell for each release and call, and what is wrong with an outcome. Starts nothing."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.contract.shape import Shapes, applies

TABLE: Final[dict[str, Any]] = json.loads((Path(__file__).parent / "table.json").read_text("utf-8"))
CLIENTS: Final = tuple(name for name in TABLE if name != "about")


@dataclass(frozen=True)
class Cell:
    """One call on one release. ``line`` is a file of the client and the line in it that explains the outcome."""

    call: str
    arguments: Mapping[str, Any]
    gives: Any = None
    equals: Any = ...
    truth: str | None = None
    raises: str | None = None
    line: tuple[str, str] | None = None
    left_out: bool = False
    covered_by: str | None = None
    fault: tuple[str, Mapping[str, Any]] | None = None
    ages: bool = False

    def problems(self, outcome: Mapping[str, Any], shapes: Shapes, truth: Mapping[str, Any]) -> Iterator[str]:
        """How an outcome differs from what is expected."""
        if self.raises is not None or "raises" in outcome:
            if outcome.get("raises") != self.raises:
                yield f"{self.call}: {json.dumps(outcome)[:300]} instead of {self.raises or 'an answer'}"
            return
        value = outcome["gives"]
        yield from (f"{self.call}: {problem}" for problem in shapes.problems(value, self.gives))
        if self.equals is not ... and value != self.equals:
            yield f"{self.call}: {value!r:.200} instead of {self.equals!r}"
        if self.truth is not None:
            there = set(truth[self.truth])
            key = "id" if self.truth == "datasets" else "name"
            seen = {row[key] for row in value} if _rows(value) else value
            if not there <= set(seen):
                yield f"{self.call}: {sorted(seen)} instead of {sorted(there)}"


def _rows(value: Any) -> bool:
    return bool(value) and isinstance(value[0], dict)


def cells(client: str, release: str, part: str = "calls") -> Iterator[Cell]:
    """The rows of a client that are for this release, in their order."""
    for row in TABLE[client][part]:
        call = applies(row["call"], release)
        if call is not None:
            line = row.get("line") or row.get("left_out")
            fault = row.get("fault")
            yield Cell(
                call=call,
                arguments=row.get("arguments", {}),
                gives=row.get("gives"),
                equals=row.get("equals", ...),
                truth=row.get("truth"),
                raises=row.get("raises"),
                line=tuple(line) if line else None,
                left_out="left_out" in row,
                covered_by=row.get("covered_by"),
                fault=(fault[0], fault[1]) if fault else None,
                ages=row.get("ages", False),
            )


def filled(value: Any, known: Mapping[str, str]) -> Any:
    """Arguments with ``{host}`` and the like replaced."""
    if isinstance(value, str):
        for name, text in known.items():
            value = value.replace(f"{{{name}}}", text)
        return value
    if isinstance(value, Mapping):
        return {key: filled(inner, known) for key, inner in value.items()}
    return [filled(inner, known) for inner in value] if isinstance(value, list) else value
