"""What a run asks of a system under test: a small protocol, the same for our stack and for a foreign binary (R12).

It knows nothing of how a system is built; a world hands every system a :class:`Place` to run in.
"""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Any, Protocol, runtime_checkable


class Capability(StrEnum):
    """What a system can do. A scenario or gate that needs one it lacks is skipped or not applicable."""

    API_V2_RESOURCES = "api-v2-resources"
    METRICS = "metrics"
    BREAKER_METRICS = "breaker-metrics"
    RUNTIME_METRICS = "runtime-metrics"
    RESTART = "restart"
    KILL = "kill"
    REMOVE_FILE = "remove-file"
    REST_TRANSPORT = "rest-transport"


class WallClock(Protocol):
    """Wall time of the host a system runs on."""

    def now_ns(self) -> int:
        """Unix time in nanoseconds."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What the system answered over HTTP."""

    status: int
    body: bytes


@dataclass(frozen=True)
class Place:
    """Where a system runs: its address and its seams to time, entropy and disk.

    ``spawn`` starts a coroutine on the system's own host; ``kill`` ends everything that runs there at once, without any
    clean-up. ``fetch`` sends a request as an operator would, from
    another host: ``fetch(method, url, headers, json) -> Answer``; it raises ConnectionError or TimeoutError when
    there is no answer. ``disk`` is the host's disk; ``None`` means the operating system's.
    """

    name: str
    address: str
    port: int
    base_url: str
    data_dir: str
    api_token: str
    clock: WallClock
    entropy: Callable[[int], bytes]
    stream: Callable[[str], Random]
    disk: Any
    spawn: Callable[[Coroutine[Any, Any, Any], str], Any]
    kill: Callable[[], None]
    fetch: Callable[[str, str, Mapping[str, str], Any], Coroutine[Any, Any, Answer]]


class SystemUnderTest(Protocol):
    """A monitoring system that polls TrueNAS appliances. Every method may raise SystemFailure."""

    @property
    def version(self) -> str:
        """Name and version, for the report."""
        ...

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What it can do."""
        ...

    async def start(self, environment: Mapping[str, str], variant: str) -> None:
        """Start and return once the API answers."""
        ...

    async def stop(self) -> None:
        """Stop in order; does nothing when it is not running."""
        ...

    async def restart(self, environment: Mapping[str, str], variant: str) -> None:
        """Stop in order, then start again on the same data directory."""
        ...

    async def kill(self) -> None:
        """End it at once: no clean-up runs. Afterwards it can be started again."""
        ...

    async def request(self, method: str, path: str, json: Any = None) -> Answer:
        """One request to the admin API, for example ``GET /api/v2/resources``."""
        ...

    async def scrape(self) -> Answer:
        """The metrics page."""
        ...

    async def remove_file(self, name: str) -> None:
        """Remove one named file of the data directory, as the runbook's data clean-up does."""
        ...


@runtime_checkable
class OpenToStrangers(Protocol):
    """A system that can be asked by somebody it does not know; not every one can."""

    async def request_without_token(self, method: str, path: str, json: Any = None) -> Answer:
        """One request to the API as anybody may send it."""
        ...


class SystemFailure(Exception):
    """The system could not be started, stopped or reached; the text says which and why, without secrets."""


SystemFactory = Callable[[Place], SystemUnderTest]
