"""Prometheus and the stack raise and resolve the same alerts on the series of a run with faults (contract A10)."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from pulse_sim.stack.alerts.rules import RULES
from tests.deploy.promtool import run
from tests.deploy.recorded import EVERY_S, Span, rule_test, series, spans
from tests.deploy.rulebook import RULES_FILE

SCENARIO = Path(__file__).with_name("alerts.yaml")
ALL = [rule.id for rule in RULES]
pytestmark = pytest.mark.system


def rehearsed(scenario: Path, out: Path) -> Path:
    """The bundle of a run."""
    program = Path(sys.executable).with_name("pulse-sim")
    done = subprocess.run(
        [program, "run", scenario, "--jobs", "1", "--out", out],
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (made,) = out.glob("alerts-*")
    return made


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of the run in which every rule holds for some connection."""
    return rehearsed(SCENARIO, tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def restarted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of the run with two restarts."""
    return rehearsed(SCENARIO.with_name("alerts-restart.yaml"), tmp_path_factory.mktemp("restarted"))


def verdict(
    bundle: Path,
    place: Path,
    rules_text: str,
    rules: Sequence[str] = ALL,
    left_out: Sequence[tuple[float, float]] = (),
) -> tuple[int, str]:
    """What promtool says of the run with these rules."""
    rules_file, test_file = place / "rules.yml", place / "test.yml"
    rules_file.write_text(rules_text, "utf-8")
    test = rule_test(rules_file, series(bundle), spans(bundle), list(rules), left_out)
    test_file.write_text(json.dumps(test), "utf-8")  # JSON is YAML
    return run("test", "rules", str(test_file))


def test_every_rule_is_raised_and_resolved_in_the_run(bundle: Path) -> None:
    ended = {span.rule for span in spans(bundle) if span.until_s < float("inf")}
    assert ended == set(ALL)
    assert not [span for span in spans(bundle) if span.instance == "well"]


def test_an_interval_of_five_minutes_moves_the_thresholds_of_staleness(bundle: Path) -> None:
    stale = {span.rule: span for span in spans(bundle) if span.instance == "rare" and span.rule.startswith("stale")}
    assert stale["stale-critical"].from_s - stale["stale"].from_s == pytest.approx(900, abs=15)


def test_promtool_and_the_stack_agree_alert_by_alert(bundle: Path, tmp_path: Path) -> None:
    status, said = verdict(bundle, tmp_path, RULES_FILE.read_text("utf-8"))
    assert status == 0, said[-3000:]


def test_every_scrape_is_asked_about_but_those_beside_a_change() -> None:
    asked = rule_test(RULES_FILE, {"x": ["0"] * 40}, [Span("auth", "a", "critical", 100.0, 400.0)], ["auth"])["tests"][
        0
    ]["alert_rule_test"]
    active = {entry["eval_time"]: len(entry["exp_alerts"]) for entry in asked}
    assert len(active) == 40 - 4
    assert (active["60s"], active["105s"], active["360s"], active["405s"]) == (0, 1, 1, 0)


@pytest.mark.parametrize(
    ("rule", "old", "new"),
    [
        ("poll-failing", 'failures{instance_type="truenas"} > 3', 'failures{instance_type="truenas"} > 4'),
        ("stale", "poll_staleness_seconds * 0), 300)", "poll_staleness_seconds * 0), 360)"),
        ("stale", "clamp_min(3 *", "clamp_min(4 *"),
        ("stale-critical", "poll_staleness_seconds * 0), 600)", "poll_staleness_seconds * 0), 540)"),
        ("stale-critical", "clamp_min(6 *", "clamp_min(5 *"),
        (
            "auth",
            "or pulse_monitor_poll_errors_total * 0) > 0\n        labels: {rule: auth",
            "or pulse_monitor_poll_errors_total * 0) > 1\n        labels: {rule: auth",
        ),
        ("timeouts", "> 5", "> 6"),
        ("connection", "> 0\n        labels: {rule: connection", "> 1\n        labels: {rule: connection"),
        ("slow", "> 10", "> 30"),
        ("slow", "histogram_quantile(0.95", "histogram_quantile(0.5"),
        (
            "timeouts",
            "offset 600s <= pulse_monitor_poll_errors_total",
            "offset 300s <= pulse_monitor_poll_errors_total",
        ),
    ],
)
def test_with_one_number_changed_promtool_and_the_stack_differ(
    bundle: Path, tmp_path: Path, rule: str, old: str, new: str
) -> None:
    text = RULES_FILE.read_text("utf-8")
    assert text.count(old) == 1
    status, said = verdict(bundle, tmp_path, text.replace(old, new), [rule])
    assert status != 0, said
    assert "FAILED" in said


QUIET_RESTART_S, RESTART_S = 28 * 60, 58 * 60
WINDOW_S = max(rule.window_s for rule in RULES)
AROUND = [
    (QUIET_RESTART_S - EVERY_S, QUIET_RESTART_S + 2 * EVERY_S),
    # What was active is so until its window was watched whole, or a poll succeeds; Prometheus forgets it with the
    # counters.
    (RESTART_S - EVERY_S, RESTART_S + WINDOW_S + 2 * EVERY_S),
]


def test_promtool_and_the_stack_agree_before_between_and_after_restarts(restarted: Path, tmp_path: Path) -> None:
    raised = {(span.rule, span.instance) for span in spans(restarted) if span.until_s < QUIET_RESTART_S}
    again = {
        (span.rule, span.instance) for span in spans(restarted) if QUIET_RESTART_S < span.from_s < RESTART_S - 5 * 60
    }
    assert {("auth", "auth"), ("connection", "gone"), ("poll-failing", "gone")} <= raised & again
    status, said = verdict(restarted, tmp_path, RULES_FILE.read_text("utf-8"), left_out=AROUND)
    assert status == 0, said[-3000:]


def test_an_alert_that_is_active_outlives_a_restart_and_ends_once(restarted: Path) -> None:
    through = [span for span in spans(restarted) if span.from_s < RESTART_S < span.until_s]
    assert {("auth", "auth"), ("connection", "gone")} <= {(span.rule, span.instance) for span in through}
    assert all(span.until_s < 85 * 60 for span in through)


def test_rises_that_do_not_begin_at_zero_after_a_restart_are_noticed(restarted: Path, tmp_path: Path) -> None:
    text, from_zero = RULES_FILE.read_text("utf-8"), "or pulse_monitor_poll_errors_total * 0"
    assert from_zero in text
    careless = text.replace(from_zero, "or pulse_monitor_poll_errors_total offset 300s")
    status, _ = verdict(restarted, tmp_path, careless, ["auth", "connection"], left_out=AROUND)
    assert status != 0
