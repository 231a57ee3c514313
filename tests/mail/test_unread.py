"""What cannot be read is named, with the reason; what can be read is read, whatever the mail says of it."""

from __future__ import annotations

import pytest

from gateway.mail.message import read_message
from gateway.mail.quoting import Body, split_body

HEAD = "From: Dana Cole <dana.cole@acme.example>\nTo: kit@acme.example\nSubject: Re: Screen\nMIME-Version: 1.0\n"
QUOTE = "<blockquote type=cite>On 05/05/2025 10:02, Jill Amory &lt;jill@acme.example&gt; wrote:<br>Dark.</blockquote>"
LOGO = '<img src="cid:logo@acme.example" width="90" alt="ACME">'


def body_of(rest: str, head: str = HEAD) -> Body:
    return split_body(read_message((head + rest).replace("\n", "\r\n").encode("utf-8", "surrogateescape")))


def page(html: str) -> str:
    return f"Content-Type: text/html; charset=utf-8\n\n{html}\n"


def mixed(*parts: str) -> str:
    return "Content-Type: multipart/mixed; boundary=b\n\n" + "".join(f"--b\n{part}\n" for part in parts) + "--b--\n"


PHOTO = 'Content-Type: image/jpeg; name="IMG_1.jpg"\nContent-Transfer-Encoding: base64\n\n/9j/4AAQSkZJRg==\n'
TEXT = "Content-Type: text/plain; charset=utf-8\n\n"


@pytest.mark.parametrize(
    ("rest", "why"),
    [
        ("From: Kit Romero <kit@acme.example>\n\nNo.\n", "2 From fields, so that nobody knows who writes"),
        ("Content-Type: application/pdf\n\n%PDF-1.4\n", "no text, only application/pdf"),
        ("Content-Type: image/png\n\nx\n", "no text, only image/png"),
        (
            mixed('Content-Type: text/plain; name="a.txt"\nContent-Disposition: attachment\n\nNo.\n'),
            "no text, only text",
        ),
        (f"{TEXT}" + "\udc81\udc8d\udc8f" * 9 + "No.\n", "its characters are none of any alphabet"),
        (f"{TEXT}\x01\x02\x03\x04No\n", "its characters are none of any alphabet"),
        (page(f"<div>{LOGO.replace('logo', 'shot')}</div>"), "its text is in a picture"),
        (page(f'<div><img src="data:image/png;base64,iVBORw0KGgo="></div>{QUOTE}'), "its text is in a picture"),
        (f"{TEXT}[cid:image001.png@01DB1234.5678ABCD]\n\nDana Cole\n", "its text is in a picture"),
        (f"{TEXT}[image: image.png]\n", "its text is in a picture"),
        (mixed(f"{TEXT}\nSent from my iPhone\n", PHOTO), "its text is in a picture"),
    ],
)
def test_why_it_cannot_be_read(rest: str, why: str) -> None:
    assert body_of(rest).unread.startswith(why)


@pytest.mark.parametrize(
    "rest",
    [
        "\nNo.\n",
        f"{TEXT}No. \x1b]0;title\x07\x1b[31m\n",
        "\n",
        "",
        mixed(f"{TEXT}See the picture.\n", PHOTO),
        mixed("Content-Type: message/rfc822\n\nFrom: jill@acme.example\nSubject: Dark\n\nDark.\n"),
        page(f"<p>No.</p><p>{LOGO}</p>"),
        page(f"<div><br></div><div id=Signature>{LOGO}<p>Dana Cole</p></div>{QUOTE}"),
        page(f'<img src="https://acme.example/p.gif" width="1" height="1">{QUOTE}'),
        page(f"<blockquote type=cite>Dark: {LOGO}<br>{LOGO}</blockquote>"),
        f"{TEXT}H\udcc3\udcbcbsch, gr\udcfc\udcdfe.\n",
        "Content-Type: text/plain; charset=x-unheard-of\n\nGr\udcfc\udcdfe aus K\udcf6ln.\n",
    ],
)
def test_what_can_be_read(rest: str) -> None:
    assert body_of(rest).unread == ""


def test_a_page_called_plain_text_and_a_text_called_a_page() -> None:
    lie = "Content-Type: text/plain; charset=utf-8\n\n<html><body><p>Not <b>yet</b>.</p></body></html>\n"
    assert body_of(lie).new.text == "Not yet."
    text = "Not yet.\n\nOn 05/05/2025 10:02, Jill wrote:\n> 5 < 6 & 7 > 6?\n"
    body = body_of(page(text).rstrip("\n") + "\n")
    assert (body.new.text, body.quoted_text) == ("Not yet.", "5 < 6 & 7 > 6?")


def test_the_picture_of_a_forwarded_mail_is_not_the_writers() -> None:
    text = "-----Original Message-----\nFrom: Jill <jill@acme.example>\nTo: IT\nSubject: Screen\n\nDark.\n"
    assert body_of(mixed(TEXT + text, PHOTO), HEAD.replace("Re:", "FW:")).unread == ""
    assert body_of(mixed(TEXT + text, PHOTO)).unread == "its text is in a picture"
