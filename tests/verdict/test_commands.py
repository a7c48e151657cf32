"""A command is passed when it ended with 0, in time, with whole output that is the recorded one, and ran a test."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_sim.canonical import sha256_hex
from pulse_sim.outcome import Outcome
from pulse_sim.verdict import commands
from pulse_sim.verdict.commands import command_run, judge_command, record_data
from pulse_sim.verdict.model import CommandRun

OUTPUT = b"runs: 12 intact and trusted\n"
SUITE = b"....                                                     [100%]\n4 passed in 0.52s\n"
ARGV = ("pulse-sim", "verify", "${runs}")


def executed(output: bytes = OUTPUT, argv: tuple[str, ...] = ARGV) -> CommandRun:
    return CommandRun(argv, 0, False, 1.5, sha256_hex(output), len(output))


def test_a_command_with_status_0_and_its_output_is_passed() -> None:
    result = judge_command("verify", ARGV, executed(), OUTPUT)
    assert (result.outcome, result.reason, result.command) == (Outcome.PASSED, "", executed())


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"exit_status": 1}, "exit status 1"),
        ({"exit_status": None}, "the exit status is missing"),
        ({"exit_status": None, "timed_out": True}, "timed out after 1.5 s"),
        ({"truncated": True}, "its output was cut after 28 bytes"),
        ({"withheld": True}, "its output shows a secret and was not kept"),
        ({"trouble": "promtool is not installed here"}, "promtool is not installed here"),
        ({"output_sha256": "0" * 64}, "its output is not the one that was recorded"),
        ({"output_bytes": 27}, "its output is not the one that was recorded"),
        ({"argv": ("pulse-sim", "--version")}, "another command than the plan's was executed"),
    ],
)
def test_each_way_a_command_can_be_no_evidence_is_not_passed_and_told(change: dict[str, Any], told: str) -> None:
    result = judge_command("verify", ARGV, replace(executed(), **change), OUTPUT)
    assert result.outcome in (Outcome.FAILED, Outcome.INCONCLUSIVE)
    assert result.reason == told


@pytest.mark.parametrize(
    ("record", "output", "told"),
    [
        (None, OUTPUT, "the command was not executed"),
        (executed(), None, "its output is missing"),
        (executed(b""), b"", "it printed nothing"),
        (executed(b" \n\n"), b" \n\n", "it printed nothing but blanks"),
        (executed(), OUTPUT[:-1], "its output is not the one that was recorded"),
    ],
)
def test_without_a_record_or_its_output_a_command_is_no_evidence(
    record: CommandRun | None, output: bytes | None, told: str
) -> None:
    result = judge_command("verify", ARGV, record, output)
    assert (result.outcome, result.reason) == (Outcome.INCONCLUSIVE, told)


@pytest.mark.parametrize(
    ("output", "count"),
    [
        (SUITE, 4),
        (b"===== 3 failed, 12 passed, 2 skipped in 61.20s (0:01:01) =====\n", 15),
        (b"= 1 passed, 1 xfailed, 1 xpassed, 2 deselected, 1 error in 0.1s =\n", 4),
        (b"\x1b[32m\x1b[1m2 passed\x1b[0m\x1b[32m in 0.01s\x1b[0m\n", 2),
        (b"no tests ran in 0.00s\n", 0),
        (b"===== 7 deselected in 0.05s =====\n", 0),
        (b"3 skipped in 0.05s\n", 0),
        (b"4 passed in 0.52s\nand then something\n", None),
        (b"4 passed\n", None),
        (b"everything passed in 1s\n", None),
        (b"\n \n", None),
        (b"", None),
    ],
)
def test_how_many_tests_ran_is_read_from_the_closing_line(output: bytes, count: int | None) -> None:
    assert commands.tests_run(output) == count


def test_a_suite_that_ran_tests_is_passed_and_says_how_many() -> None:
    result = judge_command("suite", ("pytest", "tests"), executed(SUITE, ("pytest", "tests")), SUITE)
    assert result.outcome is Outcome.PASSED
    assert result.command is not None
    assert result.command.tests_run == 4


@pytest.mark.parametrize(
    ("output", "told"),
    [
        (b"no tests ran in 0.00s\n", "it ran no test"),
        (b"2 skipped in 0.00s\n", "it ran no test"),
        (b"something else\n", "its output does not say how many tests ran"),
        (b"1 failed, 3 passed in 0.52s\n", "its output tells of 1 failed tests, its exit status of none"),
    ],
)
def test_a_suite_that_ran_no_test_or_contradicts_its_status_is_not_passed(output: bytes, told: str) -> None:
    result = judge_command("suite", ("pytest", "tests"), executed(output, ("pytest", "tests")), output)
    assert (result.outcome is Outcome.PASSED, result.reason) == (False, told)


def test_the_record_on_disk_is_read_back_as_it_was() -> None:
    assert command_run(record_data(executed())) == executed()


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"version": True},
        {"argv": []},
        {"argv": "pulse-sim"},
        {"exit_status": "0"},
        {"exit_status": False},
        {"timed_out": 0},
        {"truncated": None},
        {"duration_s": -1},
        {"duration_s": float("nan")},
        {"duration_s": float("inf")},
        {"output_sha256": "AB" * 32},
        {"output_bytes": -1},
        {"output_bytes": True},
        {"trouble": None},
        {"more": 1},
    ],
    ids=str,
)
def test_a_record_of_another_shape_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        command_run({**record_data(executed()), **change})


@pytest.mark.parametrize("value", [None, [], "x", {}])
def test_what_is_no_record_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="the record of a command has the keys"):
        command_run(value)


@given(st.tuples(st.integers(0, len(OUTPUT) - 1), st.integers(1, 255)))
def test_a_changed_byte_of_the_output_is_never_passed(change: tuple[int, int]) -> None:
    place, mask = change
    output = bytearray(OUTPUT)
    output[place] ^= mask
    assert judge_command("verify", ARGV, executed(), bytes(output)).outcome is Outcome.INCONCLUSIVE


def test_what_is_judged_keeps_its_name_its_kind_and_its_record() -> None:
    for record in (None, executed(), replace(executed(), exit_status=2)):
        result = judge_command("verify", ARGV, record, OUTPUT)
        assert (result.id, result.kind, result.command) == ("verify", "command", record)


def test_one_byte_is_an_output_and_no_byte_is_none() -> None:
    assert judge_command("verify", ARGV, executed(b"1"), b"1").outcome is Outcome.PASSED
    assert judge_command("verify", ARGV, executed(b" "), b" ").reason == "it printed nothing but blanks"


def test_only_of_a_test_program_the_output_is_read() -> None:
    told = judge_command("verify", ARGV, executed(b"1 failed in 0.1s\n"), b"1 failed in 0.1s\n")
    assert (told.outcome, told.command) == (Outcome.PASSED, executed(b"1 failed in 0.1s\n"))
    twice = b"1 passed, 2 passed in 0.1s\n"
    assert commands.tests_run(twice) == 3
