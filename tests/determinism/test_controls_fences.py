"""Every kind of fence is shown red with exactly its entry of the tables taken out: the call goes through."""

import asyncio
import contextlib
import ctypes
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import start_http_server

from pulse_sim.kernel import KernelError, fences
from pulse_sim.kernel.ways_out import AUDITED, REPLACED
from tests.determinism.control import shown
from tests.kernel.testbed import Bench

HERE = Path(tempfile.gettempdir()) / f"pulse-sim-controls-{os.getpid()}"


def _closed(*ends: Any) -> None:
    for end in ends:
        end.close()


def _with_socket(act: Callable[[socket.socket], Any]) -> Callable[[], None]:
    def attempt() -> None:
        with socket.socket() as real:
            act(real)

    return attempt


def _thread() -> None:
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()


CALLS: dict[str, Callable[[], Any]] = {
    # Every one of them does no harm where it is let through.
    "socket.connect": _with_socket(lambda real: real.connect(("127.0.0.1", 9))),
    "socket.bind": _with_socket(lambda real: real.bind(("127.0.0.1", 0))),
    "socket.listen": _with_socket(lambda real: real.listen()),
    "socket.send": _with_socket(lambda real: real.send(b"x")),
    "socket.getaddrinfo": lambda: socket.getaddrinfo("127.0.0.1", 9),
    "socket.gethostname": lambda: socket.gethostname(),
    "socket.socketpair": lambda: _closed(*socket.socketpair()),
    "urllib.Request": lambda: urllib.request.urlopen("http://127.0.0.1:9/"),
    "threading.Thread.start": _thread,
    "subprocess.Popen": lambda: subprocess.run(["true"], check=True),
    "os.system": lambda: os.system("true"),  # noqa: S605
    "os.kill": lambda: os.kill(os.getpid(), 0),
    "signal.signal": lambda: signal.signal(signal.SIGUSR1, signal.getsignal(signal.SIGUSR1)),
    "open": lambda: (HERE / "file").write_text("x"),
    "os.remove": lambda: (HERE / "nothing").unlink(),
    "os.rename": lambda: (HERE / "nothing").rename(HERE / "elsewhere"),
    "os.mkdir": lambda: (HERE / "inner").mkdir(),
    "os.rmdir": lambda: (HERE / "nothing").rmdir(),
    "shutil.rmtree": lambda: shutil.rmtree(HERE / "nothing"),
    "tempfile.mkdtemp": lambda: tempfile.mkdtemp(dir=HERE),
    "sqlite3.connect": lambda: sqlite3.connect(":memory:").close(),
    "ctypes.dlopen": lambda: ctypes.CDLL("libc.so.6"),
    "ctypes.dlsym": lambda: ctypes.pythonapi["Py_IsInitialized"],
    "os.chdir": lambda: os.chdir("."),
    "os.umask": lambda: os.umask(os.umask(0o022)),
    "time.sleep": lambda: time.sleep(0),
}


def _without(call: str) -> Callable[[pytest.MonkeyPatch], None]:
    def off(patch: pytest.MonkeyPatch) -> None:
        audited = {event: way_out for event, way_out in AUDITED.items() if way_out.call != call}
        patch.setattr(fences, "AUDITED", audited)
        patch.setattr(fences, "REPLACED", tuple(one for one in REPLACED if one.way_out.call != call))

    return off


def _is_refused(call: str, attempt: Callable[[], Any]) -> bool:
    bench = Bench()

    async def main() -> None:
        attempt()

    HERE.mkdir()
    try:
        with contextlib.suppress(KernelError, OSError):
            bench.sim.run(main())
    finally:
        shutil.rmtree(HERE)
    return bench.sim.escapes[:1] == [call]


@pytest.mark.parametrize("call", CALLS)
def test_a_way_out_is_closed_by_its_own_entry_of_the_tables(call: str) -> None:
    shown(lambda: _is_refused(call, CALLS[call]), _without(call))


def test_the_metrics_library_s_own_server_cannot_start_in_a_run() -> None:
    """It has a thread; the stack renders its page and serves it through the loop."""
    started: list[Any] = []

    def claim() -> bool:
        bench = Bench()

        async def main() -> None:
            started.extend(start_http_server(0, addr="127.0.0.1"))

        with contextlib.suppress(KernelError):
            bench.sim.run(main())
        for server, thread in zip(started[::2], started[1::2], strict=True):
            server.shutdown()
            server.server_close()
            thread.join()
        return bench.sim.escapes != [] and not started

    def off(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(fences, "AUDITED", {})
        patch.setattr(fences, "REPLACED", ())

    shown_once(claim, off)


def shown_once(claim: Callable[[], bool], off: Callable[[pytest.MonkeyPatch], None]) -> None:
    """Like `shown`, for what cannot be undone: the claim is not made a third time."""
    assert claim()
    with pytest.MonkeyPatch.context() as patch:
        off(patch)
        assert not claim()


def test_an_escape_is_remembered_though_its_error_was_swallowed() -> None:
    def claim() -> bool:
        bench = Bench()

        async def main() -> None:
            with contextlib.suppress(Exception):
                socket.gethostname()
            await asyncio.sleep(1)

        try:
            bench.sim.run(main())
        except KernelError as error:
            return "socket.gethostname" in str(error) and "swallowed" in str(error)
        return False

    shown(claim, lambda patch: patch.setattr(fences.Fences, "remember", lambda _self, _call: None))
