"""Bombs: mail of an agent's that is made to take a reader's time, memory or depth. Each is (octets, fact `unreadable`).

What the fact should say is None where all of the mail is read after all.
"""

from __future__ import annotations

import base64
from collections.abc import Callable

FROM = b"From: Dana Cole <dana.cole@acme.example>\r\n"
HEAD = FROM + b"To: Jill Amory <jill.amory@acme.example>\r\nSubject: Re: x\r\nMIME-Version: 1.0\r\n"
QUOTE = b"On Mon, 2 Mar 2026 at 09:00, Jill Amory <jill.amory@acme.example> wrote:\r\n"
NO = b"No, we cannot do that.\r\n"
TOO_LONG = "part 1 is too long, only its beginning was read"
LONG_HEADER = "the header is longer than 64 KiB"
TOO_DEEP = "parts are nested deeper than 50"
ANY = ""
"""Something, whatever it is."""


def nested(kind: bytes, levels: int = 3000) -> bytes:
    opens = (
        b"Content-Type: multipart/%s; boundary=b%d\r\n\r\n--b%d\r\n" % (kind, number, number)
        for number in range(levels)
    )
    ends = (b"--b%d--\r\n" % number for number in reversed(range(levels)))
    return HEAD + b"".join(opens) + b"\r\n" + NO + b"".join(ends)


def parts(content: bytes, kind: bytes = b"mixed") -> bytes:
    return HEAD + b"Content-Type: multipart/%s; boundary=b\r\n\r\n" % kind + content


def text(content: bytes, *fields: bytes) -> bytes:
    return HEAD + b"".join(field + b"\r\n" for field in fields) + b"\r\n" + content


def html(content: bytes) -> bytes:
    return text(content, b"Content-Type: text/html; charset=utf-8")


def field(name: bytes, word: bytes, times: int) -> bytes:
    """A field of so many words, one a line."""
    return FROM + name + b": " + b"\r\n ".join([word] * times) + b"\r\n\r\n" + NO


Bomb = tuple[Callable[[], bytes], str | None]

