"""The mail made of a labelled text reads as the text, to the right people."""

from __future__ import annotations

import pytest

from gateway.evaluation.labelled import ASKER, COLLEAGUE, address_of, make_mail
from gateway.mail.message import read_message
from gateway.mail.quoting import split_body
from tests.evaluation.conftest import row


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("Mary Jones <Mary@Customer.example>", "mary@customer.example"),
        ("ripley at stats.example (Prof R)", "ripley@stats.example"),
        ("Cayce, Sunny C (GOV) [/O=SOA/CN=X]", "cayce.sunny.c@people.example"),
        ("116237", "116237@people.example"),
        ("", ""),
    ],
)
def test_addresses_as_corpora_write_them(text: str, address: str) -> None:
    assert address_of(text) == address


def test_an_answer_goes_to_who_asked() -> None:
    raw, envelope = make_mail(row("a", "No.\n\nDana"))
    message = read_message(raw)
    body = split_body(message)
    assert body.new.text.startswith("No.")
    assert "move the printer" in body.quoted_text
    assert envelope.recipients == ("mary@customer.example",)
    assert [author.mailbox.address for author in body.authors] == ["mary@customer.example"]


def test_a_hand_off_goes_to_a_colleague_about_somebody_else() -> None:
    told = {**row("a", "Can you handle this?", referral="handoff_to_colleague"), "to": []}
    raw, envelope = make_mail(told)
    assert envelope.recipients == (COLLEAGUE,)
    assert [author.mailbox.address for author in split_body(read_message(raw)).authors] == [ASKER]


def test_a_quoted_block_stays_as_it_is() -> None:
    told = row("a", "Yours, please.", referral="handoff_to_colleague")
    told["quoted"] = "From: Jill Amory\nSent: Friday\nTo: Dana\nSubject: Printer\n\nIt is jammed."
    (author,) = split_body(read_message(make_mail(told)[0])).authors
    assert author.mailbox.name == "Jill Amory"


def test_odd_letters_make_no_second_header() -> None:
    raw, _ = make_mail({**row("a", "Fine."), "subject": "Drücker\r\nBcc: evil@x.example"})
    message = read_message(raw)
    assert message.bcc == ()
    assert message.subject.startswith("Re: Drücker")
