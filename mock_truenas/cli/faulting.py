"""``mock-truenas fault add|list|clear``: faults of a NAS that serves with a control port."""

import json
from pathlib import Path
from typing import Any, Final

import click

from mock_truenas.cli.complaint import complaint
from mock_truenas.control.client import ControlClient, ControlRefused

_CONTROL: Final = click.option(
    "--control", envvar="MOCK_TRUENAS_CONTROL", help="URL of the control API, as serve tells; or MOCK_TRUENAS_CONTROL."
)
_TOKEN: Final = click.option(
    "--token-file",
    envvar="MOCK_TRUENAS_TOKEN_FILE",
    type=click.Path(path_type=Path),
    help="File with its token, as serve tells; or MOCK_TRUENAS_TOKEN_FILE.",
)
_NAS: Final = click.option("--nas", help="Which NAS of a fleet, such as nas-2.")


@click.group()
def fault() -> None:
    """Start, list and clear faults of a NAS that serves."""


@fault.command()
@_CONTROL
@_TOKEN
@_NAS
@click.option("--id", "fault_id", help="What to call it; made up if missing.")
@click.option("--for", "lasts", help="Heal by itself after this long, such as 30s.")
@click.argument("kind")
@click.argument("parameters", nargs=-1, metavar="[NAME=VALUE]…")
def add(
    *,
    control: str | None,
    token_file: Path | None,
    nas: str | None,
    fault_id: str | None,
    lasts: str | None,
    kind: str,
    parameters: tuple[str, ...],
) -> None:
    """Start a fault, such as: fault add http.status status=502 path=/pool --for 30s"""
    order: dict[str, Any] = {"kind": kind, "parameters": dict(map(_parameter, parameters))}
    if fault_id is not None:
        order["id"] = fault_id
    if lasts is not None:
        order["for"] = lasts
    client = _client(control, token_file)
    try:
        started = client.post("appliances", _named(client, nas), "faults", body=order)
    except ControlRefused as error:
        raise click.ClickException(str(error)) from error
    click.echo(json.dumps(started))


@fault.command(name="list")
@_CONTROL
@_TOKEN
@_NAS
def list_active(*, control: str | None, token_file: Path | None, nas: str | None) -> None:
    """Print the active faults, one JSON object a line, with how often each was met."""
    client = _client(control, token_file)
    try:
        for active in client.get("appliances", _named(client, nas), "faults"):
            click.echo(json.dumps(active))
    except ControlRefused as error:
        raise click.ClickException(str(error)) from error


@fault.command()
@_CONTROL
@_TOKEN
@_NAS
@click.option("--all", "everything", is_flag=True, help="Clear every fault.")
@click.argument("fault_id", metavar="[ID]", required=False)
def clear(
    *, control: str | None, token_file: Path | None, nas: str | None, everything: bool, fault_id: str | None
) -> None:
    """Clear one fault, or all."""
    if everything == (fault_id is not None):
        raise click.UsageError("name a fault, or say --all")
    client = _client(control, token_file)
    try:
        path = ("appliances", _named(client, nas), "faults")
        done = client.delete(*path) if fault_id is None else client.delete(*path, fault_id)
    except ControlRefused as error:
        raise click.ClickException(str(error)) from error
    click.echo(json.dumps(done or {"cleared": [fault_id]}))


def _parameter(text: str) -> tuple[str, Any]:
    name, separator, value = text.partition("=")
    if not separator or not name:
        raise complaint("parameter", text, "write it as NAME=VALUE, such as status=502")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _client(control: str | None, token_file: Path | None) -> ControlClient:
    if not control:
        raise click.UsageError("missing --control URL (or MOCK_TRUENAS_CONTROL), as serve --control-port tells it")
    if token_file is None:
        raise click.UsageError("missing --token-file FILE (or MOCK_TRUENAS_TOKEN_FILE), as serve tells it")
    return ControlClient(control, token_file)


def _named(client: ControlClient, nas: str | None) -> str:
    if nas is not None:
        return nas
    names = [str(told["name"]) for told in client.get("appliances")]
    if len(names) != 1:
        raise complaint("--nas", "is missing", f"there are {', '.join(names[:5])}{', …' if len(names) > 5 else ''}")
    return names[0]
