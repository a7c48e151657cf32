"""truenaspy, method by method. It is imported inside the running loop: its module makes a session as it loads."""

import asyncio
import inspect
import logging
from typing import Any

import aiohttp
import asking

logging.disable(logging.CRITICAL)


class Program:
    """Holds the client between calls."""

    def __init__(self) -> None:
        self.client: Any = None

    async def do(self, call: str, arguments: dict[str, Any]) -> Any:
        import truenaspy

        name = call.partition(".")[2]
        if call == "public":
            return [f"TruenasClient.{one}" for one in dir(truenaspy.TruenasClient) if not one.startswith("_")]
        if name == "create":
            if self.client is not None:
                await self.client.async_close()
            session = aiohttp.ClientSession()
            self.client = truenaspy.TruenasClient(arguments["host"], arguments["token"], session=session)
            return self.client.is_connected
        if name in ("subscribe", "unsubscribe"):
            called: list[int] = []
            # One of its two names for it is the other; either starts a poll when it is the first.
            self.client._sub._callbacks.setdefault("none", [])
            getattr(self.client, name)("pools", lambda: called.append(1))
            await self.client.async_get_pools()
            return len(called)
        value = getattr(self.client, name)(**arguments)
        value = await value if inspect.isawaitable(value) else value
        return {"value": value, "connected": self.client.is_connected} if name == "async_update" else value


asyncio.run(asking.serve_async(Program().do))
