"""Over which faces an appliance of each release can be asked. Starts nothing; a table read off the mock's own."""

from collections.abc import Mapping
from typing import Final

from mock_truenas.appliance.releases import RELEASES


def _faces(name: str) -> tuple[str, ...]:
    dialect = RELEASES[name].dialect
    there = {"rest": dialect.has("rest"), "rpc": dialect.has("json_rpc"), "ddp": True}
    return tuple(face for face, is_there in there.items() if is_there)


RELEASE_FACES: Final[Mapping[str, tuple[str, ...]]] = {name: _faces(name) for name in RELEASES}
"""``rest`` is REST v2.0, ``rpc`` JSON-RPC over a WebSocket, ``ddp`` the older /websocket (truenas-api 0)."""
