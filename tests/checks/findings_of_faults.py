"""faults_took_effect and isolation: what they say of small logs, and at which records they point."""

from collections.abc import Sequence
from typing import Final

from pulse_sim.outcome import Outcome
from pulse_sim.units import SECOND
from tests.checks.log_builder import LogBuilder, Row, Said
from tests.checks.test_fault_checks import AUTH, BOTH, QUIET, faulty, neighbours, polls

PASSED, FAILED, INCONCLUSIVE = Outcome.PASSED, Outcome.FAILED, Outcome.INCONCLUSIVE


FINDINGS: Final[Sequence[Row]] = (
    Row(
        lambda: faulty().request("6m", status=401, faults=["f1"]).request("7m", status=401, faults=["f1"]),
        "20m",
        "faults_took_effect",
        {},
        Said(PASSED, "every fault took effect inside its window", "1 of 1 took effect", "request nas-1 6m1ms"),
    ),
    Row(
        lambda: faulty(),
        "20m",
        "faults_took_effect",
        {},
        Said(
            INCONCLUSIVE,
            "every fault took effect inside its window",
            "never took effect: f1 (auth.revoke_key on nas-1, 5m to 10m)",
            "inject f1 5m",
        ),
    ),
    Row(
        lambda: faulty(heal=False).request("6m", status=401, faults=["f1"]),
        "20m",
        "faults_took_effect",
        {},
        Said(INCONCLUSIVE, "every fault took effect inside its window", "never healed: f1", "inject f1 5m"),
    ),
    Row(
        lambda: faulty().fault("12m", "13m", fault="f2").request("6m", status=401, faults=["f1"]),
        "20m",
        "faults_took_effect",
        {},
        Said(
            INCONCLUSIVE,
            "every fault took effect inside its window",
            "never took effect: f2 (auth.revoke_key on nas-1, 12m to 13m)",
            "inject f1 5m, inject f2 12m",
        ),
    ),
    Row(
        lambda: faulty().fault("12m", "13m", fault="f2"),
        "20m",
        "faults_took_effect",
        {},
        Said(
            INCONCLUSIVE,
            "every fault took effect inside its window",
            "never took effect: f1 (auth.revoke_key on nas-1, 5m to 10m); f2 (auth.revoke_key on nas-1, 12m to 13m)",
            "inject f1 5m, inject f2 12m",
        ),
    ),
    Row(
        lambda: LogBuilder().phase("0s", "steady"),
        "20m",
        "faults_took_effect",
        {},
        Said(PASSED, "every fault took effect inside its window", "none scheduled", "phase run 0s"),
    ),
    Row(
        lambda: LogBuilder().phase("0s", "steady").phase("5m", "inject"),
        "20m",
        "faults_took_effect",
        {},
        Said(
            INCONCLUSIVE,
            "every fault took effect inside its window",
            "a fault window began, but no fault was injected",
            "",
        ),
    ),
    Row(
        lambda: LogBuilder(),
        "20m",
        "faults_took_effect",
        {},
        Said(INCONCLUSIVE, "every fault took effect inside its window", "the log has no phases", ""),
    ),
    Row(
        lambda: LogBuilder().fault("5m", "10m").request("6m", status=401, faults=["f1"]),
        "20m",
        "faults_took_effect",
        {},
        Said(INCONCLUSIVE, "every fault took effect inside its window", "the log has no phases", ""),
    ),
    Row(
        lambda: faulty().scrape("4m17s", {AUTH: 1}).scrape("5m17s", {AUTH: 2}).scrape("11m", {AUTH: 3}),
        "20m",
        "faults_took_effect",
        {},
        Said(PASSED, "every fault took effect inside its window", "1 of 1 took effect", "metrics pulse 5m17s"),
    ),
    Row(
        lambda: (
            faulty(witness={"poll_slower_than_ns": 7_500_000_000})
            .scrape("4m17s", polls(2, 2.0, 2))
            .scrape("9m17s", polls(3, 9.5, 3))
        ),
        "20m",
        "faults_took_effect",
        {},
        Said(PASSED, "every fault took effect inside its window", "1 of 1 took effect", "metrics pulse 9m17s"),
    ),
    Row(
        lambda: (
            faulty(witness={"poll_slower_than_ns": 7_500_000_000})
            .scrape("4m17s", polls(2, 2.0, 2))
            .scrape("9m17s", polls(12, 13.0, 11))
        ),
        "20m",
        "faults_took_effect",
        {},
        Said(PASSED, "every fault took effect inside its window", "1 of 1 took effect", "metrics pulse 9m17s"),
    ),
    Row(
        lambda: neighbours(),
        "20m",
        "isolation",
        {"undisturbed": ["nas-2"]},
        Said(
            PASSED,
            "nas-2 poll at least every their interval and 10s without errors while others are in trouble",
            "no error, widest gap 1m, 1 window",
            "request nas-2 5m1ms 6m1ms",
        ),
    ),
    Row(
        lambda: neighbours(late_ns=10 * SECOND + 1),
        "20m",
        "isolation",
        {"undisturbed": ["nas-2"]},
        Said(
            FAILED,
            "nas-2 poll at least every their interval and 10s without errors while others are in trouble",
            "1m10s1ms without a poll of nas-2 from 5m",
            "inject f1 5m, request nas-2 5m1ms 6m10s1ms1ns",
        ),
    ),
    Row(
        lambda: neighbours(missed=(7, 8)),
        "20m",
        "isolation",
        {"undisturbed": ["nas-2"], "at_most_gap": "2m"},
        Said(
            FAILED,
            "nas-2 poll at least every 2m without errors while others are in trouble",
            "3m without a poll of nas-2 from 6m",
            "inject f1 5m, request nas-2 6m1ms 9m1ms",
        ),
    ),
    Row(
        lambda: neighbours(counted=False),
        "20m",
        "isolation",
        {"undisturbed": ["nas-2"]},
        Said(
            FAILED,
            "nas-2 poll at least every their interval and 10s without errors while others are in trouble",
            "no poll of nas-2 succeeded during f1",
            "inject f1 5m, metrics pulse 5m17s 11m17s",
        ),
    ),
    Row(
        lambda: (
            LogBuilder(BOTH)
            .fault("5m", "10m")
            .request("1m", "nas-2")
            .scrape("4m17s", {QUIET: 3})
            .scrape("11m17s", {QUIET: 4})
        ),
        "20m",
        "isolation",
        {"undisturbed": ["nas-2"]},
        Said(
            FAILED,
            "nas-2 poll at least every their interval and 10s without errors while others are in trouble",
            "1 error of nas-2 during f1",
            "inject f1 5m, metrics pulse 11m17s",
        ),
    ),
    Row(
        lambda: neighbours().fault("7m", "8m", on="nas-2", fault="f2"),
        "20m",
        "isolation",
        {"undisturbed": ["nas-2"]},
        Said(
            INCONCLUSIVE,
            "nas-2 poll at least every their interval and 10s without errors while others are in trouble",
            "no fault window on another appliance",
            "",
        ),
    ),
    Row(
        lambda: neighbours().fault("15m", "16m", fault="f2"),
        "20m",
        "isolation",
        {"undisturbed": ["nas-2"]},
        Said(
            PASSED,
            "nas-2 poll at least every their interval and 10s without errors while others are in trouble",
            "no error, widest gap 1m, 2 windows",
            "request nas-2 5m1ms 6m1ms",
        ),
    ),
    Row(
        lambda: LogBuilder(BOTH).fault("5m", "10m").scrape("4m", {QUIET: 0}),
        "20m",
        "isolation",
        {"undisturbed": ["nas-2"]},
        Said(
            INCONCLUSIVE,
            "nas-2 poll at least every their interval and 10s without errors while others are in trouble",
            "no request to nas-2 in the journal",
            "",
        ),
    ),
    Row(
        lambda: (
            LogBuilder(BOTH).fault("5m", "10m").request("1m", "nas-2").scrape("4m", {QUIET: 0}).scrape("6m", {QUIET: 0})
        ),
        "20m",
        "isolation",
        {"undisturbed": ["nas-2"]},
        Said(
            INCONCLUSIVE,
            "nas-2 poll at least every their interval and 10s without errors while others are in trouble",
            "the scrapes end before the minute after f1",
            "inject f1 5m",
        ),
    ),
    Row(
        lambda: LogBuilder().fault("5m", "10m"),
        "20m",
        "isolation",
        {"undisturbed": ["nas-2"]},
        Said(
            INCONCLUSIVE,
            "nas-2 poll at least every their interval and 10s without errors while others are in trouble",
            "the log has no connection nas-2",
            "",
        ),
    ),
)
