"""TLS by the standard library over simulated transports.

The handshake and the records are OpenSSL's own; what goes into the trace is the plaintext, because ciphertext differs
from run to run. Certificates are judged by the machine's clock, not by virtual time: OpenSSL reads its own.
"""

import ssl
from asyncio import sslproto
from collections.abc import Callable
from typing import Any

from pulse_sim.kernel.endpoint import Endpoint, Watch

_NOT_YET = (ssl.SSLWantReadError, ssl.SSLSyscallError)


class TracedSSLProtocol(sslproto.SSLProtocol):
    """SSLProtocol that tells the trace what it decrypted."""

    max_size = 65_536  # the default of 256 KiB is allocated, and zeroed, for every connection

    _watch: Watch
    subject: str
    opaque: bool
    _sslobj: Any
    _call_eof_received: Callable[[], None]
    _get_app_transport: Callable[[], Any]

    def trace_over(self, transport: Any, watch: Watch) -> None:
        """Report plaintext under the transport's subject; what the transport itself carries counts by length only.

        ``transport`` is a stream transport, or the application's transport of another TLS layer.
        """
        below: Endpoint | TracedSSLProtocol = getattr(transport, "_ssl_protocol", transport)
        below.opaque = True
        if isinstance(below, Endpoint) and not below._seen_data:
            # The other end may be plain, or not accepted yet, and must not take for plaintext what is sent from here.
            # After a start_tls it takes care of itself, and what it was sent before is plaintext indeed.
            below.peer.opaque = True
        self.subject = below.subject
        self._watch = watch
        self.opaque = False

    def _tell(self, data: bytes) -> None:
        if self.opaque:
            self._watch("tls", self.subject, b"%d" % len(data))
        else:
            self._watch("data", self.subject, data)

    def _set_app_protocol(self, app_protocol: Any) -> None:
        super()._set_app_protocol(app_protocol)
        if not self._app_protocol_is_buffer:
            return
        views: list[memoryview] = []

        def get_buffer(size: int) -> memoryview:
            views[:] = [memoryview(app_protocol.get_buffer(size))]
            return views[0]

        def buffer_updated(size: int) -> None:
            self._tell(bytes(views[0][:size]))
            app_protocol.buffer_updated(size)

        self._app_protocol_get_buffer = get_buffer
        self._app_protocol_buffer_updated = buffer_updated

    def _do_read__copied(self) -> None:
        chunks: list[bytes] = []
        closed = False
        try:
            while True:
                chunk: bytes = self._sslobj.read(self.max_size)
                if not chunk:
                    closed = True
                    break
                chunks.append(chunk)
        except _NOT_YET:
            pass
        if chunks:
            data = chunks[0] if len(chunks) == 1 else b"".join(chunks)
            self._tell(data)
            protocol: Any = self._app_protocol
            protocol.data_received(data)
        if closed:  # close_notify
            self._call_eof_received()
            self._start_shutdown()
