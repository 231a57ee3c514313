"""Attribution lines and header blocks of every client and locale; the tables beside this file hold them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from gateway.mail.message import read_message
from gateway.mail.people import parse_people, parse_person
from gateway.mail.quoted_date import parse_quoted_date
from gateway.mail.quoting import Body, split_body

HERE = Path(__file__).parent
ATTRIBUTIONS = yaml.safe_load((HERE / "attribution_lines.yaml").read_text("utf-8"))
HEADER_BLOCKS = yaml.safe_load((HERE / "header_blocks.yaml").read_text("utf-8"))


def body_of(text: str) -> Body:
    head = (
        "From: Dana Cole <dana.cole@acme.example>\nTo: kit@acme.example\nDate: Tue, 6 May 2025 09:00:00 +0200\n"
        "Subject: Re: Screen\n"
        "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
    )
    return split_body(read_message((head + text).replace("\n", "\r\n").encode()))


def shown(body: Body) -> list[str]:
    return [author.mailbox.address or author.mailbox.name for author in body.authors]


@pytest.mark.parametrize("style", ["marks", "no marks"])
@pytest.mark.parametrize("name", ATTRIBUTIONS)
def test_attribution_of_every_client_and_locale(name: str, style: str) -> None:
    line = ATTRIBUTIONS[name].format(a="Jill Amory <jill@acme.example>")
    quote = "> The screen is dark.\n" if style == "marks" else "The screen is dark.\n"
    body = body_of(f"No.\n\n{line}\n\n{quote}")
    assert body.new.text == "No."
    (author,) = body.authors
    assert (author.mailbox.address, author.mailbox.name, author.depth) == ("jill@acme.example", "Jill Amory", 1)
    assert "dark" in body.quoted_text
    if any(character.isdigit() for character in line):
        assert author.date is not None
        assert author.date.replace(tzinfo=None) == datetime(2025, 5, 3, 10, 2)


@pytest.mark.parametrize("name", [name for name, line in ATTRIBUTIONS.items() if not line.startswith("-")])
def test_wrapped_attribution(name: str) -> None:
    """Plain text is wrapped at 70 or so: the line may break at any blank before the address or the verb."""
    line = ATTRIBUTIONS[name].format(a="Jill Amory <jill@acme.example>")
    at = line.find("<jill")
    if at < 20:
        at = line.rfind(" ", 0, -3) + 1
    body = body_of(f"No.\n\n{line[:at].rstrip()}\n{line[at:]}\n\n> The screen is dark.\n")
    assert body.new.text == "No."
    assert shown(body) == ["jill@acme.example"]


@pytest.mark.parametrize(
    "words", ["Citeren", "Cytowanie", "Mensaje citado por", "Cituji", "Idézet", "Citerar", "Siterer", "Цитирую"]
)
def test_words_of_horde_are_no_part_of_the_name(words: str) -> None:
    for name in ("Jill Amory <jill@acme.example>", "Jill Amory"):
        body = body_of(f"No.\n\n{words} {name}:\n\n> The screen is dark.\n")
        (author,) = body.authors
        assert (author.mailbox.name, body.new.text) == ("Jill Amory", "No.")
    prose = f"{words} the manual, for questions ask jill@acme.example:\n\nThe screen is dark."
    assert body_of(prose).new.text == prose


@pytest.mark.parametrize(
    "name", ["24/7 Service", "Amory/Romero", "R&D/QA Team", "Jill Amory [ACME]", "7 Stars (IT/EX)"]
)
@pytest.mark.parametrize(
    "line",
    [
        "On Mon, Mar 4, 2024 at 10:15 AM {a} wrote:",
        "On Mon, 4 Mar 2024 10:15:02 +0100 {a} wrote:",
        "Am Mo., 4. März 2024 um 10:15 Uhr schrieb {a}:",
        "Le 04/03/2024 à 10:15, {a} a écrit :",
        "{a} kirjoitti 4.3.2024 kello 10.15:",
    ],
)
def test_marks_and_numbers_in_a_name(line: str, name: str) -> None:
    body = body_of(f"No.\n\n{line.format(a=f'{name} <office@acme.example>')}\n\n> The screen is dark.\n")
    (author,) = body.authors
    assert (author.mailbox.address, author.mailbox.name) == ("office@acme.example", name)
    assert author.date is not None and author.date.strftime("%d %H:%M") == "04 10:15"


@pytest.mark.parametrize(
    "line",
    [
        "Wiadomość napisana przez {a} w dniu\n3 maj 2025, o godz. 10:02:",
        "Wiadomość napisana przez {a}\nw dniu 3 maj 2025, o godz. 10:02:",
        "Wiadomość napisana przez Jill Amory\n<jill@acme.example> w dniu\n3 maj 2025, o godz. 10:02:",
        "Jill Amory\n<jill@acme.example> kirjoitti 3.5.2025 kello 10.02:",
        "Jill Amory\n<jill@acme.example>, 3 May 2025 Cmt, 10:02\ntarihinde şunu yazdı:",
        "Jill Amory\n<jill@acme.example> escreveu (sábado, 3/05/2025 à(s) 10:02):",
        "Jill Amory\n<jill@acme.example> ezt írta (időpont: 2025. máj. 3., Szo,\n10:02):",
    ],
)
def test_attribution_that_begins_with_the_name_and_is_wrapped(line: str) -> None:
    line = line.format(a="Jill Amory <jill@acme.example>")
    inside = "".join(f"> {row}\n" for row in line.split("\n"))
    for text in (
        f"No.\n\n{line}\n\n> It is dark.\n",
        f"No.\n\n{line}\n\nIt is dark.\n",
        f"No.\n\n{inside}>\n> Dark.\n",
    ):
        body = body_of(text)
        (author,) = body.authors
        assert (author.mailbox.address, author.mailbox.name) == ("jill@acme.example", "Jill Amory")
        assert author.date is not None and body.new.text == "No."


def test_an_address_above_an_attribution_or_a_sentence_above_an_address_is_no_part_of_it() -> None:
    body = body_of("Write to kit@acme.example\n3 May 2025, at 10:02, Jill Amory:\n\n> It is dark.\n")
    assert shown(body) == ["Jill Amory"]
    body = body_of("I have told them\n<jill@acme.example> wrote on 3 May 2025:\n\n> It is dark.\n")
    assert body.new.text == "I have told them"
    assert [author.mailbox.name for author in body.authors] == [""]
    body = body_of("No.\nSee page seven\n<jill@acme.example> wrote on 3 May 2025:\n\n> It is dark.\n")
    assert body.new.text == "No.\nSee page seven"


@pytest.mark.parametrize(
    "marker", ["", "________________________________\n", "-----Original Message-----\n"], ids=["bare", "rule", "marker"]
)
@pytest.mark.parametrize("name", HEADER_BLOCKS)
def test_header_block_of_every_locale(name: str, marker: str) -> None:
    sender, date, to, cc, subject = HEADER_BLOCKS[name]
    after = "*" if sender.startswith("*") else ""
    block = (
        f"{sender}:{after} Jill Amory <jill@acme.example>\n{date}:{after} 03.05.2025 10:02\n"
        f"{to}:{after} IT Support <it@acme.example>\n"
        f"{cc}:{after} Kit Romero <kit@acme.example>\n{subject}:{after} Screen: dark\n"
    )
    body = body_of(f"No.\n\n{marker}{block}\nThe screen is dark.\n")
    assert body.new.text == "No."
    (author,) = body.authors
    assert (author.mailbox.address, author.mailbox.name, author.subject) == (
        "jill@acme.example",
        "Jill Amory",
        "Screen: dark",
    )
    assert [each.address for each in (*author.to, *author.cc)] == ["it@acme.example", "kit@acme.example"]
    assert author.date is not None and author.date.isoformat() == "2025-05-03T10:02:00+02:00"
    assert body.quoted_text == "The screen is dark."


@pytest.mark.parametrize("name", HEADER_BLOCKS)
def test_labels_in_a_sentence_fool_nobody(name: str) -> None:
    sender, date, to, _, _ = HEADER_BLOCKS[name]
    text = f"{sender}: the shop you can see the harbour.\n\nAnd it goes on.\n\n{to}: nobody, {date}: never."
    body = body_of(text)
    assert body.new.text == text.replace("\u00a0:", "\u00a0:")
    assert body.authors == ()


@pytest.mark.parametrize(
    ("text", "address", "name"),
    [
        ("Jill Amory <jill@acme.example>", "jill@acme.example", "Jill Amory"),
        ('"Amory, Jill" <jill@acme.example>', "jill@acme.example", "Amory, Jill"),
        ("jill@acme.example [mailto:jill@acme.example]", "jill@acme.example", ""),
        ("Jill Amory [mailto:jill@acme.example]", "jill@acme.example", "Jill Amory"),
        ("Jill Amory[SMTP:jill@acme.example]", "jill@acme.example", "Jill Amory"),
        ("Jill Amory <jill@acme.example<mailto:jill@acme.example>>", "jill@acme.example", "Jill Amory"),
        ("'Jill Amory' via Support <support@acme.example>", "support@acme.example", "Jill Amory"),
        ("[Jill Amory](mailto:jill@acme.example)", "jill@acme.example", "Jill Amory"),
        ("[jill@acme.example](mailto:jill@acme.example)", "jill@acme.example", ""),
        ("jill@acme.example (Jill Amory)", "jill@acme.example", "Jill Amory"),
        ("<jill@acme.example>", "jill@acme.example", ""),
        ("Jill Amory", "", "Jill Amory"),
        ("Amory, Jill (IT)", "", "Amory, Jill (IT)"),
        ("Jill Amory/Sales/ACME@ACME", "", "Jill Amory"),
        ("Jill Amory@ACME", "", "Jill Amory"),
        ("Jill Amory/Sales/ACME <jill@acme.example>", "jill@acme.example", "Jill Amory"),
        ("Jill Amory/ACME <jill@acme.example>", "jill@acme.example", "Jill Amory"),
        ("Jill Amory/Acme", "", "Jill Amory"),
        ("Amory, Jill (Sales/Stock) <jill@acme.example>", "jill@acme.example", "Amory, Jill (Sales/Stock)"),
        ("Amory, Jill (DE/EX-IT)", "", "Amory, Jill (DE/EX-IT)"),
        ("R&D/QA Team <rd@acme.example>", "rd@acme.example", "R&D/QA Team"),
        ("Amory/Romero <office@acme.example>", "office@acme.example", "Amory/Romero"),
        ("24/7 Service <service@acme.example>", "service@acme.example", "24/7 Service"),
        ("24/7 Service", "", "24/7 Service"),
        ("Jill Amory [ACME] <jill@acme.example>", "jill@acme.example", "Jill Amory [ACME]"),
        ("Jill Amory [ACME]", "", "Jill Amory [ACME]"),
        ("[Jill Amory]", "", "Jill Amory"),
        ("Jill Amory [/O=ACME/OU=FIRST/CN=JAMORY]", "", "Jill Amory"),
        ("Jill O'Hara <jill.o'hara@acme.example>", "jill.o'hara@acme.example", "Jill O'Hara"),
    ],
)
def test_person(text: str, address: str, name: str) -> None:
    person = parse_person(text)
    assert person is not None and (person.address, person.name) == (address, name)


def test_people() -> None:
    assert [str(each) for each in parse_people("Crandall, Sean; Lee Wong <lee@x.example>")] == [
        "Crandall, Sean <>",
        "Lee Wong <lee@x.example>",
    ]
    assert [
        each.address for each in parse_people('"Wong, Lee" <lee@x.example>, kit@x.example, Bob <bob@x.example>')
    ] == [
        "lee@x.example",
        "kit@x.example",
        "bob@x.example",
    ]
    assert parse_people("") == ()


@pytest.mark.parametrize(
    ("text", "day_first", "expected"),
    [
        ("Mon, 5 May 2025 10:02:11 +0200", True, "2025-05-05T10:02:11+02:00"),
        ("Monday, May 5, 2025 2:02 PM", True, "2025-05-05T14:02:00+00:00"),
        ("05/06/2025 10:02", True, "2025-06-05T10:02:00+00:00"),
        ("05/06/2025 10:02 AM", False, "2025-05-06T10:02:00+00:00"),
        ("25/06/2025 10:02", False, "2025-06-25T10:02:00+00:00"),
        ("5. 5. 2025 v 10:02", True, "2025-05-05T10:02:00+00:00"),
        ("2025年5月5日(月) 10:02", True, "2025-05-05T10:02:00+00:00"),
        ("mar 29 apr 2025 alle ore 17:00", True, "2025-04-29T17:00:00+00:00"),
        ("12:00 AM, May 5, 2025", True, "2025-05-05T00:00:00+00:00"),
        ("sex., 5 de set. de 2025 às 10:02", True, "2025-09-05T10:02:00+00:00"),
        ("wtorek, 5 sierpnia 2025 10:02", True, "2025-08-05T10:02:00+00:00"),
        ("5 липня 2025 р. о 10:02", True, "2025-07-05T10:02:00+00:00"),
    ],
)
def test_date(text: str, day_first: bool, expected: str) -> None:
    found = parse_quoted_date(text, UTC, day_first=day_first)
    assert isinstance(found, datetime) and found.isoformat() == expected


@pytest.mark.parametrize("text", ["", "yesterday", "31/31/2025 10:02", "99:99", "May", "0/0/0000 00:00"])
def test_no_date(text: str) -> None:
    assert parse_quoted_date(text, UTC) is None
