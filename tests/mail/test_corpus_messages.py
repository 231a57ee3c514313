"""Every real mail of the corpus is read: no crash, bounded time, sane values. None of it enters the repository."""

from __future__ import annotations

import os
import tarfile
import time
from pathlib import Path

import pytest

from gateway.mail.message import read_message

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