SHORT: dict[str, Bomb] = {
    "nesting": (lambda: nested(b"mixed"), TOO_DEEP),
    "nested alternatives": (lambda: nested(b"alternative"), TOO_DEEP),
    "parts": (lambda: parts(b"--b\r\n\r\nx\r\n" * 100_000), "more than 500 parts"),
    "header fields": (lambda: HEAD + b"X-A: b\r\n" * 100_000 + b"\r\n" + NO, LONG_HEADER),
    "folds": (lambda: FROM + b"Subject: x" + b"\r\n y" * 200_000 + b"\r\n\r\n" + NO, LONG_HEADER),
    "encoded words": (lambda: field(b"Subject", b"=?utf-8?q?=C3=A4?=", 20_000), LONG_HEADER),
    "addresses": (lambda: field(b"To", b"a@b.example,", 20_000), LONG_HEADER),
    "html, deep": (lambda: html(b"<div>\r\n" * 700_000 + NO), TOO_LONG),
    "html, many tags": (lambda: html(b"<b></b>\r\n" * 1_000_000 + NO), TOO_LONG),
    "html, attributes without end": (lambda: html(b'<p>x</p><a href="\r\n' * 200_000), TOO_LONG),
    "html, 5 MB of text": (lambda: html(b"<p>" + NO * (5_000_000 // len(NO))), TOO_LONG),
    "text, 5 MB": (lambda: text(NO * (5_000_000 // len(NO))), TOO_LONG),
    "a line of 10 MB": (lambda: text(b"no we cannot, " * (10_000_000 // 14)), TOO_LONG),
    "base64": (
        lambda: text(
            base64.encodebytes(NO * 800_000).replace(b"\n", b"\r\n"),
            b"Content-Transfer-Encoding: base64",
            b"Content-Type: text/plain",
        ),
        TOO_LONG,
    ),
    "pages": (lambda: parts((b"--b\r\nContent-Type: text/html\r\n\r\n" + b"<p>No we cannot\r\n" * 300) * 480), ANY),
}
"""The bombs of every test run."""

LONG: dict[str, Bomb] = {
    "alternatives": (
        lambda: parts(
            b"".join(
                b"--b\r\nContent-Type: text/%s\r\n\r\nNo %d.\r\n" % ((b"plain", b"html")[number % 2], number)
                + QUOTE
                + b"> x y z\r\n" * 300
                for number in range(480)
            ),
            b"alternative",
        ),
        ANY,
    ),
    "large alternatives": (
        lambda: parts(
            b"".join(
                b"--b\r\nContent-Type: text/%s\r\n\r\n" % (b"plain", b"html")[number % 2] + NO * 20_000
                for number in range(12)
            ),
            b"alternative",
        ),
        ANY,
    ),
    "attached mails, nested": (lambda: HEAD + b"Content-Type: message/rfc822\r\n\r\n" * 3000, None),
    "attached mails": (
        lambda: parts(
            (b"--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: a@b\r\nTo: " + b"<a@," * 200 + b"\r\n\r\nx\r\n") * 490
        ),
        None,
    ),
    "odd names": (lambda: field(b"To", b'"a \\" b" <a@b.example>,', 20_000), LONG_HEADER),
    "routes": (lambda: field(b"To", b"<@a,@b:c@d>,", 20_000), LONG_HEADER),
    "angles": (lambda: field(b"To", b"<a@", 20_000), LONG_HEADER),
    "comments": (lambda: field(b"To", b"((((((((((((", 20_000), LONG_HEADER),
    "html, quotes": (lambda: html(b"<blockquote>\r\n" * 300_000 + b"x"), TOO_LONG),
    "html, tables": (lambda: html(b"<table><tr><td>x\r\n" * 250_000), TOO_LONG),
    "html, spans": (lambda: html(b"<span>x</span>\r\n" * 300_000), TOO_LONG),
    "html, quotes without end": (lambda: html(b"<a b='\r\n" * 600_000), TOO_LONG),
    "html, angles": (lambda: html(b"<\r\n" * 1_500_000), TOO_LONG),
    "html, entities": (lambda: html(b"&amp;&#120;&nbsp;\r\n" * 250_000), TOO_LONG),
    "html, comments": (lambda: html(b"<!-- x -->\r\n<!--" * 250_000), TOO_LONG),
    "html, styles": (lambda: html(b"<style>a{}</style>\r\n" * 200_000), TOO_LONG),
    "html, hidden": (lambda: html(b"<p style='display:none'>x</p>\r\n" * 150_000), TOO_LONG),
    "html, one tag": (lambda: html(b"<p " + b"a=b\r\n " * 800_000 + b">x"), TOO_LONG),
    "a word of 10 MB": (lambda: text(b"x" * 10_000_000), TOO_LONG),
    "sentences": (lambda: text(b"No. Yes? Why?\r\n" * 300_000), TOO_LONG),
    "dates": (lambda: text(b"by 3 May 2026 or tomorrow 10:00, on Monday\r\n" * 100_000), TOO_LONG),
    "links": (lambda: text(b"http://a.b/c <http://a.b/c>\r\n" * 150_000), TOO_LONG),
    "quoted lines": (lambda: text(b"> > > > > > No\r\n" * 300_000), TOO_LONG),
    "quotes in quotes": (lambda: text((b">" * 400 + b" x\r\n") * 10_000), TOO_LONG),
    "attributions": (lambda: text(b"No.\r\n" + (QUOTE + b"> x\r\n") * 40_000), TOO_LONG),
    "answers between": (lambda: text((b"> Can we do that?\r\nNo, we cannot.\r\n") * 20_000), ANY),
    "headers in the text": (
        lambda: text(b"No.\r\n" + b"From: a b\r\nTo: c d\r\nSent: x\r\nSubject: y\r\n\r\nx\r\n" * 60_000),
        TOO_LONG,
    ),
    "quoted-printable": (
        lambda: text(b"=41=\r\n" * 1_500_000, b"Content-Transfer-Encoding: quoted-printable"),
        TOO_LONG,
    ),
    "UTF-7": (lambda: text((b"+" * 900 + b"\r\n") * 3_000, b"Content-Type: text/plain; charset=utf-7"), TOO_LONG),
    "marks of no width": (
        lambda: text("\u200b\u200bä\r\n".encode() * 400_000, b"Content-Type: text/plain; charset=utf-8"),
        TOO_LONG,
    ),
    "dashes": (lambda: parts(b"--b\r\n\r\n" + b"--x\r\n" * 1_000_000), "too many lines look like boundaries"),
    "texts": (lambda: parts((b"--b\r\n\r\n" + b"no, but " * 120_000 + b"\r\n") * 10), ANY),
    "a file of 40 MB": (
        lambda: parts(
            b"--b\r\n\r\n" + NO + b"--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment\r\n"
            b"Content-Transfer-Encoding: base64\r\n\r\n" + (b"QUJD" * 19 + b"\r\n") * 520_000 + b"--b--\r\n"
        ),
        None,
    ),
}
"""The others, of the long run."""
