"""The parts of what issue 4 measures: generated requests and messages, clients from PyPI, and what asking costs."""

import asyncio
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mock_truenas.testing import Servers
from tests.clients.cells import CLIENTS, TABLE
from tests.clients.holding import hold_calls, hold_failures
from tests.contract.shape import REST
from tests.fuzz import frames, plans
from tests.nightly.issue_4 import BENCHMARKS, EXAMPLES, MESSAGES
from tests.nightly.measurement import ROOT


def measured(examples: int) -> dict[str, Any]:
    """Everything, with so many examples for each operation and a matching share of the messages."""
    messages = MESSAGES * examples // EXAMPLES
    faults: list[str] = []
    with _complaints(faults):
        told = {
            "rest": rest(examples, faults),
            "control": control(examples, faults),
            "messages": generated_messages(messages, faults),
            "clients": clients(faults),
        }
    return {**told, "figures": {name: figures(name) for name in BENCHMARKS}, "faults": faults}


def rest(examples: int, faults: list[str], releases: tuple[str, ...] = REST) -> dict[str, Any]:
    """Requests to every operation of the OpenAPI document of each release."""
    told = {}
    with Servers() as servers:
        for release in releases:
            tried = plans.rest(servers.make(release=release), examples=examples)
            told[release] = plans.told(tried)
            faults += (f"REST {release}: {fault}" for fault in tried.faults)
            _say(f"REST {release}: {tried.requests} requests, {len(tried.faults)} faults")
    return told


def control(examples: int, faults: list[str]) -> dict[str, Any]:
    """Requests to every operation of the control API."""
    tried = plans.control(examples=examples)
    faults += (f"control: {fault}" for fault in tried.faults)
    return plans.told(tried)


def generated_messages(count: int, faults: list[str]) -> dict[str, Any]:
    """``count`` messages in equal parts to the WebSocket faces of all releases."""
    told = {}
    with Servers() as servers:
        for release, face in plans.FACES:
            tried = frames.tried(servers.make(release=release), face, -(-count // len(plans.FACES)))
            told[f"{face} {release}"] = plans.told(tried)
            faults += tried.faults
            _say(f"{face} {release}: {tried.messages} messages, {len(tried.faults)} faults")
    return told


def clients(faults: list[str]) -> dict[str, Any]:
    """Every cell of every client: how many were run, and how many the client itself prevents."""
    told: dict[str, dict[str, Any]] = {}
    for client in CLIENTS:
        for release in TABLE[client]["releases"]:
            calls = asyncio.run(hold_calls(client, release))
            failures = asyncio.run(hold_failures(client, release))
            told.setdefault(client, {})[release] = {
                "calls": calls.run,
                "left_out": calls.left_out,
                "failures": failures.run,
            }
            faults += (f"{client} on {release}: {problem}" for problem in (*calls.problems, *failures.problems))
        _say(f"{client}: {len(faults)} faults so far")
    return told


def figures(benchmark: str) -> dict[str, Any] | str:
    """What a benchmark measured, or why it could not."""
    command = [sys.executable, "-m", f"benchmarks.{benchmark}", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        return f"not measured: {said[-1]}"
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@contextmanager
def _complaints(faults: list[str]) -> Iterator[None]:
    """What reaches a log as an error is a fault: an exception that nobody handled."""

    class Complaint(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            faults.append(f"log: {record.name}: {record.getMessage()}")

    handler = Complaint(logging.ERROR)
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
