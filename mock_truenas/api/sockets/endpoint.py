"""Which path leads to which WebSocket face, and to which version of the API (truenas-api 1, 5.1). No network."""

from dataclasses import dataclass
from typing import Literal

from mock_truenas.appliance.dialect import Dialect, dialect
from mock_truenas.appliance.releases import Release


@dataclass(frozen=True)
class Endpoint:
    """A face at a path, and the version of the API it speaks there."""

    face: Literal["rpc", "ddp"]
    dialect: Dialect


def endpoint_of(path: str, release: Release) -> Endpoint | None:
    """What a path leads to; None when the front keeps it to itself (truenas-api 1, 5.1)."""
    own = release.dialect
    if path == "/websocket":
        # From 25.04 on it is emulated, with what it answers turned back into the models of v24.10.
        return Endpoint("ddp", dialect("24.10") if own.has("json_rpc") else own)
    if not own.has("json_rpc"):
        return None
    if path == "/api/current":
        return Endpoint("rpc", own)
    version = path.removeprefix("/api/")
    return Endpoint("rpc", release.dialect_of(version)) if version in release.api_versions else None
