"""Nothing leaves a running simulation: every way out raises FenceError naming the call, and is remembered."""

import _posixsubprocess
import _thread
import asyncio
import contextlib
import ctypes
import http.client
import importlib
import os
import re
import resource
import select
import shutil
import signal
import smtplib
import socket
import sqlite3
import subprocess
import sys
import sysconfig
import syslog
import tempfile
import threading
import time
import urllib.request
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pulse_sim.kernel import FenceError, KernelError
from pulse_sim.kernel.ways_out import AUDITED, LET_THROUGH, REPLACED, Area
from tests.kernel.testbed import Bench


def _with_socket(act: Callable[[socket.socket], Any]) -> Callable[[], Any]:
    def attempt() -> None:
        with socket.socket() as real:
            act(real)

    return attempt


SCRATCH = Path(tempfile.gettempdir()) / "pulse-sim-never-written"
OPEN_BEFORE = os.pipe()
ESCAPES: dict[str, Callable[[], Any]] = {
    "socket.connect": _with_socket(lambda real: real.connect(("127.0.0.1", 9))),
    "socket.bind": _with_socket(lambda real: real.bind(("127.0.0.1", 0))),
    "socket.listen": _with_socket(lambda real: real.listen()),
    "socket.send": _with_socket(lambda real: real.send(b"x")),
    "socket.sendall": _with_socket(lambda real: real.sendall(b"x")),
    "socket.recv": _with_socket(lambda real: real.recv(1)),
    "socket.recvfrom": _with_socket(lambda real: real.recvfrom(1)),
    "socket.sendto": _with_socket(lambda real: real.sendto(b"x", ("127.0.0.1", 9))),
    "socket.socketpair": lambda: socket.socketpair(),  # looked up in the run
    "socket.getaddrinfo": lambda: socket.getaddrinfo("127.0.0.1", 9),
    "socket.gethostbyname": lambda: socket.gethostbyname("127.0.0.1"),
    "socket.gethostname": socket.gethostname,
    "urllib.Request": lambda: urllib.request.urlopen("http://127.0.0.1:9/"),
    "http.client.connect": lambda: http.client.HTTPConnection("127.0.0.1", 9).connect(),
    "smtplib.connect": lambda: smtplib.SMTP("127.0.0.1", 9),
    "threading.Thread.start": lambda: threading.Thread(target=int).start(),
    "_thread.start_new_thread": lambda: _thread.start_new_thread(int, ()),
    "subprocess.Popen": lambda: subprocess.Popen([sys.executable, "-c", ""]),
    "_posixsubprocess.fork_exec": lambda: _posixsubprocess.fork_exec(),  # type: ignore[call-arg]
    "os.system": lambda: os.system("true"),  # noqa: S605
    "os.fork": os.fork,
    "os.posix_spawn": lambda: os.posix_spawn("/bin/true", ["true"], {}),
    "os.exec": lambda: os.execv("/bin/true", ["true"]),  # noqa: S606
    "os.kill": lambda: os.kill(os.getpid(), 0),
    "webbrowser.open": lambda: webbrowser.GenericBrowser("true").open("http://127.0.0.1:9/"),
    "signal.signal": lambda: signal.signal(signal.SIGUSR1, signal.SIG_DFL),
    "signal.alarm": lambda: signal.alarm(1),
    "signal.pthread_sigmask": lambda: signal.pthread_sigmask(signal.SIG_BLOCK, ()),
    "open": lambda: SCRATCH.write_text("x"),
    "os.remove": SCRATCH.unlink,
    "os.rename": lambda: SCRATCH.rename("elsewhere"),
    "os.mkdir": SCRATCH.mkdir,
    "os.rmdir": SCRATCH.rmdir,
    "os.symlink": lambda: SCRATCH.symlink_to("elsewhere"),
    "os.utime": lambda: os.utime(SCRATCH),
    "os.chmod": lambda: SCRATCH.chmod(0o600),
    "shutil.copyfile": lambda: shutil.copyfile(__file__, SCRATCH),
    "shutil.move": lambda: shutil.move(SCRATCH, "elsewhere"),
    "shutil.rmtree": lambda: shutil.rmtree(SCRATCH),
    "tempfile.mkstemp": tempfile.mkstemp,
    "tempfile.mkdtemp": tempfile.mkdtemp,
    "sqlite3.connect": lambda: sqlite3.connect(":memory:"),
    "os.pipe": lambda: os.pipe(),  # looked up in the run
    "os.write": lambda: os.write(OPEN_BEFORE[1], b"x"),
    "os.read": lambda: os.read(OPEN_BEFORE[0], 1),
    "ctypes.dlopen": lambda: ctypes.CDLL("libc.so.6"),
    "ctypes.dlsym": lambda: ctypes.pythonapi.Py_GetVersion,
    "os.chdir": lambda: os.chdir("/"),
    "os.putenv": lambda: os.environ.__setitem__("PULSE_SIM_NEVER", "x"),
    "os.umask": lambda: os.umask(0o022),
    "resource.setrlimit": lambda: resource.setrlimit(resource.RLIMIT_CORE, (0, 0)),
    "syslog.syslog": lambda: syslog.syslog("x"),
    "select.select": lambda: select.select([], [], [], 0),
    "time.sleep": lambda: time.sleep(0),
    "loop.add_signal_handler": lambda: asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, int),
    "loop.add_reader": lambda: asyncio.get_running_loop().add_reader(0, int),
}


