"""A baseline beside a gate's runs: what is worse is found, and a baseline that is not whole is never used."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_sim.checks import CheckResult
from pulse_sim.evidence import comparison
from pulse_sim.evidence.comparison import Baseline, ComparedRun, NoBaseline, compare, read_baseline
from pulse_sim.outcome import Outcome
from pulse_sim.verdict.ci_gate import WHOLE_RUN, Change, CheckChange, Comparison
from tests.evidence.recording import sealed_run
from tests.evidence.resealing import reseal
from tests.evidence.rollout import sealed_verdict

OUTCOMES = st.sampled_from(list(Outcome))


def check(name: str, outcome: Outcome, **parameters: Any) -> CheckResult:
    return CheckResult(name, parameters, outcome, "", "", (), "")


def run(*checks: CheckResult, scenario: str = "small", seed: int = 1, outcome: Outcome = Outcome.PASSED) -> ComparedRun:
    return ComparedRun(scenario, seed, outcome, checks)


def beside(before: ComparedRun, now: ComparedRun) -> dict[tuple[str, str], Change]:
    compared = compare(Baseline((before,)), [now], [now.scenario], [now.seed])
    assert compared.same + len(compared.changes) >= 1
    return {(one.check, one.about): one.change for one in compared.changes if one.check != WHOLE_RUN}


@given(OUTCOMES, OUTCOMES)
def test_a_check_is_worse_same_or_better_by_the_order_of_outcomes(before: Outcome, now: Outcome) -> None:
    found = beside(run(check("recovers", before)), run(check("recovers", now)))
    expected = Change.WORSE if now.rank > before.rank else Change.BETTER
    assert found == ({} if before is now else {("recovers", ""): expected})


def test_checks_of_one_kind_are_told_apart_by_their_parameters() -> None:
    before = run(check("recovers", Outcome.PASSED, after="5m"), check("recovers", Outcome.FAILED, after="9m"))
    now = run(check("recovers", Outcome.PASSED, after="9m"), check("recovers", Outcome.PASSED, after="5m"))
    assert beside(before, now) == {("recovers", "after 9m"): Change.BETTER}


def test_equal_checks_are_compared_in_their_order() -> None:
    two = (check("recovers", Outcome.PASSED), check("recovers", Outcome.FAILED))
    compared = compare(Baseline((run(*two),)), [run(*reversed(two))], ["small"], [1])
    assert [one.change for one in compared.changes] == [Change.WORSE, Change.BETTER]
    assert compared.same == 1  # the run as a whole


def test_a_check_that_is_no_longer_judged_is_gone_and_one_that_was_not_is_new() -> None:
    before, now = run(check("recovers", Outcome.PASSED)), run(check("never_crashes", Outcome.PASSED))
    assert beside(before, now) == {("never_crashes", ""): Change.NEW, ("recovers", ""): Change.GONE}
    assert compare(Baseline((before,)), [now], ["small"], [1]).outcome is Outcome.FAILED


def test_a_run_that_lost_all_its_checks_is_worse_as_a_whole() -> None:
    lost = run(outcome=Outcome.ERRORED)
    compared = compare(Baseline((run(check("recovers", Outcome.PASSED)),)), [lost], ["small"], [1])
    assert [(one.check, one.change) for one in compared.of(Change.WORSE)] == [(WHOLE_RUN, Change.WORSE)]
    assert compared.count(Change.GONE) == 1


def test_runs_meet_by_scenario_and_seed_and_what_has_no_partner_is_told() -> None:
    one = check("recovers", Outcome.PASSED)
    before = Baseline((run(one), run(one, seed=9), run(one, scenario="old"), run(one, scenario="old", seed=9)))
    now = [run(one), run(one, seed=2), run(one, scenario="new")]
    compared = compare(before, now, ["small", "new"], [1, 2])
    assert (compared.changes, compared.same) == ((), 2)
    assert (compared.missing, compared.foreign, compared.unused) == (("small seed 2", "new seed 1"), ("old",), 1)


def test_a_damaged_baseline_compares_nothing() -> None:
    whole = run(check("recovers", Outcome.FAILED))
    assert compare(Baseline((whole,), ("x is missing",)), [whole], ["small"], [1]) == Comparison((), ("x is missing",))


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs and a verdict in one directory."""
    root = tmp_path_factory.mktemp("bundles")
    for seed in (7, 8):
        sealed_run(root, seed=seed)
    sealed_verdict(root)
    return root


