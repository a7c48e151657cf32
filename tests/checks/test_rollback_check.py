"""rolled_back on handwritten logs: what each operation of the runbook leaves behind, and every way it may not have."""

from collections.abc import Mapping
from typing import Any

import pytest

from pulse_sim.outcome import Outcome
from pulse_sim.units import MINUTE, SECOND
from tests.checks.log_builder import LogBuilder, judge

PASSED, FAILED, INCONCLUSIVE = Outcome.PASSED, Outcome.FAILED, Outcome.INCONCLUSIVE
ON = {"PULSE_ENABLE_TRUENAS": "true"}
OFF = {"PULSE_ENABLE_TRUENAS": "false"}
FRESH: Mapping[str, Mapping[str, Any]] = {"nas-1": {}, "nas-1/pool:tank": {"type": "storage"}}
STALE = {name: {**fields, "source": "stale", "status": "warning"} for name, fields in FRESH.items()}
ACTS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "disable": ("restart_system", {"environment": OFF}),
    "kill_switch": ("remove_connection", {"id": "nas-1"}),
    "previous_version": ("restart_system", {"variant": "without-truenas"}),
}
"""A run of 20 minutes: aborted at 10m, rolled back at 11m, everything looked at every 30 s to the end."""


def run(
    by: str,
    *,
    begun: bool = True,
    acted: bool = True,
    status: int | None = 200,
    given: Mapping[str, Any] | None = None,
    restarts: bool | None = None,
    listed: Mapping[str, Any] | None = None,
    list_status: int | None = None,
    shown: Mapping[str, Mapping[str, Any]] | None = None,
    healthy: bool = True,
    looks_until: int = 20,
) -> LogBuilder:
    do, options = ACTS[by]
    log = LogBuilder()
    log.records[0].data["systems"] = {"pulse": {"variant": "truenas-off-by-default", "environment": ON}}
    for minute in range(10):
        log.request(minute * MINUTE + SECOND)
    log.add("1s", "sut/log", "pulse", level="INFO", logger="TrueNASPoller", template="TrueNAS poll of nas-1", fields={})
    if begun:
        log.add("10m", "world/abort", "run", criterion="crash", what="x", evidence=[])
        log.add("10m", "world/rollback", "run", actions=1, until_ns=20 * MINUTE)
    is_restart = do == "restart_system" if restarts is None else restarts
    if acted:
        if is_restart:
            log.add("11m", "sut/stopped", "pulse").add("11m", "sut/started", "pulse", variant="x", version="1")
        log.action("11m", do, status, **(options if given is None else given))
    left = {"nas-1": {"enabled": True}}
    after = {} if by == "kill_switch" else left
    for half_minute in range(1, 2 * looks_until):
        at = half_minute * 30 * SECOND
        is_late = at > 13 * MINUTE + (MINUTE if by == "kill_switch" else 0)
        then = (STALE if by != "previous_version" else {}) if shown is None else shown
        log.resources(at, then if is_late else FRESH)
        is_after = at > 11 * MINUTE
        answered = (404 if by == "previous_version" else 200) if list_status is None else list_status
        if is_after and answered != 200:
            log.missed(at, "connections", status=answered)
        else:
            log._sample(at, "connections", "pulse", (after if listed is None else dict(listed)) if is_after else left)
        log.health(at, 200 if healthy or not is_after else 503)
    return log


def judged(log: LogBuilder, by: str, end: str = "20m") -> tuple[Outcome, str]:
    result = judge(log.log(end), "rolled_back", by=by)
    return result.outcome, result.observed


@pytest.mark.parametrize(
    ("by", "told"),
    [
        ("disable", "no poll and 2 resources stale to the end"),
        ("kill_switch", "no poll and 2 resources stale to the end"),
        ("previous_version", "no poll and nothing of it shown to the end"),
    ],
)
def test_each_operation_that_did_what_the_runbook_says_passes(by: str, told: str) -> None:
    assert judged(run(by), by) == (PASSED, told)


@pytest.mark.parametrize("by", ACTS)
def test_without_a_rollback_there_is_nothing_to_judge(by: str) -> None:
    assert judged(run(by, begun=False), by) == (INCONCLUSIVE, "no rollback was carried out")


@pytest.mark.parametrize("by", ACTS)
def test_a_rollback_that_did_nothing_of_the_kind_or_was_refused_fails(by: str) -> None:
    assert judged(run(by, acted=False), by) == (FAILED, f"nobody did {ACTS[by][0]} to pulse")
    assert judged(run(by, status=503), by) == (FAILED, f"{ACTS[by][0]} was answered 503")


