"""What a fault may be aimed at: one request or call, as its face sees it. Knows no fault."""

from dataclasses import dataclass
from typing import Literal

Face = Literal["front", "rest", "rpc", "ddp"]


@dataclass(frozen=True)
class Target:
    """``verb`` and ``path`` (below /api/v2.0; the whole path on a socket) of HTTP, ``call`` the API method's name.

    ``call`` is empty for a handshake and for a path that is no method. ``connection`` counts the connections of the
    appliance from 1.
    """

    face: Face
    verb: str = ""
    path: str = ""
    call: str = ""
    connection: int = 0
