"""HTML to lines: what a reader sees, which of it is quoted, and where it stands in the source."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import yaml

from gateway.mail.html import ink, split_html
from gateway.mail.lines import trace
from gateway.mail.message import read_message
from gateway.mail.quoting import Body, split_body

CLIENTS = yaml.safe_load(Path(__file__).with_name("html_clients.yaml").read_text("utf-8"))


def body_of(html: str, plain: str | None = None) -> Body:
    head = "From: Dana Cole <dana.cole@acme.example>\nDate: Tue, 6 May 2025 09:00:00 +0200\nMIME-Version: 1.0\n"
    kind = "Content-Type: text/{}; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{}\n"
    if plain is None:
        text = head + kind.format("html", html)
    else:
        parts = f"--b\n{kind.format('plain', plain)}--b\n{kind.format('html', html)}--b--\n"
        text = f"{head}Content-Type: multipart/alternative; boundary=b\n\n{parts}"
    return split_body(read_message(text.replace("\n", "\r\n").encode()))


@pytest.mark.parametrize("client", CLIENTS)
def test_client(client: str) -> None:
    html, new, authors = CLIENTS[client]["html"], CLIENTS[client]["new"], CLIENTS[client]["authors"]
    body = body_of(html)
    assert body.new.text == new
    assert [author.mailbox.address or author.mailbox.name for author in body.authors] == authors
    if authors:
        assert body.has_quote and (
            "Dark" in body.quoted_text
            or "unkel" in body.quoted_text
            or "igra" in body.quoted_text
            or "?" in body.quoted_text
        )


@pytest.mark.parametrize(
    "hidden",
    [
        '<span style="display:none">secret</span>',
        '<div style="DISPLAY: NONE !important"><p>secret</p></div>',
        '<div style="max-height:0;overflow:hidden">secret</div>',
        '<span style="font-size:0">secret</span>',
        '<p style="mso-hide:all">secret</p>',
        '<p style="visibility: hidden">secret</p>',
        "<div hidden>secret</div>",
        "<!-- secret -->",
        "<!--[if mso]>secret<![endif]-->",
        "<style>secret</style>",
        "<script>'secret'</script>",
        "<head><title>secret</title></head>",
        "<template>secret</template>",
    ],
)
def test_hidden_text_is_not_read(hidden: str) -> None:
    assert body_of(f"<div>No.</div>{hidden}<div>Not yet.</div>").new.text == "No.\nNot yet."


def test_words_lead_back_to_the_source() -> None:
    html = "<p>We&nbsp;can&#39;t\n  do <b>th</b>is &amp; that:\n<i>caf&eacute;</i> &lt;x&gt;</p><pre>a\n  b c</pre>"
    (text, *rest) = [line.text for line in split_html(html, "1") if line.text]
    assert (text, rest) == ("We can't do this & that: café <x>", ["a", "b c"])
    body = body_of(html)
    for words, source in (
        ("can't", "can&#39;t"),
        ("do", "do"),
        ("this", "th</b>is"),
        ("& that", "&amp; that"),
        ("café", "caf&eacute;"),
        ("<x>", "&lt;x&gt;"),
        ("can't\n".strip() + " do", "can&#39;t\n  do"),
        ("c", "c"),
    ):
        at = body.new.text.rindex(words)
        span = body.new.locate(at, at + len(words))
        assert (span.text, html[span.start : span.end]) == (words, source)


def test_better_alternative() -> None:
    assert body_of("<p>Not yet.</p>", "Not yet.").new.text == "Not yet."
    assert body_of("<p>Not yet.</p>", "").new.text == "Not yet."
    stub = "Your e-mail client cannot display HTML. Please use another one."
    assert body_of(
        "<p>Not yet, sorry. I will look after lunch, it takes ten minutes and Kit helps me with it.</p>" + "<br>" * 9,
        stub,
    ).new.text.startswith("Not yet")
    long = "<p>We cannot raise the limit, because the backup does not fit into the night then.</p>" * 30
    assert body_of(long, "We cannot raise the limit").new.text.startswith("We cannot raise the limit, because")


def test_html_tells_of_a_quote_that_the_plain_text_hides() -> None:
    """The attribution is in a language that nobody listed, and its plain text has no marks."""
    plain = "Ne.\n\nJe la 5a de majo 2025, 10:02, Jill Amory <jill@acme.example> skribis\n\nNigra.\n"
    html = (
        '<div>Ne.</div><div class="gmail_quote"><div class="gmail_attr">Je la 5a de majo 2025, 10:02, Jill Amory &lt;'
        'jill@acme.example&gt; skribis<br></div><blockquote class="gmail_quote">Nigra.</blockquote></div>'
    )
    body = body_of(html, plain)
    assert (body.new.text, body.quoted_text) == ("Ne.", "Nigra.")
    assert [author.mailbox.address for author in body.authors] == ["jill@acme.example"]


def test_text_in_several_parts() -> None:
    """Apple Mail cuts the text where a picture stands; the quote goes on behind it, and so does its author's mail."""
    plain = "Content-Type: text/plain; charset=utf-8\n\n"
    picture = "Content-Type: image/png; name=a.png\nContent-Disposition: inline\n\nx\n"
    first = "Not yet.\n\n> On 3 May 2025, at 10:02, Jill Amory <jill@acme.example> wrote:\n>\n> Look:\n"
    texts = [
        plain + first,
        picture,
        plain + "> It is dark.\n",
        f"{plain}{'_' * 47}\nlist mailing list\nlistinfo\n",
    ]
    raw = "From: dana.cole@acme.example\nContent-Type: multipart/mixed; boundary=b\n\n"
    body = split_body(read_message((raw + "".join(f"--b\n{text}" for text in texts) + "--b--\n").encode()))
    assert (body.new.text, body.quoted_text) == ("Not yet.", "Look:\nIt is dark.")
    assert len(body.authors) == 1


