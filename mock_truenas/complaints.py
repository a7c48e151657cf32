"""What is said about input that cannot be used: one line naming the place, the value and the way out. Knows no face."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from difflib import get_close_matches
from pathlib import PurePath
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from mock_truenas.faults import FAULT_KINDS, FaultKind

_LONGEST: Final = 80


class BadInput(ValueError):
    """Input that was refused; nothing was changed. ``allowed`` lists what could stand there, if that can be listed."""

    def __init__(self, place: str, value: object, what: str, allowed: Iterable[str] = ()) -> None:
        self.place = _on_one_line(place)
        self.value = shown(value)
        self.what = _on_one_line(what)
        self.allowed = tuple(allowed)
        super().__init__(f"{self.place} {self.value}: {self.what}")


class Unknown(BadInput):
    """A name that nothing has."""

    def __init__(self, place: str, value: object, known: Iterable[str]) -> None:
        names = tuple(known)
        near = get_close_matches(str(value), names, 1)
        hint = f" did you mean {near[0]}?" if near else ""
        super().__init__(place, value, f"unknown;{hint} available: {', '.join(names) or 'none'}", names)


def shown(value: object) -> str:
    """A value from outside as it may stand in one line of a terminal or a log."""
    text = str(value) if isinstance(value, str | PurePath | datetime) else repr(value)
    plain = _on_one_line(text[: _LONGEST + 1])
    return plain if len(plain) <= _LONGEST else plain[:_LONGEST] + "…"


def _on_one_line(text: str) -> str:
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def from_validation(error: ValidationError, place: str = "") -> BadInput:
    """The first thing a model found wrong, and how many more there are."""
    problems = error.errors(include_url=False, include_context=True)
    first = problems[0]
    where = ".".join(filter(None, (place, *map(str, first["loc"])))) or "body"
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    missing = first["type"] == "missing"
    expected = (first.get("ctx") or {}).get("expected")
    allowed = [part.strip(" '") for part in str(expected).replace(" or ", ",").split(",")] if expected else []
    value = "is missing" if missing else first["input"]
    return BadInput(where, value, first["msg"].removeprefix("Value error, ") + more, allowed)


def read_fault(kind: str, parameters: Mapping[str, Any]) -> tuple[FaultKind, BaseModel]:
    """A fault as somebody wrote it. Raises BadInput naming the parameter, or the kinds there are."""
    known = FAULT_KINDS.get(kind)
    if known is None:
        raise Unknown("kind", kind, FAULT_KINDS)
    try:
        return known, known.parameters.model_validate(dict(parameters))
    except ValidationError as error:
        raise from_validation(error, "parameters") from error