@pytest.mark.parametrize("call", ESCAPES)
def test_the_way_out_is_fenced_and_named(bench: Bench, call: str) -> None:
    async def main() -> None:
        ESCAPES[call]()

    with pytest.raises(FenceError, match=call):
        bench.sim.run(main())
    assert set(bench.sim.escapes) == {call}
    assert not SCRATCH.exists()


@pytest.mark.parametrize("call", ESCAPES)
def test_a_way_out_is_told_by_the_name_that_the_tables_give_it(call: str) -> None:
    told = {way_out.call for way_out in AUDITED.values()} | {replaced.way_out.call for replaced in REPLACED}
    assert call in told or call.startswith("loop.")


def test_every_area_of_the_tables_is_tried_above() -> None:
    areas = {way_out.call: way_out.area for way_out in (*AUDITED.values(), *(one.way_out for one in REPLACED))}
    assert {areas[call] for call in ESCAPES if call in areas} == set(Area)


def test_an_audit_event_is_either_fenced_or_let_through_for_a_reason() -> None:
    """Events that this interpreter's own library raises; a new minor that brings a new one fails here."""
    library = Path(sysconfig.get_paths()["stdlib"])
    raised = set()
    for file in library.rglob("*.py"):
        if not {"test", "tests", "site-packages", "dist-packages"} & set(file.parts):
            raised |= set(re.findall(r"""sys\.audit\(\s*["']([^"']+)""", file.read_text("utf-8", "replace")))
    assert len(raised) > 30
    assert sorted(raised - AUDITED.keys() - LET_THROUGH.keys()) == []
    assert not AUDITED.keys() & LET_THROUGH.keys()
    assert all(LET_THROUGH.values())


def test_reading_passes_and_so_does_writing_to_what_was_open_before(bench: Bench, tmp_path: Path) -> None:
    async def main() -> int:
        log.write(b"a record\n")
        log.flush()
        os.write(log.fileno(), b"another\n")
        with open(os.devnull, "w") as nothing:  # noqa: PTH123, ASYNC230 - the call that is meant
            nothing.write("x")
        with open(__file__, "rb") as this:  # noqa: PTH123, ASYNC230 - the call that is meant
            return len(this.read())

    with (tmp_path / "log").open("xb") as log:
        assert bench.sim.run(main()) > 0
    assert (tmp_path / "log").read_bytes() == b"a record\nanother\n"


@pytest.mark.parametrize("name", ["/dev/urandom", "/dev/random"])
def test_the_machine_s_entropy_is_no_file_to_read(bench: Bench, name: str) -> None:
    async def main() -> None:
        Path(name).open("rb")  # noqa: ASYNC230, SIM115 - the call that is meant

    with pytest.raises(FenceError, match="open leaves"):
        bench.sim.run(main())


