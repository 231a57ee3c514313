"""The postbox: the gateway's own mail and released holds, exact, all or nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.smtp.gate import UpstreamLost
from gateway.smtp.postbox import Credential, Postbox
from gateway.smtp.sink import Fault, Sink
from gateway.smtp.target import Target, Timeouts
from gateway.smtp.upstream import UpstreamUnavailable
from tests.smtp.certificates import server_context

QUICK = Timeouts(connect=2, greeting=1, command=1, data_init=1, data_block=1, data_done=1, data_total=3, quit=1)
RAW = b".hidden: 1\r\nSubject: x\r\n\r\n.\r\n..\r\nend\r\n"
FROM = b"<agent@x.example> RET=HDRS ENVID=QQ1"
TO = [b"<b@y.example> NOTIFY=failure ORCPT=rfc822;b@y.example", b"<c@y.example>"]


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    async with Sink() as server:
        yield server


def postbox(sink: Sink, credential: Credential | None = None, **options: object) -> Postbox:
    return Postbox(Target(sink.host, sink.port, **options), credential, b"gw.example", QUICK)  # type: ignore[arg-type]


async def test_a_hold_leaves_as_it_was(sink: Sink) -> None:
    delivery = await postbox(sink).send(FROM, TO, RAW)
    assert delivery.delivered and delivery.step == "dot" and delivery.refused == ()
    (mail,) = sink.messages
    assert mail.raw == RAW and mail.mail_from_arg == FROM and mail.rcpt_args == tuple(TO)
    assert sink.commands[-1] == b"QUIT"


async def test_one_refused_recipient_stops_the_whole(sink: Sink) -> None:
    sink.faults.append(Fault("RCPT", match=b"<c@", reply=b"550 5.1.1 Gone\r\n"))
    delivery = await postbox(sink).send(FROM, TO, RAW)
    assert not delivery.delivered and delivery.step == "rcpt" and delivery.final.code == 550
    assert [argument for argument, _ in delivery.refused] == [b"<c@y.example>"]
    assert sink.messages == [] and b"DATA" not in sink.commands


@pytest.mark.parametrize(
    ("fault", "step"),
    [
        (Fault("EHLO", reply=b"421 4.3.2 Busy\r\n"), "hello"),
        (Fault("MAIL", reply=b"451 4.7.1 Later\r\n"), "mail"),
        (Fault("DATA", reply=b"452 4.3.1 Full\r\n"), "data"),
        (Fault("DOT", reply=b"554 5.7.1 Spam\r\n"), "dot"),
    ],
)
async def test_a_refusal_is_told_with_its_step(sink: Sink, fault: Fault, step: str) -> None:
    sink.faults.append(fault)
    delivery = await postbox(sink).send(FROM, TO, RAW)
    assert (delivery.step, delivery.delivered) == (step, False) and sink.messages == []


@pytest.mark.parametrize(
    ("mail_from", "raw", "need", "missing"),
    [
        (FROM, RAW, frozenset(), "DSN"),
        (b"<\xc3\xa9@x.example> SMTPUTF8", RAW, frozenset(), "SMTPUTF8"),
        (b"<a@x.example> BODY=8BITMIME", RAW, frozenset(), "8BITMIME"),
        (b"<a@x.example>", b"x\r\n\r\n\xff\r\n", frozenset(), "8BITMIME"),
        (b"<a@x.example> REQUIRETLS", RAW, frozenset(), "REQUIRETLS"),
        (b"<a@x.example>", RAW, frozenset({"SMTPUTF8"}), "SMTPUTF8"),
        (b'<"a\\"> RET=x"@x.example> SIZE=1', RAW, frozenset(), "SIZE"),
        (b"<a@x.example> X-ODD=1", RAW, frozenset(), "X-ODD"),
    ],
)
async def test_what_is_not_offered_is_never_dropped(
    mail_from: bytes, raw: bytes, need: frozenset[str], missing: str
) -> None:
    async with Sink(offers=[b"PIPELINING"]) as plain:
        delivery = await postbox(plain).send(mail_from, [b"<c@y.example>"], raw, need)
        assert delivery.step == "need" and delivery.final.permanent and missing in delivery.final.text
        assert not any(line.startswith(b"MAIL") for line in plain.commands)


async def test_a_lost_reply_to_the_dot_is_in_doubt(sink: Sink) -> None:
    sink.faults.append(Fault("DOT", drop="before", keep=True))
    with pytest.raises(UpstreamLost) as lost:
        await postbox(sink).send(FROM, TO, RAW)
    assert lost.value.in_doubt and sink.connections == 1 and len(sink.messages) == 1


async def test_nobody_there() -> None:
    async with Sink() as sink:
        gone = postbox(sink)
    with pytest.raises(UpstreamUnavailable):
        await gone.send(FROM, TO, RAW)


@pytest.mark.parametrize(
    ("mail_from", "to", "raw"), [(FROM, TO, b"a\n"), (b"<>\r\nRSET", TO, RAW), (FROM, [b"<b>\n"], RAW), (FROM, [], RAW)]
)
async def test_what_could_smuggle_is_refused(sink: Sink, mail_from: bytes, to: list[bytes], raw: bytes) -> None:
    with pytest.raises(ValueError):
        await postbox(sink).send(mail_from, to, raw)
    assert sink.messages == []


async def test_what_must_be_written_down_first_stops_the_mail_when_it_cannot_be(sink: Sink) -> None:
    noted: list[str] = []

    async def note() -> None:
        noted.append("about to send")
        assert sink.messages == [] and sink.commands[-1] == b"DATA"

    async def fail() -> None:
        raise OSError("the store is away")

    assert (await postbox(sink).send(FROM, TO, RAW, before_content=note)).delivered and noted == ["about to send"]
    with pytest.raises(OSError, match="store"):
        await postbox(sink).send(FROM, TO, RAW, before_content=fail)
    assert len(sink.messages) == 1


# -- the gateway's own credential


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
@pytest.mark.parametrize("mechanisms", [b"AUTH PLAIN LOGIN XOAUTH2", b"AUTH LOGIN"])
async def test_auth_over_tls(tmp_path: Path, tls: str, mechanisms: bytes) -> None:
    context, ca = server_context(tmp_path)
    async with Sink(tls=context, implicit=tls == "implicit", users={"gw": "se cret"}) as sink:
        sink.faults.append(
            Fault("EHLO", times=None, reply=b"250-sink\r\n250-STARTTLS\r\n250-DSN\r\n250 " + mechanisms + b"\r\n")
        )
        box = postbox(sink, Credential("gw", "se cret"), tls=tls, ca_file=ca)
        assert (await box.check()).final.positive
        assert (await box.send(FROM, TO, RAW)).delivered
        assert sink.messages[0].auth == "gw" and sink.messages[0].tls


async def test_a_wrong_password_is_told_and_nothing_is_sent(sink: Sink) -> None:
    sink.users = {"gw": "right"}
    box = postbox(sink, Credential("gw", "wrong"))
    delivery = await box.send(FROM, TO, RAW)
    assert delivery.step == "auth" and delivery.final.code == 535 and sink.messages == []
    assert (await box.check()).step == "auth"


async def test_the_credential_never_travels_in_the_clear(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    sink.users = {"gw": "p"}
    monkeypatch.setattr(Target, "is_loopback", False)
    delivery = await postbox(sink, Credential("gw", "p")).send(FROM, TO, RAW)
    assert delivery.step == "auth" and not any(line.startswith(b"AUTH") for line in sink.commands)


async def test_no_auth_offered(sink: Sink) -> None:
    delivery = await postbox(sink, Credential("gw", "p")).send(FROM, TO, RAW)
    assert delivery.step == "auth" and sink.messages == []


def test_the_password_is_in_no_repr() -> None:
    assert "p4ss" not in repr(Credential("gw", "p4ss"))
