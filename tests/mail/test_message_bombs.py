"""Hostile mail: reading never raises, stays within seconds and bounds, and names what it left unread."""

from __future__ import annotations

import random
import time
import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.mail.message import Message, parse_addresses, parse_date, parse_ids, read_headers, read_message
from gateway.mail.params import read_params
from gateway.mail.words import header_text

HEAD = b"From: a@x.example\r\nTo: b@x.example\r\n"


def touch(message: Message) -> None:
    """Read everything that a message can tell, and check that it is what its type says."""
    for headers in (message, *(each.headers for each in message.attached)):
        for mailbox in (*headers.from_, *headers.to, *headers.cc, *headers.bcc, *headers.reply_to):
            assert mailbox.address or mailbox.name
            assert not set(mailbox.address + mailbox.name) & set("\r\n\0\v\f\x85\u2028\u2029")
        assert not set(headers.subject) & set("\r\n\0\v\f\x85\u2028\u2029")
        assert headers.date is None or headers.date.utcoffset() is not None
        assert all(each.startswith("<") and each.endswith(">") for each in headers.references)
        assert isinstance(headers.auto_submitted, bool) and isinstance(headers.bulk, bool)
        assert isinstance(headers.message_id, str | None) and len(headers.oddities) < 2000
        for header in headers.headers:
            header.value.encode("utf-8")
    assert len({part.id for part in message.parts}) == len(message.parts) <= 501
    for part in message.parts:
        if part.text is not None:
            part.text.encode("utf-8")
            assert "\0" not in part.text and len(part.text) <= 1 << 20
        part.filename.encode("utf-8")
    assert {type(flag) for flag in (message.calendar, message.signed, message.encrypted)} == {bool}
    assert len(message.unreadable) < 50


def nested(levels: int) -> bytes:
    opens = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(levels))
    return HEAD + opens + b"\r\ndeep\r\n" + b"".join(b"--b%d--\r\n" % n for n in reversed(range(levels)))


def multipart(body: bytes) -> bytes:
    return HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + body


BOMBS: dict[str, Callable[[], bytes]] = {
    "nesting": lambda: nested(3000),
    "nested attached mails": lambda: HEAD + b"Content-Type: message/rfc822\r\n\r\n" * 3000,
    "parts": lambda: multipart(b"--b\r\n\r\nx\r\n" * 100_000),
    "parts of one boundary": lambda: multipart(b"--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" * 20_000),
    "closings": lambda: multipart(b"--b--\r\n" * 100_000),
    "dash lines": lambda: multipart(b"--b\r\n\r\n" + b"--x\r\n" * 1_000_000),
    "one dash line": lambda: multipart(b"--b\r\n\r\n--" + b"-" * 5_000_000),
    "header fields": lambda: b"X-A: b\r\n" * 100_000 + b"\r\nx",
    "folds": lambda: HEAD + b"Subject: x" + b"\r\n y" * 200_000 + b"\r\n\r\nx",
    "one header line": lambda: HEAD + b"Subject: " + b"x" * 5_000_000,
    "no colon": lambda: b"x" * 5_000_000,
    "addresses": lambda: b"To: " + b"a@b.example, " * 20_000 + b"\r\n\r\nx",
    "names": lambda: b"To: " + b'"a \\" b" <a@b.example>, ' * 20_000 + b"\r\n\r\nx",
    "encoded words": lambda: b"Subject: " + b"=?utf-8?q?=C3=A4?= " * 20_000 + b"\r\n\r\nx",
    "begun encoded words": lambda: (
        b"Subject: " + b"=?utf-8?q?" * 20_000 + b"\r\nTo: " + b"=?a?q?" * 9000 + b"\r\n\r\nx"
    ),
    "quotes": lambda: b"To: " + b'"' * 200_000 + b"\r\n\r\nx",
    "comments": lambda: b"To: " + b"(" * 200_000 + b"\r\n\r\nx",
    "angles": lambda: b"To: " + b"<a@" * 60_000 + b"\r\n\r\nx",
    "blanks": lambda: b"To: a" + b" " * 60_000 + b"@\r\nContent-Type: text/plain;" + b" " * 5_000 + b"\r\n\r\nx",
    "parameters": lambda: b"Content-Type: text/plain;" + b" a*0=b;" * 9_000 + b"\r\n\r\nx",
    "references": lambda: b"References: " + b"<a@b> " * 10_000 + b"<" * 5_000 + b"\r\n\r\nx",
    "date": lambda: b"Date: " + b"1 " * 30_000 + b"\r\n\r\nx",
    "html": lambda: HEAD + b"Content-Type: text/html\r\n\r\n" + b"<div>" * 1_000_000,
    "base64": lambda: HEAD + b"Content-Transfer-Encoding: base64\r\n\r\n" + b"=A" * 2_500_000,
    "quoted-printable": lambda: HEAD + b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + b"=\r\n" * 1_500_000,
    "utf-7": lambda: HEAD + b"Content-Type: text/plain; charset=utf-7\r\n\r\n" + b"+" * 3_000_000,
    "texts": lambda: multipart((b"--b\r\n\r\n" + b"x" * 900_000 + b"\r\n") * 20),
    "nul": lambda: b"\0" * 1_000_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_read_within_two_seconds(name: str):
    raw = BOMBS[name]()
    begun = time.perf_counter()
    touch(read_message(raw))
    read_headers(raw)
    assert time.perf_counter() - begun < 2


@pytest.mark.parametrize("name", ["nesting", "parts", "header fields", "html", "texts", "folds", "quoted-printable"])
def test_bombs_stay_within_64_mib(name: str):
    raw = BOMBS[name]()
    tracemalloc.start()
    try:
        touch(read_message(raw))
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nesting", "parts are nested deeper than 50"),
        ("parts", "more than 500 parts"),
        ("header fields", "the header is longer than 64 KiB"),
        ("html", "part 1 is too long, only its beginning was read"),
        ("texts", "part 5 is too long, only its beginning was read"),
        ("dash lines", "too many lines look like boundaries"),
    ],
)
def test_what_was_left_unread_is_named(name: str, reason: str):
    assert reason in read_message(BOMBS[name]()).unreadable


