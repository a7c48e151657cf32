"""NAS as they stand in a rack: each with its own clock, key, journal and state, several in one process.

Takes the machine's clock and entropy as arguments; opens ports, but no files.
"""

import asyncio
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mock_truenas.appliance import Appliance, build_appliance
from mock_truenas.behaviour import AS_DELIVERED, Behaviour
from mock_truenas.certificate import Certificates
from mock_truenas.clock import Clock, SettableClock
from mock_truenas.complaints import BadInput, Unknown, read_fault
from mock_truenas.faults.active import ActiveFault
from mock_truenas.journal import KEPT, Journal
from mock_truenas.server import MockTrueNAS
from mock_truenas.verification import Verification

KEY_NAME = "mock-truenas"
USERNAME = "truenas_admin"


@dataclass(frozen=True)
class Plan:
    """What a NAS is to be. ``seed`` decides serials, guids and all that moves; with ``at_ns`` its clock stands still
    there. ``build`` makes the appliance instead of the fixture, as a capture does.
    """

    release: str = "24.10"
    fixture: str = "baseline"
    seed: int = 1
    hostname: str | None = None
    behaviour: Behaviour = AS_DELIVERED
    at_ns: int | None = None
    build: Callable[[Clock, Callable[[int], bytes], random.Random], Appliance] | None = field(default=None, repr=False)


class Unit:
    """One NAS with what belongs to it; everything is to be used on the loop it was started on."""

    def __init__(
        self,
        name: str,
        plan: Plan,
        *,
        clock: Clock,
        entropy: Callable[[int], bytes],
        certificates: Certificates | None = None,
        adopt: Callable[[Appliance], str] | None = None,
        keeps: int = KEPT,
    ) -> None:
        """Build it. ``adopt`` gives it its API key instead of one made here; its journal keeps so many entries.

        Raises ValueError for a plan that names what there is not.
        """
        self.name = name
        self.plan = plan
        self.clock = SettableClock(clock, plan.at_ns)
        self.journal = Journal(keeps)
        self.appliance = self._built(entropy)
        self.api_key = adopt(self.appliance) if adopt else self.appliance.mint_api_key(KEY_NAME, prefix="")
        self.certificates = certificates
        self.nas = MockTrueNAS(
            self.appliance,
            clock=self.clock,
            journal=self.journal,
            ssl_context=certificates.context() if certificates else None,
            issue=certificates.issue if certificates else None,
            behaviour=plan.behaviour,
            entropy=entropy,
        )
        self._windows: dict[str, asyncio.TimerHandle] = {}
        self._injected = 0

    def _built(self, entropy: Callable[[int], bytes]) -> Appliance:
        rng = random.Random(f"{self.plan.seed}:appliance")
        if self.plan.build is not None:
            return self.plan.build(self.clock, entropy, rng)
        return build_appliance(
            fixture=self.plan.fixture,
            release=self.plan.release,
            hostname=self.plan.hostname,
            clock=self.clock,
            entropy=entropy,
            rng=rng,
        )

    @property
    def url(self) -> str:
        """Base URL without a trailing slash, once it listens."""
        return self.nas.url

    @property
    def ws_url(self) -> str:
        """The same for WebSockets."""
        return "ws" + self.nas.url.removeprefix("http")

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen. Raises OSError when the address cannot be had."""
        await self.nas.start(host, port)

    async def stop(self) -> None:
        """End every connection and every window. Harmless when not started."""
        self._close_windows()
        await self.nas.stop()

    def verify(self) -> Verification:
        """Questions over what the journal keeps now."""
        return Verification(self.journal.entries, self.journal.dropped)

    # -- faults ----------------------------------------------------------------------------------------------------

    def inject(
        self, kind: str, parameters: Mapping[str, Any], fault_id: str | None = None, for_ns: int | None = None
    ) -> ActiveFault:
        """Start a fault; with ``for_ns`` of the loop's time it heals by itself. Raises BadInput and changes nothing."""
        _, read = read_fault(kind, parameters)
        if fault_id is None:
            self._injected += 1
            fault_id = f"{kind}-{self._injected}"
        elif any(fault.fault_id == fault_id for fault in self.faults()):
            raise BadInput("id", fault_id, "is that of an active fault; clear it first or choose another")
        try:
            self.nas.inject(fault_id, kind, read)
        except ValueError as error:
            raise BadInput("kind", kind, str(error)) from error
        if for_ns is not None:
            loop = asyncio.get_running_loop()
            self._windows[fault_id] = loop.call_later(for_ns / 1e9, self.heal, fault_id)
        return next(fault for fault in self.faults() if fault.fault_id == fault_id)

    def heal(self, fault_id: str) -> None:
        """End a fault; nothing happens for one that is not active."""
        window = self._windows.pop(fault_id, None)
        if window is not None:
            window.cancel()
        self.nas.heal(fault_id)

    def heal_all(self) -> None:
        """End every fault, the latest first."""
        for fault in reversed(self.faults()):
            self.heal(fault.fault_id)

    def faults(self) -> tuple[ActiveFault, ...]:
        """Those active, in order of injection."""
        return self.nas.faults.active()

    # -- as at the start -------------------------------------------------------------------------------------------

    async def reset(self) -> None:
        """State, faults, clock and journal as at the start; the same keys are valid. What is being answered ends."""
        self._close_windows()
        self._injected = 0
        self.clock.reset()
        await self.nas.reset()
        self.journal.clear()

    def _close_windows(self) -> None:
        for window in self._windows.values():
            window.cancel()
        self._windows.clear()


class Fleet(Mapping[str, Unit]):
    """Units by name, in order; started and stopped together."""

    def __init__(self, units: Mapping[str, Unit]) -> None:
        self._units = dict(units)

    def __getitem__(self, name: str) -> Unit:
        return self._units[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._units)

    def __len__(self) -> int:
        return len(self._units)

    def find(self, name: str) -> Unit:
        """The unit of that name. Raises Unknown."""
        if name not in self._units:
            raise Unknown("appliance", name, self._units)
        return self._units[name]

    async def start(self, host: str, port: int = 0) -> None:
        """All of them listen; with a ``port`` the next ones take the ports after it. Raises OSError, then none does."""
        try:
            for number, unit in enumerate(self.values()):
                await unit.start(host, port and port + number)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """All of them stop."""
        for unit in self.values():
            await unit.stop()


def plans(plan: Plan, count: int) -> dict[str, Plan]:
    """``count`` plans like one, by name; from the second on with a seed and host name of their own."""
    if count == 1:
        return {"nas-1": plan}
    named = ((f"nas-{number}", number) for number in range(1, count + 1))
    return {name: replace(plan, seed=plan.seed + number - 1, hostname=plan.hostname or name) for name, number in named}
