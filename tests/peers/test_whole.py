"""The whole gateway among real peers: what passes arrives as it was, what is held does not, and somebody is told."""

from __future__ import annotations

import smtplib
import ssl
import time
from collections.abc import Iterator
from email.message import EmailMessage
from uuid import uuid4

import pytest

from tests.peers.dovecot import RealDovecot
from tests.peers.far_end import FarEnd
from tests.peers.postfix import RealPostfix
from tests.peers.test_clients import run
from tests.peers.whole import WholeGateway

pytestmark = pytest.mark.peers
AGENT, CUSTOMER = "dana.cole@acme.example", "lena.vogel@client.example"
NO = "No."
YES = "I have reset your password; please try again and tell me if it still fails."


@pytest.fixture(scope="module")
def gateway(postfix: RealPostfix) -> Iterator[WholeGateway]:
    server = WholeGateway(postfix.port)
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(scope="module")
def filtered(far_end: FarEnd) -> Iterator[tuple[RealPostfix, WholeGateway]]:
    """Postfix, with the gateway as its `smtpd_proxy_filter`, and the same Postfix behind it."""
    postfix = RealPostfix(far_end.port, front="smtpd_proxy_filter")
    gateway = WholeGateway(postfix.reinject_port)
    postfix.filter_port = gateway.ports["proxy-filter"]
    try:
        gateway.start()
        postfix.start()
        yield postfix, gateway
    finally:
        postfix.stop()
        gateway.stop()


@pytest.fixture
def marker() -> str:
    return f"whole-{uuid4().hex}"


def answer(marker: str, text: str) -> bytes:
    """An agent's answer to a customer's question, the question below it."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = f"Dana Cole <{AGENT}>", CUSTOMER, f"Re: VPN {marker}"
    message["Date"], message["Message-ID"] = "Fri, 20 Nov 2026 10:00:00 +0100", f"<{marker}@acme.example>"
    message["In-Reply-To"] = f"<q-{marker}@client.example>"
    quote = f"On Fri, 20 Nov 2026 at 09:00, Lena Vogel <{CUSTOMER}> wrote:\n> Can you open port 993 for me?\n"
    message.set_content(f"{text}\n\n{quote}")
    return message.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def notice_about(far_end: FarEnd, marker: str, seconds: float = 15.0) -> bytes:
    """The note that the agent gets about a held mail."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for mail in tuple(far_end.sink.messages):
            if mail.rcpt_args[0].startswith(b"<%s>" % AGENT.encode()) and marker.encode() in mail.raw:
                return mail.raw
        time.sleep(0.02)
    raise AssertionError("no notice came")


@pytest.mark.parametrize("kind", ["plain", "starttls", "implicit"])
def test_what_passes_is_the_same_but_for_our_line(
    gateway: WholeGateway, far_end: FarEnd, marker: str, kind: str
) -> None:
    sent = answer(marker, YES)
    context = ssl.create_default_context(cafile=gateway.ca_file)
    port = gateway.ports[kind]
    client = (
        smtplib.SMTP_SSL("localhost", port, context=context) if kind == "implicit" else smtplib.SMTP("localhost", port)
    )
    with client:
        if kind == "starttls":
            client.starttls(context=context)
        client.sendmail(AGENT, [CUSTOMER], sent)
    raw = far_end.mail_with(marker.encode()).raw
    head, found, _ = raw.partition(sent)
    assert found and head.count(b"by gateway.example") == 1
    assert (b"with ESMTPS" in head.split(b"by gateway.example")[1]) == (kind != "plain")


def test_a_bare_no_is_held_and_the_agent_is_told(gateway: WholeGateway, far_end: FarEnd, marker: str) -> None:
    server = f"127.0.0.1:{gateway.ports['plain']}"
    said = run("swaks", "--server", server, "--from", AGENT, "--to", CUSTOMER, "--data", "-", stdin=answer(marker, NO))
    assert "Held" in said
    assert b"gateway" in notice_about(far_end, marker)
    assert not any(
        mail.rcpt_args[0].startswith(b"<%s>" % CUSTOMER.encode()) and marker.encode() in mail.raw
        for mail in far_end.sink.messages
    )


def test_login_through_the_whole_gateway(
    gateway: WholeGateway, dovecot: RealDovecot, far_end: FarEnd, marker: str
) -> None:
    context = ssl.create_default_context(cafile=gateway.ca_file)
    with smtplib.SMTP("localhost", gateway.ports["starttls"]) as client:
        client.starttls(context=context)
        assert client.login(AGENT, dovecot.password)[0] == 235
        client.sendmail(AGENT, [CUSTOMER], answer(marker, YES))
    assert b"ESMTPSA" in far_end.mail_with(marker.encode()).raw
    assert dovecot.password not in gateway.said()


def test_as_a_filter_in_postfix(filtered: tuple[RealPostfix, WholeGateway], far_end: FarEnd, marker: str) -> None:
    postfix, _ = filtered
    with smtplib.SMTP("127.0.0.1", postfix.front_port, timeout=20) as client:
        client.sendmail(AGENT, [CUSTOMER], answer(marker + "-yes", YES))
        client.sendmail(AGENT, [CUSTOMER], answer(marker + "-no", NO))
    assert far_end.mail_with((marker + "-yes").encode()).rcpt_args[0].startswith(b"<%s>" % CUSTOMER.encode())
    notice_about(far_end, marker + "-no")
    postfix.settle()
    assert sum((marker + "-yes").encode() in mail.raw for mail in far_end.sink.messages) == 1
