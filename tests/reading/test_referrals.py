"""Who is asked to deal with the matter, and who is only asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.mail.address import Mailbox
from gateway.reading.thread import SeenMessage, Thread
from tests.reading.conftest import Read, forwarding, mail, replying

FORWARDS: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "forwards.yaml").read_text(encoding="utf-8"))
ASKED = "The wall socket at my desk has no link. Can you help?"
TEAM = "Network Team <network-team@acme.example>"


@pytest.mark.parametrize("case", FORWARDS, ids=lambda case: case["text"][:40])
def test_forwards(case: dict[str, Any], found: Callable[..., set[str]]) -> None:
    stops = found(mail(forwarding(case["text"], ASKED), to=TEAM, subject="Fwd: Something"))
    assert stops == ({"dropped-requester"} if case["handoff"] else set())


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Can you take this one over?", "hand-off"),
        ("Do you see anything odd on port 12?", "consult"),
        ("Could you replace the cable please? I'll tell her when it is done.", "delegation"),
    ],
)
def test_kinds(text: str, kind: str, read_mail: Read) -> None:
    facts = read_mail(mail(forwarding(text, ASKED), to=TEAM, subject="Fwd: Something")).facts
    assert facts["referral"].value == kind


def test_redirect_names_its_target(read_mail: Read) -> None:
    text = "That is not us. Please write to facilities@acme.example, they have the keys."
    facts = read_mail(mail(replying(text, "Who has the key?"))).facts
    assert facts["referral"].value == "redirect"
    assert facts["target"].value == "facilities@acme.example"


@pytest.mark.parametrize(
    ("text", "stops"),
    [
        ("Wenden Sie sich dafür bitte an die Buchhaltung.", {"referral-without-route"}),
        ("Bitte wende dich dafür an Bob Nilsson vom Netzwerk.", set()),
        ("Bitte wenden Sie sich dafür an Frau Özdemir im Einkauf.", set()),
    ],
)
def test_a_german_noun_is_nobodys_name(text: str, stops: set[str], found: Callable[..., set[str]]) -> None:
    assert found(mail(replying(text, "Könnten Sie das bitte für uns machen?"))) == stops


@pytest.mark.parametrize(
    ("text", "somewhere"),
    [
        (
            "The portal only displays whatever has been keyed in. You'd have to take it up with whoever looks after"
            " hours at your property.",
            False,
        ),
        ("You can see it in the portal under Hours. Please take it up with Carla Rossi there.", True),
        ("Los mandos no se gestionan desde Informática, tendrás que preguntar a quien lo lleve.", False),
        ("Los mandos no los llevamos nosotros, tendrás que preguntar a Conserjería.", True),
        ("For questions of the codes kindly address yourself to the responsible persons directly.", False),
    ],
)
def test_what_is_no_way_is_none(text: str, somewhere: bool, found: Callable[..., set[str]]) -> None:
    stops = found(mail(replying(text, "My hours are wrong, who can put them right?")))
    assert ("referral-without-route" in stops) is not somewhere


def test_an_empty_forward_to_another_team(read_mail: Read) -> None:
    assert "empty_forward" in read_mail(mail(forwarding("", ASKED), to=TEAM, subject="Fwd: Something")).facts
    own = read_mail(mail(forwarding("", ASKED), to="it-support@acme.example", subject="Fwd: Something")).facts
    assert "empty_forward" not in own
    assert "own_note" in own


def test_a_forward_that_shows_nothing_of_a_mail_that_the_gateway_saw(read_mail: Read) -> None:
    asked = SeenMessage("<asked@acme.example>", "inbound", Mailbox("rita.blom@acme.example"))
    seen = Thread((asked,))
    assert "empty_forward" in read_mail(mail("", to=TEAM, subject="FW: Something"), thread=seen).facts
    assert "empty_forward" not in read_mail(mail("", to=TEAM, subject="FW: Something")).facts
    assert "empty_forward" not in read_mail(mail("", to=TEAM, subject="Re: Something"), thread=seen).facts
    assert "empty_forward" not in read_mail(mail("Fixed.", to=TEAM, subject="FW: Something"), thread=seen).facts


def test_the_wish_to_be_left_out(found: Callable[..., set[str]]) -> None:
    asked = f"{ASKED} Please leave me out of the mails, I am on a boat."
    assert found(mail(forwarding("Yours please.", asked), to=TEAM, subject="Fwd: Something")) == set()


def test_a_copy_under_another_form_of_the_address_is_one(read_mail: Read) -> None:
    raw = mail(forwarding("Yours please.", ASKED), to=TEAM, cc="RITA.BLOM+it@acme.example", subject="Fwd: Something")
    facts = read_mail(raw).facts
    assert "to_requester" in facts
    lookalike = mail(forwarding("Yours please.", ASKED), to=TEAM, cc="rita.b1om@acme.example", subject="Fwd: Something")
    assert "requester_absent" in read_mail(lookalike).facts


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("You would need to speak with our travel team, Rita.", ""),
        ("You would need to speak with our travel team, Tracey.", ""),
        ("Bitte klären Sie das unmittelbar mit der hierfür zuständigen Stelle.", ""),
        ("Wir sehen den Grund leider nicht. Bei Fragen dazu kannst du dich gerne an unseren Kundenservice wenden.", ""),
        ("You would need to speak with Tracey Miles.", "Tracey Miles"),
        ("@117130 1/2 You will need to speak to the staff at the gate.", ""),
        ("You will need to speak to the staff at the gate, 0611 123 456.", "0611 123 456"),
    ],
)
def test_who_is_only_addressed_is_no_route(text: str, target: str, read_mail: Read) -> None:
    facts = read_mail(mail(replying(text, "Who can change my booking?"))).facts
    assert "redirect" in facts
    assert (str(facts["target"].value) if "target" in facts else "") == target


def test_who_answers_and_copies_the_writer_has_the_matter(found: Callable[..., set[str]]) -> None:
    raw = mail(forwarding("Please respond and copy me.", ASKED), to=TEAM, subject="Fwd: Something")
    assert found(raw) == {"dropped-requester"}


@pytest.mark.parametrize("whose", ["your", "her"])
def test_who_reads_of_a_mail_of_their_own_is_told_and_asked_nothing(whose: str, found: Callable[..., set[str]]) -> None:
    text = f"Thank you for the call. I will forward {whose} email to Ann."
    stops = found(mail(forwarding(text, ASKED), to="ann.smith@client.example", subject="Fwd: Something"))
    assert stops == (set() if whose == "your" else {"dropped-requester"})


def test_a_note_behind_the_back_of_who_is_in_bcc_is_read_twice(found: Callable[..., set[str]]) -> None:
    text = "The pool is full by noon. Needs doing on your controller, which we can't log in to, before Thursday's fair."
    raw = mail(forwarding(text, ASKED), to=TEAM, subject="Fwd: Something")
    everybody = ["network-team@acme.example", "rita.blom@acme.example"]
    assert found(raw, rcpt_to=everybody) == {"dropped-requester"}
