"""The control API on its own port: requests in, checked; answers out. What endpoints do stands elsewhere."""

import inspect
import json
import logging
import math
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from pydantic import BaseModel, ValidationError

from mock_truenas.complaints import BadInput, Unknown, from_validation
from mock_truenas.control.access import Guard, mint_token, write_token
from mock_truenas.control.document import document
from mock_truenas.control.endpoints import ENDPOINTS, Asked, Endpoint
from mock_truenas.fleet import Fleet

LARGEST_BODY: Final = 1 << 20
DEEPEST: Final = 64
_DOCUMENT: Final = "/v1/openapi.json"
_LOG: Final = logging.getLogger("mock_truenas")


class Control:
    """Serves the control API of a fleet, on the loop of the fleet."""

    def __init__(self, fleet: Fleet, *, entropy: Callable[[int], bytes], remote: bool = False) -> None:
        """With ``remote`` other machines may use it, if its address lets them."""
        self._fleet = fleet
        self._entropy = entropy
        self._remote = remote
        self.token: Final = mint_token(entropy)
        self.token_file: Path | None = None
        self._guard: Guard | None = None
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def start(self, host: str, port: int, token_directory: Path | None = None) -> None:
        """Listen; with a directory, write the token into a new file there. Raises OSError, then nothing listens."""
        app = web.Application(client_max_size=LARGEST_BODY, middlewares=[self._judge])
        for endpoint in ENDPOINTS:
            app.router.add_route(endpoint.verb, endpoint.path, self._serving(endpoint))
        app.router.add_route("GET", _DOCUMENT, self._show_document)
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
            port = runner.addresses[0][1]
            self._guard = Guard(self.token, host, port, self._remote)
            if token_directory is not None:
                self.token_file = write_token(token_directory, port, self.token, self._entropy)
        except BaseException:
            await runner.cleanup()
            raise
        self._runner = runner
        self.url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def stop(self) -> None:
        """Stop listening and take the token file away. Harmless when not started."""
        runner, self._runner = self._runner, None
        file, self.token_file = self.token_file, None
        if file is not None:
            file.unlink(missing_ok=True)
        if runner is not None:
            await runner.cleanup()

    @web.middleware
    async def _judge(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        assert self._guard is not None
        refusal = self._guard.refuses(request.headers, needs_token=request.path != _DOCUMENT)
        if refusal is not None:
            # A credential that was refused is not repeated.
            value = "" if refusal.status == 401 else request.headers.get(refusal.place, "")
            return _refused(refusal.status, BadInput(refusal.place, value, refusal.what))
        try:
            return await handler(request)
        except BadInput as error:
            there = isinstance(error, Unknown) and error.place in request.match_info
            return _refused(404 if there else 422, error)
        except web.HTTPNotFound:
            return _refused(404, Unknown("path", request.path, [endpoint.path for endpoint in ENDPOINTS]))
        except web.HTTPMethodNotAllowed as error:
            allowed = sorted(error.allowed_methods)
            answer = _refused(405, BadInput("method", request.method, f"use {' or '.join(allowed)}", allowed))
            answer.headers["Allow"] = ", ".join(allowed)
            return answer
        except web.HTTPRequestEntityTooLarge:
            return _refused(413, BadInput("body", "", f"is larger than {LARGEST_BODY} bytes"))

    def _serving(self, endpoint: Endpoint) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def serve(request: web.Request) -> web.StreamResponse:
            given = await _given(endpoint, request)
            done = endpoint.run(Asked(self._fleet, dict(request.match_info), given))
            if inspect.isawaitable(done):
                done = await done
            return web.json_response(done)

        return serve

    async def _show_document(self, _: web.Request) -> web.StreamResponse:
        return web.json_response(document())


async def _given(endpoint: Endpoint, request: web.Request) -> BaseModel | None:
    if endpoint.query is None and request.query_string:
        raise BadInput("query", request.query_string, "this endpoint takes no query string")
    try:
        if endpoint.query is not None:
            return endpoint.query.model_validate_strings(_once(request))
        if endpoint.takes is None:
            return None
        body = await request.read()
        _check_json(body)
        return endpoint.takes.model_validate_json(body)
    except ValidationError as error:
        raise from_validation(error) from error


def _once(request: web.Request) -> dict[str, str]:
    for name in request.query:
        if len(request.query.getall(name)) > 1:
            raise BadInput(name, request.query[name], "is given more than once")
    return dict(request.query)


def _check_json(body: bytes) -> None:
    """Whether every value can be shown again as JSON. Raises BadInput."""
    try:
        value = json.loads(body)
        _walk(value, 0)
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeError as error:
        raise BadInput("body", "", "is not UTF-8") from error
    except RecursionError as error:
        raise BadInput("body", "", f"is nested deeper than {DEEPEST} levels") from error
    except json.JSONDecodeError as error:
        raise BadInput("body", "", f"is not JSON: {error}") from error
    except ValueError as error:
        raise BadInput("body", "", f"cannot be used: {error}") from error


def _walk(value: Any, depth: int) -> None:
    if depth > DEEPEST:
        raise RecursionError
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("it has a number that is not finite")
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _walk(part, depth + 1)


def _refused(status: int, error: BadInput) -> web.Response:
    told = {"message": str(error), "place": error.place, "value": error.value, "allowed": list(error.allowed)}
    return web.json_response(told, status=status)
