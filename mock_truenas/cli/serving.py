"""``mock-truenas serve``: NAS that serve until a signal, each with a line of JSON that says where."""

import asyncio
import contextlib
import errno
import json
import os
import signal
import socket
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from mock_truenas.appliance import FIXTURES, Appliance
from mock_truenas.behaviour import AS_DELIVERED, switched
from mock_truenas.certificate import Certificates
from mock_truenas.cli.choices import check_reach, release_named
from mock_truenas.cli.complaint import BrokeWhileServing, complaint, of_input
from mock_truenas.complaints import BadInput
from mock_truenas.control.server import Control
from mock_truenas.fleet import KEY_NAME, Fleet, Plan, Unit, plans
from mock_truenas.journal import KEPT, JournalEntry
from mock_truenas.system import SYSTEM_CLOCK, system_entropy

LARGEST_FLEET: Final = 1000
_FEWEST_KEPT: Final = 500
# Each switch of Behaviour with its option and what the option says.
_SWITCHES: Final = {
    "login_rate_limit": ("rate-limit", "More than 20 logins a minute wait and fail (from 24.10 on)."),
    "revoke_plaintext_keys": ("revoke-plaintext-keys", "A key used over plain WebSocket dies, as off loopback."),
    "failed_login_delay": ("failed-login-delay", "A refused login takes 1 to 2 s."),
    "idle_cut": ("idle-cut", "The front cuts what is idle for its read timeout, 60 s through 25.10."),
    "gzip": ("gzip", "Compress JSON for clients that accept it."),
    "revocation_ends_sessions": ("revocation-ends-sessions", "Stricter than real: a session dies with its key."),
}


def _switches(command: Callable[..., Any]) -> Callable[..., Any]:
    for name, (option, told) in reversed(_SWITCHES.items()):
        usual = getattr(AS_DELIVERED, name)
        command = click.option(f"--{option}/--no-{option}", name, default=usual, show_default=True, help=told)(command)
    return command


@click.command()
@click.option("--release", default="24.10", show_default=True, help="Which TrueNAS it is; `releases` lists them.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=0, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 takes a free one.")
@click.option("--tls", is_flag=True, help="Serve HTTPS with a self-signed certificate made for this run.")
@click.option("--api-key-file", type=click.Path(path_type=Path), help="File with the API key to accept.")
@click.option("--fixture", default="baseline", show_default=True, help="What the appliance consists of.")
@click.option("--capture", type=click.Path(path_type=Path), help="Serve what `mock-truenas capture` recorded.")
@click.option("--seed", default=1, show_default=True, type=int, help="Same seed, same serial numbers and guids.")
@click.option("--fleet", default=1, type=click.IntRange(1, LARGEST_FLEET), help="So many NAS, each on its own port.")
@click.option("--control-port", type=click.IntRange(0, 65535), help="Serve the control API there; 0 takes a free one.")
@click.option(
    "--control-token-dir",
    default=".",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Where the file with the control API's token goes.  [default: here]",
)
@click.option("--journal", type=click.Path(path_type=Path), help="Append every exchange to this file, one JSON a line.")
@click.option("--allow-remote", is_flag=True, help="Allow a --host other machines can reach.")
@_switches
def serve(**options: Any) -> int:
    """Serve until SIGINT or SIGTERM; prints one JSON line for each NAS once it listens."""
    switches = {name: options.pop(name) for name in _SWITCHES}
    order = _Order(**options, switches=switches)
    fleet = _fleet(order)
    file = None if order.journal is None else _JournalFile(order.journal)
    if file is not None:
        for unit in fleet.values():
            unit.journal.tell(file.writer({"nas": unit.name} if order.fleet > 1 else {}))
    status = asyncio.run(_serve(order, fleet, file))
    if file is not None:
        file.close()
    return status


@dataclass(frozen=True)
class _Order:
    release: str
    host: str
    port: int
    tls: bool
    api_key_file: Path | None
    fixture: str
    capture: Path | None
    seed: int
    fleet: int
    control_port: int | None
    control_token_dir: Path
    journal: Path | None
    allow_remote: bool
    switches: Mapping[str, bool]