def test_an_import_during_a_run_writes_no_bytecode(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "imported_in_a_run.py").write_text("VALUE = 42\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)

    async def main() -> int:
        value: int = importlib.import_module("imported_in_a_run").VALUE
        return value

    assert bench.sim.run(main()) == 42
    assert not (tmp_path / "__pycache__").exists()
    assert not sys.dont_write_bytecode


def test_subprocesses_and_datagrams_of_the_loop_are_fenced(bench: Bench) -> None:
    async def main() -> None:
        with pytest.raises(FenceError, match="subprocess_exec"):
            await asyncio.create_subprocess_exec(sys.executable)
        with pytest.raises(FenceError, match="create_datagram_endpoint"):
            await asyncio.get_running_loop().create_datagram_endpoint(
                asyncio.DatagramProtocol, remote_addr=("nas-1", 53)
            )

    with pytest.raises(FenceError, match="swallowed"):
        bench.sim.run(main())


def test_an_escape_that_was_swallowed_still_fails_the_run(bench: Bench) -> None:
    async def main() -> str:
        try:
            socket.getaddrinfo("example.org", 80)
        except Exception:
            return "all is well"
        return "unfenced"

    with pytest.raises(FenceError, match=r"socket\.getaddrinfo left the simulation"):
        bench.sim.run(main())


def _escape() -> None:
    socket.gethostname()


def test_a_task_that_died_of_its_escape_is_told_as_such(bench: Bench) -> None:
    async def poll() -> None:
        _escape()

    async def main() -> str:
        bench.pulse.run(poll(), name="poll nas-1")
        await asyncio.sleep(1)
        return "all is well"

    with pytest.raises(FenceError, match=r"^socket\.gethostname left the simulation: task poll nas-1 died of it$"):
        bench.sim.run(main())


def test_a_task_that_swallowed_its_escape_is_named(bench: Bench) -> None:
    async def poll() -> None:
        with contextlib.suppress(Exception):
            _escape()

    async def main() -> None:
        await bench.pulse.run(poll(), name="poll nas-1")

    with pytest.raises(FenceError, match=r"gethostname left .*, in task poll nas-1, and the error was swallowed$"):
        bench.sim.run(main())


def test_an_escape_in_a_plain_callback_is_told_as_one(bench: Bench) -> None:
    async def main() -> None:
        asyncio.get_running_loop().call_soon(_escape)
        await asyncio.sleep(1)

    with pytest.raises(FenceError, match=r"gethostname left the simulation, in a callback"):
        bench.sim.run(main())


def test_an_escape_is_told_even_when_the_run_fails_of_something_else(bench: Bench) -> None:
    async def main() -> None:
        try:
            _escape()
        except FenceError:
            raise LookupError("a name is missing") from None

    with pytest.raises(FenceError, match="gethostname left") as caught:
        bench.sim.run(main())
    assert isinstance(caught.value.__cause__, LookupError)


def test_an_escape_while_the_run_winds_up_is_told_too(bench: Bench) -> None:
    async def linger() -> None:
        try:
            await asyncio.sleep(1e6)
        finally:
            with contextlib.suppress(FenceError):
                _escape()

    async def main() -> None:
        bench.pulse.run(linger(), name="linger")
        await asyncio.sleep(1)

    with pytest.raises(FenceError, match="in task linger"):
        bench.sim.run(main())


def test_a_socket_that_is_never_connected_is_allowed(bench: Bench) -> None:
    async def main() -> int:
        with socket.socket() as real:
            return real.fileno()

    assert bench.sim.run(main()) > 0


def test_other_threads_go_on_while_one_simulates(bench: Bench) -> None:
    go, done = threading.Event(), threading.Event()
    results: list[int] = []

    def work() -> None:
        go.wait(30)
        with socket.socket() as real:
            real.bind(("127.0.0.1", 0))
            results.append(real.getsockname()[1])
        done.set()

    thread = threading.Thread(target=work)
    thread.start()

    async def main() -> None:
        go.set()
        done.wait(30)

    bench.sim.run(main())
    thread.join()
    assert results[0] > 0


def test_the_fences_come_down_after_the_run_however_it_ends(bench: Bench) -> None:
    async def main() -> None:
        raise LookupError("the run failed")

    with pytest.raises(LookupError):
        bench.sim.run(main())
    with socket.socket() as real:
        real.bind(("127.0.0.1", 0))
        assert real.getsockname()[1]
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()


def test_a_simulation_inside_a_simulation_is_refused(bench: Bench) -> None:
    async def nothing() -> None:
        return None

    async def main() -> None:
        Bench().sim.run(nothing())

    with pytest.raises(KernelError):
        bench.sim.run(main())
