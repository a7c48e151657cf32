"""Runs, checks and commands as others wrote them: every field read, every wrong one refused in its own words."""

from typing import Any

import pytest

from pulse_sim.outcome import Outcome
from pulse_sim.verdict import CommandRun, JudgedCheck, RunSummary, run_summary
from pulse_sim.verdict.commands import command_run, record_data
from pulse_sim.verdict.record import judged_check, whole

CHECK: dict[str, Any] = {
    "check": "recovers",
    "outcome": "failed",
    "expected": "fresh",
    "observed": "stale",
    "reason": "stale since 90 s",
    "evidence": [0, 97],
}
RUN: dict[str, Any] = {
    "version": 1,
    "scenario": "auth",
    "seed": 7,
    "world": "simulated",
    "sut": "reference",
    "schedule": "fifo",
    "outcome": "errored",
    "reason": "a worker died",
    "trace_digest": "ab" * 32,
    "outcome_digest": "cd" * 32,
    "virtual_seconds": 0,
    "checks": [CHECK],
}
COMMAND: dict[str, Any] = {
    "version": 1,
    "argv": ["pytest", "tests"],
    "exit_status": 3,
    "timed_out": True,
    "duration_s": 0,
    "output_sha256": "0f" * 32,
    "output_bytes": 0,
    "truncated": True,
    "withheld": True,
    "trouble": "no",
}
LENGTH = "checks.json: virtual_seconds is a length in seconds"
RECORDS = "a check's evidence is a list of sequence numbers"
BAD_RECORDS: tuple[object, ...] = (None, {}, [1, "2"], [True], [0, -1], [1.0])
FLAGS = "timed_out, truncated and withheld are true or false"
OUTPUT = "output_sha256 is 64 hexadecimal digits and trouble a text"
COMMAND_KEYS = (
    "the record of a command has the keys argv, duration_s, exit_status, output_bytes, output_sha256, timed_out, "
    "trouble, truncated, version, withheld"
)


def without(data: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name != key}


def test_every_field_of_a_run_and_its_checks_is_read() -> None:
    assert run_summary("auth-7-ab", RUN) == RunSummary(
        run="auth-7-ab",
        scenario="auth",
        seed=7,
        outcome=Outcome.ERRORED,
        checks=(JudgedCheck("recovers", Outcome.FAILED, "fresh", "stale", "stale since 90 s", (0, 97)),),
        reason="a worker died",
        world="simulated",
        sut="reference",
        schedule="fifo",
        trace_digest="ab" * 32,
        outcome_digest="cd" * 32,
        virtual_s=0.0,
    )


def test_what_a_run_or_check_may_leave_out_is_empty() -> None:
    assert judged_check({"check": "recovers", "outcome": "passed"}) == JudgedCheck("recovers", Outcome.PASSED)
    short = run_summary("auth", without(without(RUN, "reason"), "virtual_seconds"))
    assert (short.reason, short.virtual_s) == ("", None)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ([], "checks.json is not an object"),
        (without(RUN, "version"), "checks.json version None is not 1, the one known here"),
        ({**RUN, "version": 2}, "checks.json version 2 is not 1, the one known here"),
        ({**RUN, "version": True}, "checks.json version True is not 1, the one known here"),
        ({**RUN, "seed": 7.0}, "checks.json: seed is an integer"),
        (without(RUN, "seed"), "checks.json: seed is an integer"),
        ({**RUN, "checks": {}}, "checks.json: checks is a list"),
        (without(RUN, "checks"), "checks.json: checks is a list"),
        ({**RUN, "checks": [1]}, "a check is not an object"),
        ({**RUN, "outcome": "fine"}, "'fine' is not an outcome"),
        (without(RUN, "outcome"), "None is not an outcome"),
        *(
            (without(RUN, key), f"{key} is not a text")
            for key in ("scenario", "world", "sut", "schedule", "trace_digest", "outcome_digest")
        ),
        ({**RUN, "reason": None}, "reason is not a text"),
        *(({**RUN, "virtual_seconds": length}, LENGTH) for length in ("1", True, -0.5, float("inf"), float("nan"))),
    ],
    ids=str,
)
def test_a_run_of_another_shape_is_refused_in_words(value: object, told: str) -> None:
    with pytest.raises(ValueError, match=r".+") as refusal:
        run_summary("auth", value)
    assert str(refusal.value) == told


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, "a check is not an object"),
        (without(CHECK, "check"), "check is not a text"),
        (without(CHECK, "outcome"), "None is not an outcome"),
        ({**CHECK, "outcome": 1}, "1 is not an outcome"),
        *(({**CHECK, key: 1}, f"{key} is not a text") for key in ("expected", "observed", "reason")),
        *(({**CHECK, "evidence": seqs}, RECORDS) for seqs in BAD_RECORDS),
    ],
    ids=str,
)
def test_a_check_of_another_shape_is_refused_in_words(value: object, told: str) -> None:
    with pytest.raises(ValueError, match=r".+") as refusal:
        judged_check(value)
    assert str(refusal.value) == told


def test_the_record_of_a_command_is_read_and_written_back_key_by_key() -> None:
    read = command_run(COMMAND)
    assert read == CommandRun(("pytest", "tests"), 3, True, 0.0, "0f" * 32, 0, True, True, "no", None)
    assert record_data(read) == COMMAND
    flags = {"timed_out": False, "truncated": True, "withheld": False}
    assert record_data(command_run({**COMMAND, **flags, "exit_status": None})) == {
        **COMMAND,
        **flags,
        "exit_status": None,
    }


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ([], COMMAND_KEYS),
        *((without(COMMAND, key), COMMAND_KEYS) for key in COMMAND),
        ({**COMMAND, "tests_run": 1}, COMMAND_KEYS),
        ({**COMMAND, "version": 2}, "the record of a command is of version 2, known here is 1"),
        ({**COMMAND, "version": True}, "the record of a command is of version True, known here is 1"),
        *(({**COMMAND, "argv": argv}, "argv is a list of texts") for argv in ("pytest", [], ["pytest", 1])),
        *(({**COMMAND, "exit_status": status}, "exit_status is an integer or null") for status in ("0", False, 0.0)),
        *(({**COMMAND, key: 1}, FLAGS) for key in ("timed_out", "truncated", "withheld")),
        *(
            ({**COMMAND, "duration_s": length}, "duration_s is a length in seconds")
            for length in ("1", True, -0.5, float("inf"), float("nan"))
        ),
        *(({**COMMAND, "output_bytes": size}, "output_bytes is a size in bytes") for size in (-1, 1.0, True)),
        *(({**COMMAND, "output_sha256": sha}, OUTPUT) for sha in (None, "0f" * 31, "0F" * 32)),
        ({**COMMAND, "trouble": None}, OUTPUT),
    ],
    ids=str,
)
def test_a_record_of_another_shape_is_refused_in_words(value: object, told: str) -> None:
    with pytest.raises(ValueError, match=r".+") as refusal:
        command_run(value)
    assert str(refusal.value) == told


@pytest.mark.parametrize(("seconds", "told"), [(172800.0, "172800"), (90000.5, "90000.5"), (0.0, "0")])
def test_one_number_has_one_spelling(seconds: float, told: str) -> None:
    assert str(whole(seconds)) == told
