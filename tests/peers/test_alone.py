"""The real peers by themselves, without a gateway: what the other tests here stand on."""

from __future__ import annotations

import base64
import smtplib
import ssl

import pytest

from tests.peers.dovecot import RealDovecot
from tests.peers.exim import RealExim
from tests.peers.far_end import FarEnd
from tests.peers.opensmtpd import RealOpenSMTPD
from tests.peers.postfix import RealPostfix

pytestmark = pytest.mark.peers
MAIL = (
    b"From: a@x.example\r\nTo: b@y.example\r\nSubject: %s\r\n"
    b"Date: Sat, 21 Nov 2026 12:00:00 +0000\r\nMessage-ID: <%s@x>\r\n\r\n.\r\nhi\r\n"
)


def trusting(postfix: RealPostfix) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(postfix.ca_file))


def test_a_peer_relays_to_the_far_end(peer: RealPostfix | RealExim | RealOpenSMTPD, far_end: FarEnd) -> None:
    marker = b"alone-" + peer.name.encode()
    with smtplib.SMTP(peer.host, peer.port, timeout=10) as client:
        client.sendmail(f"{peer.name}@x.example", ["b@y.example"], MAIL % (marker, marker))
    mail = far_end.mail_with(marker)
    assert mail.raw.endswith(b"\r\n\r\n.\r\nhi\r\n") and mail.rcpt_args[0].startswith(b"<b@y.example>")
    peer.settle()
    assert peer.accepted().count(f"{peer.name}@x.example") == 1


def test_postfix_refuses_nobody_at_rcpt_and_carries_dsn_and_smtputf8(postfix: RealPostfix, far_end: FarEnd) -> None:
    with smtplib.SMTP(postfix.host, postfix.port, timeout=10) as client:
        client.ehlo()
        assert client.has_extn("dsn") and client.has_extn("smtputf8")
        client.mail("jürgen@x.example", ["SMTPUTF8", "RET=HDRS", "ENVID=QQ314159"])
        assert client.rcpt("nobody@y.example")[0] == 554
        assert client.rcpt("b@y.example", ["NOTIFY=FAILURE,DELAY", "ORCPT=rfc822;B@y.example"])[0] == 250
        assert client.data(MAIL % (b"dsn-alone", b"dsn-alone"))[0] == 250
    mail = far_end.mail_with(b"dsn-alone")
    assert "jürgen".encode() in mail.mail_from_arg and b"ENVID=QQ314159" in mail.mail_from_arg
    assert b"NOTIFY=FAILURE,DELAY" in mail.rcpt_args[0] and b"ORCPT=rfc822;B@y.example" in mail.rcpt_args[0]


@pytest.mark.parametrize("implicit", [False, True])
def test_postfix_speaks_tls_and_knows_the_accounts(postfix: RealPostfix, dovecot: RealDovecot, implicit: bool) -> None:
    client: smtplib.SMTP
    if implicit:
        client = smtplib.SMTP_SSL("localhost", postfix.tls_port, timeout=10, context=trusting(postfix))
    else:
        client = smtplib.SMTP("localhost", postfix.port, timeout=10)
        client.starttls(context=trusting(postfix))
    with client:
        assert client.login("agent@x.example", dovecot.password)[0] == 235


def test_dovecot_takes_tokens(postfix: RealPostfix, dovecot: RealDovecot) -> None:
    for seconds, code in ((600, 235), (-5, 535)):
        with smtplib.SMTP(postfix.host, postfix.port, timeout=10) as client:
            client.ehlo()
            assert b"XOAUTH2" in client.ehlo_resp
            token = dovecot.token("agent@x.example", seconds=seconds)
            first = base64.b64encode(f"user=agent@x.example\1auth=Bearer {token}\1\1".encode()).decode()
            got, _ = client.docmd("AUTH", "XOAUTH2 " + first)
            if got == 334:
                got, _ = client.docmd("")
            assert got == code
