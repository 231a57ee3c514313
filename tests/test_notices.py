"""The gateway's own mails: complete, threaded, never starting a loop, never carrying a line end into a header."""

from __future__ import annotations

import email
import email.policy
import html
import re
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway import notices
from gateway.answers import parse_answer
from gateway.day_words import in_words
from gateway.mail.address import Mailbox
from gateway.notice_facts import NoticeFacts, NoticeFinding, shortened, variables
from gateway.notices import Letterhead, reasons
from gateway.store.records import OutMail
from gateway.template_files import load_templates

NOW = datetime(2025, 6, 2, 8, 30, tzinfo=UTC)
TOKEN = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
HEAD = Letterhead(
    Mailbox("gateway@notices.acme.example", "Referral gateway"),
    "gateway@notices.acme.example",
    load_templates(Path(__file__).parent.parent / "templates"),
)
MARY = Mailbox("mary.jones@acme.example", "Mary Jones")
DROPPED = NoticeFacts(
    held_id="01JX2Z",
    agent=Mailbox("dana.cole@acme.example", "Dana Cole"),
    subject="Fwd: VPN drops every hour",
    lang="en",
    mail_lang="en",
    message_id="<held@acme.example>",
    references=("<parent@acme.example>", "<first@acme.example>"),
    recipients=(Mailbox("network-team@acme.example", "Network team"),),
    requester=MARY,
    target=Mailbox("network-team@acme.example", "Network team"),
    question="The VPN drops every hour since Monday. Can you help?",
    findings=(
        NoticeFinding("dropped-requester", "Mary was dropped.", ("can you take this over?",), "", "dropped-requester"),
    ),
    adds=(MARY,),
    can_fix=True,
    offers=frozenset({"fix", "note", "consult", "send", "wrong", "discard"}),
    supervisor=Mailbox("priya.raman@acme.example", "Priya Raman"),
    deadline=datetime(2025, 6, 3, 17, 0, tzinfo=ZoneInfo("Europe/Berlin")),
)
REFUSED = replace(
    DROPPED,
    subject="Re: Old report",
    findings=(NoticeFinding("bare-refusal", "", ("No, we can't.",), "", "bare-refusal"),),
    adds=(),
    can_fix=False,
    why_no_fix="the reason or the date is yours to give",
    offers=frozenset({"reason", "eta", "send", "wrong", "discard"}),
)


