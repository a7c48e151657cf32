"""The errors monitoring can meet, and how a failure of any library becomes one of them (contract A3).

Causes are our own words: no text of an appliance and no address enters an error, so errors may be logged and shown.
"""

import asyncio
import json
import ssl
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError


class ErrorType(StrEnum):
    """The closed list of error types; their names are label values of `pulse_monitor_poll_errors_total`."""

    CONNECTION = "connection"
    AUTH = "auth"
    VALIDATION = "validation"
    NOT_FOUND = "not_found"
    INTERNAL = "internal"
    API = "api"
    TIMEOUT = "timeout"


OUTGOING_STATUS: Final = {
    ErrorType.AUTH: 401,
    ErrorType.VALIDATION: 400,
    ErrorType.NOT_FOUND: 404,
    ErrorType.TIMEOUT: 504,
    ErrorType.CONNECTION: 502,
    ErrorType.API: 502,
    ErrorType.INTERNAL: 500,
}
"""The HTTP status an API caller sees for each type (contract A3)."""

_NEVER_RETRIED: Final = frozenset({ErrorType.AUTH, ErrorType.VALIDATION, ErrorType.NOT_FOUND})
_REFUSING_ERRNOS: Final = frozenset({1, 13, 207})  # EPERM, EACCES and the middleware's ENOTAUTHENTICATED


class MonitorError(Exception):
    """Why an appliance could not be read.

    `op` is the call (``GET /pool``, ``pool.query``) or what was made of its answer (``reading pool``), `instance` the
    connection id, `cause` a few words of ours, `status_code` the HTTP status or None, `timestamp_ns` the wall clock,
    `retryable` whether another try can help.
    """

    def __init__(
        self,
        error_type: ErrorType,
        op: str,
        instance: str,
        cause: str,
        *,
        status_code: int | None = None,
        timestamp_ns: int = 0,
        retryable: bool | None = None,
    ) -> None:
        super().__init__(f"{error_type}: {op}: {cause}")
        self.type = error_type
        self.op = op
        self.instance = instance
        self.cause = cause
        self.status_code = status_code
        self.timestamp_ns = timestamp_ns
        self.retryable = error_type not in _NEVER_RETRIED if retryable is None else retryable


class TurnAwaited(MonitorError):
    """A session was lost, and the host may see no further login yet: nothing is known of the appliance.

    Whoever can wait does so and asks again; for everybody else it is a lost connection.
    """

    def __init__(self, op: str, instance: str, timestamp_ns: int) -> None:
        super().__init__(
            ErrorType.CONNECTION,
            op,
            instance,
            "session lost, and the next login is not due yet",
            timestamp_ns=timestamp_ns,
            retryable=False,
        )


class AnswerUnusable(Exception):
    """An answer arrived and cannot be used: broken JSON, a wrong type, too long. `final` when a retry cannot help."""

    def __init__(self, cause: str, *, final: bool = False) -> None:
        super().__init__(cause)
        self.cause = cause
        self.final = final


class StatusRefused(Exception):
    """An answer with an HTTP status that is not a success; `body` is at most the first 4 KiB of it."""

    def __init__(self, status: int, body: bytes = b"") -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
        self.body = body


