"""What routes answered, kept until the state changes: most of a NAS's JSON is the same from one poll to the next."""

from typing import Final
from urllib.parse import parse_qsl

from mock_truenas.api.answer import Answer
from mock_truenas.api.resources import pool
from mock_truenas.api.resources.moment import MARKS, Moment, Template
from mock_truenas.api.routes import Call, Route, make
from mock_truenas.appliance.nas import Appliance

_KEPT: Final = 64
_LARGEST_KEPT: Final = 8 << 20


class Renderings:
    """Answers of one appliance's routes."""

    def __init__(self, appliance: Appliance) -> None:
        self._appliance = appliance
        self._revision = -1
        self._scans_end_ns = 0
        self._answers: dict[tuple[str, str, str], Answer] = {}
        self._templates: dict[str, Template] = {}

    def answer(self, route: Route, item: str, query: str, body: bytes) -> Answer:
        """The answer to a call now; ``query`` is the raw query string."""
        if self._appliance.revision != self._revision:
            self._answers.clear()
            self._templates.clear()
            self._revision = self._appliance.revision
            self._scans_end_ns = pool.scans_end_ns(self._appliance)
        if route.moving == "never":
            return self._kept(route, item, query)
        now_ns = self._appliance.now_ns()
        moment = Moment.of(self._appliance, now_ns)
        if route.moving == "template" and not query and now_ns >= self._scans_end_ns:
            return Answer(200, self._template(route).fill(moment))
        return make(route, Call(self._appliance, moment, item, _pairs(query), body))

    def _kept(self, route: Route, item: str, query: str) -> Answer:
        key = (route.path, item, query)
        kept = self._answers.get(key)
        if kept is None:
            kept = make(route, Call(self._appliance, MARKS, item, _pairs(query)))
            if len(kept.body) <= _LARGEST_KEPT:
                if len(self._answers) >= _KEPT:
                    # The oldest goes: a client that never repeats a query must not fill the memory.
                    del self._answers[next(iter(self._answers))]
                self._answers[key] = kept
        return kept

    def _template(self, route: Route) -> Template:
        template = self._templates.get(route.path)
        if template is None:
            template = self._templates[route.path] = Template(route.value(Call(self._appliance, MARKS)))
        return template


def _pairs(query: str) -> tuple[tuple[str, str], ...]:
    return tuple(parse_qsl(query, keep_blank_values=True, errors="replace")) if query else ()
