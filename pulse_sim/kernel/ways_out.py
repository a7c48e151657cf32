"""Every way out of a running simulation that is closed, as data: what is refused, under which name it is told, and why.

Three tables. ``AUDITED``: events of `sys.audit` that are refused. ``LET_THROUGH``: events that are not, each with the
reason. ``REPLACED``: calls the interpreter does not audit, exchanged for the length of a run.

The line that is drawn: what changes the machine, starts something beside the run, waits for real, or asks something
that answers differently elsewhere is refused. Reading files passes, because imports, TLS and time zones need it, and so
does writing to a file that was open before the run: that is how the run's own log is kept.

Not closed: extension modules that call the operating system themselves (c-ares, a database driver), waiting on a lock
that only another thread releases, descriptors opened before the run and written through C, and what the interpreter
neither audits nor offers as a replaceable name (`_socket.socket` itself, `os.uname`, directory order, `os.environ`).
"""

import os
import select
import signal
import socket
import stat
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import ModuleType
from typing import Any, Final


class Area(StrEnum):
    """What a way out leads to."""

    NETWORK = "network"
    PROCESSES = "processes"
    THREADS = "threads"
    SIGNALS = "signals"
    DISK = "disk"
    NATIVE_CODE = "native code"
    MACHINE = "the machine"
    REAL_TIME = "real time"


Arguments = tuple[Any, ...]


def _always(_arguments: Arguments) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class WayOut:
    """A call that is refused. ``when`` says of its arguments whether it leads out at all."""

    area: Area
    call: str
    when: Callable[[Arguments], bool] = _always


_WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_ENTROPY: Final = frozenset({"/dev/random", "/dev/urandom"})


def _opens_a_way_out(arguments: Arguments) -> bool:
    """Of the event ``open`` (path, mode, flags): for writing, or the operating system's entropy."""
    path, _mode, flags = arguments
    if not isinstance(path, str | bytes | os.PathLike):
        return False  # a descriptor: opened before, or through this very fence
    name = os.fsdecode(path)
    return name in _ENTROPY or (bool(flags & _WRITING) and name != os.devnull)


def _names_a_library(arguments: Arguments) -> bool:
    """`import ctypes` opens the process itself, as None."""
    return arguments[0] is not None


def _table(area: Area, *events: str) -> dict[str, WayOut]:
    return {event: WayOut(area, event) for event in events}


AUDITED: Final[Mapping[str, WayOut]] = {
    **_table(
        Area.NETWORK,
        *("socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo"),
        *("socket.getnameinfo", "socket.gethostbyname", "socket.gethostbyaddr", "urllib.Request"),
        *(
            "http.client.connect",
            "http.client.send",
            "ftplib.connect",
            "ftplib.sendcmd",
            "imaplib.open",
            "imaplib.send",
        ),
        *("imaplib.send", "nntplib.connect", "nntplib.putline", "poplib.connect", "poplib.putline", "smtplib.connect"),
        *("smtplib.send", "telnetlib.Telnet.open", "telnetlib.Telnet.write"),
    ),
    **_table(
        Area.PROCESSES,
        *("subprocess.Popen", "os.system", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.exec"),
        *("os.startfile", "pty.spawn", "webbrowser.open", "ensurepip.bootstrap", "cpython.PyInterpreterState_New"),
    ),
    **_table(Area.THREADS, "_thread.start_new_thread", "_thread.start_joinable_thread"),
    **_table(Area.SIGNALS, "os.kill", "os.killpg", "signal.pthread_kill"),
    "open": WayOut(Area.DISK, "open", _opens_a_way_out),
    **_table(
        Area.DISK,
        *("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.utime"),
        *("os.chmod", "os.chown", "os.chflags", "os.setxattr", "os.removexattr", "os.lockf", "fcntl.flock"),
        *("fcntl.lockf", "shutil.copyfile", "shutil.copymode", "shutil.copystat", "shutil.copytree", "shutil.chown"),
        *("shutil.make_archive", "shutil.move", "shutil.rmtree", "shutil.unpack_archive"),
        *("tempfile.mkstemp", "tempfile.mkdtemp", "sqlite3.connect", "sqlite3.load_extension"),
    ),
    "ctypes.dlopen": WayOut(Area.NATIVE_CODE, "ctypes.dlopen", _names_a_library),
    **_table(Area.NATIVE_CODE, "ctypes.dlsym", "ctypes.call_function"),
    **_table(
        Area.MACHINE,
        *("os.chdir", "os.putenv", "os.unsetenv", "resource.setrlimit", "resource.prlimit", "fcntl.ioctl"),
        *("socket.sethostname", "socket.gethostname", "syslog.syslog", "syslog.openlog", "syslog.setlogmask"),
    ),
    "time.sleep": WayOut(Area.REAL_TIME, "time.sleep"),
}
"""By audit event; the union over CPython 3.11 to 3.13."""

_INSIDE: Final = "stays inside the interpreter"
_READS: Final = "reads only: imports, TLS and time zones need files, and a run's inputs are its code"
_ENDS_FENCED: Final = "what it leads to is fenced where it happens"
_OTHER_SYSTEM: Final = "of an operating system this project does not run on"

LET_THROUGH: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        (
            *("array.__new__", "builtins.breakpoint", "builtins.id", "code.__new__", "compile", "exec", "import"),
            *("ctypes.PyObj_FromPtr", "ctypes.addressof", "ctypes.cdata", "ctypes.cdata/buffer", "ctypes.get_errno"),
            *("ctypes.create_string_buffer", "ctypes.create_unicode_buffer", "ctypes.dlsym/handle", "ctypes.set_errno"),
            *("ctypes.string_at", "ctypes.wstring_at", "ctypes.seh_exception"),
            *("function.__new__", "gc.get_objects", "gc.get_referents", "gc.get_referrers", "marshal.dumps"),
            *("marshal.load", "marshal.loads", "mmap.__new__", "object.__delattr__", "object.__getattr__"),
            *(
                "object.__setattr__",
                "pickle.find_class",
                "setopencodehook",
                "socket.__new__",
                "sys._current_exceptions",
            ),
            *("sys._current_frames", "sys._getframe", "sys._getframemodulename", "sys.addaudithook", "sys.excepthook"),
            *(
                "sys.monitoring.register_callback",
                "sys.set_asyncgen_hook_finalizer",
                "sys.set_asyncgen_hook_firstiter",
            ),
            *("sys.setprofile", "sys.settrace", "sys.unraisablehook", "sqlite3.enable_load_extension"),
            *("sqlite3.connect/handle", "sys._current_exceptions", "sys.set_asyncgen_hook_firstiter"),
        ),
        _INSIDE,
    ),
    **dict.fromkeys(
        (
            *("builtins.input", "builtins.input/result", "fcntl.fcntl", "glob.glob", "glob.glob/2", "os.fwalk"),
            *("os.getxattr", "os.listdir", "os.listdrives", "os.listmounts", "os.listvolumes", "os.listxattr"),
            *("os.scandir", "os.walk", "pathlib.Path.glob", "pathlib.Path.rglob", "pathlib.Path.walk"),
            *("socket.getservbyname", "socket.getservbyport"),
        ),
        _READS,
    ),
    **dict.fromkeys(("pdb.Pdb", "cpython.PyInterpreterState_Clear", "cpython._PySys_ClearAuditHooks"), _ENDS_FENCED),
    **dict.fromkeys(
        (
            *("cpython.run_command", "cpython.run_file", "cpython.run_interactivehook", "cpython.run_module"),
            *("cpython.run_startup", "cpython.run_stdin"),
        ),
        "happens when the interpreter starts",
    ),
    **dict.fromkeys(("os.add_dll_directory", "_wmi.exec_query"), _OTHER_SYSTEM),
}
"""Audit events that pass, each with the reason. Windows' own (`msvcrt.*`, `winreg.*`, `_winapi.*`) are left out."""


