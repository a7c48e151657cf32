"""Why a verdict is what it is: the shortest chain of evidence, from the recorded verdict down to one check of one run.

Reads what a bundle recorded, as plain data, and recomputes nothing. What it reads was written by others: whatever is
not of the shape it should have is left out, never believed.
"""

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pulse_sim.outcome import Outcome
from pulse_sim.verdict.model import JudgedCheck, RunSummary

NEAREST_AT_MOST = 3


@dataclass(frozen=True, slots=True)
class Step:
    """One link: ``kind`` is verdict, packet, gate, evidence, run or check, ``id`` its name.

    ``about`` says what it is, ``why`` why it came to its outcome, where that is known there.
    """

    kind: str
    id: str
    outcome: str
    about: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Chain:
    """From the answer to the check it comes down to. ``run`` and ``check`` are None where the chain ends before them.

    ``beside`` is how many further reasons there are.
    """

    steps: tuple[Step, ...]
    run: str | None = None
    check: JudgedCheck | None = None
    beside: int = 0


class UnknownCheck(Exception):
    """No run judged a check of that name. ``nearest`` are names there are, the likeliest first."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        names = list(dict.fromkeys(known))
        super().__init__(name)
        self.name = name
        self.known = tuple(names)
        self.nearest = tuple(get_close_matches(name, names, NEAREST_AT_MOST, 0.4))


def explain_run(run: RunSummary, check: str | None = None) -> Chain:
    """Why a run is not passed, or passed; of ``check`` alone when one is named. Raises UnknownCheck."""
    named = _named(run.checks, check)
    if check is not None and not named:
        raise UnknownCheck(check, (line.check for line in run.checks))
    line = _first_of_the_worst(named) if check is not None else _first_of_the_worst(_open(run.checks))
    top = Step("run", run.run, run.outcome.value, _sum(run), run.reason)
    if line is None:
        return Chain((top,), run.run)
    beside = 0 if check is not None else len(_open(run.checks)) - 1
    return Chain((top, _check_step(line)), run.run, line, beside)


def explain_verdict(
    verdict: Mapping[str, Any], packets: Mapping[str, Any], runs: Mapping[str, RunSummary], check: str | None = None
) -> Chain:
    """Why a verdict is what ``verdict.json`` says. ``packets`` is ``packets.json``; ``runs`` are its runs by name.

    Of ``check`` alone when one is named: the worst run that judged it. Raises UnknownCheck.
    """
    word, reasons = _text(verdict, "verdict"), _texts(verdict.get("reasons"))
    top = Step("verdict", _text(verdict, "plan"), word, _text(verdict, "title"), reasons[0] if reasons else "")
    if check is not None:
        return _of_check(top, packets, runs, check)
    if word == "GO" or not reasons:
        return Chain((top, *_done(packets)))
    recorded = _objects(verdict.get("chains"))
    told = _objects(recorded[0].get("steps")) if recorded else []
    steps = [(_text(step, "kind"), _text(step, "id"), _text(step, "outcome")) for step in told if step]
    links = [link for link in steps if link[0] != "verdict"] or list(_derived(packets))
    chain = _told(links, packets, runs)
    return Chain((top, *chain.steps), chain.run, chain.check, len(reasons) - 1)


def explain_gate(gate: Mapping[str, Any], runs: Mapping[str, RunSummary], check: str | None = None) -> Chain:
    """The same of a pipeline's gate; ``gate`` is ``gate.json``. Raises UnknownCheck."""
    reasons = _texts(gate.get("reasons"))
    passed = sum(run.outcome is Outcome.PASSED for run in runs.values())
    about = f"{passed} of {_count(len(runs), 'run')} passed"
    top = Step("gate", "gate", _text(gate, "outcome"), about, reasons[0] if reasons else "")
    if check is None:
        first = max(runs.values(), key=lambda run: run.outcome.rank, default=None)
        if first is None or first.outcome is Outcome.PASSED:
            return Chain((top,), beside=max(len(reasons) - 1, 0))
    else:
        first = _worst_with(runs, check)
    below = explain_run(first, check)
    return Chain((top, *below.steps), below.run, below.check, max(len(reasons) - 1, 0))


def _of_check(top: Step, packets: Mapping[str, Any], runs: Mapping[str, RunSummary], check: str) -> Chain:
    run = _worst_with(runs, check)
    line = _first_of_the_worst(_named(run.checks, check))
    links: list[tuple[str, str, str]] = []
    for packet in _objects(packets.get("packets")):
        for gate in _objects(packet.get("gates")):
            for item in _objects(gate.get("evidence")):
                if item.get("run") == run.run and not links:
                    links.append(("packet", _text(packet, "id"), _text(packet, "state")))
                    links.append(("gate", _text(gate, "id"), _text(gate, "outcome")))
                    links.append(("evidence", _text(item, "id"), _text(item, "outcome")))
    links.append(("run", run.run, run.outcome.value))
    chain = _told(links, packets, runs, to_the_check=False)
    assert line is not None
    return Chain((top, *chain.steps, _check_step(line)), run.run, line)


