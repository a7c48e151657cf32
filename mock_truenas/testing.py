"""A NAS for tests: a real server on a free port, in a thread of its own, so that any HTTP library can talk to it.

The thread is this module's, not the server's. What is done to the NAS is done on its loop.
"""

import asyncio
import ssl
import threading
from collections.abc import Callable, Coroutine, Iterable, Mapping
from concurrent.futures import Future
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Concatenate, Final, ParamSpec, TypeVar, cast

from mock_truenas.appliance import Appliance
from mock_truenas.behaviour import Behaviour, switched
from mock_truenas.certificate import Certificates
from mock_truenas.clock import SettableClock
from mock_truenas.durations import read_duration
from mock_truenas.fleet import USERNAME, Plan, Unit
from mock_truenas.journal import JournalEntry
from mock_truenas.system import SYSTEM_CLOCK, system_entropy
from mock_truenas.verification import Verification

_Result = TypeVar("_Result")
_Arguments = ParamSpec("_Arguments")
_PATIENCE_S: Final = 30.0
# A test waits for nothing that is not its subject.
QUICK: Final = Behaviour(failed_login_delay=False, login_rate_limit=False)


class _OnLoop:
    """Stands in for something whose methods are to run on a loop."""

    def __init__(self, behind: Any, run: Callable[[Callable[[], Any]], Any]) -> None:
        self._behind = behind
        self._run = run

    def __getattr__(self, name: str) -> Any:
        found = self._run(lambda: getattr(self._behind, name))
        if not callable(found):
            return found
        return lambda *arguments, **named: self._run(lambda: found(*arguments, **named))


class Injected:
    """An active fault; as a context manager it heals at the end."""

    def __init__(self, served: "ServedNas", fault_id: str) -> None:
        self._served = served
        self.id = fault_id

    @property
    def met(self) -> int:
        """How many requests, calls or handshakes it was applied to; 0 once it has healed."""
        faults = self._served.run(lambda unit: {fault.fault_id: fault.met for fault in unit.faults()})
        return faults.get(self.id, 0)

    def heal(self) -> None:
        """End it; once more, nothing happens."""
        self._served.heal(self.id)

    def __enter__(self) -> "Injected":
        return self

    def __exit__(self, *_: object) -> None:
        self.heal()


class ServedNas:
    """One NAS that serves. Its attributes are what a client needs; its methods change what it is."""

    def __init__(self, unit: Unit, loop: asyncio.AbstractEventLoop) -> None:
        self._unit = unit
        self._loop = loop
        self.host: Final = "127.0.0.1"
        self.api_key = unit.api_key
        self.username: Final = USERNAME
        self.password: str = self.run(lambda unit: unit.appliance.mint_password(USERNAME))
        self.appliance = cast(Appliance, _OnLoop(unit.appliance, self._call))
        self.clock = cast(SettableClock, _OnLoop(unit.clock, self._call))

    # -- where it is -----------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """``nas-1`` for the first one of a test."""
        return self._unit.name

    @property
    def release(self) -> str:
        """Which TrueNAS it is."""
        return self._unit.appliance.release.name

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._unit.nas.port

    @property
    def url(self) -> str:
        """``http://127.0.0.1:PORT``, or https."""
        return self._unit.url

    @property
    def ws_url(self) -> str:
        """``ws://127.0.0.1:PORT/api/current``, or wss; below 25.04 there is only :attr:`ddp_url`."""
        return f"{self._unit.ws_url}/api/current"

    @property
    def ddp_url(self) -> str:
        """``ws://127.0.0.1:PORT/websocket``, or wss."""
        return f"{self._unit.ws_url}/websocket"

    @property
    def headers(self) -> dict[str, str]:
        """The Authorization header of a REST request with :attr:`api_key`."""
        return {"Authorization": f"Bearer {self.api_key}"}

    @property
    def ca_pem(self) -> str | None:
        """The certificate to trust; None without TLS."""
        return self._unit.certificates.pem if self._unit.certificates else None

    @cached_property
    def ssl_context(self) -> ssl.SSLContext | None:
        """For a client that trusts it and nobody else; None without TLS."""
        return ssl.create_default_context(cadata=self.ca_pem) if self.ca_pem else None

    def write_ca(self, path: Path) -> Path:
        """Put the certificate to trust into a file, for clients that want one. Raises ValueError without TLS."""
        if self.ca_pem is None:
            raise ValueError("this NAS serves no TLS; make it with tls=True")
        path.write_text(self.ca_pem, encoding="ascii")
        return path

    # -- what it was asked -----------------------------------------------------------------------------------------

    @property
    def journal(self) -> tuple[JournalEntry, ...]:
        """What it was asked and what it answered, the latest 20,000."""
        return self._after_what_was_sent(lambda: self._unit.journal.entries)

    @property
    def verify(self) -> Verification:
        """Questions over the journal as it is now."""
        return self._after_what_was_sent(self._unit.verify)

    # -- what happens to it ----------------------------------------------------------------------------------------

    def inject(
        self, kind: str, /, *, fault_id: str | None = None, lasts: str | None = None, **parameters: Any
    ) -> Injected:
        """Start a fault; ``with`` heals it at the end, ``lasts="5s"`` after a time. Raises ValueError for a bad one."""
        for_ns = None if lasts is None else read_duration(lasts)
        fault = self.run(lambda unit: unit.inject(kind, parameters, fault_id, for_ns))
        return Injected(self, fault.fault_id)

    def heal(self, fault_id: str) -> None:
        """End a fault; when this returns, a door it had closed is open."""

        async def healed() -> None:
            self._unit.heal(fault_id)
            await self._unit.nas.settled()

        self._wait(healed())

    def heal_all(self) -> None:
        """End every fault."""

        async def healed() -> None:
            self._unit.heal_all()
            await self._unit.nas.settled()

        self._wait(healed())

    def reset(self) -> None:
        """State, faults, clock and journal as at the start; keys and password stay."""
        self._wait(self._unit.reset())

    def run(
        self,
        function: Callable[Concatenate[Unit, _Arguments], _Result],
        *arguments: _Arguments.args,
        **named: _Arguments.kwargs,
    ) -> _Result:
        """Call ``function(unit, …)`` where the NAS runs, and return what it returns."""
        return self._call(lambda: function(self._unit, *arguments, **named))

    def stop(self) -> None:
        """Stop serving. Harmless once more."""
        self._wait(self._unit.stop())

    def _after_what_was_sent(self, look: Callable[[], _Result]) -> _Result:
        async def looked() -> _Result:
            # An entry is written right after the last byte: whoever has the answer must find it.
            for _ in range(3):
                await asyncio.sleep(0)
            return look()

        return self._wait(looked())

    def _call(self, function: Callable[[], _Result]) -> _Result:
        async def called() -> _Result:
            return function()

        return self._wait(called())

    def _wait(self, doing: Coroutine[Any, Any, _Result]) -> _Result:
        if self._loop.is_closed():
            doing.close()
            raise RuntimeError("this NAS was stopped with the test that made it")
        future: Future[_Result] = asyncio.run_coroutine_threadsafe(doing, self._loop)
        return future.result(_PATIENCE_S)


