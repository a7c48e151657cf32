"""The gate of a pipeline: passed only when everything planned ran, passed, and is no worse than before."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_sim.outcome import Outcome, worst
from pulse_sim.verdict import JudgedCheck, RunSummary
from pulse_sim.verdict.ci_gate import (
    Change,
    CheckChange,
    CiGate,
    Comparison,
    GateRun,
    NotRun,
    Repeat,
)
from pulse_sim.verdict.ci_gate_record import ci_gate_data, ci_gate_from_data

OUTCOMES = st.sampled_from(list(Outcome))


def summary(outcome: Outcome = Outcome.PASSED, *, seed: int = 1, digest: str = "a" * 64) -> RunSummary:
    line = JudgedCheck("recovers", outcome, "fresh by 10m", "fresh at 9m", "" if outcome is Outcome.PASSED else "late")
    return RunSummary(f"small-{seed}", "small", seed, outcome, (line,), trace_digest=digest, outcome_digest="b" * 64)


def gate(*runs: GateRun, not_run: tuple[NotRun, ...] = (), comparison: Comparison | None = None) -> CiGate:
    planned = [(run.summary.scenario, run.summary.seed) for run in runs] + [(o.scenario, o.seed) for o in not_run]
    return CiGate(tuple(planned), runs, not_run, comparison)


def change(before: Outcome | None, now: Outcome | None) -> CheckChange:
    return CheckChange("small", 1, "recovers", "", before, now)


SAME = Comparison((), same=1)


def test_all_runs_passed_is_passed_without_a_reason() -> None:
    decided = gate(GateRun(summary()), GateRun(summary(seed=2)), comparison=SAME)
    assert (decided.outcome, decided.reasons) == (Outcome.PASSED, ())


def test_nothing_run_is_inconclusive_whatever_was_planned() -> None:
    assert gate().outcome is Outcome.INCONCLUSIVE
    assert gate(comparison=SAME).outcome is Outcome.INCONCLUSIVE
    assert gate().reasons == ("nothing was run",)


def test_a_run_that_did_not_fit_is_told_and_keeps_the_gate_from_passing() -> None:
    decided = gate(GateRun(summary()), not_run=(NotRun("small", 2, "not begun when the budget ended"),))
    assert decided.outcome is Outcome.INCONCLUSIVE
    assert decided.reasons == ("small seed 2 was not run: not begun when the budget ended",)


def test_a_planned_run_nobody_says_anything_of_is_no_silent_success() -> None:
    decided = replace(gate(GateRun(summary())), planned=(("small", 1), ("large", 1)))
    assert decided.outcome is Outcome.INCONCLUSIVE
    assert decided.reasons == ("large seed 1 neither ran nor is told why not",)


@given(st.lists(OUTCOMES, min_size=1, max_size=6))
def test_the_worst_run_decides_and_only_a_passed_gate_has_no_reasons(outcomes: list[Outcome]) -> None:
    decided = gate(*(GateRun(summary(outcome, seed=seed)) for seed, outcome in enumerate(outcomes)))
    assert decided.outcome is worst(outcomes)
    assert (decided.reasons == ()) is (decided.outcome is Outcome.PASSED)
    assert len(decided.reasons) == sum(outcome is not Outcome.PASSED for outcome in outcomes)


def test_a_failed_run_that_repeats_itself_stays_failed() -> None:
    failed = summary(Outcome.FAILED)
    decided = gate(GateRun(failed, repeat=Repeat(Outcome.FAILED, failed.trace_digest, failed.outcome_digest)))
    assert decided.outcome is Outcome.FAILED
    assert decided.reasons == ("small seed 1 failed: recovers: late",)


@pytest.mark.parametrize(
    ("claimed", "expected"),
    [
        (replace(summary(), checks=()), Outcome.INCONCLUSIVE),
        (replace(summary(Outcome.FAILED), outcome=Outcome.PASSED), Outcome.FAILED),
    ],
    ids=["no checks", "a failed check"],
)
def test_a_run_that_claims_more_than_its_checks_say_is_not_believed(claimed: RunSummary, expected: Outcome) -> None:
    decided = gate(GateRun(claimed))
    assert (decided.outcome, len(decided.reasons)) == (expected, 1)


@pytest.mark.parametrize(
    "again",
    [
        Repeat(Outcome.PASSED, "a" * 64, "b" * 64),
        Repeat(Outcome.FAILED, "c" * 64, "b" * 64),
        Repeat(Outcome.FAILED, "a" * 64, "c" * 64),
    ],
    ids=["outcome", "trace", "checks"],
)
def test_a_repetition_that_comes_out_otherwise_is_a_failure_of_the_harness_said_first(again: Repeat) -> None:
    decided = gate(GateRun(summary()), GateRun(summary(Outcome.FAILED, seed=2), repeat=again))
    assert decided.outcome is Outcome.ERRORED
    assert decided.reasons[0].startswith("P0 failure of the harness: small seed 2 ended failed and, repeated")


def test_a_run_that_could_not_be_repeated_is_no_failure_of_the_harness() -> None:
    again = Repeat(None, reason="not repeated: not begun when the budget ended")
    decided = gate(GateRun(summary(Outcome.FAILED), repeat=again))
    assert decided.outcome is Outcome.FAILED
    assert ci_gate_data(decided)["runs"][0]["repeat"]["same"] is None  # type: ignore[index]


@given(st.one_of(st.none(), OUTCOMES), st.one_of(st.none(), OUTCOMES))
def test_of_a_comparison_only_what_is_worse_or_gone_fails(before: Outcome | None, now: Outcome | None) -> None:
    one = change(before, now)
    assert Comparison((one,)).outcome in (Outcome.FAILED, Outcome.PASSED)
    failed = Comparison((one,)).outcome is Outcome.FAILED
    assert failed is (one.change in (Change.WORSE, Change.GONE))
    if before is not None and now is not None:
        assert failed is (now.rank > before.rank)


@pytest.mark.parametrize(
    ("comparison", "told"),
    [
        (Comparison(()), "no run of the gate is in the baseline: nothing was compared"),
        (Comparison((), ("run-1: manifest.json: is missing",)), "the baseline is damaged: run-1: manifest.json"),
        (replace(SAME, foreign=("other",)), "the baseline is of another catalogue: this one lacks other"),
    ],
)
def test_a_baseline_that_cannot_be_compared_with_is_said_and_nothing_passes(comparison: Comparison, told: str) -> None:
    decided = gate(GateRun(summary()), comparison=comparison)
    assert decided.outcome is Outcome.INCONCLUSIVE
    assert decided.reasons[0].startswith(told)


def test_runs_the_baseline_misses_or_has_with_other_seeds_are_told_and_do_no_harm() -> None:
    compared = replace(SAME, missing=("new seed 1",), unused=17)
    assert gate(GateRun(summary()), comparison=compared).outcome is Outcome.PASSED
    recorded = ci_gate_data(gate(GateRun(summary()), comparison=compared))["comparison"]
    assert isinstance(recorded, dict)
    assert (recorded["missing"], recorded["unused"]) == (["new seed 1"], 17)


def test_better_does_not_make_up_for_worse() -> None:
    better, worse = change(Outcome.FAILED, Outcome.PASSED), change(Outcome.PASSED, Outcome.INCONCLUSIVE)
    assert Comparison((better, worse, better)).outcome is Outcome.FAILED


def test_the_digest_of_a_gate_is_of_what_was_decided() -> None:
    one, other = gate(GateRun(summary())), gate(GateRun(summary(), replay="elsewhere"))
    assert one.outcome_digest == other.outcome_digest
    assert one.outcome_digest != gate(GateRun(summary(Outcome.FAILED))).outcome_digest
    assert one.outcome_digest != gate(GateRun(summary()), not_run=(NotRun("x", 1, ""),)).outcome_digest


def test_a_gate_is_read_back_as_it_was_recorded_with_its_runs_judged_again() -> None:
    again = Repeat(Outcome.FAILED, "c" * 64, "b" * 64, "small-2-cccccccc")
    compared = Comparison(
        (change(Outcome.PASSED, Outcome.FAILED), change(None, Outcome.PASSED)), (), ("x",), ("y",), 3, 4
    )
    decided = gate(
        GateRun(summary(), "pulse-sim run small.yaml"),
        GateRun(summary(Outcome.FAILED, seed=2), repeat=again),
        not_run=(NotRun("small", 3, "not begun when the budget ended"),),
        comparison=compared,
    )
    catalogue = {"scenarios": [{"id": "small"}], "seeds": [1, 2, 3]}
    read = ci_gate_from_data(catalogue, ci_gate_data(decided), [run.summary for run in decided.runs])
    assert read == decided
    worse = ci_gate_from_data(catalogue, ci_gate_data(decided), [summary(Outcome.ERRORED), decided.runs[1].summary])
    assert worse.outcome is Outcome.ERRORED


@pytest.mark.parametrize("field", ["version", "runs", "not_run", "comparison", "budget_s"])
def test_a_record_of_another_shape_is_refused(field: str) -> None:
    recorded = {**ci_gate_data(gate(GateRun(summary()), comparison=SAME)), field: "another"}
    with pytest.raises(ValueError, match=r".+"):
        ci_gate_from_data({"scenarios": [{"id": "small"}], "seeds": [1]}, recorded, [summary()])
