"""The shortest chain of evidence: it starts with the answer and ends with the check that made it."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from pulse_sim.outcome import Outcome
from pulse_sim.verdict import JudgedCheck, RunSummary
from pulse_sim.verdict.explanation import Chain, Step, UnknownCheck, explain_gate, explain_run, explain_verdict

LATE = JudgedCheck("recovers", Outcome.FAILED, "fresh by 15m", "stale to the end")
UNSEEN = JudgedCheck("poll_errors", Outcome.INCONCLUSIVE, "an error", "no sample", "no sample of the counter")
FINE = JudgedCheck("never_crashes", Outcome.PASSED, "no crash", "no crash")


def run(*checks: JudgedCheck, name: str = "small-1", outcome: Outcome | None = None, reason: str = "") -> RunSummary:
    worst_one = max((line.outcome for line in checks), key=lambda one: one.rank, default=Outcome.INCONCLUSIVE)
    return RunSummary(name, "small", 1, outcome or worst_one, checks, reason)


def links(chain: Chain) -> list[tuple[str, str, str]]:
    return [(step.kind, step.id, step.outcome) for step in chain.steps]


BAD, GOOD = run(UNSEEN, FINE, LATE, name="small-1"), run(FINE, name="small-2")
RUNS = {one.run: one for one in (GOOD, BAD)}
EVIDENCE = [{"id": "small", "scenario": "small", "outcome": one.outcome.value, "run": one.run} for one in RUNS.values()]


def packet(state: str, gate: str) -> dict[str, Any]:
    return {
        "id": "TRR-04",
        "title": "Failure injection",
        "state": state,
        "reasons": [] if state == "DONE" else ["gate recovers (P0): check recovers"],
        "gates": [
            {"id": "runs", "priority": "P0", "title": "It runs", "outcome": "passed", "closed": True, "evidence": []},
            {
                "id": "recovers",
                "priority": "P0",
                "title": "It recovers",
                "outcome": gate,
                "closed": gate == "passed",
                "reason": "" if gate == "passed" else "check recovers",
                "evidence": EVIDENCE,
            },
        ],
        "evidence": [{"id": "small", "kind": "scenario", "outcome": gate, "reason": "", "runs": EVIDENCE}],
    }


PACKETS = {"packets": [packet("CHANGES_REQUESTED", "failed")]}
NO_GO: dict[str, Any] = {
    "plan": "trr",
    "title": "A plan",
    "verdict": "NO_GO",
    "reasons": ["TRR-04 · gate recovers (P0): check recovers", "another"],
}
CHAIN = [
    {"kind": "verdict", "id": "NO_GO", "outcome": "NO_GO"},
    {"kind": "packet", "id": "TRR-04", "outcome": "CHANGES_REQUESTED"},
    {"kind": "gate", "id": "recovers", "outcome": "failed"},
    {"kind": "evidence", "id": "small", "outcome": "failed"},
    {"kind": "run", "id": "small-1", "outcome": "failed"},
    {"kind": "check", "id": "recovers", "outcome": "failed"},
]
WHOLE = [
    ("verdict", "trr", "NO_GO"),
    ("packet", "TRR-04", "CHANGES_REQUESTED"),
    ("gate", "recovers", "failed"),
    ("evidence", "small", "failed"),
    ("run", "small-1", "failed"),
    ("check", "recovers", "failed"),
]


def test_a_run_that_is_not_passed_comes_down_to_the_first_of_its_worst_checks() -> None:
    chain = explain_run(BAD)
    assert links(chain) == [("run", "small-1", "failed"), ("check", "recovers", "failed")]
    assert (chain.check, chain.beside) == (LATE, 1)
    assert chain.steps[1].why == "expected fresh by 15m; observed stale to the end"


def test_a_passed_run_is_its_checks_and_a_named_check_is_shown_passed_or_not() -> None:
    assert explain_run(GOOD).steps[0].about == "1 of 1 checks passed"
    assert explain_run(GOOD).check is None
    assert explain_run(BAD, "never_crashes").check == FINE
    assert explain_run(BAD, "poll_errors").steps[-1].why.endswith("no sample; no sample of the counter")


def test_what_is_wrong_with_a_run_as_a_whole_stands_at_its_head() -> None:
    chain = explain_run(run(outcome=Outcome.ERRORED, reason="the worker died"))
    assert [(step.outcome, step.why) for step in chain.steps] == [("errored", "the worker died")]


@pytest.mark.parametrize("recorded", [True, False], ids=["recorded", "derived"])
def test_a_verdict_goes_down_to_the_check_whether_or_not_it_recorded_its_chains(recorded: bool) -> None:
    chains = {"chains": [{"reason": "", "steps": CHAIN, "records": [3]}]} if recorded else {}
    chain = explain_verdict({**NO_GO, **chains}, PACKETS, RUNS)
    assert links(chain) == WHOLE
    assert (chain.run, chain.check, chain.beside) == ("small-1", LATE, 1)
    assert [(step.about, step.why) for step in chain.steps[1:4]] == [
        ("Failure injection", "gate recovers (P0): check recovers"),
        ("(P0) It recovers", "check recovers"),
        ("1 of 2 runs not passed", ""),
    ]


def test_go_is_its_packets() -> None:
    go = {"plan": "trr", "title": "A plan", "verdict": "GO", "reasons": []}
    chain = explain_verdict(go, {"packets": [packet("DONE", "passed")]}, {"small-2": GOOD})
    assert links(chain) == [("verdict", "trr", "GO"), ("packet", "TRR-04", "DONE")]
    assert chain.steps[1].about == "Failure injection: 2 of 2 gates passed on 2 runs"


@pytest.mark.parametrize(
    ("reason", "told"),
    [("", "command pulse-sim verify 'a b' ended with 0"), ("timed out", "command pulse-sim verify 'a b'")],
)
def test_a_command_is_told_as_it_was_called(reason: str, told: str) -> None:
    command = {"argv": ["pulse-sim", "verify", "a b"], "exit_status": 0}
    item = {"id": "small", "kind": "command", "reason": reason, "command": command}
    chain = explain_verdict(NO_GO, {"packets": [{**packet("CHANGES_REQUESTED", "failed"), "evidence": [item]}]}, {})
    assert (chain.steps[3].about, chain.steps[3].why) == (told, reason)


def test_a_named_check_is_explained_by_the_worst_run_that_judged_it() -> None:
    runs = {**RUNS, "small-3": run(JudgedCheck("recovers", Outcome.PASSED), name="small-3")}
    chain = explain_verdict(NO_GO, PACKETS, runs, "recovers")
    assert (chain.run, chain.check) == ("small-1", LATE)
    assert links(chain) == WHOLE
    assert [step.about for step in chain.steps] == [
        "A plan",
        "Failure injection",
        "(P0) It recovers",
        "1 of 2 runs not passed",
        "1 of 3 checks passed",
        "",
    ]


def test_a_run_no_gate_looks_at_is_explained_without_one() -> None:
    chain = explain_verdict(NO_GO, {"packets": []}, RUNS, "recovers")
    assert [kind for kind, _, _ in links(chain)] == ["verdict", "run", "check"]


def test_a_check_nobody_judged_names_the_nearest() -> None:
    asking: list[Callable[[], Chain]] = [
        lambda: explain_run(BAD, "recovrs"),
        lambda: explain_verdict(NO_GO, PACKETS, RUNS, "recovrs"),
        lambda: explain_gate({"outcome": "failed", "reasons": ["x"]}, RUNS, "recovrs"),
    ]
    for ask in asking:
        with pytest.raises(UnknownCheck) as caught:
            ask()
        assert (caught.value.name, str(caught.value), caught.value.nearest[0]) == ("recovrs", "recovrs", "recovers")
        assert set(caught.value.known) == {"recovers", "poll_errors", "never_crashes"}


def test_a_gate_comes_down_to_its_worst_run() -> None:
    chain = explain_gate({"outcome": "failed", "reasons": ["small seed 1 failed", "more"]}, RUNS)
    assert links(chain) == [("gate", "gate", "failed"), ("run", "small-1", "failed"), ("check", "recovers", "failed")]
    assert chain.beside == 1
    passed = explain_gate({"outcome": "passed", "reasons": []}, {"small-2": GOOD})
    assert [(step.outcome, step.about) for step in passed.steps] == [("passed", "1 of 1 run passed")]


DAMAGED: list[Mapping[str, Any]] = [
    {},
    {"packets": None},
    {"packets": [None, 3, {"gates": 7}]},
    {"packets": [{"id": 3, "state": None, "gates": [{"evidence": [{"run": []}]}], "evidence": ["x"], "reasons": 1}]},
]


@pytest.mark.parametrize("packets", DAMAGED, ids=range(len(DAMAGED)))
@pytest.mark.parametrize("chains", [None, [], [3], [{"steps": [None, {"kind": 1}]}]], ids=range(4))
def test_what_is_of_another_shape_is_left_out(packets: Mapping[str, Any], chains: Any) -> None:
    chain = explain_verdict({**NO_GO, "chains": chains}, packets, {})
    assert chain.steps[0].outcome == "NO_GO"
    assert chain.check is None


def test_a_chain_names_its_run_and_how_many_reasons_stand_beside_it() -> None:
    assert explain_run(GOOD) == Chain((Step("run", "small-2", "passed", "1 of 1 checks passed", ""),), "small-2")
    named = explain_run(BAD, "recovers")
    assert (named.run, named.check, named.beside) == ("small-1", LATE, 0)
    assert (explain_run(BAD).run, explain_run(BAD).beside) == ("small-1", 1)


def test_a_name_far_from_every_check_is_still_near_some() -> None:
    with pytest.raises(UnknownCheck) as caught:
        explain_run(BAD, "crash")
    assert caught.value.nearest == ("never_crashes",)


def test_a_gate_says_its_first_reason_and_counts_the_others() -> None:
    whole = explain_gate({"outcome": "failed", "reasons": ["first", "second", "third"]}, RUNS)
    assert whole.steps[0] == Step("gate", "gate", "failed", "1 of 2 runs passed", "first")
    assert (whole.run, whole.check, whole.beside) == ("small-1", LATE, 2)
    named = explain_gate({"outcome": "failed", "reasons": ["first"]}, RUNS, "never_crashes")
    assert (named.check, named.beside) == (FINE, 0)


@pytest.mark.parametrize(
    ("reasons", "why", "beside"), [([], "", 0), (["slower"], "slower", 0), (["slower", "gone"], "slower", 1)]
)
@pytest.mark.parametrize("runs", [{}, {"small-2": GOOD}], ids=["none", "passed"])
def test_a_gate_none_of_whose_runs_is_to_blame_is_its_reasons(
    reasons: list[str], why: str, beside: int, runs: Mapping[str, RunSummary]
) -> None:
    chain = explain_gate({"outcome": "failed", "reasons": reasons}, runs)
    about = f"{len(runs)} of {len(runs)} run{'' if runs else 's'} passed"
    assert chain == Chain((Step("gate", "gate", "failed", about, why),), beside=beside)


def test_packets_that_are_done_stand_in_no_chain() -> None:
    done = {**packet("DONE", "failed"), "id": "TRR-03"}
    assert links(explain_verdict(NO_GO, {"packets": [done, *PACKETS["packets"]]}, RUNS)) == WHOLE


def test_evidence_without_runs_is_told_by_its_kind() -> None:
    item = {"id": "small", "kind": "inventory", "reason": "there is no inventory"}
    chain = explain_verdict(NO_GO, {"packets": [{**packet("CHANGES_REQUESTED", "failed"), "evidence": [item]}]}, {})
    assert chain.steps[3] == Step("evidence", "small", "failed", "inventory", "there is no inventory")


@pytest.mark.parametrize(
    ("evidence", "shown"),
    [
        ([], ""),
        ([{"command": {}}], " on 1 command"),
        ([{"runs": [{"run": "a"}, {"run": "b"}]}, {"runs": [{"run": "a"}]}, {"command": {}}], " on 2 runs, 1 command"),
    ],
)
def test_a_packet_that_is_done_counts_each_run_once(evidence: list[Any], shown: str) -> None:
    chain = explain_verdict({**NO_GO, "verdict": "GO"}, {"packets": [{**packet("DONE", ""), "evidence": evidence}]}, {})
    assert chain.steps[1].about == f"Failure injection: 1 of 2 gates passed{shown}"


def test_a_recorded_chain_ends_at_the_check_it_names_and_not_at_a_worse_one() -> None:
    steps = [*CHAIN[:-1], {"kind": "check", "id": "poll_errors", "outcome": "inconclusive"}]
    chain = explain_verdict({**NO_GO, "chains": [{"steps": steps}]}, PACKETS, RUNS)
    assert (chain.check, links(chain)[-1]) == (UNSEEN, ("check", "poll_errors", "inconclusive"))


def test_a_run_that_cannot_be_read_is_a_step_without_words() -> None:
    chain = explain_verdict({**NO_GO, "chains": [{"steps": CHAIN[:-1]}]}, PACKETS, {})
    assert (chain.steps[-1], chain.run, chain.check) == (Step("run", "small-1", "failed"), None, None)


def test_of_the_runs_of_an_item_those_not_passed_are_counted() -> None:
    item = {"id": "small", "runs": [{"outcome": outcome} for outcome in ("failed", "passed", "errored")]}
    chain = explain_verdict(NO_GO, {"packets": [{**packet("CHANGES_REQUESTED", "failed"), "evidence": [item]}]}, {})
    assert chain.steps[3].about == "2 of 3 runs not passed"
