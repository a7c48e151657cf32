"""Sessions against a model: whoever logs in, out, is thrown out, outlives his key or his thirty days."""

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from mock_truenas.behaviour import Behaviour
from tests.mock_truenas.frames_wire import Wire, socket_box

DAY_NS = 86_400_000_000_000
QUIET = Behaviour(login_rate_limit=False, failed_login_delay=False, idle_cut=False)
_NUMBERS = st.integers(0, 2)


class Client:
    """One connection, and until when the model thinks it is logged in."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.until_ns: int | None = None


class SessionsMachine(RuleBasedStateMachine):
    """Three clients of one appliance at most, on real sockets and a clock that is set."""

    @initialize()
    def serve(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.stack = AsyncExitStack()
        self.served = self.run(self.stack.enter_async_context(socket_box("25.10", QUIET)))
        self.clients: list[Client] = []
        self.key_works = True

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    def pick(self, number: int) -> Client:
        return self.clients[number % len(self.clients)]

    def knows(self, client: Client) -> bool:
        """Whether the model thinks so; looking is a message, and ends a session that is over."""
        if client.until_ns is not None and self.served.clock.at_ns >= client.until_ns:
            client.until_ns = None
        return client.until_ns is not None

    async def open(self) -> Client:
        return Client(await self.stack.enter_async_context(self.served.wire()))

    @precondition(lambda self: len(self.clients) < 3)
    @rule()
    def connect(self) -> None:
        self.clients.append(self.run(self.open()))

    @precondition(lambda self: self.clients)
    @rule(number=_NUMBERS, right=st.booleans())
    def log_in(self, number: int, right: bool) -> None:
        client = self.pick(number)
        self.knows(client)
        key = self.served.key if right else "1-" + "x" * 64
        answer = self.run(client.wire.call("auth.login_with_api_key", key))
        assert answer is (right and self.key_works)
        if answer:
            client.until_ns = self.served.clock.at_ns + 30 * DAY_NS

    @precondition(lambda self: self.clients)
    @rule(number=_NUMBERS)
    def log_out(self, number: int) -> None:
        client = self.pick(number)
        known = self.knows(client)
        answer = self.run(client.wire.call("auth.logout"))
        assert (answer is True) is known
        client.until_ns = None

    @precondition(lambda self: self.clients)
    @rule(number=_NUMBERS)
    def call(self, number: int) -> None:
        client = self.pick(number)
        known = self.knows(client)
        answer = self.run(client.wire.call("system.version"))
        assert isinstance(answer, str) if known else answer["data"]["error"] == 207

    @precondition(lambda self: self.clients)
    @rule(number=_NUMBERS)
    def list_sessions(self, number: int) -> None:
        client = self.pick(number)
        if self.knows(client):
            rows = self.run(client.wire.call("auth.sessions"))
            # One that is over and has not said anything since is still listed.
            assert len(rows) == sum(one.until_ns is not None for one in self.clients)
            assert sum(row["current"] for row in rows) == 1

    @precondition(lambda self: self.clients)
    @rule(number=_NUMBERS)
    def throw_out_the_others(self, number: int) -> None:
        client = self.pick(number)
        if self.knows(client):
            assert self.run(client.wire.call("auth.terminate_other_sessions")) is True
            for other in [one for one in self.clients if one is not client and one.until_ns is not None]:
                assert self.run(other.wire.next()).close == (1000, "")
                self.clients.remove(other)

    @rule()
    def revoke(self) -> None:
        self.served.appliance.revoke("pulse")
        self.key_works = False

    @rule()
    def restore(self) -> None:
        self.served.appliance.restore("pulse")
        self.key_works = True

    @rule(days=st.integers(1, 31))
    def time_goes_by(self, days: int) -> None:
        self.served.clock.at_ns += days * DAY_NS

    def teardown(self) -> None:
        if hasattr(self, "stack"):
            self.run(self.stack.aclose())
            self.loop.close()


def test_sessions_are_as_the_model_says_whatever_happens_in_whatever_order() -> None:
    run_state_machine_as_test(SessionsMachine, settings=settings(max_examples=8, stateful_step_count=25, deadline=None))
