"""The Received line: RFC 5321 §4.4, and nothing in it that a client can choose freely."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mail.message import read_headers
from gateway.mail.received import protocol_name, received_line

AT = datetime(2025, 5, 3, 10, 0, 5, tzinfo=timezone(timedelta(hours=2)))


def line(**more: object) -> bytes:
    given = {
        "helo": "pc.acme.example",
        "peer": "192.0.2.7",
        "by": "gw.acme.example",
        "id": "a1B2",
        "at": AT,
        "esmtp": True,
    }
    return received_line(**(given | more))  # type: ignore[arg-type]


def test_the_whole_line():
    assert line(tls=True, auth=True, recipients=["bob@x.example"]) == (
        b"Received: from pc.acme.example ([192.0.2.7])\r\n"
        b"\tby gw.acme.example with ESMTPSA id a1B2\r\n"
        b"\tfor <bob@x.example>;\r\n"
        b"\tSat, 03 May 2025 10:00:05 +0200\r\n"
    )


@pytest.mark.parametrize(
    ("flags", "name"),
    [
        ({"esmtp": False}, "SMTP"),
        ({"esmtp": True}, "ESMTP"),
        ({"esmtp": True, "tls": True}, "ESMTPS"),
        ({"esmtp": True, "auth": True}, "ESMTPA"),
        ({"esmtp": True, "tls": True, "auth": True}, "ESMTPSA"),
        ({"esmtp": True, "smtputf8": True}, "UTF8SMTP"),
        ({"esmtp": True, "smtputf8": True, "tls": True, "auth": True}, "UTF8SMTPSA"),
    ],
)
def test_protocol_names(flags: dict[str, bool], name: str):
    assert protocol_name(**flags) == name


def test_for_names_nobody_who_is_not_alone():
    assert b"for" not in line(recipients=["bob@x.example", "hidden@x.example"])
    assert b"for" not in line(recipients=[])
    assert b"for" not in line(recipients=["b\r\nBcc: x@x.example"])
    assert b"for" not in line(recipients=["jürgen@x.example"])
    assert "for <jürgen@x.example>".encode() in line(recipients=["jürgen@x.example"], smtputf8=True)


@pytest.mark.parametrize(
    ("peer", "written"),
    [
        ("2001:db8::1", b"([IPv6:2001:db8::1])"),
        ("fe80::1%eth0", b"([IPv6:fe80::1])"),
        ("", b"(unknown)"),
        ("a)b", b"(unknown)"),
    ],
)
def test_peers(peer: str, written: bytes):
    assert written in line(peer=peer)


def test_a_date_without_a_zone_is_our_own_fault():
    with pytest.raises(ValueError, match="zone"):
        line(at=datetime(2025, 5, 3))


@given(st.text(max_size=400), st.text(max_size=40), st.text(max_size=100), st.lists(st.text(max_size=30), max_size=1))
def test_nothing_a_client_says_leaves_its_place(helo: str, peer: str, id: str, recipients: list[str]):
    out = line(helo=helo, peer=peer, id=id, at=AT.astimezone(UTC), recipients=recipients)
    assert re.fullmatch(
        rb"Received: from [A-Za-z0-9._:\[\]?-]{1,255} \([^()\r\n]*\)\r\n\tby gw\.acme\.example with ESMTP id [\w.-]+"
        rb"(?:\r\n\tfor <[^<>\r\n]+>)?;\r\n\t[\w, :+]+\r\n",
        out,
    )
    assert len(read_headers(out + b"\r\n").headers) == 1
