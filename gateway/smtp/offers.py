"""Offers: what the gateway announces after EHLO, given what the upstream announced (RFC 5321 §4.1.1.1). Pure.

Only what both the upstream can do and the gateway can carry is ever offered. Left out on purpose: CHUNKING and
BINARYMIME (no BDAT here), XCLIENT and XFORWARD (only for listed peers, and said elsewhere), PIPECONNECT, PRDR, ETRN,
and everything unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# Keywords that are carried as they are; SIZE, AUTH, STARTTLS, REQUIRETLS and XFORWARD have their own rules.
_CARRIED = (
    "PIPELINING",  # RFC 2920: we read ahead, the upstream is spoken to in lock-step
    "8BITMIME",  # RFC 6152
    "SMTPUTF8",  # RFC 6531
    "DSN",  # RFC 3461
    "ENHANCEDSTATUSCODES",  # RFC 2034
    "VRFY",
    "HELP",
    "MT-PRIORITY",  # RFC 6710
    "DELIVERBY",  # RFC 2852
    "FUTURERELEASE",  # RFC 4865
    "RRVS",  # RFC 7293
    "NO-SOLICITING",  # RFC 3865
)

XFORWARD = "XFORWARD"
XCLIENT = "XCLIENT"
XCLIENT_ATTRIBUTES = b"NAME ADDR PORT PROTO HELO"

# What a proxy filter says while its upstream is away: a Postfix in front has told its clients much the same, and its
# MAIL is answered 451 anyway.
WITHOUT_UPSTREAM: Mapping[str, bytes] = {
    "PIPELINING": b"",
    "SIZE": b"",
    "8BITMIME": b"",
    "SMTPUTF8": b"",
    "DSN": b"",
    "ENHANCEDSTATUSCODES": b"",
    XFORWARD: b"NAME ADDR PORT PROTO HELO IDENT SOURCE",
}


@dataclass(frozen=True, slots=True)
class Situation:
    """What decides beside the upstream: `size` is our own limit and `margin` the room that a rewrite needs (octets)."""

    size: int
    margin: int
    tls: bool = False  # the client's side is encrypted
    upstream_tls: bool = False
    can_start_tls: bool = False  # the listener does STARTTLS and it is not on yet
    may_authenticate: bool = True
    listed: bool = False  # the peer may say XFORWARD
    is_filter: bool = False  # a Postfix in front tells us with XFORWARD whom it speaks for, wherever that ends
    xclient: bool = False  # the peer may say XCLIENT


def negotiate(upstream: Mapping[str, bytes], now: Situation) -> dict[str, bytes]:
    """The keywords for the client (upper-case, in the order they are announced) with their parameters."""
    offers: dict[str, bytes] = {}
    for keyword in upstream:
        if keyword in _CARRIED:
            offers[keyword] = upstream[keyword]
    if "SIZE" in upstream:
        offers["SIZE"] = b"%d" % most_octets(upstream, now)
    mechanisms = auth_mechanisms(upstream)
    if mechanisms and now.may_authenticate and not now.can_start_tls:
        offers["AUTH"] = b" ".join(mechanisms)
    # RFC 8689 §3: only where the whole way is encrypted
    if "REQUIRETLS" in upstream and now.tls and now.upstream_tls:
        offers["REQUIRETLS"] = b""
    if now.can_start_tls:
        offers["STARTTLS"] = b""
    if now.listed and (XFORWARD in upstream or now.is_filter):
        offers[XFORWARD] = upstream.get(XFORWARD) or WITHOUT_UPSTREAM[XFORWARD]
    if now.xclient:
        offers[XCLIENT] = XCLIENT_ATTRIBUTES
    return offers


def auth_mechanisms(upstream: Mapping[str, bytes]) -> tuple[bytes, ...]:
    """The upstream's AUTH mechanisms, without those bound to a TLS channel: the client's TLS ends here (RFC 5802)."""
    return tuple(name for name in upstream.get("AUTH", b"").upper().split() if not name.endswith(b"-PLUS"))


def most_octets(upstream: Mapping[str, bytes], now: Situation) -> int:
    """The largest message to take: the smaller limit; the upstream's less the margin. No number or 0 means none."""
    said = upstream.get("SIZE", b"").strip()
    theirs = int(said) if said.isdigit() and len(said) < 20 else 0
    return min(now.size, max(theirs - now.margin, 1)) if theirs else now.size


def hello_lines(hostname: str, offers: Mapping[str, bytes]) -> tuple[bytes, ...]:
    """The lines of our 250 to EHLO."""
    lines = (keyword.encode("ascii") + (b" " + params if params else b"") for keyword, params in offers.items())
    return (hostname.encode("ascii"), *lines)
