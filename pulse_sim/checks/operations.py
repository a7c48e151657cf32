"""Checks of what an operator following the runbook looks at: log lines, restarts, answers of the API, files.

Knows nothing of any operation; scenarios say what is to be seen, and when.
"""

import json
from collections.abc import Sequence
from typing import Any, Final

from pulse_sim.checks.coverage import down_spans, require_started
from pulse_sim.checks.judgement import CheckKind, Finding, NoEvidence, check_kind
from pulse_sim.checks.parameters import ApiAnswer, Counted, DataFile, LogLines, Restarts
from pulse_sim.checks.wording import amount, at_ms, within
from pulse_sim.observation import Record, RunLog, Source
from pulse_sim.units import MINUTE, format_duration

_ASKING: Final = ("ask_system", "send_request")
ANSWER_WITHIN_NS: Final = MINUTE
"""An answer that came later belongs to another question."""


def _bounds(given: Counted, noun: str) -> str:
    parts = [] if given.at_least is None else [f"at least {amount(given.at_least, noun)}"]
    parts += [] if given.at_most is None else [f"at most {amount(given.at_most, noun)}"]
    return " and ".join(parts)


def _counted(log: RunLog, given: Counted, found: Sequence[Record], noun: str, known: Sequence[Record]) -> Finding:
    """Whether ``found`` are as many as they may be; ``known`` shows that such records are written at all."""
    from_ns, to_ns = given.between or (0, log.end_ns)
    if to_ns > log.end_ns:
        raise NoEvidence(f"the run ended at {at_ms(log.end_ns)}, before the window did")
    if any(down_from <= from_ns and to_ns < down_to for down_from, down_to in down_spans(log, given.system)):
        raise NoEvidence(f"system {given.system} was down all the time{within(given.between)}")
    hits = [record for record in found if from_ns <= record.time_ns <= to_ns]
    holds = (given.at_least or 0) <= len(hits) and (given.at_most is None or len(hits) <= given.at_most)
    observed = amount(len(hits), noun) + (f", the first at {at_ms(hits[0].time_ns)}" if hits else "")
    return Finding(holds, observed, [record.seq for record in hits or known])


def expected_lines(given: LogLines) -> str:
    """In words."""
    return f"{_bounds(given, 'line')} of {given.system} with {json.dumps(given.text)}{within(given.between)}"


def find_lines(log: RunLog, given: LogLines) -> Finding:
    """Silence counts only of a system that was up and whose log was heard at some time."""
    require_started(log, given.system)
    lines = log.of(Source.SUT, "log", given.system)
    if not lines:
        raise NoEvidence(f"no line of {given.system} was ever logged")
    return _counted(log, given, [line for line in lines if given.text in message(line)], "line", lines[:1])


def message(line: Record) -> str:
    """A log record as its file would show it; the template where the fields do not fit it."""
    template, fields = line.data["template"], line.data["fields"]
    values: Any = fields if "%(" in template else tuple(fields[key] for key in sorted(fields) if key.isdecimal())
    try:
        return str(template % values) if values else str(template)
    except (TypeError, ValueError, KeyError):
        return str(template)


def expected_restarts(given: Restarts) -> str:
    """In words."""
    return f"{_bounds(given, 'restart')} of {given.system}{within(given.between)}"


def find_restarts(log: RunLog, given: Restarts) -> Finding:
    """Every start after the first is one; a system nobody looked at may have been started unseen."""
    require_started(log, given.system)
    if not log.scrapes(given.system):
        raise NoEvidence(f"nobody ever looked at {given.system}")
    starts = log.of(Source.SUT, "started", given.system)
    return _counted(log, given, starts[1:], "restart", starts[:1])


def expected_answer(given: ApiAnswer) -> str:
    """In words."""
    parts = [] if given.rows is None else [amount(given.rows, "row")]
    parts += [f"with {json.dumps(text)}" for text in given.contains]
    parts += [f"without {json.dumps(text)}" for text in given.lacks]
    what = " ".join([str(given.status), *parts])
    return f"{given.path} of {given.system} answers {what} at {format_duration(given.at)}"


def find_answer(log: RunLog, given: ApiAnswer) -> Finding:
    """The first answer to an ``ask_system`` or ``send_request`` for the path at or after the time."""
    require_started(log, given.system)
    asked = [
        record
        for record in log.of(Source.OPERATOR, "action", given.system)
        if record.data["do"] in _ASKING and record.data["with"].get("path") == given.path
    ]
    late_ns = given.at + ANSWER_WITHIN_NS
    record = next((record for record in asked if given.at <= record.time_ns < late_ns), None)
    if record is None:
        raise NoEvidence(f"nobody asked for {given.path} at {format_duration(given.at)}")
    status, body = record.data["status"], str(record.data.get("body", ""))
    if status is None:
        return Finding(False, f"no answer: {str(record.data['error'])[:80]}", [record.seq])
    if status != given.status:
        return Finding(False, f"status {status}", [record.seq])
    return Finding(*_content(given, body, record), [record.seq])


def _content(given: ApiAnswer, body: str, record: Record) -> tuple[bool, str]:
    absent = next((text for text in given.contains if text not in body), None)
    unwanted = next((text for text in given.lacks if text in body), None)
    is_whole = record.data.get("whole") is True
    if unwanted is not None:
        return False, f"status {given.status} with {json.dumps(unwanted)}"
    if not is_whole and (absent is not None or given.lacks or given.rows is not None):
        raise NoEvidence(f"only the beginning of {given.path} was kept", [record.seq])
    if absent is not None:
        return False, f"status {given.status} without {json.dumps(absent)}"
    if given.rows is None:
        return True, f"status {given.status}, {len(body)} characters"
    rows = _rows(body)
    if rows is None:
        return False, f"status {given.status}, no array"
    return rows == given.rows, f"status {given.status}, {amount(rows, 'row')}"


def _rows(body: str) -> int | None:
    """How long a JSON array is; None of anything else."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return len(value) if isinstance(value, list) else None


def expected_file(given: DataFile) -> str:
    """In words."""
    after = "" if given.after is None else f" after {format_duration(given.after)}"
    return f"{given.file} of {given.system} {given.is_}{after}"


def find_file(log: RunLog, given: DataFile) -> Finding:
    """What every look at the disk shows: before and after a removal, and at the end of the run."""
    require_started(log, given.system)
    looks = [
        record
        for record in log.of(Source.WORLD, "disk", given.system)
        if given.after is None or record.time_ns > given.after
    ]
    if not looks or (given.is_ == "unchanged" and len(looks) < 2):
        raise NoEvidence(f"too few looks at the disk of {given.system}")
    seen = [look.data["files"].get(given.file) for look in looks]
    for look, file in zip(looks, seen, strict=True):
        if (file is None) != (given.is_ == "absent"):
            return Finding(False, f"{'absent' if file is None else 'present'} at {at_ms(look.time_ns)}", [look.seq])
        if given.is_ == "unchanged" and file != seen[0]:
            return Finding(False, f"another at {at_ms(look.time_ns)}", [looks[0].seq, look.seq])
    return Finding(True, f"{given.is_} in {amount(len(looks), 'look')}", [look.seq for look in looks])


KINDS: Final[tuple[CheckKind, ...]] = (
    check_kind("log_lines", LogLines, expected_lines, find_lines),
    check_kind("restarts", Restarts, expected_restarts, find_restarts),
    check_kind("api_answer", ApiAnswer, expected_answer, find_answer),
    check_kind("data_file", DataFile, expected_file, find_file),
)
