"""What the programs share: a call is asked for in a line of JSON and answered in one. Runs without the project.

A program says what came back or which exception came out, and judges nothing.
"""

import asyncio
import json
import sys
import threading
from collections.abc import Awaitable, Callable
from typing import Any

Do = Callable[[str, dict[str, Any]], Any]


def plain(value: Any) -> Any:
    """As JSON; what it has no word for becomes the name of its type."""
    return json.loads(json.dumps(value, default=lambda odd: f"<{type(odd).__name__}>"))


def _failure(error: BaseException) -> dict[str, Any]:
    kind = type(error)
    return {"raises": f"{kind.__module__}.{kind.__qualname__}", "text": str(error)[:300]}


def serve(do: Do) -> None:
    """Answer until the asking ends; for a client that blocks."""
    for line in sys.stdin:
        asked = json.loads(line)
        told: list[dict[str, Any]] = []
        thread = threading.Thread(target=lambda: told.append(_outcome(do, asked)), daemon=True)  # noqa: B023
        thread.start()
        thread.join(asked["patience_s"])
        _tell(told[0] if told else {"raises": "hangs"})


def _outcome(do: Do, asked: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"gives": plain(do(asked["call"], asked["arguments"]))}
    except BaseException as error:
        return _failure(error)


async def serve_async(do: Callable[[str, dict[str, Any]], Awaitable[Any]]) -> None:
    """Answer until the asking ends; for a client that lives on a loop."""
    while line := await asyncio.to_thread(sys.stdin.readline):
        asked = json.loads(line)
        task = asyncio.ensure_future(do(asked["call"], asked["arguments"]))
        done, _ = await asyncio.wait({task}, timeout=asked["patience_s"])
        if not done:
            task.cancel()
            _tell({"raises": "hangs"})
        elif task.cancelled():
            _tell({"raises": "asyncio.exceptions.CancelledError"})
        else:
            error = task.exception()
            _tell(_failure(error) if error is not None else {"gives": plain(task.result())})


def _tell(outcome: dict[str, Any]) -> None:
    print(json.dumps(outcome), flush=True)
