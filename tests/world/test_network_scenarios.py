"""The scenarios about names and certificates pass with the reference system, whatever the seed draws."""

from pathlib import Path

import pytest

from pulse_sim.outcome import Outcome
from tests.run.rehearsal import rehearse

SCENARIOS = sorted((Path(__file__).parents[2] / "scenarios" / "network").glob("*.yaml"))


def test_there_are_scenarios_to_run() -> None:
    assert [path.stem for path in SCENARIOS] == ["certificate-rotated", "dns-failure"]


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_scenario_of_the_network_passes(path: Path, seed: int, tmp_path: Path) -> None:
    done = rehearse(tmp_path, path.read_text("utf-8"), seed=seed)
    assert [(result.check, result.reason) for result in done.results if result.outcome is not Outcome.PASSED] == []
    assert (done.outcome, done.broken) == (Outcome.PASSED, ())
