"""The dialogue: what the client hears, and what the upstream gets of it."""

from __future__ import annotations

import asyncio

import pytest

from gateway.smtp.replies import reply
from gateway.smtp.server import Limits
from gateway.smtp.sink import Sink
from gateway.smtp.target import Target
from tests.smtp.scripted import Scripted


async def behind(house, says=None, **settings):
    """Doors before a scripted upstream, and a client that has said EHLO."""
    upstream = await house.enter(Scripted(says))
    await house.open(upstream=Target(upstream.host, upstream.port), **settings)
    client = await house.client()
    await client.hello()
    return upstream, client


async def test_a_mail_passes_octet_for_octet(house) -> None:
    await house.open()
    client = await house.client()
    assert (await client.reply()).startswith(b"220 gw.example")
    hello = await client.say(b"EHLO client.example")
    assert hello.startswith(b"250-gw.example\r\n") and b"SMTPUTF8" in hello
    body = b"Subject: x\r\n\r\n..dot\r\n...\r\nend\r\n"
    assert (await client.mail(body)).startswith(b"250 2.0.0 Taken")
    assert (await client.mail(b".\xff..\r\n" + b"x" * 5000 + b"\r\n", b"<>")).startswith(b"250 2.0.0 Taken")
    assert (await client.say(b"QUIT")).startswith(b"221")
    assert await client.closed()
    first, second = house.sink.messages
    assert first.raw == b"Subject: x\r\n\r\n.dot\r\n..\r\nend\r\n"
    assert second.raw == b"\xff..\r\n" + b"x" * 5000 + b"\r\n"
    assert first.helo == b"client.example"
    assert [seen.content.size for seen in house.gate.seen] == [len(first.raw), len(second.raw)]
    assert house.gate.sha256 == [first.sha256, second.sha256]
    assert house.sink.connections == 1


async def test_raw_arguments_go_up_and_raw_replies_come_down(house) -> None:
    many = b"".join(b"550-5.1.1 line %d of a long story that an upstream tells\r\n" % n for n in range(60))
    upstream, client = await behind(house, {b"RCPT": many + b"550 5.1.1 no\r\n", b"MAIL": b"250\r\n"})
    assert await client.say(b"mail from: <@r.example:A@x.example>  ret=Full ENVID=a+2Bb ") == b"250\r\n"
    assert await client.say(b'RCPT TO:<"b c"@y.example> orcpt=rfc822;X@y NOTIFY=never') == many + b"550 5.1.1 no\r\n"
    assert upstream.got[1:] == [
        b"MAIL FROM: <@r.example:A@x.example>  ret=Full ENVID=a+2Bb ",
        b'RCPT TO:<"b c"@y.example> orcpt=rfc822;X@y NOTIFY=never',
    ]
    assert (await client.say(b"DATA")).startswith(b"554 5.5.1 No valid recipients")


async def test_only_what_can_be_carried_is_offered(house) -> None:
    offers = (
        b"CHUNKING", b"BINARYMIME", b"XCLIENT NAME ADDR", b"XFORWARD NAME", b"PIPECONNECT", b"PRDR", b"ETRN",
        b"STARTTLS", b"PIPELINING", b"SIZE 100000", b"AUTH PLAIN SCRAM-SHA-256 SCRAM-SHA-256-PLUS", b"X-ANYTHING 1",
        b"DSN", b"ENHANCEDSTATUSCODES", b"REQUIRETLS", b"LIMITS RCPTMAX=5", b"AUTH=LOGIN",
    )  # fmt: skip
    await house.open(sink=Sink(offers=offers))
    client = await house.client()
    hello = await client.hello()
    assert [line[4:] for line in hello.splitlines()] == [
        b"gw.example", b"PIPELINING", b"DSN", b"ENHANCEDSTATUSCODES", b"SIZE 95904", b"AUTH PLAIN SCRAM-SHA-256",
    ]  # fmt: skip
    assert await client.say(b"HELO client.example") == b"250 gw.example\r\n"
    assert (await client.say(b"MAIL FROM:<a@x.example> SIZE=1")).startswith(b"555")


