"""What the gateway proposes must itself pass: each draft of a real mail is judged by the shipped policies."""

from __future__ import annotations

from dataclasses import replace
from email.message import EmailMessage
from email.policy import SMTP
from functools import cache
from pathlib import Path

import pytest

from gateway.cases import Case, judge
from gateway.mail.envelope import Envelope
from gateway.notice_facts import NoticeFacts, facts_of, variables
from gateway.notices import draft, reasons
from gateway.policy.loader import load_policies
from gateway.policy.model import PolicySet
from gateway.reading.gist import gist_of
from gateway.template_files import load_templates

TOP = Path(__file__).parent.parent.parent
TEMPLATES = load_templates(TOP / "templates")
DANA, FIONA, NETWORK = "dana.cole@acme.example", "fiona.walsh@acme.example", "network-team@acme.example"

WORDS = {
    ("fr", "dropped-requester"): ("Bonjour,\n\npouvez-vous prendre le relais ?\n\nDana", "Le VPN est en panne ?"),
    ("fr", "bare-refusal"): ("Bonjour Fiona,\n\nnon, ce n'est pas possible.\n\nDana", "Puis-je avoir un écran ?"),
    ("fr", "dismissive"): ("Bonjour Fiona,\n\nce n'est pas mon problème.\n\nDana", "Quelqu'un peut regarder ?"),
    ("en", "dropped-requester"): ("Hi all,\n\ncan you take this over, please?\n\nDana", "Could you look at the VPN?"),
    ("de", "dropped-requester"): ("Hallo,\n\nkönnt ihr das bitte übernehmen?\n\nDana", "Wann geht das VPN wieder?"),
    ("en", "bare-refusal"): ("Hi Fiona,\n\nno, we can't do that.\n\nDana", "Could I get a second monitor?"),
    ("de", "bare-refusal"): ("Hallo Fiona,\n\nnein, das geht hier leider nicht.\n\nDana", "Bekomme ich so etwas?"),
    ("en", "dismissive"): ("Hi Fiona,\n\nthat's not our problem.\n\nDana", "Could somebody have a look?"),
    ("de", "dismissive"): ("Hallo Fiona,\n\ndas ist nicht mein Problem.\n\nDana", "Kann einer nachsehen?"),
    ("en", "no-escalation"): ("Hi Fiona,\n\nprices are above my pay grade.\n\nDana", "Can we have 15 % off?"),
    ("de", "no-escalation"): ("Hallo Fiona,\n\ndas liegt nicht in meiner Hand.\n\nDana", "Gibt es einen Nachlass?"),
    ("en", "referral-without-route"): (
        "Hi Fiona,\n\nplease contact the department responsible for that.\n\nDana", "How do I get a new badge?"
    ),
    ("de", "referral-without-route"): (
        "Hallo Fiona,\n\nwende dich bitte an die zuständige Stelle.\n\nDana", "Wie bekomme ich einen Ausweis?"
    ),
    ("en", "terse-reply"): ("Depends.", "Cable or WLAN for the printer?"),
    ("de", "terse-reply"): ("Kommt drauf an.", "Kabel oder WLAN für den Drucker?"),
    ("en", "no-substance"): (
        "Dear Fiona,\n\nthank you so much for getting in touch! We really value people like you.\n\nDana",
        "Which ports do the phones use?",
    ),
}  # fmt: skip


@cache
def policies() -> PolicySet:
    return load_policies(TOP / "policies", None, shipped=TOP / "policies", run=False)


def mail(text: str, question: str, to: str, cc: str = "") -> Case:
    message = EmailMessage(policy=SMTP)
    message["From"] = f"Dana Cole <{DANA}>"
    message["To"] = to
    if cc:
        message["Cc"] = cc
    message["Subject"] = "Fwd: VPN" if to == NETWORK else "Re: Monitor"
    message["Date"] = "Mon, 02 Jun 2025 10:00:00 +0200"
    message["Message-ID"] = "<draft@acme.example>"
    quoted = f"On Mon, 2 Jun 2025 at 09:00, Fiona Walsh <{FIONA}> wrote:\n> {question}\n"
    message.set_content(f"{text}\n\n{quoted}")
    return Case("draft", message.as_bytes(), Envelope.of(DANA, [each for each in (to, cc) if each]))


def facts(lang: str, policy: str) -> NoticeFacts:
    text, question = WORDS[lang, policy]
    case = mail(text, question, NETWORK if policy == "dropped-requester" else FIONA)
    reading, decision = judge(case, policies())
    assert [finding.policy for finding in decision.enforced] == [policy]
    return facts_of(gist_of(reading), decision, held_id="01JX2Z", lang=lang)


