"""The ways in which evidence can be bad, as functions over the records of one kind in a log that stays well-formed.

What the reader of a log refuses anyway (a line cut in half, sequence numbers that repeat) is not here; see
``files.py``. Each function takes the records of the whole log and the kind it spoils.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final, TypeAlias

from pulse_sim.observation import Header, Record, RunLog, Source
from pulse_sim.units import DAY

Records: TypeAlias = Sequence[Record]
Damage: TypeAlias = Callable[[Records, str], list[Record]]


def kind_of(record: Record) -> str:
    """``source/kind``."""
    return f"{record.source}/{record.kind}"


def missing(records: Records, kind: str) -> list[Record]:
    """As if such a record had never been written."""
    return [record for record in records if kind_of(record) != kind]


def empty(records: Records, kind: str) -> list[Record]:
    """Written, and nothing in it: objects, lists and texts are empty, numbers 0."""
    return _each(records, kind, _emptied)


def stale(records: Records, kind: str) -> list[Record]:
    """No record of the second half of the run."""
    half = records[-1].time_ns // 2
    return [record for record in records if kind_of(record) != kind or record.time_ns < half]


def constant(records: Records, kind: str) -> list[Record]:
    """The first record of each subject again and again."""
    first: dict[str, dict[str, Any]] = {}
    return _each(records, kind, lambda record: first.setdefault(record.subject, record.data))


def future(records: Records, kind: str) -> list[Record]:
    """A day after the run: no clock of the run ever showed those times."""
    moved = [replace(record, time_ns=record.time_ns + DAY) for record in records if kind_of(record) == kind]
    rest = [record for record in records[:-1] if kind_of(record) != kind]
    end = records[-1]
    return [*rest, *moved, replace(end, time_ns=max([end.time_ns, *(one.time_ns for one in moved)]))]


def not_a_number(records: Records, kind: str) -> list[Record]:
    """Every number, and every text that is one, is NaN."""
    return _each(records, kind, lambda record: _nan(record.data))


def wrong_type(records: Records, kind: str) -> list[Record]:
    """Every value is of another type."""
    return _each(records, kind, lambda record: {name: _other(value) for name, value in record.data.items()})


def too_few(records: Records, kind: str) -> list[Record]:
    """Only the first record."""
    found = [record for record in records if kind_of(record) == kind]
    return [record for record in records if kind_of(record) != kind or record is found[0]]


def duplicated(records: Records, kind: str) -> list[Record]:
    """Every record twice, as if it had happened twice."""
    return [twice for record in records for twice in ([record, record] if kind_of(record) == kind else [record])]


def reordered(records: Records, kind: str) -> list[Record]:
    """What the last record tells is told by the first, and so on."""
    told = [record.data for record in records if kind_of(record) == kind]
    return _each(records, kind, lambda _record: told.pop())


DAMAGES: Final[dict[str, Damage]] = {
    "missing": missing,
    "empty": empty,
    "stale": stale,
    "constant": constant,
    "future-dated": future,
    "NaN": not_a_number,
    "wrong type": wrong_type,
    "too few samples": too_few,
    "duplicated": duplicated,
    "reordered": reordered,
}


def written(header: Header, records: Records) -> RunLog:
    """The log of these records, numbered and counted anew. Raises LogDamaged where they are no log."""
    own, journal = [header.encode()], [header.encode()]
    requests = sum(record.kind == "request" for record in records)
    for seq, record in enumerate(records):
        if kind_of(record) == "world/end":
            record = replace(record, data={**record.data, "records": len(records), "requests": requests})
        line = _line(replace(record, seq=seq))
        (journal if record.source is Source.APPLIANCE and record.kind == "request" else own).append(line)
    return RunLog.parse(b"".join(own), b"".join(journal))


def _line(record: Record) -> bytes:
    """As the log writes it; NaN, which it never writes, as a careless program would."""
    if _NAN not in str(record.data):
        return record.encode()
    return record.encode().replace(f'"{_NAN}"'.encode(), b"NaN")


_NAN: Final = "not a number, and no text either"


def _each(records: Records, kind: str, data_of: Callable[[Record], Any]) -> list[Record]:
    return [replace(record, data=data_of(record)) if kind_of(record) == kind else record for record in records]


def _emptied(record: Record) -> dict[str, Any]:
    return {name: None if value is None else type(value)() for name, value in record.data.items()}


def _nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _nan(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_nan(item) for item in value]
    if isinstance(value, str):
        return "NaN" if _is_number(value) else value
    return value if value is None or isinstance(value, bool) else _NAN


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _other(value: Any) -> Any:
    return [value] if isinstance(value, (str, int, float, dict)) or value is None else "many"
