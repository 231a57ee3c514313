"""Byte identity: what was put on the socket is what the upstream takes, for real mail cut at random places."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import re
import tarfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.smtp.sink import Sink
from tests.e2e.house import connection, house

CORPUS = Path(os.environ.get("GATEWAY_CORPUS", Path(__file__).resolve().parents[3] / "shared" / "corpus"))
LOOSE = re.compile(rb"(?<!\r)\n|\r(?!\n)|\0")
CLIENTS = 4


def corpus(name: str, *, mended: bool) -> Iterator[tuple[str, bytes]]:
    """Each mail with CRLF line ends where all of it had LF; mixed ends stay as they are (corpus/README), unless
    `mended`, when every LF becomes CRLF as a mail client would send it."""
    with tarfile.open(CORPUS / "real" / f"{name}.tar.xz") as archive:
        for member in archive:
            if member.isfile():
                raw = archive.extractfile(member).read()
                if mended or b"\r" not in raw:
                    raw = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
                yield member.name, raw


def generated(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Mails of odd lines: dots, blanks, long lines, eight-bit octets, no final line end, empty mails."""
    rng = random.Random(seed)
    pieces = [b".", b"..", b".\t", b"", b" ", b"a: b", b"\xff\xfe", "ü".encode(), b"x" * 998, b"y" * 3000, b"--b"]
    for number in range(count):
        lines = [rng.choice(pieces) + rng.choice(pieces) for _ in range(rng.randrange(0, 40))]
        yield f"generated-{number}", b"".join(line + b"\r\n" for line in lines)


def stuffed(raw: bytes) -> bytes:
    wire = (b"\r\n" + raw).replace(b"\r\n.", b"\r\n..")[2:]
    return wire if not wire or wire.endswith(b"\r\n") else wire + b"\r\n"


def expected(raw: bytes) -> bytes:
    """A mail that lacks its last CRLF gets it from any client: it belongs to the end of data (RFC 5321 §4.1.1.4)."""
    return raw if not raw or raw.endswith(b"\r\n") else raw + b"\r\n"


async def send_cut(talk, raw: bytes, rng: random.Random, sender: bytes) -> tuple[int, str]:
    """One mail over an open connection, its content in pieces that end anywhere, in the middle of CRLF.CRLF too."""
    for line in (b"MAIL FROM:<%s>" % sender, b"RCPT TO:<someone@elsewhere.example>", b"DATA"):
        code, text = await talk.command(line)
        assert code in (250, 354), (line, code, text)
    wire = stuffed(raw) + b".\r\n"
    cuts = sorted({rng.randrange(1, len(wire)) for _ in range(rng.choice((0, 1, 2, 5)))})
    cuts.append(len(wire) - rng.randrange(1, 5))
    at = 0
    for cut in (*sorted(cut for cut in cuts if 0 < cut < len(wire)), len(wire)):
        talk.writer.write(wire[at:cut])
        await talk.writer.drain()
        await asyncio.sleep(0)
        at = cut
    return await talk.reply()


async def pass_all(mails, tmp_path: Path, sender: bytes, **settings) -> Counter[str]:
    """Send them all through one gateway and compare digests. Returns how each ended."""
    todo = iter(list(mails))
    count: Counter[str] = Counter()
    wrong: list[str] = []
    rng = random.Random(20251122)
    async with house(tmp_path, sink=Sink(most_octets=1 << 30, most_messages=1 << 20), **settings) as gateway:

        async def client() -> None:
            async with connection(gateway.port) as talk:
                await talk.command(b"EHLO client.example")
                for name, raw in todo:
                    code, text = await send_cut(talk, raw, rng, sender)
                    if code == 550 and "5.5.2" in text:
                        count["refused"] += 1
                        if not LOOSE.search(raw):
                            wrong.append(f"{name}: refused without a loose line end")
                        continue
                    if code != 250:
                        wrong.append(f"{name}: {code} {text}")
                        continue
                    if LOOSE.search(raw):
                        wrong.append(f"{name}: taken with a loose line end")
                    count["passed"] += 1
                    sent[hashlib.sha256(expected(raw)).hexdigest()] += 1

        sent: Counter[str] = Counter()
        await asyncio.gather(*(client() for _ in range(CLIENTS)))
        took: Counter[str] = Counter()
        for mail in gateway.sink.messages:
            own, rest = split_received(mail.raw)
            assert own.startswith(b"Received: from client.example (") and own.endswith(b" +0000\r\n")
            took[hashlib.sha256(rest).hexdigest()] += 1
        lost, added = sent - took, took - sent
        assert not wrong, wrong[:20]
        assert not lost and not added, f"{sum(lost.values())} differ of {sum(sent.values())}"
    return count


def split_received(raw: bytes) -> tuple[bytes, bytes]:
    """Our own Received field, three lines (a mail may begin with a blank), and everything after it."""
    end = re.match(rb"(?:[^\r]*\r\n){3}", raw).end()
    return raw[:end], raw[end:]


@pytest.mark.parametrize(
    ("part", "every"), [("odd", 1), ("ordinary", 4), pytest.param("ordinary", 1, marks=pytest.mark.long)]
)
@pytest.mark.parametrize("judged", [False, True], ids=["untouched", "read-and-observed"])
async def test_corpus_mail_passes_byte_for_byte(part: str, every: int, judged: bool, tmp_path: Path) -> None:
    if not (CORPUS / "real" / f"{part}.tar.xz").is_file():
        pytest.skip(f"the corpus is not here: {part}.tar.xz (set GATEWAY_CORPUS)")
    settings = {}
    if judged:
        site = tmp_path / "site.yaml"
        site.write_text('name: All\nagents: ["*"]\ngateway: {notices: gw@gateway.example}\n')
        settings = {"site": str(site), "observe": True}
    mails = list(corpus(part, mended=part == "ordinary"))[::every]
    count = await pass_all(mails, tmp_path, b"somebody@elsewhere.example", **settings)
    assert count["refused"] == (12 if part == "odd" else 0)
    assert count["passed"] == len(mails) - count["refused"]


async def test_generated_mail_passes_byte_for_byte(tmp_path: Path) -> None:
    count = await pass_all(generated(500, seed=7), tmp_path, b"somebody@elsewhere.example")
    assert count["passed"] == 500


async def test_large_mail_passes_through_the_spool_byte_for_byte(tmp_path: Path) -> None:
    rng = random.Random(3)
    lines = [rng.choice((b".", b"..x", b"plain " * 12, b"")) for _ in range(300_000)]
    mails = [("large", b"Subject: x\r\n\r\n" + b"\r\n".join(lines) + b"\r\n")]
    count = await pass_all(iter(mails), tmp_path, b"somebody@elsewhere.example", memory_limit="64K")
    assert count["passed"] == 1
