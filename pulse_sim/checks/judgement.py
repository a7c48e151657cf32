"""What a check is and what it says. Knows nothing of any particular check.

A judge either finds something out or raises :class:`NoEvidence`, which can only become INCONCLUSIVE: there is no way to
pass by having seen nothing.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from pulse_sim.checks.parameters import Parameters
from pulse_sim.observation import RunLog
from pulse_sim.outcome import Outcome

EVIDENCE_AT_MOST: Final = 8

P = TypeVar("P", bound=Parameters)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a check says of a log. ``evidence`` are sequence numbers; ``reason`` is empty when passed."""

    outcome: Outcome
    expected: str
    observed: str
    evidence: tuple[int, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a judge found out: whether the expectation holds, in words what it saw, and where."""

    holds: bool
    observed: str
    evidence: Iterable[int] = ()

    def __post_init__(self) -> None:
        if type(self.holds) is not bool:
            raise TypeError("an expectation holds or does not")


class NoEvidence(Exception):
    """The log cannot tell. The message says what is missing."""

    def __init__(self, missing: str, evidence: Iterable[int] = ()) -> None:
        super().__init__(missing)
        self.missing = missing
        self.evidence = bounded(evidence)


@dataclass(frozen=True, slots=True)
class CheckKind:
    """One kind of check: its name in a scenario file, one line about it, its parameter model and its judge."""

    name: str
    doc: str
    parameters: type[Parameters]
    judge: Callable[[RunLog, Any], Judgement]


def check_kind(
    name: str, parameters: type[P], expected: Callable[[P], str], find: Callable[[RunLog, P], Finding]
) -> CheckKind:
    """A check kind whose judge says ``expected`` and what ``find`` found. Its doc line is the parameter model's."""

    def judge(log: RunLog, given: P) -> Judgement:
        wanted = expected(given)
        try:
            finding = find(log, given)
        except NoEvidence as gap:
            return Judgement(Outcome.INCONCLUSIVE, wanted, gap.missing, gap.evidence, gap.missing)
        evidence = bounded(finding.evidence)
        if finding.holds:
            return Judgement(Outcome.PASSED, wanted, finding.observed, evidence)
        return Judgement(
            Outcome.FAILED, wanted, finding.observed, evidence, f"expected {wanted}; observed {finding.observed}"
        )

    doc = (parameters.__doc__ or "").strip().partition("\n")[0]
    return CheckKind(name, doc, parameters, judge)


def bounded(evidence: Iterable[int]) -> tuple[int, ...]:
    """Sequence numbers in order without repetition; of many, the first and the last few."""
    ordered = sorted(set(evidence))
    half = EVIDENCE_AT_MOST // 2
    return tuple(ordered) if len(ordered) <= EVIDENCE_AT_MOST else (*ordered[:half], *ordered[-half:])


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check of one run, judged. ``parameters`` are those given, as plain JSON."""

    check: str
    parameters: Mapping[str, Any]
    outcome: Outcome
    expected: str
    observed: str
    evidence: tuple[int, ...]
    reason: str

    def to_data(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "check": self.check,
            "parameters": dict(self.parameters),
            "outcome": self.outcome.value,
            "expected": self.expected,
            "observed": self.observed,
            "evidence": list(self.evidence),
            "reason": self.reason,
        }

    @classmethod
    def from_data(cls, data: Any) -> "CheckResult":
        """Read :meth:`to_data` back. Raises ValueError for anything else."""
        texts = ("check", "outcome", "expected", "observed", "reason")
        if not isinstance(data, dict) or data.keys() != {*texts, "parameters", "evidence"}:
            raise ValueError(f"a check result has the keys {', '.join((*texts, 'parameters', 'evidence'))}")
        if not all(isinstance(data[name], str) for name in texts) or not isinstance(data["parameters"], dict):
            raise ValueError("a check result's parameters are an object and its words are text")
        evidence = data["evidence"]
        if not isinstance(evidence, list) or not all(type(seq) is int and seq >= 0 for seq in evidence):
            raise ValueError("a check result's evidence is a list of sequence numbers")
        return cls(
            data["check"],
            data["parameters"],
            Outcome(data["outcome"]),
            data["expected"],
            data["observed"],
            tuple(evidence),
            data["reason"],
        )