def parsed(mail: OutMail) -> EmailMessage:
    message = email.message_from_bytes(mail.raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert not message.defects and b"\n" not in mail.raw.replace(b"\r\n", b"")
    return message


def text(mail: OutMail) -> str:
    part = parsed(mail).get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def page(mail: OutMail) -> str:
    part = parsed(mail).get_body(("html",))
    assert part is not None
    return str(part.get_content())


def hold(facts: NoticeFacts) -> OutMail:
    return notices.hold_notice(facts, TOKEN, HEAD, id="n1", now=NOW)


def test_a_notice_is_a_complete_mail_that_threads_with_the_held_one() -> None:
    mail = hold(DROPPED)
    message = parsed(mail)
    assert (mail.mail_from, mail.rcpt_to) == ("gateway@notices.acme.example", ("dana.cole@acme.example",))
    assert (mail.kind, mail.about, mail.due) == ("hold", "01JX2Z", NOW)
    assert message["From"] == "Referral gateway <gateway@notices.acme.example>"
    assert message["To"] == "Dana Cole <dana.cole@acme.example>"
    assert message["Subject"] == "Before your mail goes out: Fwd: VPN drops every hour"
    assert message["Reply-To"] == f"Referral gateway <gateway+{TOKEN}@notices.acme.example>"
    assert message["In-Reply-To"] == "<held@acme.example>"
    assert message["References"] == "<first@acme.example> <parent@acme.example> <held@acme.example>"
    assert message["Message-ID"] == "<n1@notices.acme.example>"
    assert message["Date"] == "Mon, 02 Jun 2025 08:30:00 +0000"
    assert message["Auto-Submitted"] == "auto-generated"  # RFC 3834 §5
    assert message["X-Auto-Response-Suppress"] == "All"
    assert message["X-Loop"] == "gateway@notices.acme.example"


def test_a_notice_says_what_why_and_how_to_go_on() -> None:
    said = text(hold(DROPPED))
    assert "Hello Dana Cole," in said
    assert '"can you take this over?"' in said
    assert "the same mail with Mary Jones <mary.jones@acme.example> in To or Cc." in said
    assert "> The VPN drops every hour since Monday." in said
    assert "FIX        adds Mary Jones <mary.jones@acme.example> to Cc" in said
    assert f"mailto:gateway+{TOKEN}@notices.acme.example?subject=SEND&body=SEND%3A%20" in said
    assert "It waits for a word from you, please by Tuesday 3 June, 17:00" in said
    assert "Mail 01JX2Z" in said


def test_fix_is_offered_only_where_it_is_possible() -> None:
    said = text(hold(REFUSED))
    assert "    FIX" not in said and "subject=FIX" not in said
    assert "Adding Mary Jones is not offered here: the reason or the date is yours to give." in said
    assert "    REASON: …  puts your reason into the mail" in said and "subject=ETA&body=ETA%3A%20" in said
    assert "because [the reason in one sentence]" in said


def test_notices_come_in_the_teams_language_and_drafts_in_the_mails() -> None:
    mail = hold(replace(DROPPED, lang="de"))
    assert parsed(mail)["Subject"] == "Bevor deine Mail hinausgeht: Fwd: VPN drops every hour"
    assert parsed(mail)["Content-Language"] == "de"
    assert "Dienstag, 3. Juni, 17:00" in text(mail) and "Could you take this over?" in text(mail)
    assert "Könnt ihr das bitte übernehmen?" in text(hold(replace(DROPPED, mail_lang="de")))
    assert "Could you take this over?" in text(hold(replace(DROPPED, mail_lang="sv")))


@pytest.mark.parametrize("lang", ["en", "de"])
def test_every_offered_link_is_an_answer_that_is_understood(lang: str) -> None:
    from urllib.parse import parse_qs, urlsplit

    said = text(hold(replace(DROPPED, lang=lang)))
    links = [line.strip() for line in said.splitlines() if line.strip().startswith("mailto:")]
    bodies = [parse_qs(urlsplit(link).query)["body"][0] for link in links]
    assert [parse_answer(body + ("she knows" if body.endswith(": ") else "")).kind for body in bodies] == [
        "fix", "note", "consult", "send", "wrong", "discard",
    ]  # fmt: skip
    shown = page(hold(replace(DROPPED, lang=lang)))
    assert [html.escape(link) in shown for link in links] == [True] * 6, "each is a button too"


@pytest.mark.parametrize("lang", ["en", "de"])
def test_a_notice_sent_back_whole_is_no_answer(lang: str) -> None:
    assert parse_answer(text(hold(replace(DROPPED, lang=lang)))).kind == "unclear"


def test_a_policy_without_templates_of_its_own_speaks_with_its_files_words() -> None:
    finding = NoticeFinding("our-own", "Somebody is sent on without an address.", (), "would have passed with a link")
    said = text(hold(replace(DROPPED, findings=(finding,), lang="en")))
    assert "Somebody is sent on without an address." in said
    assert "This would have passed: the same mail with a link." in said
    assert "- - - -" not in said


HOSTILE = (
    '<script>alert(1)</script><img src=x onerror=y>" x\r\nBcc: victim@evil.example\r\n\r\n'
    "body\v\f\x1c\x85\u2028\u2029\0 {{ 7 }} {% if %}"
)


def test_nothing_from_other_peoples_mail_reaches_a_header_or_the_structure() -> None:
    who = Mailbox("dana.cole@acme.example", HOSTILE)
    facts = replace(
        DROPPED,
        subject=HOSTILE,
        agent=who,
        requester=Mailbox("mary@acme.example", HOSTILE),
        adds=(Mailbox("mary@acme.example", HOSTILE),),
        message_id="<a@b>\r\nBcc: victim@evil.example",
        references=("<ok@acme.example>", "<bad\r\nBcc: v@evil.example>", "no id"),
        recipients=(Mailbox("x@acme.example", HOSTILE),) * 50,
        why_no_fix=HOSTILE,
        supervisor=Mailbox("priya.raman@acme.example", HOSTILE),
    )
    mails = [
        hold(facts),
        notices.rewrite_notice(facts, HEAD, id="n1", now=NOW),
        notices.returned_notice(facts, TOKEN, HOSTILE, HEAD, id="n1", now=NOW),
        notices.supervisor_note(facts, HEAD, id="n1", now=NOW),
        notices.ack("fixed", facts, HEAD, id="n1", now=NOW),
    ]
    plain = [hold(DROPPED), *([notices.rewrite_notice(DROPPED, HEAD, id="n1", now=NOW)] * 4)]
    for mail, usual in zip(mails, plain, strict=True):
        message = parsed(mail)
        assert message["Bcc"] is None and message.get_content_type() == "multipart/alternative"
        assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
        assert set(message.keys()) <= set(parsed(usual).keys()) | {"Reply-To"}
        assert "In-Reply-To" not in message
        assert "{{ 7 }}" in str(message["Subject"]) or "{{ 7 }}" in str(message["To"])
        assert "<script" not in page(mail) and "<img" not in page(mail)
    assert parsed(mails[0])["References"] == "<ok@acme.example>"
    assert len(notices.reject_line(facts, HEAD.templates).splitlines()) == 1


def test_an_acknowledgement_is_a_reply_with_the_null_reverse_path() -> None:
    mail = notices.ack(
        "not-understood",
        DROPPED,
        HEAD,
        id="n1",
        now=NOW,
        problem="no-reason",
        answers=notices.answers(DROPPED, TOKEN, HEAD),
    )
    assert mail.mail_from == "" and parsed(mail)["Auto-Submitted"] == "auto-replied"  # RFC 3834 §3.3, §5
    assert "a few words more" in text(mail)
    assert "by priya@acme.example" in text(
        notices.ack("already-settled", DROPPED, HEAD, id="n1", now=NOW, by="priya@acme.example")
    )


def test_somebody_else_learns_nothing_of_the_held_mail() -> None:
    facts = NoticeFacts(held_id="01JX2Z", agent=Mailbox("eve@acme.example"), subject="")
    for name in ("wrong-sender", "expired"):
        assert b"VPN" not in notices.ack(name, facts, HEAD, id="n1", now=NOW).raw


def test_the_supervisors_note_is_a_mail_of_its_own() -> None:
    mail = notices.supervisor_note(DROPPED, HEAD, id="n1", now=NOW, lang="de")
    assert mail.rcpt_to == ("priya.raman@acme.example",)
    assert parsed(mail)["Subject"] == "Zur Kenntnis: Fwd: VPN drops every hour"
    assert "Dana Cole hat Mary Jones" in text(mail)
    with pytest.raises(ValueError, match="no supervisor"):
        notices.supervisor_note(replace(DROPPED, supervisor=None), HEAD, id="n1", now=NOW)


def test_a_rewrite_names_who_was_added() -> None:
    mail = notices.rewrite_notice(DROPPED, HEAD, id="n1", now=NOW)
    assert parsed(mail)["Subject"] == "Now in Cc, Mary Jones <mary.jones@acme.example>: Fwd: VPN drops every hour"
    assert "You need not do anything." in text(mail)


def test_a_reject_line_is_one_line_of_ascii() -> None:
    line = notices.reject_line(replace(DROPPED, requester=Mailbox("m@acme.example", "Märy"), lang="de"), HEAD.templates)
    assert line.isascii() and line.startswith("Not sent, somebody would be left waiting.")


def test_an_address_outside_ascii_is_kept_as_it_is() -> None:
    facts = replace(DROPPED, agent=Mailbox("jörg@acme.example", "Jörg"))
    assert "jörg@acme.example".encode() in hold(facts).raw


def test_evidence_inside_other_evidence_is_shown_once() -> None:
    assert shortened(["no, we can't", "we can't", "no,\nwe can't", "x" * 200]) == ("no, we can't", "x" * 159 + "…")


def test_times_are_in_words() -> None:
    at = datetime(2025, 3, 4, 9, 5, tzinfo=UTC)
    assert in_words(at, "en") == in_words(at, "xx") == "Tuesday 4 March, 09:05"
    assert in_words(at, "de") == "Dienstag, 4. März, 09:05 Uhr"


def test_a_mail_without_subject_is_called_so() -> None:
    assert parsed(hold(replace(DROPPED, subject="")))["Subject"] == "Before your mail goes out: (no subject)"
    assert "(ohne Betreff)" in text(hold(replace(DROPPED, subject=" ", lang="de")))


def test_a_requester_who_is_only_a_name_is_added_by_hand_and_the_notice_says_why() -> None:
    facts = replace(
        DROPPED,
        requester=Mailbox("", "Mary Jones"),
        adds=(),
        can_fix=False,
        why_no_fix="nobody knows their address",
        offers=frozenset({"consult", "send", "wrong", "discard"}),
    )
    said = text(hold(facts))
    assert "Mary Jones (in Cc: [add the address]) wrote to us:" in said
    assert "Adding Mary Jones is not offered here: nobody knows their address." in said
    assert "[add the address]" not in text(hold(DROPPED))


def test_the_same_words_are_told_once() -> None:
    """A one-word no is two findings in the log; two reasons for it in a notice would only shame."""
    no = NoticeFinding("bare-refusal", "no reason", ("No",), "with a reason", "", "")
    terse = NoticeFinding("terse-reply", "a word", ("No.",), "with an answer", "", "")
    other = NoticeFinding("dropped-requester", "nobody in Cc", ("can you take this over?",), "with her in Cc", "", "")
    shown = reasons(
        replace(DROPPED, findings=(no, terse, other)),
        load_templates(Path(__file__).parent.parent / "templates"),
        lang="en",
    )
    assert [each["policy"] for each in shown] == ["bare-refusal", "dropped-requester"]


def test_the_draft_says_to_whom_it_goes() -> None:
    said = text(hold(DROPPED)).replace("\r\n", "\n")
    assert (
        "To: Network team <network-team@acme.example>\nCc: Mary Jones <mary.jones@acme.example>\nSubject: Fwd: " in said
    )
    copied = replace(DROPPED, copied=DROPPED.recipients, requester=None, adds=())
    assert [variables(copied)[name] for name in ("draft_to", "draft_cc")] == [
        [],
        ["Network team <network-team@acme.example>"],
    ]


def test_what_mends_the_mail_stands_out_and_nothing_else() -> None:
    shown = page(hold(DROPPED))
    assert re.findall(r'class="b"[^>]*>([^<]+)</a>', shown) == ["FIX"]
    only = page(hold(replace(DROPPED, offers=frozenset({"send", "wrong", "discard"}))))
    assert 'class="b"' not in only and only.count('class="q"') == 3


def test_whoever_is_in_the_mail_is_not_said_to_be_left_out_of_it() -> None:
    seen = replace(REFUSED, recipients=(MARY,))
    assert "is not offered here" in text(hold(REFUSED)) and "is not offered here" not in text(hold(seen))
    assert variables(seen)["draft_to"] == ["Mary Jones <mary.jones@acme.example>"] and not variables(seen)["draft_cc"]
