"""Every threshold of the contract has a scenario, and each of them tells a threshold that is a little off."""

from pathlib import Path

import pytest

from pulse_sim.outcome import Outcome
from pulse_sim.scenario.load import expand, load_scenario
from pulse_sim.stack.alerts.rules import RULES
from tests.thresholds.nudged import HIGHER, LOWER, RELEASES, THRESHOLDS, failed_alert_checks, nudged, rehearsed

RULE_IDS = [rule.id for rule in RULES]


def test_every_alert_of_the_contract_has_a_scenario_over_rest_and_over_json_rpc() -> None:
    assert {path.stem for path in THRESHOLDS.glob("*.yaml")} == {*RULE_IDS, "poll-metrics"}
    for rule in RULE_IDS:
        runs = expand(load_scenario(THRESHOLDS / f"{rule}.yaml"))
        releases = {appliance.release for run in runs for appliance in run.appliances.values()}
        assert releases == set(RELEASES), rule


@pytest.mark.parametrize("rule", RULE_IDS)
def test_every_scenario_of_a_threshold_asks_for_firing_resolving_and_silence(rule: str) -> None:
    run = load_scenario(THRESHOLDS / f"{rule}.yaml")
    asked = {check["check"] for check in run.checks if check.get("alert") == rule}
    assert asked == {"alert_fires", "alert_resolves", "alert_silent"}


@pytest.mark.parametrize("rule", HIGHER)
def test_a_threshold_a_little_too_high_is_told_by_an_alert_that_does_not_fire(rule: str, tmp_path: Path) -> None:
    release = RELEASES[RULE_IDS.index(rule) % 2]
    done = rehearsed(tmp_path, rule, release, factory=nudged(rule, HIGHER[rule]))
    failed = failed_alert_checks(done, rule)
    assert {check for check, _ in failed} >= {"alert_fires", "alert_resolves"}
    assert all(connection.endswith("above") for _, connection in failed)


@pytest.mark.parametrize("rule", LOWER)
def test_a_threshold_a_little_too_low_is_told_by_an_alert_that_is_not_silent(rule: str, tmp_path: Path) -> None:
    release = RELEASES[(RULE_IDS.index(rule) + 1) % 2]
    done = rehearsed(tmp_path, rule, release, factory=nudged(rule, LOWER[rule]))
    assert ("alert_silent", "below") in failed_alert_checks(done, rule)


def test_a_connection_polled_seldom_has_its_own_threshold(tmp_path: Path) -> None:
    done = rehearsed(tmp_path, "stale", "24.10", factory=nudged("stale", {"intervals": 0}))
    assert failed_alert_checks(done, "stale") == {("alert_silent", "seldom")}


@pytest.mark.parametrize("release", RELEASES)
def test_the_poll_metrics_are_true_over_every_type_of_error(release: str, tmp_path: Path) -> None:
    assert rehearsed(tmp_path, "poll-metrics", release).outcome is Outcome.PASSED
