"""Fences round a run: what would leave the simulation raises FenceError naming the call, and is remembered.

Most of it is caught by an audit hook, which cannot be removed: it is installed once in a process and sleeps between
runs. What the interpreter does not audit (threads before 3.13, signal handlers, traffic on connected sockets) is
replaced for the run. Creating an unconnected socket is allowed. Only the thread of the run is fenced: a test runner's
own threads go on.
"""

import signal
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any, Final, NoReturn

from pulse_sim.kernel.errors import FenceError
from pulse_sim.kernel.substitution import Substitutions

_AUDITED: Final = frozenset(
    {
        "socket.connect",
        "socket.bind",
        "socket.sendto",
        "socket.sendmsg",
        "socket.getaddrinfo",
        "socket.getnameinfo",
        "socket.gethostbyname",
        "socket.gethostbyaddr",
        "_thread.start_new_thread",
        "_thread.start_joinable_thread",
        "subprocess.Popen",
        "os.system",
        "os.fork",
        "os.forkpty",
        "os.posix_spawn",
        "os.exec",
        "os.kill",
        "os.killpg",
        "signal.pthread_kill",
    }
)
_UNAUDITED: Final = (
    (threading, "_start_new_thread", "threading.Thread.start"),
    (threading, "_start_joinable_thread", "threading.Thread.start"),
    (signal, "signal", "signal.signal"),
    (signal, "setitimer", "signal.setitimer"),
    (signal, "alarm", "signal.alarm"),
    (signal, "set_wakeup_fd", "signal.set_wakeup_fd"),
    (signal, "raise_signal", "signal.raise_signal"),
    (socket.socket, "listen", "socket.listen"),
    (socket.socket, "accept", "socket.accept"),
    (socket.socket, "send", "socket.send"),
    (socket.socket, "sendall", "socket.sendall"),
    (socket.socket, "recv", "socket.recv"),
    (socket.socket, "recv_into", "socket.recv_into"),
)

_raised: "Fences | None" = None
_installed = False


class Fences:
    """One run's fences. ``escapes`` names every call that was refused, swallowed or not."""

    def __init__(self) -> None:
        self.escapes: list[str] = []
        self._thread = 0
        self._substitutions = Substitutions()

    def raise_up(self) -> None:
        """Fence the calling thread until lowered."""
        global _raised, _installed
        if _raised is not None:
            raise FenceError("a simulation inside a simulation")
        if not _installed:
            sys.addaudithook(_audit)
            _installed = True
        self._thread = threading.get_ident()
        for target, name, call in _UNAUDITED:
            if hasattr(target, name):
                self._substitutions.set(target, name, self._guarded(getattr(target, name), call))
        _raised = self

    def lower(self) -> None:
        """Let the calls through again; lowering twice is harmless."""
        global _raised
        if _raised is self:
            _raised = None
            self._substitutions.restore()

    def guards_this_thread(self) -> bool:
        return threading.get_ident() == self._thread

    def _guarded(self, real: Callable[..., Any], call: str) -> Callable[..., Any]:
        def guarded(*args: Any, **options: Any) -> Any:
            if self.guards_this_thread():
                refuse(call)
            return real(*args, **options)

        return guarded


def refuse(call: str) -> NoReturn:
    """Remember the escape against the run under way and raise FenceError."""
    if _raised is not None and len(_raised.escapes) < 100:
        _raised.escapes.append(call)
    raise FenceError(f"{call} leaves the simulation")


def _audit(event: str, _args: tuple[Any, ...]) -> None:
    if _raised is not None and event in _AUDITED and _raised.guards_this_thread():
        refuse(event)
