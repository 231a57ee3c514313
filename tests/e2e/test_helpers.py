"""Who helps with somebody else's held mail: in their language, with no more than they may see, told how it ended."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.mail.message import read_message
from gateway.resources import shipped
from gateway.smtp.sink import Fault
from tests.e2e.clock import Clock
from tests.e2e.house import house, mail
from tests.e2e.test_follow import ADMIN, at
from tests.e2e.test_settling import DANA, JILL, NETWORK, NO, PASSED_ON, PRIYA, Held, held, said

MONDAY = datetime(2026, 5, 11, 8, 0, tzinfo=UTC)
SITE = (shipped("policies") / "site.yaml").read_text()
HR = "hr@acme.example"


@pytest.fixture
def clock() -> Clock:
    return Clock(MONDAY)


def site(folder: Path, *changes: tuple[str, str]) -> str:
    text = SITE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path = folder / "site.yaml"
    path.write_text(text)
    return str(path)


GERMAN_TEAM = ("    name: IT Support\n", "    name: IT Support\n    lang: de\n")
ENGLISH_DANA = ("name: Dana Cole}", "name: Dana Cole, lang: en}")


async def test_a_helper_is_answered_in_their_own_language(tmp_path: Path, clock: Clock) -> None:
    async with house(tmp_path, clock=clock, site=site(tmp_path, GERMAN_TEAM, ENGLISH_DANA)) as gateway:
        one = await held(gateway)
        back = await one.answer("GRUND", sender=PRIYA)
        assert back.subject.startswith("Bitte noch ein Wort") and "GRUND: …" in said(back)
        back = await one.answer("RÜCKFRAGE", sender=PRIYA, to=back.reply_to[0].address)
        assert "RÜCKFRAGE" in said(back)
        done = await one.answer("GRUND: ein Platz je Etage", sender=PRIYA)
        assert "hinaus" in said(done)
        assert "has gone out" in said(read_message((await gateway.wait_to(DANA, one.told + 1))[-1].raw))
        again = await one.answer("GRUND: ein Platz je Etage", sender=PRIYA)
        assert "Already" not in again.subject and len(gateway.to(JILL)) == 1


async def test_an_unknown_token_is_told_of_in_the_readers_language(tmp_path: Path, clock: Clock) -> None:
    """The supervisor and the admins too: they are asked to answer, so they hear when it was too late."""
    async with house(tmp_path, clock=clock, site=site(tmp_path, GERMAN_TEAM, ENGLISH_DANA)) as gateway:
        one = await held(gateway)
        local, _, domain = one.to.partition("@")
        stranger = f"{local.partition('+')[0]}+{'0' * 32}@{domain}"
        assert (await one.answer("SEND: x y", to=stranger)).subject == "This answer came too late"
        late = await one.answer("SENDEN: x y", to=stranger, sender=PRIYA)
        assert late.subject != "This answer came too late" and "zu spät" in late.subject
        assert (await one.answer("SEND: x y", to=stranger, sender=ADMIN)).subject == "This answer came too late"


async def test_a_helper_hears_that_the_mail_server_refused_it(tmp_path: Path, clock: Clock) -> None:
    async with house(tmp_path, clock=clock) as gateway:
        one = await held(gateway)
        gateway.sink.faults.append(Fault("RCPT", reply=b"550 5.1.1 nobody here\r\n", match=JILL.encode(), times=1))
        back = await one.answer("SEND: Dana is away", sender=PRIYA)
        assert "5.1.1 nobody here" in said(back) and await one.outcome() == "held"
        assert "5.1.1 nobody here" in said(read_message((await gateway.wait_to(DANA, one.told + 1))[-1].raw))
        await one.answer("SEND: Dana is away", sender=PRIYA, to=back.reply_to[0].address)
        assert await one.outcome() == "overridden" and len(gateway.to(JILL)) == 1


async def test_somebody_in_bcc_is_named_to_the_sender_alone(tmp_path: Path, clock: Clock) -> None:
    hidden = PASSED_ON.replace(b"Ann Lee", b"Jill Amory").replace(b"ann.lee@customer.example", JILL.encode())
    async with house(tmp_path, clock=clock) as gateway:
        code, reply = await gateway.send(DANA, [NETWORK, JILL], hidden)
        assert code == 250 and "Held" in reply, reply
        notice = read_message((await gateway.wait_to(DANA))[0].raw)
        assert "Jill Amory" in said(notice)
        row = gateway.audit()[0]
        one = Held(gateway, notice.reply_to[0].address, row.entry.id, 1)
        await at(gateway, clock, "12T16:30")
        for reader in (PRIYA, ADMIN):
            raw = gateway.to(reader)[0].raw
            assert b"Jill" not in raw and JILL.encode() not in raw and b"FIX" not in raw
        box = read_message(gateway.to(PRIYA)[0].raw).reply_to[0].address
        back = await one.answer("FIX", sender=PRIYA, to=box)
        assert back.subject.startswith("FIX is not possible") and await one.outcome() == "held"
        assert not any(b"Jill" in each.raw for each in gateway.to(PRIYA))
        await one.answer("FIX")
        assert await one.outcome() == "fixed", "it is the sender's to say"


async def test_the_admins_hear_that_confidential_mail_waits_and_no_more(tmp_path: Path, clock: Clock) -> None:
    secret = NO.replace(b"Subject: Re: Monitor", b"Sensitivity: Company-Confidential\r\nSubject: Re: Warning letter", 1)
    async with house(tmp_path, clock=clock) as gateway:
        one = await held(gateway, secret)
        await at(gateway, clock, "12T16:30")
        assert "Warning letter" in read_message(gateway.to(PRIYA)[0].raw).subject, "her supervisor is of its circle"
        raw = gateway.to(ADMIN)[0].raw
        assert b"Warning" not in raw and JILL.encode() not in raw and b"Jill" not in raw
        note = read_message(raw)
        assert "Dana Cole" in said(note) and one.id in said(note)
        ack = await one.answer("SEND: Dana has left", sender=ADMIN, to=note.reply_to[0].address)
        assert await one.outcome() == "overridden" and "Warning" not in ack.subject


async def test_a_policy_with_a_deadline_of_its_own_reminds_in_time(tmp_path: Path, clock: Clock) -> None:
    folder = tmp_path / "policies"
    shutil.copytree(shipped("policies"), folder)
    text = (folder / "bare-refusal.yaml").read_text()
    (folder / "bare-refusal.yaml").write_text(text.replace("\ndo: hold", "\ndo: hold\ndeadline: 2h", 1))
    assert "deadline: 2h" in (folder / "bare-refusal.yaml").read_text()
    async with house(tmp_path, clock=clock, policies=str(folder)) as gateway:
        await held(gateway)
        assert "by Monday 11 May, 12:00" in " ".join(said(read_message(gateway.to(DANA)[0].raw)).split())
        await at(gateway, clock, "11T09:01")
        assert "is asked to help after Monday 11 May, 12:00" in said(read_message(gateway.to(DANA)[1].raw))
        await at(gateway, clock, "11T10:01")
        assert len(gateway.to(PRIYA)) == 1


@pytest.mark.parametrize(
    "words", ["The meeting is on Friday.", "Please reply by Friday.", "I am out of office until Monday."]
)
async def test_the_draft_promises_only_what_the_mail_does(tmp_path: Path, clock: Clock, words: str) -> None:
    dated = PASSED_ON.replace(b"please take this one over.", b"please take this one over. " + words.encode())
    async with house(tmp_path, clock=clock) as gateway:
        await held(gateway, dated, NETWORK)
        notice = " ".join(said(read_message(gateway.to(DANA)[0].raw)).split())
        assert "You can expect word by [day and time]." in notice


async def test_next_time_goes_to_an_address_and_not_to_oneself(tmp_path: Path, clock: Clock) -> None:
    wide = (
        "addresses: [network-team@acme.example]",
        'addresses: ["*@network.acme.example", network-team@acme.example]',
    )
    inside = PASSED_ON.replace(b"Ann Lee", b"Jill Amory").replace(b"ann.lee@customer.example", JILL.encode())
    async with house(tmp_path, clock=clock, site=site(tmp_path, wide)) as gateway:
        await held(gateway, inside, NETWORK)
        first = said(read_message(gateway.to(DANA)[0].raw))
        assert "Network Team (network-team@acme.example)." in first and "*@" not in first
        own = PASSED_ON.replace(b"Ann Lee", b"Bob Nilsson").replace(
            b"ann.lee@customer.example", b"bob.nilsson@acme.example"
        )
        await held(gateway, own.replace(b"<passed-on@", b"<own@"), NETWORK)
        assert "Next time" not in said(read_message(gateway.to(DANA)[1].raw)), "he is of that team"


async def test_an_agent_alone_is_reminded_and_not_asked_whether_they_are_away(tmp_path: Path, clock: Clock) -> None:
    alone = tmp_path / "site.yaml"
    alone.write_text(
        'agents: ["*"]\ngateway: {notices: gateway@gw.acme.example}\ninternal_domains: [acme.example]\n'
        "zone: Europe/Brussels\n"
    )
    async with house(tmp_path, clock=clock, site=str(alone)) as gateway:
        one = await held(gateway)
        await at(gateway, clock, "12T16:30")
        letters = [read_message(each.raw) for each in gateway.to(DANA)[1:]]
        assert len(letters) == 3 and all(each.subject.startswith("Still waiting for your word") for each in letters)
        assert not any("away" in said(each) or "asked to help" in said(each) for each in letters)
        await one.answer("SEND: she knows", to=letters[-1].reply_to[0].address)
        assert await one.outcome() == "overridden"


@pytest.mark.parametrize("subject", ["Automatic reply: Before your mail goes out", "Abwesenheitsnotiz: Bevor sie geht"])
async def test_a_machine_that_says_so_in_its_subject_settles_nothing(
    tmp_path: Path, clock: Clock, subject: str
) -> None:
    async with house(tmp_path, clock=clock) as gateway:
        one = await held(gateway)
        away = mail(f"Dana Cole <{DANA}>", one.to, subject, "SEND: I am away until Monday")
        before = len(gateway.sink.messages)
        assert (await gateway.send(DANA, [one.to], away))[0] == 250
        assert await one.outcome() == "held" and len(gateway.sink.messages) == before


async def test_a_delegate_of_another_house_helps_without_what_is_confidential(tmp_path: Path, clock: Clock) -> None:
    temp = "temp@agency.example"
    stands_in = ("name: Dana Cole}", f"name: Dana Cole, delegates: [{DANA}, {temp}]}}")
    secret = NO.replace(b"Subject: Re: Monitor", b"Sensitivity: Company-Confidential\r\nSubject: Re: Warning letter", 1)
    async with house(tmp_path, clock=clock, site=site(tmp_path, stands_in)) as gateway:
        await held(gateway)
        await held(gateway, secret.replace(b"<no@", b"<secret@"))
        await at(gateway, clock, "11T12:01")
        assert len(gateway.to(DANA)) == 4, "a notice and one reminder each: nobody stands in for themselves"
        notes = [each.raw for each in gateway.to(temp)]
        assert len(notes) == 2 and sum(b"Monitor" in each for each in notes) == 1
        assert not any(b"Warning" in each for each in notes)
        assert all(b"Monitor" in each for each in notes if b"Jill" in each or JILL.encode() in each)
