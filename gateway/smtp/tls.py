"""One side of a TLS connection over octets (RFC 8446). Pure: no socket.

The gateway runs TLS itself instead of letting the event loop swap transports: so what came in the clear before a
handshake can be told from what came after it (RFC 3207 §5), and PROXY headers may stand in front of TLS.
"""

from __future__ import annotations

import ssl

_MOST = 256 * 1024


class TlsLayer:
    """The server's side. `receive` takes octets from the network, `outgoing` gives those for it."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._in = ssl.MemoryBIO()
        self._out = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_side=True)
        self.established = False
        self.closed = False  # the peer said that it sends no more

    def receive(self, data: bytes) -> bytes:
        """Octets from the network in, plain octets out (none before the handshake is done). Raises ssl.SSLError."""
        self._in.write(data)
        if not self.established:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                return b""
            self.established = True
        pieces: list[bytes] = []
        try:
            while piece := self._tls.read(_MOST):
                pieces.append(piece)
            self.closed = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.closed = True
        return b"".join(pieces) if len(pieces) != 1 else pieces[0]

    def send(self, data: bytes) -> None:
        """Encrypt `data`; then ask `outgoing`. Nothing is sent after a close or before the handshake is done."""
        if self.established:
            try:
                self._tls.write(data)
            except ssl.SSLError:
                self.closed = True

    def outgoing(self) -> bytes:
        return self._out.read()

    def close(self) -> None:
        """Say that no more comes (close_notify); then ask `outgoing`."""
        try:
            self._tls.unwrap()
        except (ssl.SSLError, ValueError):
            pass

    @property
    def version(self) -> str:
        return self._tls.version() or ""
