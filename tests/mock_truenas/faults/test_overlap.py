"""Faults of every kind at once, with clients on all faces meanwhile: nothing breaks that no fault asked for."""

import asyncio
import contextlib
import json
import logging

from hypothesis import given, settings
from hypothesis import strategies as st

from mock_truenas.faults import FAULT_KINDS
from tests.mock_truenas.faults.box import QUICK, Box, in_simulation
from tests.mock_truenas.faults.minimal import MINIMAL

KINDS = [kind.name for kind in FAULT_KINDS.values() if not kind.needs_tls]
STEPS = st.lists(st.lists(st.sampled_from(KINDS), min_size=1, max_size=5), min_size=1, max_size=3)
GIVEN_UP = (TimeoutError, OSError, asyncio.IncompleteReadError, AssertionError, KeyError, ValueError)
"""How a client may end that meets faults."""


async def over_rest(box: Box) -> None:
    for path in ("/pool", "/disk", "//ui/"):
        with contextlib.suppress(*GIVEN_UP):
            await asyncio.wait_for(box.rest(path), 70)


async def over_sockets(box: Box) -> None:
    with contextlib.suppress(*GIVEN_UP):
        socket = await asyncio.wait_for(box.logged_in(), 70)
        socket.ask("core.subscribe", "pool.query", id_=2)
        for number, method in enumerate(("pool.query", "alert.list", "core.get_jobs", "nothing.here"), 3):
            socket.ask(method, id_=number)
        pool = next(iter(box.nas.appliance.base.pools))
        box.nas.appliance.change_pool(pool, fragmentation=9)
        box.nas.appliance.change_pool(pool, fragmentation=0)
        for _ in range(20):
            await socket.text_within(30)


class Complaints(logging.Handler):
    """Whatever the mock or the loop logs as an error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@settings(max_examples=30, deadline=None)
@given(STEPS)
def test_no_overlap_breaks_the_mock_and_healing_ends_it(steps: list[list[str]]) -> None:
    complaints = Complaints()

    async def act(box: Box) -> None:
        for number, kinds in enumerate(steps):
            ids = {f"{number}-{place}": kind for place, kind in enumerate(kinds)}
            for fault_id, kind in ids.items():
                parameters = FAULT_KINDS[kind].parameters.model_validate(MINIMAL.get(kind, {}))
                box.nas.inject(fault_id, kind, parameters)
            await asyncio.gather(over_rest(box), over_sockets(box))
            for fault_id in ids:
                box.nas.heal(fault_id)
            await box.nas.settled()
        for socket in box.sockets:
            socket.leave()
        await asyncio.sleep(200)
        await box.clean()
        assert json.loads((await box.rest("/pool")).body)[0]["status"] == "ONLINE"

    root = logging.getLogger()
    root.addHandler(complaints)
    try:
        in_simulation("25.04", QUICK, act)
    finally:
        root.removeHandler(complaints)
    assert complaints.lines == []
