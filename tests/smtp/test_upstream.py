"""The upstream client: lock-step, verbatim, and never out of step without noticing."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path as File

import pytest

from gateway.smtp.gate import UpstreamLost
from gateway.smtp.replies import UPSTREAM_NO_TLS
from gateway.smtp.reply_reader import BadReply, ReplyReader
from gateway.smtp.sink import Fault, Sink
from gateway.smtp.target import Target, Timeouts
from gateway.smtp.upstream import Upstream, UpstreamUnavailable
from tests.smtp.certificates import server_context

QUICK = Timeouts(connect=2, greeting=1, command=1, data_init=1, data_block=1, data_done=1, data_total=3, quit=1)


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    async with Sink() as server:
        yield server


async def connected(sink: Sink, **options: object) -> Upstream:
    return await Upstream.connect(Target(sink.host, sink.port, **options), timeouts=QUICK, helo=b"gw")  # type: ignore[arg-type]


async def ready(sink: Sink) -> Upstream:
    upstream = await connected(sink)
    await upstream.ehlo(b"client.example")
    await upstream.command(b"MAIL FROM:<a@x.example>")
    await upstream.command(b"RCPT TO:<b@y.example>")
    return upstream


# -- what a reply is


def test_a_reply_is_read_from_any_cut_and_kept_verbatim() -> None:
    octets = b"250-first line\r\n250-\r\n250 2.1.0 last \xc3\xa9\r\n"
    for cut in range(len(octets) + 1):
        reader = ReplyReader()
        reader.feed(octets[:cut])
        first = reader.take()
        if first is None:
            reader.feed(octets[cut:])
            first = reader.take()
        assert first is not None and first.raw == octets and reader.is_empty
        assert first.lines == (b"first line", b"", b"2.1.0 last \xc3\xa9")


@pytest.mark.parametrize(
    "octets",
    [
        b"25 short\r\n",
        b"250\tno\r\n",
        b"150 too low\r\n",
        b"600 too high\r\n",
        b"2\xb20 superscript\r\n",
        b"250 bare\n",
        b"250 a\rb\r\n",
        b"250 nul\0\r\n",
        b"250-one\r\n251 two\r\n",
        b"HTTP/1.1 400 Bad Request\r\n",
    ],
)
def test_what_is_no_reply_is_refused(octets: bytes) -> None:
    reader = ReplyReader()
    reader.feed(octets)
    with pytest.raises(BadReply):
        reader.take()


def test_a_reply_may_be_a_bare_code() -> None:
    reader = ReplyReader()
    reader.feed(b"250\r\n")
    reply = reader.take()
    assert reply is not None and reply.encode() == b"250\r\n"


def test_a_reply_without_end_is_bounded() -> None:
    reader = ReplyReader()
    with pytest.raises(BadReply):
        for _ in range(100):
            reader.feed(b"250-" + b"x" * 1000 + b"\r\n")


# -- the dialogue


async def test_arguments_and_replies_pass_verbatim(sink: Sink) -> None:
    odd = b'250-2.1.0 one\r\n250-\r\n250 2.1.0 "two"  spaced \r\n'
    sink.faults.append(Fault("MAIL", reply=odd))
    upstream = await connected(sink)
    assert upstream.greeting.code == 220
    await upstream.ehlo(b"client.example")
    assert upstream.offers["SIZE"] == b"67108864" and "PIPELINING" in upstream.offers
    line = b'MAIL FROM:<"a b>c"@x.example> RET=hdrs ENVID=QQ+20z auth=<>'
    assert (await upstream.command(line)).encode() == odd
    await upstream.quit()
    assert sink.commands == [b"EHLO client.example", line, b"QUIT"]
    assert not upstream.alive


@pytest.mark.parametrize("bad", [b"NOOP\r\nQUIT", b"NOOP\n", b"NO\0OP", b"NOOP\r"])
async def test_a_line_that_is_two_never_leaves(sink: Sink, bad: bytes) -> None:
    upstream = await connected(sink)
    with pytest.raises(ValueError):
        await upstream.command(bad)
    assert upstream.alive and sink.commands == []
    upstream.abort()


async def test_a_reply_of_3_kilobytes_in_many_lines(sink: Sink) -> None:
    long = b"".join(b"550-5.7.1 " + b"w" * 60 + b"\r\n" for _ in range(45)) + b"550 5.7.1 end\r\n"
    sink.faults.append(Fault("RCPT", reply=long))
    upstream = await connected(sink)
    await upstream.command(b"MAIL FROM:<>")
    assert (await upstream.command(b"RCPT TO:<b@y.example>")).encode() == long
    upstream.abort()


@pytest.mark.parametrize(
    ("fault", "hung_up"),
    [
        (Fault("NOOP", drop="before"), True),
        (Fault("NOOP", drop="before", reset=True), True),
        (Fault("NOOP", half=True), True),
        (Fault("NOOP", reply=b"nonsense\r\n"), False),
        (Fault("NOOP", reply=b"250-a\r\n450 b\r\n"), False),
        (Fault("NOOP", reply=b"250-" + b"x" * 70_000), False),
        (Fault("NOOP", delay=3), False),
    ],
)
async def test_a_broken_reply_loses_the_connection_but_no_mail(sink: Sink, fault: Fault, hung_up: bool) -> None:
    sink.faults.append(fault)
    upstream = await connected(sink)
    with pytest.raises(UpstreamLost) as lost:
        await upstream.command(b"NOOP")
    assert not lost.value.in_doubt and not upstream.alive and upstream.hung_up is hung_up


async def test_octets_that_nobody_asked_for_end_the_connection(sink: Sink) -> None:
    sink.faults.append(Fault("MAIL", injected=b"250 2.1.5 injected\r\n"))
    upstream = await connected(sink)
    assert (await upstream.command(b"MAIL FROM:<>")).code == 250
    assert not upstream.alive
    with pytest.raises(UpstreamLost):
        await upstream.command(b"RCPT TO:<b@y.example>")
    assert sink.commands == [b"MAIL FROM:<>"]


async def test_a_421_while_idle_counts_as_hanging_up(sink: Sink) -> None:
    sink.faults.append(Fault("NOOP", injected=b"421 4.4.2 Timeout exceeded\r\n", drop="after"))
    upstream = await connected(sink)
    await upstream.command(b"NOOP")
    await asyncio.sleep(0.05)
    with pytest.raises(UpstreamLost):
        await upstream.command(b"NOOP")
    assert upstream.hung_up


async def test_the_connection_knows_what_binds_it_to_a_client(sink: Sink) -> None:
    upstream = await connected(sink)
    await upstream.command(b"NOOP")
    assert not upstream.bound
    await upstream.command(b"XFORWARD NAME=a")
    assert upstream.bound
    upstream.abort()


async def test_auth_lines_of_12_kilobytes_pass(sink: Sink) -> None:
    token = "t" * 9000
    sink.users = {"u": token}
    upstream = await connected(sink)
    await upstream.ehlo(b"c")
    import base64

    response = base64.b64encode(b"user=u\1auth=Bearer " + token.encode() + b"\1\1")
    assert len(response) > 12_000
    assert (await upstream.command(b"AUTH XOAUTH2 " + response)).code == 235
    assert upstream.bound
    upstream.abort()


# -- connecting


async def test_a_negative_greeting_is_given_back(sink: Sink) -> None:
    sink.faults.append(Fault("CONNECT", reply=b"554 5.7.1 Not you\r\n"))
    with pytest.raises(UpstreamUnavailable) as away:
        await connected(sink)
    assert away.value.reply is not None and away.value.reply.encode() == b"554 5.7.1 Not you\r\n"


@pytest.mark.parametrize(
    "fault", [Fault("CONNECT", delay=3), Fault("CONNECT", drop="before"), Fault("CONNECT", half=True)]
)
async def test_a_greeting_that_does_not_come(sink: Sink, fault: Fault) -> None:
    sink.faults.append(fault)
    with pytest.raises(UpstreamUnavailable) as away:
        await connected(sink)
    assert away.value.reply is None and not away.value.in_doubt


async def test_nobody_listens() -> None:
    async with Sink() as sink:
        port = sink.port
    with pytest.raises(UpstreamUnavailable):
        await Upstream.connect(Target("127.0.0.1", port), timeouts=QUICK)


# -- content


async def test_content_arrives_octet_for_octet(sink: Sink) -> None:
    upstream = await ready(sink)
    chunks = [b"Subject: x\r\n\r\n..", b"dot\r\n", b"\xff\x80 8-bit\r\n..", b"\r\nend\r\n"]
    assert (await upstream.data(b"Received: by gw\r\n", iter(chunks))).code == 250
    assert sink.messages[0].raw == b"Received: by gw\r\nSubject: x\r\n\r\n.dot\r\n\xff\x80 8-bit\r\n.\r\nend\r\n"
    assert upstream.alive
    await upstream.quit()


@pytest.mark.parametrize(("sent", "arrived"), [([], b""), ([b"a"], b"a\r\n"), ([b"a\r", b"\n"], b"a\r\n")])
async def test_the_dot_stands_on_its_own_line(sink: Sink, sent: list[bytes], arrived: bytes) -> None:
    upstream = await ready(sink)
    assert (await upstream.data(b"", iter(sent))).code == 250
    assert sink.messages[0].raw == arrived
    upstream.abort()


async def test_20_megabytes_go_through_a_slow_reader(sink: Sink) -> None:
    sink.faults.append(Fault("BODY", delay=0.3))
    upstream = await ready(sink)
    line = b"x" * 1022 + b"\r\n"
    assert (await upstream.data(b"", (line * 64 for _ in range(320)))).code == 250
    assert len(sink.messages[0].raw) == 320 * 65536
    upstream.abort()


async def test_a_refused_data_leaves_the_connection_in_step(sink: Sink) -> None:
    sink.faults.append(Fault("DATA", reply=b"451 4.3.0 Not now\r\n"))
    upstream = await ready(sink)
    assert (await upstream.data(b"", iter([b"a\r\n"]))).encode() == b"451 4.3.0 Not now\r\n"
    assert upstream.alive
    upstream.abort()


@pytest.mark.parametrize(
    "fault",
    [
        Fault("DATA", drop="before"),
        Fault("DATA", reply=b"250 2.0.0 What\r\n"),
        Fault("DATA", injected=b"250 2.0.0 Taken before you said it\r\n"),
        Fault("DATA", delay=3),
        Fault("DATA", half=True),
    ],
)
async def test_lost_before_the_dot_is_not_in_doubt(sink: Sink, fault: Fault) -> None:
    sink.faults.append(fault)
    upstream = await ready(sink)
    with pytest.raises(UpstreamLost) as lost:
        await upstream.data(b"", iter([b"a\r\n"]))
    assert not lost.value.in_doubt and sink.messages == []


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize(
    "fault", [{"drop": "before"}, {"drop": "before", "reset": True}, {"half": True}, {"delay": 3}, {"reply": b"?\r\n"}]
)
async def test_lost_after_the_dot_is_in_doubt(sink: Sink, fault: dict[str, object], keep: bool) -> None:
    sink.faults.append(Fault("DOT", keep=keep, **fault))  # type: ignore[arg-type]
    upstream = await ready(sink)
    with pytest.raises(UpstreamLost) as lost:
        await upstream.data(b"", iter([b"a\r\n"]))
    assert lost.value.in_doubt and len(sink.messages) == keep


async def test_a_reply_to_the_dot_counts_even_when_the_upstream_closes_behind_it(sink: Sink) -> None:
    sink.faults.append(Fault("DOT", drop="after", keep=True))
    upstream = await ready(sink)
    assert (await upstream.data(b"", iter([b"a\r\n"]))).code == 250


def endless() -> Iterator[bytes]:
    for _ in range(4000):
        yield b"x" * 16_382 + b"\r\n"


async def test_a_refusal_in_the_middle_is_given_back_and_nothing_is_in_doubt(sink: Sink) -> None:
    sink.faults.append(Fault("BODY", reply=b"552 5.3.4 Enough\r\n", drop="after"))
    upstream = await ready(sink)
    reply = await upstream.data(b"", endless())
    assert reply.encode() == b"552 5.3.4 Enough\r\n" and not upstream.alive and sink.messages == []


async def test_a_close_in_the_middle_is_not_in_doubt(sink: Sink) -> None:
    sink.faults.append(Fault("BODY", drop="before", reset=True))
    upstream = await ready(sink)
    with pytest.raises(UpstreamLost) as lost:
        await upstream.data(b"", endless())
    assert not lost.value.in_doubt


async def test_an_upstream_that_stops_reading_is_given_up(sink: Sink) -> None:
    sink.faults.append(Fault("BODY", delay=5))
    upstream = await ready(sink)
    with pytest.raises(UpstreamLost) as lost:
        await upstream.data(b"", endless())
    assert not lost.value.in_doubt and sink.messages == []


async def test_a_fault_of_our_own_sends_no_dot(sink: Sink) -> None:
    def spool() -> Iterator[bytes]:
        yield b"half of it\r\n"
        raise OSError("the spool is gone")

    upstream = await ready(sink)
    with pytest.raises(OSError, match="spool"):
        await upstream.data(b"", spool())
    assert not upstream.alive
    await asyncio.sleep(0.05)
    assert sink.messages == []


async def test_a_cancelled_step_drops_the_connection(sink: Sink) -> None:
    sink.faults.append(Fault("NOOP", delay=0.5))
    upstream = await connected(sink)
    task = asyncio.create_task(upstream.command(b"NOOP"))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not upstream.alive


# -- TLS


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
async def test_tls_both_ways_with_a_verified_certificate(tmp_path: File, tls: str) -> None:
    context, ca = server_context(tmp_path)
    async with Sink(tls=context, implicit=tls == "implicit") as sink:
        upstream = await connected(sink, tls=tls, ca_file=ca, server_name="localhost")
        assert upstream.tls
        await upstream.ehlo(b"c")
        assert "STARTTLS" not in upstream.offers
        await upstream.command(b"MAIL FROM:<>")
        await upstream.command(b"RCPT TO:<b@y.example>")
        body = b"x" * 998 + b"\r\n"
        assert (await upstream.data(b"", (body * 100 for _ in range(30)))).code == 250
        assert sink.messages[0].tls and len(sink.messages[0].raw) == 3_000_000
        await upstream.quit()


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
async def test_a_certificate_that_does_not_verify_is_refused(tmp_path: File, tls: str) -> None:
    context, _ = server_context(tmp_path)
    async with Sink(tls=context, implicit=tls == "implicit") as sink:
        with pytest.raises(UpstreamUnavailable):
            await connected(sink, tls=tls)
        (await connected(sink, tls=tls, verify=False)).abort()


@pytest.mark.parametrize(
    "fault",
    [
        None,
        Fault("STARTTLS", reply=b"454 4.7.0 Not today\r\n"),
        Fault("EHLO", reply=b"500 5.5.1 What\r\n"),
    ],
)
async def test_tls_is_never_downgraded(tmp_path: File, fault: Fault | None) -> None:
    async with Sink(tls=server_context(tmp_path)[0] if fault else None) as sink:
        sink.faults += [fault] if fault else []
        with pytest.raises(UpstreamUnavailable) as away:
            await connected(sink, tls="starttls", verify=False)
        assert away.value.reply == UPSTREAM_NO_TLS
        assert not any(line.startswith(b"MAIL") for line in sink.commands)


async def test_replies_injected_behind_starttls_are_refused(tmp_path: File) -> None:
    async with Sink(tls=server_context(tmp_path)[0]) as sink:
        sink.faults.append(Fault("STARTTLS", injected=b"250-x\r\n250 AUTH PLAIN\r\n"))
        with pytest.raises(UpstreamUnavailable):
            await connected(sink, tls="starttls", verify=False)


async def test_a_stalled_handshake_ends(tmp_path: File) -> None:
    async with Sink(tls=server_context(tmp_path)[0]) as sink:
        sink.faults.append(Fault("STARTTLS", injected=b"", delay=0, reply=b"220 go\r\n"))
        server = await asyncio.start_server(_says_go_and_sleeps, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            with pytest.raises(UpstreamUnavailable):
                await Upstream.connect(Target("127.0.0.1", port, "starttls", verify=False), timeouts=QUICK)


async def _says_go_and_sleeps(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 hi\r\n")
    await reader.readline()
    writer.write(b"250-hi\r\n250 STARTTLS\r\n")
    await reader.readline()
    writer.write(b"220 go\r\n")
    await reader.read()
    writer.close()


# -- targets


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("127.0.0.1:25", Target("127.0.0.1", 25)),
        ("mx.example:587,starttls", Target("mx.example", 587, "starttls")),
        ("mx.example:465,tls", Target("mx.example", 465, "implicit")),
        ("[::1]:25", Target("::1", 25)),
        ("mx:465,tls,noverify", Target("mx", 465, "implicit", verify=False)),
        ("mx:465,tls,ca=/etc/ca.pem,name=mail", Target("mx", 465, "implicit", True, "/etc/ca.pem", "mail")),
    ],
)
def test_targets_are_read(text: str, target: Target) -> None:
    assert Target.parse(text) == target


@pytest.mark.parametrize(
    "text", ["", "mx", "mx:", ":25", "mx:0", "mx:99999", "mx:²", "::1:25", "mx:25,ssl", "mx:25,noverify"]
)
def test_bad_targets_say_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match="write"):
        Target.parse(text)


def test_a_target_prints_as_it_is_written() -> None:
    assert str(Target.parse("[::1]:465,tls")) == "[::1]:465,tls"
    assert Target("127.0.0.9", 25).is_loopback and Target("localhost", 25).is_loopback
    assert not Target("mx.example", 25).is_loopback


def test_the_context_wants_a_modern_protocol() -> None:
    context = Target("mx", 465, "implicit").context()
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2 and context.check_hostname
