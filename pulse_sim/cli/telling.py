"""The answer of ``pulse-sim diff`` in words for people and as one JSON object. Decides nothing.

Payloads come here masked; what is shown of them is bounded and one printable line.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pulse_sim.cli.divergence import Divergence, NotReproduced, Side
from pulse_sim.cli.recorded import FirstCheckpoint, RecordedRun
from pulse_sim.evidence.checkpoints import Mark
from pulse_sim.kernel.stretch import SeenEvent
from pulse_sim.observation.writer import JOURNAL, OBSERVATIONS
from pulse_sim.report.text import plain
from pulse_sim.units import format_duration

EXCERPT_BYTES: Final = 160
LEAD_BYTES: Final = 60
_SEQ: Final = re.compile(rb'"seq":(\d+),"source":"\w+","subject":"(?:[^"\\]|\\.)*","t":\d+\}\n\Z')
_UNPRINTABLE: Final = re.compile(rb"[^\t\r\n\x20-\x7e]")
_UNPRINTABLE_AT_MOST: Final = 0.1


@dataclass(frozen=True)
class Answer:
    """Everything there is to tell. ``event`` is None when nothing differs or ``why_no_event`` says why not."""

    one: RecordedRun
    other: RecordedRun
    inputs: Sequence[tuple[str, Any, Any]]
    checkpoint: FirstCheckpoint | None
    event: Divergence | NotReproduced | None
    why_no_event: str = ""
    code: Sequence[tuple[str, Any, Any]] = ()
    """How this code is not that of the run which was not reproduced."""


def as_data(answer: Answer) -> dict[str, Any]:
    """One JSON object."""
    missed = answer.event if isinstance(answer.event, NotReproduced) else None
    return {
        "run_a": str(answer.one.path),
        "run_b": str(answer.other.path),
        "result": _result(answer),
        "inputs": [{"input": name, "a": one, "b": other} for name, one, other in answer.inputs],
        "checkpoint": None if answer.checkpoint is None else _checkpoint_data(answer.checkpoint),
        "event": _event_data(answer.event) if isinstance(answer.event, Divergence) else None,
        "why_no_event": answer.why_no_event or None,
        "not_reproduced": None
        if missed is None
        else {"run": missed.run, "events": missed.departure.events, "what": missed.departure.what},
    }


def as_lines(answer: Answer) -> Iterator[str]:
    """The same for people."""
    for name, one, other in answer.inputs:
        yield f"{name} differs: A {_told(one)}; B {_told(other)}"
    if not answer.inputs:
        yield "the inputs are the same"
    if answer.checkpoint is None:
        happened = answer.one.checkpoints.happened[-1]
        yield f"no difference: the same {happened.events} events happened in {format_duration(happened.at_ns)}"
        return
    yield from _checkpoint_lines(answer.checkpoint)
    if isinstance(answer.event, NotReproduced):
        run, departure = answer.event.run, answer.event.departure
        yield f"run {run} is not reproduced by this code: after {departure.events} events {departure.what}"
        for name, one, other in answer.code:
            yield f"  {name}: {_told(one)} then, {_told(other)} now"
    elif answer.event is None:
        yield f"the first differing event was not looked for: {answer.why_no_event}"
    else:
        yield from _event_lines(answer.event)


def _result(answer: Answer) -> str:
    if answer.checkpoint is None:
        return "no difference"
    return "not reproduced" if isinstance(answer.event, NotReproduced) else "different"


def _checkpoint_data(found: FirstCheckpoint) -> dict[str, Any]:
    return {"equal": _mark_data(found.equal), "a": _mark_data(found.one), "b": _mark_data(found.other)}


def _mark_data(mark: Mark | None) -> dict[str, Any] | None:
    return None if mark is None else {"events": mark.events, "at_ns": mark.at_ns, "digest": mark.digest}


def _checkpoint_lines(found: FirstCheckpoint) -> Iterator[str]:
    equal = found.equal
    if equal is not None:
        yield f"the first {equal.events} events are the same, up to {format_duration(equal.at_ns)}"
    for name, mark in (("A", found.one), ("B", found.other)):
        told = (
            f"run {name} had ended then"
            if mark is None
            else f"first differing checkpoint of run {name}: after {mark.events} events, "
            f"at {format_duration(mark.at_ns)}, {mark.digest[:16]}…"
        )
        yield told


def _event_data(found: Divergence) -> dict[str, Any]:
    place = _place(found)
    return {"number": found.number, "a": _side_data(found.one, place), "b": _side_data(found.other, place)}


def _side_data(side: Side, place: int) -> dict[str, Any]:
    return {
        "before": [_seen_data(event) for event in side.before],
        "event": None if side.event is None else _seen_data(side.event, place),
        "after": [_seen_data(event) for event in side.after],
    }


def _seen_data(event: SeenEvent, place: int = 0) -> dict[str, Any]:
    return {
        "number": event.number,
        "at_ns": event.at_ns,
        "host": event.host,
        "task": event.task,
        "task_name": event.task_name,
        "kind": event.kind,
        "subject": event.subject,
        "record": _record(event),
        "payload_bytes": event.size,
        "payload_sha256": event.sha256,
        "excerpt": _excerpt(event, place),
    }


def _record(event: SeenEvent) -> dict[str, Any] | None:
    """Which line of the log an event is, if it is one."""
    if "/" not in event.kind:
        return None
    found = _SEQ.search(event.payload)
    file = JOURNAL if event.kind == "appliance/request" else OBSERVATIONS
    return {"file": file, "seq": None if found is None else int(found[1])}


def _event_lines(found: Divergence) -> Iterator[str]:
    place = _place(found)
    yield f"first differing event: {found.number}"
    for event in found.one.before:
        yield from _seen_lines("  both", event)
    for name, side in (("A", found.one), ("B", found.other)):
        if side.event is None:
            yield f"> {name}     the run had ended"
            continue
        yield from _seen_lines(f"> {name}   ", side.event, place)
    for name, side in (("A", found.one), ("B", found.other)):
        for event in side.after:
            yield from _seen_lines(f"  {name}   ", event)
    one, other = found.one.event, found.other.event
    if one is not None and other is not None and one.sha256 != other.sha256 and one.payload == other.payload:
        yield "the payloads differ where they are masked or not shown"


def _seen_lines(lead: str, event: SeenEvent, place: int = 0) -> Iterator[str]:
    task = f"task {event.task} {event.task_name}" if event.task_name is not None else "callback"
    record = _record(event)
    which = "" if record is None else f", {record['file']} seq {record['seq']}"
    yield (
        f"{lead} {event.number} at {format_duration(event.at_ns)}, {event.host or 'no host'}, {task}: {event.kind} "
        f"{event.subject}{which}, {event.size} bytes {event.sha256[:16]}…"
    )
    excerpt = _excerpt(event, place)
    if excerpt:
        yield f"         {excerpt}"


def _place(found: Divergence) -> int:
    """The first byte at which the payloads of the differing events differ, as far as it can be shown."""
    if found.one.event is None or found.other.event is None:
        return 0
    one, other = found.one.event.payload, found.other.event.payload
    shared = min(len(one), len(other))
    return next((index for index in range(shared) if one[index] != other[index]), 0 if one == other else shared)


def _excerpt(event: SeenEvent, place: int) -> str:
    begin = max(0, place - LEAD_BYTES)
    piece = event.payload[begin : begin + EXCERPT_BYTES]
    if len(_UNPRINTABLE.findall(piece)) > len(piece) * _UNPRINTABLE_AT_MOST:
        return f"(not text; differs from byte {place} on)" if place else "(not text)"
    more = "…" if begin + len(piece) < event.size else ""
    return plain(f"{'…' if begin else ''}{piece.decode('utf-8', 'backslashreplace')}{more}")


def _told(value: Any) -> str:
    return "not recorded" if value is None else plain(value, 120)
