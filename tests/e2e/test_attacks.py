"""What somebody tries who wants a held mail out, a thread shown to them, or a word of theirs in our own mail."""

from __future__ import annotations

import asyncio
from pathlib import Path

from gateway.mail.message import read_message
from gateway.smtp.sink import Sink
from tests.e2e.house import House, house
from tests.e2e.ledgers import DANA, answer, refusal


async def held(gateway: House, name: str) -> tuple[str, str, str]:
    """A mail that waits: its id, where answers go, and the text of the notice."""
    sent = refusal(name)
    assert (await gateway.send(sent.mail_from, list(sent.rcpt_to), sent.raw))[0] == 250
    async with asyncio.timeout(10):
        while True:
            for each in map(read_message, [m.raw for m in gateway.to(DANA)]):
                if each.reply_to and sent.message_id in each.references:
                    return gateway.audit()[0].entry.id, each.reply_to[0].address, each.parts[0].text or ""
            await asyncio.sleep(0.02)


async def outcome(gateway: House, mail_id: str, wanted: str) -> str:
    """What became of it, after a while at most."""
    for _ in range(100):
        row = gateway.service.store.audit_show(mail_id)
        if row is not None and row.outcome == wanted:
            break
        await asyncio.sleep(0.02)
    return row.outcome if row else ""


async def test_a_notice_that_comes_back_unquoted_says_nothing(tmp_path: Path) -> None:
    """Some phones and automatic replies bring the whole notice back, with every answer's word in it."""
    async with house(tmp_path) as gateway:
        mail_id, to, notice = await held(gateway, "echo")
        for before in ("", "I am away until Monday.\n\n"):
            assert (await gateway.send(DANA, [to], answer(to, before + notice).raw))[0] == 250
        await gateway.wait_to(DANA, 3)
        assert await outcome(gateway, mail_id, "held") == "held"
        assert (await gateway.send(DANA, [to], answer(to, f"DISCARD\n\n{notice}").raw))[0] == 250
        assert await outcome(gateway, mail_id, "discarded") == "discarded"


async def test_an_answer_that_comes_in_through_the_tap_counts(tmp_path: Path) -> None:
    """A mail server may route the notices' domain there; an answer that got a 250 must not be lost."""
    async with house(tmp_path) as gateway:
        mail_id, to, _ = await held(gateway, "tap")
        assert (await gateway.send(DANA, [to], answer(to, "SEND: she knows").raw, port=gateway.tap))[0] == 250
        assert await outcome(gateway, mail_id, "overridden") == "overridden"


async def test_no_control_character_of_a_mail_gets_into_our_own(tmp_path: Path) -> None:
    """Terminals obey escape sequences, and header fields end where a line ends."""
    escape = "\x1b]0;pwned\x07\x1b[31m"
    async with house(tmp_path) as gateway:
        sent = refusal("escape")
        raw = sent.raw.replace(
            b"Subject: Re:", f"Subject: {escape} =?utf-8?q?=E2=80=AE=0D=0ABcc:_evil=40x.example?=".encode()
        )
        raw = raw.replace(b"(escape)", escape.encode()).replace(b"No.\r\n", b"No. %s\r\n" % escape.encode())
        assert (await gateway.send(DANA, list(sent.rcpt_to), raw))[0] == 250
        [arrived] = await gateway.wait_to(DANA)
        notice = read_message(arrived.raw)
        text = notice.parts[0].text or ""
        assert "monitor" in text, "the requester's words are in the draft"
        assert not [ch for ch in notice.subject + text if not ch.isprintable() and ch != "\n"]
        assert not notice.bcc and arrived.rcpt_args == (b"<dana.cole@acme.example>",)


async def test_a_held_mail_goes_out_as_it_would_have_gone(tmp_path: Path) -> None:
    """8-bit octets that were never announced, to a server that never offered 8BITMIME: nobody may be stuck with it."""
    async with house(tmp_path, sink=Sink(offers=(b"PIPELINING", b"SIZE 1000000"))) as gateway:
        sent = refusal("octets")
        raw = sent.raw.replace(b"monitor", "monitör".encode())
        assert (await gateway.send(sent.mail_from, list(sent.rcpt_to), raw))[0] == 250
        [notice] = await gateway.wait_to(DANA)
        to = read_message(notice.raw).reply_to[0].address
        assert (await gateway.send(DANA, [to], answer(to, "SEND: she knows").raw))[0] == 250
        assert await outcome(gateway, gateway.audit()[0].entry.id, "overridden") == "overridden"
        [arrived] = gateway.to("jill.amory@acme.example")
        assert arrived.raw.endswith(raw)
