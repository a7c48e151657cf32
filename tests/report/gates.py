"""A gate of a pipeline with one of everything, for tests of what is told of it."""

from pulse_sim.outcome import Outcome
from pulse_sim.verdict import JudgedCheck, RunSummary
from pulse_sim.verdict.ci_gate import CheckChange, CiGate, Comparison, GateRun, NotRun, Repeat


def run(name: str, outcome: Outcome, seed: int = 1) -> GateRun:
    """A run of one check, both called ``name``; what is not passed was repeated and came out otherwise."""
    lines = (JudgedCheck(name, outcome, f"{name} holds", f"{name} does not", f"{name} is late"),)
    summary = RunSummary(f"{name}-{seed}", name, seed, outcome, lines, trace_digest="a" * 64, outcome_digest="b" * 64)
    again = None if outcome is Outcome.PASSED else Repeat(Outcome.PASSED, "c" * 64, "b" * 64)
    return GateRun(summary, f"pulse-sim run {name}.yaml --seed {seed}", again)


def told(name: str) -> CiGate:
    """A gate with one of everything, all of it called ``name``."""
    changes = (
        CheckChange(name, 1, name, name, Outcome.PASSED, Outcome.FAILED),
        CheckChange(name, 1, name, name, Outcome.PASSED, None),
        CheckChange(name, 1, name, name, Outcome.FAILED, Outcome.PASSED),
    )
    compared = Comparison(changes, (), (name,), (f"{name} seed 2",), 4, 9)
    runs = (run(name, Outcome.FAILED), run(name, Outcome.PASSED, 2))
    return CiGate(((name, 1), (name, 2), (name, 3)), runs, (NotRun(name, 3, "the budget ended"),), compared, 600.0)
