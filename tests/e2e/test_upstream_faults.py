"""An upstream that is away, breaks off or refuses: each has one answer, and the three ledgers agree (SMTP.md D)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.answers import Answer
from gateway.smtp.sink import Fault, Sink
from tests.e2e.house import House, connection, free_port, house
from tests.e2e.ledgers import BOB, DANA, JILL, Ledgers, Sent, answer, explained, forwarded, question, refusal, until

pytestmark = pytest.mark.usefixtures("files_once")

SOON = 5.0


def ledgers_of(gateway: House, tmp_path: Path) -> Ledgers:
    return Ledgers(gateway.sink, gateway.state, tmp_path / "keys" / "hold.key")


async def say(gateway: House, sent: Sent, *, port: int = 0) -> tuple[int, str]:
    return await gateway.send(sent.mail_from, list(sent.rcpt_to), sent.raw, port=port)


async def asked(gateway: House, ledgers: Ledgers, name: str) -> Sent:
    """Jill asked through the tap; the mail that follows hands her matter on without her: to be rewritten."""
    assert await ledgers.send(gateway.tap, question(name, JILL, "Jill Amory")) == 250
    return forwarded(name, JILL, "Jill Amory")


# --- away ------------------------------------------------------------------------------------------------------------


async def greeting(port: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        return await asyncio.wait_for(reader.readline(), SOON)
    finally:
        writer.close()


async def test_upstream_away_and_back(tmp_path):
    """Postfix's proxy filter must greet all the same and say 451 at MAIL (SMTP.md A10); everybody else hears 421."""
    place = free_port()
    away = {"upstream": f"127.0.0.1:{place}", "tap_upstream": f"127.0.0.1:{place}"}
    async with house(tmp_path, listen=["127.0.0.1:0", "127.0.0.1:0,proxy-filter"], **away) as gateway:
        smtp, proxy_filter, tap = (server.port for server in gateway.service.doors.servers)
        for port in (smtp, tap):
            assert (await greeting(port)).startswith(b"421 4.4.1 ")
        async with connection(proxy_filter) as talk:
            assert (await talk.command(b"EHLO postfix.example"))[0] == 250
            assert await talk.command(b"MAIL FROM:<a@b.example>") == (
                451, "4.4.1 The mail server behind the gateway cannot be reached; try again later"
            )  # fmt: skip
        assert gateway.audit() == []
        async with Sink(port=place) as sink:
            for port in (smtp, proxy_filter, tap):
                assert (await say(gateway, explained(f"back-{port}"), port=port))[0] == 250
            assert len(sink.messages) == 3


# --- breaking off ----------------------------------------------------------------------------------------------------

AT_DATA = Fault("DATA", drop="before", times=None)
AT_DOT = Fault("DOT", drop="before")
AT_DOT_TAKEN = Fault("DOT", drop="before", keep=True)
HALF_REPLY = Fault("DOT", half=True, keep=True)


@pytest.mark.parametrize(
    ("fault", "outcome", "taken"),
    [
        (AT_DATA, "deferred", 0),
        (AT_DOT, "in-doubt", 0),
        (AT_DOT_TAKEN, "in-doubt", 1),
        (HALF_REPLY, "in-doubt", 1),
    ],
    ids=["at DATA", "at the dot, not taken", "at the dot, taken", "half of the reply"],
)
@pytest.mark.parametrize("kind", ["pass", "rewrite"])
async def test_upstream_lost(tmp_path, fault: Fault, outcome: str, taken: int, kind: str):
    """451, and the client tries again: what may be there twice is in doubt."""
    async with house(tmp_path) as gateway:
        ledgers = ledgers_of(gateway, tmp_path)
        sent = explained("lost") if kind == "pass" else await asked(gateway, ledgers, "lost")
        gateway.sink.faults.append(Fault(**{name: getattr(fault, name) for name in Fault.__slots__}))
        code, text = await say(gateway, sent)
        assert (code, text) == (451, "4.4.2 The mail server behind the gateway closed the connection; try again later")
        assert ledgers.outcomes(sent.message_id) == [outcome]
        assert len(ledgers.copies(sent.message_id)) == taken
        gateway.sink.faults.clear()
        ledgers.told[sent.message_id] = [451]
        assert await ledgers.send(gateway.port, sent) == 250
        end = "passed" if kind == "pass" else "rewritten"
        assert ledgers.outcomes(sent.message_id) == [outcome, end]
        assert len(ledgers.copies(sent.message_id)) == taken + 1
        ledgers.check()