class Servers:
    """All NAS of one test, on one thread, made when the first is; a context manager."""

    def __init__(self) -> None:
        self.served: list[ServedNas] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def make(
        self,
        *,
        release: str = "25.10",
        fixture: str = "baseline",
        tls: bool = False,
        behaviour: Behaviour | Mapping[str, bool] = QUICK,
        seed: int = 1,
        hostname: str | None = None,
        at: datetime | None = None,
        capture: Path | str | None = None,
        port: int = 0,
    ) -> ServedNas:
        """Serve one more. With ``at`` its clock stands still there. Raises ValueError for what there is not."""
        if isinstance(behaviour, Mapping):
            behaviour = switched(QUICK, behaviour)
        plan = Plan(release, fixture, seed, hostname, behaviour, None if at is None else _instant_ns(at))
        if capture is not None:
            from mock_truenas.capture.serving import plan_of  # loading captures is for those who have one

            plan = plan_of(Path(capture), plan)
        name = f"nas-{len(self.served) + 1}"
        certificates = Certificates("127.0.0.1", SYSTEM_CLOCK.now_ns() / 1e9) if tls else None
        unit = Unit(name, plan, clock=SYSTEM_CLOCK, entropy=system_entropy, certificates=certificates)
        loop = self._running()
        asyncio.run_coroutine_threadsafe(unit.start("127.0.0.1", port), loop).result(_PATIENCE_S)
        served = ServedNas(unit, loop)
        self.served.append(served)
        return served

    def close(self) -> None:
        """Stop them all, and the thread."""
        loop, self._loop = self._loop, None
        if loop is None or self._thread is None:
            return
        for served in self.served:
            served.stop()
        loop.call_soon_threadsafe(loop.stop)
        self._thread.join(_PATIENCE_S)
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()

    def __enter__(self) -> "Servers":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _running(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._loop.run_forever, name="mock-truenas", daemon=True)
            self._thread.start()
        return self._loop


def told(entries: Iterable[JournalEntry]) -> str:
    """A journal for a test report, one line an entry."""
    from mock_truenas.verification import described

    return "\n".join(map(described, entries))


def _instant_ns(at: datetime) -> int:
    if at.tzinfo is None:
        raise ValueError("`at` needs a time zone, such as datetime(2026, 2, 9, tzinfo=UTC)")
    since = at - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * 1000
