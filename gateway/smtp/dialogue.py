"""The dialogue: commands in, replies out, and the mail between them (RFC 5321 §3.3, §4.1).

Each verb guards what must be true before it and returns a Reply. What the gateway need not decide itself goes to the
upstream as the client wrote it, and the upstream's reply comes back as it is.
"""

from __future__ import annotations

import asyncio
import logging
import re
import traceback
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from gateway.mail.envelope import Envelope
from gateway.smtp import grammar, replies
from gateway.smtp.content import StoredContent
from gateway.smtp.gate import Incoming, UpstreamLost
from gateway.smtp.grammar import BadArgument
from gateway.smtp.ids import new_id
from gateway.smtp.intake import take_message
from gateway.smtp.replies import Reply, reply
from gateway.smtp.session import Session
from gateway.smtp.transaction import Transaction
from gateway.smtp.upstream import UpstreamUnavailable
from gateway.smtp.wire import Expired, Gone, Interrupted, LineTooLong

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


class Dialogue(Session):
    """One session over one wire. `run` says everything there is to say; the caller closes the wire."""

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
            # Where one side sees one line and the other two, whatever comes next may be smuggled: no going on.
            if answer.code == 421 or answer is replies.BAD_LINE_END:
                return
            if wire.is_stuffed:
                await wire.drained(timers.write)

    async def _obey(self, line: bytes) -> Reply:
        """The reply to one command line."""
        if not line.endswith(b"\r\n"):
            return replies.BAD_LINE_END
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
        if answer.raw is not None and answer.code >= 400:
            self._link.refused = True
        if verb in _SYNCHRONISING and self.wire.pending:
            self._hanging_up = True
            return replies.PIPELINING_REFUSED
        return answer

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
