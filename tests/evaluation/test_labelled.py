"""The mail made of a labelled text reads as the text, to the right people."""

from __future__ import annotations

import pytest

from gateway.evaluation.labelled import ASKER, COLLEAGUE, address_of, make_mail
from gateway.mail.message import read_message
from gateway.mail.quoting import split_body
from gateway.reading.asker import same_name
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


@pytest.mark.parametrize("name", ["Amory; Jill L (GOV)", "Amory, Jörg", 'Jill "JJ" Amory'])
def test_who_is_known_by_name_only_stays_so_beside_a_quoted_head(name: str) -> None:
    told = {**row("a", "No."), "to": [name], "cc": ["mary@customer.example"]}
    told["quoted"] = f"From: {name.replace(';', ',')} <jill@acme.example>\nSent: Friday\nTo: Dana\nSubject: A\n\nHello"
    raw, envelope = make_mail(told)
    (box,) = read_message(raw).to
    assert box.address == ""
    assert same_name(box.name, name)
    assert envelope.recipients == ("mary@customer.example",)


def test_who_writes_is_none_of_the_recipients_known_by_name_only() -> None:
    told = {**row("a", "No."), "from": "Jill Amory", "to": ["Jill Amory", "Bob Nilsson"], "cc": ["Jill Amory"]}
    told["quoted"] = "From: Bob Nilsson\nSent: Friday\nTo: Jill\nSubject: A\n\nHello"
    message = read_message(make_mail(told)[0])
    assert [box.name for box in (*message.to, *message.cc)] == ["Bob Nilsson"]


@pytest.mark.parametrize("quoted", ["", "From: Jill Amory\nSent: Friday\nTo: Dana\nSubject: Printer\n\nIt is jammed."])
def test_an_attribution_without_its_quote_makes_no_quote_of_the_answer(quoted: str) -> None:
    told = {
        **row("a", '"Jill Amory" <jill@acme.example> writes:\n\n[ the printer ]\n\nNo, that is hard to find.'),
        "quoted": quoted,
    }
    assert split_body(read_message(make_mail(told)[0])).new.text == "[ the printer ]\n\nNo, that is hard to find."


def test_odd_letters_make_no_second_header() -> None:
    raw, _ = make_mail({**row("a", "Fine."), "subject": "Drücker\r\nBcc: evil@x.example"})
    message = read_message(raw)
    assert message.bcc == ()
    assert message.subject.startswith("Re: Drücker")
