"""300 dialogues, once with Postfix itself and once through the gateway: the same codes in the same order."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from gateway.smtp.target import Target
from tests.peers.between import Between
from tests.peers.postfix import RealPostfix
from tests.peers.test_vectors import Line

pytestmark = pytest.mark.peers

MAILS = [
    b"MAIL FROM:<a@x.example>",
    b"mail from:<A.b+c@x.example> SIZE=1000",
    b"MAIL FROM:<>",
    b"MAIL FROM:<a@x.example> RET=FULL ENVID=abc",
    b"MAIL FROM:<a@x.example> BODY=8BITMIME",
    b'MAIL FROM:<"q u"@x.example>',
    b"MAIL FROM:<a@x.example> NONSENSE=1",
    b"MAIL FROM:<\xc3\xa9@x.example> SMTPUTF8",
    b"MAIL",
]
RCPTS = [
    b"RCPT TO:<b@y.example>",
    b"rcpt to:<B@y.example>",
    b"RCPT TO:<nobody@y.example>",
    b"RCPT TO:<b@y.example> NOTIFY=NEVER",
    b"RCPT TO:<c@y.example> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;c@y.example",
    b"RCPT TO:<b@y.example> NOTIFY=SOMETIMES",
    b"RCPT TO:<b@y.example> NONSENSE",
    b"RCPT TO:<>",
    b"RCPT",
]
OTHERS = [b"RSET", b"NOOP", b"RSET x", b"XNONSENSE"]
# Where the gateway differs and means to: the line, Postfix's code, ours.
STRICTER = [
    ([b"EHLO c.example"], b"MAIL FROM:a", b"250", b"501"),  # RFC 5321 §4.1.2: brackets
    ([b"HELO c.example"], b"MAIL FROM:<a@x.example> SIZE=1000", b"250", b"555"),  # §4.1.1.1: parameters need EHLO
    ([b"EHLO c.example"], b"DATA x", b"503", b"501"),
]


def dialogue(dice: random.Random) -> list[bytes]:
    """Mostly the right order, with a wrong turn here and there."""
    hello = dice.choice([b"EHLO c.example", b"EHLO c.example", b"HELO c.example"])
    mails, rcpts = MAILS, RCPTS
    if hello.startswith(b"HELO"):  # parameters come with EHLO only
        mails, rcpts = ([line for line in lines if b"> " not in line] for lines in (MAILS, RCPTS))
    lines = [hello]
    for _ in range(dice.randint(1, 3)):
        lines.append(dice.choice(mails))
        lines += (dice.choice(rcpts) for _ in range(dice.randint(0, 3)))
        lines.append(b"DATA")
        if dice.random() < 0.4:
            lines.insert(dice.randint(1, len(lines)), dice.choice([*OTHERS, *mails, *rcpts, hello]))
    return lines


def codes(port: int, lines: list[bytes]) -> list[tuple[bytes, bytes]]:
    """Each line with the code it got; after a 354 a short message follows."""
    line, said = Line(port), []
    for sent in lines:
        code = line.command(sent + b"\r\n")[:3]
        said.append((sent, code))
        if code == b"354":
            said.append((b".", line.command(b"Subject: lock-step\r\n\r\nx\r\n.\r\n")[:3]))
    line.end()
    return said


def test_the_same_codes_with_and_without_the_gateway(postfix: RealPostfix, tmp_path: Path) -> None:
    dice = random.Random(2026)
    with Between(Target("127.0.0.1", postfix.port), tmp_path) as gateway:
        for number in range(300):
            lines = dialogue(dice)
            direct = codes(postfix.port, lines)
            through = codes(gateway.ports["plain"], lines)
            differing = [pair for pair in zip(direct, through, strict=True) if pair[0] != pair[1]]
            assert not differing, (number, differing)


def test_where_the_gateway_is_stricter(postfix: RealPostfix, tmp_path: Path) -> None:
    with Between(Target("127.0.0.1", postfix.port), tmp_path) as gateway:
        for before, line, theirs, ours in STRICTER:
            assert codes(postfix.port, [*before, line])[-1][1] == theirs
            assert codes(gateway.ports["plain"], [*before, line])[-1][1] == ours