async def test_size_is_checked_as_declared_and_as_sent(house) -> None:
    await house.open(limits=Limits(message_size=1000))
    client = await house.client()
    assert b"SIZE 1000\r\n" in await client.hello()
    assert (await client.say(b"MAIL FROM:<a@x.example> SIZE=1001")).startswith(b"552 5.3.4")
    line = b"..23456789\r\n"
    assert (await client.mail(line * 100)).startswith(b"552 5.3.4")
    assert (await client.mail(line * 90)).startswith(b"250")
    assert [mail.raw for mail in house.sink.messages] == [line[1:] * 90]
    assert [seen.content.size for seen in house.gate.seen] == [11 * 90]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"MAIL FROM:<a@x.example>\rRCPT TO:<evil@x.example>\r\n", b"500"),
        (b"MAIL FROM:<a\0@x.example>\r\n", b"500"),
        (b"MAIL FROM:<a@x.example\r\n", b"501"),
        (b"MAIL FROM:=?utf-8?q?=3Ca=40x=3E=0D=0ARCPT?=\r\n", b"501"),
        (b"MAIL TO:<a@x.example>\r\n", b"501"),
        (b"MAIL\r\n", b"501"),
        (b"MAIL FROM:<" + b"a" * 5000 + b"@x.example>\r\n", b"500"),
        (b"RCPT TO:<b@y.example>\r\n", b"503"),
        (b"DATA\r\n", b"503"),
        (b"FROBNICATE\r\n", b"500"),
        (b"\r\n", b"500"),
        (b"\xff\xfe\r\n", b"500"),
        (b"EHLO\r\n", b"501"),
        (b"EHLO a b\r\n", b"501"),
        (b"EXPN list\r\n", b"502"),
        (b"ETRN x\r\n", b"500"),
        (b"STARTTLS\r\n", b"502"),
        (b"AUTH PLAIN\r\n", b"502"),
        (b"XCLIENT ADDR=192.0.2.1\r\n", b"550"),
        (b"XFORWARD ADDR=192.0.2.1\r\n", b"550"),
        (b"VRFY\r\n", b"501"),
        (b"RSET now\r\n", b"501"),
        (b"HELP\r\n", b"214"),
        (b"NOOP x\r\n", b"250"),
    ],
)
async def test_what_never_reaches_the_upstream(house, line: bytes, code: bytes) -> None:
    upstream, client = await behind(house)
    client.send(line)
    assert (await client.reply()).startswith(code)
    assert upstream.got == [b"EHLO client.example"]
    await client.envelope()


@pytest.mark.parametrize("line", [b"MAIL FROM:<a@x.example>\nMAIL FROM:<evil@x.example>\r\n", b"NOOP\n"])
async def test_a_command_without_its_cr_ends_the_session(house, line: bytes) -> None:
    upstream, client = await behind(house)
    client.send(line)
    assert (await client.reply()).startswith(b"500 5.5.2")
    assert await client.closed()
    assert upstream.got[:1] == [b"EHLO client.example"] and not any(b"evil" in each for each in upstream.got)


async def test_sequence_and_odd_recipients(house) -> None:
    upstream, client = await behind(house)
    await client.envelope(b"<>", b"<postmaster>")
    assert (await client.say(b"MAIL FROM:<a@x.example>")).startswith(b"503")
    assert (await client.say(b"RCPT TO:<>")).startswith(b"501 5.1.3")
    assert (await client.say(b"DATA now")).startswith(b"501")
    assert (await client.say(b"VRFY bob")) == b"250 2.0.0 Ok\r\n"
    assert (await client.say(b"RSET")).startswith(b"250")
    assert (await client.say(b"RCPT TO:<b@y.example>")).startswith(b"503")
    assert upstream.got[-2:] == [b"VRFY bob", b"RSET"]
    assert house.gate.seen == []


