"""REST v2.0: where a request leads, who may go there, and the answer. Knows no sockets.

Of faults it knows what they make of a call: refused, answered instead, changed, shown.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final, NamedTuple

from mock_truenas.api.answer import FORBIDDEN, NOT_FOUND, Answer, server_error, text
from mock_truenas.api.asking import Sent
from mock_truenas.api.auth.sessions import Sessions
from mock_truenas.api.credentials import Login, log_in
from mock_truenas.api.errors import MethodError
from mock_truenas.api.methods.method import Access, Principal
from mock_truenas.api.methods.performing import access_of, allowed
from mock_truenas.api.openapi import described
from mock_truenas.api.pieces import plain
from mock_truenas.api.refusals import BadRequest, number_of
from mock_truenas.api.renderings import Renderings, error_answer, printed
from mock_truenas.api.routes import Route, find, routes_of
from mock_truenas.appliance.accounts import EVERYTHING
from mock_truenas.appliance.jobs import Job
from mock_truenas.appliance.nas import Appliance
from mock_truenas.faults.active import NOTHING_MET, Met
from mock_truenas.faults.target import Target

_OPENAPI: Final = ("/", "/openapi.json", "/openapi.json/")


@dataclass(frozen=True)
class Way:
    """Where a verb and a path lead: to a route, or to an answer that nobody has to be logged in for.

    Without either it is the OpenAPI document.
    """

    target: Target
    route: Route | None = None
    item: str = ""
    answer: Answer | None = None

    @property
    def call(self) -> str:
        """The name of the method; empty when there is none."""
        return self.target.call


class Outcome(NamedTuple):
    """An answer, who asked, which faults shaped it, and the errno of a refusal."""

    answer: Answer
    user: str | None = None
    faults: tuple[str, ...] = ()
    error: int | None = None


class Rest:
    """The REST face of one appliance."""

    def __init__(self, appliance: Appliance, sessions: Sessions) -> None:
        self._appliance = appliance
        self._dialect = appliance.release.dialect
        self._routes = routes_of(self._dialect)
        self._renderings = Renderings(appliance, sessions)
        self._lists_paths = self._dialect.has("key_allowlists")
        self._breaks_on_deleted_keys = self._dialect.has("deleted_key_breaks_rest")
        self._ways: dict[tuple[str, str], Way] = {}
        self._underway: set[asyncio.Task[Outcome]] = set()

    def way(self, verb: str, path: str) -> Way:
        """Where a request for a raw ``path`` below /api/v2.0 leads."""
        known = self._ways.get((verb, path))
        if known is not None:
            return known
        target = Target("rest", verb, path[:-1] if len(path) > 1 and path.endswith("/") else path)
        found = find(self._routes, path)
        if found is None:
            if path in _OPENAPI and self._dialect.has("rest"):
                return Way(target, answer=None if verb == "GET" else _not_allowed({"GET": None}))
            return Way(target, answer=NOT_FOUND)
        routes, item = found
        route = routes.get(verb)
        if route is None:
            return Way(target, answer=_not_allowed(routes))
        way = Way(replace(target, call=route.method.name), route, item)
        if not route.has_item:
            # There are as many of these as routes, with and without a slash.
            self._ways[verb, path] = way
        return way

    def respond(
        self, way: Way, query: str, body: bytes, authorization: str | None, accept: str, met: Met, address: str = ""
    ) -> Outcome | Awaitable[Outcome]:
        """The answer, in the order of the appliance: route, verb, login, allowlist or role, method.

        Awaitable when the method, or printing what it returned, takes time.
        """
        if way.route is None:
            return self._described() if way.answer is None else Outcome(way.answer)
        who: Principal | None = None
        if access_of(way.route.method, self._dialect) is not Access.OPEN:
            login = log_in(self._appliance, authorization, address)
            refused = self._refused(login, way.route, authorization, accept)
            if refused is not None:
                return refused
            opened = login.allowed
            who = _principal(opened.username, opened.roles, opened.key_id, opened.key_name)
            try:
                allowed(way.route.method, who, self._dialect)
            except MethodError as error:
                return Outcome(error_answer(error), who.username)
        sent = Sent(way.item, query, body, address)
        user = who.username if who is not None else None
        if met is NOTHING_MET:
            answer = self._renderings.answer(way.route, sent, who)
            return Outcome(answer, user) if isinstance(answer, Answer) else _later(answer, user)
        return self._despite(met, way.route, sent, who)

    def keep(self, outcome: Awaitable[Outcome]) -> asyncio.Task[Outcome]:
        """Let what takes time go on, whether or not anybody still waits for it."""

        async def run() -> Outcome:
            return await outcome

        task = asyncio.get_running_loop().create_task(run())
        self._underway.add(task)
        task.add_done_callback(self._let_go)
        return task

    async def stop(self) -> None:
        """End what is still going on."""
        underway = list(self._underway)
        for task in underway:
            task.cancel()
        if underway:
            await asyncio.wait(underway)

    def _let_go(self, task: asyncio.Task[Outcome]) -> None:
        self._underway.discard(task)
        if not task.cancelled():
            # Whoever waited has it already; without anybody the loop would complain of an error nobody saw.
            task.exception()

    def _refused(self, login: Login, route: Route, authorization: str | None, accept: str) -> Outcome | None:
        """What a credential that opens nothing, or not this, gets."""
        allowed = login.allowed
        if login.refusal is not None:
            of_key = (authorization or "").startswith("Bearer ") and allowed.why == "unknown"
            if of_key and allowed.key_id is not None and self._breaks_on_deleted_keys:
                # Looking up the key's number raises outside of what would turn it into an answer (truenas-api 2.4).
                return Outcome(server_error(accept), faults=allowed.revoked_by)
            return Outcome(login.refusal, faults=allowed.revoked_by)
        if self._lists_paths and allowed.allowlist is not EVERYTHING and not allowed.may(route.verb, route.path):
            return Outcome(FORBIDDEN, allowed.username)
        return None

    def _despite(self, met: Met, route: Route, sent: Sent, who: Principal | None) -> Outcome | Awaitable[Outcome]:
        """The answer of a call that faults may refuse, answer themselves or change."""
        user = who.username if who is not None else None
        refused, result = met.refusal(), met.result()
        if refused is not None:
            fault_id, error = refused
            return Outcome(error_answer(error), user, (fault_id,), number_of(error))
        if result is not None:
            fault_id, value = result
            return self._changed(met, route, value, user, (fault_id,))
        if not met.changes_value:
            answer = self._renderings.answer(route, sent, who)
            faults = met.shown()
            return Outcome(answer, user, faults) if isinstance(answer, Answer) else _later(answer, user, faults)
        try:
            value = self._renderings.value(route, sent, who)
        except (MethodError, BadRequest) as error:
            return Outcome(error_answer(error), user, met.shown())
        if inspect.isawaitable(value):
            return self._changed_later(met, route, value, user)
        return self._changed(met, route, value, user, met.shown())

    def _changed(
        self, met: Met, route: Route, value: Any, user: str | None, faults: tuple[str, ...]
    ) -> Outcome | Awaitable[Outcome]:
        value, changed_by = met.changed(value.id if isinstance(value, Job) else plain(value))
        answer = printed(route, value)
        faults = (*faults, *changed_by)
        return Outcome(answer, user, faults) if isinstance(answer, Answer) else _later(answer, user, faults)

    async def _changed_later(self, met: Met, route: Route, value: Awaitable[Any], user: str | None) -> Outcome:
        try:
            outcome = self._changed(met, route, await value, user, met.shown())
        except MethodError as error:
            return Outcome(error_answer(error), user, met.shown())
        return outcome if isinstance(outcome, Outcome) else await outcome

    async def _described(self) -> Outcome:
        return Outcome(Answer(200, pieces=await described(self._routes, self._dialect)))


async def _later(answer: Awaitable[Answer], user: str | None, faults: tuple[str, ...] = ()) -> Outcome:
    return Outcome(await answer, user, faults)


@lru_cache(maxsize=64)
def _principal(username: str | None, roles: frozenset[str], key_id: int | None, key_name: str | None) -> Principal:
    """Who a credential stands for."""
    mechanism = "API_KEY_PLAIN" if key_id is not None else "PASSWORD_PLAIN"
    return Principal(username or "root", roles, mechanism=mechanism, key_name=key_name)


def _not_allowed(routes: Mapping[str, object]) -> Answer:
    return text(405, headers=(("Allow", ",".join(sorted(routes))),))
