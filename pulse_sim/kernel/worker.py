"""Jobs in worker processes: a fresh one for each, results in order, and a value for every way a worker can fail.

The parent only watches: it sends an argument, waits on sockets, and kills what is overdue. A job that raises, dies or
overruns becomes a WorkerFailure in its place; nothing hangs. However the parent leaves, no process stays behind.
"""

import contextlib
import math
import os
import pickle
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from pulse_sim.kernel.forkserver import FORK, LENGTH, PID, receive_exactly

PRELOAD: Final = ("aiohttp.web", "pulse_sim.kernel", "pulse_sim.kernel.certificate", "pydantic", "prometheus_client")
# A policy of the machine's OpenSSL (SECLEVEL, MaxProtocol) would change how many flights a handshake takes.
_PINNED: Final = {"TZ": "UTC", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "0", "OPENSSL_CONF": os.devnull}


@dataclass(frozen=True, slots=True)
class WorkerFailure:
    """Why there is no result. ``raised``: by the job; ``died``: the process; ``overdue``: killed at its deadline;
    ``unfinished``: the budget of all jobs together ended before this one did, or before it began.
    """

    kind: Literal["raised", "died", "overdue", "unfinished"]
    reason: str
    detail: str = ""


@dataclass(slots=True)
class _Job:
    index: int
    pid: int
    deadline_s: float
    connection: socket.socket
    received: bytearray


def run_jobs(
    function_path: str,
    arguments: Sequence[Any],
    *,
    jobs: int = 1,
    timeout_s: float = 600.0,
    on_progress: Callable[[int, Any], None] | None = None,
    preload: Sequence[str] = PRELOAD,
    budget_s: float | None = None,
) -> list[Any]:
    """Call ``package.module:function`` with each argument, ``jobs`` at a time; results in the order of the arguments.

    ``timeout_s`` is wall time for one job, ``budget_s`` for all of them: jobs are begun in the order of the arguments,
    and when it ends none is begun and those under way are killed. ``on_progress(index, result)`` is called as each
    ends. Arguments and results are pickled. The environment's TZ, LC_ALL, PYTHONHASHSEED and OPENSSL_CONF are pinned
    in the workers.
    """
    if jobs < 1:
        raise ValueError("jobs is at least 1")
    if not arguments:
        return []
    until_s = math.inf if budget_s is None else _now_s() + budget_s
    with _Forkserver(preload) as server:
        return _Watch(server, function_path, arguments, jobs, timeout_s, on_progress, until_s).run()


class _Forkserver:
    """The forking process, in a session and process group of its own."""

    def __init__(self, preload: Sequence[str]) -> None:
        self._preload = tuple(preload)

    def __enter__(self) -> "_Forkserver":
        self.control, theirs = socket.socketpair()
        environment = {**os.environ, **_PINNED}
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-m", "pulse_sim.kernel.forkserver", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                env=environment,
            )
        finally:
            theirs.close()
        _send(self.control, (sys.path, self._preload))
        return self

    def __exit__(self, *_exception: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self.control.close()

    def ready(self) -> None:
        """Wait for the libraries; RuntimeError when they do not load."""
        if receive_exactly(self.control, 1) != b"r":
            raise RuntimeError("the fork server did not start; see standard error")

    def fork(self) -> tuple[int, socket.socket]:
        """A new worker: its process id and the parent's end of its socket."""
        ours, theirs = socket.socketpair()
        try:
            socket.send_fds(self.control, [FORK], [theirs.fileno()])
            (pid,) = PID.unpack(receive_exactly(self.control, PID.size))
        finally:
            theirs.close()
        return pid, ours


class _Watch:
    """The parent's loop over running jobs."""

    def __init__(
        self,
        server: _Forkserver,
        function_path: str,
        arguments: Sequence[Any],
        jobs: int,
        timeout_s: float,
        on_progress: Callable[[int, Any], None] | None,
        until_s: float,
    ) -> None:
        self._server = server
        self._path = function_path
        self._waiting = deque(enumerate(arguments))
        self._results: list[Any] = [None] * len(arguments)
        self._jobs = jobs
        self._timeout_s = timeout_s
        self._on_progress = on_progress
        self._until_s = until_s
        self._running: dict[int, _Job] = {}
        self._selector = selectors.DefaultSelector()

    def run(self) -> list[Any]:
        self._server.ready()
        try:
            while self._waiting or self._running:
                if self._until_s <= _now_s():
                    self._give_up()
                    break
                while self._waiting and len(self._running) < self._jobs:
                    self._start(*self._waiting.popleft())
                self._wait()
        finally:
            for job in list(self._running.values()):
                self._close(job)
            self._selector.close()
        return self._results

    def _start(self, index: int, argument: Any) -> None:
        pid, connection = self._server.fork()
        job = _Job(index, pid, _now_s() + self._timeout_s, connection, bytearray())
        self._running[index] = job
        self._selector.register(connection, selectors.EVENT_READ, job)
        try:
            _send(connection, (self._path, argument))
        except OSError:
            self._end(job, WorkerFailure("died", "the worker was gone before it had its argument"))

    def _wait(self) -> None:
        if not self._running:
            return
        next_deadline_s = min(self._until_s, *(job.deadline_s for job in self._running.values()))
        for key, _ in self._selector.select(max(0.0, next_deadline_s - _now_s())):
            self._read(key.data)
        for job in list(self._running.values()):
            if job.deadline_s <= _now_s():
                _kill(job.pid)
                self._end(job, WorkerFailure("overdue", f"no result after {self._timeout_s:g} s"))

    def _give_up(self) -> None:
        """The budget is used up: kill what runs, begin nothing more, and say so in the place of each."""
        for job in list(self._running.values()):
            _kill(job.pid)
            self._end(job, WorkerFailure("unfinished", "not finished when the budget ended"))
        while self._waiting:
            index, _ = self._waiting.popleft()
            self._tell(index, WorkerFailure("unfinished", "not begun when the budget ended"))

    def _read(self, job: _Job) -> None:
        try:
            part = job.connection.recv(1 << 20)
        except ConnectionError:
            part = b""
        job.received += part
        if len(job.received) >= LENGTH.size:
            (size,) = LENGTH.unpack_from(job.received)
            if len(job.received) == LENGTH.size + size:
                self._end(job, _result(bytes(job.received[LENGTH.size :])))
                return
        if not part:
            self._end(job, WorkerFailure("died", "the worker ended without a result"))

    def _end(self, job: _Job, result: Any) -> None:
        self._close(job)
        self._tell(job.index, result)

    def _tell(self, index: int, result: Any) -> None:
        self._results[index] = result
        if self._on_progress is not None:
            self._on_progress(index, result)

    def _close(self, job: _Job) -> None:
        del self._running[job.index]
        self._selector.unregister(job.connection)
        job.connection.close()


def _send(connection: socket.socket, value: Any) -> None:
    data = pickle.dumps(value)
    connection.sendall(LENGTH.pack(len(data)) + data)


def _result(data: bytes) -> Any:
    answer = pickle.loads(data)  # noqa: S301 - sent by our own worker
    return answer[1] if answer[0] == "value" else WorkerFailure("raised", answer[1], answer[2])


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _now_s() -> float:
    # The one real clock of the kernel: a deadline on processes outside any simulation.
    return time.monotonic()  # noqa: TID251
