"""The postbox: how the gateway's own mail and released holds go out.

Our own upstream client does this too, since a released hold must leave octet for octet as it was reviewed, with the
client's own MAIL and RCPT arguments; a mail library would write both anew.
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from gateway.smtp.replies import Reply, reply
from gateway.smtp.target import Target, Timeouts
from gateway.smtp.transaction import blocks, stuffed
from gateway.smtp.upstream import Upstream

Step = Literal["hello", "auth", "need", "mail", "rcpt", "data", "dot"]

_NO_AUTH = reply(454, "4.7.0 The upstream offers neither AUTH PLAIN nor AUTH LOGIN to the gateway")
_AUTH_IN_THE_CLEAR = reply(454, "4.7.0 The gateway's credential needs TLS to the upstream: set starttls or tls")
# Which extension a parameter belongs to (RFC 3461 §4, 1870 §6, 6152 §2, 6531 §3.4, 4954 §5, 8689 §3, 4865 §4, 6758)
_EXTENSION = {
    b"RET": "DSN",
    b"ENVID": "DSN",
    b"NOTIFY": "DSN",
    b"ORCPT": "DSN",
    b"SIZE": "SIZE",
    b"BODY": "8BITMIME",
    b"SMTPUTF8": "SMTPUTF8",
    b"AUTH": "AUTH",
    b"REQUIRETLS": "REQUIRETLS",
}


@dataclass(frozen=True, slots=True)
class Credential:
    """The gateway's own account at the upstream. The password is in no repr and no log."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of one mail: the upstream's reply for each recipient asked, and the one that settled it.

    `step` is where it was settled: `final` is the reply to the final dot only when that is "dot".
    """

    step: Step
    final: Reply
    recipients: tuple[tuple[bytes, Reply], ...] = ()

    @property
    def delivered(self) -> bool:
        """True when the upstream took the mail for every recipient."""
        return self.step == "dot" and self.final.positive

    @property
    def refused(self) -> tuple[tuple[bytes, Reply], ...]:
        """The recipients that the upstream refused, as their RCPT arguments, each with its reply."""
        return tuple((argument, said) for argument, said in self.recipients if not said.positive)


class Postbox:
    """Sends one mail at a time, each on a connection of its own.

    `credential` is used over TLS, or in the clear to a loopback address, and nowhere else.
    """

    def __init__(
        self,
        target: Target,
        credential: Credential | None = None,
        helo: bytes = b"localhost",
        timeouts: Timeouts | None = None,
    ) -> None:
        self.target = target
        self._credential = credential
        self._helo = helo
        self._timeouts = timeouts or Timeouts()

    async def send(
        self,
        mail_from: bytes,
        recipients: Sequence[bytes],
        raw: bytes,
        need: frozenset[str] = frozenset(),
        before_content: Callable[[], Awaitable[None]] | None = None,
        *,
        as_it_came: bool = False,
    ) -> Delivery:
        """Send `raw` (dots unstuffed, CR LF line ends) with the MAIL and RCPT arguments as they stand.

        All or nothing: when the upstream refuses one recipient, the transaction is given up before DATA and
        `Delivery.refused` says who; whoever sends again to the others then knows that nobody has the mail yet.
        Extensions named in `need`, or by a parameter or 8-bit octets, must be offered: nothing is ever left out or
        converted, the mail fails at step "need" instead. `before_content` is awaited after the 354: from then on the
        upstream may have the mail, and what it raises ends the transaction before that. `as_it_came`: 8-bit octets
        alone ask for nothing, as in mail that a client sent without BODY=8BITMIME and the upstream would have taken so.

        Raises UpstreamLost (UpstreamUnavailable when there was no connection), and ValueError for bare line ends in
        `raw` or an argument.
        """
        if not recipients:
            raise ValueError("a mail without recipients")
        if any(octet in argument for argument in (mail_from, *recipients) for octet in (b"\r", b"\n", b"\0")):
            raise ValueError("an argument with CR, LF or NUL in it")
        stuffed(raw)
        if not as_it_came and not raw.isascii():
            need |= {"8BITMIME"}
        upstream = await Upstream.connect(self.target, timeouts=self._timeouts, helo=self._helo)
        try:
            delivery = await self._session(upstream, mail_from, recipients, raw, need, before_content)
        except BaseException:
            upstream.abort()
            raise
        await upstream.quit()
        return delivery

    async def check(self) -> Delivery:
        """Greeting, EHLO, TLS and AUTH without a mail: what `doctor` asks. Raises UpstreamLost."""
        upstream = await Upstream.connect(self.target, timeouts=self._timeouts, helo=self._helo)
        try:
            failed = await self._enter(upstream)
        except BaseException:
            upstream.abort()
            raise
        await upstream.quit()
        return failed or Delivery("auth" if self._credential else "hello", reply(250, "2.0.0 OK"))

    async def _session(
        self,
        upstream: Upstream,
        mail_from: bytes,
        recipients: Sequence[bytes],
        raw: bytes,
        need: frozenset[str],
        before_content: Callable[[], Awaitable[None]] | None,
    ) -> Delivery:
        failed = await self._enter(upstream)
        if failed is not None:
            return failed
        need = need.union(*(_needed(argument) for argument in (mail_from, *recipients)))
        missing = sorted(need - upstream.offers.keys())
        if missing:
            return Delivery("need", reply(554, f"5.6.3 The upstream does not offer {', '.join(missing)}"))
        said = await upstream.command(b"MAIL FROM:" + mail_from)
        if not said.positive:
            return Delivery("mail", said)
        told = [(argument, await upstream.command(b"RCPT TO:" + argument)) for argument in recipients]
        refusals = [said for _, said in told if not said.positive]
        if refusals:
            # One that may be taken later makes the whole worth another try.
            worst = next((said for said in refusals if said.permanent), refusals[0])
            return Delivery("rcpt", worst, tuple(told))
        ready = await upstream.command(b"DATA")
        if ready.code != 354:
            return Delivery("data", ready, tuple(told))
        if before_content is not None:
            await before_content()
        return Delivery("dot", await upstream.content(b"", blocks(raw)), tuple(told))

    async def _enter(self, upstream: Upstream) -> Delivery | None:
        """EHLO and AUTH; what went wrong, or None."""
        said = await upstream.ehlo(self._helo)
        if said.permanent:
            said = await upstream.helo(self._helo)
        if not said.positive:
            return Delivery("hello", said)
        if self._credential is None:
            return None
        said = await self._authenticate(upstream, self._credential)
        return None if said.positive else Delivery("auth", said)

    async def _authenticate(self, upstream: Upstream, credential: Credential) -> Reply:
        if not (upstream.tls or self.target.is_loopback):
            return _AUTH_IN_THE_CLEAR
        offered = upstream.offers.get("AUTH", b"").upper().split()
        user, password = credential.user.encode(), credential.password.encode()
        if b"PLAIN" in offered:  # RFC 4616 §2
            return await upstream.command(b"AUTH PLAIN " + base64.b64encode(b"\0" + user + b"\0" + password))
        if b"LOGIN" not in offered:
            return _NO_AUTH
        said = await upstream.command(b"AUTH LOGIN")
        for answer in (user, password):
            if said.code != 334:
                break
            said = await upstream.command(base64.b64encode(answer))
        return said


def _needed(argument: bytes) -> set[str]:
    """The extensions that an argument's parameters belong to. An unknown parameter names its own keyword."""
    quoted = escaped = False
    for at, octet in enumerate(argument):
        if escaped:
            escaped = False
        elif quoted and octet == 0x5C:
            escaped = True
        elif octet == 0x22:
            quoted = not quoted
        elif octet == 0x3E and not quoted:
            words = [word.partition(b"=")[0].upper() for word in argument[at + 1 :].split()]
            return {_EXTENSION.get(word, word.decode("latin-1")) for word in words}
    return set()
