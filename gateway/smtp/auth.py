"""AUTH, passed through line by line (RFC 4954): the upstream decides, and no secret is kept or logged here.

Only after the upstream's 235 does anybody ask for the identity, and only mechanisms that carry it in plain sight give
one; the others leave it unknown.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Awaitable, Callable

from gateway.smtp.gate import UpstreamLost
from gateway.smtp.replies import AUTH_LINE_TOO_LONG, AUTH_NOT_BASE64, BAD_LINE_END, PIPELINING_REFUSED, Reply
from gateway.smtp.wire import LineTooLong, Wire

_RESPONSE = re.compile(rb"(?:[A-Za-z0-9+/]*={0,2}|\*)\r\n\Z")
_MOST_LINES = 64
_SASL_NAME = re.compile(rb"[A-Za-z0-9_\-]{1,20}\Z")


def is_mechanism(name: bytes) -> bool:
    """True for a SASL mechanism name (RFC 4422 §3.1; clients say it in lower case as well)."""
    return _SASL_NAME.match(name) is not None


class Identity:
    """Takes the identity out of the client's lines as they pass, and forgets the rest at once.

    Feed it the initial response (if any) and each answer, still in base64; then read `name`.
    """

    def __init__(self, mechanism: bytes) -> None:
        self._mechanism = mechanism.upper()
        self._lines = 0
        self.name: str | None = None

    def feed(self, line: bytes) -> None:
        self._lines += 1
        if self._lines != 1:
            return  # the first line holds it in all of them; LOGIN's second is the password
        octets = _decoded(line)
        if octets is None:
            return
        if self._mechanism == b"PLAIN":
            self.name = _plain(octets)
        elif self._mechanism == b"LOGIN":
            self.name = _text(octets)
        elif self._mechanism == b"XOAUTH2":
            self.name = _xoauth2(octets)
        elif self._mechanism in (b"OAUTHBEARER", b"OAUTH10A"):
            self.name = _gs2(octets)


def _decoded(line: bytes) -> bytes | None:
    if line == b"=":  # RFC 4954 §4: an empty initial response
        return b""
    try:
        return base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError):
        return None


def _text(octets: bytes) -> str | None:
    try:
        name = octets.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return name if name and name.isprintable() and len(name) <= 320 else None


def _plain(octets: bytes) -> str | None:
    """RFC 4616: authzid NUL authcid NUL password. Who acts is authzid where one is given."""
    parts = octets.split(b"\0")
    return _text(parts[0] or parts[1]) if len(parts) == 3 else None


def _xoauth2(octets: bytes) -> str | None:
    """Google's and Microsoft's XOAUTH2: user=… ^A auth=Bearer … ^A ^A."""
    for part in octets.split(b"\1"):
        if part.startswith(b"user="):
            return _text(part[5:])
    return None


def _gs2(octets: bytes) -> str | None:
    """RFC 7628 §3.1: a GS2 header n,a=user@example.com, and then the token. =2C and =3D stand for , and = there."""
    header = octets.split(b"\1", 1)[0].split(b",")
    for part in header[1:2]:
        if part.startswith(b"a="):
            return _text(part[2:].replace(b"=2C", b",").replace(b"=3D", b"="))
    return None


async def exchange(
    wire: Wire, say: Callable[[bytes], Awaitable[Reply]], argument: bytes, *, longest: int, seconds: float
) -> tuple[Reply, str | None]:
    """Carry out one AUTH: the upstream's last reply, and the identity where it is 235 and can be known.

    `say` sends one line upstream; `longest` is the limit of a client's line in octets, `seconds` the time for each.
    Raises Gone, Expired and what `say` raises.
    """
    mechanism, _, initial = argument.partition(b" ")
    identity = Identity(mechanism)
    if initial:
        identity.feed(initial)
    answer = await say(b"AUTH " + argument)
    for _ in range(_MOST_LINES):
        if answer.code != 334:
            return answer, identity.name if answer.code == 235 else None
        if wire.pending:
            await _cancel(say)
            return PIPELINING_REFUSED, None
        wire.write(answer.encode())
        try:
            line = await wire.line(longest, seconds)
        except LineTooLong:
            await _cancel(say)
            return AUTH_LINE_TOO_LONG, None
        if not _RESPONSE.match(line):
            await _cancel(say)
            return AUTH_NOT_BASE64 if line.endswith(b"\r\n") else BAD_LINE_END, None
        identity.feed(line[:-2])
        answer = await say(line[:-2])
    await _cancel(say)
    return AUTH_NOT_BASE64, None


async def _cancel(say: Callable[[bytes], Awaitable[Reply]]) -> None:
    """Bring the upstream back to commands (RFC 4954 §4). Raises UpstreamLost when it will not."""
    if (await say(b"*")).code == 334:
        raise UpstreamLost("the upstream does not let AUTH be cancelled", in_doubt=False)
