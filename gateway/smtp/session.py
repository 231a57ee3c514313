"""The session: who the client is and what it may do, before and between its mails.

EHLO (RFC 5321 §4.1.1.1), STARTTLS (RFC 3207), AUTH (RFC 4954), and what a listed peer says with XFORWARD and XCLIENT.
Each verb guards what must be true before it and returns a Reply.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from gateway.mail.envelope import Path
from gateway.smtp import grammar, replies
from gateway.smtp.auth import exchange, is_mechanism
from gateway.smtp.gate import UpstreamLost
from gateway.smtp.house import House
from gateway.smtp.link import Link
from gateway.smtp.offers import (
    WITHOUT_UPSTREAM,
    XFORWARD,
    Situation,
    auth_mechanisms,
    hello_lines,
    most_octets,
    negotiate,
)
from gateway.smtp.peers import XCLIENT_NAMES, XFORWARD_NAMES, client_address, read_attributes
from gateway.smtp.replies import Reply, reply
from gateway.smtp.transaction import Transaction
from gateway.smtp.upstream import UpstreamUnavailable
from gateway.smtp.wire import Wire

log = logging.getLogger(__name__)

# Everything there is to say has been said.
_SILENCE = Reply(220, raw=b"")


class Session:
    """The state of one client's session, and the verbs that change who it is."""

    def __init__(self, house: House, wire: Wire, peer: tuple[str, int]) -> None:
        self.house = house
        self.wire = wire
        self._own_peer = peer  # by the connection, its PROXY header or XCLIENT
        self.peer = peer  # the client of this mail, as far as XFORWARD has told
        self.committing = False  # a mail is between its end and its reply
        self._listed = house.is_listed(peer[0])
        self._link = Link(house)
        self._upstream_offers: Mapping[str, bytes] = {}
        self._errors = self._idle = self._failed_auths = 0
        self._hanging_up = False
        self._begin()

    def _begin(self) -> None:
        """The state of a session that has said nothing yet."""
        self._helo = b""
        self._esmtp = False
        self._offers: Mapping[str, bytes] = {}
        self._identity: str | None = None
        self._reset()

    def _reset(self) -> None:
        """No mail under way."""
        self._transaction: Transaction | None = None
        self._mail_from: Path | None = None
        self._taken: list[Path] = []
        self.peer = self._own_peer
        self._link.end_of_mail()
        self._refusal: Reply | None = None  # the upstream was lost in this mail: all that can come of it

    def _error(self, answer: Reply) -> Reply:
        """A refusal for which the client is to blame: too many of them end the session."""
        self._errors += 1
        return answer if self._errors < self.house.limits.errors else replies.TOO_MANY_ERRORS

    async def _abandon(self) -> None:
        transaction = self._transaction
        self._reset()
        if transaction is not None:
            await transaction.abandon()
            self._link.keep(transaction)

    async def _banner(self) -> Reply:
        try:
            if self.house.listener.kind == "proxy-filter":
                self._link.begin()
            else:
                await self._link.open()
        except UpstreamUnavailable as why:
            log.warning("upstream away: %s", why)
            if why.reply is not None and why.reply.code in (421, 554):  # the upstream's own greeting
                return why.reply
            return replies.UPSTREAM_AWAY_CLOSING
        return reply(220, f"{self.house.hostname} ESMTP")

    async def _ehlo(self, name: bytes) -> Reply:
        return await self._hello(name, esmtp=True)

    async def _helo_verb(self, name: bytes) -> Reply:
        return await self._hello(name, esmtp=False)

    async def _hello(self, name: bytes, *, esmtp: bool) -> Reply:
        name = name.strip(b" ")
        if not grammar.is_hello_name(name):
            return self._error(replies.BAD_HELLO)
        await self._abandon()  # RFC 5321 §4.1.4: EHLO in the middle is also a RSET
        try:
            answer = await self._link.hello(name, esmtp=esmtp)
            upstream = self._link.offers
        except UpstreamLost as why:
            if self.house.listener.kind != "proxy-filter":
                log.warning("upstream away: %s", why)
                return replies.UPSTREAM_AWAY_CLOSING
            answer, upstream = replies.OK, WITHOUT_UPSTREAM if esmtp else {}
        if not answer.positive:
            return answer
        self._helo, self._esmtp, self._upstream_offers = name, esmtp, upstream
        self._offers = negotiate(upstream, self._situation()) if esmtp else {}
        lines = hello_lines(self.house.hostname, self._offers) if esmtp else (self.house.hostname.encode("ascii"),)
        return Reply(250, lines)

    def _situation(self) -> Situation:
        listener, limits = self.house.listener, self.house.limits
        return Situation(
            size=limits.message_size,
            margin=limits.rewrite_margin,
            tls=self.wire.tls,
            upstream_tls=self._link.tls,
            can_start_tls=listener.tls == "starttls" and not self.wire.tls,
            listed=self._listed,
            is_filter=listener.kind == "proxy-filter",
            xclient=listener.xclient and self._listed,
        )

    @property
    def _most(self) -> int:
        """The largest message to take, in octets."""
        return most_octets(self._upstream_offers, self._situation())

    async def _starttls(self, argument: bytes) -> Reply:
        listener = self.house.listener
        if argument:
            return self._error(replies.NO_ARGUMENT)
        if self.wire.tls:
            return self._error(replies.TLS_ALREADY)
        if listener.tls != "starttls" or listener.tls_context is None:
            return self._error(replies.STARTTLS_NOT_OFFERED)
        if self._mail_from is not None or self._link.authenticated:
            return self._error(replies.BAD_SEQUENCE)
        if self.wire.pending:  # somebody put commands behind it, to be run inside TLS
            self._hanging_up = True
            return replies.PIPELINING_REFUSED
        self.wire.write(replies.READY_FOR_TLS.encode())
        await self.wire.start_tls(listener.tls_context, self.house.timers.handshake)
        # RFC 3207 §4.2: nothing learnt in the clear counts any more (the PROXY header stands: it was not the client's)
        self._begin()
        self._link.forget()
        return _SILENCE

    async def _auth(self, argument: bytes) -> Reply:
        limits = self.house.limits
        mechanism, _, initial = argument.partition(b" ")
        if not self._esmtp:
            return self._error(replies.HELLO_FIRST)
        if self._link.authenticated:
            return self._error(replies.AUTH_ALREADY)
        if self._mail_from is not None:
            return self._error(replies.AUTH_IN_MAIL)
        if "AUTH" not in self._offers:
            hidden = "AUTH" in self._upstream_offers and self._situation().can_start_tls
            return self._error(replies.AUTH_NEEDS_TLS if hidden else replies.AUTH_NOT_OFFERED)
        if not is_mechanism(mechanism) or b" " in initial:
            return self._error(replies.AUTH_SYNTAX)
        if mechanism.upper() not in auth_mechanisms(self._offers):
            return self._error(replies.AUTH_UNKNOWN)
        if self.wire.pending:
            self._hanging_up = True
            return replies.PIPELINING_REFUSED
        try:
            answer, identity = await exchange(
                self.wire, self._link.forward, argument, longest=limits.auth_line, seconds=self.house.timers.command
            )
        except BaseException:
            self._link.drop()  # somewhere in the middle of AUTH: of no use to anybody
            raise
        if answer is replies.PIPELINING_REFUSED:
            self._hanging_up = True
        elif answer.code == 235:
            self._link.authenticated, self._identity = True, identity
        else:
            self._failed_auths += 1
            if self._failed_auths >= limits.auth_attempts:
                return replies.TOO_MANY_ERRORS
        return answer

    async def _xforward_verb(self, argument: bytes) -> Reply:
        if not self._listed or XFORWARD not in self._offers:
            return self._error(replies.NOT_FOR_YOU)
        if self._mail_from is not None:
            return self._error(replies.BAD_SEQUENCE)
        # Postfix, XFORWARD_README: several commands add up, and all of it is for the next mail only
        peer = client_address(read_attributes(argument, XFORWARD_NAMES), self.peer)
        answer = await self._link.xforward(b"XFORWARD " + argument) or replies.OK
        if answer.positive:
            self.peer = peer
        return answer

    async def _xclient(self, argument: bytes) -> Reply:
        if not self._listed or not self.house.listener.xclient:
            return self._error(replies.NOT_FOR_YOU)
        if self._mail_from is not None:
            return self._error(replies.BAD_SEQUENCE)
        attributes = read_attributes(argument, XCLIENT_NAMES)
        self._own_peer = client_address(attributes, self._own_peer)
        self._begin()
        self._link.forget()
        self._identity = attributes.get("LOGIN")
        return reply(220, f"{self.house.hostname} ESMTP")  # Postfix XCLIENT_README: back to the greeting
