"""Judges a command that was executed as evidence, fail closed (rollout-plan 3): only an exit status of 0, in time, with
whole output that is the one recorded, and for pytest with at least one test that ran, is passed.

Knows nothing of how commands are executed, nor of files; what it reads was written by others.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from pulse_sim.canonical import sha256_hex
from pulse_sim.outcome import Outcome, worst
from pulse_sim.verdict.model import CommandRun, EvidenceResult, JsonObject, Problem

VERSION: Final = 1
TEST_PROGRAM: Final = "pytest"
_KEYS: Final = frozenset(
    {
        "version",
        "argv",
        "exit_status",
        "timed_out",
        "duration_s",
        "output_sha256",
        "output_bytes",
        "truncated",
        "withheld",
        "trouble",
    }
)
_ESCAPES: Final = re.compile(rb"\x1b\[[0-9;]*[A-Za-z]")
_CLOSING: Final = re.compile(rb"=*\s*(?P<counts>[0-9a-z ,]+) in [0-9.]+s(?: \([0-9:]+\))?\s*=*")
_COUNT: Final = re.compile(rb"(?P<number>[0-9]+) (?P<what>[a-z]+)")
_RAN: Final = (b"passed", b"failed", b"error", b"errors", b"xfailed", b"xpassed")
_BAD: Final = (b"failed", b"error", b"errors")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


def judge_command(name: str, argv: Sequence[str], record: CommandRun | None, output: bytes | None) -> EvidenceResult:
    """Evidence ``name``: what the command ``argv`` of the plan came to, by its record and its output as it was kept."""
    if record is None:
        return EvidenceResult(name, "command", Outcome.INCONCLUSIVE, "the command was not executed")
    if record.argv[:1] == (TEST_PROGRAM,) and output is not None:
        record = replace(record, tests_run=tests_run(output))
    problems = [*_about_record(argv, record), *problems_of_command(record), *_about_output(record, output)]
    outcome = worst([Outcome.PASSED, *(problem.outcome for problem in problems)])
    reason = next((problem.text for problem in problems if problem.outcome is outcome), "")
    return EvidenceResult(name, "command", outcome, reason, command=record)


def problems_of_command(record: CommandRun) -> Iterable[Problem]:
    """What the record alone says against the command."""
    if record.trouble:
        yield Problem(Outcome.INCONCLUSIVE, record.trouble)
    if record.timed_out:
        yield Problem(Outcome.INCONCLUSIVE, f"timed out after {record.duration_s:g} s")
    if record.exit_status is None and not record.trouble and not record.timed_out:
        yield Problem(Outcome.INCONCLUSIVE, "the exit status is missing")
    if record.exit_status:
        yield Problem(Outcome.FAILED, f"exit status {record.exit_status}")
    if record.withheld:
        yield Problem(Outcome.FAILED, "its output shows a secret and was not kept")
    if record.truncated:
        yield Problem(Outcome.INCONCLUSIVE, f"its output was cut after {record.output_bytes} bytes")
    if record.output_bytes <= 0 and not record.withheld:
        yield Problem(Outcome.INCONCLUSIVE, "it printed nothing")
    if record.argv[:1] == (TEST_PROGRAM,) and not record.tests_run:
        told = "its output does not say how many tests ran" if record.tests_run is None else "it ran no test"
        yield Problem(Outcome.INCONCLUSIVE, told)


def tests_run(output: bytes) -> int | None:
    """How many tests a pytest run says it ran on its closing line; None when the last line is none.

    Tests that were skipped or deselected did not run.
    """
    counts = _closing_counts(output)
    return None if counts is None else sum(number for what, number in counts.items() if what in _RAN)


def record_data(record: CommandRun) -> JsonObject:
    """The content of ``commands/<evidence>.json``; ``duration_s`` is wall time and enters no digest."""
    return {
        "version": VERSION,
        "argv": list(record.argv),
        "exit_status": record.exit_status,
        "timed_out": record.timed_out,
        "duration_s": record.duration_s,
        "output_sha256": record.output_sha256,
        "output_bytes": record.output_bytes,
        "truncated": record.truncated,
        "withheld": record.withheld,
        "trouble": record.trouble,
    }


def command_run(value: Any) -> CommandRun:
    """Read :func:`record_data` back. Raises ValueError when it is not of version 1's shape."""
    if not isinstance(value, Mapping) or set(value) != _KEYS:
        raise ValueError(f"the record of a command has the keys {', '.join(sorted(_KEYS))}")
    if type(value["version"]) is not int or value["version"] != VERSION:
        raise ValueError(f"the record of a command is of version {value['version']!r}, known here is {VERSION}")
    argv, status, duration_s, size = (value[key] for key in ("argv", "exit_status", "duration_s", "output_bytes"))
    if not isinstance(argv, list) or not argv or not all(isinstance(argument, str) for argument in argv):
        raise ValueError("argv is a list of texts")
    if status is not None and type(status) is not int:
        raise ValueError("exit_status is an integer or null")
    if any(type(value[key]) is not bool for key in ("timed_out", "truncated", "withheld")):
        raise ValueError("timed_out, truncated and withheld are true or false")
    if type(duration_s) not in (int, float) or not 0 <= duration_s < float("inf"):
        raise ValueError("duration_s is a length in seconds")
    if type(size) is not int or size < 0:
        raise ValueError("output_bytes is a size in bytes")
    sha256, trouble = value["output_sha256"], value["trouble"]
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256) or not isinstance(trouble, str):
        raise ValueError("output_sha256 is 64 hexadecimal digits and trouble a text")
    return CommandRun(
        tuple(argv),
        status,
        value["timed_out"],
        float(duration_s),
        sha256,
        size,
        value["truncated"],
        value["withheld"],
        trouble,
    )


def _about_record(argv: Sequence[str], record: CommandRun) -> Iterable[Problem]:
    if record.argv != tuple(argv):
        yield Problem(Outcome.INCONCLUSIVE, "another command than the plan's was executed")


def _about_output(record: CommandRun, output: bytes | None) -> Iterable[Problem]:
    if output is None:
        yield Problem(Outcome.INCONCLUSIVE, "its output is missing")
        return
    if len(output) != record.output_bytes or sha256_hex(output) != record.output_sha256:
        yield Problem(Outcome.INCONCLUSIVE, "its output is not the one that was recorded")
    if record.output_bytes > 0 and not output.strip():
        yield Problem(Outcome.INCONCLUSIVE, "it printed nothing but blanks")
    counts = _closing_counts(output) if record.argv[:1] == (TEST_PROGRAM,) else None
    bad = sum(number for what, number in (counts or {}).items() if what in _BAD)
    if bad and not record.exit_status:
        yield Problem(Outcome.FAILED, f"its output tells of {bad} failed tests, its exit status of none")


def _closing_counts(output: bytes) -> dict[bytes, int] | None:
    lines = [line.strip() for line in _ESCAPES.sub(b"", output).splitlines() if line.strip()]
    closing = _CLOSING.fullmatch(lines[-1]) if lines else None
    if closing is None:
        return None
    if closing["counts"].strip() == b"no tests ran":
        return {}
    counts: dict[bytes, int] = {}
    for part in closing["counts"].split(b","):
        found = _COUNT.fullmatch(part.strip())
        if found is None:
            return None
        counts[found["what"]] = counts.get(found["what"], 0) + int(found["number"])
    return counts
