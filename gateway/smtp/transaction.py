"""One mail transaction at the upstream: MAIL, RCPT, and in the end one DATA or none (RFC 5321 §3.3)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator

from gateway.mail.envelope import Path
from gateway.mail.splice import Splice, apply
from gateway.smtp.gate import Content, UpstreamLost
from gateway.smtp.replies import Reply
from gateway.smtp.upstream import Upstream

Reconnect = Callable[[], Awaitable[Upstream]]

_ABANDON_SECONDS = 5.0


class Transaction:
    """The relay side of one mail (`gate.Relay`).

    An upstream that hung up while the client was busy (idled out, restarted) is connected to again and told the same
    envelope, as long as DATA has not been answered; the client notices nothing. `reconnect` gives a connection that
    has had its EHLO. That never happens on a connection that carried AUTH, XFORWARD or XCLIENT, whose rights were the
    client's, nor when the upstream answers any line of the envelope otherwise than before.

    `upstream` may be another connection than at the start: ask here for the one to go on with.
    """

    def __init__(self, upstream: Upstream, reconnect: Reconnect | None = None) -> None:
        self.upstream = upstream
        self._reconnect = reconnect
        self._offers = frozenset(upstream.offers)
        self._said: list[tuple[bytes, Reply]] = []
        self._accepted: list[Path] = []
        self.mail_from: Path | None = None

    @property
    def offers(self) -> frozenset[str]:
        """EHLO keywords of the upstream, upper-case."""
        return self._offers

    @property
    def is_open(self) -> bool:
        """True from an accepted MAIL until the reply to the final dot or `abandon`: somebody still has to end it."""
        return self.mail_from is not None

    @property
    def accepted(self) -> tuple[Path, ...]:
        """The recipients that the upstream accepted, added ones included, in their order."""
        return tuple(self._accepted)

    async def mail(self, path: Path) -> Reply:
        """MAIL with the argument as the client sent it. Raises UpstreamLost(in_doubt=False)."""
        reply = await self._step(b"MAIL FROM:" + path.argument)
        if reply.positive:
            self.mail_from = path
        return reply

    async def recipient(self, path: Path) -> Reply:
        """RCPT with the argument as the client sent it. Raises UpstreamLost(in_doubt=False)."""
        reply = await self._step(b"RCPT TO:" + path.argument)
        if reply.positive:
            self._accepted.append(path)
        return reply

    async def add_recipient(self, path: Path) -> Reply:
        """RCPT for a recipient of the gateway's own, before DATA. Raises UpstreamLost(in_doubt=False)."""
        return await self.recipient(path)

    async def deliver(self, prefix: bytes, content: Content, splices: tuple[Splice, ...] = ()) -> Reply:
        """DATA, `prefix`, the content with `splices` applied, the final dot; the reply to the dot or to DATA.

        Without splices the octets go on as they came, dots still stuffed. Raises UpstreamLost, and ValueError when a
        splice does not fit the message or would bring bare line ends into it (nothing is sent then).
        """
        chunks = iter((stuffed(apply(content.raw(), splices)),)) if splices else content.stuffed_chunks()
        _whole_lines(prefix)
        ready = await self._step(b"DATA", answered=354)
        if ready.code != 354:
            return ready
        self._said.clear()  # from here on nothing is ever said twice
        self._reconnect = None
        try:
            return await self.upstream.content(prefix, chunks)
        finally:
            self.mail_from = None

    async def abandon(self) -> None:
        """Give the transaction up with RSET, or by dropping the connection. Never raises."""
        self._said.clear()
        self._accepted.clear()
        self.mail_from = None
        try:
            if self.upstream.alive and (await self.upstream.command(b"RSET", seconds=_ABANDON_SECONDS)).code == 250:
                return
        except UpstreamLost:
            pass
        self.upstream.abort()

    async def _step(self, line: bytes, answered: int | None = None) -> Reply:
        """One command of the envelope; on a connection that hung up, the envelope so far and then the command."""
        try:
            reply = await self.upstream.command(line)
        except UpstreamLost as lost:
            if self._reconnect is None or self.upstream.bound or not self.upstream.hung_up:
                raise
            try:
                await self._replay(self._reconnect)
            except UpstreamLost as why:
                raise UpstreamLost(f"{lost}; {why}", in_doubt=False) from why
            reply = await self.upstream.command(line)
        if not (reply.code == answered or (reply.positive and answered is None) or reply.code >= 400):
            self.upstream.abort()
            raise UpstreamLost(f"the upstream answers {reply.code} out of turn", in_doubt=False)
        if reply.positive:
            self._said.append((line, reply))
        return reply

    async def _replay(self, reconnect: Reconnect) -> None:
        """Bring a fresh connection to where the lost one stood. Raises UpstreamLost(in_doubt=False)."""
        fresh = await reconnect()
        try:
            if not self._offers <= frozenset(fresh.offers):
                raise UpstreamLost("the upstream offers less than before", in_doubt=False)
            for line, before in self._said:
                now = await fresh.command(line)
                if now.code != before.code:
                    raise UpstreamLost(f"the upstream answers {now.code} where it said {before.code}", in_doubt=False)
        except BaseException:
            fresh.abort()
            raise
        self.upstream = fresh


def stuffed(raw: bytes) -> bytes:
    """`raw` with a dot more before each leading dot (RFC 5321 §4.5.2).

    Raises ValueError for a bare CR, bare LF or NUL, by which the next server could see an end that is none.
    """
    _whole_lines(raw, ended=False)
    out = raw.replace(b"\r\n.", b"\r\n..")
    return b"." + out if out.startswith(b".") else out


def _whole_lines(octets: bytes, *, ended: bool = True) -> None:
    pairs = octets.count(b"\r\n")
    if octets.count(b"\r") != pairs or octets.count(b"\n") != pairs or b"\0" in octets:
        raise ValueError("bare CR, bare LF or NUL in a message")
    if ended and octets and not octets.endswith(b"\r\n"):
        raise ValueError("a line without its CR LF")


def blocks(raw: bytes) -> Iterator[bytes]:
    """`stuffed(raw)` as `Upstream.data` takes it."""
    yield stuffed(raw)
