"""Human inputs as evidence: sign-off, open critical issues, triage (R10). Without a statement their gates stay open.

Knows nothing of files; :mod:`pulse_sim.evidence` reads them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from pulse_sim.outcome import Outcome
from pulse_sim.verdict.model import JsonObject, Problem

HOLDS_FOR: Final = timedelta(days=30)
"""How old a human input may be on the day of the decision: what was true a season ago says nothing of today."""

_VERSION: Final = 1
_CLOSING_KEYS: Final = frozenset({"gate", "by", "on", "evidence", "note"})
_KEYS: Final = frozenset({"id", "holds", "by", "on", "note"})


@dataclass(frozen=True, slots=True)
class Statement:
    """One human input: who states, on which day, that it holds or does not."""

    id: str
    holds: bool
    by: str
    on: date
    note: str = ""


@dataclass(frozen=True, slots=True)
class Closing:
    """A condition somebody has closed since: who states it, on which day, and what shows it."""

    gate: str
    by: str
    on: date
    evidence: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Attestation:
    """All statements of one attest file."""

    statements: tuple[Statement, ...]
    closed: tuple[Closing, ...] = ()

    @classmethod
    def from_data(cls, value: Any) -> "Attestation":
        """Read ``{version: 1, statements: [{id, holds, by, on, note?}], closed?: [{gate, by, on, evidence, note?}]}``.

        Raises ValueError naming what is wrong.
        """
        keys = set(value) if isinstance(value, Mapping) else set()
        if not {"version", "statements"} <= keys <= {"version", "statements", "closed"}:
            raise ValueError("an attest file has the keys version and statements, and perhaps closed")
        if value["version"] != _VERSION or isinstance(value["version"], bool):
            raise ValueError(f"attest file version {value['version']!r} is not {_VERSION}, the one known here")
        if not isinstance(value["statements"], list):
            raise ValueError("statements is a list")
        if not isinstance(value.get("closed", []), list):
            raise ValueError("closed is a list")
        return cls(
            tuple(_statement(index, item) for index, item in enumerate(value["statements"])),
            tuple(_closing(index, item) for index, item in enumerate(value.get("closed", []))),
        )

    def to_data(self) -> JsonObject:
        """The plain form that :meth:`from_data` reads back."""
        return {
            "version": _VERSION,
            "statements": [
                {"id": one.id, "holds": one.holds, "by": one.by, "on": one.on.isoformat(), "note": one.note}
                for one in self.statements
            ],
            "closed": [
                {"gate": one.gate, "by": one.by, "on": one.on.isoformat(), "evidence": one.evidence, "note": one.note}
                for one in self.closed
            ],
        }


def judge_attestation(attest: Attestation | None, decided_on: date) -> dict[str, Problem | None]:
    """For each human input given: None when it holds, else what is wrong with it.

    Dated after the decision or long before it, unsigned or given twice is not a statement; saying that it does not
    hold is a failure.
    """
    judged: dict[str, Problem | None] = {}
    for one in () if attest is None else attest.statements:
        problem = _problem(one, decided_on)
        if one.id in judged:
            problem = Problem(Outcome.INCONCLUSIVE, f"human input {one.id} is given more than once")
        judged[one.id] = problem
    return judged


def _problem(one: Statement, decided_on: date) -> Problem | None:
    if not one.holds:
        return Problem(Outcome.FAILED, f"human input {one.id}: {one.by or 'nobody'} states that it does not hold")
    if not one.by.strip():
        return Problem(Outcome.INCONCLUSIVE, f"human input {one.id} names nobody who gave it")
    if one.on > decided_on:
        return Problem(Outcome.INCONCLUSIVE, f"human input {one.id} is dated {one.on}, after the decision {decided_on}")
    if decided_on - one.on > HOLDS_FOR:
        why = f"is dated {one.on}, more than {HOLDS_FOR.days} days before the decision {decided_on}"
        return Problem(Outcome.INCONCLUSIVE, f"human input {one.id} {why}: give it anew")
    return None


def _statement(index: int, item: Any) -> Statement:
    place = f"statements[{index}]"
    if not isinstance(item, Mapping):
        raise ValueError(f"{place} is not a mapping")
    keys = set(item)
    if keys - _KEYS or not {"id", "holds", "by", "on"} <= keys:
        raise ValueError(f"{place} has the keys id, holds, by, on and perhaps note, and no others")
    note = item.get("note", "")
    if not all(isinstance(text, str) for text in (item["id"], item["by"], note)) or type(item["holds"]) is not bool:
        raise ValueError(f"{place}: id, by and note are text, holds is true or false")
    return Statement(item["id"], item["holds"], item["by"], _day(place, item["on"]), note)


def _closing(index: int, item: Any) -> Closing:
    place = f"closed[{index}]"
    if not isinstance(item, Mapping):
        raise ValueError(f"{place} is not a mapping")
    keys = set(item)
    if keys - _CLOSING_KEYS or not _CLOSING_KEYS - {"note"} <= keys:
        raise ValueError(f"{place} has the keys gate, by, on, evidence and perhaps note, and no others")
    texts = [item["gate"], item["by"], item["evidence"], item.get("note", "")]
    if not all(isinstance(text, str) for text in texts):
        raise ValueError(f"{place}: gate, by, evidence and note are text")
    return Closing(texts[0], texts[1], _day(place, item["on"]), texts[2], texts[3])


def _day(place: str, value: Any) -> date:
    if type(value) is date:
        return value
    if not isinstance(value, str):
        raise ValueError(f"{place}: on is a date like 2026-02-09")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ValueError(f"{place}: on is a date like 2026-02-09, not {value!r}") from None