def test_the_flag_must_be_off_and_the_version_the_one_before() -> None:
    assert judged(run("disable", given={"environment": ON}), "disable") == (FAILED, "the flag is on")
    other = run("previous_version", given={"variant": "truenas-on-by-default"})
    assert judged(other, "previous_version") == (FAILED, "the variant is truenas-on-by-default")


def test_the_kill_switch_needs_no_restart_and_the_others_one() -> None:
    assert judged(run("kill_switch", restarts=True), "kill_switch") == (FAILED, "pulse was restarted")
    assert judged(run("disable", restarts=False), "disable") == (FAILED, "pulse was not restarted")


@pytest.mark.parametrize(("by", "quiet"), [("disable", 1), ("previous_version", 1), ("kill_switch", 60)])
def test_a_request_or_a_line_about_a_poll_after_the_time_it_may_take_fails(by: str, quiet: int) -> None:
    last, late = (11 * 60 + quiet) * SECOND, (11 * 60 + quiet) * SECOND + 1
    assert judged(run(by).request(last), by)[0] is PASSED
    outcome, observed = judged(run(by).request(late), by)
    assert (outcome, observed.startswith("nas-1 was polled at")) == (FAILED, True)

    def line(template: str) -> LogBuilder:
        return run(by).add(late, "sut/log", "pulse", level="INFO", logger="x", template=template, fields={})

    assert judged(line("TrueNAS poll of nas-1 failed"), by)[0] is FAILED
    assert judged(line("TrueNAS poller started"), by)[0] is FAILED
    assert judged(line("TrueNAS poller stopped, 0 tasks left behind"), by)[0] is PASSED


@pytest.mark.parametrize("by", ["disable", "kill_switch"])
def test_what_is_shown_must_be_stale_in_time_and_still_there(by: str) -> None:
    assert judged(run(by, shown=FRESH), by)[1].startswith("system:nas-1 still fresh ")
    one = {**STALE, "nas-1": {"source": "online", "status": "warning"}}
    assert judged(run(by, shown=one), by)[0] is FAILED
    looks_well = {**STALE, "nas-1": {"source": "stale", "status": "online"}}
    assert judged(run(by, shown=looks_well), by)[0] is FAILED
    shared = {**STALE, "nas-1": {"source": "stale", "status": "online", "sources": ["agent", "truenas"]}}
    assert judged(run(by, shown=shared), by)[0] is PASSED
    assert judged(run(by, shown={}), by)[1].startswith("nothing of TrueNAS is left at")


def test_the_version_before_shows_nothing_of_it() -> None:
    assert judged(run("previous_version", shown=STALE), "previous_version")[1].startswith(
        "2 resources of TrueNAS shown"
    )


def test_the_list_of_connections_is_as_the_operation_leaves_it() -> None:
    assert judged(run("kill_switch", listed={"nas-1": {}}), "kill_switch") == (FAILED, "1 connection left")
    assert judged(run("disable", listed={}), "disable") == (FAILED, "the connections are not those of before")
    assert judged(run("disable", list_status=500), "disable") == (FAILED, "the list of connections is answered 500")
    still_there = run("previous_version", list_status=200)
    assert judged(still_there, "previous_version") == (FAILED, "the list of connections is answered 200")


def test_a_system_that_is_not_healthy_afterwards_or_crashes_fails() -> None:
    assert judged(run("disable", healthy=False), "disable")[1].startswith("health of pulse answered 503 at")
    assert judged(run("disable").add("12m", "sut/crash", "pulse"), "disable") == (FAILED, "pulse crashed at 12m")
    assert judged(run("disable").add("9m", "sut/crash", "pulse"), "disable")[0] is PASSED


def test_a_run_that_ends_or_was_not_looked_at_before_it_could_show_is_inconclusive() -> None:
    assert judged(run("disable", looks_until=12), "disable", end="12m")[0] is INCONCLUSIVE
    assert judged(run("disable", looks_until=12), "disable")[0] is INCONCLUSIVE
    silent = run("disable")
    silent.records = [record for record in silent.records if record.kind != "request"]
    assert judged(silent, "disable") == (INCONCLUSIVE, "no request to nas-1 in the journal")
    unlisted = run("disable")
    unlisted.records = [record for record in unlisted.records if record.kind != "connections"]
    assert judged(unlisted, "disable")[0] is INCONCLUSIVE
    unprobed = run("disable")
    unprobed.records = [record for record in unprobed.records if record.kind != "health"]
    assert judged(unprobed, "disable")[0] is INCONCLUSIVE
    assert judge(run("disable").log("20m"), "rolled_back", by="disable", system="other").outcome is INCONCLUSIVE
