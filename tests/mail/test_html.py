"""HTML to lines: what a reader sees, which of it is quoted, and where it stands in the source."""

from __future__ import annotations

import time

import pytest

from gateway.mail.html import split_html
from gateway.mail.message import read_message
from gateway.mail.quoting import Body, split_body

BLOCK = (
    "<b>From:</b> Jill Amory &lt;jill@acme.example&gt;<br><b>Sent:</b> Monday, May 5, 2025 10:02 AM<br>"
    "<b>To:</b> IT &lt;it@acme.example&gt;<br><b>Subject:</b> Screen"
)
ON = (
    'On Mon, May 5, 2025 at 10:02 AM Jill Amory &lt;<a href="mailto:jill@acme.example">jill@acme.example</a>&gt; wrote:'
)

# client: (HTML, new text, authors)
CLIENTS: dict[str, tuple[str, str, list[str]]] = {
    "gmail reply": (
        f'<div dir="ltr">Sorry, no.</div><br><div class="gmail_quote gmail_quote_container"><div dir="ltr" class="gmail_attr">{ON}<br></div>'
        '<blockquote class="gmail_quote" style="margin:0 0 0 .8ex"><div>Dark.</div></blockquote></div>',
        "Sorry, no.",
        ["jill@acme.example"],
    ),
    "gmail answers between": (
        f'<div dir="ltr"><div class="gmail_quote"><div class="gmail_attr">{ON}</div><blockquote class="gmail_quote">a dock?</blockquote>'
        '<div>No.</div><blockquote class="gmail_quote">a screen?</blockquote><div>Yes, tomorrow.</div></div></div>',
        "No.\n\nYes, tomorrow.",
        ["jill@acme.example"],
    ),
    "gmail forward": (
        '<div dir="ltr">Yours.</div><div class="gmail_quote"><div class="gmail_attr">---------- Forwarded message ---------<br>From: '
        '<strong class="gmail_sendername">Jill Amory</strong> <span>&lt;<a href="mailto:jill@acme.example">jill@acme.example</a>&gt;</span>'
        "<br>Date: Mon, May 5, 2025 at 10:02 AM<br>Subject: Screen<br>To:  &lt;it@acme.example&gt;<br></div><div>Dark.</div></div>",
        "Yours.",
        ["jill@acme.example"],
    ),
    "gmail in a language that nobody listed": (
        '<div>Ne.</div><div class="gmail_quote"><div class="gmail_attr">Je la 5a de majo 2025, 10:02, Jill Amory &lt;'
        '<a href="mailto:jill@acme.example">jill@acme.example</a>&gt; skribis<br></div><blockquote class="gmail_quote">Nigra.</blockquote></div>',
        "Ne.",
        ["jill@acme.example"],
    ),
    "word": (
        "<div class=WordSection1><p class=MsoNormal>Sorry, no.<o:p></o:p></p><p class=MsoNormal><o:p>&nbsp;</o:p></p><p class=MsoNormal>It is "
        "too old.<o:p></o:p></p><div><div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm'><p class=MsoNormal>"
        f"{BLOCK}<o:p></o:p></p></div></div><p class=MsoNormal>Dark.</p></div>",
        "Sorry, no.\n\nIt is too old.",
        ["jill@acme.example"],
    ),
    "word with a bar": (
        "<p class=MsoNormal>No.</p><div style='border:none;border-left:solid blue 1.5pt;padding:0cm 0cm 0cm 4.0pt'><div><div style='border:none;"
        f"border-top:solid #B5C4DF 1.0pt;padding:3.0pt 0cm 0cm 0cm'><p class=MsoNormal>{BLOCK}</p></div></div><p class=MsoNormal>Dark.</p></div>",
        "No.",
        ["jill@acme.example"],
    ),
    "owa": (
        '<div class="elementToProof">No.</div><div id="appendonsend"></div><hr style="display:inline-block;width:98%">'
        f'<div id="divRplyFwdMsg" dir="ltr"><font>{BLOCK}</font><div>&nbsp;</div></div><div>Dark.</div>',
        "No.",
        ["jill@acme.example"],
    ),
    "owa in a language that nobody listed": (
        '<div>Ne.</div><hr><div id="divRplyFwdMsg"><b>Sendinto:</b> Jill Amory &lt;jill@acme.example&gt;<br><b>Ricevonto:</b> IT</div><div>Dark.</div>',
        "Ne.",
        ["jill@acme.example"],
    ),
    "outlook mobile": (
        '<div>No.</div><div id="ms-outlook-mobile-signature"><div>Get Outlook for iOS</div></div><hr>'
        f'<div id="mail-editor-reference-message-container"><div class="ms-outlook-mobile-reference-message skipProofing">{BLOCK}</div><div>Dark.</div></div>',
        "No.",
        ["jill@acme.example"],
    ),
    "outlook for mac": (
        f'<div>No.</div><span id="OLK_SRC_BODY_SECTION"><div style="BORDER-TOP: #b5c4df 1pt solid">{BLOCK}</div><div>Dark.</div></span>',
        "No.",
        ["jill@acme.example"],
    ),
    "apple reply": (
        '<body>No.<div><br><blockquote type="cite"><div>On 5 May 2025, at 10:02, Jill Amory &lt;jill@acme.example&gt; wrote:</div>'
        '<br class="Apple-interchange-newline"><div>Dark.</div></blockquote></div><br></body>',
        "No.",
        ["jill@acme.example"],
    ),
    "iphone reply": (
        '<div dir="ltr">No.</div><div dir="ltr"><br>Von meinem iPhone gesendet</div><div dir="ltr"><br><blockquote type="cite">Am 05.05.2025 um 10:02 '
        'schrieb Jill Amory &lt;jill@acme.example&gt;:<br><br></blockquote></div><blockquote type="cite"><div>Dark.</div></blockquote>',
        "No.",
        ["jill@acme.example"],
    ),
    "apple forward": (
        '<div>Yours.<br><div><br><blockquote type="cite"><div>Begin forwarded message:</div><br><div><span><b>From: </b></span><span>Jill Amory '
        '&lt;<a href="mailto:jill@acme.example">jill@acme.example</a>&gt;<br></span></div><div><span><b>Subject: </b></span><span><b>Screen</b><br>'
        "</span></div><div><span><b>Date: </b></span><span>5 May 2025 at 10:02:11 BST<br></span></div><br><div>Dark.</div></blockquote></div></div>",
        "Yours.",
        ["jill@acme.example"],
    ),
    "thunderbird reply": (
        '<p>No.</p><div class="moz-cite-prefix">Am 05.05.25 um 10:02 schrieb Jill Amory:<br></div><blockquote type="cite" cite="mid:x@y"><p>Dark.</p>'
        '</blockquote><p>Ask Kit.</p><pre class="moz-signature" cols="72">-- \nDana</pre>',
        "No.\n\nAsk Kit.",
        ["Jill Amory"],
    ),
    "thunderbird forward": (
        '<p>Für euch.</p><div class="moz-forward-container"><br><br>-------- Weitergeleitete Nachricht --------<table class="moz-email-headers-table">'
        "<tbody><tr><th>Betreff: </th><td>Monitor</td></tr><tr><th>Datum: </th><td>Mon, 5 May 2025 10:02:11 +0200</td></tr><tr><th>Von: </th>"
        '<td>Jill Amory <a class="moz-txt-link-rfc2396E" href="mailto:jill@acme.example">&lt;jill@acme.example&gt;</a></td></tr></tbody></table><br><p>Dunkel.</p></div>',
        "Für euch.",
        ["jill@acme.example"],
    ),
    "yahoo": (
        '<div>No.</div><div id="yahoo_quoted_123" class="yahoo_quoted"><div><div>On Monday, May 5, 2025 at 10:02:00 AM GMT+2, Jill Amory '
        "&lt;jill@acme.example&gt; wrote:</div><div>Dark.</div></div></div>",
        "No.",
        ["jill@acme.example"],
    ),
    "proton": (
        f'<div>No.</div><div class="protonmail_signature_block">Dana</div><div class="protonmail_quote">{ON}<br>'
        '<blockquote class="protonmail_quote" type="cite"><div>Dark.</div></blockquote><br></div>',
        "No.",
        ["jill@acme.example"],
    ),
    "zoho": (
        '<div>No.</div><div class="zmail_extra"><div>---- On Mon, 05 May 2025 10:02:00 +0200 <b>Jill Amory &lt;jill@acme.example&gt;</b> wrote ---<br></div>'
        "<blockquote><div>Dark.</div></blockquote></div>",
        "No.",
        ["jill@acme.example"],
    ),
    "hubspot": (
        f'<div>No.</div><div class="hs_reply"><div>{ON}</div><blockquote style="border-left:1px solid #ccc">Dark.</blockquote></div>',
        "No.",
        ["jill@acme.example"],
    ),
    "missive": (
        f'<div>No.</div><br><div class="missive_quote">{ON}<br><blockquote style="margin:0;border-left:1px solid #ccc">Dark.</blockquote></div>',
        "No.",
        ["jill@acme.example"],
    ),
    "mailmate": (
        "<p>No.</p><p>On 5 May 2025, at 10:02, Jill Amory wrote:</p><blockquote><p>Dark.</p></blockquote><p>Ask Kit.</p>",
        "No.\n\nAsk Kit.",
        ["Jill Amory"],
    ),
    "name only, address behind the link": (
        '<div>No.</div><hr><div id="divRplyFwdMsg"><b>From:</b> <a href="mailto:jill@acme.example">Jill Amory</a><br><b>Sent:</b> Monday, May 5, 2025'
        "<br><b>Subject:</b> Screen</div><div>Dark.</div>",
        "No.",
        ["jill@acme.example"],
    ),
    "notes": (
        "<font>No.</font><br><table><tr><td><b>Jill Amory/ACME</b><p><font>05.05.2025 10:02</font></td><td><table><tr><td><div align=right>To</div></td>"
        "<td>IT</td></tr><tr><td><div align=right>Subject</div></td><td>Screen</td></tr></table></td></tr></table><br>Dark.",
        "No.",
        ["Jill Amory"],
    ),
    "indented, not quoted": (
        '<div>No:</div><blockquote style="margin:0 0 0 40px;border:none;padding:0px"><div>too old</div></blockquote>',
        "No:\ntoo old",
        [],
    ),
    "plain text inside": (
        "<div>No.<br><br>On 05/05/2025 10:02, Jill Amory wrote:<br>&gt; Dark.<br>&gt; Still.</div>",
        "No.",
        ["Jill Amory"],
    ),
    "outlook prefixes": (
        f'<div>No.</div><div id="x_divRplyFwdMsg">{BLOCK}</div><div>Dark.</div>',
        "No.",
        ["jill@acme.example"],
    ),
}


def body_of(html: str, plain: str | None = None) -> Body:
    head = "From: Dana Cole <dana.cole@acme.example>\nDate: Tue, 6 May 2025 09:00:00 +0200\nSubject: Re: Screen\nMIME-Version: 1.0\n"
    kind = "Content-Type: text/{}; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{}\n"
    if plain is None:
        text = head + kind.format("html", html)
    else:
        text = f"{head}Content-Type: multipart/alternative; boundary=b\n\n--b\n{kind.format('plain', plain)}--b\n{kind.format('html', html)}--b--\n"
    return split_body(read_message(text.replace("\n", "\r\n").encode()))


@pytest.mark.parametrize("client", CLIENTS)
def test_client(client: str) -> None:
    html, new, authors = CLIENTS[client]
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
