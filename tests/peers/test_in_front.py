"""A real Postfix in front of the gateway, as README tells people to set it up, and a real one that grows impatient."""

from __future__ import annotations

import smtplib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from gateway.smtp.target import Target
from tests.peers.between import Between
from tests.peers.daemon import free_port
from tests.peers.far_end import FarEnd
from tests.peers.postfix import RealPostfix

pytestmark = pytest.mark.peers
AGENT, CUSTOMER = "agent@acme.example", "customer@client.example"


def mail(marker: str, *more: str) -> bytes:
    head = (f"From: {AGENT}", f"To: {CUSTOMER}", f"Subject: {marker}", f"Message-ID: <{marker}@acme.example>", *more)
    return "\r\n".join((*head, "Date: Sat, 21 Nov 2026 12:00:00 +0000", "", ".", "hello", "")).encode()


@pytest.fixture
def marker() -> str:
    return f"front-{uuid4().hex}"


@contextmanager
def standing(front: str, far_end: FarEnd, folder: Path) -> Iterator[tuple[RealPostfix, Between]]:
    """One Postfix on both sides: front port, gateway, re-injection port, far end."""
    postfix = RealPostfix(far_end.port, front=front)
    with Between(Target("127.0.0.1", postfix.reinject_port), folder) as gateway:
        postfix.filter_port = gateway.ports["proxy-filter" if front == "smtpd_proxy_filter" else "plain"]
        try:
            postfix.start()
            yield postfix, gateway
        finally:
            postfix.stop()


@pytest.fixture(scope="module")
def before_queue(far_end: FarEnd, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RealPostfix, Between]]:
    with standing("smtpd_proxy_filter", far_end, tmp_path_factory.mktemp("before")) as both:
        yield both


@pytest.fixture(scope="module")
def after_queue(far_end: FarEnd, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RealPostfix, Between]]:
    with standing("content_filter", far_end, tmp_path_factory.mktemp("after")) as both:
        yield both


def client(postfix: RealPostfix) -> smtplib.SMTP:
    return smtplib.SMTP("127.0.0.1", postfix.front_port, "client.acme.example", timeout=10)


Both = tuple[RealPostfix, Between]


def test_proxy_filter_passes_the_mail_and_who_the_client_is(before_queue: Both, far_end: FarEnd, marker: str) -> None:
    postfix, gateway = before_queue
    with client(postfix) as smtp:
        smtp.ehlo()
        assert smtp.mail(AGENT, ["RET=HDRS", "ENVID=E1"])[0] == 250
        assert smtp.rcpt(CUSTOMER, ["NOTIFY=FAILURE", f"ORCPT=rfc822;{CUSTOMER}"])[0] == 250
        assert smtp.data(mail(marker))[0] == 250
    arrived = far_end.mail_with(marker.encode())
    assert arrived.raw.endswith(b"\r\n\r\n.\r\nhello\r\n") and b"ENVID=E1" in arrived.mail_from_arg
    assert b"NOTIFY=FAILURE" in arrived.rcpt_args[0]
    seen = gateway.gate.seen[-1]
    assert seen.listener == "proxy-filter" and seen.peer_listed and seen.envelope.recipients == (CUSTOMER,)
    # XFORWARD went through us: behind, Postfix logs the client and not the gateway
    assert "client=unknown[127.0.0.1]" in postfix.said() and "proxy-accept" in postfix.said()
    assert "client=gateway.example" not in postfix.said()


def test_proxy_filter_rejects_while_the_client_waits(before_queue: Both, far_end: FarEnd, marker: str) -> None:
    postfix, _ = before_queue
    with client(postfix) as smtp:
        with pytest.raises(smtplib.SMTPDataError) as refused:
            smtp.sendmail(AGENT, [CUSTOMER], mail(marker, "X-Test: reject"))
        assert refused.value.smtp_code == 550 and b"add the person who asked" in refused.value.smtp_error
        smtp.sendmail(AGENT, [CUSTOMER], mail(marker + "-next"))
    far_end.mail_with((marker + "-next").encode())
    postfix.settle()
    assert not any(b"X-Test: reject" in mail.raw for mail in far_end.sink.messages)


