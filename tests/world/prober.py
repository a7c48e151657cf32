"""A client of an appliance that asks at an exact instant and logs what it saw, to the nanosecond."""

import asyncio
import contextlib
import logging
from collections.abc import Coroutine, Sequence
from typing import Any, Literal

from pulse_sim.sut.protocol import Place, SystemFactory
from tests.run.rehearsal import Rehearsed
from tests.sut.plugins import and_then

START_NS = 1_770_595_200_000_000_000
LATENCY_NS = 500_000
MILLISECOND = 1_000_000
REQUEST = b"GET /api/v2.0/system/info HTTP/1.1\r\nHost: nas-1\r\nConnection: close\r\n\r\n"


def prober(
    at_ns: Sequence[int], *, with_its: Literal["request", "connect"] = "request", appliance: str = "nas-1"
) -> SystemFactory:
    """The reference system, and beside it one probe for each of the instants since the start.

    Its request, or its request to connect, arrives at that instant. Without credentials a sound appliance answers 401.
    """

    async def one(place: Place, arrival_ns: int) -> None:
        lead_ns = LATENCY_NS if with_its == "connect" else 2 * LATENCY_NS + MILLISECOND
        await _until(place, arrival_ns - LATENCY_NS - (lead_ns - LATENCY_NS))
        began_ns = place.clock.now_ns()
        try:
            async with asyncio.timeout(10):
                reader, writer = await asyncio.open_connection(appliance, 80)
                with contextlib.closing(writer):  # left open it is a warning from 3.12 on, whenever it is collected
                    connected_ns = place.clock.now_ns()
                    if with_its == "request":
                        await _until(place, arrival_ns - LATENCY_NS)
                    sent_ns = place.clock.now_ns()
                    writer.write(REQUEST)
                    answer = await reader.read()
                    saw = answer[9:12].decode() if answer else "nothing"
                    connect_ns, answer_ns = connected_ns - began_ns, place.clock.now_ns() - sent_ns
        except OSError as error:
            saw, connect_ns, answer_ns = type(error).__name__, -1, -1
        fields = {"at_ns": arrival_ns, "saw": saw, "connect_ns": connect_ns, "answer_ns": answer_ns}
        logging.getLogger("probe").info("probe at %(at_ns)d saw %(saw)s", fields)

    def each(place: Place) -> Coroutine[Any, Any, Any]:
        async def all_of_them() -> None:
            await asyncio.gather(*(one(place, instant) for instant in at_ns))

        return all_of_them()

    return and_then(each)


def seen(done: Rehearsed) -> dict[int, str]:
    """What each probe saw, by its instant."""
    return {fields["at_ns"]: fields["saw"] for fields in probes(done)}


def probes(done: Rehearsed) -> list[dict[str, Any]]:
    """The fields of every probe's log record."""
    return [record.data["fields"] for record in done.of("sut/log") if record.data["logger"] == "probe"]


async def _until(place: Place, time_ns: int) -> None:
    await asyncio.sleep((START_NS + time_ns - place.clock.now_ns()) / 1_000_000_000)
