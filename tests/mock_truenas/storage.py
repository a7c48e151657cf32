"""Asking a served NAS over REST, and waiting for its jobs on its own clock."""

import json
from typing import Any

from tests.contract.box import Box

REST_RELEASES = ("24.04", "24.10", "25.04", "25.10")


async def ask(nas: Box, call: str, body: Any = None) -> Any:
    """The value of a good answer to ``GET /pool`` and the like."""
    status, value = await answer(nas, call, body)
    assert status == 200, (call, status, value)
    return value


async def answer(nas: Box, call: str, body: Any = None) -> tuple[int, Any]:
    """Status and value of an answer that is JSON, or text."""
    verb, _, target = call.partition(" ")
    reply = await nas.json(verb, target, body)
    return reply.status, json.loads(reply.body) if reply.header("Content-Type") != TEXT else reply.body.decode()


TEXT = "text/plain; charset=utf-8"


async def job(nas: Box, call: str, body: Any = None) -> dict[str, Any]:
    """The row of the job that a call starts, once all the time it takes has passed."""
    number = await ask(nas, call, body)
    assert isinstance(number, int)
    nas.clock.at_ns += nas.nas.appliance.jobs.get(number).takes_ns
    (row,) = await ask(nas, f"GET /core/get_jobs?id={number}")
    assert isinstance(row, dict)
    return row


def snapshots(release: str) -> str:
    """The path of the snapshots of a release."""
    return "/pool/snapshot" if release >= "25.10" else "/zfs/snapshot"