def test_proxy_filter_takes_what_postfix_took(before_queue: Both, far_end: FarEnd, marker: str) -> None:
    postfix, gateway = before_queue
    with client(postfix) as smtp:
        smtp.ehlo()
        assert smtp.docmd("MAIL", f"FROM: {AGENT}")[0] == 250  # no brackets, a blank: Postfix allows both
        assert smtp.docmd("RCPT", f"TO: {CUSTOMER}")[0] == 250
        assert smtp.docmd("RCPT", 'TO:<"two words"@client.example>')[0] == 250
        assert smtp.docmd("RCPT", "TO:<@relay.example:routed@client.example>")[0] == 250
        assert smtp.data(mail(marker))[0] == 250
    far_end.mail_with(marker.encode())
    assert set(gateway.gate.seen[-1].envelope.recipients) >= {CUSTOMER, "routed@client.example"}


def test_proxy_filter_while_the_server_behind_is_away(far_end: FarEnd, tmp_path: Path, marker: str) -> None:
    postfix = RealPostfix(far_end.port, front="smtpd_proxy_filter")
    with Between(Target("127.0.0.1", free_port()), tmp_path) as gateway:
        postfix.filter_port = gateway.ports["proxy-filter"]
        try:
            postfix.start()
            with client(postfix) as smtp:
                smtp.ehlo()
                codes = [smtp.mail(AGENT)[0], smtp.rcpt(CUSTOMER)[0]]
            assert codes == [250, 451]  # Postfix asks its filter at the first recipient
            end = time.monotonic() + 10  # the log is written by a process of its own
            while "4.4.1" not in postfix.said() and time.monotonic() < end:
                time.sleep(0.05)
            assert "4.4.1" in postfix.said()
        finally:
            postfix.stop()


def test_content_filter_passes_the_mail_after_the_queue(after_queue: Both, far_end: FarEnd, marker: str) -> None:
    postfix, gateway = after_queue
    with client(postfix) as smtp:
        smtp.ehlo()
        assert smtp.mail("jürgen@acme.example", ["SMTPUTF8", "ENVID=E2"])[0] == 250
        assert smtp.rcpt(CUSTOMER, ["NOTIFY=FAILURE,DELAY"])[0] == 250
        assert smtp.data(mail(marker))[0] == 250
    arrived = far_end.mail_with(marker.encode())
    assert "jürgen".encode() in arrived.mail_from_arg and b"ENVID=E2" in arrived.mail_from_arg
    assert b"NOTIFY=FAILURE,DELAY" in arrived.rcpt_args[0]
    postfix.settle()
    assert sum(marker.encode() in mail.raw for mail in far_end.sink.messages) == 1
    assert gateway.gate.seen[-1].listener == "smtp"


def test_content_filter_bounces_what_the_gate_rejects(after_queue: Both, far_end: FarEnd, marker: str) -> None:
    postfix, _ = after_queue
    with client(postfix) as smtp:
        smtp.sendmail(AGENT, [CUSTOMER], mail(marker, "X-Test: reject"))
    postfix.settle()
    bounce = next(m for m in far_end.sink.messages if m.mail_from_arg.startswith(b"<>") and marker.encode() in m.raw)
    assert bounce.rcpt_args[0].startswith(b"<%s>" % AGENT.encode()) and b"add the person who asked" in bounce.raw


def test_a_postfix_that_timed_out_is_told_the_envelope_again(far_end: FarEnd, tmp_path: Path, marker: str) -> None:
    postfix = RealPostfix(far_end.port, settings={"smtpd_timeout": "1s"})
    try:
        postfix.start()
        with Between(Target("127.0.0.1", postfix.port), tmp_path) as gateway:
            with smtplib.SMTP("127.0.0.1", gateway.ports["plain"], timeout=10) as smtp:
                smtp.ehlo()
                smtp.mail(AGENT, ["ENVID=E3"])
                assert smtp.rcpt("nobody@client.example")[0] == 554
                smtp.rcpt(CUSTOMER)
                assert smtp.docmd("DATA")[0] == 354
                half = mail(marker)
                smtp.send(half[:20])
                time.sleep(1.5)  # Postfix says 421 and closes, while we read the client's upload
                smtp.send(half[20:].replace(b"\r\n.\r\n", b"\r\n..\r\n") + b".\r\n")
                assert smtp.getreply()[0] == 250
            arrived = far_end.mail_with(marker.encode())
            assert b"ENVID=E3" in arrived.mail_from_arg and len(arrived.rcpt_args) == 1
        assert "timeout after RCPT" in postfix.said()
    finally:
        postfix.stop()
