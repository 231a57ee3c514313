"""MAIL and RCPT arguments: what is read, what is refused, and that the raw octets stay."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.smtp.grammar import BadArgument, is_hello_name, read_mail, read_rcpt

ALL = frozenset({"SIZE", "8BITMIME", "SMTPUTF8", "DSN", "AUTH", "REQUIRETLS", "MT-PRIORITY", "DELIVERBY", "RRVS"})

GOOD_SENDERS = [
    (b"<>", ""),
    (b"<> SIZE=0", ""),
    (b"<a@x.example>", "a@x.example"),
    (b" <a@x.example>", "a@x.example"),
    (b"<a@x.example> ", "a@x.example"),
    (b"<A.b+c=d@X.Example> BODY=8bitmime", "A.b+c=d@X.Example"),
    (b"<a@x.example>  SIZE=12  RET=hdrs ENVID=QQ314159", "a@x.example"),
    (b"<a@x.example> AUTH=<>", "a@x.example"),
    (b"<a@x.example> AUTH=e+3Dmc2@example.com", "a@x.example"),
    (b"<a@x.example> MT-PRIORITY=-3 BY=120;R REQUIRETLS", "a@x.example"),
    (b'<"a b"@x.example>', '"a b"@x.example'),
    (b'<"a\\"b\\\\"@x.example>', '"a\\"b\\\\"@x.example'),
    (b'<"a>b"@x.example>', '"a>b"@x.example'),
    (b'<"@"@x.example>', '"@"@x.example'),
    (b'<""@x.example>', '""@x.example'),
    (b'<"|/bin/sh"@x.example>', '"|/bin/sh"@x.example'),
    (b"<a@[192.0.2.1]>", "a@[192.0.2.1]"),
    (b"<a@[IPv6:2001:db8::1]>", "a@[IPv6:2001:db8::1]"),
    (b"<a@under_score.example>", "a@under_score.example"),
    (b"<a@xn--bcher-kva.example>", "a@xn--bcher-kva.example"),
    (b"<@one.example,@two.example:a@x.example>", "a@x.example"),
    ("<zoë@bücher.example> SMTPUTF8".encode(), "zoë@bücher.example"),
    (b"<a@x.example> smtputf8", "a@x.example"),
    (b"<a@x>", "a@x"),
]

BAD_SENDERS = [
    (b"", 501),
    (b" ", 501),
    (b"a@x.example", 501),
    (b"<a@x.example", 501),
    (b"a@x.example>", 501),
    (b"<<a@x.example>>", 501),
    (b"<a@x.example>x", 501),
    (b"<a@x.example>SIZE=1", 501),
    (b"<a@x.example>\tSIZE=1", 501),
    (b"<a b@x.example>", 501),
    (b"<a@x.example> <b@x.example>", 501),
    (b"<a@b@x.example>", 501),
    (b"<a>", 501),
    (b"<postmaster>", 501),
    (b"< a@x.example>", 501),
    (b"<a@x.example >", 501),
    (b"<.a@x.example>", 501),
    (b"<a.@x.example>", 501),
    (b"<a..b@x.example>", 501),
    (b"<a@.x.example>", 501),
    (b"<a@x..example>", 501),
    (b"<a@x.example.>", 501),
    (b"<a@-x.example>", 501),
    (b"<a@x-.example>", 501),
    (b"<a@[300.0.2.1]>", 501),
    (b"<a@[192.0.2.1>", 501),
    (b"<a@[]>", 501),
    (b'<"a@x.example>', 501),
    (b'<"a\rb"@x.example>', 501),
    (b'<"a\\\r\nb"@x.example>', 501),
    (b"<a\x00@x.example>", 501),
    (b"<a\x7f@x.example>", 501),
    (b"<@one.example:@two.example:a@x.example>", 501),
    (b"<@one.example>", 501),
    (b"Bob <a@x.example>", 501),
    (b"(comment)<a@x.example>", 501),
    (b"=?utf-8?q?=3Ca@x.example=3E?=", 501),
    (b"<a@x.example> SIZE=1 SIZE=2", 501),
    (b"<a@x.example> SIZE=1 size=1", 501),
    (b"<a@x.example> SIZE", 501),
    (b"<a@x.example> SIZE=", 501),
    (b"<a@x.example> SIZE=-1", 501),
    (b"<a@x.example> SIZE=1e3", 501),
    (b"<a@x.example> SIZE=123456789012345678901", 501),
    (b"<a@x.example> BODY=BINARYMIME", 501),
    (b"<a@x.example> RET=SOME", 501),
    (b"<a@x.example> SMTPUTF8=yes", 501),
    (b"<a@x.example> ENVID=a=b", 501),
    (b"<a@x.example> XYZ=1", 555),
    (b"<a@x.example> NOTIFY=NEVER", 555),
    ("<zoë@x.example>".encode(), 553),
    (b"<zo\xeb@x.example> SMTPUTF8", 501),
    (b"<a@x.example> SMTPUTF8 ENVID=\xeb", 501),
]


@pytest.mark.parametrize(("argument", "address"), GOOD_SENDERS)
def test_sender_is_read(argument: bytes, address: str) -> None:
    path = read_mail(argument, ALL)
    assert path.address == address
    assert path.argument == argument


@pytest.mark.parametrize(("argument", "code"), BAD_SENDERS)
def test_sender_is_refused(argument: bytes, code: int) -> None:
    with pytest.raises(BadArgument) as refused:
        read_mail(argument, ALL)
    assert refused.value.reply.code == code


@pytest.mark.parametrize(
    ("argument", "address"),
    [
        (b"<b@y.example>", "b@y.example"),
        (b"<postmaster>", "postmaster"),
        (b"<PostMaster> NOTIFY=NEVER", "PostMaster"),
        (b"<b@y.example> NOTIFY=SUCCESS,delay ORCPT=rfc822;B+2Bx@Y.example", "b@y.example"),
        (b"<@relay.example:b@y.example>", "b@y.example"),
    ],
)
def test_recipient_is_read(argument: bytes, address: str) -> None:
    path = read_rcpt(argument, ALL)
    assert (path.address, path.argument) == (address, argument)


@pytest.mark.parametrize(
    ("argument", "code"),
    [
        (b"<>", 501),
        (b"<> NOTIFY=NEVER", 501),
        (b"<root>", 501),
        (b"<b@y.example", 501),
        (b"<b@y.example>\rRCPT TO:<c@y.example>", 501),
        (b"<b@y.example> NOTIFY=NEVER,FAILURE", 501),
        (b"<b@y.example> NOTIFY=NEVER NOTIFY=NEVER", 501),
        (b"<b@y.example> SIZE=1", 555),
        ("<zoë@y.example>".encode(), 553),
    ],
)
def test_recipient_is_refused(argument: bytes, code: int) -> None:
    with pytest.raises(BadArgument) as refused:
        read_rcpt(argument, ALL)
    assert refused.value.reply.code == code


def test_parameters_keep_case_and_order() -> None:
    path = read_mail(b"<a@x.example> envid=AbC RET=Full", ALL)
    assert path.params == (("ENVID", b"AbC"), ("RET", b"Full"))
    assert path.param("SIZE") is None


def test_parameters_not_offered_are_555() -> None:
    with pytest.raises(BadArgument) as refused:
        read_mail(b"<a@x.example> RET=FULL", {"SIZE"})
    assert refused.value.reply.code == 555


def test_utf8_recipient_needs_smtputf8_on_mail() -> None:
    assert read_rcpt("<zoë@y.example>".encode(), ALL, smtputf8=True).address == "zoë@y.example"


@pytest.mark.parametrize(
    ("argument", "address"),
    [
        (b"a@x.example", "a@x.example"),
        (b" a@x.example SIZE=7", "a@x.example"),
        (b"<root>", "root"),
        (b"root", "root"),
        (b"<a..b@x.example>", "a..b@x.example"),
        (b"<a.@x.example>", "a.@x.example"),
    ],
)
def test_lenient_reads_what_postfix_has_taken(argument: bytes, address: str) -> None:
    assert read_mail(argument, ALL, lenient=True).address == address
    with pytest.raises(BadArgument):
        read_mail(argument, ALL)


@pytest.mark.parametrize("argument", [b"<a@x.example", b"Bob <a@x.example>", b"a b@x.example", b"a@x\r", b"a,b@x"])
def test_lenient_still_refuses_what_reads_in_two_ways(argument: bytes) -> None:
    with pytest.raises(BadArgument):
        read_mail(argument, ALL, lenient=True)


@given(st.binary(max_size=200) | st.text(alphabet='<>@.,:"\\ [] a1-=', max_size=60).map(str.encode))
@example(b"<" + b"a." * 2000 + b"@x>")
@example(b"<" + b"@a," * 1000 + b":a@x>")
@example(b'<"' + b"\\" * 3999)
def test_anything_is_read_or_refused_and_an_address_is_one_word(argument: bytes) -> None:
    try:
        path = read_mail(b"<" + argument + b">", ALL)
    except BadArgument as why:
        assert 500 <= why.reply.code < 560
        return
    assert not any(ord(ch) < 32 or ord(ch) == 127 for ch in path.address)
    assert path.address == "" or path.address.encode() in path.argument


@pytest.mark.parametrize(
    ("name", "good"),
    [
        (b"client.example", True),
        (b"[192.0.2.1]", True),
        (b"", False),
        (b"a b", False),
        (b"a\x00", False),
        (b"\xc3", False),
    ],
)
def test_hello_names(name: bytes, good: bool) -> None:
    assert is_hello_name(name) is good
