"""The process that forks workers: libraries loaded once, every job in a fresh copy, nothing left behind.

Run as ``python -m pulse_sim.kernel.forkserver FD``. It reads requests from the inherited socket FD, each with the
job's own socket attached, forks, and answers with the worker's process id. It never runs a job itself. When its
parent is gone it kills its group.
"""

import gc
import importlib
import os
import pickle
import signal
import socket
import struct
import sys
import traceback
from collections.abc import Callable
from typing import Any, Final, NoReturn

LENGTH: Final = struct.Struct("!Q")
PID: Final = struct.Struct("!i")
FORK: Final = b"f"


def receive_exactly(connection: socket.socket, size: int) -> bytes:
    """``size`` bytes, fewer only when the other side has closed."""
    parts = []
    while size:
        part = connection.recv(min(size, 1 << 20))
        if not part:
            break
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def resolve(path: str) -> Callable[[Any], Any]:
    """The function named ``package.module:function``."""
    module, _, name = path.partition(":")
    function: Callable[[Any], Any] = getattr(importlib.import_module(module), name)
    return function


def serve(control: socket.socket) -> None:
    """Fork a worker for every request until the parent closes the control socket."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the parent learns of an end from the job's socket
    gc.freeze()
    while True:
        request, descriptors, _flags, _address = socket.recv_fds(control, 1, 1)
        if not request:
            return
        pid = os.fork()
        if pid == 0:
            control.close()
            with socket.socket(fileno=descriptors[0]) as job:
                _work(job)
        for descriptor in descriptors:
            os.close(descriptor)
        control.sendall(PID.pack(pid))


def _work(job: socket.socket) -> NoReturn:
    """The worker: one job, one answer, and out without running anybody's exit handlers."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    os.dup2(2, 1)  # standard output belongs to the parent's answers
    answer = _answer(job)
    sys.stderr.flush()
    try:
        job.sendall(LENGTH.pack(len(answer)) + answer)
    finally:
        os._exit(0)


def _answer(job: socket.socket) -> bytes:
    try:
        (size,) = LENGTH.unpack(receive_exactly(job, LENGTH.size))
        path, argument = pickle.loads(receive_exactly(job, size))  # noqa: S301 - sent by our own parent
        return pickle.dumps(("value", resolve(path)(argument)))
    except BaseException as error:
        return pickle.dumps(("raised", f"{type(error).__name__}: {error}", traceback.format_exc()))


def main(arguments: list[str]) -> None:
    """Import path and preloads come first on the control socket, then requests."""
    control = socket.socket(fileno=int(arguments[0]))
    (size,) = LENGTH.unpack(receive_exactly(control, LENGTH.size))
    path, preload = pickle.loads(receive_exactly(control, size))  # noqa: S301 - sent by our own parent
    sys.path[:] = path
    try:
        for name in preload:
            importlib.import_module(name)
        control.sendall(b"r")
        serve(control)
    finally:
        if os.getpgrp() == os.getpid():  # never the group of somebody who runs this by hand
            os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1:])
