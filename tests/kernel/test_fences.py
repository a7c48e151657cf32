"""Nothing leaves a running simulation: every way out raises FenceError naming the call, and is remembered."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from pulse_sim.kernel import FenceError, KernelError
from tests.kernel.testbed import Bench


def _with_socket(act: Callable[[socket.socket], Any]) -> Callable[[], Any]:
    def attempt() -> None:
        with socket.socket() as real:
            act(real)

    return attempt


ESCAPES: dict[str, Callable[[], Any]] = {
    "socket.connect": _with_socket(lambda real: real.connect(("127.0.0.1", 9))),
    "socket.bind": _with_socket(lambda real: real.bind(("127.0.0.1", 0))),
    "socket.listen": _with_socket(lambda real: real.listen()),
    "socket.send": _with_socket(lambda real: real.send(b"x")),
    "socket.sendall": _with_socket(lambda real: real.sendall(b"x")),
    "socket.recv": _with_socket(lambda real: real.recv(1)),
    "socket.sendto": _with_socket(lambda real: real.sendto(b"x", ("127.0.0.1", 9))),
    "socket.getaddrinfo": lambda: socket.getaddrinfo("127.0.0.1", 9),
    "socket.gethostbyname": lambda: socket.gethostbyname("127.0.0.1"),
    "threading.Thread.start": lambda: threading.Thread(target=int).start(),
    "subprocess.Popen": lambda: subprocess.Popen([sys.executable, "-c", ""]),
    "os.system": lambda: os.system("true"),  # noqa: S605
    "os.fork": os.fork,
    "os.kill": lambda: os.kill(os.getpid(), 0),
    "signal.signal": lambda: signal.signal(signal.SIGUSR1, signal.SIG_DFL),
    "signal.alarm": lambda: signal.alarm(1),
    "loop.add_signal_handler": lambda: asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, int),
    "loop.add_reader": lambda: asyncio.get_running_loop().add_reader(0, int),
}


@pytest.mark.parametrize("call", ESCAPES)
def test_the_way_out_is_fenced_and_named(bench: Bench, call: str) -> None:
    async def main() -> None:
        ESCAPES[call]()

    with pytest.raises(FenceError, match=call):
        bench.sim.run(main())
    assert bench.sim.escapes == [call]


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
