"""The engines that are compared: each runs one workload from an empty process state to a closed loop.

An engine's own library is imported when it is asked for, so that this file loads under every interpreter.
"""

import asyncio
import random
import ssl
from collections.abc import Callable, Coroutine
from importlib import import_module
from typing import Any, Final

from aiohttp import web

from benchmarks.workloads import Target, Workload, application

PAUSE_S: Final = 30.0
LATENCY_S: Final = 0.000_25
"""One way, in both simulations."""
SEED: Final = 1
_START_NS: Final = 1_770_595_200 * 10**9

Spawn = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]
Contexts = tuple[ssl.SSLContext, ssl.SSLContext]


def contexts() -> Contexts:
    """Server and client contexts around one self-signed certificate; made before anything is timed."""
    from pulse_sim.kernel.certificate import self_signed, server_context

    certificate, key = self_signed(random.Random(SEED).randbytes, ["nas"], ["127.0.0.1"])
    return server_context(certificate, key), ssl.create_default_context(cadata=certificate.decode("ascii"))


async def _converse(
    workload: Workload, rounds: int, tls: Contexts | None, spawn: Spawn, host: str, name: str, pause_s: float
) -> int:
    """Serve on ``host`` in a task made by ``spawn`` and drive the client here, at the host's ``name``."""
    listening: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    done = asyncio.Event()

    async def serve() -> None:
        runner = web.AppRunner(application(), access_log=None)
        await runner.setup()
        port = 0 if host == "127.0.0.1" else 443 if tls else 80
        await web.TCPSite(runner, host, port, ssl_context=tls[0] if tls else None).start()
        listening.set_result(port or runner.addresses[0][1])
        await done.wait()
        await runner.cleanup()

    server = spawn(serve())
    url = f"{'https' if tls else 'http'}://{name}:{await listening}"
    made = await workload.drive(Target(url, tls[1] if tls else None, pause_s), rounds)
    done.set()
    await server
    return made


def on_loopback(workload: Workload, rounds: int, tls: Contexts | None) -> int:
    """Stock asyncio on the kernel's loopback."""
    return asyncio.run(_converse(workload, rounds, tls, asyncio.create_task, "127.0.0.1", "127.0.0.1", 0))


def on_uvloop(workload: Workload, rounds: int, tls: Contexts | None) -> int:
    """uvloop on the kernel's loopback."""
    uvloop = import_module("uvloop")
    made: int = uvloop.run(_converse(workload, rounds, tls, asyncio.create_task, "127.0.0.1", "127.0.0.1", 0))
    return made


def _simulated(workload: Workload, rounds: int, tls: Contexts | None, *, traced: bool) -> int:
    from pulse_sim.kernel import Simulation, Trace

    sim = Simulation(seed=SEED, start_ns=_START_NS, trace=Trace() if traced else None)
    server, client = sim.host("nas"), sim.host("pulse")
    conversation = _converse(workload, rounds, tls, server.run, server.address, server.name, PAUSE_S)
    made: int = sim.run(conversation, host=client)
    return made


def in_simulation(workload: Workload, rounds: int, tls: Contexts | None) -> int:
    """Ours, with the trace on."""
    return _simulated(workload, rounds, tls, traced=True)


def in_simulation_untraced(workload: Workload, rounds: int, tls: Contexts | None) -> int:
    """Ours without digest and checkpoints; only to say what these cost."""
    return _simulated(workload, rounds, tls, traced=False)


def on_simloop(workload: Workload, rounds: int, tls: Contexts | None) -> int:
    """simloop, which always keeps its trace; the hash it can make of it afterwards is not asked for."""
    loop = import_module("simloop").SimLoop(seed=SEED)
    loop.net.set_defaults(latency=(LATENCY_S, LATENCY_S))
    asyncio.set_event_loop(loop)
    server, client = loop.net.host("nas"), loop.net.host("pulse")
    made = 0

    async def main() -> None:
        nonlocal made
        conversation = _converse(workload, rounds, tls, server.create_task, "0.0.0.0", server.name, PAUSE_S)  # noqa: S104
        made = await client.create_task(conversation)

    try:
        loop.run_until_complete(main())
    finally:
        loop.close()
        asyncio.set_event_loop(None)
    return made


ENGINES: Final[dict[str, Callable[[Workload, int, Contexts | None], int]]] = {
    "loopback": on_loopback,
    "uvloop": on_uvloop,
    "simulation": in_simulation,
    "untraced": in_simulation_untraced,
    "simloop": on_simloop,
}
