"""What methods answered, kept until the state changes: most of a NAS's JSON is the same from one poll to the next."""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, Final

from mock_truenas.api.answer import Answer, json_answer, render
from mock_truenas.api.asking import Sent, arguments
from mock_truenas.api.auth.sessions import Sessions
from mock_truenas.api.errors import MethodError
from mock_truenas.api.methods.method import Call, Principal
from mock_truenas.api.methods.performing import begin, finished_later
from mock_truenas.api.pieces import gathered, is_big
from mock_truenas.api.refusals import BadRequest, refusal
from mock_truenas.api.resources import pool
from mock_truenas.api.resources.moment import MARKS, Moment, Template
from mock_truenas.api.routes import Route
from mock_truenas.appliance.jobs import Job
from mock_truenas.appliance.nas import Appliance

_KEPT: Final = 64
_LARGEST_KEPT: Final = 8 << 20
_INDENT: Final = 1
Key = tuple[str, str, str, bool]


class Renderings:
    """Answers of one appliance's methods. ``sessions`` are those methods see."""

    def __init__(self, appliance: Appliance, sessions: Sessions) -> None:
        self._appliance = appliance
        self._sessions = sessions
        self._dialect = appliance.release.dialect
        self._revision = -1
        self._scans_end_ns = 0
        self._answers: dict[Key, Answer] = {}
        self._templates: dict[str, Template] = {}

    def answer(self, route: Route, sent: Sent, who: Principal | None) -> Answer | Awaitable[Answer]:
        """The answer to a call now; awaitable when it takes time to perform or to print."""
        if self._appliance.revision != self._revision:
            self._forget()
        moving = route.method.moving
        if moving == "never" and not sent.body:
            key = (route.path, sent.item, sent.query, who is not None and who.may_write)
            return self._answers.get(key) or self._made(route, sent, who, MARKS, key)
        now_ns = self._appliance.now_ns()
        moment = Moment.of(self._appliance, now_ns)
        if moving == "template" and not (sent.query or sent.item or sent.body) and now_ns >= self._scans_end_ns:
            return self._filled(route, sent, who, moment)
        return self._made(route, sent, who, moment, None)

    def value(self, route: Route, sent: Sent, who: Principal | None) -> Any:
        """The bare result of a call now, or an awaitable of it. Raises MethodError and BadRequest."""
        return self._value(route, sent, who, Moment.of(self._appliance, self._appliance.now_ns()))

    def _filled(self, route: Route, sent: Sent, who: Principal | None, moment: Moment) -> Answer | Awaitable[Answer]:
        template = self._templates.get(route.path)
        if template is None:
            try:
                value = self._value(route, sent, who, MARKS)
            except MethodError as error:
                return refusal(error)
            if is_big(value):
                return self._filled_later(route, value, moment)
            template = self._templates[route.path] = Template(render(value))
        return Answer(200, template.fill(moment))

    async def _filled_later(self, route: Route, value: Any, moment: Moment) -> Answer:
        """The same of a value that is printed while others get their turn; meanwhile the state may change."""
        revision = self._revision
        template = Template(b"".join(await gathered(value, _INDENT)))
        if self._revision == revision:
            self._templates[route.path] = template
        return Answer(200, template.fill(moment))

    def _forget(self) -> None:
        self._answers.clear()
        self._templates.clear()
        self._revision = self._appliance.revision
        self._scans_end_ns = pool.scans_end_ns(self._appliance)

    def _value(self, route: Route, sent: Sent, who: Principal | None, moment: Moment) -> Any:
        given, query = arguments(route, sent, self._dialect)
        call = Call(
            route.method,
            self._appliance,
            self._dialect,
            moment,
            "rest",
            given,
            query,
            who,
            None,
            self._sessions,
            sent.address,
        )
        value = begin(call)
        return finished_later(call, value) if inspect.isawaitable(value) else value

    def _made(
        self, route: Route, sent: Sent, who: Principal | None, moment: Moment, key: Key | None
    ) -> Answer | Awaitable[Answer]:
        keep = self._keeper(key)
        try:
            value = self._value(route, sent, who, moment)
        except (MethodError, BadRequest) as error:
            return keep(error_answer(error))
        if inspect.isawaitable(value):
            return _awaited(route, sent, value, keep)
        return _kept_when_printed(shown(route, sent, value), keep)

    def _keeper(self, key: Key | None) -> Callable[[Answer], Answer]:
        """What keeps an answer under ``key``, unless it is too large or the state changed since."""
        revision = self._revision

        def keep(answer: Answer) -> Answer:
            if key is not None and answer.length <= _LARGEST_KEPT and self._revision == revision:
                if len(self._answers) >= _KEPT:
                    # The oldest goes: a client that never repeats a query must not fill the memory.
                    del self._answers[next(iter(self._answers))]
                self._answers[key] = answer
            return answer

        return keep


def shown(route: Route, sent: Sent, value: Any) -> Answer | Awaitable[Answer]:
    """The answer of what a call returned: of a job its number, unless what it made is downloaded at once."""
    if not isinstance(value, Job):
        return printed(route, value)
    if route.method.downloadable and value.finished and isinstance(value.result, str) and not _declines(sent):
        return printed(route, value.result.encode())
    return json_answer(200, value.id)


def printed(route: Route, value: Any) -> Answer | Awaitable[Answer]:
    """The answer of a JSON value, or of the bytes of a download; a large one is printed while others get their turn."""
    if route.method.downloadable and isinstance(value, bytes):
        return Answer(200, value, "application/octet-stream", chunked=True)
    return _printed(value) if is_big(value) else json_answer(200, value)


def _declines(sent: Sent) -> bool:
    """Whether only the number of the job is wanted (truenas-api 2.2)."""
    return ("download", "0") in sent.pairs


def error_answer(error: MethodError | BadRequest) -> Answer:
    """The answer of a call that was refused."""
    return error.answer if isinstance(error, BadRequest) else refusal(error)


async def _printed(value: Any) -> Answer:
    return Answer(200, pieces=tuple(await gathered(value, _INDENT)))


def _kept_when_printed(
    answer: Answer | Awaitable[Answer], keep: Callable[[Answer], Answer]
) -> Answer | Awaitable[Answer]:
    if isinstance(answer, Answer):
        return keep(answer)

    async def later() -> Answer:
        return keep(await answer)

    return later()


async def _awaited(route: Route, sent: Sent, value: Awaitable[Any], keep: Callable[[Answer], Answer]) -> Answer:
    try:
        answer = shown(route, sent, await value)
    except MethodError as error:
        return keep(error_answer(error))
    return keep(answer if isinstance(answer, Answer) else await answer)
