"""A client's program in a process of its own: asks for a call, gets what came of it. Knows no client."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from tests.clients.environment import python_with

PROGRAMS: Final = Path(__file__).parent / "programs"
PATIENCE_S: Final = 10.0
IMPATIENCE_S: Final = 0.3
"""How long a call is waited for that is expected never to end."""


class Program:
    """A running program of one client."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def ask(self, call: str, arguments: Mapping[str, Any], *, patience_s: float = PATIENCE_S) -> dict[str, Any]:
        """``gives`` with the value, or ``raises`` with the class; the class ``hangs`` is none. Fails when it ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        told = {"call": call, "arguments": dict(arguments), "patience_s": patience_s}
        self._process.stdin.write(json.dumps(told).encode() + b"\n")
        line = await asyncio.wait_for(self._process.stdout.readline(), patience_s + PATIENCE_S)
        assert line, f"the program ended at {call}: {await self._last_words()}"
        outcome: dict[str, Any] = json.loads(line)
        return outcome

    async def _last_words(self) -> str:
        assert self._process.stderr is not None
        return (await self._process.stderr.read()).decode()[-1000:]


@asynccontextmanager
async def running(client: str, program: str) -> AsyncIterator[Program]:
    """Start it; it ends with the block."""
    python = await asyncio.to_thread(python_with, client)
    process = await asyncio.create_subprocess_exec(
        python,
        PROGRAMS / program,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=2**24,
        env={"PYTHONDONTWRITEBYTECODE": "1", "PATH": "/usr/bin:/bin", "HOME": str(PROGRAMS)},
    )
    try:
        yield Program(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
