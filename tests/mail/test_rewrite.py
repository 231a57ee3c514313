"""Adding the requester to Cc by one splice: what stands in the result, what is refused, what stays as it was."""

from __future__ import annotations

from email import message_from_bytes
from email._parseaddr import AddressList  # what getaddresses does when it is not strict, as it is in some 3.11
from email.policy import compat32

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.mail.address import Mailbox
from gateway.mail.message import read_headers, read_message
from gateway.mail.rewrite import CannotRewrite, add_cc, breaks
from gateway.mail.spelling import spoken_name
from gateway.mail.splice import apply

ERIKA = Mailbox("erika@kunde.example", "Erika Mustermann")


def mail(*fields: str, body: str = "No.\r\n") -> bytes:
    return "".join(f"{field}\r\n" for field in ("From: dana.cole@acme.example", *fields, "Subject: x")).encode() + (
        b"\r\n" + body.encode()
    )


def rewritten(raw: bytes, *who: Mailbox, smtputf8: bool = False) -> bytes:
    splice = add_cc(raw, *who, smtputf8=smtputf8)
    assert splice.removed == b""
    out = apply(raw, [splice])
    assert out == raw[: splice.position] + splice.inserted + raw[splice.position :]
    return out


@pytest.mark.parametrize(
    ("fields", "result"),
    [
        (["To: bob@x.example"], "To: bob@x.example\r\nCc: Erika Mustermann <erika@kunde.example>\r\nSubject"),
        (
            ["To: bob@x.example,", " c@x.example"],
            " c@x.example\r\nCc: Erika Mustermann <erika@kunde.example>\r\nSubject",
        ),
        ([], "Subject: x\r\nCc: Erika Mustermann <erika@kunde.example>\r\n\r\nNo."),
        (["cC: a@x.example"], "cC: a@x.example,\r\n Erika Mustermann <erika@kunde.example>\r\nSubject"),
        (
            ["Cc: a@x.example,", "\tb@x.example "],
            "\tb@x.example,\r\n Erika Mustermann <erika@kunde.example> \r\nSubject",
        ),
        (["Cc:"], "Cc: Erika Mustermann <erika@kunde.example>\r\nSubject"),
        (["Cc: "], "Cc: Erika Mustermann <erika@kunde.example> \r\nSubject"),
        (["Cc: a@x.example,"], "Cc: a@x.example,\r\n Erika Mustermann <erika@kunde.example>\r\nSubject"),
        (["Cc: a@x.example (Al)"], "Cc: a@x.example (Al),\r\n Erika Mustermann <erika@kunde.example>\r\nSubject"),
        (["Cc: a@x.example", " "], "Cc: a@x.example,\r\n Erika Mustermann <erika@kunde.example>\r\n \r\nSubject"),
        (["Cc: T: a@x.example;"], "Cc: T: a@x.example;,\r\n Erika Mustermann <erika@kunde.example>\r\nSubject"),
        (["Cc: undisclosed:;"], "Cc: undisclosed:;,\r\n Erika Mustermann <erika@kunde.example>\r\nSubject"),
        (
            ["To: b@x.example", "Resent-To: q@x.example", "Resent-Cc: r@x.example"],
            "To: b@x.example\r\nCc: Erika Mustermann <erika@kunde.example>\r\nResent-To",
        ),
    ],
)
def test_where_the_mailbox_goes(fields: list[str], result: str):
    assert result.encode() in rewritten(mail(*fields), ERIKA)


@pytest.mark.parametrize(
    ("who", "written"),
    [
        (Mailbox("a@x.example"), "a@x.example"),
        (Mailbox("a@x.example", "Ann"), "Ann <a@x.example>"),
        (Mailbox("a@x.example", "Lee, Ann"), '"Lee, Ann" <a@x.example>'),
        (Mailbox("a@x.example", 'Ann "x" Lee\\'), '"Ann \\"x\\" Lee\\\\" <a@x.example>'),
        (Mailbox("a@x.example", "Jürgen"), "=?utf-8?B?SsO8cmdlbg==?= <a@x.example>"),
        (Mailbox("a@x.example", "=?utf-8?q?boss?="), "=?utf-8?B?PT91dGYtOD9xP2Jvc3M/PQ==?= <a@x.example>"),
        (Mailbox("a@x.example", "Bcc: eve@x.example"), '"Bcc: eve@x.example" <a@x.example>'),
        (Mailbox("a@x.example", "\u202eann"), "ann <a@x.example>"),
        (Mailbox('"a b"@x.example'), '"a b"@x.example'),
    ],
)
def test_how_the_mailbox_is_spelled(who: Mailbox, written: str):
    assert f"\r\nCc: {written}\r\n".encode() in rewritten(mail("To: b@x.example"), who)