def bundle(bundles: Path, name: str) -> Path:
    (found,) = bundles.glob(name)
    return found


def test_a_run_bundle_a_verdict_bundle_and_a_directory_of_them_are_baselines(bundles: Path) -> None:
    one = read_baseline(bundle(bundles, "auth-revoked-8-*"))
    verdict = read_baseline(next(path for path in bundles.iterdir() if (path / "verdict.json").is_file()))
    every = read_baseline(bundles)
    assert [found.damages for found in (one, verdict, every)] == [(), (), ()]
    assert [found.key for found in one.runs] == [("auth-revoked", 8)]
    assert verdict.runs
    assert {found.key for found in every.runs} == {
        ("auth-revoked", 7),
        *(found.key for found in (*one.runs, *verdict.runs)),
    }
    assert one.runs[0].checks


def test_a_baseline_beside_itself_is_the_same_everywhere(bundles: Path) -> None:
    every = read_baseline(bundles)
    scenarios, seeds = [found.scenario for found in every.runs], [found.seed for found in every.runs]
    compared = compare(every, every.runs, scenarios, seeds)
    assert compared.outcome is Outcome.PASSED
    assert (compared.changes, compared.same > len(every.runs)) == ((), True)


def edit(checks: Path, **new: Any) -> None:
    checks.write_text(json.dumps({**json.loads(checks.read_bytes()), **new}), "utf-8")


@pytest.mark.parametrize("name", ["checks.json", "observations.jsonl", "manifest.json"])
@pytest.mark.parametrize("form", ["edited", "missing"])
def test_a_file_that_is_not_what_the_manifest_says_voids_the_baseline(
    bundles: Path, tmp_path: Path, name: str, form: str
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(bundle(bundles, "auth-revoked-7-*"), copy)
    if form == "missing":
        (copy / name).unlink()
    else:
        (copy / name).write_bytes(b" " + (copy / name).read_bytes())
    if (name, form) == ("manifest.json", "missing"):
        with pytest.raises(NoBaseline):
            read_baseline(copy)
        return
    found = read_baseline(copy)
    assert (found.runs, bool(found.damages)) == ((), True)
    assert name in found.damages[0]


def test_one_damaged_bundle_voids_the_directory_and_is_named(bundles: Path, tmp_path: Path) -> None:
    shutil.copytree(bundles, tmp_path / "all", symlinks=True)
    damaged = bundle(tmp_path / "all", "auth-revoked-8-*")
    edit(damaged / "checks.json", outcome="passed")
    found = read_baseline(tmp_path / "all")
    assert found.runs == ()
    assert all(damage.startswith(damaged.name) for damage in found.damages)


def test_two_different_runs_of_one_seed_are_no_baseline(tmp_path: Path) -> None:
    sealed_run(tmp_path / "one")
    sealed_run(tmp_path / "other", fails=(5, 11))
    (tmp_path / "all").mkdir()
    for name in ("one", "other"):
        (path,) = (tmp_path / name).iterdir()
        path.rename(tmp_path / "all" / name)
    found = read_baseline(tmp_path / "all")
    assert found.damages == ("other: it has two different runs of auth-revoked with seed 7",)


@pytest.mark.parametrize("kind", ["nothing", "file", "empty", "partial"])
def test_what_is_no_baseline_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "given"
    if kind == "file":
        path.write_text("x")
    elif kind != "nothing":
        path.mkdir()
    if kind == "partial":
        sealed_run(path).path.rename(path / ".partial-x")
    with pytest.raises(NoBaseline):
        read_baseline(path)


SHAPES: list[Mapping[str, Any] | list[Any]] = [
    [],
    {},
    {"checks": []},
    {"checks": [], "scenario": "s", "seed": True, "outcome_digest": "", "outcome": "passed"},
    {"checks": [], "scenario": "s", "seed": 1, "outcome_digest": "", "outcome": "fine"},
    {"checks": [{}], "scenario": "s", "seed": 1, "outcome_digest": "", "outcome": "passed"},
]


@pytest.mark.parametrize("data", SHAPES, ids=range(len(SHAPES)))
def test_checks_of_another_shape_are_no_run(data: Any) -> None:
    with pytest.raises(ValueError, match=r".+"):
        ComparedRun.from_checks(data)


def test_a_run_read_back_is_the_run_that_was_recorded(bundles: Path) -> None:
    recorded = json.loads((bundle(bundles, "auth-revoked-7-*") / "checks.json").read_bytes())
    assert replace(ComparedRun.from_checks(recorded), checks=()) == ComparedRun(
        "auth-revoked", 7, Outcome(recorded["outcome"]), (), recorded["outcome_digest"]
    )


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ([], "it is no list of judged checks"),
        ({"checks": {}}, "it is no list of judged checks"),
        ({"checks": [], "scenario": 1, "seed": 1, "outcome_digest": ""}, "it does not say what was run"),
        ({"checks": [], "scenario": "s", "seed": "1", "outcome_digest": ""}, "it does not say what was run"),
        ({"checks": [], "scenario": "s", "seed": 1, "outcome_digest": None}, "it does not say what was run"),
    ],
)
def test_checks_of_another_shape_are_refused_in_words(data: Any, told: str) -> None:
    with pytest.raises(ValueError, match=f"^{told}$"):
        ComparedRun.from_checks(data)


