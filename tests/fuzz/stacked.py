"""The stack with its API, in a thread of its own, on a disk that is thrown away. Knows no request."""

import asyncio
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pulse_sim.stack.assembly import Stack
from pulse_sim.stack.connection import Connection
from pulse_sim.stack.errors import ErrorType, MonitorError
from pulse_sim.stack.standalone import system_seams

_PATIENCE_S = 30
TOKEN = "a-token-of-the-fuzz"


class Unconnected(Stack):
    """Generated hosts are not called: a test of one ends at once, well or badly."""

    async def _test(self, connection: Connection) -> None:
        if len(connection.host) % 2:
            raise MonitorError(ErrorType.TIMEOUT, "test", connection.id, "no answer")


@contextmanager
def stacked() -> Iterator[tuple[str, dict[str, str]]]:
    """Base URL of the API and the headers it wants."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    with tempfile.TemporaryDirectory() as data_dir:
        environ = {
            "PULSE_DATA_DIR": data_dir,
            "FRONTEND_PORT": "0",
            "PULSE_API_TOKEN": TOKEN,
            "PULSE_MULTI_TENANT_ENABLED": "1",
        }
        stack = Unconnected(environ, system_seams())
        asyncio.run_coroutine_threadsafe(stack.start(), loop).result(_PATIENCE_S)
        host, port = stack.addresses[0]
        try:
            yield f"http://{host}:{port}", {"Authorization": f"Bearer {TOKEN}"}
        finally:
            asyncio.run_coroutine_threadsafe(stack.stop(), loop).result(_PATIENCE_S)
            loop.call_soon_threadsafe(loop.stop)
            thread.join(_PATIENCE_S)
            loop.close()