async def test_upstream_lost_in_the_middle_of_a_large_mail(tmp_path):
    async with house(tmp_path) as gateway:
        ledgers = ledgers_of(gateway, tmp_path)
        large = Sent(JILL, (BOB,), b"Message-ID: <large@t>\r\n\r\n" + b"0123456789abcdef\r\n" * 500_000)
        gateway.sink.faults.append(Fault("BODY", drop="before", reset=True))
        assert (await say(gateway, large))[0] == 451
        assert ledgers.outcomes("<large@t>") == ["deferred"]
        assert await ledgers.send(gateway.port, large) == 250
        assert len(gateway.sink.messages) == 1
        ledgers.check()


async def test_upstream_silent(tmp_path):
    """No answer within the limit is as good as a broken connection."""
    async with house(tmp_path, upstream_timeout="1s") as gateway:
        ledgers = ledgers_of(gateway, tmp_path)
        gateway.sink.faults.append(Fault("DOT", delay=2.0, keep=True))
        assert await ledgers.send(gateway.port, explained("silent")) == 451
        assert ledgers.outcomes("<silent@t>") == ["in-doubt"]
        ledgers.check()


# --- refusing --------------------------------------------------------------------------------------------------------

REFUSALS = [b"450-4.2.1 one\r\n450 4.2.1 two\r\n", b"554-5.7.1 no\r\n554 5.7.1 never\r\n"]


@pytest.mark.parametrize("said", REFUSALS, ids=["4xx", "5xx"])
@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA", "DOT"])
@pytest.mark.parametrize("kind", ["pass", "rewrite"])
async def test_refusals_come_back_verbatim(tmp_path, step: str, said: bytes, kind: str):
    async with house(tmp_path) as gateway:
        ledgers = ledgers_of(gateway, tmp_path)
        sent = explained("refused") if kind == "pass" else await asked(gateway, ledgers, "refused")
        gateway.sink.faults.append(Fault(step, reply=said))
        code, text = await say(gateway, sent)
        assert b"".join(b"%d%s%s\r\n" % (code, mark, line.encode()) for mark, line in zip(
            (b"-", b" "), text.split("\n"), strict=True)) == said  # fmt: skip
        assert ledgers.copies(sent.message_id) == []
        assert ledgers.outcomes(sent.message_id) == (["refused-upstream"] if step in ("DATA", "DOT") else [])
        assert await ledgers.send(gateway.port, sent) == 250
        ledgers.check()


@pytest.mark.parametrize("said", REFUSALS, ids=["4xx", "5xx"])
async def test_added_recipient_refused(tmp_path, said: bytes):
    """Both or neither: the requester can join neither header nor envelope, so the mail waits as it came."""
    async with house(tmp_path) as gateway:
        ledgers = ledgers_of(gateway, tmp_path)
        sent = await asked(gateway, ledgers, "both")
        gateway.sink.faults.append(Fault("RCPT", reply=said, match=JILL.encode()))
        code, text = await say(gateway, sent)
        assert code == 250 and text.startswith("2.0.0 Held")
        [row] = ledgers.rows(sent.message_id)
        hold = await gateway.service.store.held(row.entry.id)
        assert (hold.raw, hold.new.rcpt_to) == (sent.raw, (b"<bob.nilsson@acme.example>",))
        assert row.outcome == "held" and "refused jill.amory@acme.example" in row.entry.reason
        assert ledgers.copies(sent.message_id) == []
        to = await ledgers.notice(sent.message_id)
        assert await ledgers.send(gateway.port, answer(to, "SEND: Jill has left")) == 250
        await until(lambda: ledgers.outcomes(sent.message_id) == ["overridden"], "released")
        [out] = [mail for mail in gateway.sink.messages if mail.raw.endswith(sent.raw)]
        assert out.rcpt_args == (b"<bob.nilsson@acme.example>",)
        ledgers.check()