@pytest.mark.parametrize(
    "who",
    [
        *(Mailbox("a@x.example", f"Ann{mark}Bcc: e@x.test") for mark in "\r\n\v\f\0\x85\u2028\u2029\x1b\t\ud800\x7f"),
        *(Mailbox(f"a{mark}@x.example") for mark in '\r\n\v\f\0\x85\u2028\u2029 ,;<>()[]:@"\\\u200b'),
        Mailbox(""), Mailbox("a"), Mailbox("@x.example"), Mailbox("a@"), Mailbox("a@x..example"), Mailbox("a@-x"),
        Mailbox("a@x.example\r\n"), Mailbox("a@[192.0.2.1]"), Mailbox("jürgen@x.example"), Mailbox("a@exämple.example"),
        Mailbox("a" * 65 + "@x.example"), Mailbox("a@x.example", "n" * 201),
    ],
)  # fmt: skip
def test_mailboxes_that_are_never_written(who: Mailbox):
    with pytest.raises(CannotRewrite):
        add_cc(mail("To: b@x.example"), who)


def test_an_address_beyond_ascii_needs_smtputf8():
    out = rewritten(mail("To: b@x.example"), Mailbox("jürgen@exämple.example"), smtputf8=True)
    assert "\r\nCc: jürgen@exämple.example\r\n".encode() in out


@pytest.mark.parametrize(
    "raw",
    [
        mail("Cc: a@x.example", "Cc: b@x.example"),
        mail("Cc: a@x.example", "CC: "),
        mail("Cc : a@x.example"),
        mail("Cc: (nobody)"),
        mail("Cc: a@x.example (unclosed"),
        mail('Cc: "unclosed <a@x.example>'),
        mail("Cc: Team: a@x.example"),
        mail("Cc: a@x.example; b@x.example"),
        mail("Cc: Lee, Ann <a@x.example>"),
        mail("Cc: a@x.example\nBcc: b@x.example"),
        mail("Cc: a@x.example\rBcc: b@x.example"),
        mail("Cc: a@x.example\0"),
        mail("no field"),
        mail("X-Pad: " + "y" * 70000),
        b"From: a@x.example\nTo: b@x.example\n\nNo.\n",
        b"From a@x.example Mon Jan  1 00:00:00 2024\r\nTo: b@x.example\r\n\r\nNo.\r\n",
        b"",
        b"\r\nNo header.\r\n",
        b"To: b@x.example",
    ],
)
def test_mails_that_are_not_rewritten(raw: bytes):
    with pytest.raises(CannotRewrite) as refused:
        add_cc(raw, ERIKA)
    assert refused.value.reason and not refused.value.present


@pytest.mark.parametrize("field", ["To: ERIKA@Kunde.example", "Cc: Team: a@x.example, E <erika@kunde.example>;"])
def test_who_is_there_already_is_not_added(field: str):
    with pytest.raises(CannotRewrite) as refused:
        add_cc(mail(field), ERIKA)
    assert refused.value.present
    both = rewritten(mail(field), ERIKA, Mailbox("kim@kunde.example"))
    assert both.lower().count(b"@kunde.example") == 2 and b"kim@kunde.example" in both


def test_several_mailboxes_make_one_field():
    out = rewritten(mail("To: b@x.example"), ERIKA, Mailbox("kim@kunde.example", "Kim, Lee"), ERIKA)
    assert out.count(b"\r\nCc:") == 1
    assert [each.address for each in read_headers(out).cc] == ["erika@kunde.example", "kim@kunde.example"]


def test_a_long_name_is_folded_and_a_long_line_not_made_longer():
    long_name = Mailbox("a@x.example", "Jürgen " * 25)
    out = rewritten(mail("To: b@x.example"), long_name)
    assert max(map(len, out.split(b"\r\n"))) <= 78
    assert read_headers(out).cc == (Mailbox("a@x.example", ("Jürgen " * 25).strip()),)
    full = mail("Cc: " + "a" * 980 + "@x.example")
    assert len(full.split(b"\r\n")[1]) == 994
    longest = mail("Cc: " + "a" * 984 + "@x.example")
    assert max(map(len, rewritten(longest, ERIKA).split(b"\r\n"))) == 998


