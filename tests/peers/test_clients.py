"""Clients that people really use, through the gateway, into a real Postfix."""

from __future__ import annotations

import base64
import smtplib
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from gateway.smtp.target import Target
from tests.peers.between import REJECTED, Between
from tests.peers.daemon import need
from tests.peers.dovecot import RealDovecot
from tests.peers.far_end import FarEnd
from tests.peers.postfix import RealPostfix

pytestmark = pytest.mark.peers
AGENT, CUSTOMER = "agent@acme.example", "customer@client.example"
TLS = ["plain", "starttls", "implicit"]


@pytest.fixture(scope="module")
def gateway(postfix: RealPostfix, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Between]:
    with Between(Target("127.0.0.1", postfix.port), tmp_path_factory.mktemp("gateway")) as between:
        yield between


@pytest.fixture
def marker() -> str:
    return f"marker-{uuid4().hex}"


def mail(marker: str, *more: str, body: str = "hello\r\n") -> bytes:
    head = (f"From: {AGENT}", f"To: {CUSTOMER}", f"Subject: {marker}", "Date: Sat, 21 Nov 2026 12:00:00 +0000")
    return ("\r\n".join((*head, f"Message-ID: <{marker}@acme.example>", *more, "", body))).encode()


def run(*command: str, stdin: bytes = b"", cwd: Path | None = None) -> str:
    done = subprocess.run(command, input=stdin, capture_output=True, timeout=30, cwd=cwd)
    said = (done.stdout + done.stderr).decode("utf-8", "replace")
    assert done.returncode == 0, said
    return said


def open_session(gateway: Between, tls: str) -> smtplib.SMTP:
    context = ssl.create_default_context(cafile=gateway.ca_file)
    if tls == "implicit":
        return smtplib.SMTP_SSL("localhost", gateway.ports[tls], timeout=10, context=context)
    client = smtplib.SMTP("localhost", gateway.ports[tls], timeout=10)
    if tls == "starttls":
        client.starttls(context=context)
    return client


# -- smtplib, which says everything one asks it to


@pytest.mark.parametrize("tls", TLS)
def test_smtplib_passes_octet_for_octet(gateway: Between, far_end: FarEnd, marker: str, tls: str) -> None:
    sent = mail(marker, "X-Odd:  two  blanks ", body=".\r\n..\r\n\ttab \r\n" + "long" * 400 + "\r\n\r\n")
    with open_session(gateway, tls) as client:
        client.sendmail(AGENT, [CUSTOMER], sent)
    # what a later relay puts in front is its own affair; from our line on, nothing may differ
    raw = far_end.mail_with(marker.encode()).raw
    assert raw.split(b"Received: by gateway.example\r\n", 1)[1] == sent


def test_smtplib_dsn_and_smtputf8_arrive(gateway: Between, far_end: FarEnd, marker: str) -> None:
    with open_session(gateway, "plain") as client:
        client.ehlo()
        for keyword in ("dsn", "smtputf8", "8bitmime", "size", "enhancedstatuscodes", "pipelining"):
            assert client.has_extn(keyword)
        assert not client.has_extn("chunking") and not client.has_extn("etrn")
        assert client.mail("jürgen@acme.example", ["SMTPUTF8", "BODY=8BITMIME", "RET=hdrs", "ENVID=QQ+2B1"])[0] == 250
        assert client.rcpt(CUSTOMER, ["NOTIFY=success,FAILURE", "ORCPT=rfc822;Customer+2Bx@client.example"])[0] == 250
        assert client.data(mail(marker, body="grüße\r\n"))[0] == 250
    arrived = far_end.mail_with(marker.encode())
    assert "jürgen@acme.example".encode() in arrived.mail_from_arg
    assert b"ENVID=QQ+2B1" in arrived.mail_from_arg and b"RET=HDRS" in arrived.mail_from_arg.upper()
    assert b"ORCPT=rfc822;Customer+2Bx@client.example" in arrived.rcpt_args[0]
    assert b"NOTIFY=SUCCESS,FAILURE" in arrived.rcpt_args[0].upper()
    assert "grüße".encode() in arrived.raw