async def test_hello_again_forgets_the_mail(house) -> None:
    upstream, client = await behind(house)
    await client.envelope()
    await client.say(b"EHLO again.example")
    assert (await client.say(b"DATA")).startswith(b"503")
    assert upstream.got[-2:] == [b"RSET", b"EHLO again.example"]


async def test_mail_without_hello_is_the_upstreams_choice(house) -> None:
    upstream = await house.enter(Scripted({b"MAIL": b"503 5.5.1 polite people say hello\r\n"}))
    await house.open(upstream=Target(upstream.host, upstream.port))
    client = await house.client()
    await client.reply()
    assert await client.say(b"MAIL FROM:<a@x.example>") == b"503 5.5.1 polite people say hello\r\n"


async def test_a_refused_hello_comes_back_as_it_is(house) -> None:
    _, client = await behind(house, {b"EHLO bad.example": b"504 5.5.2 <bad.example>: Helo command rejected\r\n"})
    assert await client.say(b"EHLO bad.example") == b"504 5.5.2 <bad.example>: Helo command rejected\r\n"


async def test_commands_may_come_in_one_packet(house) -> None:
    upstream, client = await behind(house)
    client.send(b"MAIL FROM:<a@x.example>\r\nRCPT TO:<b@y.example>\r\nRCPT TO:<c@y.example>\r\nDATA\r\n")
    assert [(await client.reply())[:3] for _ in range(4)] == [b"250", b"250", b"250", b"354"]
    client.send(b"x\r\n.\r\nMAIL FROM:<d@x.example>\r\nRSET\r\nQUIT\r\n")
    assert [(await client.reply())[:3] for _ in range(4)] == [b"250", b"250", b"250", b"221"]
    assert upstream.data == [b"x\r\n.\r\n"]


@pytest.mark.parametrize("verb", [b"EHLO again.example", b"HELO again.example", b"AUTH PLAIN AGEAYg=="])
async def test_nothing_may_follow_a_synchronising_command(house, verb: bytes) -> None:
    upstream, client = await behind(house, {b"EHLO": b"250-x\r\n250 AUTH PLAIN\r\n", b"AUTH": b"235 ok\r\n"})
    client.send(verb + b"\r\nMAIL FROM:<a@x.example>\r\n")
    assert (await client.reply()).startswith(b"554 5.5.0")
    assert await client.closed()
    assert not any(line.startswith(b"MAIL") for line in upstream.got)


async def test_nothing_may_follow_data_before_354(house) -> None:
    upstream, client = await behind(house)
    await client.envelope()
    client.send(b"DATA\r\nSubject: early\r\n\r\n.\r\n")
    assert (await client.reply()).startswith(b"554 5.5.0")
    assert await client.closed()
    assert upstream.data == [] and house.gate.seen == []


async def test_bdat_and_browsers_are_hung_up_on(house) -> None:
    upstream, client = await behind(house)
    await client.envelope()
    client.send(b"BDAT 25 LAST\r\nMAIL FROM:<evil@x.example>\r\n")
    assert (await client.reply()).startswith(b"502")
    assert await client.closed()
    browser = await house.client()
    await browser.reply()
    browser.send(b"POST / HTTP/1.1\r\nHost: x\r\n\r\nMAIL FROM:<evil@x.example>\r\n")
    assert (await browser.reply()).startswith(b"421")
    assert await browser.closed()
    assert sum(line.startswith(b"MAIL") for line in upstream.got) == 1


@pytest.mark.parametrize("spoilt", [b"a\nb\r\n", b"a\rb\r\n", b"a\0b\r\n", b"a\r\n.\nMAIL FROM:<evil@x.example>\r\n"])
async def test_loose_line_ends_are_refused_at_the_true_end(house, spoilt: bytes) -> None:
    upstream, client = await behind(house)
    assert (await client.mail(spoilt)).startswith(b"550 5.5.2")
    assert upstream.got[-1] == b"RSET"
    assert (await client.mail(b"whole\r\n")).startswith(b"250")
    assert upstream.data == [b"whole\r\n.\r\n"]


