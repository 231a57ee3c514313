"""A paragraph more: it stands where the sender's words end, in every alternative, and nothing else moves."""

from __future__ import annotations

import base64
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.mail.amend import CannotAmend, amend
from gateway.mail.message import read_message
from gateway.mail.quoting import split_body
from gateway.mail.splice import apply

WHY = "The reason: we have one seat a floor."
GRUND = "Der Grund: für Größe 5 gibt es nur einen Platz."
HEAD = b"From: Dana <dana@acme.example>\r\nTo: jill@acme.example\r\nSubject: Re: Desk\r\n"
BELOW = "\r\n\r\n-- \r\nDana Cole\r\n\r\nOn Monday, Jill <jill@acme.example> wrote:\r\n> May I?\r\n"


def made(raw: bytes, words: str = WHY) -> bytes:
    return apply(raw, amend(raw, words))


def new_text(raw: bytes) -> str:
    return split_body(read_message(raw)).new.text


def plain(text: str = "No." + BELOW, *fields: bytes) -> bytes:
    return HEAD + b"".join(field + b"\r\n" for field in fields) + b"\r\n" + text.encode("latin-1")


def test_it_stands_between_the_words_and_the_signature() -> None:
    assert made(plain()) == plain("No.\r\n\r\n" + WHY + BELOW)


def test_long_words_are_wrapped_for_mail() -> None:
    after = made(plain(), "The reason: " + "we have one seat a floor and " * 12)
    assert max(map(len, after.split(b"\r\n"))) <= 78


