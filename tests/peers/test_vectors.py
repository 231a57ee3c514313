"""Smuggling: whatever a client writes where an end of data or an envelope might be seen, one mail at most comes out.

Postfix trusts loopback here, and so skips its own protection: that is how a gateway's upstream usually stands.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.smtp.target import Target
from tests.peers.between import Between
from tests.peers.exim import RealExim
from tests.peers.far_end import FarEnd
from tests.peers.opensmtpd import RealOpenSMTPD
from tests.peers.postfix import RealPostfix

pytestmark = pytest.mark.peers
Peer = RealPostfix | RealExim | RealOpenSMTPD

ENDS = [
    b"\n.\n",
    b"\n.\r\n",
    b"\r\n.\n",
    b"\r.\r",
    b"\r.\r\n",
    b"\r\n.\r",
    b"\n.\r",
    b"\r.\n",
    b"\r\n\0.\r\n",
    b"\r\n.\0\r\n",
    b"\r\n\0.\0\r\n",
    b"\r\n.\r\r\n",
    b"\r\r\n.\r\r\n",
    b"\n\n.\r\n",
    b"\n\r.\r\n",
    b"\r\n..\r\n",
    b"\r\n. \r\n",
    b"\r\n .\r\n",
    b"\r\n\r.\r\n",
    b"\r\n.\x0b\r\n",
    b"\r\n.\x0c\r\n",
    b"\xe2\x80\xa8.\xe2\x80\xa8",
    b"\x85.\x85",
]


def smuggling(end: bytes, name: str) -> tuple[bytes, bytes]:
    """What comes before DATA's 354 and what after it: a mail from `name`@outer with a second one behind `end`."""
    before = b"EHLO c.example\r\nMAIL FROM:<%s@outer.example>\r\nRCPT TO:<b@y.example>\r\nDATA\r\n" % name.encode()
    head = b"Subject: %s\r\nMessage-ID: <%s@outer.example>\r\n\r\nfirst" % (name.encode(), name.encode())
    inner = b"MAIL FROM:<%s@smuggled.example>\r\nRCPT TO:<c@y.example>\r\nDATA\r\n" % name.encode()
    return before, head + end + inner + b"Subject: smuggled\r\n\r\nsecond\r\n.\r\n"


class Line:
    """A client that writes octets where it is told to cut them, and waits for replies."""

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        plain = socket.create_connection(("127.0.0.1", port), timeout=10)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = tls.wrap_socket(plain, server_hostname="localhost") if tls else plain
        self._rest = b""
        self.reply()

    def reply(self) -> bytes:
        """One reply, as far as it goes; b"" at the end of the connection."""
        said = b""
        while True:
            while b"\n" not in self._rest:
                try:
                    data = self.socket.recv(65536)
                except (ConnectionError, TimeoutError):
                    data = b""
                if not data:
                    return said
                self._rest += data
            line, _, self._rest = self._rest.partition(b"\n")
            said += line + b"\n"
            if line[3:4] != b"-":
                return said

    def command(self, line: bytes) -> bytes:
        """The reply to one line; b"" when the other side has closed, as it may."""
        try:
            self.socket.sendall(line)
        except OSError:
            return b""
        return self.reply()

    def end(self) -> bytes:
        """QUIT, and everything that is still said."""
        try:
            self.socket.sendall(b"QUIT\r\n")
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        said = b""
        while more := self.reply():
            said += more
        self.socket.close()
        return said


def smuggle(line: Line, end: bytes, name: str, cut: int | None) -> bytes:
    """Play it; `cut` counts octets into the end-of-data look-alike. What was said after the content."""
    before, content = smuggling(end, name)
    for command in before.splitlines(keepends=True):
        said = line.command(command)
    assert said.startswith(b"354"), said
    at = None if cut is None else content.index(b"first") + 5 + cut
    line.socket.sendall(content[:at])
    if at is not None:
        time.sleep(0.003)
        line.socket.sendall(content[at:])
    return line.end()


