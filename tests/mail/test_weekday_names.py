"""A day that stands in place of a date is no part of the name behind it."""

from __future__ import annotations

import pytest

from gateway.mail.message import read_message
from gateway.mail.quoting import split_body


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("On Monday, Kim Gast <kim@guest.example> wrote:", "Kim Gast"),
        ("On Tuesday Kim Gast <kim@guest.example> wrote:", "Kim Gast"),
        ("Yesterday, Kim Gast <kim@guest.example> wrote:", "Kim Gast"),
        ("Am Montag, Kim Gast <kim@guest.example> schrieb:", "Kim Gast"),
        ("Il lunedì, Kim Gast <kim@guest.example> ha scritto:", "Kim Gast"),
        ("El lunes, Kim Gast <kim@guest.example> escribió:", "Kim Gast"),
        ("Le mardi, Kim Gast <kim@guest.example> a écrit :", "Kim Gast"),
        ("Domingo Pérez <kim@guest.example> escribió:", "Domingo Pérez"),
        ("On Mon, 5 May 2025 at 10:02, Friday Okafor <kim@guest.example> wrote:", "Friday Okafor"),
    ],
)
def test_the_name_in_an_attribution(line: str, name: str) -> None:
    raw = f"From: a@b.example\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nNo.\r\n\r\n{line}\r\n> Is it back?\r\n"
    [quote] = split_body(read_message(raw.encode())).authors
    assert (quote.mailbox.name, quote.mailbox.address) == (name, "kim@guest.example")
