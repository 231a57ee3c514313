"""Every real mail of the corpus is read: no crash, bounded time, sane values. None of it enters the repository."""

from __future__ import annotations

import os
import random
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.mail.message import read_message
from gateway.mail.quoting import split_body

from .test_message_bombs import touch

CORPUS = Path(os.environ.get("GATEWAY_CORPUS") or Path(__file__).parents[2].parent / "shared" / "corpus")


@pytest.mark.parametrize(("archive", "least"), [("odd", 400), ("ordinary", 2000), ("threads", 250)])
def test_every_real_mail_is_read(archive: str, least: int):
    path = CORPUS / "real" / f"{archive}.tar.xz"
    if not path.is_file():
        pytest.skip(f"no corpus at {path}; GATEWAY_CORPUS names its folder")
    slow: list[str] = []
    textless = count = authorless = 0
    with tarfile.open(path) as mails:
        for member in mails:
            file = mails.extractfile(member) if member.isfile() else None
            if file is None:
                continue
            raw = file.read()
            for _ in range(2):  # whatever else the process collects meanwhile may fall into one of them
                begun = time.process_time()
                message = read_message(raw)
                touch(message)
                quick = time.process_time() - begun <= 0.5
                if quick:
                    break
            if not quick:
                slow.append(member.name)
            count += 1
            textless += not any(part.text for part in message.parts)
            authorless += message.author is None
    assert not slow
    assert count >= least
    if archive != "odd":
        assert textless <= count // 100
        assert authorless <= count // 50


PIECES = (
    b"From: a <a@b.example>\r\n",
    b"\r\n\r\n",
    b"--b\r\n",
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n",
    b"Content-Transfer-Encoding: base64\r\n",
    b"On 05/05/2025 10:02, Jill <j@x.example> wrote:\r\n> ",
    b"-----Original Message-----\r\nFrom: x\r\n",
    b"<div><blockquote type=cite>",
    b"\xff\xfe\x00",
    b"=?utf-8?B?",
    b">>> a@b 5/3/2025 10:02 AM >>>\r\n",
    "\u202e\u200b\u0130".encode(),
)


def mutations(raw: bytes, dice: random.Random) -> Iterator[bytes]:
    """The mail as it is, cut, doubled in part, and with what does not belong there."""
    yield raw
    for _ in range(3):
        octets = bytearray(raw[:100_000])
        for _ in range(dice.randrange(1, 9)):
            at = dice.randrange(len(octets) + 1)
            match dice.randrange(4):
                case 0:
                    octets[at:at] = dice.choice(PIECES) * dice.choice((1, 1, 200))
                case 1:
                    octets[at : at + 1] = bytes([dice.randrange(256)])
                case 2:
                    octets[at:at] = octets[at : at + 2000] * dice.choice((1, 20))
                case 3:
                    del octets[at : at + dice.choice((1, 100, 5000))]
        yield bytes(octets)


def test_every_odd_mail_and_what_becomes_of_it_is_taken_apart():
    path = CORPUS / "real" / "odd.tar.xz"
    if not path.is_file():
        pytest.skip(f"no corpus at {path}; GATEWAY_CORPUS names its folder")
    dice = random.Random(48213)
    with tarfile.open(path) as mails:
        files = ((member.name, mails.extractfile(member)) for member in mails if member.isfile())
        for name, file in files:
            assert file is not None
            for raw in mutations(file.read(), dice):
                begun = time.process_time()
                body = split_body(read_message(raw))
                for author in body.authors:
                    assert author.span.start <= author.span.end and author.to is not None and author.cc is not None
                assert body.blocks is not None and body.inline is not None and isinstance(body.unread, str)
                body.new.locate(0, len(body.new.text))
                # What grows with the square of a mail takes minutes here; a machine that is busy does not.
                assert time.process_time() - begun < 10, name


def test_every_scenario_has_an_author_a_recipient_and_text():
    folder = CORPUS / "scenarios"
    if not folder.is_dir():
        pytest.skip(f"no corpus at {folder}; GATEWAY_CORPUS names its folder")
    for path in sorted(folder.glob("*/message.eml")):
        message = read_message(path.read_bytes())
        touch(message)
        assert message.author and message.author.address, path.parent.name
        assert message.to or message.cc or message.bcc, path.parent.name
        assert message.date and message.message_id, path.parent.name
        assert not message.unreadable, path.parent.name