def _is_stream(arguments: Arguments) -> bool:
    """Of a descriptor: a socket or a pipe, whose other end may be anywhere."""
    try:
        mode = os.fstat(arguments[0]).st_mode
    except (OSError, TypeError):
        return False
    return stat.S_ISSOCK(mode) or stat.S_ISFIFO(mode)


@dataclass(frozen=True, slots=True)
class Replaced:
    """A name exchanged during a run; ``holder`` is a module or a class that may lack it on this interpreter."""

    holder: Any
    name: str
    way_out: WayOut


def _replaced(area: Area, holder: Any, *names: str, when: Callable[[Arguments], bool] = _always) -> list[Replaced]:
    label = holder.__name__.rpartition(".")[2]
    return [Replaced(holder, name, WayOut(area, f"{label}.{name}", when)) for name in names]


def _loaded(name: str) -> ModuleType:
    """A module of the interpreter that may be missing; an empty one in its place has nothing to replace."""
    try:
        return __import__(name)
    except ImportError:
        return ModuleType(name)


_THREAD: Final = WayOut(Area.THREADS, "threading.Thread.start")
REPLACED: Final[tuple[Replaced, ...]] = (
    Replaced(threading, "_start_new_thread", _THREAD),
    Replaced(threading, "_start_joinable_thread", _THREAD),
    *_replaced(Area.THREADS, sys.modules["_thread"], "start_new_thread"),
    *_replaced(Area.PROCESSES, _loaded("_posixsubprocess"), "fork_exec"),
    *_replaced(Area.PROCESSES, _loaded("_posixshmem"), "shm_open", "shm_unlink"),
    *_replaced(Area.SIGNALS, signal, "signal", "setitimer", "alarm", "set_wakeup_fd", "raise_signal", "siginterrupt"),
    *_replaced(Area.SIGNALS, signal, "pthread_sigmask", "pause", "sigwait", "sigwaitinfo", "sigtimedwait"),
    *_replaced(Area.NETWORK, socket, "socketpair"),
    *_replaced(Area.NETWORK, socket.socket, "listen", "accept", "send", "sendall", "recv", "recv_into"),
    *_replaced(Area.NETWORK, socket.socket, "recvfrom", "recvfrom_into", "recvmsg", "recvmsg_into", "sendfile"),
    *_replaced(Area.NETWORK, os, "write", "read", "writev", "readv", "sendfile", when=_is_stream),
    *_replaced(Area.PROCESSES, os, "pipe", "pipe2", "mkfifo", "mknod", "openpty", "nice"),
    *_replaced(Area.MACHINE, os, "umask", "fchdir", "chroot", "setpriority", "sched_setaffinity"),
    *_replaced(Area.REAL_TIME, select, "select", "poll", "epoll"),
    *_replaced(Area.REAL_TIME, time, "sleep"),
)
"""What the interpreter does not audit, or not in every minor."""
