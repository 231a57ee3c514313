"""The dialogue: one client's SMTP session, verb by verb (RFC 5321 §4.1).

Each verb guards what must be true before it and returns a Reply. What the gateway need not decide itself goes to the
upstream as the client wrote it, and the upstream's reply comes back as it is.
"""

from __future__ import annotations

import asyncio
import logging
import re
import traceback
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime

from gateway.mail.envelope import Envelope, Path
from gateway.smtp import grammar, replies
from gateway.smtp.auth import exchange, is_mechanism
from gateway.smtp.content import StoredContent
from gateway.smtp.gate import Incoming, UpstreamLost
from gateway.smtp.grammar import BadArgument
from gateway.smtp.house import House
from gateway.smtp.ids import new_id
from gateway.smtp.intake import take_message
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
from gateway.smtp.wire import Expired, Gone, Interrupted, LineTooLong, Wire

log = logging.getLogger(__name__)

_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
# Verbs that must be the last of a pipelined group: their reply decides what may follow (RFC 2920 §3.1).
# DATA and STARTTLS look for themselves, at the right moment.
_SYNCHRONISING = frozenset({b"EHLO", b"HELO", b"AUTH", b"XCLIENT"})
_IDLE = frozenset({b"NOOP", b"RSET", b"VRFY", b"HELP", b"EHLO", b"HELO", b"XFORWARD"})
# BDAT, whose payload nobody can tell from commands, and a browser made to speak to us: no going on after these.
_HANG_UP = {b"BDAT": replies.NO_BDAT} | dict.fromkeys(
    (b"GET", b"POST", b"PUT", b"HEAD", b"OPTIONS", b"CONNECT"), replies.WRONG_PROTOCOL
)
# Everything there is to say has been said.
_SILENCE = Reply(220, raw=b"")