def test_an_unknown_recipient_is_refused_at_rcpt_in_postfix_s_words(
    gateway: Between, postfix: RealPostfix, far_end: FarEnd, marker: str
) -> None:
    said = []
    for port in (postfix.port, gateway.ports["plain"]):
        with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
            client.ehlo("client.acme.example")
            client.mail(AGENT)
            said.append(client.rcpt("nobody@client.example"))
            assert client.rcpt(CUSTOMER)[0] == 250
            assert client.data(mail(marker + str(len(said))))[0] == 250
    assert said[0] == said[1] and said[0][0] == 554
    assert [arg.split()[0] for arg in far_end.mail_with((marker + "2").encode()).rcpt_args] == [
        b"<%s>" % CUSTOMER.encode()
    ]


def test_a_refusal_of_the_gate_reaches_the_client(gateway: Between, far_end: FarEnd, marker: str) -> None:
    with open_session(gateway, "plain") as client:
        with pytest.raises(smtplib.SMTPDataError) as refused:
            client.sendmail(AGENT, [CUSTOMER], mail(marker, "X-Test: reject"))
        assert refused.value.smtp_code == REJECTED.code
        client.sendmail(AGENT, [CUSTOMER], mail(marker + "-next"))
    far_end.mail_with((marker + "-next").encode())
    assert not any(mail.raw.count(b"X-Test: reject") for mail in far_end.sink.messages)


@pytest.mark.parametrize("tls", TLS)
def test_auth_plain_and_login(gateway: Between, dovecot: RealDovecot, far_end: FarEnd, marker: str, tls: str) -> None:
    for mechanism in ("PLAIN", "LOGIN"):
        with open_session(gateway, tls) as client:
            client.ehlo()
            assert "CRAM" not in client.esmtp_features["auth"]
            client.user, client.password = AGENT, dovecot.password
            assert client.auth(mechanism, getattr(client, f"auth_{mechanism.lower()}"))[0] == 235
            client.sendmail(AGENT, [CUSTOMER], mail(marker + mechanism))
        far_end.mail_with((marker + mechanism).encode())
        assert gateway.gate.seen[-1].auth_identity == AGENT


def test_a_wrong_password_is_refused_in_postfix_s_words(gateway: Between) -> None:
    with open_session(gateway, "starttls") as client:
        with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
            client.login(AGENT, "wrong")
        assert refused.value.smtp_code == 535


@pytest.mark.parametrize("padding", [0, 3500])
def test_xoauth2(gateway: Between, dovecot: RealDovecot, far_end: FarEnd, marker: str, padding: int) -> None:
    with open_session(gateway, "starttls") as client:
        client.ehlo()
        for seconds, code in ((-5, 535), (600, 235)):
            token = dovecot.token(AGENT, seconds=seconds, padding=padding)
            first = base64.b64encode(f"user={AGENT}\1auth=Bearer {token}\1\1".encode()).decode()
            if padding:  # Postfix takes 2048 octets in a command, and 12288 in answer to its prompt
                assert client.docmd("AUTH", "XOAUTH2") == (334, b"")
                got, _ = client.docmd(first)
            else:
                got, _ = client.docmd("AUTH", "XOAUTH2 " + first)
            if got == 334:
                got, _ = client.docmd("")
            assert got == code
        client.sendmail(AGENT, [CUSTOMER], mail(marker))
    far_end.mail_with(marker.encode())
    assert gateway.gate.seen[-1].auth_identity == AGENT


@pytest.mark.parametrize("upstream_tls", ["starttls", "implicit"])
def test_tls_towards_postfix(
    postfix: RealPostfix, dovecot: RealDovecot, far_end: FarEnd, tmp_path: Path, marker: str, upstream_tls: str
) -> None:
    port = postfix.tls_port if upstream_tls == "implicit" else postfix.port
    target = Target("localhost", port, upstream_tls, ca_file=str(postfix.ca_file))  # type: ignore[arg-type]
    with Between(target, tmp_path) as gateway, open_session(gateway, "starttls") as client:
        client.login(AGENT, dovecot.password)
        client.sendmail(AGENT, [CUSTOMER], mail(marker))
        assert b"with ESMTPSA" in far_end.mail_with(marker.encode()).raw  # Postfix's own word for it


# -- the others


@pytest.mark.parametrize("tls", TLS)
def test_swaks(gateway: Between, dovecot: RealDovecot, far_end: FarEnd, marker: str, tls: str) -> None:
    need("swaks")
    switches = {"plain": [], "starttls": ["--tls"], "implicit": ["--tlsc"]}[tls]
    login = ["--auth", "PLAIN", "--auth-user", AGENT, "--auth-password", dovecot.password] if tls != "plain" else []
    server = f"127.0.0.1:{gateway.ports[tls]}"
    subject = f"Subject: {marker}"
    run("swaks", "--server", server, "--from", AGENT, "--to", CUSTOMER, "--header", subject, *switches, *login)
    assert far_end.mail_with(marker.encode()).rcpt_args[0].startswith(b"<%s>" % CUSTOMER.encode())


