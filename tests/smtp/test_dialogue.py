"""The dialogue: what the client hears, and what the upstream gets of it."""

from __future__ import annotations


async def test_a_mail_passes_octet_for_octet(house) -> None:
    await house.open()
    client = await house.client()
    assert (await client.reply()).startswith(b"220 gw.example")
    hello = await client.say(b"EHLO client.example")
    assert hello.startswith(b"250-gw.example\r\n") and b"SMTPUTF8" in hello
    body = b"Subject: x\r\n\r\n..dot\r\n...\r\nend\r\n"
    assert (await client.mail(body)).startswith(b"250 2.0.0 Taken")
    assert (await client.say(b"QUIT")).startswith(b"221")
    assert await client.closed()
    [mail] = house.sink.messages
    assert mail.raw == b"Subject: x\r\n\r\n.dot\r\n..\r\nend\r\n"
    assert mail.helo == b"client.example"
    [seen] = house.gate.seen
    assert seen.content.size == len(mail.raw)
    assert house.gate.sha256 == [mail.sha256]
