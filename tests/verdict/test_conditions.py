"""Conditions that are closed later, and what a waiver cannot close: a word never outweighs evidence."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from pulse_sim.outcome import Outcome
from pulse_sim.verdict import Attestation, Closing, PlanVerdict, Verdict, fold
from tests.verdict.doubles import TODAY, PlanDouble, PlanGate, PlanWaiver, packet, result, run

CLOSING = Closing("pairs", "E. Engineer", date(2026, 2, 8), "run pairs-of-classes-7, SHA-256 of its manifest")
DATA: dict[str, Any] = {"gate": "pairs", "by": "E. Engineer", "on": "2026-02-08", "evidence": "a bundle"}


def decide(gate: PlanGate, *closings: Closing, outcome: Outcome | None = None) -> PlanVerdict:
    known = {} if outcome is None else {"pairs": result("pairs", run("pairs", recovers=outcome))}
    return fold(PlanDouble((packet(gate),)), known, Attestation((), closings), TODAY)


def test_a_condition_is_closed_later_with_who_when_and_what_shows_it() -> None:
    verdict = decide(PlanGate("pairs", open="no scenario yet", priority="P1"), CLOSING)
    assert verdict.verdict is Verdict.GO
    (closed,) = verdict.closed_conditions
    assert (closed.by, closed.on, closed.state, closed.reason) == ("E. Engineer", "2026-02-08", "closes", "")
    assert "SHA-256" in closed.evidence
    assert [(risk.id, risk.source) for risk in verdict.residual_risks] == [("R-1", "closed pairs")]


@pytest.mark.parametrize(
    ("closing", "why"),
    [
        (replace(CLOSING, by=" "), "nobody states it"),
        (replace(CLOSING, evidence=""), "it points at no evidence"),
        (replace(CLOSING, gate="gone"), "there is no such gate"),
        (replace(CLOSING, on=date(2026, 2, 10)), "it is dated 2026-02-10, after the decision 2026-02-09"),
    ],
)
def test_a_closing_that_does_not_say_everything_closes_nothing(closing: Closing, why: str) -> None:
    verdict = decide(PlanGate("pairs", open="no scenario yet", priority="P1"), closing)
    assert (verdict.verdict, verdict.closed_conditions[0].reason) == (Verdict.GO_WITH_CONDITIONS, why)


def test_two_statements_about_one_gate_close_nothing() -> None:
    verdict = decide(PlanGate("pairs", open="no scenario yet", priority="P1"), CLOSING, CLOSING)
    assert [(one.state, one.reason) for one in verdict.closed_conditions] == [
        ("refused", "it is stated more than once")
    ] * 2
    assert verdict.verdict is Verdict.GO_WITH_CONDITIONS


def test_a_condition_may_be_closed_on_the_day_of_the_decision() -> None:
    verdict = decide(PlanGate("pairs", open="no scenario yet", priority="P1"), replace(CLOSING, on=TODAY))
    assert (verdict.verdict, verdict.closed_conditions[0].state) == (Verdict.GO, "closes")


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.ERRORED])
def test_a_word_does_not_outweigh_evidence(outcome: Outcome) -> None:
    verdict = decide(PlanGate("pairs", ("pairs",), priority="P1"), CLOSING, outcome=outcome)
    (closed,) = verdict.closed_conditions
    assert verdict.verdict is Verdict.GO_WITH_CONDITIONS
    assert (closed.state, closed.reason) == ("refused", "its evidence says otherwise")


def test_a_blocking_gate_is_never_closed_by_word() -> None:
    verdict = decide(PlanGate("pairs", open="no scenario yet"), CLOSING)
    (closed,) = verdict.closed_conditions
    assert verdict.verdict is Verdict.NO_GO
    assert (closed.state, closed.reason) == ("refused", "the gate blocks: only its evidence closes it")


def test_what_is_closed_anyway_or_nowhere_needs_no_closing() -> None:
    verdict = decide(
        PlanGate("pairs", ("pairs",), priority="P1"), CLOSING, replace(CLOSING, gate="gone"), outcome=Outcome.PASSED
    )
    assert [(one.state, one.reason) for one in verdict.closed_conditions] == [
        ("unused", "the gate is closed anyway"),
        ("unused", "there is no such gate"),
    ]


@pytest.mark.parametrize("way", ["waiver", "closing"])
def test_a_gate_that_does_not_apply_stays_a_condition_whoever_vouches_for_it(way: str) -> None:
    plan = PlanDouble((packet(PlanGate("pairs", ("pairs",), priority="P1", requires=("json-rpc",))),))
    if way == "waiver":
        plan = replace(plan, waivers=(PlanWaiver("pairs"),))
    attest = Attestation((), (CLOSING,) if way == "closing" else ())
    known = {"pairs": result("pairs", run("pairs", recovers=Outcome.PASSED))}
    verdict = fold(plan, known, attest, TODAY, capabilities=frozenset())
    assert (verdict.verdict, [one.gate for one in verdict.conditions]) == (Verdict.GO_WITH_CONDITIONS, ["pairs"])
    if way == "closing":
        assert verdict.closed_conditions[0].reason == "the gate does not apply: nothing can be shown for it"


def test_closings_are_read_from_the_attest_file_and_written_back() -> None:
    attest = Attestation.from_data({"version": 1, "statements": [], "closed": [DATA]})
    assert attest.closed == (Closing("pairs", "E. Engineer", date(2026, 2, 8), "a bundle"),)
    assert Attestation.from_data(attest.to_data()) == attest


@pytest.mark.parametrize(
    "closed",
    [
        None,
        {},
        [1],
        [{**DATA, "holds": True}],
        [{key: value for key, value in DATA.items() if key != "evidence"}],
        [{**DATA, "by": 1}],
        [{**DATA, "on": "soon"}],
    ],
    ids=str,
)
def test_a_malformed_closing_is_refused(closed: object) -> None:
    with pytest.raises(ValueError, match="closed"):
        Attestation.from_data({"version": 1, "statements": [], "closed": closed})
