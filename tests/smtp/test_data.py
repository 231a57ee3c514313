"""The end of data: found in one place only, wherever the octets are cut."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.smtp.data import EndOfData

END = b"\r\n.\r\n"

# What other servers have taken for the end of a message. None is: each spoils the message, whose end comes later.
SMUGGLED = [
    b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r.\r\n", b"\r\n.\r", b"\n.\r", b"\r.\n", b"\r\n\x00.\r\n",
    b"\r\n.\x00\r\n", b"\r\n.\r\r\n", b"\r\r\n.\r\r\n", b"\r\n.\n\r\n", b"\n\n.\r\n", b"\n\r\n.\n", b"\r\n\r.\r\n",
    b"\r\n.\r\x00\n", b"\x00\r\n.\r\x00\n", b"\r\n\x00.\n", b"\n.\x00\n",
]  # fmt: skip


def read(*chunks: bytes, normalise: bool = False) -> tuple[EndOfData, bytes]:
    end = EndOfData(normalise=normalise)
    out = b""
    for chunk in chunks:
        if end.done:
            end.rest += chunk
        else:
            out += end.feed(chunk)
    return end, out


def unstuffed(octets: bytes) -> bytes:
    return (b"\r\n" + octets).replace(b"\r\n.", b"\r\n")[2:]


MESSAGES = [
    b"",
    b"\r\n",
    b"x\r\n",
    b"Subject: x\r\n\r\nbody\r\n",
    b"..\r\n",
    b"..x\r\n...\r\n.. \r\n",
    b"\r\n\r\n\r\n..\r\n\r\n",
    b".\xff\x80\r\n" * 3,
]


@pytest.mark.parametrize("message", MESSAGES)
def test_every_cut_gives_the_same(message: bytes) -> None:
    wire = message + b".\r\nMAIL FROM:<>\r\n"
    for first in range(len(wire) + 1):
        for second in range(first, len(wire) + 1):
            end, out = read(wire[:first], wire[first:second], wire[second:])
            assert (end.done, out, end.rest) == (True, message, b"MAIL FROM:<>\r\n")
            assert not end.spoilt
            assert end.size == len(unstuffed(message))


@pytest.mark.parametrize("variant", SMUGGLED)
def test_no_other_end_is_an_end(variant: bytes) -> None:
    wire = b"Subject: x\r\n\r\nfirst" + variant + b"MAIL FROM:<evil@x.example>\r\nmore" + END + b"rest"
    for cut in range(len(wire) + 1):
        end, out = read(wire[:cut], wire[cut:])
        assert end.done and end.spoilt
        assert end.rest == b"rest"
        assert out == wire[: -len(END) - 4] + b"\r\n"


@pytest.mark.parametrize("variant", SMUGGLED)
def test_normalised_it_is_one_message_for_everybody(variant: bytes) -> None:
    wire = b"Subject: x\r\n\r\nfirst" + variant + b"MAIL FROM:<evil@x.example>\r\nmore" + END
    whole = read(wire, normalise=True)[1]
    for cut in range(len(wire) + 1):
        end, out = read(wire[:cut], wire[cut:], normalise=True)
        assert end.done
        assert unstuffed(out) == unstuffed(whole)
        assert end.size == len(unstuffed(out))
        for lenient in (b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\n", END):
            assert lenient not in b"\r\n" + out
        assert out.count(b"\r\n") == out.count(b"\n") == out.count(b"\r")
        assert b"\0" not in out


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from([b"\r", b"\n", b".", b"\r\n", b"x", b"\0", b"..", b"\r\n."]), max_size=30), st.data())
def test_any_octets_any_cuts(parts: list[bytes], data: st.DataObject) -> None:
    wire = b"".join(parts) + END
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=8)))
    chunks = [wire[a:b] for a, b in zip([0, *cuts], [*cuts, len(wire)], strict=True)]
    end, out = read(*chunks)
    first = (b"\r\n" + wire).find(END)
    message = (b"\r\n" + wire)[2 : first + 2]
    assert end.done and out == message
    assert end.size == len(unstuffed(message))
    pairs = message.count(b"\r\n")
    assert end.spoilt == (message.count(b"\r") != pairs or message.count(b"\n") != pairs or b"\0" in message)
    mended = read(*chunks, normalise=True)[1]
    assert END not in b"\r\n" + mended
    assert mended.count(b"\r\n") == mended.count(b"\n") == mended.count(b"\r")
