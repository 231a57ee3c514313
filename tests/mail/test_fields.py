"""Where fields stand in the octets: the offsets that rewriting relies on, and where other readers end the header."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mail.fields import HEADER_LIMIT, scan


def test_offsets_cover_the_header_without_gaps():
    raw = b"To: a@x\r\nSubject:x\r\n y\r\n\t\r\nX :\r\n\r\nbody: no field\r\n"
    section = scan(raw)
    assert [(each.name, each.value) for each in section.fields] == [
        (b"To", b" a@x"),
        (b"Subject", b"x\r\n y\r\n\t"),
        (b"X", b""),
    ]
    assert b"".join(raw[each.start : each.end] for each in section.fields) == raw[: section.end]
    assert raw[section.end : section.body] == b"\r\n" and raw[section.body :] == b"body: no field\r\n"
    assert raw[section.fields[1].body :].startswith(b"x\r\n y")
    assert not section.fault


@pytest.mark.parametrize(
    ("raw", "names", "body", "fault"),
    [
        (b"", [], b"", "the header has no end"),
        (b"\r\nbody", [], b"body", ""),
        (b"A: b", [b"A"], b"", "the header has no end"),
        (b"A: b\r\nno field\r\n\r\nC: d", [b"A"], b"no field\r\n\r\nC: d", "a line in the header is no field"),
        (b" A: b\r\n\r\n", [], b" A: b\r\n\r\n", "a line in the header is no field"),
        (b"From a@x Mon\r\nA: b\r\n\r\nbody", [b"A"], b"body", ""),
        (b"A: b\n\nbody", [b"A"], b"body", ""),
        (b"A: b\rB: c\r\n\r\nbody", [b"A"], b"body", ""),
        (b"\xc3\xa4: b\r\n\r\n", [], b"\xc3\xa4: b\r\n\r\n", "a line in the header is no field"),
    ],
)
def test_where_a_header_ends(raw: bytes, names: list[bytes], body: bytes, fault: str):
    section = scan(raw)
    assert ([each.name for each in section.fields], raw[section.body :], section.fault) == (names, body, fault)


def test_a_header_beyond_the_bound_still_has_its_end():
    for line_end in (b"\r\n", b"\n"):
        raw = (b"A: " + b"b" * 95 + line_end) * 1000 + line_end + b"body"
        section = scan(raw)
        assert section.truncated and raw[section.body :] == b"body"
        assert section.fields[-1].end <= HEADER_LIMIT


@given(st.lists(st.sampled_from([b"A: b", b"\r\n", b"\n", b"\r", b" ", b"\t", b":", b"--b", b"x", b"\0"]), max_size=40))
def test_offsets_hold_for_any_octets(pieces: list[bytes]):
    raw = b"".join(pieces)
    section = scan(raw)
    assert section.end <= section.body <= len(raw)
    end = section.fields[0].start if section.fields else section.end
    for each in section.fields:
        assert each.start == end < each.body <= each.end
        assert raw[each.start :].startswith(each.name) and raw[each.body :].startswith(each.value)
        end = each.end
    assert end == section.end