class Dialogue:
    """One session over one wire. `run` says everything there is to say; the caller closes the wire."""

    def __init__(self, house: House, wire: Wire, peer: tuple[str, int]) -> None:
        self.house = house
        self.wire = wire
        self.peer = peer  # the client, as far as listed peers have told
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
        self._refusal: Reply | None = None  # the upstream was lost in this mail: all that can come of it

    # -- the loop

    async def run(self) -> None:
        """From the banner to the goodbye."""
        try:
            banner = await self._banner()
            self.wire.write(banner.encode())
            if banner.positive:
                await self._converse()
        except Gone:
            pass
        except Expired:
            self.wire.write(replies.TIMED_OUT.encode())
        except (Interrupted, asyncio.CancelledError):
            # Cancelled only by the server's own shutdown, and never between a mail's end and its reply.
            self.wire.write(replies.SHUTTING_DOWN.encode())
        finally:
            if self._transaction is not None:
                self._link.keep(self._transaction)
            self._link.goodbye(in_order=self._transaction is None)

    async def _converse(self) -> None:
        wire, limits, timers = self.wire, self.house.limits, self.house.timers
        while not self._hanging_up:
            try:
                line = await wire.line(limits.auth_line, timers.command, interruptible=self._mail_from is None)
            except LineTooLong:
                answer = self._error(replies.LINE_TOO_LONG)
            else:
                answer = await self._obey(line)
            wire.write(answer.encode())
            if answer.code == 421:
                return
            if wire.is_stuffed:
                await wire.drained(timers.write)

    async def _obey(self, line: bytes) -> Reply:
        """The reply to one command line."""
        if not line.endswith(b"\r\n"):
            return self._error(replies.BAD_LINE_END)
        verb, _, argument = line[:-2].partition(b" ")
        verb = verb.upper()
        if verb != b"AUTH" and len(line) > self.house.limits.command_line:
            return self._error(replies.LINE_TOO_LONG)
        if _CONTROL.search(line, 0, len(line) - 2):
            return self._error(replies.SPOILT_COMMAND)
        act = _VERBS.get(verb)
        if act is None:
            if verb in _HANG_UP:
                self._hanging_up = True
                return _HANG_UP[verb]
            return self._error(replies.BAD_COMMAND)
        if verb in _IDLE:
            self._idle += 1
            if self._idle > self.house.limits.idle_commands:
                return replies.TOO_MANY_COMMANDS
        try:
            answer = await act(self, argument)
        except BadArgument as why:
            answer = self._error(why.reply)
        except UpstreamLost as why:
            answer = await self._upstream_lost(why)
        except (Gone, Expired, Interrupted):
            raise
        except Exception as why:
            answer = await self._fault(why)
        if verb in _SYNCHRONISING and self.wire.pending:
            self._hanging_up = True
            return replies.PIPELINING_REFUSED
        return answer

    def _error(self, answer: Reply) -> Reply:
        """A refusal for which the client is to blame: too many of them end the session."""
        self._errors += 1
        return answer if self._errors < self.house.limits.errors else replies.TOO_MANY_ERRORS

    async def _upstream_lost(self, why: UpstreamLost) -> Reply:
        log.warning("upstream lost: %s", why)
        if self._link.authenticated:
            # The client's rights went with the connection; only a new session can have them again.
            return replies.UPSTREAM_LOST_CLOSING
        answer = replies.UPSTREAM_LOST
        if isinstance(why, UpstreamUnavailable):
            answer = why.reply if why.reply is not None and why.reply.code in range(450, 500) else replies.UPSTREAM_AWAY
        if self._mail_from is not None:
            self._refusal = answer
        return answer

    async def _fault(self, why: Exception) -> Reply:
        """Our own fault: 451 with a fixed text. The exception's own words may quote mail, so they go nowhere."""
        fault = new_id()
        frames = traceback.extract_tb(why.__traceback__)
        place = f"{frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else "?"
        log.error("fault %s: %s at %s", fault, type(why).__name__, place)
        await self._abandon()
        return reply(451, replies.INTERNAL_FAULT.format(id=fault))

    async def _abandon(self) -> None:
        transaction = self._transaction
        self._reset()
        if transaction is not None:
            await transaction.abandon()
            self._link.keep(transaction)

    # -- the session

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
            xclient=listener.xclient and self._listed,
        )

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
        self.peer = client_address(attributes, self.peer)
        self._begin()
        self._link.forget()
        self._identity = attributes.get("LOGIN")
        return reply(220, f"{self.house.hostname} ESMTP")  # Postfix XCLIENT_README: back to the greeting

    # -- the mail

    async def _mail(self, argument: bytes) -> Reply:
        listener = self.house.listener
        if self._mail_from is not None:
            return self._error(replies.NESTED_MAIL)
        if listener.require_tls and not self.wire.tls:
            return self._error(replies.TLS_FIRST)
        if argument[:5].upper() != b"FROM:":
            return self._error(replies.MAIL_SYNTAX)
        path = grammar.read_mail(argument[5:], self._offers, lenient=listener.kind == "proxy-filter")
        declared = path.param("SIZE")
        if declared is not None and int(declared) > self._most:  # RFC 1870 §6.1
            return replies.TOO_BIG
        transaction = await self._link.transaction()
        answer = await transaction.mail(path)
        self._link.keep(transaction)
        if answer.positive:
            self._transaction, self._mail_from = transaction, path
        return answer

    @property
    def _most(self) -> int:
        return most_octets(self._upstream_offers, self._situation())

    async def _rcpt(self, argument: bytes) -> Reply:
        if self._mail_from is None or self._transaction is None:
            return self._error(replies.NEED_MAIL)
        if argument[:3].upper() != b"TO:":
            return self._error(replies.RCPT_SYNTAX)
        path = grammar.read_rcpt(
            argument[3:],
            self._offers,
            smtputf8=self._mail_from.param("SMTPUTF8") is not None,
            lenient=self.house.listener.kind == "proxy-filter",
        )
        if len(self._transaction.accepted) + len(self._taken) >= self.house.limits.recipients:
            return replies.TOO_MANY_RECIPIENTS
        if self._refusal is not None:
            return self._refusal
        if self.house.gate.takes_recipient(path.address):
            self._taken.append(path)
            return replies.TAKEN
        return await self._transaction.recipient(path)

    async def _data(self, argument: bytes) -> Reply:
        transaction, mail_from = self._transaction, self._mail_from
        if argument.strip():
            return self._error(replies.NO_ARGUMENT)
        if transaction is None or mail_from is None:
            return self._error(replies.NEED_MAIL)
        if not transaction.accepted and not self._taken:
            return self._error(replies.NO_VALID_RECIPIENTS)
        if self._refusal is not None:
            answer = self._refusal
            await self._abandon()
            return answer
        if self.wire.pending:
            self._hanging_up = True
            return replies.PIPELINING_REFUSED
        self.wire.write(replies.START_MAIL.encode())
        content = await take_message(self.wire, self.house, self._most)
        if isinstance(content, Reply):
            await self._give_up()
            return content
        mail = Incoming(
            id=new_id(),
            listener=self.house.listener.kind,
            peer=self.peer,
            peer_listed=self.house.is_listed(self.peer[0]),
            helo=self._helo.decode("ascii"),
            tls=self.wire.tls,
            esmtp=self._esmtp,
            smtputf8=mail_from.param("SMTPUTF8") is not None,
            auth_identity=self._identity,
            envelope=Envelope(mail_from, transaction.accepted),
            taken=tuple(self._taken),
            content=content,
            received_at=datetime.now(UTC),
        )
        self._idle = 0
        return await self._settle(mail, transaction)

    async def _settle(self, mail: Incoming, transaction: Transaction) -> Reply:
        """Ask the gate, whatever becomes of the client meanwhile (SMTP's final dot is a point of no return)."""
        relay = transaction if transaction.accepted else None
        if relay is None:
            await transaction.abandon()
        task = self.house.keep(self._commit(mail, relay))
        self.committing = True
        try:
            async with asyncio.timeout(self.house.timers.answer):
                answer = await asyncio.shield(task)
        except TimeoutError:
            # What comes of it will be in the record; the connection upstream is the commit's from now on.
            log.error("mail %s: no answer in time", mail.id)
            self._reset()
            self._link.let_go()
            self._hanging_up = True
            return reply(451, replies.NO_ANSWER_IN_TIME.format(id=mail.id))
        finally:
            self.committing = False
        self._reset()
        self._link.keep(transaction)
        # Postfix, SMTPD_PROXY_README: on reject the filter drops its connection to the server behind
        if self.house.listener.kind == "proxy-filter" and not answer.positive and answer.raw is None:
            self._link.drop()
        return answer

    async def _commit(self, mail: Incoming, relay: Transaction | None) -> Reply:
        try:
            answer = await self.house.gate.mail(mail, relay)
        except Exception as why:
            log.error("mail %s: %s out of the gate", mail.id, type(why).__name__)
            answer = reply(451, replies.INTERNAL_FAULT.format(id=mail.id))
        finally:
            if isinstance(mail.content, StoredContent):
                mail.content.close()
        if relay is not None and relay.is_open:
            await relay.abandon()
        return answer

    async def _give_up(self) -> None:
        """The mail was refused by us: the upstream forgets it, or is left (a proxy filter's way to say no)."""
        if self.house.listener.kind == "proxy-filter":
            if self._transaction is not None:
                self._link.keep(self._transaction)
            self._reset()
            self._link.drop()
        else:
            await self._abandon()

    # -- the rest

    async def _rset(self, argument: bytes) -> Reply:
        if argument.strip():
            return self._error(replies.NO_ARGUMENT)
        await self._abandon()
        return replies.OK

    async def _noop(self, _: bytes) -> Reply:
        return replies.NOOP_OK

    async def _quit(self, _: bytes) -> Reply:
        await self._abandon()
        self._hanging_up = True
        return replies.BYE

    async def _vrfy(self, argument: bytes) -> Reply:
        if not argument.strip():
            return self._error(replies.NEEDS_ARGUMENT)
        return await self._link.forward(b"VRFY " + argument)

    async def _expn(self, _: bytes) -> Reply:
        return self._error(replies.NOT_IMPLEMENTED)

    async def _help(self, _: bytes) -> Reply:
        return replies.HELP


_VERBS: dict[bytes, Callable[[Dialogue, bytes], Awaitable[Reply]]] = {
    b"EHLO": Dialogue._ehlo,
    b"HELO": Dialogue._helo_verb,
    b"STARTTLS": Dialogue._starttls,
    b"AUTH": Dialogue._auth,
    b"MAIL": Dialogue._mail,
    b"RCPT": Dialogue._rcpt,
    b"DATA": Dialogue._data,
    b"RSET": Dialogue._rset,
    b"NOOP": Dialogue._noop,
    b"QUIT": Dialogue._quit,
    b"VRFY": Dialogue._vrfy,
    b"EXPN": Dialogue._expn,
    b"HELP": Dialogue._help,
    b"XFORWARD": Dialogue._xforward_verb,
    b"XCLIENT": Dialogue._xclient,
}
