"""What a method raised, as REST shows it (truenas-api 2.4). Knows no route and no request."""

import errno as numbers
from functools import singledispatch

from mock_truenas.api.answer import FORBIDDEN, NO_SUCH_ITEM, NOT_FOUND, UNAUTHORIZED, Answer, json_answer, method_error
from mock_truenas.api.errors import (
    CallError,
    InstanceNotFound,
    MatchNotFound,
    MethodBroke,
    MethodError,
    NoSuchMethod,
    NotAuthenticated,
    NotAuthorized,
    ValidationErrors,
)


class BadRequest(Exception):
    """A body that is not what the path takes; the text is what the appliance says."""

    def __init__(self, message: str, errno: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.errno = errno

    @property
    def answer(self) -> Answer:
        """400 in JSON; only a body that cannot be parsed has an errno."""
        return json_answer(400, {"message": self.message, **({} if self.errno is None else {"errno": self.errno})})


@singledispatch
def refusal(error: MethodError) -> Answer:
    """The answer of an error. The fallback is for errors that carry nothing but their words."""
    return method_error(str(error), f"Traceback (most recent call last):\n{type(error).__name__}: {error}\n")


@refusal.register
def _(error: CallError) -> Answer:
    return json_answer(422, {"message": error.message, "errno": error.errno})


@refusal.register
def _(error: ValidationErrors) -> Answer:
    # Something that is not there has no attribute, and json.dumps turns the missing one into "null".
    nameless = "null" if isinstance(error, InstanceNotFound) else ""
    shown: dict[str, list[dict[str, object]]] = {}
    for attribute, message, number in error.problems:
        shown.setdefault(attribute or nameless, []).append({"message": message, "errno": number})
    return json_answer(422, shown)


@refusal.register
def _(_: MatchNotFound) -> Answer:
    return NO_SUCH_ITEM


@refusal.register
def _(_: NoSuchMethod) -> Answer:
    return NOT_FOUND


@refusal.register
def _(_: NotAuthenticated) -> Answer:
    return UNAUTHORIZED


@refusal.register
def _(_: NotAuthorized) -> Answer:
    return FORBIDDEN


@refusal.register
def _(error: MethodBroke) -> Answer:
    return method_error(error.text, error.trace)


def number_of(error: MethodError) -> int | None:
    """The errno a journal notes, None for an error that has none on this face."""
    if isinstance(error, CallError):
        return error.errno
    if isinstance(error, ValidationErrors):
        return error.problems[0][2] if error.problems else numbers.EINVAL
    return None
