"""never_crashes and no_secret_leaks: what they say of small logs, and at which records they point."""

from collections.abc import Sequence
from typing import Final

from pulse_sim.outcome import Outcome
from pulse_sim.units import MINUTE
from tests.checks.log_builder import LogBuilder, Row, Said
from tests.checks.test_safety_checks import SECRET, alive, logged

PASSED, FAILED, INCONCLUSIVE = Outcome.PASSED, Outcome.FAILED, Outcome.INCONCLUSIVE


FINDINGS: Final[Sequence[Row]] = (
    Row(
        lambda: alive(),
        "10m",
        "never_crashes",
        {},
        Said(
            PASSED,
            "every system never crashes and answers every scrape and health probe while it is up",
            "no crash, 12 probes answered",
            "metrics pulse 17s, health pulse 10m",
        ),
    ),
    Row(
        lambda: alive(),
        "10m",
        "never_crashes",
        {"system": "pulse"},
        Said(
            PASSED,
            "pulse never crashes and answers every scrape and health probe while it is up",
            "no crash, 12 probes answered",
            "metrics pulse 17s, health pulse 10m",
        ),
    ),
    Row(
        lambda: (
            alive()
            .add("3m", "sut/crash", "pulse", kind="task", exception="KeyError", template="t")
            .add("4m", "sut/crash", "pulse", kind="task")
        ),
        "10m",
        "never_crashes",
        {},
        Said(
            FAILED,
            "every system never crashes and answers every scrape and health probe while it is up",
            "pulse crashed at 3m: KeyError",
            "crash pulse 3m 4m",
        ),
    ),
    Row(
        lambda: alive().add("3m", "sut/crash", "pulse", kind="task"),
        "10m",
        "never_crashes",
        {},
        Said(
            FAILED,
            "every system never crashes and answers every scrape and health probe while it is up",
            "pulse crashed at 3m: task",
            "crash pulse 3m",
        ),
    ),
    Row(
        lambda: alive().add("3m", "sut/crash", "pulse"),
        "10m",
        "never_crashes",
        {},
        Said(
            FAILED,
            "every system never crashes and answers every scrape and health probe while it is up",
            "pulse crashed at 3m: unknown",
            "crash pulse 3m",
        ),
    ),
    Row(
        lambda: alive().missed("3m30s", "metrics").missed("4m30s", "metrics", status=500),
        "10m",
        "never_crashes",
        {},
        Said(
            FAILED,
            "every system never crashes and answers every scrape and health probe while it is up",
            "scrape of pulse unanswered at 3m30s, 2 in all",
            "metrics pulse 3m30s 4m30s",
        ),
    ),
    Row(
        lambda: alive().health("7m", 503),
        "10m",
        "never_crashes",
        {},
        Said(
            FAILED,
            "every system never crashes and answers every scrape and health probe while it is up",
            "health probe of pulse answered 503 at 7m, 1 in all",
            "health pulse 7m",
        ),
    ),
    Row(
        lambda: LogBuilder({}, systems=()),
        "10m",
        "never_crashes",
        {},
        Said(
            INCONCLUSIVE,
            "every system never crashes and answers every scrape and health probe while it is up",
            "the log knows no system",
            "",
        ),
    ),
    Row(
        lambda: alive(until=6 * MINUTE),
        "10m",
        "never_crashes",
        {},
        Said(
            INCONCLUSIVE,
            "every system never crashes and answers every scrape and health probe while it is up",
            "no scrape of pulse between 5m17s and 10m",
            "",
        ),
    ),
    Row(
        lambda: alive().health("12m").health("14m"),
        "14m",
        "never_crashes",
        {},
        Said(
            INCONCLUSIVE,
            "every system never crashes and answers every scrape and health probe while it is up",
            "no scrape of pulse between 9m17s and 14m",
            "",
        ),
    ),
    Row(
        lambda: logged("nothing").add("9m", "world/disk", "pulse", files={}, leaks=[]),
        "10m",
        "no_secret_leaks",
        {},
        Said(PASSED, "no secret of the run readable anywhere", "none readable", "disk pulse 9m"),
    ),
    Row(
        lambda: logged(SECRET).add("9m", "world/disk", "pulse", files={}, leaks=[]),
        "10m",
        "no_secret_leaks",
        {},
        Said(
            FAILED,
            "no secret of the run readable anywhere",
            "readable in observations.jsonl line 4 as plain",
            "log pulse 1m",
        ),
    ),
    Row(
        lambda: (
            LogBuilder()
            .request("1m", path=SECRET)
            .request("2m", path=SECRET)
            .add("9m", "world/disk", "pulse", files={}, leaks=["a"])
        ),
        "10m",
        "no_secret_leaks",
        {},
        Said(
            FAILED,
            "no secret of the run readable anywhere",
            "readable in journal.jsonl line 2 as plain and 2 more",
            "request nas-1 1m1ms 2m1ms, disk pulse 9m",
        ),
    ),
    Row(
        lambda: LogBuilder(systems=("pulse", "a", "b")),
        "10m",
        "no_secret_leaks",
        {},
        Said(INCONCLUSIVE, "no secret of the run readable anywhere", "no look at the disk of a, b, pulse", ""),
    ),
    Row(
        lambda: LogBuilder({}, systems=()),
        "10m",
        "no_secret_leaks",
        {},
        Said(INCONCLUSIVE, "no secret of the run readable anywhere", "no look at the disk of any system", ""),
    ),
)
