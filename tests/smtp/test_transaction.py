"""One transaction at the upstream: what is added, spliced, replayed and given up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mail.envelope import Path
from gateway.mail.splice import Splice
from gateway.smtp.gate import UpstreamLost
from gateway.smtp.sink import Fault, Sink
from gateway.smtp.target import Target, Timeouts
from gateway.smtp.transaction import Transaction, stuffed
from gateway.smtp.upstream import Upstream

QUICK = Timeouts(connect=2, greeting=1, command=1, data_init=1, data_block=1, data_done=1, data_total=3, quit=1)
A, B, C = Path(b"".decode() + "a@x.example", b"<a@x.example> RET=FULL"), Path.of("b@y.example"), Path.of("c@y.example")


@dataclass
class Held:
    """A message in memory as the door gives it."""

    stuffed: bytes

    size = 0
    sha256 = ""

    def raw(self) -> bytes:
        plain = self.stuffed.replace(b"\r\n.", b"\r\n")
        return plain[1:] if plain.startswith(b".") else plain

    def stuffed_chunks(self) -> Iterator[bytes]:
        yield from (self.stuffed[at : at + 7] for at in range(0, len(self.stuffed), 7))


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    async with Sink() as server:
        yield server


def dial(sink: Sink) -> Callable[[], Awaitable[Upstream]]:
    async def connect() -> Upstream:
        upstream = await Upstream.connect(Target(sink.host, sink.port), timeouts=QUICK)
        await upstream.ehlo(b"client.example")
        return upstream

    return connect


async def opened(sink: Sink, *recipients: Path) -> Transaction:
    transaction = Transaction(await dial(sink)(), dial(sink))
    assert (await transaction.mail(A)).code == 250
    for path in recipients:
        await transaction.recipient(path)
    return transaction


async def test_a_mail_passes_untouched(sink: Sink) -> None:
    transaction = await opened(sink, B)
    assert "DSN" in transaction.offers
    body = b"..\r\nSubject: x\r\n\r\n...dots\r\n..\r\n"
    assert (await transaction.deliver(b"Received: r\r\n", Held(body))).code == 250
    assert sink.messages[0].raw == b"Received: r\r\n.\r\nSubject: x\r\n\r\n..dots\r\n.\r\n"
    assert sink.messages[0].mail_from_arg == A.argument and sink.messages[0].rcpt_args == (B.argument,)


async def test_a_splice_counts_octets_of_the_unstuffed_message(sink: Sink) -> None:
    transaction = await opened(sink, B)
    assert (await transaction.add_recipient(C)).code == 250
    assert transaction.accepted == (B, C)
    raw = b".a: 1\r\nTo: b\r\n\r\n.\r\n..\r\n"
    at = raw.index(b"\r\n\r\n") + 2
    splice = Splice(at, b"Cc: c@y.example\r\n")
    assert (await transaction.deliver(b"", Held(stuffed(raw)), (splice,))).code == 250
    assert sink.messages[0].raw == raw[:at] + b"Cc: c@y.example\r\n" + raw[at:]
    assert sink.messages[0].rcpt_args == (B.argument, C.argument)


async def test_a_refused_addition_is_reported_and_the_mail_can_still_go(sink: Sink) -> None:
    transaction = await opened(sink, B)
    sink.faults.append(Fault("RCPT", reply=b"550 5.1.1 No such user\r\n"))
    assert (await transaction.add_recipient(C)).code == 550
    assert transaction.accepted == (B,)
    assert (await transaction.deliver(b"", Held(b"x\r\n"))).code == 250


@pytest.mark.parametrize(
    "splice", [Splice(0, b"Cc: a\n"), Splice(0, b"Cc: a\r\nb: \0\r\n"), Splice(1, b"", b"not there"), Splice(0, b"\r")]
)
async def test_a_bad_splice_sends_nothing(sink: Sink, splice: Splice) -> None:
    transaction = await opened(sink, B)
    with pytest.raises(ValueError):
        await transaction.deliver(b"", Held(b"x: y\r\n\r\nz\r\n"), (splice,))
    assert b"DATA" not in sink.commands


async def test_abandon_resets(sink: Sink) -> None:
    transaction = await opened(sink, B)
    await transaction.abandon()
    assert sink.commands[-1] == b"RSET" and transaction.upstream.alive and transaction.accepted == ()


@pytest.mark.parametrize(
    "fault", [Fault("RSET", reply=b"500 What\r\n"), Fault("RSET", drop="before"), Fault("RSET", half=True)]
)
async def test_abandon_never_raises(sink: Sink, fault: Fault) -> None:
    transaction = await opened(sink, B)
    sink.faults.append(fault)
    await transaction.abandon()
    assert not transaction.upstream.alive
    await transaction.abandon()


async def test_a_transaction_is_open_until_its_dot_or_its_end(sink: Sink) -> None:
    transaction = Transaction(await dial(sink)(), dial(sink))
    assert not transaction.is_open
    await transaction.mail(A)
    await transaction.recipient(B)
    sink.faults.append(Fault("DATA", reply=b"451 4.3.0 Not now\r\n"))
    await transaction.deliver(b"", Held(b"x\r\n"))
    assert transaction.is_open  # a refused DATA leaves the envelope standing
    await transaction.deliver(b"", Held(b"x\r\n"))
    assert not transaction.is_open
    again = Transaction(transaction.upstream)
    await again.mail(A)
    await again.abandon()
    assert not again.is_open


async def test_a_3xx_in_the_envelope_is_out_of_turn(sink: Sink) -> None:
    sink.faults.append(Fault("RCPT", reply=b"354 Go on\r\n"))
    transaction = await opened(sink)
    with pytest.raises(UpstreamLost):
        await transaction.recipient(B)
    assert not transaction.upstream.alive


# -- an upstream that idled out


async def hang_up(transaction: Transaction, sink: Sink, injected: bytes = b"421 4.4.2 Timeout\r\n") -> None:
    """Let the upstream close while the client is busy with something else."""
    sink.faults.append(Fault("NOOP", injected=injected, drop="after"))
    await transaction.upstream.command(b"NOOP")
    await asyncio.sleep(0.05)


@pytest.mark.parametrize("goodbye", [b"421 4.4.2 Timeout\r\n", b""])
async def test_the_envelope_is_replayed_before_data(sink: Sink, goodbye: bytes) -> None:
    sink.faults.append(Fault("RCPT", match=b"nobody", reply=b"550 5.1.1 No\r\n"))
    transaction = await opened(sink, B, Path.of("nobody@y.example"), C)
    await hang_up(transaction, sink, goodbye)
    assert (await transaction.deliver(b"", Held(b"x\r\n"))).code == 250
    assert sink.messages[0].rcpt_args == (B.argument, C.argument) and sink.connections == 2
    said = [line for line in sink.commands if not line.startswith(b"EHLO")]
    again = [b"MAIL FROM:" + A.argument, b"RCPT TO:" + B.argument, b"RCPT TO:" + C.argument, b"DATA"]
    assert said[-4:] == again


@pytest.mark.parametrize("step", ["mail", "rcpt", "data"])
async def test_a_close_at_the_very_command_is_replayed_too(sink: Sink, step: str) -> None:
    sink.faults.append(Fault(step.upper(), drop="before"))
    transaction = await opened(sink, B)
    assert (await transaction.deliver(b"", Held(b"x\r\n"))).code == 250
    assert sink.connections == 2 and len(sink.messages) == 1


@pytest.mark.parametrize(
    "changed",
    [
        Fault("MAIL", reply=b"451 4.7.1 Later\r\n"),
        Fault("RCPT", reply=b"451 4.7.1 Greylisted\r\n"),
        Fault("RCPT", reply=b"251 2.1.5 Will forward\r\n"),
        Fault("EHLO", reply=b"250-sink\r\n250 SIZE 100\r\n"),
        Fault("CONNECT", reply=b"421 4.3.2 Busy\r\n"),
    ],
)
async def test_no_replay_where_the_upstream_answers_otherwise(sink: Sink, changed: Fault) -> None:
    transaction = await opened(sink, B)
    await hang_up(transaction, sink)
    sink.faults.append(changed)
    with pytest.raises(UpstreamLost) as lost:
        await transaction.deliver(b"", Held(b"x\r\n"))
    assert not lost.value.in_doubt and sink.messages == []


async def test_no_replay_on_a_connection_that_is_bound_to_its_client(sink: Sink) -> None:
    transaction = Transaction(await dial(sink)(), dial(sink))
    await transaction.upstream.command(b"XFORWARD NAME=client")
    await transaction.mail(A)
    await transaction.recipient(B)
    await hang_up(transaction, sink)
    with pytest.raises(UpstreamLost):
        await transaction.deliver(b"", Held(b"x\r\n"))
    assert sink.connections == 1


@pytest.mark.parametrize("keep", [True, False])
async def test_never_twice_when_in_doubt(sink: Sink, keep: bool) -> None:
    sink.faults.append(Fault("DOT", drop="before", keep=keep))
    transaction = await opened(sink, B)
    with pytest.raises(UpstreamLost) as lost:
        await transaction.deliver(b"", Held(b"x\r\n"))
    assert lost.value.in_doubt and sink.connections == 1 and len(sink.messages) == keep


async def test_an_upstream_that_dies_of_a_command_is_not_asked_for_ever(sink: Sink) -> None:
    sink.faults.append(Fault("RCPT", drop="before", times=None))
    transaction = await opened(sink)
    with pytest.raises(UpstreamLost):
        await transaction.recipient(B)
    assert sink.connections == 2


# -- dots


def test_dots_are_stuffed_at_line_starts_only() -> None:
    assert stuffed(b"") == b""
    assert stuffed(b".") == b".."
    assert stuffed(b".\r\n.\r\na.\r\n..b\r\n") == b"..\r\n..\r\na.\r\n...b\r\n"


@given(st.lists(st.text(alphabet=".ab", max_size=4)))
def test_stuffing_holds_no_end_of_data_and_unstuffs_to_the_same(lines: list[str]) -> None:
    raw = "".join(line + "\r\n" for line in lines).encode()
    out = stuffed(raw)
    assert b"\r\n.\r\n" not in b"\r\n" + out
    assert Held(out).raw() == raw


@pytest.mark.parametrize("raw", [b"a\n", b"a\r", b"\0", b"a\r\n.\n", b"a\r\r\n"])
def test_bare_line_ends_are_never_stuffed(raw: bytes) -> None:
    with pytest.raises(ValueError):
        stuffed(raw)