async def test_upstream_lost_at_the_added_recipient(tmp_path):
    async with house(tmp_path) as gateway:
        ledgers = ledgers_of(gateway, tmp_path)
        sent = await asked(gateway, ledgers, "gone")
        gateway.sink.faults.append(Fault("RCPT", drop="before", match=JILL.encode(), times=None))
        assert (await say(gateway, sent))[0] == 451
        assert (ledgers.outcomes(sent.message_id), ledgers.copies(sent.message_id)) == ([], [])
        gateway.sink.faults.clear()
        assert await ledgers.send(gateway.port, sent) == 250
        assert {who.address for who in ledgers.copies(sent.message_id)[0].cc} == {JILL}
        ledgers.check()


# --- releasing -------------------------------------------------------------------------------------------------------


class Clock:
    """Ours, and as far ahead as a test moves it."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


async def held(gateway: House, ledgers: Ledgers, sent: Sent) -> str:
    """Have it held; gives the address that answers go to."""
    assert await ledgers.send(gateway.port, sent) == 250
    assert ledgers.outcomes(sent.message_id) == ["held"]
    return await ledgers.notice(sent.message_id)


def deferred(ledgers: Ledgers, message_id: str) -> Callable[[], bool]:
    return lambda: any(event[1] == "deferred" for row in ledgers.rows(message_id) for event in row.history)


async def test_release_while_the_upstream_is_away(tmp_path):
    clock = Clock()
    async with house(tmp_path, clock=clock) as gateway:
        ledgers, store = ledgers_of(gateway, tmp_path), gateway.service.store
        await held(gateway, ledgers, refusal("later"))
        await until(lambda: not ledgers.waiting().get("waiting"), "the notice is gone")
        [row] = ledgers.rows("<later@t>")
        await gateway.sink.stop()
        hold = await store.held(row.entry.id)
        assert await gateway.service.settling.settle(hold, Answer("send", "because"), by=DANA)
        await until(deferred(ledgers, "<later@t>"), "put off")
        await gateway.sink.start()
        gateway.service.dispatcher.wake()
        await asyncio.sleep(0.1)
        assert ledgers.copies("<later@t>") == []  # a minute's rest for an upstream in trouble
        clock.ahead = timedelta(seconds=61)
        gateway.service.dispatcher.wake()
        await until(lambda: ledgers.outcomes("<later@t>") == ["overridden"], "released")
        assert len(ledgers.copies("<later@t>")) == 1
        ledgers.check()


async def test_release_refused_for_now(tmp_path):
    clock = Clock()
    async with house(tmp_path, clock=clock) as gateway:
        ledgers = ledgers_of(gateway, tmp_path)
        to = await held(gateway, ledgers, refusal("busy"))
        gateway.sink.faults.append(Fault("DOT", reply=b"452 4.3.1 full\r\n"))
        assert await ledgers.send(gateway.port, answer(to, "SEND: because I said so")) == 250
        await until(deferred(ledgers, "<busy@t>"), "put off")
        clock.ahead = timedelta(seconds=61)
        gateway.service.dispatcher.wake()
        await until(lambda: ledgers.outcomes("<busy@t>") == ["overridden"], "released")
        ledgers.check()


async def test_release_refused_for_good_waits_again(tmp_path):
    """With the upstream's words and a fresh token in a new notice; the old token is dead."""
    async with house(tmp_path) as gateway:
        ledgers = ledgers_of(gateway, tmp_path)
        to = await held(gateway, ledgers, refusal("never"))
        gateway.sink.faults.append(Fault("DOT", reply=b"550 5.7.1 not from you\r\n"))
        assert await ledgers.send(gateway.port, answer(to, "SEND: because I said so")) == 250
        await until(lambda: len(ledgers.notices("<never@t>")) == 2, "a second notice")
        fresh = await ledgers.notice("<never@t>")
        assert fresh != to and b"not from you" in ledgers.notices("<never@t>")[-1].raw
        assert await ledgers.send(gateway.port, answer(to, "SEND: once more")) == 250
        assert await ledgers.send(gateway.port, answer(fresh, "DISCARD")) == 250
        await until(lambda: ledgers.outcomes("<never@t>") == ["discarded"], "discarded")
        assert ledgers.copies("<never@t>") == []
        ledgers.check()