def _fleet(order: _Order) -> Fleet:
    release_named(order.release)
    if order.fixture not in FIXTURES:
        raise complaint("--fixture", order.fixture, f"unknown; available: {', '.join(FIXTURES)}")
    check_reach(order.host, allow_remote=order.allow_remote)
    if order.port and order.port + order.fleet - 1 > 65535:
        raise complaint("--port", order.port, f"a fleet of {order.fleet} needs the ports after it too; choose a lower")
    plan = Plan(order.release, order.fixture, order.seed, behaviour=switched(AS_DELIVERED, order.switches))
    if order.capture is not None:
        plan = _captured(order.capture, plan)
    key = None if order.api_key_file is None else key_in(order.api_key_file)
    adopt = None if order.api_key_file is None or key is None else _adopting(order.api_key_file, key)
    certificates = Certificates(order.host, SYSTEM_CLOCK.now_ns() / 1e9) if order.tls else None
    return Fleet(
        {
            name: Unit(
                name,
                each,
                clock=SYSTEM_CLOCK,
                entropy=system_entropy,
                certificates=certificates,
                adopt=adopt,
                keeps=max(_FEWEST_KEPT, KEPT // order.fleet),
            )
            for name, each in plans(plan, order.fleet).items()
        }
    )


def _captured(path: Path, plan: Plan) -> Plan:
    from mock_truenas.capture.serving import plan_of  # loading captures is for those who have one

    try:
        return plan_of(path, plan)
    except BadInput as error:
        raise of_input(error) from error


async def _serve(order: _Order, fleet: Fleet, file: "_JournalFile | None") -> int:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    if file is not None:
        file.on_breaking = stopped.set
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    control = Control(fleet, entropy=system_entropy, remote=order.allow_remote)
    try:
        for place, unit in enumerate(fleet.values()):
            port = order.port and order.port + place
            await _listening(unit.start(order.host, port), order.host, port)
        if order.control_port is not None:
            opening = control.start(order.host, order.control_port, order.control_token_dir)
            await _listening(opening, order.host, order.control_port, place="--control-port")
        for unit in fleet.values():
            click.echo(json.dumps(_told(order, unit, control)))
        await stopped.wait()
    finally:
        await control.stop()
        await fleet.stop()
    return 0


def _told(order: _Order, unit: Unit, control: Control) -> dict[str, Any]:
    secure = unit.url.startswith("https")
    told: dict[str, Any] = {
        "release": order.release if unit.plan.build is None else unit.appliance.release.name,
        "http": None if secure else unit.url,
        "https": unit.url if secure else None,
        "ws": unit.ws_url,
        "control": {"url": control.url, "token_file": str(control.token_file)} if control.url else None,
    }
    if order.api_key_file is None:
        told["api_key"] = unit.api_key
    if order.fleet > 1:
        told["name"] = unit.name
    return told


async def _listening(opening: Any, host: str, port: int, place: str = "--port") -> None:
    try:
        await opening
    except OSError as error:
        raise _cannot_listen(host, port, error, place) from error


def _cannot_listen(host: str, port: int, error: OSError, place: str) -> click.ClickException:
    if error.filename is not None:
        return complaint("--control-token-dir", Path(error.filename).parent, f"cannot be written to: {error.strerror}")
    # From 3.13 on asyncio drops addresses of other machines, and without one left its error has no number.
    if isinstance(error, socket.gaierror) or error.errno in (errno.EADDRNOTAVAIL, None):
        return complaint("--host", host, "is not an address of this machine; use 127.0.0.1")
    if error.errno == errno.EADDRINUSE:
        return complaint(place, port, f"is in use on {host}; choose another, or 0 for a free one")
    if error.errno == errno.EACCES:
        return complaint(place, port, "is not open to this user; choose one above 1023, or 0 for a free one")
    return complaint("--host", f"{host} {place} {port}", f"cannot listen: {os.strerror(error.errno)}")


def key_in(path: Path) -> str:
    """The API key in a file. Raises a complaint that does not quote it."""
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise complaint("--api-key-file", path, f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise complaint("--api-key-file", path, "holds something else than an API key") from error
    if mode & (stat.S_IROTH | stat.S_IWOTH):
        raise complaint("--api-key-file", path, "is open to every user of this machine; chmod 600 it")
    if not text:
        raise complaint("--api-key-file", path, "is empty; write an API key (<id>-<64 characters>) into it")
    return text


def _adopting(path: Path, key: str) -> Callable[[Appliance], str]:
    def adopt(appliance: Appliance) -> str:
        try:
            appliance.adopt_api_key(KEY_NAME, key)
        except ValueError as error:
            raise complaint("--api-key-file", path, f"{error}; put one on its first line") from error
        return key

    return adopt


class _JournalFile:
    """Where exchanges are written as they end; the first that cannot be ends the serving."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise complaint("--journal", path, f"cannot be written to: {error.strerror}") from error
        self._file = os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace", buffering=1)
        self.broke: OSError | None = None
        self.on_breaking: Callable[[], None] = lambda: None

    def writer(self, first: Mapping[str, str]) -> Callable[[JournalEntry], None]:
        """Writes entries, each line opening with ``first``."""

        def write(entry: JournalEntry) -> None:
            if self.broke is None:
                try:
                    self._file.write(json.dumps({**first, **entry.to_data()}) + "\n")
                except OSError as error:
                    self.broke = error
                    self.on_breaking()

        return write

    def close(self) -> None:
        """Raises BrokeWhileServing when something could not be written."""
        with contextlib.suppress(OSError):
            self._file.close()
        if self.broke is not None:
            raise BrokeWhileServing(f"--journal {self._path}: {self.broke.strerror}")