def test_where_there_is_no_baseline_what_is_there_is_said(
    bundles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NoBaseline, match=f"^{tmp_path}/gone is not a directory$"):
        read_baseline(tmp_path / "gone")
    with pytest.raises(NoBaseline, match=f"^{tmp_path} is no bundle and has none directly in it$"):
        read_baseline(tmp_path)
    monkeypatch.setattr(comparison, "BUNDLES_AT_MOST", 3)
    assert read_baseline(bundles).runs
    monkeypatch.setattr(comparison, "BUNDLES_AT_MOST", 2)
    with pytest.raises(NoBaseline, match=f"^{bundles} holds more than 2 bundles$"):
        read_baseline(bundles)


def test_a_change_names_its_run_and_the_run_as_a_whole_is_one_more() -> None:
    before = run(check("recovers", Outcome.PASSED, after="5m"), scenario="flap", seed=3)
    now = run(check("isolation", Outcome.PASSED), scenario="flap", seed=3, outcome=Outcome.FAILED)
    assert compare(Baseline((before,)), [now], ["flap"], [3]) == Comparison(
        (
            CheckChange("flap", 3, "isolation", "", None, Outcome.PASSED),
            CheckChange("flap", 3, "recovers", "after 5m", Outcome.PASSED, None),
            CheckChange("flap", 3, WHOLE_RUN, "", Outcome.PASSED, Outcome.FAILED),
        )
    )


def test_seeds_the_gate_does_not_run_are_counted_for_its_own_scenarios_only() -> None:
    one = check("recovers", Outcome.PASSED)
    before = Baseline((run(one), run(one, seed=2), run(one, seed=3), run(one, scenario="old", seed=4)))
    assert compare(before, [run(one)], ["small"], [1]).unused == 2


def test_a_baseline_whose_run_lost_its_checks_is_damaged_with_its_place(tmp_path: Path) -> None:
    path = sealed_run(tmp_path).path
    (path / "checks.json").unlink()
    reseal(path)
    assert read_baseline(path).damages == ("checks.json: is missing",)
    (path / "checks.json").write_bytes(b"{}\n")
    reseal(path)
    assert read_baseline(path).damages == ("checks.json: it is no list of judged checks",)
    assert read_baseline(tmp_path).damages == (f"{path.name}: checks.json: it is no list of judged checks",)


def test_of_three_equal_checks_each_is_beside_its_own() -> None:
    old, new = (
        run(*(check("recovers", outcome) for outcome in outcomes))
        for outcomes in (
            (Outcome.PASSED, Outcome.FAILED, Outcome.ERRORED),
            (Outcome.PASSED, Outcome.FAILED, Outcome.PASSED),
        )
    )
    compared = compare(Baseline((old,)), [new], ["small"], [1])
    assert ([one.before for one in compared.changes], compared.same) == ([Outcome.ERRORED], 3)