async def test_release_whose_reply_is_lost_is_in_doubt(tmp_path):
    async with house(tmp_path) as gateway:
        ledgers = ledgers_of(gateway, tmp_path)
        to = await held(gateway, ledgers, refusal("doubt"))
        gateway.sink.faults.append(Fault("DOT", drop="before", keep=True))
        assert await ledgers.send(gateway.port, answer(to, "SEND: because I said so")) == 250
        await until(lambda: ledgers.outcomes("<doubt@t>") == ["in-doubt"], "in doubt")
        assert list(ledgers.states().values()) == ["in-doubt"]
        await until(lambda: len(ledgers.own("<doubt@t>")) == 2, "the agent hears of it")
        gateway.service.dispatcher.wake()
        await asyncio.sleep(0.1)
        assert len(ledgers.copies("<doubt@t>")) == 1
        ledgers.check()


async def test_the_gateways_own_account_refused_is_no_verdict_on_the_mail(tmp_path):
    """A wrong password of the gateway's own would otherwise send every approved mail back to its agent."""
    clock = Clock()
    async with house(tmp_path, clock=clock) as gateway:
        ledgers = ledgers_of(gateway, tmp_path)
        to = await held(gateway, ledgers, refusal("account"))
        await until(lambda: not ledgers.waiting().get("waiting"), "the notice is gone")
        for verb in ("EHLO", "HELO"):
            said = b"550 5.7.1 who are you\r\n"
            gateway.sink.faults.append(Fault(verb, reply=said, match=b"gw.acme.example", times=None))
        assert await ledgers.send(gateway.port, answer(to, "SEND: because I said so")) == 250
        await until(deferred(ledgers, "<account@t>"), "put off")
        gateway.sink.faults.clear()
        clock.ahead = timedelta(seconds=61)
        gateway.service.dispatcher.wake()
        await until(lambda: ledgers.outcomes("<account@t>") == ["overridden"], "released")
        ledgers.check()


async def test_a_mail_of_our_own_that_cannot_be_sent_keeps_nobody_waiting(tmp_path):
    from gateway.store.records import OutMail

    async with house(tmp_path) as gateway:
        store, now = gateway.service.store, datetime.now(UTC)
        bad = OutMail("bad", "gw@acme.example", (DANA,), b"Subject: bare\n\nline ends\n", "notice", "x", now)
        good = OutMail("good", "gw@acme.example", (DANA,), b"Subject: good\r\n\r\nfine\r\n", "notice", "x", now)
        await store.enqueue([bad, good])
        gateway.service.dispatcher.wake()
        await gateway.sink.wait_for(1)
        await until(lambda: store.outbox_count() == {"waiting": 1, "sent": 1}, "the other one is kept")


async def test_stopping_lets_a_release_end(tmp_path):
    """A restart in the middle of a release must not leave it in doubt."""
    async with Sink() as sink:
        async with house(tmp_path, sink=_Borrowed(sink)) as gateway:
            ledgers = ledgers_of(gateway, tmp_path)
            to = await held(gateway, ledgers, refusal("stop"))
            await until(lambda: not ledgers.waiting().get("waiting"), "the notice is gone")
            sink.faults.append(Fault("DOT", delay=0.5))
            assert await ledgers.send(gateway.port, answer(to, "SEND: because I said so")) == 250
            await until(lambda: list(ledgers.states().values()) == ["releasing"], "on its way")
            await asyncio.sleep(0.1)
        assert ledgers.outcomes("<stop@t>") == ["overridden"]
        ledgers.check()


class _Borrowed(contextlib.nullcontext[Sink]):
    """A sink that outlives the house."""

    def __init__(self, sink: Sink) -> None:
        super().__init__(sink)

    async def __aenter__(self) -> Sink:
        return self.enter_result
