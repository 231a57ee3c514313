"""New text and quoted authors: layouts.yaml holds whole bodies, one a layout."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gateway.mail.message import read_message
from gateway.mail.quoting import Body, split_body

HERE = Path(__file__).parent
LAYOUTS = yaml.safe_load((HERE / "layouts.yaml").read_text("utf-8"))


def body_of(text: str, *, content_type: str = "text/plain; charset=utf-8", subject: str = "Re: Screen") -> Body:
    head = (
        "From: Dana Cole <dana.cole@acme.example>\nTo: kit@acme.example\nDate: Tue, 6 May 2025 09:00:00 +0200\n"
        f"Subject: {subject}\nMIME-Version: 1.0\nContent-Type: {content_type}\nContent-Transfer-Encoding: 8bit\n\n"
    )
    return split_body(read_message((head + text).replace("\n", "\r\n").encode()))


def shown(body: Body) -> list[str]:
    return [author.mailbox.address or author.mailbox.name for author in body.authors]


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout["name"])
def test_layout(layout: dict) -> None:
    body = body_of(layout["body"])
    assert body.new.text == layout["new"]
    assert shown(body) == layout["authors"]
    assert body.has_forward == layout.get("forward", False)
    assert len(body.inline) == layout.get("inline", 0)
    if "to" in layout:
        assert len(body.authors[0].to) == layout["to"]
    if "date" in layout:
        assert body.authors[0].date_text == layout["date"]


def test_subject_says_forward() -> None:
    block = "Von: Jill Amory <jill@acme.example>\nGesendet: Montag, 5. Mai 2025 10:02\nAn: IT\nBetreff: Monitor\n"
    text = f"Yours.\n\n{block}\nDunkel.\n"
    assert body_of(text, subject="WG: Monitor").has_forward
    assert not body_of(text, subject="AW: Monitor").has_forward


def test_flowed() -> None:
    """RFC 3676: soft breaks joined, stuffing removed, DelSp, depth by marks, the signature line never flowed."""
    flowed = "text/plain; charset=utf-8; format=flowed"
    body = body_of("We cannot \ndo it.\n >not a quote\n> dark \n> since noon\n\n-- \nDana\n", content_type=flowed)
    assert body.new.text == "We cannot do it.\n>not a quote"
    assert body.quoted_text == "dark since noon"
    assert body_of("over\u00ad \nlong words\n", content_type=flowed + "; delsp=yes").new.text == "over\u00adlong words"
    start = body.new.text.index("do it")
    span = body.new.locate(start, start + 5)
    assert (span.part, span.start, span.end) == ("1", 11, 16)


def test_locate_in_plain_text() -> None:
    text = "Hello,\n\nwe cannot.\n\n> why?\n\nBecause of the policy.\n"
    body = body_of(text)
    for word in ("Hello", "cannot", "policy"):
        at = body.new.text.index(word)
        span = body.new.locate(at, at + len(word))
        assert text[span.start : span.end] == span.text == word
    whole = body.new.locate(0, len(body.new.text))
    assert text[whole.start : whole.end] == text.strip()
    with pytest.raises(ValueError, match="no such piece"):
        body.new.locate(5, 3)


def test_blocks_hold_everything_in_order() -> None:
    body = body_of("No.\n\nDana\n\nOn 05/05/2025 10:02, Jill wrote:\n> dark\n>> since?\n")
    assert [(block.kind, block.text, block.depth) for block in body.blocks] == [
        ("new", "No.", 0),
        ("signature", "Dana", 0),
        ("attribution", "On 05/05/2025 10:02, Jill wrote:", 0),
        ("quote", "dark", 1),
        ("quote", "since?", 2),
    ]


def test_attached_mail_gives_its_author() -> None:
    raw = (
        b"From: dana.cole@acme.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nYours.\r\n--b\r\n"
        b"Content-Type: message/rfc822\r\n\r\nFrom: Jill Amory <jill@acme.example>\r\nSubject: Screen\r\n\r\nDark.\r\n"
        b"--b--\r\n"
    )
    body = split_body(read_message(raw))
    (author,) = body.authors
    assert (author.kind, author.mailbox.address, author.span.part) == ("attached", "jill@acme.example", "2")
    assert body.has_forward and body.new.text == "Yours."


PIECES = (
    "\n",
    "\n\n",
    "> ",
    ">> ",
    " ",
    "No",
    "Dana",
    "-- ",
    "From: Jill <jill@acme.example>\n",
    "Sent: Monday, May 5, 2025 10:02 AM\n",
    "To: Kit\n",
    "Subject: Screen\n",
    "On 05/05/2025 10:02, Jill wrote:\n",
    "-----Original Message-----\n",
    "________________________________\n",
    "Sent from my iPhone\n",
    "\U0001f600",
    "\u00a0",
    "Von: x\n",
    "| ",
    "@",
    "<",
)


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join), st.booleans())
def test_every_word_of_the_new_text_stands_where_it_is_said_to(text: str, flowed: bool) -> None:
    body = body_of(text, content_type="text/plain; charset=utf-8" + "; format=flowed" * flowed)
    for word in re.finditer(r"\S+", body.new.text):
        span = body.new.locate(*word.span())
        if not flowed:
            assert text[span.start : span.end] == word.group()
        assert text[span.start : span.start + 1] == word.group()[:1]
    assert all(block.span.start <= block.span.end for block in body.blocks)
    assert all(author.mailbox.address or author.mailbox.name for author in body.authors)


HOSTILE = {
    "marks": ">" * 1_000_000,
    "mark lines": "> > > > >\n" * 100_000,
    "labels": "From: a@b.example\nTo: c\n" * 40_000,
    "half blocks": "To: c,\n" * 100_000,
    "markers": "-----Original Message-----\n" * 40_000,
    "forwarded by": "---------------------- Forwarded by x on 01/01/2025\n" * 20_000,
    "attributions": "On Mon, 5 May 2025 at 10:02, Jill <j@x.example>\n" * 20_000 + "wrote:\n",
    "colons": "wrote:\n" * 100_000,
    "at signs": "On 5 May 2025 " + "a@" * 200_000 + " wrote:\n",
    "long line": "x" * 1_000_000 + ":",
    "rules": "________________________________\n" * 30_000,
    "signatures": "-- \n" * 100_000,
    "blank": "\n" * 1_000_000,
    "spaces": " " * 1_000_000,
    "dashes": "-" * 1_000_000,
    "digits": "On 1" + "1:1" * 300_000 + " wrote:",
    "bars": "| a\n" * 100_000,
    "two heads": "On 5 May 2025 at 10:02, Jill <j@x.example> wrote:\nFrom: Jill <j@x.example>\nTo: c\n" * 5_000,
    "bare heads": "---- Original Message ----\nFrom a@b.example\nTo c\nSubject d\n" * 20_000,
    "names alone": "\nJill\n<j@x.example> wrote:\n" * 30_000,
    "dates alone": "Jill <j@x.example> wrote on\n5 May 2025, at 10:02 or so:\n" * 5_000,
    "broken list": "From: a@b.example\nTo: Kit\n" + "Romero <k@x.example>, Kit\n" * 60_000,
    "summaries": ("Jill ---05/05/2025---" + "a---" * 50_000 + "\n\nFrom: a@b.example\nTo: c\nSubject: d\n") * 4,
    "numbers": "On 5 May 2025 at 10:02 " + "24/7 " * 70 + "Jill <j@x.example> wrote:\n",
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("content_type", ["text/plain", "text/plain; format=flowed"])
def test_hostile_text_is_bounded(name: str, content_type: str) -> None:
    begun = time.process_time()
    body = body_of(HOSTILE[name], content_type=content_type)
    assert body.new.text is not None and body.blocks is not None and body.authors is not None
    assert body.inline is not None and body.quoted_text is not None
    assert time.process_time() - begun < 3
