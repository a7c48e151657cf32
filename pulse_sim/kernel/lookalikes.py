"""Look-alikes of the standard library's clocks and generators, and of asyncio's classes, driven by a simulation.

A look-alike module is a copy of the real one's namespace with some names changed, so reading an attribute of it costs
what it did. This module makes them; who gets them is not its business.
"""

import asyncio
import calendar
import datetime
import os
import random
import secrets  # noqa: TID251 - to be replaced, not to be used
import ssl
import time
import types
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, NoReturn, Protocol

from pulse_sim.kernel.clock import VirtualClock
from pulse_sim.kernel.fences import refuse
from pulse_sim.kernel.scheduling import VirtualTimeLoop
from pulse_sim.kernel.tasks import SimulationTask

Changes = dict[types.ModuleType, dict[str, Any]]


class Source(Protocol):
    """What a look-alike asks of a simulation."""

    clock: VirtualClock

    def wall_ns(self) -> int: ...
    def stream(self, purpose: str) -> random.Random: ...
    def entropy(self, purpose: str) -> Callable[[int], bytes]: ...


def changes(source: Source) -> Changes:
    """For each real module the names that change; the same modules and names for every simulation."""
    urandom = source.entropy("kernel/urandom")
    return {
        time: _time(source),
        datetime: _datetime(source),
        random: _random(source.stream("kernel/random"), urandom),
        os: {"urandom": urandom, "getrandom": lambda size, _flags=0: urandom(size), "getpid": lambda: 1},
        uuid: _uuid(urandom),
        secrets: _secrets(source.stream("kernel/secrets"), urandom),
        ssl: {"RAND_bytes": urandom},
        asyncio: {"Task": _TaskCall, "Future": _FutureCall, "as_completed": _as_completed},
    }


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

    def clock_gettime(clock_id: int) -> float:
        return wall_s() if clock_id == time.CLOCK_REALTIME else monotonic()

    def clock_gettime_ns(clock_id: int) -> int:
        return wall_ns() if clock_id == time.CLOCK_REALTIME else monotonic_ns()

    def sleep(_seconds: float) -> NoReturn:
        refuse("time.sleep")

    return {
        "time": wall_s,
        "time_ns": wall_ns,
        "gmtime": broken_down,
        "localtime": broken_down,
        "ctime": ctime,
        "strftime": strftime,
        "mktime": lambda when: float(calendar.timegm(tuple(when))),
        "clock_gettime": clock_gettime,
        "clock_gettime_ns": clock_gettime_ns,
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

        @classmethod
        def fromtimestamp(cls, timestamp: float, tz: datetime.tzinfo | None = None) -> Any:
            moment = real.fromtimestamp(timestamp, datetime.UTC)
            return moment.replace(tzinfo=None) if tz is None else moment.astimezone(tz)

    class PosingDate(datetime.date, metaclass=_Posing):
        def __new__(cls, *args: Any, **options: Any) -> Any:
            return datetime.date(*args, **options)

        @classmethod
        def today(cls) -> Any:
            return instant().date()

        @classmethod
        def fromtimestamp(cls, timestamp: float) -> Any:
            return real.fromtimestamp(timestamp, datetime.UTC).date()

    PosingDatetime.real, PosingDate.real = real, datetime.date
    return {"datetime": PosingDatetime, "date": PosingDate}


def _generator_class(urandom: Callable[[int], bytes]) -> type:
    class PosingRandom(random.Random, metaclass=_Posing):
        def __new__(cls, seed: Any = None) -> Any:
            return random.Random(int.from_bytes(urandom(32), "big") if seed is None else seed)

    PosingRandom.real = random.Random
    return PosingRandom


def _random(rng: random.Random, urandom: Callable[[int], bytes]) -> dict[str, Any]:
    posing = _generator_class(urandom)
    shared = getattr(random, "_inst")  # noqa: B009 - private to the standard library
    functions = {
        name: getattr(rng, name) for name, value in vars(random).items() if getattr(value, "__self__", None) is shared
    }
    return {**functions, "Random": posing, "SystemRandom": posing}


def _uuid(urandom: Callable[[int], bytes]) -> dict[str, Any]:
    def uuid4() -> uuid.UUID:
        return uuid.UUID(bytes=urandom(16), version=4)

    def uuid1(node: int | None = None, clock_seq: int | None = None) -> uuid.UUID:  # noqa: ARG001 - the real one's
        return uuid4()

    return {"uuid4": uuid4, "uuid1": uuid1, "getnode": lambda: 1}


def _secrets(rng: random.Random, urandom: Callable[[int], bytes]) -> dict[str, Any]:
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
        "SystemRandom": _generator_class(urandom),
    }


class _TaskCall(asyncio.Task, metaclass=_Posing):  # type: ignore[type-arg]
    """`asyncio.Task(…)` asked for directly goes past every task factory; here it is numbered like any other."""

    real = asyncio.Task

    def __new__(cls, coro: Any, *, loop: Any = None, **options: Any) -> Any:
        running: Any = asyncio.get_running_loop() if loop is None else loop
        made = SimulationTask if isinstance(running, VirtualTimeLoop) else asyncio.Task
        return made(coro, loop=running, **options)


class _FutureCall(asyncio.Future, metaclass=_Posing):  # type: ignore[type-arg]
    real = asyncio.Future

    def __new__(cls, *, loop: Any = None) -> Any:
        return (asyncio.get_running_loop() if loop is None else loop).create_future()


def _as_completed(fs: Iterable[Any], *, timeout: float | None = None) -> Iterator[Any]:
    """asyncio's own makes a set of what it is given, and of coroutines that set has the order of their addresses."""
    return asyncio.as_completed([asyncio.ensure_future(one) for one in dict.fromkeys(fs)], timeout=timeout)


class _NoSource:
    """Answers nothing: enough to ask which names change."""

    clock = VirtualClock(0, 0.0)

    def wall_ns(self) -> int:
        return 0

    def stream(self, purpose: str) -> random.Random:
        return random.Random(purpose)

    def entropy(self, purpose: str) -> Callable[[int], bytes]:
        return self.stream(purpose).randbytes


CHANGED: Final[Mapping[types.ModuleType, frozenset[str]]] = {
    module: frozenset(names) for module, names in changes(_NoSource()).items()
}
"""Which names of which modules have look-alikes."""
