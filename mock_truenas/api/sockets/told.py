"""An error of a method in the words of the WebSocket faces: number, reason, trace (truenas-api 5.2, 6)."""

import base64
import errno
import pickle
from dataclasses import dataclass
from typing import Any, Final

from mock_truenas.api import errors

_TRACED: Final = "Traceback (most recent call last):\n"
_HOME: Final = "middlewared.service_exception"


@dataclass(frozen=True)
class Told:
    """What is told of an error, before a face gives it its form. ``kind``, ``shown`` and ``traced`` make the trace."""

    number: int
    reason: str
    kind: str
    shown: str
    traced: str
    extra: list[Any] | None = None
    validation: bool = False

    @property
    def name(self) -> str:
        """``EINVAL``."""
        return errors.errname(self.number)

    def trace(self, *, frames: bool) -> dict[str, Any]:
        """The trace object; frames are empty, since they would be of this mock and not of an appliance."""
        start: dict[str, Any] = {"class": self.kind}
        if frames:
            start["frames"] = []
        return {**start, "formatted": self.traced, "repr": self.shown}

    def pickled(self) -> str:
        """The exception itself for clients that ask for it: one of Python's own, since only those exist everywhere."""
        return base64.b64encode(pickle.dumps(OSError(self.number, self.reason), protocol=4)).decode()


def told(error: errors.MethodError) -> Told:
    """What is told of whatever a method raises, an unknown method excepted where a face has a code of its own."""
    match error:
        case errors.CallError(message=message, errno=number, extra=extra):
            return call_error(message, number, extra)
        case errors.ValidationErrors():
            return _validation(error)
        case errors.NotAuthenticated():
            return call_error("Not authenticated", errors.ENOTAUTHENTICATED)
        case errors.NotAuthorized():
            return call_error("Not authorized", errno.EACCES)
        case errors.NoSuchMethod():
            return call_error(_missing(error), errors.ENOMETHOD)
        case errors.MethodBroke(kind=kind, text=text, trace=trace):
            return Told(errno.EINVAL, text or f"{kind}()", kind, f"{kind}({text!r})", trace)
    return Told(
        errno.EINVAL, "MatchNotFound()", "MatchNotFound", "MatchNotFound()", f"{_TRACED}{_HOME}.MatchNotFound\n"
    )


def call_error(message: str, number: int, extra: list[Any] | None = None) -> Told:
    """The words of a CallError."""
    reason = f"[{errors.errname(number)}] {message}"
    traced = f"{_TRACED}{_HOME}.CallError: {reason}\n"
    return Told(number, reason, "CallError", f"CallError({message!r}, {number})", traced, extra)


def _validation(error: errors.ValidationErrors) -> Told:
    reason = "".join(
        f"[{errors.errname(number)}] {attribute or 'ALL'}: {message}\n" for attribute, message, number in error.problems
    )
    extra: list[Any] = [list(problem) for problem in error.problems]
    shown = f"ValidationErrors({[tuple(problem) for problem in error.problems]!r})"
    traced = f"{_TRACED}{_HOME}.ValidationErrors: {reason}\n"
    return Told(errno.EINVAL, reason, "ValidationErrors", shown, traced, extra, validation=True)


def _missing(error: errors.NoSuchMethod) -> str:
    service, _, verb = error.name.rpartition(".")
    return f"Method {verb!r} not found in {service!r}" if error.service_known else f"Service {service!r} not found"
