"""A run's digests are a function of scenario, seed and code, and of nothing else around the process (R4)."""

import functools
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mock_truenas.appliance import build_appliance
from mock_truenas.server import MockTrueNAS
from pulse_sim.stack.assembly import Parts
from pulse_sim.stack.metrics import Metrics
from pulse_sim.stack.watch import Outcomes, Polled
from pulse_sim.sut.protocol import Place
from pulse_sim.sut.reference import ReferenceSystem
from tests.cli.command import RESILIENCE, pulse_sim
from tests.run.rehearsal import SMALL, rehearse

SCENARIOS = sorted(RESILIENCE.glob("*.yaml"))


def digests(rows: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [(row["scenario"], row["trace_digest"], row["outcome_digest"]) for row in rows]


@pytest.mark.system
def test_the_resilience_catalogue_has_one_digest_per_scenario_and_seed_whatever_the_environment(tmp_path: Path) -> None:
    one = pulse_sim("run", *SCENARIOS, "--seed", "7", "--json", "--out", tmp_path / "one")
    surroundings = {"PYTHONHASHSEED": "4242", "TZ": "Asia/Tokyo", "LC_ALL": "POSIX", "PYTHONUTF8": "0"}
    two = pulse_sim(
        "run",
        *SCENARIOS,
        "--seed",
        "7",
        "--json",
        "--out",
        tmp_path / "two",
        cwd=tmp_path,
        environment=surroundings,
        before="junk = [object() for _ in range(200_000)]",
    )
    other = pulse_sim("run", *SCENARIOS, "--seed", "8", "--json", "--out", tmp_path / "other")
    assert (one.status, two.status, other.status) == (0, 0, 0), two.err
    assert digests(one.rows) == digests(two.rows)
    traces = [row["trace_digest"] for row in (*one.rows, *other.rows)]
    assert len(set(traces)) == len(traces)
    assert all(len(row[digest]) == 64 for row in one.rows for digest in ("trace_digest", "outcome_digest"))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> str:
    return rehearse(tmp_path_factory.mktemp("undisturbed")).trace_digest


def test_the_same_run_twice_in_one_process_has_one_digest(tmp_path: Path, undisturbed: str) -> None:
    assert rehearse(tmp_path / "cold").trace_digest == undisturbed
    assert rehearse(tmp_path / "warm").trace_digest == undisturbed


def test_another_seed_is_another_digest(tmp_path: Path, undisturbed: str) -> None:
    assert rehearse(tmp_path, seed=2).trace_digest != undisturbed


def test_one_microsecond_of_latency_changes_the_digest(tmp_path: Path, undisturbed: str) -> None:
    assert rehearse(tmp_path / "a", SMALL, overrides=("appliances.nas-1.latency=500us",)).trace_digest == undisturbed
    assert rehearse(tmp_path / "b", SMALL, overrides=("appliances.nas-1.latency=501us",)).trace_digest != undisturbed


def test_one_byte_of_a_response_changes_the_digest(
    tmp_path: Path, undisturbed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_another_letter(**given: Any) -> Any:
        appliance = build_appliance(**given)
        host = appliance.state.host
        appliance.change(host=replace(host, hostname=f"{host.hostname[:-1]}9"))
        return appliance

    monkeypatch.setattr("pulse_sim.world.appliances.build_appliance", with_another_letter)
    assert rehearse(tmp_path).trace_digest != undisturbed


def test_one_header_changes_the_digest(tmp_path: Path, undisturbed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    server = functools.partial(MockTrueNAS, server_name="nginy")
    monkeypatch.setattr("pulse_sim.world.appliances.MockTrueNAS", server)
    assert rehearse(tmp_path).trace_digest != undisturbed


def test_one_metric_sample_changes_the_digest(tmp_path: Path, undisturbed: str) -> None:
    class OneMore(Metrics):
        def poll_succeeded(self, instance: str, duration_s: float, unix_ns: int) -> None:
            super().poll_succeeded(instance, duration_s + 1e-9, unix_ns)

    def factory(place: Place) -> ReferenceSystem:
        return ReferenceSystem(place, Parts(metrics=OneMore))

    assert rehearse(tmp_path, factory=factory).trace_digest != undisturbed


def test_one_log_record_changes_the_digest(tmp_path: Path, undisturbed: str) -> None:

    class Talkative(Outcomes):
        def begun(self, polled: Polled) -> None:
            super().begun(polled)
            if polled.status.last_success_ns is None:
                logging.getLogger("TrueNASPoller").info("first poll of %(instance)s", {"instance": "nas-1"})

    def factory(place: Place) -> ReferenceSystem:
        return ReferenceSystem(place, Parts(outcomes=Talkative))

    assert rehearse(tmp_path, factory=factory).trace_digest != undisturbed
