"""Who the peer is: listed networks, and what a listed peer says about the client behind it.

A PROXY header (v1, v2), XCLIENT and XFORWARD are believed only from addresses that the operator listed.
"""

from __future__ import annotations

import ipaddress
import re
import time
from collections.abc import Iterable

from aiosmtpd.proxy_protocol import AF, get_proxy

from gateway.smtp.grammar import BadArgument
from gateway.smtp.replies import BAD_ATTRIBUTE
from gateway.smtp.wire import Expired, Gone, LineTooLong, Wire

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

XCLIENT_NAMES = frozenset({"NAME", "ADDR", "PORT", "PROTO", "HELO", "LOGIN", "DESTADDR", "DESTPORT"})
XFORWARD_NAMES = frozenset({"NAME", "ADDR", "PORT", "PROTO", "HELO", "IDENT", "SOURCE"})

_WORD = re.compile(rb"([A-Za-z]+)=([!-~]{0,255})\Z")
_ESCAPE = re.compile(rb"\+([0-9A-F]{2})")


def is_listed(address: str, networks: Iterable[Network]) -> bool:
    """True when `address` (an IP address as a socket names it) lies in one of the networks."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(ip, "ipv4_mapped", None)
    return any((mapped or ip) in network for network in networks)


def read_attributes(argument: bytes, names: frozenset[str]) -> dict[str, str | None]:
    """The attributes of XFORWARD or XCLIENT (Postfix, XFORWARD_README): NAME=xtext, None for [UNAVAILABLE].

    Raises BadArgument.
    """
    attributes: dict[str, str | None] = {}
    for word in argument.split():
        match = _WORD.match(word)
        name = match[1].decode("ascii").upper() if match else ""
        if match is None or name not in names:
            raise BadArgument(BAD_ATTRIBUTE)
        value = _ESCAPE.sub(lambda m: bytes((int(m[1], 16),)), match[2]).decode("utf-8", "replace")
        if not value.isprintable():
            raise BadArgument(BAD_ATTRIBUTE)
        attributes[name] = None if value.upper() in ("", "[UNAVAILABLE]", "[TEMPUNAVAIL]") else value
    if not attributes:
        raise BadArgument(BAD_ATTRIBUTE)
    return attributes


def client_address(attributes: dict[str, str | None], known: tuple[str, int]) -> tuple[str, int]:
    """The client's address and port by XFORWARD or XCLIENT; what they leave open stays `known`.

    Raises BadArgument for an ADDR that is no address.
    """
    said = attributes.get("ADDR")
    if said is None:
        return known
    text = said[5:] if said.upper().startswith("IPV6:") else said
    try:
        address = str(ipaddress.ip_address(text))
    except ValueError:
        raise BadArgument(BAD_ATTRIBUTE) from None
    port = attributes.get("PORT") or ""
    return address, int(port) if port.isdigit() and len(port) < 6 else 0


async def read_proxy_header(wire: Wire, known: tuple[str, int], seconds: float) -> tuple[str, int]:
    """Read the PROXY header that must stand in front, and say who the client is.

    A LOCAL or UNKNOWN header (a balancer's own check) leaves the peer as `known`. Raises Gone for anything that is no
    header, and Expired.
    """
    try:
        header = await get_proxy(_Reader(wire, seconds))
    except (Gone, Expired):
        raise
    except Exception as why:  # the parser lets a truncated v1 header out as IndexError, and others as they come
        raise Gone("no PROXY header") from why
    if not header.valid:
        raise Gone("no PROXY header")
    if header.command == 0 or header.family not in (AF.INET, AF.INET6) or header.src_addr is None:
        return known
    return str(header.src_addr), int(header.src_port or 0)


class _Reader:
    """The three reading methods that aiosmtpd's parser asks for, over our wire."""

    def __init__(self, wire: Wire, seconds: float) -> None:
        self._wire = wire
        self._deadline = time.monotonic() + seconds

    @property
    def _left(self) -> float:
        return max(0.0, self._deadline - time.monotonic())

    async def read(self, n: int = -1) -> bytes:
        data = await self._wire.chunk(self._left)
        if n >= 0 and len(data) > n:
            self._wire.give_back(data[n:])
            data = data[:n]
        return data

    async def readexactly(self, n: int) -> bytes:
        return await self._wire.exactly(n, self._left)

    async def readuntil(self, separator: bytes = b"\n") -> bytes:
        try:
            return await self._wire.line(107, self._left)  # proxy-protocol.txt §2.1: the longest v1 header
        except LineTooLong:
            raise Gone("a PROXY header that is too long") from None
