"""``pulse-sim serve``: the reference stack for real, on real sockets, with this machine's clock and disk."""

import asyncio
import ipaddress
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import click

from pulse_sim.cli import options

VARIANTS: Final = ("truenas-off-by-default", "truenas-on-by-default", "without-truenas")
TOKEN: Final = "PULSE_API_TOKEN"  # noqa: S105 - the name of the variable, not a token


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen; loopback unless allowed.")
@click.option("--port", type=click.IntRange(1, 65535), default=7655, show_default=True)
@click.option(
    "--data-dir", type=click.Path(file_okay=False, path_type=Path), default=Path("pulse-data"), show_default=True
)
@click.option("--variant", type=click.Choice(VARIANTS), default="truenas-on-by-default", show_default=True)
@click.option("--allow-remote", is_flag=True, help="Allow an address other machines can reach; needs PULSE_API_TOKEN.")
def serve(host: str, port: int, data_dir: Path, variant: str, allow_remote: bool) -> None:
    """Run the reference stack against real or mock appliances until Ctrl-C.

    Set PULSE_API_TOKEN to require a token; without it, requests from this machine are admin. Whoever has
    PULSE_API_READ_TOKEN may read. What the API takes and answers stands in /api/openapi.json.
    """
    from pulse_sim.stack import standalone
    from pulse_sim.stack.settings import SettingsInvalid

    if not _is_loopback(host):
        if not allow_remote:
            options.stop(f"--host {host} can be reached from other machines; add --allow-remote if that is meant")
        if not os.environ.get(TOKEN):
            options.stop(f"--host {host} with --allow-remote needs {TOKEN} to be set")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    click.echo(f"http://{host}:{port}/api/health, metrics at /metrics, data in {data_dir}", err=True)
    try:
        asyncio.run(standalone.serve(_environ(host, port, data_dir), variant))
    except SettingsInvalid as error:
        options.stop(str(error))
    except OSError as error:
        why = str(error) if error.errno is None else os.strerror(error.errno)  # asyncio's own text names both again
        options.stop(f"{host}:{port} or {data_dir}: {why}; choose another --port or --data-dir")


def _environ(host: str, port: int, data_dir: Path) -> Mapping[str, str]:
    given = {"BIND_ADDRESS": host, "FRONTEND_PORT": str(port), "PULSE_DATA_DIR": str(data_dir.resolve())}
    return {**os.environ, **given}


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
