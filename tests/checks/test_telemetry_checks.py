"""poll_metrics on handwritten logs: one poll a minute, five requests each, metrics looked at 17 s later."""

from collections.abc import Callable
from typing import Any

import pytest

from pulse_sim.checks.parameters import ERROR_TYPES
from pulse_sim.checks.telemetry import journal_polls
from pulse_sim.observation import Record, Source
from pulse_sim.outcome import Outcome
from pulse_sim.units import MINUTE, SECOND
from tests.checks.log_builder import LogBuilder, at, gauge, judge, poll_errors, poll_total

PASSED, FAILED, INCONCLUSIVE = Outcome.PASSED, Outcome.FAILED, Outcome.INCONCLUSIVE
COUNT = gauge("pulse_monitor_poll_duration_seconds_count")
Page = dict[str, float | str]
MINUTES = 10


def polled(
    refused: tuple[int, ...] = (),
    unreached: tuple[int, ...] = (),
    *,
    shown: Callable[[int, Page], Page] = lambda _, page: page,
    start: LogBuilder | None = None,
) -> LogBuilder:
    """Ten polls; those of ``refused`` minutes were not let in, those of ``unreached`` never arrived."""
    log = start or LogBuilder()
    for minute in range(MINUTES):
        if minute in refused:
            log.request(minute * MINUTE, status=401)
        elif minute not in unreached:
            for call in range(5):
                log.request(minute * MINUTE + call * SECOND // 100)
        bad = sum(one <= minute for one in (*refused, *unreached))
        page: Page = {poll_total("success"): minute + 1 - bad, poll_total("error"): bad, COUNT: minute + 1}
        page |= {poll_errors(name): 0 for name in ERROR_TYPES}
        page[poll_errors("auth")] = sum(one <= minute for one in refused)
        page[poll_errors("connection")] = sum(one <= minute for one in unreached)
        log.scrape(minute * MINUTE + 17 * SECOND, shown(minute, page))
    return log


def told(builder: LogBuilder, end: str = "10m", connection: str = "nas-1") -> tuple[Outcome, str]:
    result = judge(builder.log(end), "poll_metrics", connection=connection)
    return result.outcome, result.observed


def off_by(series: str, amount: int) -> Callable[[int, Page], Page]:
    return lambda minute, page: {**page, series: float(page[series]) + (amount if minute >= 5 else 0)}


def test_counters_that_agree_with_the_journal_pass() -> None:
    assert told(polled()) == (PASSED, "10 success, 0 error (no error); 10 polls in the journal")
    told_of = "7 success, 3 error (1 connection, 2 auth); 9 polls in the journal"
    assert told(polled(refused=(3, 4), unreached=(6,))) == (PASSED, told_of)


def test_a_poll_that_was_not_counted_and_one_nobody_saw_fail() -> None:
    missed = polled(
        shown=lambda minute, page: off_by(COUNT, -1)(minute, off_by(poll_total("success"), -1)(minute, page))
    )
    assert told(missed) == (FAILED, "9 polls counted, 10 in the journal, 0 perhaps unseen")
    more = polled(shown=lambda minute, page: off_by(COUNT, 1)(minute, off_by(poll_total("success"), 1)(minute, page)))
    assert told(more) == (FAILED, "11 polls counted, 10 in the journal, 0 perhaps unseen")


def test_an_error_without_a_type_and_a_duration_too_few_fail() -> None:
    untyped = polled(refused=(3,), shown=lambda _, page: {**page, poll_errors("auth"): 0})
    assert told(untyped) == (FAILED, "1 failed polls, but 0 of a type")
    assert told(polled(shown=off_by(COUNT, -1))) == (FAILED, "10 polls, but 9 durations")


def test_a_success_that_the_appliance_refused_fails() -> None:
    def lying(_: int, page: Page) -> Page:
        everything = float(page[poll_total("success")]) + float(page[poll_total("error")])
        return {**page, poll_total("success"): everything, poll_total("error"): 0, poll_errors("auth"): 0}

    assert told(polled(refused=(3, 4), shown=lying)) == (FAILED, "10 polls succeeded, 8 were answered")


@pytest.mark.parametrize(
    "series", [poll_total("success"), poll_total("error"), *(poll_errors(name) for name in ERROR_TYPES)]
)
def test_every_series_is_there_from_the_first_scrape_to_the_last(series: str) -> None:
    def without(minute: int, page: Page) -> Page:
        return {name: value for name, value in page.items() if name != series or minute != 5}

    outcome, observed = told(polled(shown=without))
    assert outcome is FAILED
    assert observed.endswith("at 5m17s")


def test_a_poll_under_way_at_the_last_scrape_may_be_counted_or_not() -> None:
    late = polled().request(at("9m17s") - 1, duration_ns=SECOND)
    assert told(late)[0] is PASSED
    counted = polled(shown=lambda minute, page: _one_more(page) if minute == 9 else page)
    assert told(counted)[0] is FAILED
    assert told(counted.request(at("9m17s") - 1, duration_ns=SECOND))[0] is PASSED


def _one_more(page: Page) -> Page:
    return {**page, poll_total("success"): float(page[poll_total("success")]) + 1, COUNT: float(page[COUNT]) + 1}


def test_a_poll_after_the_last_scrape_does_not_count() -> None:
    assert told(polled().request("9m30s"))[0] is PASSED


def test_counters_that_began_anew_are_no_evidence() -> None:
    restarted = polled().add("5m30s", "sut/stopped", "pulse").add("5m40s", "sut/started", "pulse")
    assert told(restarted)[0] is INCONCLUSIVE
    for do in ("disable_connection", "enable_connection", "remove_connection", "add_connection"):
        again = LogBuilder().action("0s", "add_connection", id="nas-1")
        assert told(polled(start=again).action("5m", do, id="nas-1"))[0] is INCONCLUSIVE
        assert told(polled().action("5m", do, id="nas-2"))[0] is PASSED


def test_a_journal_with_others_in_it_is_no_evidence() -> None:
    assert told(polled(start=LogBuilder({"nas-1": "nas-1", "other": "nas-1"})))[0] is INCONCLUSIVE
    assert told(polled().action("5m", "test_connection", id="nas-1"))[0] is INCONCLUSIVE
    assert told(polled().action("5m", "test_connection", id="nas-2"))[0] is PASSED


def test_no_journal_no_scrape_and_no_metric_are_inconclusive() -> None:
    silent = polled()
    silent.records = [record for record in silent.records if record.kind != "request"]
    assert told(silent)[0] is INCONCLUSIVE
    unseen = polled()
    unseen.records = [record for record in unseen.records if record.kind != "metrics"]
    assert told(unseen)[0] is INCONCLUSIVE
    assert told(polled(), end="13m")[0] is INCONCLUSIVE
    assert told(polled(shown=lambda _, page: {**page, COUNT: "NaN"}))[0] is INCONCLUSIVE
    assert told(polled(), connection="nas-9")[0] is INCONCLUSIVE
    assert told(LogBuilder(started=False))[0] is INCONCLUSIVE


def test_polls_too_close_to_be_told_apart_are_inconclusive() -> None:
    quick = polled().action("0s", "update_connection", id="nas-1", poll_interval="9s")
    assert told(quick)[0] is INCONCLUSIVE
    assert told(polled().action("0s", "update_connection", id="nas-1", poll_interval="10s"))[0] is PASSED


def entry(arrival_s: float, duration_s: float = 0, *, ended: str = "complete", **data: Any) -> Record:
    duration_ns = round(duration_s * SECOND)
    told_of = {"kind": "request", "status": 200, "duration_ns": duration_ns, "ended": ended, **data}
    return Record(0, round(arrival_s * SECOND) + duration_ns, Source.APPLIANCE, "request", "nas-1", told_of)


def count(*entries: Record, interval_s: int = 60) -> list[bool]:
    return [poll.was_answered for poll in journal_polls(entries, interval_s * SECOND)]


def test_a_second_try_belongs_to_its_poll_and_the_next_attempt_does_not() -> None:
    assert count(entry(0, status=502), entry(1, status=502), entry(5.5)) == [False, True]
    assert count(entry(0), entry(2)) == [True]
    assert count(entry(0), entry(2.001)) == [True, True]


def test_a_call_without_an_answer_lasts_as_long_as_somebody_waits_for_it() -> None:
    assert count(entry(0, ended="silent", status=None), entry(11)) == [True]
    assert count(entry(0, ended="silent", status=None), entry(15)) == [False, True]
    assert count(entry(0, ended="silent", status=None), entry(11), interval_s=10) == [False, True]
    assert count(entry(0, 45, ended="client_gone", status=None), entry(11)) == [True]


def test_what_comes_by_itself_is_no_poll() -> None:
    assert count(entry(0), entry(30, kind="event"), entry(40, kind="close")) == [True]


def test_a_refusal_is_no_answer_over_json_rpc_either() -> None:
    assert count(entry(0, kind="call", status=None, error=None)) == [True]
    assert count(entry(0, kind="call", status=None, error={"code": -32001})) == [False]
    assert count(entry(0, status=401)) == [False]
    assert count(entry(0, ended="cut")) == [False]
