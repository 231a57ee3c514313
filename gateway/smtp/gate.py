"""The gate: what the SMTP doors ask the pipeline, and what they give it to work with.

The doors know SMTP and nothing of policies; the pipeline knows mail and nothing of sockets. These types are all that
both sides share.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from gateway.mail.envelope import Envelope, Path
from gateway.mail.splice import Splice
from gateway.smtp.replies import Reply

Listener = Literal["smtp", "proxy-filter", "tap"]


class UpstreamLost(Exception):
    """The upstream connection broke or timed out.

    `in_doubt` is True when the final dot had been sent and its reply never came: the upstream may have taken the mail
    (RFC 1047), so nobody may send it again silently.
    """

    def __init__(self, why: str, *, in_doubt: bool) -> None:
        super().__init__(why)
        self.in_doubt = in_doubt


class Content(Protocol):
    """The octets of one message, in memory or in an encrypted spool file."""

    @property
    def size(self) -> int:
        """Octets after dot-unstuffing, with CRLF line ends."""

    @property
    def sha256(self) -> str:
        """Hex digest over `raw()`."""

    def raw(self) -> bytes:
        """The message with dots unstuffed (RFC 5321 §4.5.2)."""

    def stuffed_chunks(self) -> Iterator[bytes]:
        """The octets as received, still dot-stuffed, without the final dot line."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """One mail at its end of data, before anybody has answered for it.

    `envelope` holds the recipients that the upstream accepted, `taken` those that the gateway took for itself
    (notices, journal feed). `auth_identity` is the identity of a successful AUTH, never its secret.
    """

    id: str
    listener: Listener
    peer: tuple[str, int]
    peer_listed: bool
    helo: str
    tls: bool
    esmtp: bool
    smtputf8: bool
    auth_identity: str | None
    envelope: Envelope
    taken: tuple[Path, ...]
    content: Content
    received_at: datetime


class Relay(Protocol):
    """The upstream transaction that stands open for one mail: MAIL and RCPT are done, DATA is not."""

    @property
    def offers(self) -> frozenset[str]:
        """EHLO keywords of the upstream, upper-case, as this connection got them."""

    async def add_recipient(self, path: Path) -> Reply:
        """Send one more RCPT with `path.argument`. Raises UpstreamLost(in_doubt=False)."""

    async def deliver(self, prefix: bytes, content: Content, splices: tuple[Splice, ...] = ()) -> Reply:
        """Send DATA, `prefix` (our Received), the content with `splices` applied, and the final dot.

        Returns the upstream's reply to the dot, or its refusal of DATA. Raises UpstreamLost.
        """

    async def abandon(self) -> None:
        """Give the transaction up, so that the upstream never sees a message. Never raises."""


class Gate(Protocol):
    """What the pipeline offers to the doors."""

    def takes_recipient(self, address: str) -> bool:
        """True for the gateway's own addresses (notices, journal feed), which are not forwarded at RCPT."""

    async def mail(self, mail: Incoming, relay: Relay | None) -> Reply:
        """Judge and act. `relay` is None when every recipient was taken by the gateway.

        The door awaits this shielded from the client's disconnect. It never raises: faults are answered 451.
        """
