"""The route of the text summary (contract A9)."""

from collections.abc import Callable, Sequence

from aiohttp import web

from pulse_sim.stack.alerts.book import AlertBook
from pulse_sim.stack.api.middleware import ORG
from pulse_sim.stack.api.operations import Operation
from pulse_sim.stack.api.store_refusals import READ_ANSWERS, store_refusal
from pulse_sim.stack.context import LIMIT_BYTES, Followed, describe
from pulse_sim.stack.registry import Registry
from pulse_sim.stack.seams import Clock
from pulse_sim.stack.store import StoreDamaged


class ContextRoutes:
    """`followed` gives the configured connections of an organisation; `time` is monotonic seconds."""

    def __init__(
        self,
        registry: Registry,
        alerts: AlertBook,
        clock: Clock,
        *,
        followed: Callable[[str], Sequence[Followed]],
        time: Callable[[], float],
    ) -> None:
        self._registry = registry
        self._alerts = alerts
        self._clock = clock
        self._followed = followed
        self._time = time

    def operations(self) -> Sequence[Operation]:
        """The one operation."""
        about = "What is monitored and what is wrong, as text."
        shape, media = {"type": "string"}, "text/plain"
        return [
            Operation(
                "GET",
                "/api/ai/context",
                "getContext",
                about,
                self.show,
                shape=shape,
                media=media,
                answers=READ_ANSWERS,
                retry_after=frozenset(READ_ANSWERS),
            )
        ]

    def summary(self, org: str, followed: Sequence[Followed]) -> str:
        """The text, bounded."""
        now, unix_ns = self._time(), self._clock.now_ns()
        return describe(
            self._registry, self._alerts, followed, now=now, unix_ns=unix_ns, org=org, limit_bytes=self.limit_bytes()
        )

    def limit_bytes(self) -> int:
        """How long the text may be."""
        return LIMIT_BYTES

    async def show(self, request: web.Request) -> web.Response:
        """The summary, at most 8 KiB."""
        org = request[ORG]
        try:
            followed = self._followed(org)
        except StoreDamaged as damage:
            raise store_refusal(damage, "truenas_load_failed") from None
        text = self.summary(org, followed)
        return web.Response(body=text.encode(errors="replace"), content_type="text/plain", charset="utf-8")
