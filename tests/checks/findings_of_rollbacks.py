"""rolled_back: what it expects, what it says and the records it points at."""

from collections.abc import Sequence
from typing import Final

from pulse_sim.outcome import Outcome
from tests.checks.log_builder import LogBuilder, Row, Said
from tests.checks.test_rollback_check import FRESH, ON, run

PASSED, FAILED, INCONCLUSIVE = Outcome.PASSED, Outcome.FAILED, Outcome.INCONCLUSIVE


FINDINGS: Final[Sequence[Row]] = (
    Row(
        lambda: run("disable"),
        "20m",
        "rolled_back",
        {"by": "disable"},
        Said(
            PASSED,
            "pulse rolled back by disable after the abort",
            "no poll and 2 resources stale to the end",
            "action pulse 11m, resources pulse 13m30s 19m30s",
        ),
    ),
    Row(
        lambda: run("disable", acted=False),
        "20m",
        "rolled_back",
        {"by": "disable"},
        Said(
            FAILED,
            "pulse rolled back by disable after the abort",
            "nobody did restart_system to pulse",
            "rollback run 10m",
        ),
    ),
    Row(
        lambda: run("disable", status=503),
        "20m",
        "rolled_back",
        {"by": "disable"},
        Said(
            FAILED,
            "pulse rolled back by disable after the abort",
            "restart_system was answered 503",
            "action pulse 11m",
        ),
    ),
    Row(
        lambda: run("disable", begun=False),
        "20m",
        "rolled_back",
        {"by": "disable"},
        Said(INCONCLUSIVE, "pulse rolled back by disable after the abort", "no rollback was carried out", ""),
    ),
    Row(
        lambda: run("disable").request("15m"),
        "20m",
        "rolled_back",
        {"by": "disable"},
        Said(FAILED, "pulse rolled back by disable after the abort", "nas-1 was polled at 15m", "request nas-1 15m1ms"),
    ),
    Row(
        lambda: run("disable", shown=FRESH),
        "20m",
        "rolled_back",
        {"by": "disable"},
        Said(
            FAILED,
            "pulse rolled back by disable after the abort",
            "system:nas-1 still fresh 2m30s after the rollback",
            "resources pulse 13m30s",
        ),
    ),
    Row(
        lambda: run("kill_switch"),
        "20m",
        "rolled_back",
        {"by": "kill_switch"},
        Said(
            PASSED,
            "pulse rolled back by kill switch after the abort",
            "no poll and 2 resources stale to the end",
            "action pulse 11m, resources pulse 14m30s 19m30s",
        ),
    ),
    Row(
        lambda: run("kill_switch", acted=False),
        "20m",
        "rolled_back",
        {"by": "kill_switch"},
        Said(
            FAILED,
            "pulse rolled back by kill switch after the abort",
            "nobody did remove_connection to pulse",
            "rollback run 10m",
        ),
    ),
    Row(
        lambda: run("kill_switch", status=503),
        "20m",
        "rolled_back",
        {"by": "kill_switch"},
        Said(
            FAILED,
            "pulse rolled back by kill switch after the abort",
            "remove_connection was answered 503",
            "action pulse 11m",
        ),
    ),
    Row(
        lambda: run("kill_switch", begun=False),
        "20m",
        "rolled_back",
        {"by": "kill_switch"},
        Said(INCONCLUSIVE, "pulse rolled back by kill switch after the abort", "no rollback was carried out", ""),
    ),
    Row(
        lambda: run("kill_switch").request("15m"),
        "20m",
        "rolled_back",
        {"by": "kill_switch"},
        Said(
            FAILED,
            "pulse rolled back by kill switch after the abort",
            "nas-1 was polled at 15m",
            "request nas-1 15m1ms",
        ),
    ),
    Row(
        lambda: run("kill_switch", shown=FRESH),
        "20m",
        "rolled_back",
        {"by": "kill_switch"},
        Said(
            FAILED,
            "pulse rolled back by kill switch after the abort",
            "system:nas-1 still fresh 3m30s after the rollback",
            "resources pulse 14m30s",
        ),
    ),
    Row(
        lambda: run("previous_version"),
        "20m",
        "rolled_back",
        {"by": "previous_version"},
        Said(
            PASSED,
            "pulse rolled back by previous version after the abort",
            "no poll and nothing of it shown to the end",
            "action pulse 11m, resources pulse 13m30s 19m30s",
        ),
    ),
    Row(
        lambda: run("previous_version", acted=False),
        "20m",
        "rolled_back",
        {"by": "previous_version"},
        Said(
            FAILED,
            "pulse rolled back by previous version after the abort",
            "nobody did restart_system to pulse",
            "rollback run 10m",
        ),
    ),
    Row(
        lambda: run("previous_version", status=503),
        "20m",
        "rolled_back",
        {"by": "previous_version"},
        Said(
            FAILED,
            "pulse rolled back by previous version after the abort",
            "restart_system was answered 503",
            "action pulse 11m",
        ),
    ),
    Row(
        lambda: run("previous_version", begun=False),
        "20m",
        "rolled_back",
        {"by": "previous_version"},
        Said(INCONCLUSIVE, "pulse rolled back by previous version after the abort", "no rollback was carried out", ""),
    ),
    Row(
        lambda: run("previous_version").request("15m"),
        "20m",
        "rolled_back",
        {"by": "previous_version"},
        Said(
            FAILED,
            "pulse rolled back by previous version after the abort",
            "nas-1 was polled at 15m",
            "request nas-1 15m1ms",
        ),
    ),
    Row(
        lambda: run("previous_version", shown=FRESH),
        "20m",
        "rolled_back",
        {"by": "previous_version"},
        Said(
            FAILED,
            "pulse rolled back by previous version after the abort",
            "2 resources of TrueNAS shown at 13m30s",
            "resources pulse 13m30s",
        ),
    ),
    Row(
        lambda: run("disable", looks_until=12),
        "12m",
        "rolled_back",
        {"by": "disable"},
        Said(
            INCONCLUSIVE,
            "pulse rolled back by disable after the abort",
            "the run ended at 12m, before the rollback could show",
            "action pulse 11m",
        ),
    ),
    Row(
        lambda: run("disable", looks_until=12),
        "20m",
        "rolled_back",
        {"by": "disable"},
        Said(
            INCONCLUSIVE,
            "pulse rolled back by disable after the abort",
            "no sample of the resources of pulse after 13m1s",
            "",
        ),
    ),
    Row(
        lambda: run("disable", given={"environment": ON}),
        "20m",
        "rolled_back",
        {"by": "disable"},
        Said(FAILED, "pulse rolled back by disable after the abort", "the flag is on", "action pulse 11m"),
    ),
    Row(
        lambda: run("disable", restarts=False),
        "20m",
        "rolled_back",
        {"by": "disable"},
        Said(FAILED, "pulse rolled back by disable after the abort", "pulse was not restarted", "action pulse 11m"),
    ),
    Row(
        lambda: run("kill_switch", restarts=True),
        "20m",
        "rolled_back",
        {"by": "kill_switch"},
        Said(FAILED, "pulse rolled back by kill switch after the abort", "pulse was restarted", "action pulse 11m"),
    ),
    Row(
        lambda: run("previous_version", given={"variant": "truenas-on-by-default"}),
        "20m",
        "rolled_back",
        {"by": "previous_version"},
        Said(
            FAILED,
            "pulse rolled back by previous version after the abort",
            "the variant is truenas-on-by-default",
            "action pulse 11m",
        ),
    ),
    Row(
        lambda: run("disable", shown={}),
        "20m",
        "rolled_back",
        {"by": "disable"},
        Said(
            FAILED,
            "pulse rolled back by disable after the abort",
            "nothing of TrueNAS is left at 13m30s",
            "resources pulse 13m30s",
        ),
    ),
    Row(
        lambda: run("disable", listed={}),
        "20m",
        "rolled_back",
        {"by": "disable"},
        Said(
            FAILED,
            "pulse rolled back by disable after the abort",
            "the connections are not those of before",
            "connections pulse 19m30s",
        ),
    ),
    Row(
        lambda: run("disable", list_status=500),
        "20m",
        "rolled_back",
        {"by": "disable"},
        Said(
            FAILED,
            "pulse rolled back by disable after the abort",
            "the list of connections is answered 500",
            "connections pulse 19m30s",
        ),
    ),
    Row(
        lambda: run("kill_switch", listed={"nas-1": {}}),
        "20m",
        "rolled_back",
        {"by": "kill_switch"},
        Said(
            FAILED, "pulse rolled back by kill switch after the abort", "1 connection left", "connections pulse 19m30s"
        ),
    ),
    Row(
        lambda: run("disable", healthy=False),
        "20m",
        "rolled_back",
        {"by": "disable"},
        Said(
            FAILED,
            "pulse rolled back by disable after the abort",
            "health of pulse answered 503 at 11m30s",
            "health pulse 11m30s",
        ),
    ),
    Row(
        lambda: run("disable").add("12m", "sut/crash", "pulse"),
        "20m",
        "rolled_back",
        {"by": "disable"},
        Said(FAILED, "pulse rolled back by disable after the abort", "pulse crashed at 12m", "crash pulse 12m"),
    ),
    Row(
        lambda: run("disable").add(
            "12m", "sut/log", "pulse", level="INFO", logger="x", template="TrueNAS poll of nas-1", fields={}
        ),
        "20m",
        "rolled_back",
        {"by": "disable"},
        Said(FAILED, "pulse rolled back by disable after the abort", "the log told of a poll at 12m", "log pulse 12m"),
    ),
    Row(
        lambda: LogBuilder(started=False),
        "20m",
        "rolled_back",
        {"by": "disable"},
        Said(INCONCLUSIVE, "pulse rolled back by disable after the abort", "system pulse never started", ""),
    ),
    Row(
        lambda: (
            run("disable")
            .action("12m", "restart_system", environment={"X": "1"})
            .add("12m", "sut/stopped", "pulse")
            .add("12m", "sut/started", "pulse", variant="x", version="1")
        ),
        "20m",
        "rolled_back",
        {"by": "disable"},
        Said(
            PASSED,
            "pulse rolled back by disable after the abort",
            "no poll and 2 resources stale to the end",
            "action pulse 12m, resources pulse 14m30s 19m30s",
        ),
    ),
    Row(
        lambda: run("disable", status=None),
        "20m",
        "rolled_back",
        {"by": "disable"},
        Said(
            FAILED,
            "pulse rolled back by disable after the abort",
            "restart_system was answered None",
            "action pulse 11m",
        ),
    ),
)
