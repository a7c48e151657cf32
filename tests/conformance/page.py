"""The page of the matrix: ``python -m tests.conformance.page > docs/network-parity.md`` prints it.

It is written from the matrix and the scripts alone; that the cells are what it says is what the tests find out.
"""

import itertools
import sys
from collections.abc import Iterator
from typing import Final

from tests.conformance.matrix import Cell, Matrix, the_matrix
from tests.conformance.scripts import Step, script

EQUAL: Final = "="
DIFFERENT: Final = "≠"
IMPOSSIBLE: Final = "·"

INTRODUCTION: Final = """\
# The simulated network against real sockets

Generated from `tests/conformance/matrix.yaml` and `tests/conformance/scripts.py` by
`python -m tests.conformance.page > docs/network-parity.md`; a test compares, and `tests/conformance/test_matrix.py`
runs every cell on both networks.

A cell is a stage of a client's exchange, an event that meets it there, with or without TLS, on a new connection or on
one that has served a request before. In each, one and the same unmodified `aiohttp.ClientSession` and one and the same
scripted peer run twice: in a simulation, each on a host of its own, and with stock asyncio on loopback sockets of the
machine. Deadlines and pauses are the same numbers, virtual there and real here.

Compared are

- the outcome: status and bytes, WebSocket message and close code, or the exception with its causes, each by class,
  errno, and OpenSSL's reason;
- the number of connections the peer accepted;
- the client's own order of events: every signal of aiohttp's tracing, and where among them the peer acts;
- the peer's own order of events, for each connection: what it read, end of file, close_notify, and how the connection
  was lost.

The order of events between the two sides is compared where one causes the other: every event begins after all that led
to it has settled on both sides, and stands at its place in the client's order.

Methods aiohttp tries again by itself hide the first error behind a second connection. So requests are POST on new
connections, where the error shows, and GET on kept ones, where the second connection is counted.

How names are made to fail: glibc itself asks a name server on loopback. How a connection attempt is met with silence:
the listening socket's queue is full, and Linux drops the SYN.
"""


def page(matrix: Matrix) -> str:
    return "\n".join(itertools.chain(_top(matrix), _table(matrix), _reasons(matrix), _scripts(matrix))) + "\n"


def _top(matrix: Matrix) -> Iterator[str]:
    equal = len(matrix.runs) - len(matrix.different)
    total = len(matrix.runs) + len(matrix.impossible)
    yield INTRODUCTION
    yield f"Of {total} cells {equal} are equal, {len(matrix.different)} different, {len(matrix.impossible)} impossible."
    yield ""


def _table(matrix: Matrix) -> Iterator[str]:
    kinds = [f"{transport} {connection}" for transport in matrix.transports for connection in matrix.connections]
    yield "## The matrix"
    yield ""
    yield f"Four marks a field: {', '.join(kinds)}."
    yield f"`{EQUAL}` equal, `{DIFFERENT}` different, `{IMPOSSIBLE}` impossible."
    yield ""
    yield "| stage | " + " | ".join(matrix.events) + " |"
    yield "|---" * (1 + len(matrix.events)) + "|"
    for stage in matrix.stages:
        yield f"| {stage} | " + " | ".join(f"`{_marks(matrix, stage, event)}`" for event in matrix.events) + " |"
    yield ""
    for heading, lines in (("Stages", matrix.stages), ("Events", matrix.events), ("Connections", matrix.connections)):
        yield f"{heading}:"
        yield ""
        yield from (f"- **{name}**: {line}" for name, line in lines.items())
        yield ""


def _marks(matrix: Matrix, stage: str, event: str) -> str:
    marks = []
    for transport, connection in itertools.product(matrix.transports, matrix.connections):
        cell = Cell(stage, event, transport, connection)
        if cell in matrix.impossible:
            marks.append(IMPOSSIBLE)
        else:
            marks.append(DIFFERENT if cell in matrix.different else EQUAL)
    return "".join(marks)


def _reasons(matrix: Matrix) -> Iterator[str]:
    yield "## Different, and why"
    yield ""
    yield from ([f"- `{cell}`: {reason}" for cell, reason in matrix.different.items()] or ["None."])
    yield ""
    yield "## Impossible, and why"
    yield ""
    reasons: dict[str, list[Cell]] = {}
    for cell, reason in matrix.impossible.items():
        reasons.setdefault(reason, []).append(cell)
    yield "| reason | stages | events | cells |"
    yield "|---|---|---|---|"
    for reason, cells in reasons.items():
        stages = ", ".join(dict.fromkeys(cell.stage for cell in cells))
        events = ", ".join(dict.fromkeys(cell.event for cell in cells))
        events = "all" if len(dict.fromkeys(cell.event for cell in cells)) == len(matrix.events) else events
        yield f"| {reason} | {stages} | {events} | {len(cells)} |"
    yield ""


def _scripts(matrix: Matrix) -> Iterator[str]:
    yield "## What the peer does"
    yield ""
    yield "The steps from the event on, on a plain connection where there is one."
    yield "Names, refusals and the silence before a connection need no script."
    for stage in matrix.stages:
        cells = {cell.event: cell for cell in reversed(matrix.runs) if cell.stage == stage}
        scripts = {event: script(cells[event]) for event in matrix.events if event in cells}
        acting = {event: steps for event, steps in scripts.items() if Step("act") in steps}
        if not acting:
            continue
        yield ""
        yield f"**{stage}**"
        yield ""
        for event, steps in acting.items():
            after = steps[steps.index(Step("act")) + 1 :]
            yield f"- {event}: {', '.join(_words(step) for step in after)}"


def _words(step: Step) -> str:
    words = step.verb.replace("_", " ")
    if step.data:
        return f"{words} `{_shown(step.data)}`"
    return f"{words} {step.size}" if step.size else words


def _shown(data: bytes) -> str:
    text = "".join(chr(byte) if 32 <= byte < 127 and byte != 96 else "…" for byte in data)
    return text if len(text) <= 24 else text[:24] + "…"


if __name__ == "__main__":
    sys.stdout.write(page(the_matrix()))