@pytest.mark.parametrize(
    ("tls", "auth"), [("plain", None), ("starttls", "plain"), ("implicit", "login"), ("starttls", "xoauth2")]
)
def test_msmtp(
    gateway: Between, dovecot: RealDovecot, far_end: FarEnd, marker: str, tmp_path: Path, tls: str, auth: str | None
) -> None:
    need("msmtp")
    lines = ["account default", "host localhost", f"port {gateway.ports[tls]}", f"from {AGENT}"]
    lines += ["dsn_notify failure,delay", "dsn_return headers"]
    if tls != "plain":
        lines += ["tls on", f"tls_starttls {'on' if tls == 'starttls' else 'off'}", f"tls_trust_file {gateway.ca_file}"]
    if auth:
        secret = dovecot.token(AGENT) if auth == "xoauth2" else dovecot.password
        lines += [f"auth {auth}", f"user {AGENT}", f"password {secret}"]
    (tmp_path / "msmtprc").write_text("\n".join(lines) + "\n")
    (tmp_path / "msmtprc").chmod(0o600)
    run("msmtp", "-C", str(tmp_path / "msmtprc"), CUSTOMER, stdin=mail(marker).replace(b"\r\n", b"\n"))
    arrived = far_end.mail_with(marker.encode())
    assert b"RET=HDRS" in arrived.mail_from_arg.upper() and b"NOTIFY=" in arrived.rcpt_args[0].upper()


@pytest.mark.parametrize("tls", TLS)
def test_mutt(gateway: Between, dovecot: RealDovecot, far_end: FarEnd, marker: str, tmp_path: Path, tls: str) -> None:
    need("mutt")
    scheme = "smtps" if tls == "implicit" else "smtp"
    user = "" if tls == "plain" else AGENT.replace("@", "%40") + "@"
    rc = [f'set smtp_url="{scheme}://{user}localhost:{gateway.ports[tls]}"', f'set smtp_pass="{dovecot.password}"']
    rc += [f'set from="{AGENT}"', "set use_envelope_from", "set hostname=acme.example", "set copy=no"]
    rc += [
        f"set ssl_force_tls={'no' if tls == 'plain' else 'yes'}",
        f'set ssl_ca_certificates_file="{gateway.ca_file}"',
    ]
    rc += [f'set folder="{tmp_path}"', 'set smtp_authenticators="plain"']
    (tmp_path / "muttrc").write_text("\n".join(rc) + "\n")
    run("mutt", "-n", "-F", str(tmp_path / "muttrc"), "-s", marker, "--", CUSTOMER, stdin=b"hello\n", cwd=tmp_path)
    assert AGENT.encode() in far_end.mail_with(marker.encode()).mail_from_arg


@pytest.mark.parametrize(("tls", "auth"), [("plain", None), ("starttls", "PLAIN"), ("implicit", "XOAUTH2")])
def test_curl(
    gateway: Between, dovecot: RealDovecot, far_end: FarEnd, marker: str, tmp_path: Path, tls: str, auth: str | None
) -> None:
    need("curl")
    (tmp_path / "mail").write_bytes(mail(marker))
    scheme = "smtps" if tls == "implicit" else "smtp"
    command = ["curl", "-sS", "--url", f"{scheme}://localhost:{gateway.ports[tls]}/client.acme.example"]
    command += ["--mail-from", AGENT, "--mail-rcpt", CUSTOMER, "--upload-file", str(tmp_path / "mail")]
    if tls != "plain":
        command += ["--ssl-reqd", "--cacert", gateway.ca_file]
    if auth == "PLAIN":
        command += ["--login-options", "AUTH=PLAIN", "--user", f"{AGENT}:{dovecot.password}"]
    if auth == "XOAUTH2":
        command += ["--login-options", "AUTH=XOAUTH2", "--user", f"{AGENT}:", "--oauth2-bearer", dovecot.token(AGENT)]
    run(*command)
    far_end.mail_with(marker.encode())
    assert gateway.gate.seen[-1].auth_identity == (AGENT if auth else None)
