"""What a fault may be aimed at: one request, handshake, call or event, as its face sees it. Knows no fault."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

Face = Literal["front", "rest", "rpc", "ddp"]
Occasion = Literal["page", "request", "handshake", "call", "event"]


@dataclass(frozen=True)
class Target:
    """``verb`` and ``path`` (below /api/v2.0; the whole path on a socket) of HTTP, ``call`` the API method's name.

    ``call`` is empty for a handshake and for a path that is no method. ``event`` is the collection of an event about to
    be sent. ``connection`` counts the WebSocket connections of the appliance from 1.
    """

    face: Face
    verb: str = ""
    path: str = ""
    call: str = ""
    connection: int = 0
    event: str = ""

    @cached_property
    def occasions(self) -> frozenset[Occasion]:
        """What this is; a REST request for a method is a call as well."""
        if self.event:
            return _EVENT
        if self.face == "front":
            return _PAGE
        if self.face == "rest":
            return _REST_CALL if self.call else _REQUEST
        return _CALL if self.call else _HANDSHAKE


_EVENT: frozenset[Occasion] = frozenset({"event"})
_PAGE: frozenset[Occasion] = frozenset({"page"})
_REQUEST: frozenset[Occasion] = frozenset({"request"})
_REST_CALL: frozenset[Occasion] = frozenset({"request", "call"})
_CALL: frozenset[Occasion] = frozenset({"call"})
_HANDSHAKE: frozenset[Occasion] = frozenset({"handshake"})
