"""What reached the event loop's exception handler, reduced to facts that are the same in every process."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from pulse_sim.kernel.endpoint import Watch
from pulse_sim.kernel.hosts import CURRENT, Host

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
        # asyncio names the class of a task in its message; ours is an implementation detail.
        template = _UNSTABLE.sub("…", str(context.get("message", ""))).replace("Simulation", "")
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
    """Whose it was: the task's host, or that of the transport or of the callback's own context."""
    candidates = (
        lambda: getattr(context.get("task", context.get("future")), "host", None),
        lambda: context["transport"].get_extra_info("host"),
        lambda: context["handle"]._context.get(CURRENT),
        CURRENT.get,
    )
    for candidate in candidates:
        try:
            host = candidate()
        except (KeyError, AttributeError):
            continue
        if isinstance(host, Host):
            return host.name
    return None
