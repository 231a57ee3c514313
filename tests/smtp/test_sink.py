"""The sink seen by Python's own smtplib: it must be a plain server before its faults mean anything."""

from __future__ import annotations

import asyncio
import hashlib
import smtplib
import ssl
from pathlib import Path

import pytest

from gateway.smtp.sink import Fault, Sink
from tests.smtp.certificates import server_context

MAIL = b"Subject: dots\r\n\r\n.\r\n..x\r\nend\r\n"


def send(sink: Sink, *, tls: bool = False, login: tuple[str, str] | None = None, raw: bytes = MAIL) -> None:
    with smtplib.SMTP(sink.host, sink.port, timeout=5) as client:
        if tls:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            client.starttls(context=context)
        if login:
            client.login(*login)
        client.sendmail("a@x.example", ["b@y.example"], raw)


async def test_octets_are_kept_as_they_are() -> None:
    async with Sink() as sink:
        await asyncio.to_thread(send, sink)
        (mail,) = await sink.wait_for(1)
    assert mail.raw == MAIL and mail.sha256 == hashlib.sha256(MAIL).hexdigest()
    assert mail.mail_from_arg == b"<a@x.example> size=%d" % (len(MAIL) + 2) or mail.mail_from_arg.startswith(b"<a@x.ex")
    assert mail.rcpt_args == (b"<b@y.example>",) and mail.auth is None and not mail.tls


async def test_tls_and_auth(tmp_path: Path) -> None:
    async with Sink(tls=server_context(tmp_path)[0], users={"u": "p"}) as sink:
        await asyncio.to_thread(send, sink, tls=True, login=("u", "p"))
        assert sink.messages[0].tls and sink.messages[0].auth == "u"
        with pytest.raises(smtplib.SMTPAuthenticationError):
            await asyncio.to_thread(send, sink, tls=True, login=("u", "wrong"))
        assert not any(b"AHUAcA" in line for line in sink.commands)


async def test_every_split_of_a_pipelined_dialogue() -> None:
    dialogue = (
        b"EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<b@y.example>\r\nDATA\r\n"
        + MAIL.replace(b"\r\n.", b"\r\n..")
        + b".\r\nQUIT\r\n"
    )
    async with Sink() as sink:
        for cut in range(1, len(dialogue)):
            reader, writer = await asyncio.open_connection(sink.host, sink.port)
            writer.write(dialogue[:cut])
            await asyncio.sleep(0)
            writer.write(dialogue[cut:])
            assert b"221" in await reader.read(-1)
            writer.close()
        assert {mail.raw for mail in sink.messages} == {MAIL} and len(sink.messages) == len(dialogue) - 1


@pytest.mark.parametrize("end", [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r"])
async def test_only_a_lenient_sink_ends_at_bare_line_ends(end: bytes) -> None:
    head = b"EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<b@y.example>\r\nDATA\r\none" + end
    smuggled = b"MAIL FROM:<>\r\nRCPT TO:<c@y.example>\r\nDATA\r\ntwo\r\n.\r\nQUIT\r\n"
    for lenient, arrived in ((False, 1), (True, 2)):
        async with Sink(lenient=lenient) as sink:
            reader, writer = await asyncio.open_connection(sink.host, sink.port)
            writer.write(head + smuggled)
            await reader.read(-1)
            writer.close()
            assert len(sink.messages) == arrived


async def test_a_broken_sink_says_250_and_keeps_nothing() -> None:
    async with Sink(broken=True) as sink:
        await asyncio.to_thread(send, sink)
        assert sink.messages == []


async def test_what_is_kept_is_bounded() -> None:
    async with Sink(most_messages=3) as sink:
        for _ in range(5):
            await asyncio.to_thread(send, sink)
        assert len(sink.messages) == 3


async def test_faults_count_down_and_match() -> None:
    async with Sink() as sink:
        sink.faults.append(Fault("RCPT", match=b"B@Y", reply=b"550 5.1.1 No\r\n"))
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            await asyncio.to_thread(send, sink)
        await asyncio.to_thread(send, sink)
        assert len(sink.messages) == 1
