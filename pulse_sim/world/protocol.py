"""What a run asks of a world, simulated or live: time, systems, appliances, faults and counts. No policy."""

from collections.abc import Callable, Coroutine, Mapping
from enum import IntEnum
from typing import Any, Protocol

from pulse_sim.observation import Source
from pulse_sim.sut.protocol import SystemUnderTest

Observe = Callable[[Source, str, str, dict[str, Any]], int]


class Instant(IntEnum):
    """The order of what falls on the same instant (R5): heal, inject, operator, sample; the network comes last."""

    HEAL = 0
    INJECT = 1
    OPERATOR = 2
    SAMPLE = 3


class World(Protocol):
    """Where a run happens. It is opened once, driven by the run, and closed once."""

    @property
    def name(self) -> str:
        """``simulated`` or ``live``."""
        ...

    @property
    def systems(self) -> Mapping[str, SystemUnderTest]:
        """The systems of the scenario by name."""
        ...

    def now_ns(self) -> int:
        """Nanoseconds since the scenario's start."""
        ...

    def at(self, at_ns: int, instant: Instant, action: Callable[[], None]) -> None:
        """Call ``action`` at a time since the start, in the order of :class:`Instant`."""
        ...

    def spawn(self, coroutine: Coroutine[Any, Any, Any], name: str) -> None:
        """Run something on the operator's host; an exception in it is an error of the harness."""
        ...

    async def open(self, observe: Observe) -> None:
        """Build the network and start every appliance."""
        ...

    async def close(self) -> None:
        """Stop every appliance. Systems are stopped by the run before."""
        ...

    def connection_record(self, appliance: str, verify_tls: str, credentials: str) -> dict[str, Any]:
        """Where an appliance is and how to log in, as fields of a connection record.

        ``verify_tls`` is ``skip`` or ``pin``, ``credentials`` ``api_key`` or ``basic``. It holds the secret and must
        not be recorded.
        """
        ...

    def inject(self, fault_id: str, kind: str, on: str, parameters: Any) -> None:
        """Set a fault on an appliance."""
        ...

    def heal(self, fault_id: str) -> None:
        """Take a fault back; healing twice does nothing."""
        ...

    def serials(self, appliance: str) -> list[str]:
        """The serial numbers of an appliance's disks, in the order of their names."""
        ...

    async def receive(self, port: int, for_ns: int) -> list[bytes]:
        """Listen on the operator's host, which systems know as ``operator``; the bodies that were posted by then."""
        ...

    def power_off(self, system: str, *, torn: bool) -> None:
        """Take the power of a system's machine; ``torn``: its disk keeps a part of what was not synced."""
        ...

    def power_on(self, system: str) -> None:
        """Give it back; nothing runs there yet."""
        ...

    def note_truth(self, appliance: str) -> None:
        """Record what the appliance really is, where that differs from what is on record (``appliance/truth``)."""
        ...

    def counts(self) -> Mapping[str, int]:
        """Tasks, transports and timers alive in the whole world."""
        ...

    def disk(self, system: str) -> dict[str, Any]:
        """The files in a system's data directory, and which of them show a secret in the clear."""
        ...
