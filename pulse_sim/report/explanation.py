"""What was on record around the first evidence of a check, told to people: records, and the faults active then.

Names are hostile and come out printable. Knows no bundle; it is handed a log and what was judged.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pulse_sim.canonical import canonical_json
from pulse_sim.observation import Record, RunLog
from pulse_sim.report.text import in_words, plain
from pulse_sim.units import format_duration
from pulse_sim.verdict.explanation import Chain, Step

BEFORE: Final = 4
AFTER: Final = 3
DATA_AT_MOST: Final = 200
ENTRIES_AT_MOST: Final = 4
ENTRY_AT_MOST: Final = 120
FIRST: Final = ("method", "path", "status", "level", "template", "changed")


@dataclass(frozen=True, slots=True)
class SeenRecord:
    """One record of the log in a line; ``is_evidence`` when the check names it."""

    seq: int
    time_ns: int
    source: str
    kind: str
    subject: str
    data: str
    is_evidence: bool


@dataclass(frozen=True, slots=True)
class SeenFault:
    """A fault window ``[from_ns, to_ns)``."""

    kind: str
    on: str
    from_ns: int
    to_ns: int


@dataclass(frozen=True, slots=True)
class Scene:
    """The moment of the first evidence. ``at_ns`` is None where the check names no record; ``faults`` are then all."""

    at_ns: int | None
    records: tuple[SeenRecord, ...]
    faults: tuple[SeenFault, ...]


def scene_of(log: RunLog, evidence: Sequence[int], about: Mapping[str, Any]) -> Scene:
    """The records around the first of ``evidence`` (sequence numbers); ``about`` are the check's parameters.

    What a record says of the words in ``about`` is shown first.
    """
    faults = [SeenFault(plain(one.kind), plain(one.on), one.from_ns, one.to_ns) for one in log.faults()]
    named = set(evidence)
    place = next((index for index, record in enumerate(log.records) if record.seq in named), None)
    if place is None:
        return Scene(None, (), tuple(faults))
    words = [value for value in about.values() if isinstance(value, str)]
    around = log.records[max(0, place - BEFORE) : place + AFTER + 1]
    at_ns = log.records[place].time_ns
    active = tuple(one for one in faults if one.from_ns <= at_ns < one.to_ns)
    return Scene(at_ns, tuple(_seen(record, named, words) for record in around), active)


def chain_lines(chain: Chain) -> Iterator[str]:
    """The chain in words, one link a line. Why something is so is told once, where the chain ends."""
    for index, step in enumerate(chain.steps):
        before = chain.steps[index - 1] if index else None
        lead = "" if before is None else "and " if before.kind == step.kind else "because "
        words = [step.about, step.why if index == len(chain.steps) - 1 or step.kind == "run" else ""]
        told = "".join(f": {word}" for word in words if word)
        yield plain(f"{lead}{_named(step)} {'is ' if before is None else ''}{step.outcome}{told}")
    if chain.beside:
        yield f"(and {chain.beside} more reason{'' if chain.beside == 1 else 's'})"


def scene_lines(scene: Scene) -> Iterator[str]:
    """The scene in words."""
    if scene.at_ns is None:
        yield "the check names no record of the log"
        told = "faults of the run"
    else:
        yield f"first evidence at {format_duration(scene.at_ns)}"
        told = "active then"
    faults = [
        f"{one.kind} on {one.on}, {format_duration(one.from_ns)} to {format_duration(one.to_ns)}"
        for one in scene.faults
    ]
    yield f"{told}: {'; '.join(faults) or 'no fault'}"
    widths = [
        max((len(cell) for cell in column), default=0) for column in zip(*map(_cells, scene.records), strict=True)
    ]
    for record in scene.records:
        cells = [cell.ljust(width) for cell, width in zip(_cells(record), widths, strict=True)]
        yield f"{'>' if record.is_evidence else ' '} {'  '.join(cells)}  {record.data}".rstrip()


def scene_data(scene: Scene) -> dict[str, Any]:
    """The scene as plain data."""
    return {
        "at_ns": scene.at_ns,
        "faults": [
            {"kind": one.kind, "on": one.on, "from_ns": one.from_ns, "to_ns": one.to_ns} for one in scene.faults
        ],
        "records": [
            {
                "seq": one.seq,
                "t": one.time_ns,
                "source": one.source,
                "kind": one.kind,
                "subject": one.subject,
                "data": one.data,
                "evidence": one.is_evidence,
            }
            for one in scene.records
        ],
    }


def _named(step: Step) -> str:
    return f"{step.kind} {step.id}" if step.id and step.id != step.kind else step.kind


def _cells(record: SeenRecord) -> tuple[str, str, str, str]:
    return (
        str(record.seq),
        format_duration(record.time_ns),
        f"{record.source}/{record.kind}",
        record.subject,
    )


def _seen(record: Record, evidence: set[int], words: Sequence[str]) -> SeenRecord:
    return SeenRecord(
        record.seq,
        record.time_ns,
        record.source.value,
        plain(record.kind),
        plain(record.subject),
        plain(_short(record.data, words), DATA_AT_MOST),
        record.seq in evidence,
    )


def _short(data: Mapping[str, Any], words: Sequence[str]) -> str:
    """What a record says, what people look for first at its head."""
    ordered = sorted(data.items(), key=lambda item: (item[0] not in FIRST, item[0]))
    return ", ".join(f"{key}={_value(value, words)}" for key, value in ordered if value not in ({}, [], None))


def _value(value: Any, words: Sequence[str]) -> str:
    """A value in a few words; of a large object the entries in which the words stand, and how many there are."""
    if isinstance(value, Mapping) and len(value) > ENTRIES_AT_MOST:
        entries = {key: f"{key} {in_words(item)}" for key, item in value.items()}
        names = [word for word in words if any(word in told for told in entries.values())]  # not moments and limits
        meant = [key for key in entries if names and all(word in entries[key] for word in names)]
        meant.sort(key=lambda key: ("_bucket{" in key, key))
        shown = [entries[key][:ENTRY_AT_MOST] for key in (meant or sorted(entries))[:ENTRIES_AT_MOST]]
        return f"[{'; '.join([*shown, f'{len(value)} in all'])}]"
    if isinstance(value, Mapping | list):
        return canonical_json(dict(value) if isinstance(value, Mapping) else value).decode()
    return in_words(value)