SEED = b"".join(
    (
        HEAD,
        b"Cc: =?utf-8?q?=C3=84nn?= <c@x.example>, team: d@x.example;\r\nSubject: =?iso-8859-1?B?5A==?=\r\n x\r\n",
        b"Date: Sat, 3 May 2025 10:00:00 +0200\r\nReferences: <1@x> <2@x>\r\n",
        b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-7\r\n',
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\n=C3=A4=\r\n+AOQ-\r\n",
        b"--b\r\nContent-Type: message/rfc822\r\n\r\n",
        b"From: e@x.example\r\n\r\nx\r\n--b\r\nContent-Disposition: attachment; filename*0*=utf-8''%C3;",
        b" filename*1=a\r\n",
        b"Content-Transfer-Encoding: base64\r\n\r\nAAAA=\r\n--b--\r\n",
    )
)
SPLINTERS = [
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b"\xff",
    b"\x85",
    b"--b",
    b"--b--",
    b"=?",
    b"?=",
    b'"',
    b"(",
    b"<",
    b";",
    b":",
    b"%",
]


def test_mutated_mail_never_raises():
    chance = random.Random(1)
    for _ in range(3000):
        raw = bytearray(SEED)
        for _ in range(chance.randint(1, 12)):
            at = chance.randrange(len(raw))
            raw[at : at + chance.choice((0, 0, 1, 4, 40))] = chance.choice(SPLINTERS)
        touch(read_message(bytes(raw)))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300), st.text(max_size=80))
def test_any_octets_and_any_text(octets: bytes, text: str):
    touch(read_message(octets))
    touch(read_message(b"Content-Type: multipart/mixed; boundary=b\r\n" + octets + b"\r\n--b\r\n" + octets))
    parse_addresses(octets)
    parse_addresses(text)
    parse_date(octets)
    parse_ids(text)
    read_params(octets)
    header_text(octets)


SIMPLE_NAME = st.text("ABcd 12.'-_äß", max_size=12)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(SIMPLE_NAME, st.from_regex(r"[a-z]{1,5}(\.[a-z]{1,3})?", fullmatch=True)), min_size=1, max_size=4
    )
)
def test_the_fast_path_reads_as_mail_parser_does(people: list[tuple[str, str]]):
    from gateway.mail import message

    text = ", ".join(f"{name} <{local}@x.example>" for name, local in people)
    fast, odd = parse_addresses(text)
    slow, _ = message._parse_hard(text)
    assert fast == slow and not odd
