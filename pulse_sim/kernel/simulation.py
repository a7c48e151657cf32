"""The facade of the kernel: one object that is one simulated run."""

import asyncio
import contextlib
import gc
import random
import sys
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, Final, TypeVar

from pulse_sim.kernel import names
from pulse_sim.kernel.clock import HostClock, VirtualClock
from pulse_sim.kernel.death import end_programs
from pulse_sim.kernel.disk import Disk
from pulse_sim.kernel.errors import FenceError, KernelError
from pulse_sim.kernel.fences import Fences
from pulse_sim.kernel.hosts import CURRENT, Host
from pulse_sim.kernel.links import LinkFault
from pulse_sim.kernel.loop import simulation_loop
from pulse_sim.kernel.network import Network
from pulse_sim.kernel.rebinding import PAST_THE_LOOP, Rebinding
from pulse_sim.kernel.schedule import Schedule
from pulse_sim.kernel.tasks import task_number
from pulse_sim.kernel.timers import TimedHandle
from pulse_sim.kernel.trace import Trace
from pulse_sim.kernel.unhandled import Unhandled, UnhandledLog

T = TypeVar("T")

DEFAULT_REBIND: Final = ("aiohttp", "aiohappyeyeballs", "prometheus_client")


class Simulation:
    """Hosts, a network, disks and one virtual clock. ``run`` once; everything is restored afterwards."""

    def __init__(
        self,
        seed: int,
        start_ns: int,
        *,
        rebind: Sequence[str] = DEFAULT_REBIND,
        trace: Trace | None = None,
        schedule: str = Schedule.FIFO,
    ) -> None:
        """``start_ns``: Unix time of the start. ``rebind``: packages whose clock and random aliases are replaced.
        ``schedule``: ``fifo`` or ``random`` (:class:`Schedule`); ValueError for anything else.
        """
        self.seed = seed
        self.start_ns = start_ns
        self.schedule = Schedule(schedule)
        self.trace = trace if trace is not None else Trace()
        self._rebind = tuple(rebind)
        self._traced = trace is not None
        self._streams: dict[str, random.Random] = {}
        self._entropies: dict[str, Callable[[int], bytes]] = {}
        self._disks: dict[str, Disk] = {}
        self._ran = False
        self.clock = VirtualClock(start_ns, self.stream("kernel/loop-base").random())
        self.loop = simulation_loop(self.schedule, self.clock, self.stream)
        watch = self.trace.event if self._traced else _ignore
        self._watch = watch
        self.network = Network(self.loop, watch, self.stream)
        self.loop.network = self.network
        self.trace.bind(partial(getattr, self.clock, "now_ns"), partial(task_number, self.loop))
        self._unhandled = UnhandledLog(watch)
        self.loop.set_exception_handler(self._unhandled.handle)
        self._fences = Fences()

    @property
    def development_mode(self) -> bool:
        """Whether `-X dev` or asyncio debug is on. aiohttp parses otherwise then: such a run has a digest of its own
        kind, equal to none made without, and whoever records the environment says so (R4).
        """
        return sys.flags.dev_mode or self.loop.get_debug()

    # ---- time and randomness

    @property
    def now_ns(self) -> int:
        """Virtual nanoseconds since the start."""
        return self.clock.now_ns

    def at(self, at_ns: int, priority: int, callback: Callable[[], Any]) -> TimedHandle:
        """Call at a virtual instant, before everything of a later priority at that instant."""
        if at_ns < self.clock.now_ns:
            raise ValueError(f"{at_ns} ns is past: it is {self.clock.now_ns} ns")
        return self.loop.call_at_ns(at_ns, callback, priority=int(priority))

    def stream(self, purpose: str) -> random.Random:
        """The run's one generator for this purpose; a new purpose never disturbs another's draws."""
        if purpose not in self._streams:
            self._streams[purpose] = random.Random(f"{self.seed}:{purpose}")
        return self._streams[purpose]

    def entropy(self, purpose: str) -> Callable[[int], bytes]:
        """Seeded bytes for this purpose. Only simulated disks may hold what is made of them."""
        return self.stream(f"entropy:{purpose}").randbytes

    # ---- hosts and disks

    def host(self, name: str, *, skew_ns: int = 0) -> Host:
        """Declare a host. Its DNS name is its name; its address follows from the order of declaration."""
        if name in self.network.hosts:
            raise ValueError(f"a host {name!r} is declared already")
        address = names.address_of(len(self.network.hosts))
        host = Host(self.loop, name, address, HostClock(self.clock, skew_ns))
        self.network.add(host)
        return host

    def wall_ns(self) -> int:
        """Unix nanoseconds by the clock of the host the running code belongs to."""
        host = CURRENT.get()
        return self.start_ns + self.clock.now_ns if host is None else host.clock.now_ns()

    def current_host(self) -> Host | None:
        """The host the running code belongs to."""
        return CURRENT.get()

    def disk(self, name: str) -> Disk:
        """The disk of that name, made on first use."""
        if name not in self._disks:
            self._disks[name] = Disk(
                name, lambda operation, path, data: self._watch("disk", f"{name} {operation} {path}", data)
            )
        return self._disks[name]

    # ---- machines that die

    def kill(self, host: Host) -> None:
        """End every program on a host at once: no clean-up runs. Its kernel closes what they had open; disks keep all.

        Start something new on it with ``Host.run``. RuntimeError when the caller is one of those programs.
        """
        end_programs(self.loop, host)
        self._watch("fault", f"host:{host.name}", b"killed")
        self.network.perish(host, told=True)

    def power_off(self, host: Host, *, torn: bool = False) -> None:
        """Take a host's power: its programs end, peers hear nothing, and what its disk was not told to sync is lost.

        With ``torn`` the disk keeps a part of that, drawn from the run's streams. RuntimeError as for ``kill``, and
        ValueError when it is off already.
        """
        off = _power_of(host)
        if self.network.is_applied(off[0]):
            raise ValueError(f"{host.name} is off already")
        end_programs(self.loop, host)
        self.network.apply(off[0], LinkFault("blackhole"), dst=host.name)
        self.network.apply(off[1], LinkFault("blackhole"), src=host.name, dst="*")
        self.network.perish(host, told=False)
        disk = self._disks.get(host.name)
        if disk is not None:
            disk.lose_power(self.stream(f"disk/{host.name}") if torn else None)

    def power_on(self, host: Host) -> None:
        """Give it power again; nothing runs on it yet. What peers still send on old connections is reset."""
        for fault_id in _power_of(host):
            self.network.heal(fault_id)

    # ---- books

    @property
    def unhandled(self) -> list[Unhandled]:
        """What reached the loop's exception handler; the first 1,000."""
        return self._unhandled.entries

    def on_unhandled(self, callback: Callable[[str | None, str, str, str], None]) -> None:
        """Have ``callback(host, kind, exception type, message template)`` called for each."""
        self._unhandled.callbacks.append(callback)

    @property
    def escapes(self) -> list[str]:
        """Calls that a fence refused, whoever swallowed the error."""
        return self._fences.escapes

    def counts(self) -> dict[str, int]:
        """Tasks not done, transports open, timers pending."""
        return {
            "tasks": len(asyncio.all_tasks(self.loop)),
            "transports": self.network.counts()["transports"],
            "timers": self.loop.live_timers(),
        }

    def collect_garbage(self) -> None:
        """Collect now: exceptions that nobody retrieved reach ``on_unhandled`` before its listener closes its books."""
        gc.collect()

    # ---- running

    def run(self, coro: Coroutine[Any, Any, T], *, host: Host | None = None) -> T:
        """Run until ``coro`` is done; its result, or what it raises. KernelError and its kinds are the kernel's own."""
        try:
            self._admit()
        except KernelError:
            coro.close()
            raise
        self._ran = True
        if self.development_mode:
            self._watch("run", "development mode", b"")
        rebinding = Rebinding(self._rebind, self)
        collecting = gc.isenabled()
        gc.disable()
        gc.freeze()  # garbage of before stays garbage until afterwards; looking for it costs as much as a short run
        try:
            rebinding.install()
            self._fences.raise_up()
            try:
                result = self._run(coro, host)
            except Exception as error:
                # Whatever a refused call led to in the end, the call is what has to be told.
                if self.escapes and not isinstance(error, FenceError):
                    raise FenceError(self._fences.account()) from error
                raise
            finally:
                left = self._wind_up()
                gc.collect()
            if left:
                raise KernelError(f"tasks ignored their cancellation: {', '.join(left)}")
            if self.escapes:
                raise FenceError(self._fences.account())
            return result
        finally:
            self._fences.lower()
            rebinding.restore()
            self.loop.close()
            gc.unfreeze()
            if collecting:
                gc.enable()

    def _admit(self) -> None:
        if self._ran:
            raise KernelError("a Simulation runs once")
        if asyncio._get_running_loop() is not None:
            raise KernelError("a simulation inside a running event loop")
        for name in PAST_THE_LOOP:
            if name in sys.modules:
                raise KernelError(f"{name} is loaded: it opens connections past the event loop")

    def _run(self, coro: Coroutine[Any, Any, T], host: Host | None) -> T:
        context = host.context() if host is not None else None
        main = self.loop.create_task(coro, name="main", context=context)
        try:
            result: T = self.loop.run_until_complete(main)
        except KernelError:
            main._log_destroy_pending = False  # type: ignore[attr-defined]
            raise
        return result

    def _wind_up(self) -> list[str]:
        """Cancel what is left, youngest first, and close every transport; names the tasks that would not end."""
        self.trace.stop()
        self._unhandled.callbacks.clear()
        gc.collect()  # a task that died unseen still belongs into the books
        self._unhandled.stop()
        loop = self.loop
        for _ in range(3):
            tasks = sorted(asyncio.all_tasks(loop), key=lambda task: getattr(task, "number", 0), reverse=True)
            for task in tasks:
                task.cancel()
            self.network.close_all()
            with contextlib.suppress(KernelError):
                loop.run_until_complete(_settle(tasks))
        with contextlib.suppress(KernelError):
            loop.run_until_complete(loop.shutdown_asyncgens())
        left = sorted(asyncio.all_tasks(loop), key=lambda task: getattr(task, "number", 0))
        for task in left:
            task._log_destroy_pending = False  # type: ignore[attr-defined]
        return [task.get_name() for task in left]


def _power_of(host: Host) -> tuple[str, str]:
    """The ids of the faults that stand for a machine without power: nothing reaches it, nothing leaves it."""
    return f"power:{host.name}", f"power:{host.name}/out"


async def _settle(tasks: "list[asyncio.Task[Any]]") -> None:
    """Let cancelled tasks finish; one virtual minute is enough for any that can."""
    if tasks:
        await asyncio.wait(tasks, timeout=60)
    await asyncio.sleep(1)


def _ignore(_kind: str, _subject: str, _payload: bytes) -> None:
    return None
