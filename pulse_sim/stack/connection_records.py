"""The plaintext of the config store: a JSON array of connection records (contract A1). No I/O, no cipher.

No exception leaves here that holds the text it is about: it would carry secrets into a log.
"""

import json
import math
from collections.abc import Iterable, Sequence
from typing import Any, Final

from pulse_sim.stack.connection import Connection, ConnectionInvalid, read_connection

DEEPEST: Final = 64
_ZERO_IS_UNSET: Final = ("port", "pollIntervalSeconds")


class RecordsInvalid(Exception):
    """The text is not what the store writes; the message says why, without its values."""


def encode_records(connections: Sequence[Connection]) -> bytes:
    """The JSON array, secrets included."""
    return json.dumps([connection.to_record() for connection in connections], separators=(",", ":")).encode()


def decode_records(text: bytes, org: str) -> tuple[Connection, ...]:
    """The connections of a JSON array. Raises RecordsInvalid."""
    records = _parsed(text)
    if records is None:
        raise RecordsInvalid("the content is not JSON")
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise RecordsInvalid("the content is not a list of records")
    problem = ""
    try:
        connections = tuple(read_connection(_without_zeros(record), org) for record in records)
    except ConnectionInvalid as failure:
        problem = f"a record is not valid: {failure}"
    if problem:  # raised outside of the handler, so that the record does not hang on the error
        raise RecordsInvalid(problem)
    if len({connection.id for connection in connections}) != len(connections):
        raise RecordsInvalid("two records have the same id")
    return connections


def is_plaintext(data: bytes) -> bool:
    """Whether a file is an array from before encryption; an encrypted one may begin like that, but never parses."""
    return data.lstrip().startswith(b"[") and isinstance(_parsed(data), list)


def resembles_plaintext(data: bytes) -> bool:
    """Whether a file was meant to be such an array. One encrypted file in many billions does as well."""
    try:
        return data.decode().lstrip().startswith("[")
    except UnicodeDecodeError:
        return False


def _parsed(text: bytes) -> Any | None:
    """The value; None when it is no JSON that could be written back as it is."""
    try:
        value = json.loads(text, object_pairs_hook=_distinct, parse_constant=_finite, parse_float=_finite)
    except (ValueError, RecursionError):
        return None
    return value if _is_shallow(value) else None


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key stands twice")
    return made


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("not a number of JSON")
    return number


def _is_shallow(value: Any) -> bool:
    """Whether it may be written, compared and copied without running out of stack."""
    level: Iterable[Any] = [value]
    for _ in range(DEEPEST):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return True
    return False


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _without_zeros(record: dict[str, Any]) -> dict[str, Any]:
    """Pulse itself writes numbers that are not set as 0."""
    return {
        key: value
        for key, value in record.items()
        if key not in _ZERO_IS_UNSET or value != 0 or isinstance(value, bool)
    }
