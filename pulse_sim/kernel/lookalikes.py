"""Look-alikes of the standard library's clocks and generators, driven by a simulation.

A look-alike module is a copy of the real one's namespace with some names changed, so reading an attribute of it costs
what it did. This module makes them; who gets them is not its business.
"""

import asyncio
import datetime
import os
import random
import secrets  # noqa: TID251 - to be replaced, not to be used
import sys
import time
import types
import uuid
from collections.abc import Callable
from typing import Any, NoReturn, Protocol

from pulse_sim.kernel.clock import VirtualClock
from pulse_sim.kernel.fences import refuse
from pulse_sim.kernel.tasks import SimulationTask

Changes = dict[types.ModuleType, dict[str, Any]]


class Source(Protocol):
    """What a look-alike asks of a simulation."""

    clock: VirtualClock

    def wall_ns(self) -> int: ...
    def stream(self, purpose: str) -> random.Random: ...
    def entropy(self, purpose: str) -> Callable[[int], bytes]: ...


def changes(source: Source) -> Changes:
    """For each real module the names that change."""
    urandom = source.entropy("kernel/urandom")
    changed: Changes = {
        time: _time(source),
        datetime: _datetime(source),
        random: _random(source.stream("kernel/random"), urandom),
        os: {"urandom": urandom, "getrandom": lambda size, _flags=0: urandom(size), "getpid": lambda: 1},
        uuid: _uuid(urandom),
        secrets: _secrets(source.stream("kernel/secrets")),
    }
    if sys.version_info >= (3, 12):  # there aiohttp calls asyncio.Task itself, past any task factory
        changed[asyncio] = {"Task": SimulationTask}
    return changed


def look_alike(module: types.ModuleType, changed: dict[str, Any]) -> types.ModuleType:
    """A copy of ``module`` with some names changed."""
    copy = types.ModuleType(module.__name__, module.__doc__)
    copy.__dict__.update(vars(module))
    copy.__dict__.update(changed)
    return copy


def _time(source: Source) -> dict[str, Any]:
    clock, wall_ns = source.clock, source.wall_ns
    base_ns = round(clock.base_s * 1e9)

    def wall_s() -> float:
        return wall_ns() / 1e9

    def monotonic() -> float:
        return clock.time_s

    def monotonic_ns() -> int:
        return base_ns + clock.now_ns

    def broken_down(seconds: float | None = None) -> time.struct_time:
        return time.gmtime(wall_s() if seconds is None else seconds)

    def ctime(seconds: float | None = None) -> str:
        return time.asctime(broken_down(seconds))

    def strftime(form: str, when: Any = None) -> str:
        return time.strftime(form, broken_down() if when is None else when)

    def sleep(_seconds: float) -> NoReturn:
        refuse("time.sleep")

    return {
        "time": wall_s,
        "time_ns": wall_ns,
        "gmtime": broken_down,
        "localtime": broken_down,
        "ctime": ctime,
        "strftime": strftime,
        "sleep": sleep,
        "tzname": ("UTC", "UTC"),
        "timezone": 0,
        "altzone": 0,
        "daylight": 0,
        **dict.fromkeys(("monotonic", "perf_counter", "process_time", "thread_time"), monotonic),
        **dict.fromkeys(("monotonic_ns", "perf_counter_ns", "process_time_ns", "thread_time_ns"), monotonic_ns),
    }


class _Posing(type):
    """The class of stand-in classes: their instances are instances of the real class, which is what callers get."""

    real: type

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, cls.real)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, cls.real)


def _datetime(source: Source) -> dict[str, Any]:
    real, epoch = datetime.datetime, datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)

    def instant() -> datetime.datetime:
        return epoch + datetime.timedelta(microseconds=source.wall_ns() // 1_000)

    class PosingDatetime(real, metaclass=_Posing):  # type: ignore[misc, valid-type]
        def __new__(cls, *args: Any, **options: Any) -> Any:
            return real(*args, **options)

        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> Any:
            return instant().replace(tzinfo=None) if tz is None else instant().astimezone(tz)

        @classmethod
        def utcnow(cls) -> Any:
            return instant().replace(tzinfo=None)

        today = utcnow

    class PosingDate(datetime.date, metaclass=_Posing):
        def __new__(cls, *args: Any, **options: Any) -> Any:
            return datetime.date(*args, **options)

        @classmethod
        def today(cls) -> Any:
            return instant().date()

    PosingDatetime.real, PosingDate.real = real, datetime.date
    return {"datetime": PosingDatetime, "date": PosingDate}


def _random(rng: random.Random, urandom: Callable[[int], bytes]) -> dict[str, Any]:
    class PosingRandom(random.Random, metaclass=_Posing):
        def __new__(cls, seed: Any = None) -> Any:
            return random.Random(int.from_bytes(urandom(32), "big") if seed is None else seed)

    PosingRandom.real = random.Random
    shared = getattr(random, "_inst")  # noqa: B009 - private to the standard library
    functions = {
        name: getattr(rng, name) for name, value in vars(random).items() if getattr(value, "__self__", None) is shared
    }
    return {**functions, "Random": PosingRandom, "SystemRandom": PosingRandom}


def _uuid(urandom: Callable[[int], bytes]) -> dict[str, Any]:
    def uuid4() -> uuid.UUID:
        return uuid.UUID(bytes=urandom(16), version=4)

    return {"uuid4": uuid4, "uuid1": lambda node=None, clock_seq=None: uuid4()}  # noqa: ARG005


def _secrets(rng: random.Random) -> dict[str, Any]:
    def token_bytes(size: int | None = None) -> bytes:
        return rng.randbytes(32 if size is None else size)

    def token_urlsafe(size: int | None = None) -> str:
        import base64

        return base64.urlsafe_b64encode(token_bytes(size)).rstrip(b"=").decode("ascii")

    return {
        "token_bytes": token_bytes,
        "token_hex": lambda size=None: token_bytes(size).hex(),
        "token_urlsafe": token_urlsafe,
        "randbits": rng.getrandbits,
        "randbelow": rng.randrange,
        "choice": rng.choice,
    }
