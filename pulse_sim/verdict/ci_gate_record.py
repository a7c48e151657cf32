"""``gate.json``: the gate of a pipeline as plain data, and read back with its runs judged again.

Knows nothing of files. What it reads was written by others: anything of another shape is a ValueError.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pulse_sim.outcome import Outcome
from pulse_sim.verdict.ci_gate import Change, CheckChange, CiGate, Comparison, GateRun, NotRun, Repeat
from pulse_sim.verdict.model import JsonObject, RunSummary

VERSION: Final = 1


def ci_gate_data(gate: CiGate) -> JsonObject:
    """The content of ``gate.json``."""
    return {
        "version": VERSION,
        "outcome": gate.outcome.value,
        "reasons": list(gate.reasons),
        "budget_s": gate.budget_s,
        "runs": [_run_data(run) for run in gate.runs],
        "not_run": [{"scenario": one.scenario, "seed": one.seed, "reason": one.reason} for one in gate.not_run],
        "comparison": None if gate.comparison is None else comparison_data(gate.comparison),
        "outcome_digest": gate.outcome_digest,
    }


def comparison_data(comparison: Comparison) -> JsonObject:
    """The comparison as plain data; what is the same is only counted."""
    return {
        "outcome": comparison.outcome.value,
        "counts": {change.value: comparison.count(change) for change in Change},
        "changes": [
            {
                "scenario": one.scenario,
                "seed": one.seed,
                "check": one.check,
                "about": one.about,
                "before": None if one.before is None else one.before.value,
                "now": None if one.now is None else one.now.value,
                "change": one.change.value,
            }
            for one in comparison.changes
        ],
        "damages": list(comparison.damages),
        "foreign": list(comparison.foreign),
        "missing": list(comparison.missing),
        "unused": comparison.unused,
    }


def _run_data(run: GateRun) -> JsonObject:
    summary, again = run.summary, run.repeat
    return {
        "run": summary.run,
        "scenario": summary.scenario,
        "seed": summary.seed,
        "outcome": summary.outcome.value,
        "reason": summary.reason,
        "bundled": bool(summary.trace_digest),
        "trace_digest": summary.trace_digest,
        "outcome_digest": summary.outcome_digest,
        "replay": run.replay,
        "repeat": None
        if again is None
        else {
            "outcome": None if again.outcome is None else again.outcome.value,
            "same": again.repeats(summary),
            "trace_digest": again.trace_digest,
            "outcome_digest": again.outcome_digest,
            "run": again.run,
            "reason": again.reason,
        },
    }


def ci_gate_from_data(catalogue: Any, recorded: Any, runs: Sequence[RunSummary]) -> CiGate:
    """The gate that ``catalogue.json`` and ``gate.json`` tell of, with ``runs`` in the place of those recorded.

    Whether a run repeated itself is held to the digests recorded; what a baseline said cannot be asked again.
    """
    planned = tuple(
        (_text(one, "id"), seed)
        for seed in _list(_object(catalogue), "seeds")
        for one in _list(_object(catalogue), "scenarios")
    )
    if not all(type(seed) is int for _, seed in planned):
        raise ValueError("a seed is an integer")
    data = _object(recorded)
    if data.get("version") != VERSION or isinstance(data.get("version"), bool):
        raise ValueError(f"gate.json version {data.get('version')!r} is not {VERSION}, the one known here")
    budget, told, compared = data.get("budget_s"), _list(data, "runs"), data.get("comparison")
    if budget is not None and (isinstance(budget, bool) or not isinstance(budget, int | float)):
        raise ValueError("budget_s is a number or null")
    return CiGate(
        planned=planned,
        runs=tuple(_run(one, run) for one, run in zip(told, runs, strict=True)),
        not_run=tuple(
            NotRun(_text(one, "scenario"), _seed(one), _text(one, "reason")) for one in _list(data, "not_run")
        ),
        comparison=None if compared is None else _comparison(_object(compared)),
        budget_s=budget,
    )


def _run(told: Any, run: RunSummary) -> GateRun:
    again = _object(told).get("repeat")
    return GateRun(run, _text(told, "replay"), None if again is None else _repeat(_object(again)))


def _repeat(told: Mapping[str, Any]) -> Repeat:
    run = told.get("run")
    return Repeat(
        _outcome(told.get("outcome")),
        _text(told, "trace_digest"),
        _text(told, "outcome_digest"),
        None if run is None else _text(told, "run"),
        _text(told, "reason"),
    )


def _comparison(told: Mapping[str, Any]) -> Comparison:
    same, unused = _object(told.get("counts")).get("same"), told.get("unused")
    if type(same) is not int or type(unused) is not int:
        raise ValueError("what is counted is an integer")
    damages, foreign, missing = (
        tuple(_word(one) for one in _list(told, name)) for name in ("damages", "foreign", "missing")
    )
    changes = tuple(
        CheckChange(
            _text(one, "scenario"),
            _seed(one),
            _text(one, "check"),
            _text(one, "about"),
            _outcome(_object(one).get("before")),
            _outcome(_object(one).get("now")),
        )
        for one in _list(told, "changes")
    )
    return Comparison(changes, damages, foreign, missing, unused, same)


def _outcome(value: Any) -> Outcome | None:
    return None if value is None else Outcome(_word(value))


def _seed(value: Any) -> int:
    seed = _object(value).get("seed")
    if type(seed) is not int:
        raise ValueError("a seed is an integer")
    return seed


def _text(value: Any, name: str) -> str:
    return _word(_object(value).get(name))


def _word(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("a text is missing in a recorded document")
    return value


def _list(value: Mapping[str, Any], name: str) -> list[Any]:
    found = value.get(name)
    if not isinstance(found, list):
        raise ValueError(f"{name} is not a list")
    return found


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError("an object is missing in a recorded document")
    return value
