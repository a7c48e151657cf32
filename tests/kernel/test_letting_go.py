"""The ends of a finished connection let go of each other, so that it is freed at once, and nothing shows it."""

import asyncio
import contextlib
import random
import weakref
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_sim.kernel import Bandwidth, Latency, LinkFault, ResetPeer, Simulation, SlowClose, Toxic, Trace
from pulse_sim.kernel.endpoint import Endpoint
from tests.kernel.testbed import Bench, hello

_PORT: Final = 7
_FAULTS: Final[tuple[LinkFault | Toxic, ...]] = (
    *(LinkFault("down"), LinkFault("reset"), LinkFault("refuse"), LinkFault("unreachable"), LinkFault("blackhole")),
    *(LinkFault("blackhole", direction="forward"), LinkFault("blackhole", direction="backward")),
    *(Toxic(Latency(latency=20, jitter=20)), Toxic(ResetPeer(timeout=1)), Toxic(SlowClose(delay=3))),
    *(Toxic(Bandwidth(rate=1)), Toxic(Latency(latency=3), stream="upstream")),
)


async def _some_traffic(choose: random.Random, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read, write and close by chance, never for longer than some milliseconds."""
    with contextlib.suppress(OSError):
        for _ in range(choose.randrange(4)):
            await asyncio.sleep(choose.choice((0, 0.000_25, 0.000_5, 0.002)))
            writer.write(b"x" * choose.choice((1, 2_000)))
            if choose.random() < 0.5:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(reader.read(100), choose.choice((0.000_5, 0.003)))
        if choose.random() < 0.3:
            writer.write_eof()
            await asyncio.sleep(0.000_5)
    if choose.random() < 0.5:
        writer.transport.abort()
    writer.close()


def _chance(seed: int) -> tuple[str, list[str]]:
    """What a run of random connections under random faults leaves: the digest, and what nobody handled."""
    trace = Trace()
    sim = Simulation(seed=seed, start_ns=0, trace=trace)
    server, client = sim.host("server"), sim.host("client")
    choose = random.Random(seed)

    async def serve() -> None:
        await asyncio.start_server(lambda *ends: _some_traffic(choose, *ends), server.address, _PORT)

    async def connect() -> None:
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(1):
                ends = await asyncio.open_connection("server", _PORT)
            await _some_traffic(choose, *ends)

    async def main() -> None:
        await server.run(serve())
        for number in range(12):
            open_ones = [asyncio.create_task(connect()) for _ in range(3)]
            await asyncio.sleep(choose.choice((0, 0.000_6, 0.001_1)))
            sim.network.apply(f"f{number}", choose.choice(_FAULTS), dst="server")
            await asyncio.sleep(choose.choice((0.000_3, 0.001, 0.004)))
            if choose.random() < 0.7:
                sim.network.heal(f"f{number}")
            await asyncio.wait(open_ones)
        await asyncio.sleep(2_000)

    sim.run(main(), host=client)
    return trace.digest(), [repr(one) for one in sim.unhandled]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 1 << 20))
def test_letting_go_never_shows(seed: int) -> None:
    seen = _chance(seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Endpoint, "part", lambda _end: None)
        kept = _chance(seed)
    assert seen == kept


def test_a_finished_connection_is_freed_without_a_collection(bench: Bench) -> None:
    async def client() -> list[object]:
        _reader, writer = await asyncio.open_connection("nas-1", 80)
        transport: Any = writer.transport
        ends = [weakref.ref(transport), weakref.ref(transport.peer)]
        writer.close()
        await writer.wait_closed()
        del _reader, writer, transport
        await asyncio.sleep(1)
        return [end() for end in ends]

    async def main() -> list[object]:
        await bench.serve(hello)
        return await bench.pulse.run(client())

    assert bench.sim.run(main()) == [None, None]
