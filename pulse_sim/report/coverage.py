"""What the passed runs of a verdict exercised, and above all what they did not, as a report tells it.

Reads the plain data of ``coverage.json``; knows neither scenarios nor the tables of kinds it was made from.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pulse_sim.report.text import plain

VERSION: Final = 1
FACES: Final = {"rest": "REST", "rpc": "JSON-RPC", "ddp": "older WebSocket"}


@dataclass(frozen=True, slots=True)
class CoverageTally:
    """How much of one axis, named in the plural, was exercised, and what of it was not."""

    axis: str
    exercised: int
    of: int
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """One fault kind under one failure class; ``runs`` has for every column how many passed runs felt it there, or
    None where it cannot be felt.
    """

    name: str
    under: str
    runs: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class CoverageReport:
    """``columns`` are the releases and faces that passed runs asked; axes without them stand in ``tallies``."""

    passed: int
    all: int
    tallies: tuple[CoverageTally, ...]
    columns: tuple[str, ...]
    classes: tuple[CoverageRow, ...]
    faults: tuple[CoverageRow, ...]

    @property
    def is_whole(self) -> bool:
        """Whether nothing of any axis is left."""
        return all(not tally.missing for tally in self.tallies)


def coverage_report(data: Mapping[str, Any]) -> CoverageReport:
    """Raises ValueError for data of another version or shape."""
    try:
        if data["version"] != VERSION:
            raise ValueError(f"coverage of version {data['version']!r} is unknown here")
        pairs = [
            (plain(row["release"]), plain(face), int(runs))
            for row in data["releases"]
            for face, runs in row["faces"].items()
        ]
        columns = tuple((release, face) for release, face, runs in pairs if runs)
        return CoverageReport(
            passed=int(data["runs"]["passed"]),
            all=int(data["runs"]["all"]),
            tallies=tuple(_tallies(data, pairs)),
            columns=tuple(f"{release} {_face(face)}" for release, face in columns),
            classes=tuple(_class_row(row, columns) for row in data["failure_classes"]),
            faults=tuple(row for fault in data["faults"] for row in _fault_rows(fault, columns)),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"this is no coverage: {type(error).__name__}") from None


def _tallies(data: Mapping[str, Any], pairs: Sequence[tuple[str, str, int]]) -> Iterable[CoverageTally]:
    yield _tally("pairs of release and face", [(f"{release} {_face(face)}", runs) for release, face, runs in pairs])
    yield _tally("fault kinds", [(row["fault"], len(row["exercised"])) for row in data["faults"]])
    yield _tally("failure classes", [(row["title"], len(row["exercised"])) for row in data["failure_classes"]])
    lacking = [row["capability"] for row in data["capabilities"] if row["has"] is False]
    told = [
        (f"{row['capability']} (the system lacks it)" if row["capability"] in lacking else row["capability"], runs)
        for row, runs in ((row, row["runs"]) for row in data["capabilities"])
    ]
    yield _tally("capabilities", told)
    yield _tally("check kinds", [(row["check"], row["runs"]) for row in data["checks"]])


def _tally(axis: str, counted: Sequence[tuple[Any, int]]) -> CoverageTally:
    missing = tuple(plain(name) for name, count in counted if not count)
    return CoverageTally(axis, len(counted) - len(missing), len(counted), missing)


def _class_row(row: Mapping[str, Any], columns: Sequence[tuple[str, str]]) -> CoverageRow:
    return CoverageRow(plain(row["title"]), "", _cells(row["exercised"], columns, None))


def _fault_rows(fault: Mapping[str, Any], columns: Sequence[tuple[str, str]]) -> Iterable[CoverageRow]:
    """A row for each failure class the fault was felt under; what was felt under none has one of its own."""
    by_class: dict[str, list[Mapping[str, Any]]] = {}
    for cell in fault["exercised"]:
        by_class.setdefault(plain(cell["failure_class"] or "none"), []).append(cell)
    for name, cells in sorted(by_class.items()):
        yield CoverageRow(plain(fault["fault"]), name, _cells(cells, columns, fault["faces"]))


def _cells(
    cells: Sequence[Mapping[str, Any]], columns: Sequence[tuple[str, str]], faces: Sequence[str] | None
) -> tuple[int | None, ...]:
    counts = {(plain(cell["release"]), plain(cell["face"])): int(cell["runs"]) for cell in cells}
    return tuple(
        counts.get(column, 0) if faces is None or column[1] in faces or column in counts else None for column in columns
    )


def _face(face: str) -> str:
    return FACES.get(face, face)
