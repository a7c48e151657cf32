"""The route by which agents on hosts report themselves (contract A8, A9)."""

from collections.abc import Sequence
from typing import Any, Final

from aiohttp import web

from pulse_sim.stack.api.answers import Refusal, answer
from pulse_sim.stack.api.described import REPORTED
from pulse_sim.stack.api.middleware import ORG
from pulse_sim.stack.api.operations import BODY, Operation, Role
from pulse_sim.stack.host_agent import HostAgents, TooManyHosts

_NAME: Final = {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[ -~]+$"}
_TEXT: Final = {"type": ["string", "null"], "maxLength": 128}
_STATUSES: Final = ["online", "warning", "offline", "unknown"]
_DISK: Final = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": _NAME,
        "serial": _TEXT,
        "model": _TEXT,
        "status": {"type": ["string", "null"], "enum": [*_STATUSES, None]},
        "sizeBytes": {"type": ["integer", "null"], "minimum": 0, "maximum": 2**63 - 1},
        "temperatureCelsius": {"type": ["number", "null"], "minimum": -100, "maximum": 1000},
    },
}
REPORT: Final = {
    "type": "object",
    "required": ["id", "hostname", "status"],
    "properties": {
        "id": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"},
        "hostname": _NAME,
        "status": {"type": "string", "enum": _STATUSES},
        "disks": {"type": ["array", "null"], "maxItems": 256, "items": _DISK},
    },
}
"""What a host says of itself."""


class AgentRoutes:
    """Hands reports to the source they belong to."""

    def __init__(self, agents: HostAgents) -> None:
        self._agents = agents

    def operations(self) -> Sequence[Operation]:
        """The one operation."""
        return [
            Operation(
                "POST",
                "/api/agents/host/report",
                "reportHost",
                "What an agent says of its host; stale after 60 seconds.",
                self.report,
                Role.ADMIN,
                body=REPORT,
                shape=REPORTED,
                answers={403: "The token may not do this, or too many hosts report already."},
            )
        ]

    async def report(self, request: web.Request) -> web.Response:
        """Takes one report."""
        report: dict[str, Any] = request[BODY]
        try:
            told = self._agents.report(request[ORG], report)
        except TooManyHosts:
            raise Refusal(403, "host_limit_reached", "too many hosts report already") from None
        return answer({"success": True, "resources": told})