def counted(peer: Peer, names: list[str], marker: str) -> dict[str, int]:
    """How many mails the peer took for each name, once it has taken the mail `marker` that came after all of them."""
    line = Line(peer.port)
    for command in smuggling(b"", marker)[0].splitlines(keepends=True):
        line.command(command)
    line.command(b"Subject: marker\r\n\r\nx\r\n.\r\n")
    line.end()
    end = time.monotonic() + 10
    while f"{marker}@outer.example" not in peer.accepted():
        assert time.monotonic() < end
        time.sleep(0.02)
    taken = peer.accepted()
    return {name: sum(sender.partition("@")[0] == name for sender in taken) for name in names}


def smuggled(peer: Peer) -> list[str]:
    return [sender for sender in peer.accepted() if sender.endswith("@smuggled.example")]


@pytest.fixture
def gateway(peer: Peer, tmp_path: Path) -> Iterator[Between]:
    with Between(Target("127.0.0.1", peer.port), tmp_path) as between:
        yield between


@pytest.fixture
def mending(peer: Peer, tmp_path: Path) -> Iterator[Between]:
    with Between(Target("127.0.0.1", peer.port), tmp_path, normalise=True) as between:
        yield between


def test_the_vectors_have_teeth_without_a_gateway(postfix: RealPostfix) -> None:
    names = [f"teeth{number}" for number in range(len(ENDS))]
    for name, end in zip(names, ENDS, strict=True):
        smuggle(Line(postfix.port), end, name, None)
    counts = counted(postfix, names, "teeth-marker")
    assert sum(count == 2 for count in counts.values()) >= 2, counts


def test_no_end_of_data_smuggles_at_any_cut(peer: Peer, gateway: Between) -> None:
    names = []
    for number, end in enumerate(ENDS):
        for cut in (None, *range(len(end) + 1)):
            names.append(f"cut{number}x{'whole' if cut is None else cut}")
            smuggle(Line(gateway.ports["plain"]), end, names[-1], cut)
    counts = counted(peer, names, f"cut-marker-{peer.name}")
    assert max(counts.values()) <= 1 and not smuggled_with(peer, "cut")


def test_no_end_of_data_smuggles_octet_by_octet_under_tls(peer: Peer, gateway: Between) -> None:
    context = ssl.create_default_context(cafile=gateway.ca_file)
    names = [f"tls{number}" for number in range(len(ENDS))]
    for name, end in zip(names, ENDS, strict=True):
        line = Line(gateway.ports["implicit"], context)
        before, content = smuggling(end, name)
        for command in before.splitlines(keepends=True):
            line.command(command)
        at = content.index(b"first") + 5
        line.socket.sendall(content[:at])
        for octet in content[at : at + len(end) + 4]:
            line.socket.sendall(bytes([octet]))
        line.socket.sendall(content[at + len(end) + 4 :])
        line.end()
    counts = counted(peer, names, f"tls-marker-{peer.name}")
    assert max(counts.values()) <= 1 and not smuggled_with(peer, "tls")


def test_mending_line_ends_smuggles_nothing_either(peer: Peer, mending: Between) -> None:
    names = [f"mend{number}" for number in range(len(ENDS))]
    for name, end in zip(names, ENDS, strict=True):
        smuggle(Line(mending.ports["plain"]), end, name, None)
    counts = counted(peer, names, f"mend-marker-{peer.name}")
    assert max(counts.values()) <= 1 and not smuggled_with(peer, "mend")
    # these all end in a dot line of their own after mending, so each is a whole mail and has arrived once
    assert sum(counts.values()) >= len(ENDS) // 2, counts


def smuggled_with(peer: Peer, prefix: str) -> list[str]:
    return [sender for sender in smuggled(peer) if sender.startswith(prefix)]


# -- envelopes

