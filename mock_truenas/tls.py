"""The TLS a NAS serves with: which certificate a handshake shows, which version it speaks, whether it is answered, and
what is said to a client that speaks plain HTTP.

It is decided as a handshake begins; one that has begun, and a connection made by it, is never touched. Knows fields of
effects, never a kind.
"""

import ssl
import warnings
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from mock_truenas.api.answer import HTML_TYPE, Answer
from mock_truenas.faults.effect import CertificateOrder, Handshake

Issue: TypeAlias = Callable[[CertificateOrder, str], ssl.SSLContext]
"""Makes a serving context with the certificate that was ordered; the text names what it is for, once for each order."""

# At the level distributions build with, OpenSSL 3 signs nothing with what TLS 1.1 has (SHA-1) and cannot speak it.
_CIPHERS_OF_OLD: Final = "DEFAULT:@SECLEVEL=0"
_SENT_TO_HTTPS: Final = "The plain HTTP request was sent to HTTPS port"
PLAIN_HTTP_PAGE: Final = Answer(
    400,
    (
        f"<html>\r\n<head><title>400 {_SENT_TO_HTTPS}</title></head>\r\n<body>\r\n"
        f"<center><h1>400 Bad Request</h1></center>\r\n<center>{_SENT_TO_HTTPS}</center>\r\n"
        "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    ).encode(),
    HTML_TYPE,
)
"""What nginx answers to HTTP where it expects a ClientHello (truenas-api 1)."""


class _LastWord(ssl.SSLObject):
    """A handshake whose last word reaches the peer: asyncio drops what is still to be sent when one fails.

    It asks for more first, so that the alert is sent, or the page to one who speaks plain HTTP, and the peer ends the
    connection.
    """

    def do_handshake(self) -> None:
        """One step of the handshake. Raises ssl.SSLError, the first time only once the last word is on its way."""
        try:
            super().do_handshake()
        except ssl.SSLWantReadError:
            raise
        except ssl.SSLError as error:
            if self._failed:
                raise
            self._failed = True
            if error.reason == "HTTP_REQUEST":
                self._outgoing.write(self._to_plain_http())
            raise ssl.SSLWantReadError from None

    def told(self, outgoing: ssl.MemoryBIO, to_plain_http: Callable[[], bytes]) -> None:
        """Where its bytes go, and which are said to one who speaks plain HTTP."""
        self._outgoing, self._to_plain_http = outgoing, to_plain_http

    _failed = False


class ChangingContext(ssl.SSLContext):
    """Stands in for ``usual`` wherever a serving context is asked for; asyncio wraps each connection with it anew."""

    def __new__(cls, *_: Any) -> "ChangingContext":
        return super().__new__(cls, ssl.PROTOCOL_TLS_SERVER)

    def __init__(self, usual: ssl.SSLContext, issue: Issue, to_plain_http: Callable[[], bytes] = bytes) -> None:
        usual.sslobject_class = _LastWord
        self._usual = usual
        self._issue = issue
        self._to_plain_http = to_plain_http
        self._in_force: dict[str, tuple[Handshake, ssl.SSLContext | None]] = {}

    def begin(self, fault_id: str, handshake: Handshake) -> None:
        """Have handshakes that begin from now on meet this; the later one wins over an earlier one."""
        context = None
        if handshake.newest or handshake.certificate:
            context = self._issue(handshake.certificate or CertificateOrder(), fault_id)
            context.sslobject_class = _LastWord
        if handshake.newest:
            _limit(context, ssl.TLSVersion[handshake.newest])
        self._in_force[fault_id] = (handshake, context)

    def end(self, fault_id: str) -> None:
        """Take it back; nothing happens for an unknown id."""
        self._in_force.pop(fault_id, None)

    def wrap_bio(self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, *args: Any, **options: Any) -> ssl.SSLObject:
        """A handshake as the faults in force want it: silence first, then the version, then the certificate."""
        if any(handshake.silent for handshake, _ in self._in_force.values()):
            # It waits for a ClientHello that goes elsewhere; asyncio gives up on it after a minute.
            incoming = ssl.MemoryBIO()
        made = _chosen(self._in_force, self._usual).wrap_bio(incoming, outgoing, *args, **options)
        if isinstance(made, _LastWord):
            made.told(outgoing, self._to_plain_http)
        return made


def _chosen(in_force: Mapping[str, tuple[Handshake, ssl.SSLContext | None]], usual: ssl.SSLContext) -> ssl.SSLContext:
    changed = [(handshake, context) for handshake, context in in_force.values() if context is not None]
    for limited in (True, False):
        for handshake, context in reversed(changed):
            if (handshake.newest is not None) is limited:
                return context
    return usual


def _limit(context: ssl.SSLContext | None, newest: ssl.TLSVersion) -> None:
    assert context is not None
    with warnings.catch_warnings():
        # Python warns of old versions, and that they are old is the point.
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = newest
    context.set_ciphers(_CIPHERS_OF_OLD)