def test_flowed_text_flows(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = plain("No." + BELOW, b"Content-Type: text/plain; charset=us-ascii; format=flowed")
    after = made(raw, "The reason: " + "we have one seat a floor and " * 6 + "that is all.")
    assert new_text(after).endswith("one seat a floor and that is all.") and new_text(after).count("\n") == 2


LATIN = b'Content-Type: text/plain; charset="iso-8859-1"'
QUOTED = b"Content-Transfer-Encoding: quoted-printable"
ENCODED = {
    "7bit as UTF-8": (plain(), "utf-8"),
    "no type at all": (plain("No.\r\n"), "utf-8"),
    "8bit latin-1": (
        plain("Nein, schöne Grüße." + BELOW, LATIN, b"Content-Transfer-Encoding: 8bit"),
        "latin-1",
    ),
    "8bit without a charset": (plain("No.\r\n", b"Content-Transfer-Encoding: 8bit"), "utf-8"),
    "quoted-printable": (
        plain("Nein, sch=F6ne Gr=FC=\r\n=DFe." + BELOW.replace("-- ", "--=20"), LATIN, QUOTED),
        "latin-1",
    ),
    "base64": (
        HEAD
        + b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + base64.encodebytes(("Nein, schöne Grüße." + BELOW).encode()).replace(b"\n", b"\r\n"),
        "utf-8",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ENCODED)
def test_every_encoding_takes_words_beyond_ascii(name: str) -> None:
    raw, charset = ENCODED[name]
    after = made(raw, GRUND)
    old, new = read_message(raw), read_message(after)
    [was], [now] = old.parts, new.parts
    assert new_text(after) == new_text(raw) + "\n\n" + GRUND
    assert now.text is not None and now.text.replace("\n\n" + GRUND, "", 1) == was.text
    assert not now.oddities and now.charset.lower() in (charset, "iso-8859-1" if charset == "latin-1" else charset)
    assert max(map(len, after.split(b"\r\n"))) <= 78


def alternatives(text: str, page: str, **options: str) -> bytes:
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = "dana@acme.example", "jill@acme.example", "Re: Desk"
    message.set_content(text, **options)
    message.add_alternative(page, subtype="html", **options)
    message.add_attachment(b"\x00\x01" * 500, "application", "pdf", filename="plan.pdf")
    return message.as_bytes()


TEXT = "No.\n\nOn Monday, Jill <jill@acme.example> wrote:\n> May I?\n"
PAGE = (
    "<html><body><div dir='ltr'>No.</div><br><div class='gmail_quote'><div class='gmail_attr'>On Monday, Jill "
    "&lt;jill@acme.example&gt; wrote:<br></div><blockquote class='gmail_quote'>May I?</blockquote></div></body>"
    "</html>\n"
)


@pytest.mark.parametrize("cte", ["7bit", "quoted-printable", "base64"])
@pytest.mark.parametrize("words", [WHY, GRUND])
def test_both_alternatives_say_it(cte: str, words: str) -> None:
    raw = alternatives(TEXT, PAGE, cte=cte)
    after = read_message(made(raw, words))
    text, shown, _ = after.parts
    assert text.text is not None and shown.text is not None
    assert text.text.startswith("No.\n\n" + words + "\n\nOn Monday")
    assert "<div dir='ltr'>No.<br><br>" in shown.text and new_text(made(raw, words)).endswith(words)


def test_alternatives_that_differ_are_left_alone() -> None:
    with pytest.raises(CannotAmend, match="do not say the same"):
        amend(alternatives(TEXT, PAGE.replace("No.", "No. And never ask again, whoever you are.")), WHY)


def test_a_charset_with_a_state_becomes_utf_8() -> None:
    raw = HEAD + b"Content-Type: text/plain; charset=iso-2022-jp\r\n\r\n\x1b$B$$$$$(\x1b(B\r\n"
    assert new_text(made(raw, GRUND)) == "いいえ\n\n" + GRUND


def test_a_page_gets_no_markup_from_words() -> None:
    raw = HEAD + b"Content-Type: text/html\r\n\r\n<p>See <a href='x'>this <b>page</b></a></p>\r\n"
    after = made(raw, "The reason: <script>alert(1)</script> & more")
    assert b"</b></a><br><br>\r\nThe reason: &lt;script&gt;alert(1)&lt;/script&gt; &amp; more</p>" in after


REFUSED = {
    "signed": HEAD + b'Content-Type: multipart/signed; boundary=x; protocol="application/pgp-signature"\r\n\r\n'
    b"--x\r\n\r\nNo.\r\n--x\r\nContent-Type: application/pgp-signature\r\n\r\nsig\r\n--x--\r\n",
    "dkim": plain("No.\r\n", b"DKIM-Signature: v=1; d=acme.example; h=from; bh=x; b=y"),
    "empty": plain("\r\n"),
    "only a quote": plain("> May I?\r\n"),
    "no text": HEAD + b"Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n",
    "lying charset": HEAD + b"Content-Type: text/plain; charset=utf-8\r\n\r\nNein, \xf6 so.\r\n",
    "two texts": HEAD + b"Content-Type: multipart/mixed; boundary=x\r\n\r\n"
    b"--x\r\n\r\nNo.\r\n--x\r\n\r\nNever.\r\n--x--\r\n",
    "two types": plain("No.\r\n", b"Content-Type: text/plain", b"Content-Type: text/plain; charset=us-ascii"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_done_surely_is_refused(name: str) -> None:
    with pytest.raises(CannotAmend):
        amend(REFUSED[name], GRUND)


@given(
    words=st.text(st.characters(codec="utf-8", exclude_categories=("C",)), min_size=1, max_size=300),
    body=st.text(st.characters(codec="ascii", exclude_categories=("C",)), min_size=1, max_size=200),
    cte=st.sampled_from(["7bit", "8bit", "quoted-printable", "base64"]),
)
@settings(max_examples=150, deadline=None)
def test_taking_the_words_out_again_gives_the_mail_that_came(words: str, body: str, cte: str) -> None:
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"] = "dana@acme.example", "jill@acme.example"
    message.set_content(body + "\n\n-- \nDana\n", cte=cte)
    raw = message.as_bytes()
    try:
        splices = amend(raw, words)
    except CannotAmend:
        return
    after = apply(raw, splices)
    back = raw
    for splice in sorted(splices, key=lambda each: each.position, reverse=True):
        assert after[splice.position :].startswith(splice.inserted) or len(splices) > 1
        back = back[: splice.position] + splice.removed + back[splice.position + len(splice.removed) :]
    assert back == raw
    was, now = read_message(raw).parts[0].text, read_message(after).parts[0].text
    assert was is not None and now is not None and len(now) > len(was)
    kept = iter(now)
    assert all(letter in kept for letter in was), "every letter that came is there, in its order"


def test_hostile_mail_takes_no_time() -> None:
    for body in (b"=\r\n" * 50_000, b"a" * 500_000, b"> " * 100_000, b"=41" * 100_000):
        for cte in (b"quoted-printable", b"7bit"):
            try:
                amend(HEAD + b"Content-Transfer-Encoding: " + cte + b"\r\n\r\nNo.\r\n" + body + b"\r\n", WHY)
            except CannotAmend:
                pass


def test_short_lines_are_counted_right_and_in_one_pass() -> None:
    """Half of the octets are line ends: the place is found all the same, without trying one place after another."""
    for lines in ("No\r\n" * 400, "a\r\n" * 500):
        assert made(plain(lines + BELOW)) == plain(lines[:-2] + "\r\n\r\n" + WHY + "\r\n" + BELOW)