MAILS = [
    b"MAIL FROM:<=?utf-8?q?a=0D=0ARCPT_TO:=3Cevil=40smuggled.example=3E?=@outer.example>\r\n",
    b"MAIL FROM:<a\0b@outer.example>\r\n",
    b'MAIL FROM:<"a\rRCPT TO:<evil@smuggled.example>"@outer.example>\r\n',
    b'MAIL FROM:<"a\nRCPT TO:<evil@smuggled.example>"@outer.example>\r\n',
    b"MAIL FROM:<a@outer.example\r\n",
    b"MAIL FROM:a@outer.example>\r\n",
    b"MAIL FROM:<a@outer.example> SIZE=10 SIZE=20\r\n",
    b"MAIL FROM:<a@outer.example> SIZE=-1\r\n",
    b"MAIL FROM:<a@outer.example> SIZE=99999999999999999999999\r\n",
    b"MAIL FROM:<a@outer.example> SIZE=\xd9\xa1\r\n",
    b"MAIL FROM:<a@outer.example> BODY=8BITMIME\tRET=FULL\r\n",
    b"MAIL FROM:<@relay.example,@two.example:a@outer.example>\r\n",
    b"MAIL FROM:<a@outer.example>\x0bRCPT TO:<evil@smuggled.example>\r\n",
    b"MAIL FROM:<a@outer.example> \xc2\x85RCPT TO:<evil@smuggled.example>\r\n",
    b"MAIL FROM:<a@outer.example>\nRCPT TO:<evil@smuggled.example>\r\n",
    b"MAIL FROM:<a@outer.example>\rRCPT TO:<evil@smuggled.example>\r\n",
    b"MAIL FROM:<$(touch${IFS}x)@outer.example>\r\n",
    b"MAIL FROM:<|/bin/sh@outer.example>\r\n",
    b'MAIL FROM:<"a b"@outer.example>\r\n',
    b"MAIL FROM:<>\r\n",
]
RCPTS = [line.replace(b"MAIL FROM:", b"RCPT TO:") for line in MAILS]


def play(port: int, mail: bytes, rcpt: bytes) -> list[bytes]:
    """One mail with these lines; a line that is refused is left out. What was said to each."""
    line = Line(port)
    said = [line.command(b"EHLO c.example\r\n"), line.command(mail)]
    if b"\n" in mail[:-2] or b"\n" in rcpt[:-2]:
        time.sleep(0.05)  # whatever else is made of it comes now
    said.append(line.command(rcpt))
    said.append(line.command(b"RSET\r\n"))
    said.append(line.end())
    return said


@pytest.mark.parametrize("lenient", [False, True], ids=["strict", "lenient"])
def test_the_server_behind_sees_the_raw_line_or_nothing(tmp_path: Path, lenient: bool) -> None:
    good_mail, good_rcpt = b"MAIL FROM:<a@outer.example>\r\n", b"RCPT TO:<b@y.example>\r\n"
    with FarEnd(lenient=lenient) as far, Between(Target("127.0.0.1", far.port), tmp_path) as gateway:
        for mail, rcpt in [*((m, good_rcpt) for m in MAILS), *((good_mail, r) for r in RCPTS)]:
            far.sink.commands.clear()
            play(gateway.ports["plain"], mail, rcpt)
            allowed = {mail[:-2], rcpt[:-2], b"EHLO c.example", b"RSET", b"QUIT"}
            assert set(far.sink.commands) <= allowed, (mail, rcpt)
            assert not any(line.startswith((b"RCPT TO:<evil", b"RCPT TO:<>")) for line in far.sink.commands)


def test_no_envelope_makes_two_mails_or_adds_a_recipient(peer: Peer, gateway: Between, far_end: FarEnd) -> None:
    good_mail, good_rcpt = b"MAIL FROM:<a@outer.example>\r\n", b"RCPT TO:<b@y.example>\r\n"
    before = len(peer.accepted())
    sent = 0
    for mail, rcpt in [*((m, good_rcpt) for m in MAILS), *((good_mail, r) for r in RCPTS)]:
        line = Line(gateway.ports["plain"])
        for command in (b"EHLO c.example\r\n", mail, rcpt):
            line.command(command)
        if line.command(b"DATA\r\n").startswith(b"354"):
            sent += line.command(b"Subject: envelope\r\n\r\nx\r\n.\r\n").startswith(b"250")
        line.end()
    counted(peer, [], f"envelope-marker-{peer.name}")
    assert len(peer.accepted()) - before == sent + 1  # and the marker
    assert not any(b"evil@" in arg for mail in far_end.sink.messages for arg in (mail.mail_from_arg, *mail.rcpt_args))
