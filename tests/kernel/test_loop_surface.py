"""The loop against asyncio's own: every public method is the kernel's, inherited for a reason, or fenced."""

import asyncio
import inspect
from typing import Final

import pytest

from pulse_sim.kernel import FenceError
from pulse_sim.kernel.loop import SimulationLoop
from pulse_sim.kernel.scheduling import VirtualTimeLoop
from tests.kernel.testbed import Bench

BASE: Final = asyncio.base_events.BaseEventLoop
OWN: Final = frozenset(
    {
        *("time", "call_soon", "call_soon_threadsafe", "call_later", "call_at"),
        *("create_future", "create_task", "run_in_executor", "shutdown_default_executor", "set_debug"),
        *("getaddrinfo", "getnameinfo", "sock_connect", "create_connection", "create_server", "start_tls"),
    }
)
INHERITED: Final = {
    "call_exception_handler": "calls the handler that the simulation sets",
    "close": "empties the queues; there is neither selector nor executor",
    "default_exception_handler": "logs, for whoever sets another handler and falls back on it",
    "get_debug": "a flag",
    "get_exception_handler": "a field",
    "get_task_factory": "a field",
    "is_closed": "a flag",
    "is_running": "asks which thread runs the loop; no clock and no descriptor",
    "run_forever": "turns _run_once, which is the kernel's",
    "run_until_complete": "run_forever with an end",
    "sendfile": "reads the file in pieces inline and writes them to a transport, waiting while it is full",
    "set_default_executor": "kept and never used: executor calls run inline",
    "set_exception_handler": "a field",
    "set_task_factory": "a field; create_task asks for it",
    "shutdown_asyncgens": "awaits generators on the loop itself",
    "stop": "a flag that ends run_forever after the turn",
}
FENCED: Final = frozenset(
    {
        *("add_reader", "remove_reader", "add_writer", "remove_writer", "add_signal_handler", "remove_signal_handler"),
        *("connect_accepted_socket", "connect_read_pipe", "connect_write_pipe", "create_datagram_endpoint"),
        *("create_unix_connection", "create_unix_server", "subprocess_exec", "subprocess_shell"),
        *("sock_accept", "sock_recv", "sock_recv_into", "sock_recvfrom", "sock_recvfrom_into"),
        *("sock_sendall", "sock_sendfile", "sock_sendto"),
    }
)


def _public(owner: type) -> set[str]:
    return {name for name in dir(owner) if not name.startswith("_")}


def _owner(name: str) -> type:
    return next(owner for owner in SimulationLoop.__mro__ if name in vars(owner))


def test_every_public_method_of_asyncio_has_its_place_in_the_table() -> None:
    """A method that a later CPython adds stands in no row, and fails here until somebody has thought about it."""
    known = [*OWN, *INHERITED, *FENCED]
    assert len(known) == len(set(known))
    assert _public(asyncio.AbstractEventLoop) | _public(BASE) == set(known)


def test_what_the_table_calls_the_kernels_own_is_and_what_it_calls_inherited_is() -> None:
    ours = {SimulationLoop, VirtualTimeLoop}
    assert {name for name in OWN | FENCED if _owner(name) not in ours} == set()
    assert {name for name in INHERITED if _owner(name) is not BASE} == set()


@pytest.mark.parametrize("name", sorted(OWN))
def test_own_methods_take_the_arguments_asyncio_documents_by_the_same_names(name: str) -> None:
    theirs = inspect.signature(getattr(asyncio.AbstractEventLoop, name)).parameters
    ours = inspect.signature(getattr(SimulationLoop, name)).parameters
    takes_any = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in ours.values())
    left_open = ("VAR_KEYWORD", "KEYWORD_ONLY") if takes_any else ("VAR_KEYWORD",)
    assert {one.name for one in theirs.values() if one.kind.name not in left_open} <= set(ours)


@pytest.mark.parametrize("name", sorted(FENCED))
def test_fenced_methods_raise_naming_the_call(name: str) -> None:
    loop = Bench().sim.loop
    with pytest.raises(FenceError, match=rf"loop\.{name} leaves"):
        getattr(loop, name)()
