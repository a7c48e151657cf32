"""What the worker tests have their workers do."""

import os
import signal
import ssl
import time
from pathlib import Path
from typing import Any


def square(number: int) -> int:
    return number * number


def misbehave(how: str) -> Any:
    if how == "raise":
        raise ValueError("no good")
    if how == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "exit":
        raise SystemExit(3)
    if how == "hang":
        time.sleep(600)
    if how == "print":
        print("to nobody's standard output")
    if how == "unpicklable":
        return lambda: None
    return how


def identify(_argument: int) -> tuple[int, int]:
    globals()["_CALLS"] = globals().get("_CALLS", 0) + 1
    return os.getpid(), globals()["_CALLS"]


def large(size: int) -> bytes:
    return b"x" * size


def environment(_argument: int) -> dict[str, str]:
    return {name: os.environ.get(name, "") for name in ("TZ", "LC_ALL", "PYTHONHASHSEED")}


def newest_tls(_argument: int) -> str:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).maximum_version.name


def note_and_hang(directory: str) -> None:
    Path(directory, str(os.getpid())).touch()
    time.sleep(600)
