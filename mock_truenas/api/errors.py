"""What a method raises. How each looks on the wire is its face's business (truenas-api 2.4, 5.2, 6)."""

import errno
from collections.abc import Iterable
from typing import Final

Problem = tuple[str, str, int]
"""Attribute path, message, errno."""

# Numbers of the appliance's own beyond the operating system's (truenas-api 5.2).
ENOMETHOD: Final = 201
ESERVICESTARTFAILURE: Final = 202
EALERTCHECKERUNAVAILABLE: Final = 203
EREMOTENODEERROR: Final = 204
EDATASETISLOCKED: Final = 205
EINVALIDRRDTIMESTAMP: Final = 206
ENOTAUTHENTICATED: Final = 207
ESSLCERTVERIFICATIONERROR: Final = 208
EREBOOTREQUIRED: Final = 209
EHAUNAVAILABLE: Final = 210
_NAMES: Final = {
    201: "ENOMETHOD",
    202: "ESERVICESTARTFAILURE",
    203: "EALERTCHECKERUNAVAILABLE",
    204: "EREMOTENODEERROR",
    205: "EDATASETISLOCKED",
    206: "EINVALIDRRDTIMESTAMP",
    207: "ENOTAUTHENTICATED",
    208: "ESSLCERTVERIFICATIONERROR",
    209: "EREBOOTREQUIRED",
    210: "EHAUNAVAILABLE",
}


def errname(number: int) -> str:
    """``EINVAL`` of 22; ``EUNKNOWN`` of a number nobody has."""
    return _NAMES.get(number) or errno.errorcode.get(number, "EUNKNOWN")


class MethodError(Exception):
    """Whatever a method refuses to do; only its subclasses are raised."""


class CallError(MethodError):
    """A method could not do it. ``message`` has no ``[ERRNAME]`` prefix; faces that show one add it."""

    def __init__(self, message: str, number: int = errno.EFAULT, extra: list[object] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.errno = number
        self.extra = extra


class ValidationErrors(MethodError):
    """Arguments that are not as they should be, all of them at once."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{attribute}: {message}" for attribute, message, _ in self.problems))

    @classmethod
    def one(cls, attribute: str, message: str, number: int = errno.EINVAL) -> "ValidationErrors":
        """A single problem."""
        return cls([(attribute, message, number)])


class InstanceNotFound(ValidationErrors):
    """``get_instance``, ``update`` and ``delete`` of something that is not there: errno 2 (truenas-api 2.4)."""

    def __init__(self, what: str, attribute: str = "") -> None:
        super().__init__([(attribute, f"{what} does not exist", errno.ENOENT)])


class MatchNotFound(MethodError):
    """A query with ``get`` that matched nothing."""

    def __init__(self) -> None:
        super().__init__("MatchNotFound()")


class NoSuchMethod(MethodError):
    """Unknown here, or not in this version; ``service_known`` tells which of the old face's two texts applies."""

    def __init__(self, name: str, *, service_known: bool = False) -> None:
        super().__init__(name)
        self.name = name
        self.service_known = service_known


class NotAuthenticated(MethodError):
    """Nobody is logged in (207)."""


class NotAuthorized(MethodError):
    """Somebody is, but must not (13)."""


class MethodBroke(MethodError):
    """An exception inside a method that nobody foresaw: REST 500, JSON-RPC -32001 with the words of the exception."""

    def __init__(self, kind: str, text: str, trace: str) -> None:
        super().__init__(text)
        self.kind = kind
        self.text = text
        self.trace = trace