ATOM = st.from_regex(r"[a-z0-9]{1,8}", fullmatch=True)
ADDRESS = st.builds(lambda local, domain: f"{local}@{domain}.example", ATOM, ATOM)
NAME = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Zl", "Zp", "Cs", "Cn", "Co")), max_size=40)
BLANK = st.sampled_from(["", " ", "  ", "\t", "\r\n ", " \r\n\t", "\r\n \r\n "])
COMMENT = st.sampled_from(["", "(x)", "(a, b)", "(a (b) <c@d>)", "(\\))"])
ENTRY = st.one_of(
    ADDRESS,
    st.builds(lambda name, address: f"{name} <{address}>", ATOM, ADDRESS),
    st.builds(lambda address: f'"a, b; \\" <x@y>" <{address}>', ADDRESS),
    st.builds(lambda address: f"=?utf-8?q?=C3=A4=2C?= <{address}>", ADDRESS),
    st.builds(lambda address, comment: f"{address} {comment}", ADDRESS, COMMENT),
    st.builds(lambda one, two: f"team: {one},{two};", ADDRESS, ADDRESS),
    st.just("nobody:;"),
    st.just(""),
)
LIST = st.builds(lambda entries, blank, end: f",{blank}".join(entries) + end, st.lists(ENTRY, max_size=5), BLANK, BLANK)
NEVER_CC = st.sampled_from(
    ["X-Odd: \xff\x0c", "Subject: Cc: a@b", "Resent-Cc: r@x.example", "X-Long: " + "z" * 1200, "To:"]
)
FIELD = st.one_of(
    NEVER_CC,
    st.builds(
        lambda name, blank, value: f"{name}:{blank}{value}", st.sampled_from(["To", "CC", "Cc", "cc"]), BLANK, LIST
    ),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(FIELD, max_size=6), st.binary(max_size=60), ADDRESS, NAME)
@example(["Cc: a@b.example,"], b"", "n@x.example", "")
@example(["Cc: \r\n "], b"", "n@x.example", "'\"")
def test_output_minus_input_is_the_inserted_octets(fields: list[str], body: bytes, address: str, name: str):
    raw = "".join(f"{field}\r\n" for field in ("From: a@b.example", *fields)).encode("latin-1") + b"\r\n" + body
    who = Mailbox(address, name)
    before = read_headers(raw)
    try:
        out = rewritten(raw, who)
    except CannotRewrite:
        return
    after = read_headers(out)
    assert after.cc == (*before.cc, Mailbox(address, spoken_name(name)))
    assert (after.to, after.from_, after.subject) == (before.to, before.from_, before.subject)
    assert [each for each in after.headers if each.name.lower() != "cc"] == [
        each for each in before.headers if each.name.lower() != "cc"
    ]
    assert len(after.get_all("cc")) == 1 and out.endswith(b"\r\n\r\n" + body)
    # A reader of another make sees the same: one Cc field, with the new address at its end.
    other = message_from_bytes(out, policy=compat32).get_all("cc") or []
    assert len(other) == 1 and AddressList(str(other[0])).addresslist[-1][1] == address


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=30), st.text(max_size=30), st.booleans())
def test_no_mailbox_from_anywhere_makes_a_line(name: str, address: str, smtputf8: bool):
    raw = mail("To: b@x.example")
    try:
        out = rewritten(raw, Mailbox(address, name), smtputf8=smtputf8)
    except CannotRewrite:
        return
    assert len(read_headers(out).headers) == len(read_headers(raw).headers) + 1
    assert out.decode().replace("\r\n", "").isprintable()


# --- what an edit breaks -------------------------------------------------------------------------------------------

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PRIVATE = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
)
PUBLIC = KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def dns(name: bytes, timeout: int = 5) -> bytes:
    return b"v=DKIM1; k=rsa; p=" + b"".join(PUBLIC.splitlines()[1:-1])


def dkim_signed(raw: bytes, headers: list[bytes]) -> bytes:
    return dkim.sign(raw, b"s", b"acme.example", PRIVATE, include_headers=headers) + raw


def test_received_leaves_dkim_whole():
    signed = dkim_signed(mail("To: b@x.example"), [b"from", b"to", b"subject"])
    assert dkim.verify(b"Received: from x\r\n\tby y; Sat, 3 May 2025 10:00:00 +0000\r\n" + signed, dnsfunc=dns)


@pytest.mark.parametrize(
    ("fields", "covered", "whole"),
    [
        (["To: b@x.example"], [b"from", b"to", b"subject"], True),
        (["To: b@x.example"], [b"from", b"to", b"subject", b"cc"], False),
        (["To: b@x.example", "Cc: c@x.example"], [b"from", b"to", b"subject"], True),
        (["To: b@x.example", "Cc: c@x.example"], [b"from", b"cc", b"subject"], False),
    ],
)
def test_breaks_says_what_dkim_says(fields: list[str], covered: list[bytes], whole: bool):
    signed = dkim_signed(mail(*fields), covered)
    assert dkim.verify(signed, dnsfunc=dns)
    assert dkim.verify(rewritten(signed, ERIKA), dnsfunc=dns) == whole
    assert breaks(read_message(signed)) == (() if whole else ("the DKIM signature of acme.example",))


def test_a_protected_header_is_named():
    raw = mail(
        "Content-Type: multipart/signed; boundary=b",
        body='--b\r\nContent-Type: text/plain; hp="clear"\r\n\r\nx\r\n--b--\r\n',
    )
    assert breaks(read_message(raw)) == ("the protected header of the signed or encrypted part",)
