"""abort_criteria: what they say of small logs, and at which records they point."""

from collections.abc import Sequence
from typing import Final

from pulse_sim.outcome import Outcome
from tests.checks.log_builder import LogBuilder, Row, Said
from tests.checks.test_abort_checks import AGENT, OURS, failing, run, shown, told

PASSED, FAILED, INCONCLUSIVE = Outcome.PASSED, Outcome.FAILED, Outcome.INCONCLUSIVE


FINDINGS: Final[Sequence[Row]] = (
    Row(
        lambda: shown(*[OURS] * 6),
        "30m",
        "abort_criteria",
        {"criteria": ["crash", "corruption", "interference", "failure_rate", "auth_errors"]},
        Said(
            PASSED,
            "no abort by crash, corruption, interference, failure_rate, auth_errors",
            "none fired",
            "started pulse 0s",
        ),
    ),
    Row(
        lambda: run(lambda minute: 5 <= minute <= 11),
        "30m",
        "abort_criteria",
        {"criteria": ["failure_rate"]},
        Said(
            FAILED,
            "no abort by failure_rate",
            "failure_rate at 11m17s: more than half of the polls failed for more than 5m",
            "metrics pulse 5m17s 11m17s",
        ),
    ),
    Row(
        lambda: run(lambda minute: 5 <= minute <= 16, lambda minute: True),
        "30m",
        "abort_criteria",
        {"criteria": ["auth_errors"]},
        Said(
            FAILED,
            "no abort by auth_errors",
            "auth_errors at 16m17s: auth errors of nas-1 for more than 10m",
            "metrics pulse 5m17s 16m17s",
        ),
    ),
    Row(
        lambda: run().add("7m", "sut/crash", "pulse"),
        "30m",
        "abort_criteria",
        {"criteria": ["corruption", "crash"]},
        Said(FAILED, "no abort by corruption, crash", "crash at 7m: pulse crashed", "crash pulse 7m"),
    ),
    Row(
        lambda: shown(OURS, OURS, {"nas-1": {}}),
        "30m",
        "abort_criteria",
        {"criteria": ["corruption"]},
        Said(
            FAILED,
            "no abort by corruption",
            "corruption at 11m: system:nas-1/pool:tank vanished",
            "resources pulse 6m 11m",
        ),
    ),
    Row(
        lambda: shown(OURS, {**OURS, "nas-1/pool:tank": {"type": "host"}}),
        "30m",
        "abort_criteria",
        {"criteria": ["corruption"]},
        Said(
            FAILED,
            "no abort by corruption",
            "corruption at 6m: system:nas-1/pool:tank changed its type",
            "resources pulse 1m 6m",
        ),
    ),
    Row(
        lambda: shown({**OURS, "agent": AGENT}, OURS),
        "30m",
        "abort_criteria",
        {"criteria": ["interference"]},
        Said(FAILED, "no abort by interference", "interference at 6m: system:agent vanished", "resources pulse 1m 6m"),
    ),
    Row(
        lambda: LogBuilder(),
        "30m",
        "abort_criteria",
        {"criteria": ["crash"]},
        Said(INCONCLUSIVE, "no abort by crash", "crash cannot be judged: no scrape of pulse between 0s and 30m", ""),
    ),
    Row(
        lambda: LogBuilder({}, systems=()),
        "30m",
        "abort_criteria",
        {"criteria": ["crash"]},
        Said(INCONCLUSIVE, "no abort by crash", "crash cannot be judged: the log knows no system", ""),
    ),
    Row(
        lambda: shown(*[OURS] * 6),
        "2h",
        "abort_criteria",
        {"criteria": ["crash"]},
        Said(INCONCLUSIVE, "no abort by crash", "crash cannot be judged: no scrape of pulse between 29m17s and 2h", ""),
    ),
    Row(
        lambda: LogBuilder(),
        "30m",
        "abort_criteria",
        {"criteria": ["corruption"]},
        Said(
            INCONCLUSIVE,
            "no abort by corruption",
            "corruption cannot be judged: no sample of the resources of pulse between 0s and 30m",
            "",
        ),
    ),
    Row(
        lambda: LogBuilder({}, systems=()),
        "30m",
        "abort_criteria",
        {"criteria": ["corruption"]},
        Said(INCONCLUSIVE, "no abort by corruption", "corruption cannot be judged: the log knows no system", ""),
    ),
    Row(
        lambda: shown(*[OURS] * 6),
        "2h",
        "abort_criteria",
        {"criteria": ["corruption"]},
        Said(
            INCONCLUSIVE,
            "no abort by corruption",
            "corruption cannot be judged: no sample of the resources of pulse between 26m and 2h",
            "",
        ),
    ),
    Row(
        lambda: LogBuilder(),
        "30m",
        "abort_criteria",
        {"criteria": ["interference"]},
        Said(
            INCONCLUSIVE,
            "no abort by interference",
            "interference cannot be judged: no sample of the resources of pulse between 0s and 30m",
            "",
        ),
    ),
    Row(
        lambda: LogBuilder({}, systems=()),
        "30m",
        "abort_criteria",
        {"criteria": ["interference"]},
        Said(INCONCLUSIVE, "no abort by interference", "interference cannot be judged: the log knows no system", ""),
    ),
    Row(
        lambda: shown(*[OURS] * 6),
        "2h",
        "abort_criteria",
        {"criteria": ["interference"]},
        Said(
            INCONCLUSIVE,
            "no abort by interference",
            "interference cannot be judged: no sample of the resources of pulse between 26m and 2h",
            "",
        ),
    ),
    Row(
        lambda: LogBuilder(),
        "30m",
        "abort_criteria",
        {"criteria": ["failure_rate"]},
        Said(
            INCONCLUSIVE,
            "no abort by failure_rate",
            "failure_rate cannot be judged: no samples of pulse_monitor_poll_total of nas-1",
            "",
        ),
    ),
    Row(
        lambda: LogBuilder({}, systems=()),
        "30m",
        "abort_criteria",
        {"criteria": ["failure_rate"]},
        Said(INCONCLUSIVE, "no abort by failure_rate", "failure_rate cannot be judged: no poll was counted", ""),
    ),
    Row(
        lambda: shown(*[OURS] * 6),
        "2h",
        "abort_criteria",
        {"criteria": ["failure_rate"]},
        Said(
            INCONCLUSIVE,
            "no abort by failure_rate",
            "failure_rate cannot be judged: no scrape of pulse between 29m17s and 2h",
            "",
        ),
    ),
    Row(
        lambda: LogBuilder(),
        "30m",
        "abort_criteria",
        {"criteria": ["auth_errors"]},
        Said(
            INCONCLUSIVE,
            "no abort by auth_errors",
            "auth_errors cannot be judged: no samples of pulse_monitor_poll_errors_total of nas-1",
            "",
        ),
    ),
    Row(
        lambda: LogBuilder({}, systems=()),
        "30m",
        "abort_criteria",
        {"criteria": ["auth_errors"]},
        Said(INCONCLUSIVE, "no abort by auth_errors", "auth_errors cannot be judged: the log knows no system", ""),
    ),
    Row(
        lambda: shown(*[OURS] * 6),
        "2h",
        "abort_criteria",
        {"criteria": ["auth_errors"]},
        Said(
            INCONCLUSIVE,
            "no abort by auth_errors",
            "auth_errors cannot be judged: no scrape of pulse between 29m17s and 2h",
            "",
        ),
    ),
    Row(
        lambda: shown(*[{"nas-1": {"sourceId": None}}] * 6),
        "30m",
        "abort_criteria",
        {"criteria": ["corruption"]},
        Said(
            INCONCLUSIVE,
            "no abort by corruption",
            "corruption cannot be judged: the resources of pulse carry no source id",
            "",
        ),
    ),
    Row(
        lambda: failing(),
        "30m",
        "abort_criteria",
        {"criteria": ["failure_rate"], "expect_abort": {"criterion": "failure_rate", "between": ["11m", "12m"]}},
        Said(
            FAILED,
            "of failure_rate exactly failure_rate between 11m and 12m",
            "failure_rate at 11m17s: more than half of the polls failed for more than 5m, and the run went on",
            "metrics pulse 5m17s 11m17s",
        ),
    ),
    Row(
        lambda: run(),
        "30m",
        "abort_criteria",
        {"criteria": ["failure_rate"], "expect_abort": {"criterion": "failure_rate", "between": ["11m", "12m"]}},
        Said(FAILED, "of failure_rate exactly failure_rate between 11m and 12m", "none fired", ""),
    ),
    Row(
        lambda: failing().add("7m", "sut/crash", "pulse"),
        "30m",
        "abort_criteria",
        {
            "criteria": ["failure_rate", "crash"],
            "expect_abort": {"criterion": "failure_rate", "between": ["11m", "12m"]},
        },
        Said(
            FAILED,
            "of failure_rate, crash exactly failure_rate between 11m and 12m",
            "crash at 7m: pulse crashed",
            "metrics pulse 5m17s, crash pulse 7m, metrics pulse 11m17s",
        ),
    ),
    Row(
        lambda: told(failing()),
        "30m",
        "abort_criteria",
        {"criteria": ["failure_rate"], "expect_abort": {"criterion": "failure_rate", "between": ["11m", "12m"]}},
        Said(
            INCONCLUSIVE,
            "of failure_rate exactly failure_rate between 11m and 12m",
            "the log does not tell how the run was aborted",
            "abort run 12m",
        ),
    ),
)
