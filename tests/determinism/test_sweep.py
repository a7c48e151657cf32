"""One digest and the same evidence for (scenario, seed) in every surroundings; a sample here, all of it in the nightly.

The nightly's 1,000 runs are in ``docs/measurements/issue-3.json``.
"""

import shlex
from dataclasses import asdict
from itertools import combinations, product
from pathlib import Path

import pytest

from tests.determinism.environments import COMBINATIONS, DIMENSIONS, ROOT, SAMPLE
from tests.determinism.sweep import EVIDENCE, SCENARIOS, Sitting, differences, hold, hold_all, sittings

RACES = "config-change-during-poll[tls=true]"
FAULTS = "connection-flap[tls=true]"
RANDOM = [made for made in COMBINATIONS if made.schedule == "random"]


def test_the_combinations_have_every_pair_of_surroundings() -> None:
    rows = [asdict(combination) for combination in COMBINATIONS]
    for first, second in combinations(DIMENSIONS, 2):
        assert {(row[first], row[second]) for row in rows} == set(product(DIMENSIONS[first], DIMENSIONS[second]))


def test_every_scenario_meets_every_combination_and_follows_itself_and_another_where_the_worker_is_warm() -> None:
    planned = list(sittings(7))
    for combination in COMBINATIONS:
        held = [sitting.scenarios for sitting in planned if sitting.combination == combination]
        if combination.worker == "cold":
            assert sorted(held) == sorted((scenario,) for scenario in SCENARIOS)
        else:
            (order,) = held
            assert set(order[: len(SCENARIOS)]) == set(order[len(SCENARIOS) :]) == set(SCENARIOS)
    assert len({sitting.scenarios for sitting in planned if sitting.combination.worker == "warm"}) > 1


def test_the_command_of_a_sitting_plans_that_very_sitting_again() -> None:
    for planned in (list(sittings(7)), list(sittings(8, COMBINATIONS, (RACES, FAULTS)))):
        for sitting in planned:
            told = shlex.split(sitting.command)
            names = told[told.index("--scenario") + 1 :] if "--scenario" in told else tuple(SCENARIOS)
            number = int(told[told.index("--combination") + 1])
            assert sitting in sittings(sitting.seed, (COMBINATIONS[number],), names)


@pytest.mark.system
def test_what_surrounds_a_process_really_is_what_the_combination_says(tmp_path: Path) -> None:
    hashes = {}
    for combination in SAMPLE:
        seen, _ = hold(Sitting(combination, 7, ()), tmp_path)
        hashes[combination.hash_seed] = seen["hash"]
        assert seen["directory"] == {"checkout": str(ROOT), "root": "/"}[combination.directory]
        assert seen["winter_and_summer"] == {"UTC": [0, 0], "Chatham": [13, 12]}[combination.time_zone]
        assert seen["encoding"] == {"posix": "ANSI_X3.4-1968", "c-utf8": "UTF-8"}[combination.locale]
        assert seen["live_objects"] == {"untouched": 0, "crowded": 300_000, "holed": 75_000}[combination.heap]
    assert len(set(hashes.values())) == len(DIMENSIONS["hash_seed"])


@pytest.mark.system
def test_a_sample_of_combinations_has_one_digest_and_the_same_evidence_for_each_scenario(tmp_path: Path) -> None:
    one_cold, one_warm = (next(made for made in RANDOM if made.worker == worker) for worker in ("cold", "warm"))
    planned = [*sittings(7, SAMPLE, (RACES, FAULTS)), *sittings(7, (one_cold, one_warm), (RACES,))]
    runs = hold_all(planned, tmp_path)
    assert all(set(EVIDENCE) <= ran.row["evidence"].keys() for ran in runs)
    digests = {(ran.scenario, ran.sitting.combination.schedule): ran.row["trace_digest"] for ran in runs}
    assert len(set(digests.values())) == len(digests) == 3
    found = list(differences(runs))
    assert not found, "\n\n".join(found)


@pytest.mark.system
def test_a_leak_is_found_with_the_line_that_differs_first_and_the_command_that_repeats_it(tmp_path: Path) -> None:
    scenario = "auth-revoked-mid-session[tls=false]"
    one = COMBINATIONS[0]
    alike = (made for made in COMBINATIONS if (made.worker, made.schedule) == (one.worker, one.schedule))
    other = next(made for made in alike if made.hash_seed != one.hash_seed)
    planned = list(sittings(7, (one, other), (scenario,), "tests.determinism.leaking:hash_order"))
    (told,) = differences(hold_all(planned, tmp_path))
    assert "observations.jsonl line" in told
    assert "tag-" in told
    assert f"--seed 7 --combination {other.number} --scenario '{scenario}' --sut tests.determinism.leaking" in told


@pytest.mark.system
def test_a_process_that_fails_says_why_and_how_to_repeat_it(tmp_path: Path) -> None:
    sitting = Sitting(COMBINATIONS[0], 7, (RACES,), "no.such:system")
    with pytest.raises(RuntimeError, match=r"(?s)no\.such.*repeat: .*--combination 0 .*--sut no\.such:system"):
        hold(sitting, tmp_path)
