"""The gate of a pipeline: passed only when everything planned ran, passed, and is no worse than before."""

from dataclasses import replace
from typing import Any

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


DOCUMENT: dict[str, Any] = {
    "version": 1,
    "outcome": "errored",
    "reasons": [
        "P0 failure of the harness: small seed 2 ended failed and, repeated with the same seed, failed: "
        "trace digests aaaaaaaaaaaaaaaa and cccccccccccccccc",
        "small seed 2 failed: recovers: late",
        "worse than the baseline: small seed 1: recovers (pool tank): passed before, failed now",
        "worse than the baseline: small seed 1: isolation: passed before, not judged now",
        "the baseline is damaged: torn",
        "the baseline is of another catalogue: this one lacks x",
        "small seed 3 was not run: no time",
    ],
    "budget_s": 60.5,
    "runs": [
        {
            "run": "small-1",
            "scenario": "small",
            "seed": 1,
            "outcome": "passed",
            "reason": "",
            "bundled": True,
            "trace_digest": "a" * 64,
            "outcome_digest": "b" * 64,
            "replay": "pulse-sim run small.yaml",
            "repeat": None,
        },
        {
            "run": "small-2",
            "scenario": "small",
            "seed": 2,
            "outcome": "failed",
            "reason": "",
            "bundled": True,
            "trace_digest": "a" * 64,
            "outcome_digest": "b" * 64,
            "replay": "",
            "repeat": {
                "outcome": "failed",
                "same": False,
                "trace_digest": "c" * 64,
                "outcome_digest": "b" * 64,
                "run": None,
                "reason": "once more",
            },
        },
    ],
    "not_run": [{"scenario": "small", "seed": 3, "reason": "no time"}],
    "comparison": {
        "outcome": "failed",
        "counts": {"worse": 1, "gone": 1, "same": 4, "better": 0, "new": 1},
        "changes": [
            {
                "scenario": "small",
                "seed": 1,
                "check": "recovers",
                "about": "pool tank",
                "before": "passed",
                "now": "failed",
                "change": "worse",
            },
            {
                "scenario": "small",
                "seed": 1,
                "check": "isolation",
                "about": "",
                "before": "passed",
                "now": None,
                "change": "gone",
            },
            {
                "scenario": "small",
                "seed": 1,
                "check": "alerts",
                "about": "",
                "before": None,
                "now": "passed",
                "change": "new",
            },
        ],
        "damages": ["torn"],
        "foreign": ["x"],
        "missing": ["y"],
        "unused": 3,
    },
}
CATALOGUE = {"scenarios": [{"id": "small"}], "seeds": [1, 2, 3]}
TEXT_MISSING = "a text is missing in a recorded document"
OBJECT_MISSING = "an object is missing in a recorded document"


def documented() -> CiGate:
    """A gate with one of everything."""
    compared = Comparison(
        (
            CheckChange("small", 1, "recovers", "pool tank", Outcome.PASSED, Outcome.FAILED),
            CheckChange("small", 1, "isolation", "", Outcome.PASSED, None),
            CheckChange("small", 1, "alerts", "", None, Outcome.PASSED),
        ),
        ("torn",),
        ("x",),
        ("y",),
        3,
        4,
    )
    runs = (
        GateRun(summary(), "pulse-sim run small.yaml"),
        GateRun(
            summary(Outcome.FAILED, seed=2), "", Repeat(Outcome.FAILED, "c" * 64, "b" * 64, None, reason="once more")
        ),
    )
    planned = (("small", 1), ("small", 2), ("small", 3))
    return CiGate(planned, runs, (NotRun("small", 3, "no time"),), compared, 60.5)


def read(recorded: object, *runs: RunSummary, catalogue: object = CATALOGUE) -> CiGate:
    return ci_gate_from_data(catalogue, recorded, runs or [run.summary for run in documented().runs])


def test_gate_json_is_this_document_key_by_key_and_is_read_back() -> None:
    told = ci_gate_data(documented())
    assert {**told, "outcome_digest": ""} == {**DOCUMENT, "outcome_digest": ""}
    assert told["outcome_digest"] == documented().outcome_digest
    assert read(told) == documented()
    bare = replace(documented(), comparison=None, budget_s=None)
    assert read(ci_gate_data(bare)) == bare


def test_a_run_without_a_trace_is_not_bundled() -> None:
    told: Any = ci_gate_data(gate(GateRun(summary(digest=""))))
    assert told["runs"][0]["bundled"] is False


def test_a_gate_that_lists_more_or_fewer_runs_than_there_are_is_refused() -> None:
    for runs in ((summary(),), (summary(), summary(seed=2), summary(seed=3))):
        with pytest.raises(ValueError, match="zip"):
            read(DOCUMENT, *runs)


def compared_with(**change: object) -> dict[str, Any]:
    return {**DOCUMENT, "comparison": {**DOCUMENT["comparison"], **change}}


@pytest.mark.parametrize(
    ("recorded", "told"),
    [
        (None, OBJECT_MISSING),
        ({**DOCUMENT, "version": 2}, "gate.json version 2 is not 1, the one known here"),
        ({**DOCUMENT, "version": True}, "gate.json version True is not 1, the one known here"),
        ({**DOCUMENT, "budget_s": "60"}, "budget_s is a number or null"),
        ({**DOCUMENT, "budget_s": True}, "budget_s is a number or null"),
        ({**DOCUMENT, "runs": {}}, "runs is not a list"),
        ({**DOCUMENT, "runs": [None, None]}, OBJECT_MISSING),
        ({**DOCUMENT, "not_run": None}, "not_run is not a list"),
        ({**DOCUMENT, "not_run": [{"scenario": "small", "seed": "3", "reason": ""}]}, "a seed is an integer"),
        ({**DOCUMENT, "not_run": [{"scenario": "small", "seed": 3}]}, TEXT_MISSING),
        (compared_with(unused=None), "what is counted is an integer"),
        (compared_with(counts={"same": "4"}), "what is counted is an integer"),
        (compared_with(damages=[1]), TEXT_MISSING),
        (compared_with(changes={}), "changes is not a list"),
    ],
)
def test_a_gate_of_another_shape_is_refused_in_words(recorded: object, told: str) -> None:
    with pytest.raises(ValueError, match=r".+") as refusal:
        read(recorded)
    assert str(refusal.value) == told


def test_a_catalogue_whose_seeds_are_no_integers_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^a seed is an integer$"):
        read(DOCUMENT, catalogue={**CATALOGUE, "seeds": [1, "2", 3]})


@pytest.mark.parametrize(
    ("count", "told"), [(5, "s0, s1, s2, s3, s4"), (6, "s0, s1, s2, s3, s4 and 1 more"), (1, "s0")]
)
def test_of_many_foreign_scenarios_five_are_named(count: int, told: str) -> None:
    foreign = tuple(f"s{index}" for index in range(count))
    assert replace(SAME, foreign=foreign).problems == (f"the baseline is of another catalogue: this one lacks {told}",)
