"""Limits: how much one client may ask of the gateway, and how long it may take (RFC 5321 §4.5.3)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True)
class Limits:
    """Counts and sizes (octets). Reaching one is answered 421, 452, 500 or 552 as its comment says."""

    message_size: int = 50 * MIB  # 552, also announced as SIZE
    rewrite_margin: int = 4 * KIB  # taken off the upstream's SIZE: room for a Received line and a recipient
    memory: int = 3 * MIB // 2  # of one message; what is longer goes to the spool
    recipients: int = 1000  # of one mail: 452; RFC 5321 §4.5.3.1.8 asks for 100 at least
    connections: int = 2000  # at a time: 421
    connections_per_address: int = 200  # at a time, listed peers excepted: 421
    idle_upstreams: int = 20  # connections to the upstream kept for the next client
    errors: int = 20  # negative replies of our own for wrong commands: 421
    idle_commands: int = 100  # NOOP, RSET, VRFY, HELP, EHLO between two mails: 421
    auth_attempts: int = 10  # AUTH commands that failed: 421
    command_line: int = 4 * KIB  # RFC 5321 §4.5.3.1.4 asks for 512, extensions add to it: 500
    auth_line: int = 64 * KIB  # RFC 4954 §4 asks for 12288: 500


@dataclass(frozen=True, slots=True)
class Timers:
    """Seconds that a client may take (RFC 5321 §4.5.3.2). Each expiry is answered 421 and the connection closed."""

    command: float = 300.0  # §4.5.3.2.7: the whole next command
    data_block: float = 180.0  # §4.5.3.2.5: until the next octets
    data_total: float = 3600.0  # the whole upload, however it trickles
    handshake: float = 30.0  # PROXY header and TLS handshake, each
    write: float = 180.0  # until the client takes our replies
    answer: float = 590.0  # from the final dot to our reply; §4.5.3.2.6 lets the client wait 600


class Connections:
    """How many connections stand open, in all and from each address. May be shared by several listeners."""

    def __init__(self) -> None:
        self.total = 0
        self._by_address: Counter[str] = Counter()

    def enter(self, address: str) -> None:
        self.total += 1
        self._by_address[address] += 1

    def leave(self, address: str) -> None:
        self.total -= 1
        self._by_address[address] -= 1
        if self._by_address[address] <= 0:
            del self._by_address[address]

    def from_address(self, address: str) -> int:
        return self._by_address[address]