@pytest.mark.parametrize(("lang", "policy"), WORDS)
def test_the_draft_passes(lang: str, policy: str) -> None:
    question = WORDS[lang, policy][1]
    proposed = draft(facts(lang, policy), TEMPLATES)
    assert question in proposed and "Fiona Walsh" in proposed
    dropped = policy == "dropped-requester"
    reading, decision = judge(
        mail(proposed, question, NETWORK if dropped else FIONA, cc=FIONA if dropped else ""), policies()
    )
    assert decision.enforced == () and reading.judged
    assert decision.disposition == "pass"


@pytest.mark.parametrize(("lang", "policy"), WORDS)
def test_the_facts_of_a_real_mail(lang: str, policy: str) -> None:
    found = facts(lang, policy)
    assert found.requester is not None and found.requester.address == FIONA
    assert found.agent.address == DANA and found.question == WORDS[lang, policy][1]
    assert found.mail_lang == lang
    [finding] = found.findings
    assert finding.policy == policy and finding.words
    if policy == "dropped-requester":
        assert found.target is not None and found.target.address == NETWORK
        assert found.can_fix and [who.address for who in found.adds] == [FIONA]
    else:
        assert not found.can_fix and found.adds == ()
    [reason] = reasons(found, TEMPLATES)
    assert reason["text"].startswith("Fiona Walsh") and reason["would_pass"]


@pytest.mark.parametrize(("lang", "greeting"), [("en", "Hello [name],"), ("de", "Hallo [Name],")])
def test_nobody_is_greeted_by_their_address(lang: str, greeting: str) -> None:
    known = facts(lang, "bare-refusal")
    assert known.requester is not None
    nameless = replace(known, requester=replace(known.requester, name=""))
    assert draft(nameless, TEMPLATES).startswith(greeting)


ASKED = {
    "en": "Could I get a second monitor?",
    "de": "Könnte ich einen zweiten Bildschirm bekommen?",
    "fr": "Puis-je avoir un second écran ?",
    "es": "¿Puedo tener una segunda pantalla?",
    "pt": "Posso ter um segundo monitor?",
    "it": "Posso avere un secondo monitor?",
    "nl": "Kan ik een tweede scherm krijgen?",
}
NO = {"en": "No.", "de": "Nein.", "fr": "Non.", "es": "No.", "pt": "Não.", "it": "No.", "nl": "Nee."}
DRAFTS = sorted(name for name in TEMPLATES.names if name.startswith("drafts/"))


@pytest.mark.parametrize("name", DRAFTS)
@pytest.mark.parametrize("lang", ASKED)
def test_every_draft_passes_in_every_language(lang: str, name: str) -> None:
    dropped = name == "drafts/dropped-requester"
    known = replace(facts("en", "dropped-requester"), lang=lang, mail_lang=lang, question=ASKED[lang])
    proposed = TEMPLATES.render(name, lang, variables(known)).text
    to, cc = (NETWORK, FIONA) if dropped else (FIONA, "")
    _, decision = judge(mail(proposed, ASKED[lang], to, cc=cc), policies())
    assert [finding.policy for finding in decision.findings] == []


@pytest.mark.parametrize("name", ["reason", "eta"])
@pytest.mark.parametrize("lang", ASKED)
def test_what_an_answer_puts_in_makes_the_mail_pass(lang: str, name: str) -> None:
    template = next(iter(TEMPLATES.find(f"amend/{name}", lang)))
    assert template.lang == lang
    words = template.render(template.example).text.strip()
    _, bare = judge(mail(NO[lang], ASKED[lang], FIONA), policies())
    assert [finding.policy for finding in bare.enforced] == ["bare-refusal", "terse-reply"]
    _, decision = judge(mail(f"{NO[lang]}\n\n{words}", ASKED[lang], FIONA), policies())
    assert decision.enforced == ()


OURS = sorted(key for key in TEMPLATES.files if key[1].partition("/")[0] in ("companion", "notices"))


@pytest.mark.parametrize("key", OURS, ids="/".join)
def test_our_own_notes_would_pass_as_an_agents_mail(key: tuple[str, str]) -> None:
    """What we write to people leaves nobody hanging either."""
    template = TEMPLATES.files[key][0]
    text = template.render(template.example).text
    _, decision = judge(mail(text, ASKED[key[0]], FIONA), policies())
    assert [finding.policy for finding in decision.enforced] == []