async def test_loose_line_ends_may_be_mended(house) -> None:
    upstream, client = await behind(house, normalise=True)
    assert (await client.mail(b"a\nb\rc\0d\n.\ne\r\n")).startswith(b"250")
    assert upstream.data == [b"a\r\nb\r\nc d\r\n..\r\ne\r\n.\r\n"]
    assert house.gate.raw == [b"a\r\nb\r\nc d\r\n.\r\ne\r\n"]


async def test_octet_by_octet(house) -> None:
    upstream, client = await behind(house)
    for octet in b"MAIL FROM:<a@x.example>\r\n":
        client.send(bytes((octet,)))
        await asyncio.sleep(0)
    assert (await client.reply()).startswith(b"250")
    await client.say(b"RCPT TO:<b@y.example>")
    await client.say(b"DATA")
    for octet in b"..a\r\n.\r\n":
        client.send(bytes((octet,)))
        await client.writer.drain()
        await asyncio.sleep(0.002)
    assert (await client.reply()).startswith(b"250")
    assert upstream.data == [b"..a\r\n.\r\n"]


async def test_our_own_recipients_are_not_forwarded(house) -> None:
    upstream, client = await behind(house)
    assert (await client.mail(b"x\r\n", b"<a@x.example>", b"<b@y.example>", b"<NOTICES@gateway.example>")) == (
        b"250 2.0.0 Ok: queued as 4711\r\n"
    )
    assert (await client.mail(b"y\r\n", b"<a@x.example>", b"<notices@gateway.example>")) == b"250 2.0.0 Taken\r\n"
    assert not any(b"otices" in line.lower() for line in upstream.got)
    assert upstream.got[-1] == b"RSET"
    first, second = house.gate.seen
    assert first.envelope.recipients == ("b@y.example",)
    assert [path.address for path in first.taken] == ["NOTICES@gateway.example"]
    assert second.envelope.recipients == () and len(second.taken) == 1
    assert upstream.data == [b"x\r\n.\r\n"]


async def test_a_mail_that_the_gate_keeps_never_gets_up(house) -> None:
    upstream, client = await behind(house)
    house.gate.answer = reply(250, "2.0.0 Held")
    assert await client.mail(b"x\r\n") == b"250 2.0.0 Held\r\n"
    assert upstream.got[-1] == b"RSET" and upstream.data == []
    house.gate.answer = reply(550, "5.7.1 No")
    assert await client.mail(b"x\r\n") == b"550 5.7.1 No\r\n"
    house.gate.answer = None
    assert (await client.mail(b"x\r\n")).startswith(b"250 2.0.0 Ok: queued")
    assert upstream.connections == 1


async def test_a_fault_of_the_gate_is_451_and_says_nothing(house, caplog) -> None:
    upstream, client = await behind(house)

    async def fail(*_: object) -> None:
        raise RuntimeError("secret words of a customer\r\n250 injected")

    house.gate.act = fail
    answer = await client.mail(b"x\r\n")
    assert answer.startswith(b"451 4.3.0") and b"secret" not in answer and answer.count(b"\r\n") == 1
    assert "secret" not in caplog.text
    house.gate.act = None
    assert (await client.mail(b"x\r\n")).startswith(b"250")
    assert upstream.connections == 1


async def test_a_fault_at_rcpt_is_451(house, caplog) -> None:
    _, client = await behind(house)

    def fail(address: str) -> bool:
        raise KeyError(address)

    house.gate.takes_recipient = fail
    await client.say(b"MAIL FROM:<a@x.example>")
    assert (await client.say(b"RCPT TO:<b@y.example>")).startswith(b"451 4.3.0")
    assert "b@y.example" not in caplog.text
    assert (await client.say(b"MAIL FROM:<a@x.example>")).startswith(b"250")
