"""What reached the event loop's exception handler, reduced to facts that are the same in every process."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from pulse_sim.kernel.hosts import CURRENT, Host
from pulse_sim.kernel.transport import Watch

MOST_KEPT: Final = 1_000
_KINDS: Final = ("task", "future", "handle", "asyncgen", "transport", "protocol", "server")
_UNSTABLE: Final = re.compile(r"<.*>|\b0x[0-9a-fA-F]+\b")


@dataclass(frozen=True, slots=True)
class Unhandled:
    """One call of the exception handler. ``template`` carries no repr and no address."""

    host: str | None
    kind: str
    exception: str
    template: str


class UnhandledLog:
    """Collects what nobody handled and tells whoever asked."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._running = True
        self.entries: list[Unhandled] = []
        self.callbacks: list[Callable[[str | None, str, str, str], None]] = []

    def handle(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """The loop's exception handler."""
        if not self._running:
            return
        kind = next((name for name in _KINDS if name in context), "loop")
        if kind == "future" and isinstance(context["future"], asyncio.Task):
            kind = "task"
        error = context.get("exception")
        template = _UNSTABLE.sub("…", str(context.get("message", "")))
        entry = Unhandled(_host_name(context), kind, type(error).__name__ if error is not None else "", template)
        if len(self.entries) < MOST_KEPT:
            self.entries.append(entry)
        self._watch("unhandled", f"{entry.host} {entry.kind} {entry.exception}", template.encode())
        for callback in self.callbacks:
            callback(entry.host, entry.kind, entry.exception, entry.template)

    def stop(self) -> None:
        """Ignore what tear-down provokes."""
        self._running = False


def _host_name(context: dict[str, Any]) -> str | None:
    subject = context.get("task", context.get("future"))
    host: Any = getattr(subject, "host", None) or _transport_host(context.get("transport")) or CURRENT.get()
    return host.name if isinstance(host, Host) else None


def _transport_host(transport: Any) -> Any:
    return transport.get_extra_info("host") if isinstance(transport, asyncio.Transport) else None
