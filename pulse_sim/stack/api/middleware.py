"""What happens to every request: metrics, error bodies, who may ask, and for which organisation (contract A1, A9)."""

import hmac
import ipaddress
import logging
from collections.abc import Callable
from typing import Any, Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from pulse_sim.stack.api.answers import CLOCK, Refusal, refuse
from pulse_sim.stack.api.operations import ROLE, Role
from pulse_sim.stack.connection import DEFAULT_ORG
from pulse_sim.stack.errors import OUTGOING_STATUS, MonitorError
from pulse_sim.stack.metrics import Metrics
from pulse_sim.stack.settings import Settings
from pulse_sim.stack.store import ORG_NAME

ORG: Final = web.RequestKey("org", str)
OPEN_ROUTES: Final = frozenset({"/metrics", "/api/health"})
_UNCOUNTED: Final = "/metrics"
_UPGRADED: Final = 101
_FORWARDED: Final = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP")
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"})
_CODES: Final = {404: "not_found", 405: "method_not_allowed", 413: "request_too_large"}
_log = logging.getLogger("pulse.api")


def route_of(request: web.Request) -> str:
    """The pattern of the route that answers, never the path, so that labels stay few."""
    resource = request.match_info.route.resource
    return "unmatched" if resource is None else resource.canonical


def counted(metrics: Metrics, time: Callable[[], float]) -> Middleware:
    """Counts and times every request but scrapes, and WebSockets, which last for days."""

    @web.middleware
    async def layer(request: web.Request, handler: Handler) -> web.StreamResponse:
        started = time()
        response = await handler(request)
        route = route_of(request)
        if route != _UNCOUNTED and response.status != _UPGRADED:
            method = request.method if request.method in _METHODS else "other"
            metrics.http_request(method, route, response.status, time() - started)
        return response

    return layer


@web.middleware
async def error_bodies(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every failure becomes an error body; an unexpected one is 500 and says nothing of its inside."""
    clock = request.app[CLOCK]
    try:
        return await handler(request)
    except Refusal as refusal:
        return refuse(refusal, clock)
    except web.HTTPException as raised:
        code = _CODES.get(raised.status, "invalid_request")
        response = refuse(Refusal(raised.status, code, raised.reason), clock)
        if "Allow" in raised.headers:
            response.headers["Allow"] = raised.headers["Allow"]
        return response
    except MonitorError as error:
        details = {"error_type": error.type.value, "op": error.op}
        return refuse(Refusal(OUTGOING_STATUS[error.type], f"truenas_{error.type.value}", error.cause, details), clock)
    except Exception as failure:
        fields = {"route": route_of(request), "exception": type(failure).__name__}
        _log.error("request to %(route)s failed: %(exception)s", fields)
        return refuse(Refusal(500, "internal_error", "internal error"), clock)


def admitted(settings: Settings, role_of: Callable[[web.Request], Role]) -> Middleware:
    """Says what a request may do and which organisation it asks for; refuses who may do nothing."""

    @web.middleware
    async def layer(request: web.Request, handler: Handler) -> web.StreamResponse:
        role = role_of(request)
        if role is Role.NOBODY and request.path not in OPEN_ROUTES:
            raise Refusal(401, "unauthorized", "a token is needed")
        request[ROLE] = role
        org = request.headers.get("X-Pulse-Org-ID", "").strip() or DEFAULT_ORG
        if org != DEFAULT_ORG and not settings.multi_tenant:
            raise Refusal(501, "multi_tenant_disabled", "organisations are not enabled")
        if not ORG_NAME.fullmatch(org):
            raise Refusal(400, "invalid_request", "X-Pulse-Org-ID is not an organisation name")
        request[ORG] = org
        return await handler(request)

    return layer


def role_of(request: web.Request, settings: Settings) -> Role:
    """By the token, as bearer or `X-API-Token`; without an admin token, direct loopback requests are admin."""
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    offered = [request.headers.get("X-API-Token", ""), bearer.strip() if scheme.lower() == "bearer" else ""]
    if _is_offered(settings.api_token, offered) or (not settings.api_token and is_direct_loopback(request)):
        return Role.ADMIN
    return Role.READ if _is_offered(settings.read_token, offered) else Role.NOBODY


def _is_offered(token: str, offered: list[str]) -> bool:
    wanted = token.encode(errors="replace")
    return bool(token) and any(hmac.compare_digest(each.encode(errors="replace"), wanted) for each in offered)


def is_direct_loopback(request: web.BaseRequest) -> bool:
    """From this host, through no proxy, and not by a web page of another origin in this host's browser."""
    peer: Any = request.transport.get_extra_info("peername") if request.transport else None
    try:
        near = ipaddress.ip_address(peer[0]).is_loopback if peer else False
    except ValueError:
        near = False
    origin = request.headers.get("Origin")
    own = origin is None or origin.partition("://")[2] == request.headers.get("Host", "")
    return near and own and not any(name in request.headers for name in _FORWARDED)
