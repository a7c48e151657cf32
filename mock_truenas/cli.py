"""``mock-truenas``: the composition root for people. Complaints are one line."""

import asyncio
import errno
import ipaddress
import json
import os
import random
import signal
import socket
import stat
from pathlib import Path
from typing import Any

import click

from mock_truenas.api.front import API_ROOT
from mock_truenas.api.methods.method import Access
from mock_truenas.api.routes import routes_of
from mock_truenas.appliance import FIXTURES, Appliance, build_appliance
from mock_truenas.appliance.releases import RELEASES, find_release
from mock_truenas.certificate import Certificates
from mock_truenas.faults import FAULT_KINDS, FaultKind
from mock_truenas.server import MockTrueNAS
from mock_truenas.system import SystemClock


def complaint(place: str, value: object, what: str) -> click.ClickException:
    """One line for people: where, which value, and the way out."""
    return click.ClickException(f"{place} {value}: {what}")


def main() -> int:
    """Entry point. Exit status: 0 done or stopped by a signal, 1 broke while serving, 2 wrong usage."""
    try:
        status = commands.main(prog_name="mock-truenas", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return 2
    except click.ClickException as error:
        click.echo(f"mock-truenas: {error.format_message()}", err=True)
        return 2
    except click.Abort:
        return 1
    return status if isinstance(status, int) else 0


@click.group()
@click.version_option(package_name="pulse-sim")
def commands() -> None:
    """A TrueNAS SCALE appliance to test against."""


@commands.command()
@click.option("--release", default="24.10", show_default=True, help="Which TrueNAS it is.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=0, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 takes a free one.")
@click.option("--tls", is_flag=True, help="Serve HTTPS with a self-signed certificate made for this run.")
@click.option("--api-key-file", type=click.Path(path_type=Path), help="File with the API key to accept.")
@click.option("--fixture", default="baseline", show_default=True, help="What the appliance consists of.")
@click.option("--seed", default=1, show_default=True, type=int, help="Same seed, same serial numbers and guids.")
@click.option("--allow-remote", is_flag=True, help="Allow a --host other machines can reach.")
def serve(
    release: str,
    host: str,
    port: int,
    tls: bool,
    api_key_file: Path | None,
    fixture: str,
    seed: int,
    allow_remote: bool,
) -> int:
    """Serve one appliance until SIGINT or SIGTERM; prints one JSON line once it listens."""
    _check_choices(release, fixture, host, allow_remote=allow_remote)
    clock = SystemClock()
    appliance = build_appliance(
        fixture=fixture, release=release, clock=clock, entropy=os.urandom, rng=random.Random(f"{seed}:appliance")
    )
    shown: dict[str, Any] = {"release": release, "http": None, "https": None, "ws": None, "control": None}
    if api_key_file is None:
        shown["api_key"] = appliance.mint_api_key("mock-truenas", prefix="")
    else:
        _adopt_key(appliance, api_key_file)
    certificates = Certificates(host, clock.now_ns() / 1e9) if tls else None
    nas = MockTrueNAS(
        appliance,
        clock=clock,
        journal=lambda _: None,
        ssl_context=certificates.context() if certificates else None,
        issue=certificates.issue if certificates else None,
    )
    return asyncio.run(_serve(nas, host, port, shown))


async def _serve(nas: MockTrueNAS, host: str, port: int, shown: dict[str, Any]) -> int:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    try:
        await nas.start(host, port)
    except OSError as error:
        raise _cannot_listen(host, port, error) from error
    shown["https" if nas.url.startswith("https") else "http"] = nas.url
    click.echo(json.dumps(shown))
    await stopped.wait()
    await nas.stop()
    return 0


def _cannot_listen(host: str, port: int, error: OSError) -> click.ClickException:
    # From 3.13 on asyncio drops addresses of other machines, and without one left its error has no number.
    if isinstance(error, socket.gaierror) or error.errno in (errno.EADDRNOTAVAIL, None):
        return complaint("--host", host, "is not an address of this machine; use 127.0.0.1")
    if error.errno == errno.EADDRINUSE:
        return complaint("--port", port, f"is in use on {host}; choose another, or 0 for a free one")
    if error.errno == errno.EACCES:
        return complaint("--port", port, "is not open to this user; choose one above 1023, or 0 for a free one")
    return complaint("--host", f"{host} --port {port}", f"cannot listen: {os.strerror(error.errno)}")


def _check_choices(release: str, fixture: str, host: str, *, allow_remote: bool) -> None:
    try:
        find_release(release)
    except ValueError as error:
        raise complaint("--release", release, str(error)) from error
    if fixture not in FIXTURES:
        raise complaint("--fixture", fixture, f"unknown; available: {', '.join(FIXTURES)}")
    if not allow_remote and not _is_loopback(host):
        raise complaint("--host", host, "other machines could reach it; use 127.0.0.1, or add --allow-remote")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _adopt_key(appliance: Appliance, path: Path) -> None:
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
    try:
        appliance.adopt_api_key("mock-truenas", text)
    except ValueError as error:
        raise complaint("--api-key-file", path, f"{error}; put one on its first line") from error


@commands.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def faults(as_json: bool) -> None:
    """Print the fault kinds and their parameters."""
    for kind in FAULT_KINDS.values():
        click.echo(json.dumps(_described(kind)) if as_json else _told(kind))


def _described(kind: FaultKind) -> dict[str, Any]:
    return {
        "name": kind.name,
        "doc": kind.doc,
        "stage": kind.stage.name.lower(),
        "worlds": sorted(kind.worlds),
        "parameters": kind.parameters.model_json_schema(),
    }


def _told(kind: FaultKind) -> str:
    lines = [f"{kind.name:<20} {kind.doc}"]
    for name, field in kind.parameters.model_fields.items():
        need = "required" if field.is_required() else f"default {field.default}" if field.default else "optional"
        lines.append(f"{'':<20}   {name}: {field.description} ({need})")
    return "\n".join(lines)


@commands.command()
@click.option("--release", default="24.10", show_default=True, help="Of which TrueNAS.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def methods(release: str, as_json: bool) -> None:
    """Print the paths and methods that are served."""
    if release not in RELEASES:
        _check_choices(release, "baseline", "127.0.0.1", allow_remote=False)
    served = routes_of(find_release(release).dialect)
    for route in (route for routes in served.values() for route in routes.values()):
        path, doc, login = API_ROOT + route.path, route.method.doc, route.method.access is not Access.OPEN
        described = {"method": route.verb, "path": path, "doc": doc, "authenticated": login}
        click.echo(json.dumps(described) if as_json else f"{route.verb:<5} {path:<36} {doc}")
