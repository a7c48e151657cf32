"""Whether a log is the one its scenario would leave: who took part, when it began and ended, how many faults it had.

Knows nothing of what was judged. A log that tells of less than was to happen is not evidence of what was to happen.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pulse_sim.evidence.names import SCENARIO
from pulse_sim.observation import RunLog, Source
from pulse_sim.units import MINUTE, format_duration, parse_duration

LAST_LOOKS_NS: Final = 10 * MINUTE
"""How long after its duration a run may still look at its systems and stop them."""


def disagreement(scenario: Mapping[str, Any], log: RunLog) -> str:
    """The first thing the log tells otherwise than ``scenario``, a resolved document; empty when there is none.

    A log without ``world/start`` says nothing to disagree with; no check passes on it. A run that did not complete is
    not held to its length and its faults.
    """
    if log.start is None:
        return ""
    return next(_disagreements(scenario, log, log.start.data), "")


def _disagreements(scenario: Mapping[str, Any], log: RunLog, told: Mapping[str, Any]) -> Iterator[str]:
    if scenario.get("start") != log.header.start:
        yield f"the log begins at {log.header.start}, {SCENARIO} says {scenario.get('start')}"
    for part in ("systems", "appliances", "connections"):
        wanted = scenario.get(part, {})  # a resolved document leaves out what is empty
        if not isinstance(wanted, Mapping) or set(wanted) != set(told[part]):
            yield f"the log tells of other {part} than {SCENARIO}"
    if log.end_reason != "completed":
        return
    length_ns = _length(scenario.get("duration"))
    if length_ns is None or not length_ns <= log.end_ns <= length_ns + LAST_LOOKS_NS:
        yield f"the log ends at {format_duration(log.end_ns)}, {SCENARIO} lasts {scenario.get('duration')}"
    wanted_faults, faults = _faults(scenario.get("timeline")), len(log.of(Source.FAULT, "inject"))
    if faults != wanted_faults:
        yield f"the log tells of {faults} fault windows, {SCENARIO} of {wanted_faults}"


def _length(duration: Any) -> int | None:
    try:
        return parse_duration(duration)
    except (ValueError, TypeError):
        return None


def _faults(timeline: Any) -> int:
    """How many windows the entries of a timeline are; a repeated one counts as often as it comes."""
    entries = [entry for entry in timeline if isinstance(entry, Mapping)] if isinstance(timeline, list) else []
    return sum(_times(entry.get("repeat")) for entry in entries if "fault" in entry)


def _times(repeat: Any) -> int:
    times = repeat.get("times", 1) if isinstance(repeat, Mapping) else 1
    return times if type(times) is int else 0
