"""Whatever faults came and went, in whatever order and overlap: afterwards both faces answer as before."""

import asyncio
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from mock_truenas.faults import FAULT_KINDS
from tests.mock_truenas.faults.box import QUICK, Box, real_box
from tests.mock_truenas.faults.minimal import MINIMAL

KINDS = [kind.name for kind in FAULT_KINDS.values() if not kind.needs_tls and not kind.lasting]
CALLS: tuple[tuple[str, list[Any]], ...] = (
    ("system.info", []),
    ("system.boot_id", []),
    ("pool.query", []),
    ("pool.dataset.query", []),
    ("disk.query", []),
    ("disk.temperatures", [["sda", "sdb"]]),
    ("alert.list", []),
    ("service.query", []),
    ("sharing.smb.query", []),
    ("core.get_jobs", []),
)
IDS = st.sampled_from("abcdef")
STEPS = st.lists(
    st.tuples(st.just("inject"), IDS, st.sampled_from(KINDS)) | st.tuples(st.just("heal"), IDS), max_size=25
)


async def everything(box: Box) -> list[str]:
    """What both faces answer, with a login of its own."""
    socket = await box.logged_in()
    answers = [json.dumps((await socket.call(name, *params))["result"]) for name, params in CALLS]
    socket.leave()
    rest = await asyncio.gather(*(box.rest(path) for path in ("/system/info", "/pool", "/disk", "/alert/list")))
    return [*answers, *(reply.body.decode() for reply in rest)]


@settings(max_examples=40, deadline=None)
@given(STEPS)
def test_healing_all_leaves_every_answer_as_it_was(steps: list[tuple[str, ...]]) -> None:
    async def world() -> None:
        async with real_box("25.04", QUICK) as box:
            before = await everything(box)
            active: set[str] = set()
            for step, fault_id, *kind in steps:
                if step == "heal":
                    box.nas.heal(fault_id)
                    active.discard(fault_id)
                elif fault_id not in active:
                    (name,) = kind
                    box.nas.inject(fault_id, name, FAULT_KINDS[name].parameters.model_validate(MINIMAL.get(name, {})))
                    active.add(fault_id)
            for fault_id in sorted(active):
                box.nas.heal(fault_id)
            await box.nas.settled()
            box.journal.clear()
            assert await everything(box) == before
            assert {entry.faults for entry in box.journal} == {()}

    asyncio.run(world())


def test_a_session_that_was_not_cut_goes_on() -> None:
    spared = [name for name in KINDS if FAULT_KINDS[name].effect(_made(name)).cuts is None and name != "appliance.down"]

    async def world() -> None:
        async with real_box("25.04", QUICK) as box:
            live = await box.logged_in()
            for name in spared:
                box.nas.inject(name, name, _made(name))
            for name in spared:
                box.nas.heal(name)
            assert (await live.call("system.info", id_=5))["result"]["hostname"] == "truenas"

    asyncio.run(world())


def _made(name: str) -> BaseModel:
    return FAULT_KINDS[name].parameters.model_validate(MINIMAL.get(name, {}))
