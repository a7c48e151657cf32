"""What each kind of record must carry: the table behind format version 2 of the observation log.

Read and written against the same table, so that a misspelt kind or a missing field is a damaged log and never a
sample that silently is not there. Fields beyond these are allowed. Knows nothing of what the values mean.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

Test: TypeAlias = Callable[[Any], bool]


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _word(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**63


def _object(value: Any) -> bool:
    return isinstance(value, dict)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _counts(value: Any) -> bool:
    return isinstance(value, list) and all(_count(item) for item in value)


def _or_null(test: Test) -> Test:
    return lambda value: value is None or test(value)


def _one_of(*values: str) -> Test:
    return lambda value: isinstance(value, str) and value in values


def _object_of(test: Test) -> Test:
    return lambda value: isinstance(value, dict) and all(test(item) for item in value.values())


def _fields(fields: Mapping[str, Test], optional: Mapping[str, Test] | None = None) -> Test:
    def test(value: Any) -> bool:
        return (
            isinstance(value, dict)
            and all(name in value and accepts(value[name]) for name, accepts in fields.items())
            and all(accepts(value[name]) for name, accepts in (optional or {}).items() if name in value)
        )

    return test


def _integer(value: Any) -> bool:
    return type(value) is int and -(2**63) <= value < 2**63


def _flag(value: Any) -> bool:
    return type(value) is bool


def _list_of(test: Test) -> Test:
    return lambda value: isinstance(value, list) and all(test(item) for item in value)


def _errors(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 3 and all(_count(item) for item in value)


_CONNECTION: Final = _fields({"system": _text, "appliance": _text, "poll_interval_ns": _count})
_RESOURCE: Final = _fields(
    {},
    {
        **dict.fromkeys(("type", "status", "sourceId", "name", "parentId"), _or_null(_text)),
        "sources": _or_null(_texts),
        "sourceStatus": _or_null(_object_of(_fields({}, {"status": _or_null(_text)}))),
        "facts": _object,
        "alerts": _list_of(_object),
    },
)
_ALERT: Final = _fields(
    {}, dict.fromkeys(("rule", "state", "severity", "instance", "sourceId", "raisedAt"), _or_null(_text))
)
_WITNESS: Final = _fields(
    {},
    {
        "journal": lambda value: isinstance(value, list) and all(isinstance(item, dict) for item in value),
        "poll_errors": _texts,
        "poll_slower_than_ns": _or_null(_count),
    },
)
_LOG: Final = {"level": _text, "logger": _text, "template": _text, "fields": _object}
_SAMPLE: Final = {"status": _or_null(_count), "error": _or_null(_text)}
_DELTA: Final = {**_SAMPLE, "gone": _texts}

_TRUTH: Final[Mapping[str, Test]] = {
    "system": _fields({"hostname": _text, "version": _text, "serial": _or_null(_text), "model": _or_null(_text)}),
    "pools": _object_of(
        _fields(
            {
                "guid": _text,
                "status": _text,
                "healthy": _flag,
                **dict.fromkeys(("size", "allocated", "free"), _or_null(_integer)),
                "errors": _errors,
                "scan": _fields({"function": _or_null(_text), "state": _or_null(_text), "errors": _or_null(_count)}),
            }
        )
    ),
    "datasets": _object_of(
        _fields(
            {
                "type": _text,
                "pool": _text,
                **dict.fromkeys(("used", "available"), _integer),
                **dict.fromkeys(("readonly", "locked"), _flag),
                "mountpoint": _or_null(_text),
            }
        )
    ),
    "disks": _object_of(
        _fields(
            {
                **dict.fromkeys(("serial", "model", "type", "bus", "pool", "status"), _or_null(_text)),
                **dict.fromkeys(("size", "temperature"), _or_null(_integer)),
            }
        )
    ),
    "alerts": _list_of(_fields({"uuid": _text, "klass": _text, "level": _text, "dismissed": _flag})),
}

SHAPES: Final[Mapping[str, Mapping[str, Test]]] = {
    "world/start": {
        "scenario": _text,
        "systems": _object,
        "appliances": _object,
        "connections": _object_of(_CONNECTION),
    },
    "world/phase": {"phase": _one_of("warm-up", "steady", "inject", "heal", "settle")},
    "world/counts": {"tasks": _count, "transports": _count, "timers": _count},
    "world/disk": {"files": _object, "leaks": _texts},
    "world/abort": {"criterion": _text, "what": _text, "evidence": _counts},
    "world/rollback": {"actions": _count, "until_ns": _count},
    "world/end": {
        "reason": _one_of("completed", "aborted", "deadline", "crashed"),
        "records": _count,
        "requests": _count,
    },
    "fault/inject": {
        "kind": _text,
        "on": _text,
        "from_ns": _count,
        "to_ns": _count,
        "witness": _WITNESS,
        "connections": _texts,
    },
    "fault/heal": {},
    "appliance/truth": _TRUTH,
    "appliance/request": {
        "method": _text,
        "path": _word,
        "status": _or_null(_count),
        "duration_ns": _count,
        "ended": _word,
        "faults": _texts,
    },
    "appliance/log": _LOG,
    "sut/started": {},
    "sut/stopped": {},
    "sut/log": _LOG,
    "sut/crash": {},
    "operator/action": {"do": _text, "with": _object, "status": _or_null(_count), "error": _or_null(_text)},
    "sampler/metrics": {**_DELTA, "changed": _object_of(_text)},
    "sampler/resources": {**_DELTA, "changed": _object_of(_RESOURCE)},
    "sampler/connections": {**_DELTA, "changed": _object_of(_object)},
    "sampler/alerts": {**_DELTA, "changed": _object_of(_ALERT)},
    "sampler/health": _SAMPLE,
}


def require_shape(source: str, kind: str, data: Mapping[str, Any]) -> None:
    """Raises ValueError when ``source/kind`` is unknown or ``data`` lacks a field or carries one of the wrong type."""
    shape = SHAPES.get(f"{source}/{kind}")
    if shape is None:
        raise ValueError(f"{source}/{kind} is not a kind of record of this version")
    for name, accepts in shape.items():
        if name not in data:
            raise ValueError(f"{source}/{kind} lacks {name}")
        if not accepts(data[name]):
            raise ValueError(f"{name} of {source}/{kind} has the wrong shape")
