"""Tells a receiver of alerts: one JSON POST each, soon, in order, and never at the expense of anything else.

The address may hold a secret: it appears in no log, and over https it goes to nobody whose certificate cannot be
trusted. Knows no rule.
"""

import asyncio
import json
import logging
import ssl
from collections.abc import Callable
from typing import Any, Final

import aiohttp

from pulse_sim.stack.alerts.alert import Alert
from pulse_sim.stack.runtime import Runtime
from pulse_sim.stack.transport import USER_AGENT, verifying_context

DEADLINE_S: Final = 5.0
WAITING: Final = 100
"""Notifications that may wait; with more the oldest is given up."""
_log = logging.getLogger("pulse.alerts")


class Webhook:
    """A bounded queue and who empties it. A failure is logged once until a notification arrives again."""

    def __init__(self, url: str, runtime: Runtime, notifies: Callable[[Alert], bool]) -> None:
        self._url = url
        self._tls: ssl.SSLContext | bool = verifying_context() if url.lower().startswith("https:") else True
        self._runtime = runtime
        self._notifies = notifies
        self._waiting: asyncio.Queue[dict[str, Any]] = asyncio.Queue(WAITING)
        self._failing = False

    def listen(self, event: str, alert: Alert) -> None:
        """Takes a change of an alert; waits for nothing."""
        if event == "acknowledged" or not self._notifies(alert):
            return
        if self._waiting.full():
            self._waiting.get_nowait()
            self._failed("too many waiting")
        self._waiting.put_nowait({"event": event, "alert": alert.to_data()})

    async def run(self) -> None:
        """Sends until cancelled."""
        while True:
            await self._send(await self._waiting.get())

    async def _send(self, notification: dict[str, Any]) -> None:
        headers = {"User-Agent": USER_AGENT, "Content-Type": "application/json", "Accept-Encoding": "identity"}
        body = json.dumps(notification, separators=(",", ":")).encode()
        # Nothing is kept open between two alerts, and no deadline but the one around it all counts.
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(force_close=True, use_dns_cache=False),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, connect=None, sock_connect=None, sock_read=None),
            trust_env=False,
        )
        try:
            async with (
                session,
                self._runtime.within(DEADLINE_S),
                session.post(self._url, data=body, headers=headers, ssl=self._tls, allow_redirects=False) as answer,
            ):
                status = answer.status
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as failure:
            self._failed(type(failure).__name__)
            return
        if 200 <= status < 300:
            self._arrived()
        else:
            self._failed(f"status {status}")

    def _failed(self, why: str) -> None:
        if not self._failing:
            _log.error("alert webhook fails: %(reason)s", {"reason": why})
        self._failing = True

    def _arrived(self) -> None:
        if self._failing:
            _log.info("alert webhook works again")
        self._failing = False