def _derived(packets: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """A chain from the packets alone, for a verdict that recorded none: the first of everything that is open."""
    for packet in _objects(packets.get("packets")):
        if _text(packet, "state") == "DONE":
            continue
        yield "packet", _text(packet, "id"), _text(packet, "state")
        for gate in _objects(packet.get("gates")):
            if gate.get("closed") is True:
                continue
            yield "gate", _text(gate, "id"), _text(gate, "outcome")
            for item in _objects(gate.get("evidence")):
                if item.get("outcome") != Outcome.PASSED:
                    yield "evidence", _text(item, "id"), _text(item, "outcome")
                    if _text(item, "run"):
                        yield "run", _text(item, "run"), _text(item, "outcome")
                    return
            return
        return


def _told(
    links: Sequence[tuple[str, str, str]],
    packets: Mapping[str, Any],
    runs: Mapping[str, RunSummary],
    *,
    to_the_check: bool = True,
) -> Chain:
    """Links with their words; ``to_the_check`` adds the run's worst check where they end at a run."""
    words = _words(packets)
    steps: list[Step] = []
    run: RunSummary | None = None
    line: JudgedCheck | None = None
    for kind, name, outcome in links:
        if kind == "run":
            run = runs.get(name)
            steps.append(Step(kind, name, outcome, *(("", "") if run is None else (_sum(run), run.reason))))
        elif kind == "check" and run is not None:
            line = _first_of_the_worst(_named(run.checks, name))
        else:
            steps.append(Step(kind, name, outcome, *words.get((kind, name), ("", ""))))
    if run is not None and line is None and to_the_check:
        line = _first_of_the_worst(_open(run.checks))
    if line is not None:
        steps.append(_check_step(line))
    return Chain(tuple(steps), None if run is None else run.run, line)


def _words(packets: Mapping[str, Any]) -> dict[tuple[str, str], tuple[str, str]]:
    """What each packet, gate and evidence item is about, and why it came to what it did."""
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for packet in _objects(packets.get("packets")):
        reasons = _texts(packet.get("reasons"))
        found["packet", _text(packet, "id")] = (_text(packet, "title"), reasons[0] if reasons else "")
        for gate in _objects(packet.get("gates")):
            about = f"({_text(gate, 'priority')}) {_text(gate, 'title')}"
            found["gate", _text(gate, "id")] = (about, _text(gate, "reason"))
        for item in _objects(packet.get("evidence")):
            found["evidence", _text(item, "id")] = (_made_of(item), _text(item, "reason"))
    return found


def _made_of(item: Mapping[str, Any]) -> str:
    """What an evidence item is: a command as it was called, or so many runs."""
    command, runs = item.get("command"), _objects(item.get("runs"))
    if isinstance(command, Mapping):
        status = "" if _text(item, "reason") else f" ended with {command.get('exit_status')}"
        return f"command {shlex.join(_texts(command.get('argv')))}{status}"
    not_passed = sum(run.get("outcome") != Outcome.PASSED for run in runs)
    return f"{not_passed} of {_count(len(runs), 'run')} not passed" if runs else _text(item, "kind")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _done(packets: Mapping[str, Any]) -> Iterator[Step]:
    for packet in _objects(packets.get("packets")):
        gates = _objects(packet.get("gates"))
        passed = sum(gate.get("outcome") == Outcome.PASSED for gate in gates)
        items = _objects(packet.get("evidence"))
        runs = {_text(run, "run") for item in items for run in _objects(item.get("runs"))}
        commands = sum(isinstance(item.get("command"), Mapping) for item in items)
        told = ", ".join(_count(number, what) for number, what in ((len(runs), "run"), (commands, "command")) if number)
        shown = f"{passed} of {_count(len(gates), 'gate')} passed{' on ' if told else ''}{told}"
        yield Step("packet", _text(packet, "id"), _text(packet, "state"), f"{_text(packet, 'title')}: {shown}")


def _worst_with(runs: Mapping[str, RunSummary], check: str) -> RunSummary:
    judged = [run for run in runs.values() if _named(run.checks, check)]
    if not judged:
        raise UnknownCheck(check, sorted({line.check for run in runs.values() for line in run.checks}))
    return max(judged, key=lambda run: max(line.outcome.rank for line in _named(run.checks, check)))


def _check_step(line: JudgedCheck) -> Step:
    why = f"expected {line.expected}; observed {line.observed}"
    if line.reason not in ("", line.observed, why):
        why = f"{why}; {line.reason}"
    return Step("check", line.check, line.outcome.value, "", why)


def _sum(run: RunSummary) -> str:
    passed = len(run.checks) - len(_open(run.checks))
    return f"{passed} of {len(run.checks)} checks passed"


def _open(lines: Sequence[JudgedCheck]) -> list[JudgedCheck]:
    return [line for line in lines if line.outcome is not Outcome.PASSED]


def _named(lines: Sequence[JudgedCheck], check: str | None) -> list[JudgedCheck]:
    return [line for line in lines if line.check == check]


def _first_of_the_worst(lines: Sequence[JudgedCheck]) -> JudgedCheck | None:
    return max(lines, key=lambda line: line.outcome.rank, default=None)


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _texts(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _text(value: Mapping[str, Any], name: str) -> str:
    found = value.get(name)
    return found if isinstance(found, str) else ""