class LoginRefused(Exception):
    """A login over JSON-RPC that did not succeed; `cause` says why in our words."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


class RpcRefused(Exception):
    """A JSON-RPC error; `code` is the protocol's, `errno` the middleware's own number or None (truenas-api 5.2)."""

    def __init__(self, code: int, errno: int | None = None) -> None:
        super().__init__(f"JSON-RPC error {code}")
        self.code = code
        self.errno = errno


class SessionClosed(Exception):
    """A WebSocket ended before its answer came; `code` of its close frame, None without one."""

    def __init__(self, code: int | None) -> None:
        super().__init__(f"closed with {code}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Finding:
    """One row of the classification table, as found for a failure."""

    type: ErrorType
    cause: str
    retryable: bool
    status_code: int | None = None


class Classifier:
    """Turns whatever a call raised into the contract's types. Pure; the first row that fits decides."""

    def error(self, failure: BaseException, op: str, instance: str, timestamp_ns: int) -> MonitorError:
        """A MonitorError for the failure; one that is a MonitorError already is handed back unchanged."""
        if isinstance(failure, MonitorError):
            return failure
        found = self.find(failure)
        return MonitorError(
            found.type,
            op,
            instance,
            found.cause,
            status_code=found.status_code,
            timestamp_ns=timestamp_ns,
            retryable=found.retryable,
        )

    def find(self, failure: BaseException) -> Finding:
        """The row of A3 for a failure."""
        if isinstance(failure, StatusRefused):
            return self.find_status(failure.status, failure.body)
        if isinstance(failure, AnswerUnusable):
            return Finding(ErrorType.API, failure.cause, not failure.final)
        if isinstance(failure, LoginRefused):
            return Finding(ErrorType.AUTH, failure.cause, False)
        if isinstance(failure, RpcRefused):
            return self.find_refusal(failure)
        if isinstance(failure, SessionClosed):
            return _CLOSED.get(failure.code or 0) or Finding(ErrorType.API, f"closed with code {failure.code}", True)
        for kinds, error_type, cause in _TABLE:
            if isinstance(failure, kinds):
                return self._refined(failure, Finding(error_type, cause, error_type not in _NEVER_RETRIED))
        return Finding(ErrorType.INTERNAL, f"unexpected {type(failure).__name__}", True)

    def find_status(self, status: int, body: bytes = b"") -> Finding:
        """The row for an HTTP status; a 422 whose errno says "not allowed" is an auth error, as over JSON-RPC."""
        if status in (401, 403) or (status == 422 and _errno_of(body) in _REFUSING_ERRNOS):
            return Finding(ErrorType.AUTH, f"HTTP {status}", False, status)
        if status in (408, 504):
            return Finding(ErrorType.TIMEOUT, f"HTTP {status}", True, status)
        if 300 <= status < 400:
            return Finding(ErrorType.API, f"HTTP {status}: redirects are not followed with credentials", False, status)
        return Finding(ErrorType.API, f"HTTP {status}", status >= 500 or status == 429, status)

    def find_refusal(self, refused: RpcRefused) -> Finding:
        """The row for a JSON-RPC error; one that says "not allowed" is an auth error, whatever its code."""
        if refused.errno in _REFUSING_ERRNOS:
            return Finding(ErrorType.AUTH, f"JSON-RPC errno {refused.errno}", False)
        number = "" if refused.errno is None else f", errno {refused.errno}"
        return Finding(ErrorType.API, f"JSON-RPC error {refused.code}{number}", refused.code not in _FINAL_CODES)

    def _refined(self, failure: BaseException, row: Finding) -> Finding:
        """Two library errors mean different things by what caused them."""
        beneath = getattr(failure, "os_error", None)
        if isinstance(failure, aiohttp.ClientConnectorError) and isinstance(beneath, TimeoutError):
            return Finding(ErrorType.TIMEOUT, "no connection inside the deadline", True)
        if isinstance(failure, aiohttp.ClientConnectorError) and isinstance(beneath, ConnectionRefusedError):
            return Finding(row.type, "connection refused", row.retryable)
        if isinstance(failure, aiohttp.ClientPayloadError) and "ConnectionResetError" in str(failure):
            return Finding(ErrorType.CONNECTION, "connection reset", True)
        return row


_FINAL_CODES: Final = frozenset({-32700, -32600, -32601, -32602})
"""What the same request will meet again."""
_NO_ANSWER: Final = Finding(ErrorType.CONNECTION, "connection closed without an answer", True)
_CLOSED: Final = {
    **dict.fromkeys((0, 1000, 1001, 1005, 1006), _NO_ANSWER),
    1008: Finding(ErrorType.AUTH, "this address is not allowed", False),
    1009: Finding(ErrorType.API, "message too long", False),
}
"""What a WebSocket's close code means; 1008 is the allow-list, whose REST form is a 403 (truenas-api 1, 5.1)."""


def _errno_of(body: bytes) -> object:
    """The `errno` of an error body of the middleware (truenas-api 2.4), or None."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value.get("errno") if isinstance(value, dict) else None


_TABLE: Final[tuple[tuple[tuple[type[BaseException], ...], ErrorType, str], ...]] = (
    ((aiohttp.ClientConnectorCertificateError, ssl.CertificateError), ErrorType.VALIDATION, "certificate not trusted"),
    ((aiohttp.ServerFingerprintMismatch,), ErrorType.VALIDATION, "certificate fingerprint mismatch"),
    ((aiohttp.ConnectionTimeoutError,), ErrorType.TIMEOUT, "no connection inside the deadline"),
    ((TimeoutError, asyncio.TimeoutError), ErrorType.TIMEOUT, "no answer inside the deadline"),
    ((aiohttp.ClientConnectorDNSError,), ErrorType.CONNECTION, "name not resolved"),
    ((aiohttp.ClientSSLError, ssl.SSLError), ErrorType.CONNECTION, "TLS handshake refused"),
    ((aiohttp.ClientConnectorError,), ErrorType.CONNECTION, "host not reached"),
    ((aiohttp.ServerDisconnectedError,), ErrorType.CONNECTION, "connection closed without an answer"),
    ((aiohttp.ClientPayloadError,), ErrorType.API, "answer cut short"),
    ((aiohttp.ClientResponseError, HttpProcessingError), ErrorType.API, "malformed HTTP answer"),
    ((aiohttp.InvalidURL,), ErrorType.VALIDATION, "address not usable"),
    ((aiohttp.ClientConnectionError, ConnectionError), ErrorType.CONNECTION, "connection reset"),
    ((OSError,), ErrorType.CONNECTION, "host not reached"),
    ((aiohttp.ClientError,), ErrorType.API, "answer not understood"),
)