def test_tags_as_people_write_them() -> None:
    assert [line.text for line in split_html('<P ALIGN="a>b">one<BR/>two</P><p>a < b<p>c', "1") if line.text] == [
        "one",
        "two",
        "a < b",
        "c",
    ]
    assert [line.text for line in split_html("<ul><li>one<li>two</ul>three", "1") if line.text] == [
        "one",
        "two",
        "three",
    ]
    assert [line.text for line in split_html("w\u200bord so\u00adft", "1")] == ["word soft"]


RUNS = {
    "the same run again": ("<p><b>one</b></p><p><b>two</b></p>", ["one", "two"]),
    "a comment in a run": ("<p>one</p><!-- <p>no</p> --><p>two</p>", ["one", "two"]),
    "a run in a comment": ("<p>one</p><p>two</p><!--<p>no</p><p>no</p>--><p>three</p>", ["one", "two", "three"]),
    "a script in a run": ("<p>one</p><p><script>a</p><p>b</script>two</p>", ["one", "two"]),
    "a tag that goes on": ('<p>one</p><p title="</p><p>">two</p><p>three', ["one", "two", "three"]),
    "no tag at all": ("<p>5 <6</p><p>7> 6</p><p>< and ></p>", ["5 <6", "7> 6", "< and >"]),
    "text around all tags": ("one > none<p>two</p>three", ["one > none", "two", "three"]),
    "no tags": ("one > none", ["one > none"]),
    "a tag without an end": ("<p>one</p><p", ["one", "<p"]),
    "hidden": ('<p>one</p><p style="display:none"><b>no</b></p><p><b>two</b></p>', ["one", "two"]),
}


@pytest.mark.parametrize("name", RUNS)
def test_runs_of_tags(name: str) -> None:
    source, lines = RUNS[name]
    assert [line.text for line in split_html(source, "1") if line.text] == lines


@pytest.mark.parametrize(
    "words", ["as it stands", " led and ended ", "two  blanks", "R&amp;D", "caf\u00e9", "s\u00adoft", "a\nb"]
)
def test_each_character_is_found_where_it_stands(words: str) -> None:
    (line,) = split_html(f"<p>{words}</p>", "1")
    assert [line.place(column) for column in range(len(line.text))] == list(trace(f"<p>{words}</p>", 3, len(words)))


HOSTILE = {
    "nested div": "<div>" * 200_000 + "No.",
    "nested quotes": '<blockquote type="cite">' * 50_000 + "No.",
    "never closed": "<div style='" * 100_000,
    "quotes": "<a b=\"'" * 100_000 + ">",
    "comments": "<!--" * 300_000,
    "brackets": "<" * 1_000_000,
    "ends": "</div>" * 200_000,
    "misnested": "<b><i>" * 100_000 + "</b>" * 100_000,
    "attributes": "<p " + "a=b " * 250_000 + ">",
    "entities": "&" * 500_000 + "&amp;" * 100_000,
    "style": '<p style="' + "x:" * 400_000 + '">No.',
    "scripts": "<script>" * 100_000,
    "cells": "<td>To</td>" * 90_000,
    "spaces": "<p>" + " " * 900_000 + "</p>",
    "five megabytes": "<p>This is a sentence of some length.</p>\n" * 125_000,
    "links": '<a href="mailto:a@b.example">' * 30_000,
    "pre": "<pre>" + "\n" * 900_000,
    "marks": "<" + ">" * 1_000_000,
    "lone marks": "<b>x<" * 200_000,
    "comments in runs": "<b> <!-->" * 100_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_html_is_bounded(name: str) -> None:
    message = read_message(b"Content-Type: text/html\r\n\r\n" + HOSTILE[name].encode())
    begun = time.process_time()
    body = split_body(message)
    assert body.new.text is not None and body.blocks is not None and body.authors is not None
    if body.new.text:
        body.new.locate(0, len(body.new.text))
    assert time.process_time() - begun < 4


def test_ink_is_what_is_no_blank() -> None:
    every = "".join(map(chr, range(128)))
    for text in ("", every, "a b\tc\n", "\u00a0ü \u2003ß", every + "\u3000é"):
        assert ink(text) == len("".join(text.split()))
