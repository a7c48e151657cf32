"""The stack on a real machine: its clock, its entropy, its disk. The only module of the stack that reaches for them."""

import asyncio
import os
import random
import signal
import time
from collections.abc import Mapping

from pulse_sim.stack.assembly import Parts, Stack
from pulse_sim.stack.disk import RealDisk
from pulse_sim.stack.seams import Seams


class SystemClock:
    """The wall clock of the machine."""

    def now_ns(self) -> int:
        """Unix nanoseconds."""
        return time.time_ns()  # noqa: TID251 - this is the composition root that reads the clock for everybody else


def system_stream(_purpose: str) -> random.Random:
    """An unpredictable generator; nothing in real use has to be repeatable."""
    return random.SystemRandom()


def system_seams() -> Seams:
    """The seams of a real run."""
    return Seams(clock=SystemClock(), entropy=os.urandom, stream=system_stream, disk=RealDisk())


async def serve(
    environ: Mapping[str, str], variant: str = "truenas-off-by-default", parts: Parts | None = None
) -> None:
    """Runs the stack until SIGINT or SIGTERM. Raises SettingsInvalid, or OSError when the address cannot be had."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    stack = Stack(environ, system_seams(), parts, variant)
    await stack.start()
    try:
        await stopping.wait()
    finally:
        await stack.stop()
