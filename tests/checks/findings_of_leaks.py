"""no_leaks: what they say of small logs, and at which records they point."""

from collections.abc import Sequence
from typing import Final

from pulse_sim.outcome import Outcome
from tests.checks.log_builder import LogBuilder, Row, Said
from tests.checks.test_leak_checks import COUNTS, IDLE, OPEN, TASKS, run

PASSED, FAILED, INCONCLUSIVE = Outcome.PASSED, Outcome.FAILED, Outcome.INCONCLUSIVE


FINDINGS: Final[Sequence[Row]] = (
    Row(
        lambda: run(),
        "20m",
        "no_leaks",
        {},
        Said(
            PASSED,
            "counts back to their steady state, 2 more allowed",
            "runtime tasks 7 to 7, runtime open connections 1 to 1, runtime timers 5 to 5, registry resources 10 "
            "to 10, kernel tasks 20 to 20, kernel transports 4 to 4, kernel timers 9 to 9",
            "counts run 1m, metrics pulse 1m17s 17m17s, counts run 20m",
        ),
    ),
    Row(
        lambda: run(at_17=10, at_18=10, at_19=12),
        "20m",
        "no_leaks",
        {},
        Said(
            FAILED,
            "counts back to their steady state, 2 more allowed",
            "runtime tasks 7 before, 10 after, 9 allowed",
            "metrics pulse 1m17s 17m17s",
        ),
    ),
    Row(
        lambda: run(at_17=9, at_18=9, at_19=9),
        "20m",
        "no_leaks",
        {"tolerance": 1},
        Said(
            FAILED,
            "counts back to their steady state, 1 mor allowed",
            "runtime tasks 7 before, 9 after, 8 allowed",
            "metrics pulse 1m17s 17m17s",
        ),
    ),
    Row(
        lambda: run(at_3=8, at_17=8, at_18=9, at_19=10),
        "20m",
        "no_leaks",
        {"tolerance": 0},
        Said(
            PASSED,
            "counts back to their steady state, 0 more allowed",
            "runtime tasks 8 to 8, runtime open connections 1 to 1, runtime timers 5 to 5, registry resources 10 "
            "to 10, kernel tasks 20 to 20, kernel transports 4 to 4, kernel timers 9 to 9",
            "counts run 1m, metrics pulse 1m17s 3m17s 17m17s, counts run 20m",
        ),
    ),
    Row(
        lambda: run(kernel=False),
        "20m",
        "no_leaks",
        {},
        Said(
            INCONCLUSIVE,
            "counts back to their steady state, 2 more allowed",
            "the kernel's counts were not recorded",
            "",
        ),
    ),
    Row(
        lambda: run(late={**COUNTS, "timers": 16, "tasks": 99}),
        "20m",
        "no_leaks",
        {},
        Said(
            FAILED,
            "counts back to their steady state, 2 more allowed",
            "kernel tasks 20 before, 99 after, 26 allowed",
            "counts run 1m 20m",
        ),
    ),
    Row(
        lambda: run(late={**COUNTS, "tasks": 0}),
        "20m",
        "no_leaks",
        {},
        Said(
            INCONCLUSIVE,
            "counts back to their steady state, 2 more allowed",
            "the kernel counted no task, though it was counting",
            "counts run 1m 20m",
        ),
    ),
    Row(
        lambda: (
            run(kernel=False).add("1m", "world/counts", "run", **COUNTS).add("10m", "world/counts", "run", **COUNTS)
        ),
        "20m",
        "no_leaks",
        {},
        Said(
            INCONCLUSIVE,
            "counts back to their steady state, 2 more allowed",
            "the kernel's counts were not recorded before and after",
            "counts run 1m 10m",
        ),
    ),
    Row(
        lambda: run(at_3=float("nan"), at_18=float("nan")),
        "20m",
        "no_leaks",
        {},
        Said(
            INCONCLUSIVE,
            "counts back to their steady state, 2 more allowed",
            "pulse_runtime_tasks of pulse was no number",
            "metrics pulse 3m17s 18m17s",
        ),
    ),
    Row(
        lambda: LogBuilder(),
        "20m",
        "no_leaks",
        {},
        Said(
            INCONCLUSIVE,
            "counts back to their steady state, 2 more allowed",
            "no steady state: the connections did not all succeed before the first fault",
            "",
        ),
    ),
    Row(
        lambda: LogBuilder().phase("1m", "steady").fault("5m", "10m"),
        "20m",
        "no_leaks",
        {},
        Said(INCONCLUSIVE, "counts back to their steady state, 2 more allowed", "the run has no settle phase", ""),
    ),
    Row(
        lambda: LogBuilder({}, systems=()).phase("1m", "steady"),
        "20m",
        "no_leaks",
        {},
        Said(INCONCLUSIVE, "counts back to their steady state, 2 more allowed", "the log knows no system", ""),
    ),
    Row(
        lambda: (
            LogBuilder()
            .phase("1m", "steady")
            .fault("5m", "10m")
            .phase("10m", "settle")
            .scrape("2m", IDLE)
            .scrape("11m", IDLE)
            .scrape("12m", IDLE)
        ),
        "20m",
        "no_leaks",
        {},
        Said(
            INCONCLUSIVE,
            "counts back to their steady state, 2 more allowed",
            "too few samples of pulse_runtime_tasks of pulse: 1 before, 2 of 3 after",
            "",
        ),
    ),
    Row(
        lambda: run(at_17=16, at_18=17, at_19=16).action("12m", "add_connection", id="nas-2", appliance="nas-2"),
        "20m",
        "no_leaks",
        {},
        Said(
            PASSED,
            "counts back to their steady state, 2 more allowed",
            "runtime tasks 7 to 16, runtime open connections 1 to 1, runtime timers 5 to 5, registry resources "
            "10 to 10, kernel tasks 20 to 20, kernel transports 4 to 4, kernel timers 9 to 9",
            "counts run 1m, metrics pulse 1m17s 17m17s, counts run 20m",
        ),
    ),
    Row(
        lambda: (
            LogBuilder(systems=("pulse", "other"))
            .phase("1m", "steady")
            .fault("5m", "10m")
            .phase("10m", "settle")
            .scrape("2m", IDLE)
            .scrape("11m", IDLE)
            .scrape("12m", IDLE)
            .scrape("13m", {**IDLE, TASKS: 7.5})
            .scrape("2m", IDLE, "other")
            .scrape("11m", {**IDLE, OPEN: 9}, "other")
            .scrape("12m", {**IDLE, OPEN: 9.5}, "other")
            .scrape("13m", {**IDLE, OPEN: 9.5}, "other")
            .add("1m", "world/counts", "run", **COUNTS)
            .add("20m", "world/counts", "run", **COUNTS)
        ),
        "20m",
        "no_leaks",
        {},
        Said(
            FAILED,
            "counts back to their steady state, 2 more allowed",
            "runtime open connections of other 1 before, 9 after, 3 allowed",
            "metrics other 2m 11m",
        ),
    ),
)
