"""log_lines, restarts, api_answer and data_file on handwritten logs."""

from typing import Any

import pytest

from pulse_sim.checks import CHECK_KINDS
from pulse_sim.outcome import Outcome
from tests.checks.log_builder import LogBuilder, judge

PASSED, FAILED, INCONCLUSIVE = Outcome.PASSED, Outcome.FAILED, Outcome.INCONCLUSIVE
PAGE = "/api/truenas/connections"


def told(builder: LogBuilder, check: str, end: str = "30m", **given: Any) -> tuple[Outcome, str]:
    result = judge(builder.log(end), check, **given)
    return result.outcome, result.observed


def logged(*lines: tuple[str, str], **fields: Any) -> LogBuilder:
    log = LogBuilder()
    for time, template in lines:
        log.add(time, "sut/log", "pulse", level="INFO", logger="TrueNASPoller", template=template, fields=fields)
    return log


def asked(time: str, body: str, status: int | None = 200, whole: bool = True, path: str = PAGE) -> LogBuilder:
    error = None if status is not None else "TimeoutError"
    kept = {"do": "ask_system", "with": {"path": path}, "status": status, "error": error, "body": body, "whole": whole}
    return LogBuilder().add(time, "operator/action", "pulse", **kept)


def looked(*looks: tuple[str, dict[str, str]]) -> LogBuilder:
    log = LogBuilder()
    for time, files in looks:
        described = {name: {"bytes": 1, "mode": "0600", "sha256": digest} for name, digest in files.items()}
        log.add(time, "world/disk", "pulse", files=described, leaks=[])
    return log


def test_lines_are_counted_over_the_window_both_ends_included() -> None:
    log = logged(("2m", "TrueNAS poller started"), ("5m", "TrueNAS poller started"), ("6m", "other"))
    given: dict[str, Any] = {"text": "poller started", "at_least": 2}
    assert told(log, "log_lines", **given) == (PASSED, "2 lines, the first at 2m")
    assert told(log, "log_lines", **given, between=["2m", "5m"]) == (PASSED, "2 lines, the first at 2m")
    assert told(log, "log_lines", **given, between=["2m1s", "5m"]) == (FAILED, "1 line, the first at 5m")
    assert told(log, "log_lines", **given, between=["2m", "4m59s"]) == (FAILED, "1 line, the first at 2m")


def test_a_line_that_must_not_be_there_fails_and_silence_passes() -> None:
    log = logged(("5m", "TrueNAS poll of nas-1 succeeded"))
    assert told(log, "log_lines", text="TrueNAS poll", at_most=0) == (FAILED, "1 line, the first at 5m")
    assert told(log, "log_lines", text="TrueNAS poll", at_most=0, between=["5m1s", "9m"]) == (PASSED, "0 lines")


def test_a_line_is_read_with_its_values_put_in() -> None:
    log = logged(("5m", "TrueNAS poll of %(instance)s succeeded"), instance="nas-1")
    assert told(log, "log_lines", text="poll of nas-1 succeeded", at_least=1)[0] is PASSED
    assert (
        told(logged(("5m", "%s of %s"), **{"0": "one", "1": "two"}), "log_lines", text="one of two", at_least=1)[0]
        is PASSED
    )
    assert told(logged(("5m", "%(who)s failed"), other="x"), "log_lines", text="%(who)s", at_least=1)[0] is PASSED


def test_silence_of_a_log_that_was_never_heard_tells_nothing() -> None:
    given: dict[str, Any] = {"text": "TrueNAS poll", "at_most": 0}
    assert told(LogBuilder(), "log_lines", **given) == (INCONCLUSIVE, "no line of pulse was ever logged")
    assert told(LogBuilder(started=False), "log_lines", **given)[0] is INCONCLUSIVE
    assert told(logged(("5m", "x")), "log_lines", "10m", **given, between=["5m", "11m"])[0] is INCONCLUSIVE
    assert told(logged(("5m", "x")), "log_lines", **given, system="nobody")[0] is INCONCLUSIVE


def test_silence_of_a_system_that_was_down_tells_nothing() -> None:
    log = logged(("5m", "x")).add("6m", "sut/stopped", "pulse").add("10m", "sut/started", "pulse")
    given: dict[str, Any] = {"text": "TrueNAS poll", "at_most": 0}
    assert told(log, "log_lines", **given, between=["6m", "9m"])[0] is INCONCLUSIVE
    assert told(log, "log_lines", **given, between=["6m", "10m"])[0] is PASSED


def test_a_restart_is_every_start_after_the_first() -> None:
    quiet = LogBuilder().scrape("1m", {})
    log = LogBuilder().scrape("1m", {}).add("5m", "sut/stopped", "pulse").add("5m", "sut/started", "pulse")
    assert told(log, "restarts", at_least=1, at_most=1) == (PASSED, "1 restart, the first at 5m")
    assert told(log, "restarts", at_most=0) == (FAILED, "1 restart, the first at 5m")
    assert told(log, "restarts", at_least=2) == (FAILED, "1 restart, the first at 5m")
    assert told(log, "restarts", at_most=0, between=["5m1s", "9m"]) == (PASSED, "0 restarts")
    assert told(quiet, "restarts", at_most=0) == (PASSED, "0 restarts")
    assert told(LogBuilder(), "restarts", at_most=0) == (INCONCLUSIVE, "nobody ever looked at pulse")
    assert told(LogBuilder(started=False), "restarts", at_most=0)[0] is INCONCLUSIVE
    assert told(quiet, "restarts", "5m", at_most=0, between=["1m", "6m"])[0] is INCONCLUSIVE


