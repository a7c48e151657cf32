"""Contract A3: what happened, which type it is, and whether another try can help."""

import ssl
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
from aiohttp.http_exceptions import BadStatusLine

from pulse_sim.stack.deadlines import Deadlines
from pulse_sim.stack.errors import OUTGOING_STATUS, AnswerUnusable, Classifier, ErrorType, MonitorError, StatusRefused
from pulse_sim.stack.fetcher import Retries

KEY: Any = SimpleNamespace(host="h", port=1, ssl=True, is_ssl=True)


@pytest.mark.parametrize(
    ("status", "body", "error_type", "retryable"),
    [
        (401, b"Invalid API key", "auth", False),
        (403, b"", "auth", False),
        (422, b'{"message":"no","errno":13}', "auth", False),
        (422, b'{"message":"no","errno":1}', "auth", False),
        (422, b'{"message":"no","errno":207}', "auth", False),
        (422, b'{"message":"no","errno":22}', "api", False),
        (422, b"[" * 5000, "api", False),
        (408, b"", "timeout", True),
        (504, b"<html>", "timeout", True),
        (400, b"", "api", False),
        (404, b"404: Not Found", "api", False),
        (405, b"", "api", False),
        (413, b"", "api", False),
        (429, b"", "api", True),
        (500, b"", "api", True),
        (502, b"", "api", True),
        (503, b"", "api", True),
        (302, b"", "api", False),
        (204, b"", "api", False),
    ],
)
def test_statuses(status: int, body: bytes, error_type: str, retryable: bool) -> None:
    found = Classifier().find(StatusRefused(status, body))
    assert (found.type, found.retryable, found.status_code) == (error_type, retryable, status)


@pytest.mark.parametrize(
    ("failure", "error_type", "retryable"),
    [
        (ConnectionRefusedError(), "connection", True),
        (aiohttp.ClientConnectorError(KEY, ConnectionRefusedError(111, "x")), "connection", True),
        (aiohttp.ClientConnectorError(KEY, OSError(113, "no route")), "connection", True),
        (aiohttp.ClientConnectorDNSError(KEY, OSError(-2, "x")), "connection", True),
        (aiohttp.ClientOSError(104, "reset"), "connection", True),
        (aiohttp.ServerDisconnectedError(), "connection", True),
        (aiohttp.ClientConnectorSSLError(KEY, ssl.SSLError(1, "alert")), "connection", True),
        (aiohttp.ClientPayloadError("not completed: X. ConnectionResetError(104, 'x')"), "connection", True),
        (TimeoutError(), "timeout", True),
        (aiohttp.ConnectionTimeoutError(), "timeout", True),
        (aiohttp.SocketTimeoutError(), "timeout", True),
        (aiohttp.ClientConnectorError(KEY, TimeoutError(110, "x")), "timeout", True),
        (aiohttp.ClientConnectorCertificateError(KEY, ssl.SSLCertVerificationError(1, "x")), "validation", False),
        (ssl.SSLCertVerificationError(1, "x"), "validation", False),
        (aiohttp.ServerFingerprintMismatch(b"a", b"b", "h", 1), "validation", False),
        (aiohttp.InvalidURL("x"), "validation", False),
        (aiohttp.ClientPayloadError("not completed"), "api", True),
        (aiohttp.ClientResponseError(None, (), status=400), "api", True),  # type: ignore[arg-type]
        (BadStatusLine("x"), "api", True),
        (AnswerUnusable("not JSON"), "api", True),
        (AnswerUnusable("too long", final=True), "api", False),
        (KeyError("x"), "internal", True),
        (ZeroDivisionError(), "internal", True),
    ],
)
def test_failures(failure: Exception, error_type: str, retryable: bool) -> None:
    error = Classifier().error(failure, "GET /pool", "nas", 5)
    assert (error.type, error.retryable, error.op, error.instance, error.timestamp_ns) == (
        error_type, retryable, "GET /pool", "nas", 5,
    )  # fmt: skip


def test_a_monitor_error_passes_unchanged_and_no_address_or_text_of_others_enters_one() -> None:
    error = MonitorError(ErrorType.API, "op", "nas", "words")
    assert Classifier().error(error, "other", "x", 0) is error
    failure = aiohttp.ClientConnectorError(SimpleNamespace(host="PSIMhost", port=1, ssl=True), OSError("PSIM"))  # type: ignore[arg-type]
    assert "PSIM" not in str(Classifier().error(failure, "op", "nas", 0))


def test_outgoing_statuses_are_those_of_the_table() -> None:
    assert {kind.value: status for kind, status in OUTGOING_STATUS.items()} == {
        "auth": 401, "validation": 400, "not_found": 404, "timeout": 504, "connection": 502, "api": 502,
        "internal": 500,
    }  # fmt: skip


@pytest.mark.parametrize(("retryable", "tries", "delay"), [(True, 1, 1.0), (True, 2, None), (False, 1, None)])
def test_a_retryable_failure_is_tried_once_more_after_a_second(
    retryable: bool, tries: int, delay: float | None
) -> None:
    error = MonitorError(ErrorType.API, "op", "nas", "x", retryable=retryable)
    assert Retries(Deadlines()).delay(error, tries) == delay


@pytest.mark.parametrize(("interval_s", "limit_s"), [(60, 30), (3600, 30), (30, 15), (1, 0.5)])
def test_a_poll_has_thirty_seconds_and_never_more_than_half_its_interval(interval_s: float, limit_s: float) -> None:
    assert Deadlines().for_poll(interval_s) == limit_s
    assert Deadlines().for_attempt(interval_s) == limit_s
