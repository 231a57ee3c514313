"""Answers as people type them: on phones, above quotes, in two languages, and the ones that must be asked back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.answers import Answer, parse_answer

FIX = [
    "FIX", "fix", "Fix.", "  FIX  ", "*FIX*", "“Fix”", "FIX!", "Fix it", "fix it please", "Please fix", "Yes, fix it.",
    "ok fix", "FIX\n\nThanks!", "Hi,\n\nFIX\n\nDana", "FIX\n-- \nDana Cole\nIT Support", "FIX\r\n", "\n\nFIX\n",
    "Thanks for catching this!\nFIX", "FIX, thanks for catching that", "Answer: FIX",
    "FIX\n\nSent from my iPhone", "Fix\nGet Outlook for iOS<https://aka.ms/o0ukef>",
    "ERGÄNZEN", "Ergänzen bitte", "Bitte ergänzen", "ergaenzen", "Ja, bitte ergänzen!", "Hinzufügen",
    "Ergänzen\nGruß\nTom",
    "FIX\n\nOn Mon, 2 Jun 2025 at 10:00, Gateway <gateway@notices.acme.example> wrote:\n> FIX\n> SEND: why\n> DISCARD",
    "FIX\n\n________________________________\nFrom: Referral gateway\nSent: Monday\nDISCARD\nSEND: why",
    "FIX\n\nAm 2. Juni 2025 um 10:00 schrieb gateway@notices.acme.example:\n    VERWERFEN",
    "Fix\n\nVon: Gateway\nVERWERFEN",
    "FIX\n\n-----Original Message-----\nDISCARD",
    "FIX\nFIX",
]  # fmt: skip

DISCARD = [
    "DISCARD", "discard it", "Discard, I'll write a new one", "discard.", "Delete", "Please delete it",
    "delete this mail",
    "VERWERFEN", "Verwerfen bitte", "Löschen", "bitte löschen", "loeschen", "Verwerfen, ich schreibe neu",
]  # fmt: skip

SEND = {
    "SEND: the customer is on the phone with me": "the customer is on the phone with me",
    "send: ok with Priya": "ok with Priya",
    "SEND - she asked to be left out": "she asked to be left out",
    "Send it, she already knows": "she already knows",
    "SEND as it is: she already knows": "she already knows",
    "Send anyway, she knows.": "she knows",
    "SEND because she knows": "because she knows",
    "SEND:\nshe asked me on the phone\nto leave her out": "she asked me on the phone to leave her out",
    "SEND\n\nShe knows.\n\n-- \nDana": "She knows.",
    "Please send: it is urgent": "it is urgent",
    "SEND: do not add her, she asked not to be copied": "do not add her, she asked not to be copied",
    "SEND: they will fix it today": "they will fix it today",
    "SENDEN: weiß schon Bescheid": "weiß schon Bescheid",
    "Trotzdem senden: Kundin ist am Telefon": "Kundin ist am Telefon",
    "senden, sie weiß es schon": "sie weiß es schon",
    "SEND: ab\u2028c\td": "ab c d",
    "SEND: " + "x" * 900: "x" * 500,
}

UNCLEAR = {
    "": "nothing", "   \n\n": "nothing", "Thanks!": "nothing", "What does this mean?": "nothing", "fixed": "nothing",
    "sender": "nothing", "> FIX": "nothing", "-- \nFIX": "nothing", "👍": "nothing", "suffix": "nothing",
    "FIX\nDISCARD": "several", "FIX\n\nSEND: she knows": "several", "VERWERFEN\nSENDEN: eilig": "several",
    "FIX and send it": "more", "FIX/DISCARD": "more", "FIX or DISCARD?": "more", "Fix the printer first": "more",
    "discard and fix": "more", "FIX: and add Bob too": "more", "FIX but without Bob": "more",
    "Do not send": "negated", "Please don't send it": "negated", "nicht senden": "negated",
    "don’t discard it": "negated",
    "Bitte nicht löschen!": "negated", "send not": "negated", "No, don't fix it": "negated",
    "SEND": "no-reason", "SEND:": "no-reason", "send it please": "no-reason", "SEND: why": "no-reason",
    "SENDEN: Grund": "no-reason", "SEND: ...": "no-reason", "Senden bitte": "no-reason", "SEND: please": "no-reason",
}  # fmt: skip


@pytest.mark.parametrize("text", FIX)
def test_fix(text: str) -> None:
    assert parse_answer(text) == Answer("fix")


@pytest.mark.parametrize("text", DISCARD)
def test_discard(text: str) -> None:
    assert parse_answer(text) == Answer("discard")


@pytest.mark.parametrize("text", SEND)
def test_send_keeps_the_reason(text: str) -> None:
    assert parse_answer(text) == Answer("send", SEND[text])


@pytest.mark.parametrize("text", UNCLEAR)
def test_what_is_not_clear_is_asked_back(text: str) -> None:
    assert parse_answer(text) == Answer("unclear", problem=UNCLEAR[text])


def test_the_subject_counts_only_when_the_text_is_empty_and_it_is_no_reply() -> None:
    assert parse_answer("", "FIX") == Answer("fix")
    assert parse_answer("\n", "SEND: she knows") == Answer("send", "she knows")
    assert parse_answer("", "Re: FIX").kind == "unclear"
    assert parse_answer("DISCARD", "FIX") == Answer("discard")


@given(st.text(max_size=400))
def test_any_text_gives_an_answer_on_one_line(text: str) -> None:
    answer = parse_answer(text)
    assert (answer.kind == "unclear") == bool(answer.problem)
    assert len(answer.why.splitlines()) <= 1 and len(answer.why) <= 500


def test_long_hostile_texts_take_no_time() -> None:
    for text in ("on " * 50_000, "please " * 50_000, "SEND " + "it " * 100_000, "wrote " * 50_000, "fix\n" * 100_000):
        parse_answer(text)