def test_an_answer_is_judged_by_status_rows_and_texts() -> None:
    log = asked("5m", '[{"id": "nas-1"}]')
    given = {"path": PAGE, "at": "5m"}
    assert told(log, "api_answer", **given) == (PASSED, "status 200, 17 characters")
    assert told(log, "api_answer", **given, rows=1) == (PASSED, "status 200, 1 row")
    assert told(log, "api_answer", **given, rows=0) == (FAILED, "status 200, 1 row")
    assert told(log, "api_answer", **given, status=404) == (FAILED, "status 200")
    assert told(log, "api_answer", **given, contains=["nas-1", "nas-2"]) == (FAILED, 'status 200 without "nas-2"')
    assert told(log, "api_answer", **given, lacks=["nas-2", "nas-1"]) == (FAILED, 'status 200 with "nas-1"')
    assert told(log, "api_answer", **given, contains=["nas-1"], lacks=["nas-2"])[0] is PASSED


@pytest.mark.parametrize("body", ["{}", "", "null", "[" * 5000, "<html>"])
def test_what_is_no_array_has_no_rows(body: str) -> None:
    assert told(asked("5m", body), "api_answer", path=PAGE, at="5m", rows=0) == (FAILED, "status 200, no array")


def test_the_first_answer_within_a_minute_counts() -> None:
    log = asked("5m", "[]")
    assert told(log, "api_answer", path=PAGE, at="4m1s")[0] is PASSED
    assert told(log, "api_answer", path=PAGE, at="4m")[0] is INCONCLUSIVE
    missing = (INCONCLUSIVE, f"nobody asked for {PAGE} at 5m1s")
    assert told(log, "api_answer", path=PAGE, at="5m1s") == missing
    assert told(log, "api_answer", path="/api/health", at="5m")[0] is INCONCLUSIVE
    assert told(log, "api_answer", path=PAGE, at="5m", system="other")[0] is INCONCLUSIVE


def test_an_answer_that_never_came_fails() -> None:
    assert told(asked("5m", "", status=None), "api_answer", path=PAGE, at="5m") == (FAILED, "no answer: TimeoutError")


def test_the_beginning_of_a_long_answer_decides_only_what_it_shows() -> None:
    log = asked("5m", '["nas-1", ', whole=False)
    given = {"path": PAGE, "at": "5m"}
    assert told(log, "api_answer", **given, contains=["nas-1"])[0] is PASSED
    assert told(log, "api_answer", **given, lacks=["nas-1"])[0] is FAILED
    assert told(log, "api_answer", **given, contains=["nas-2"])[0] is INCONCLUSIVE
    assert told(log, "api_answer", **given, lacks=["nas-2"])[0] is INCONCLUSIVE
    assert told(log, "api_answer", **given, rows=1)[0] is INCONCLUSIVE


def test_a_file_is_judged_at_every_look_later_than_after() -> None:
    log = looked(("5m", {"a": "1", "k": "9"}), ("6m", {"k": "9"}), ("7m", {"k": "9"}))
    assert told(log, "data_file", file="a", is_="absent", after="5m") == (PASSED, "absent in 2 looks")
    assert told(log, "data_file", file="a", is_="absent") == (FAILED, "present at 5m")
    assert told(log, "data_file", file="a", is_="present") == (FAILED, "absent at 6m")
    assert told(log, "data_file", file="k", is_="unchanged") == (PASSED, "unchanged in 3 looks")
    assert told(log, "data_file", file="a", is_="unchanged") == (FAILED, "absent at 6m")


def test_a_file_with_other_bytes_has_changed() -> None:
    log = looked(("5m", {"k": "9"}), ("6m", {"k": "8"}))
    assert told(log, "data_file", file="k", is_="unchanged") == (FAILED, "another at 6m")
    assert told(log, "data_file", file="k", is_="present")[0] is PASSED


def test_without_looks_nothing_is_known_of_a_file() -> None:
    assert told(LogBuilder(), "data_file", file="k", is_="absent")[0] is INCONCLUSIVE
    assert told(looked(("5m", {})), "data_file", file="k", is_="absent", after="5m")[0] is INCONCLUSIVE
    assert told(looked(("5m", {"k": "9"})), "data_file", file="k", is_="unchanged")[0] is INCONCLUSIVE
    assert told(looked(("5m", {"k": "9"})), "data_file", file="k", is_="present", system="other")[0] is INCONCLUSIVE


@pytest.mark.parametrize("check", ["log_lines", "restarts"])
def test_a_bound_is_needed_and_must_leave_something(check: str) -> None:
    text = {"text": "x"} if check == "log_lines" else {}
    for bounds in ({}, {"at_least": 2, "at_most": 1}):
        with pytest.raises(ValueError, match="at_least"):
            CHECK_KINDS[check].parameters.model_validate({**text, **bounds})
