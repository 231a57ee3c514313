"""Nobody is forgotten: deadlines of held mail, hand-offs and promises, over SMTP with a clock that tests move."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.mail.message import Message, read_message
from gateway.mail.quoting import split_body
from gateway.resources import shipped
from gateway.smtp.sink import Sink
from tests import forked
from tests.e2e.clock import Clock
from tests.e2e.house import House, house, mail
from tests.e2e.test_settling import ASKED, CUSTOMER, DANA, JILL, NETWORK, NO, PASSED_ON, PRIYA, Held, held

TOM = "tom.becker@acme.example"

BOB = "bob.nilsson@acme.example"
DESK = "it-support@acme.example"
ADMIN = "postmaster@acme.example"
MONDAY = datetime(2026, 5, 11, 8, 0, tzinfo=UTC)
"""10:00 in Brussels; Thursday is Ascension Day, when nobody works."""


@pytest.fixture
def clock() -> Clock:
    return Clock(MONDAY)


async def at(gateway: House, clock: Clock, when: str) -> None:
    """Let the clock run to a time (UTC) of May 2026, looking every half hour as it would."""
    target = datetime.fromisoformat(f"2026-05-{when}+00:00")
    while clock.at < target:
        clock.at = min(target, clock.move(minutes=30))
        await gateway.service.clockwork.step()
    await idle(gateway)


async def idle(gateway: House) -> None:
    """Until everything of ours that can go out has."""
    async with asyncio.timeout(20):
        while await asyncio.to_thread(gateway.service.store.outbox_count) and (
            (await asyncio.to_thread(gateway.service.store.outbox_count)).get("waiting", 0)
        ):
            gateway.service.dispatcher.wake()
            await asyncio.sleep(0.02)


def subjects(gateway: House, to: str) -> list[str]:
    return [read_message(each.raw).subject for each in gateway.to(to)]


def said(message: Message) -> str:
    return split_body(message).new.text


def ledger(gateway: House, **filters: Any) -> list[Any]:
    return gateway.service.store.ledger_list(**{"kinds": ["handoff", "promise"], "closed": True, **filters})


async def ask(gateway: House, who: str, subject: str, text: str, id: str) -> None:
    raw = mail(named(who), DESK, subject, text, message_id=id)
    assert (await gateway.send(who, [DESK], raw, port=gateway.tap))[0] == 250


async def answer(
    gateway: House, sender: str, to: str, text: str, *, cc: str = "", reply_to: str = "<q@x>", **more: str
) -> None:
    subject = more.pop("subject", "Re: VPN")
    raw = mail(named(sender), to, subject, text, cc=cc, reply_to=reply_to, **more)
    assert (await gateway.send(sender, [to, *([cc] if cc else [])], raw))[0] == 250


def named(address: str) -> str:
    """Dana Cole <dana.cole@acme.example>"""
    return f"{address.partition('@')[0].replace('.', ' ').title()} <{address}>"


# --- held mail --------------------------------------------------------------------------------------------------------


async def test_a_held_mail_that_nobody_answers_is_spoken_of_until_somebody_does(tmp_path: Path, clock: Clock) -> None:
    async with house(tmp_path, clock=clock) as gateway:
        one = await held(gateway)
        await at(gateway, clock, "11T11:59")
        assert len(gateway.to(DANA)) == 1, "half of eight business hours are not over"
        await at(gateway, clock, "11T12:01")
        reminder = read_message(gateway.to(DANA)[1].raw)
        assert reminder.subject == "Still waiting for your word: Re: Monitor"
        assert "Priya Raman is asked to help after Monday 11 May, 18:00" in said(reminder)
        await at(gateway, clock, "11T16:01")
        [overdue] = [read_message(each.raw) for each in gateway.to(PRIYA)]
        assert overdue.subject == "Waiting for an answer, can you help? Re: Monitor"
        assert "a mail of Dana Cole" in said(overdue) and "REASON: …" in said(overdue)
        assert not gateway.to(ADMIN)
        await at(gateway, clock, "12T16:30")
        assert subjects(gateway, ADMIN) == ["Waiting for an answer, can you help? Re: Monitor"]
        await at(gateway, clock, "18T07:00")
        assert len(gateway.to(ADMIN)) == 3, "Wednesday and Friday, not on the holiday or at the weekend"
        assert len(gateway.to(DANA)) == 2 and len(gateway.to(PRIYA)) == 1
        # The newest token works, the oldest too; one of them settles it.
        box = overdue.reply_to[0].address
        await Held(gateway, box, one.id, 0).answer("SEND: Dana is away, and Jill knows", sender=PRIYA)
        assert await one.outcome() == "overridden"
        await at(gateway, clock, "20T16:00")
        assert len(gateway.to(ADMIN)) == 3, "settled is settled"


async def test_a_delegate_is_asked_with_the_reminder_in_their_own_language(tmp_path: Path, clock: Clock) -> None:
    site = tmp_path / "site.yaml"
    dana, tom = (
        "{address: dana.cole@acme.example, name: Dana Cole",
        "{address: tom.becker@acme.example, name: Tom Becker",
    )
    text = (shipped("policies") / "site.yaml").read_text()
    assert f"{dana}}}" in text and f"{tom}}}" in text
    text = text.replace(dana, f"{dana}, delegates: [{TOM}]").replace(tom, f"{tom}, lang: de")
    site.write_text(text)
    async with house(tmp_path, clock=clock, site=str(site)) as gateway:
        one = await held(gateway)
        assert not gateway.to(TOM)
        await at(gateway, clock, "11T12:01")
        asked = read_message(gateway.to(TOM)[0].raw)
        assert said(asked).startswith("Hallo Tom Becker") and "Dana Cole" in said(asked)
        await Held(gateway, asked.reply_to[0].address, one.id, 0).answer("SENDEN: sie weiß es", sender=TOM)
        assert await one.outcome() == "overridden"
        assert len(gateway.to(TOM)) == 2, "asked once; and the answer is acknowledged"


async def test_a_reminder_can_be_answered(tmp_path: Path, clock: Clock) -> None:
    async with house(tmp_path, clock=clock) as gateway:
        one = await held(gateway)
        await at(gateway, clock, "11T12:01")
        box = read_message(gateway.to(DANA)[1].raw).reply_to[0].address
        assert box != one.to
        await one.answer("REASON: we have one seat on each floor", to=box)
        assert await one.outcome() == "amended"
        again = await one.answer("DISCARD")
        assert again.subject.startswith("Already settled")


# --- hand-offs --------------------------------------------------------------------------------------------------------


async def test_a_hand_off_is_open_until_the_new_owner_writes(tmp_path: Path, clock: Clock) -> None:
    async with house(tmp_path, clock=clock) as gateway:
        await ask(gateway, JILL, "VPN", "My VPN drops every hour. Can you help?", "<q@x>")
        await answer(gateway, DANA, BOB, "Bob, please take this one over.", cc=JILL, message_id="<h@x>")
        [entry] = ledger(gateway)
        assert (entry.kind, entry.state, entry.requester.address) == ("handoff", "open", JILL)
        assert [who.address for who in entry.owners] == [BOB]
        # somebody else, a look-alike and a machine change nothing
        await answer(gateway, "carla.rossi@acme.example", JILL, "I heard of it.")
        await answer(gateway, "bob.nilsson@acrne.example", JILL, "I have it.")
        await answer(gateway, BOB, JILL, "I am out of office.", Auto_Submitted="auto-replied")
        assert ledger(gateway)[0].state == "open"
        await answer(gateway, BOB, JILL, "I have it, and the new router comes on Wednesday.", subject="VPN router")
        [entry] = ledger(gateway)
        assert (entry.state, entry.why, entry.closed_by) == ("closed", "answered", BOB)
        await at(gateway, clock, "29T16:00")
        assert not [s for s in subjects(gateway, BOB) if s.startswith("Still with you")]


async def test_an_owner_who_is_silent_is_asked_once_and_then_the_supervisor_hears(tmp_path: Path, clock: Clock) -> None:
    async with house(tmp_path, clock=clock) as gateway:
        await ask(gateway, JILL, "VPN", "My VPN drops every hour. Can you help?", "<q@x>")
        await answer(gateway, DANA, BOB, "Bob, please take this one over.", cc=JILL)
        await at(gateway, clock, "12T13:30")
        assert len(gateway.to(BOB)) == 1
        await at(gateway, clock, "12T14:01")
        note = read_message(gateway.to(BOB)[1].raw)
        assert note.subject == "Still with you? Re: VPN" and "This is the only time we ask." in said(note)
        assert "Dana Cole passed" in said(note) and JILL in said(note)
        assert note.reply_to[0].address == DANA and note.auto_submitted
        await at(gateway, clock, "29T16:00")
        assert subjects(gateway, PRIYA) == ["Nobody has it yet? Re: VPN"] and len(gateway.to(BOB)) == 2
        assert ledger(gateway)[0].state == "escalated"
        assert not [s for s in subjects(gateway, DANA) if "yet?" in s]
        await answer(gateway, BOB, JILL, "Sorry, I was away. It is fixed.")
        assert ledger(gateway)[0].state == "closed"


async def test_anybody_of_a_team_answers_for_it(tmp_path: Path, clock: Clock) -> None:
    async with house(tmp_path, clock=clock) as gateway:
        await ask(gateway, JILL, "VPN", "My VPN drops every hour. Can you help?", "<q@x>")
        await answer(gateway, DANA, NETWORK, "Please take this one over.", cc=JILL)
        await answer(gateway, BOB, JILL, "We look at it today.")
        assert ledger(gateway)[0].why == "answered"


async def test_an_answer_that_comes_in_closes_it_too(tmp_path: Path, clock: Clock) -> None:
    """A vendor's word to the requester, seen by the tap because the desk is in Cc."""
    kate = "kate@hosting.example"
    async with house(tmp_path, clock=clock) as gateway:
        await ask(gateway, JILL, "VPN", "My VPN drops every hour. Can you help?", "<q@x>")
        await answer(gateway, DANA, kate, "Kate, please take this one over.", cc=JILL)
        raw = mail(f"Kate <{kate}>", JILL, "Re: VPN", "We replaced the line card.", cc=DESK, reply_to="<q@x>")
        assert (await gateway.send(kate, [JILL, DESK], raw, port=gateway.tap))[0] == 250
        assert ledger(gateway)[0].state == "closed"


async def test_a_held_hand_off_opens_when_it_goes_out_and_a_consult_never(tmp_path: Path, clock: Clock) -> None:
    async with house(tmp_path, clock=clock) as gateway:
        one = await held(gateway, PASSED_ON, NETWORK)
        assert ledger(gateway) == []
        clock.move(hours=5)
        await one.answer("FIX")
        [entry] = ledger(gateway)
        assert entry.requester.address == CUSTOMER and entry.at == clock.at
        assert (entry.due - entry.at).total_seconds() > 16 * 3600
        two = await held(gateway, PASSED_ON.replace(b"<passed-on@", b"<again@"), NETWORK)
        await two.answer("CONSULT")
        assert len(ledger(gateway)) == 1


# --- promises ---------------------------------------------------------------------------------------------------------


async def test_a_promise_is_kept_by_the_next_mail_of_the_team(tmp_path: Path, clock: Clock) -> None:
    async with house(tmp_path, clock=clock) as gateway:
        await ask(gateway, JILL, "VPN", "When do I get the new router?", "<q@x>")
        await answer(gateway, DANA, JILL, "You will have it by Wednesday.", message_id="<p@x>")
        [entry] = ledger(gateway)
        assert (entry.kind, f"{entry.due:%d %H:%M}") == ("promise", "13 16:00")
        await answer(gateway, "mei.tan@acme.example", JILL, "By the way, the canteen is closed.", reply_to="<other@x>",
                     subject="Canteen")  # fmt: skip
        assert ledger(gateway)[0].state == "open", "another matter"
        clock.move(days=1)
        await answer(gateway, "mei.tan@acme.example", JILL, "It is on your desk.", reply_to="<p@x>")
        assert (ledger(gateway)[0].state, ledger(gateway)[0].why) == ("closed", "kept")
        await at(gateway, clock, "29T16:00")
        assert not subjects(gateway, DANA) and not subjects(gateway, PRIYA)


async def test_a_promise_is_remembered_before_it_is_due_and_then_left_alone(tmp_path: Path, clock: Clock) -> None:
    """Much is kept without a mail: the agent hears once, nobody else does, and after a week it is closed as that."""
    async with house(tmp_path, clock=clock) as gateway:
        await ask(gateway, JILL, "VPN", "When do I get the new router?", "<q@x>")
        await answer(gateway, DANA, JILL, "You will have it by Wednesday.", message_id="<p@x>")
        await at(gateway, clock, "13T13:59")
        assert not gateway.to(DANA)
        await at(gateway, clock, "13T14:01")
        [due] = [read_message(each.raw) for each in gateway.to(DANA)]
        assert due.subject == "Due Wednesday 13 May, 18:00: Re: VPN" and "by Wednesday" in said(due)
        await at(gateway, clock, "18T16:00")
        assert ledger(gateway)[0].state == "asked"
        await at(gateway, clock, "29T16:00")
        assert len(gateway.to(DANA)) == 1 and not gateway.to(PRIYA)
        assert ledger(gateway)[0].why == "not heard of"


async def test_a_site_can_want_more(tmp_path: Path, clock: Clock) -> None:
    async with house(tmp_path, clock=clock, promise_overdue="supervisor") as gateway:
        await ask(gateway, JILL, "VPN", "When do I get the new router?", "<q@x>")
        await answer(gateway, DANA, JILL, "You will have it by Wednesday.", message_id="<p@x>")
        await at(gateway, clock, "13T16:01")
        assert subjects(gateway, DANA)[1:] == ["Was due Wednesday 13 May, 18:00: Re: VPN"]
        assert not gateway.to(PRIYA)
        await at(gateway, clock, "20T12:00")
        assert len(gateway.to(DANA)) == 2 and len(gateway.to(PRIYA)) == 1, "once each, and then nobody"
        await answer(gateway, DANA, JILL, "Here it is, sorry.", reply_to="<p@x>")
        assert ledger(gateway)[0].why == "late"


async def test_a_new_date_takes_the_place_of_the_old_one(tmp_path: Path, clock: Clock) -> None:
    async with house(tmp_path, clock=clock) as gateway:
        await ask(gateway, JILL, "VPN", "When do I get the new router?", "<q@x>")
        await answer(gateway, DANA, JILL, "You will have it by Tuesday.", message_id="<p@x>")
        await answer(gateway, DANA, JILL, "It is late: you will have it by Friday.", reply_to="<p@x>")
        first, second = sorted(ledger(gateway), key=lambda entry: entry.due)
        assert (first.state, second.state, f"{second.due:%d}") == ("closed", "open", "15")


# --- people who ask often ---------------------------------------------------------------------------------------------


async def test_who_asks_often_is_told_of_once(tmp_path: Path, clock: Clock) -> None:
    async with house(tmp_path, clock=clock, repeat_requests=3) as gateway:
        for number in range(6):
            await ask(gateway, JILL, f"VPN {number}", "It dropped again.", f"<q{number}@x>")
        await idle(gateway)
        [note] = [read_message(each.raw) for each in await gateway.wait_to(PRIYA)]
        assert note.subject == "3 requests from Jill Amory" and "VPN 2" in said(note)


async def test_topics_that_many_ask_about_are_counted(tmp_path: Path, clock: Clock) -> None:
    """Six people ask about one thing and two about another; the report names the first, and nobody."""
    report = ("follow", "report", "--days", "365", "--state", tmp_path / "state")
    environ = {**os.environ, "REFERRAL_GATEWAY_KEY_FILE": str(tmp_path / "keys" / "hold.key"), "HOME": str(tmp_path)}
    async with house(tmp_path, clock=clock) as gateway:
        subjects = ["VPN drops", "vpn drops", "Fwd: VPN drops", "[#48213] VPN drops", "WG: VPN drops", "VPN drops 2"]
        for number, subject in enumerate([*subjects, "Badge lost", "Badge lost"]):
            await ask(gateway, f"guest{number}@customer.example", subject, "Can you help?", f"<q{number}@x>")
        await idle(gateway)
        done = await asyncio.to_thread(forked.run, *report, env=environ)
    assert done.returncode == 0, done.stderr
    assert "6 times by 6 people: vpn drops" in done.stdout and "badge" not in done.stdout.lower()
    assert "guest" not in done.stdout and "dana" not in done.stdout.lower()


async def test_what_a_confidential_request_is_about_is_told_to_nobody(tmp_path: Path, clock: Clock) -> None:
    async with house(tmp_path, clock=clock, repeat_requests=3) as gateway:
        await ask(gateway, JILL, "VPN", "It dropped again.", "<q0@x>")
        raw = mail(named(JILL), DESK, "My illness", "May I?", message_id="<q1@x>", Sensitivity="Private")
        assert (await gateway.send(JILL, [DESK], raw, port=gateway.tap))[0] == 250
        raw = mail(named(JILL), DESK, "The dismissal", "May I?", cc="hr@acme.example", message_id="<q2@x>")
        assert (await gateway.send(JILL, [DESK, "hr@acme.example"], raw, port=gateway.tap))[0] == 250
        await idle(gateway)
        note = (await gateway.wait_to(PRIYA))[0].raw
        assert b"3 requests from Jill Amory" in note and b"VPN" in note
        assert b"illness" not in note and b"dismissal" not in note


# --- no loops ---------------------------------------------------------------------------------------------------------


async def test_a_machine_that_answers_everything_comes_to_an_end(tmp_path: Path, clock: Clock) -> None:
    """An answering machine that does not say that it is one, behind an agent's address."""
    async with house(tmp_path, clock=clock) as gateway:
        one = await held(gateway)
        answered = 0
        for _ in range(40):
            waiting = gateway.to(DANA)[answered:]
            if not waiting:
                break
            for each in waiting:
                answered += 1
                to = read_message(each.raw).reply_to or read_message(each.raw).from_
                raw = mail(f"Dana Cole <{DANA}>", to[0].address, "I am away", "I am away until Monday.")
                assert (await gateway.send(DANA, [to[0].address], raw))[0] == 250
            await idle(gateway)
        assert answered <= 10, f"{answered} answers of a machine were answered"
        assert await one.outcome() == "held"


async def test_two_gateways_in_a_row_leave_each_others_notes_alone(tmp_path: Path, clock: Clock) -> None:
    """Our notes go through another gateway of the same site: neither judged nor remembered nor held there."""
    async with (
        house(tmp_path / "outer", clock=clock) as outer,
        house(tmp_path / "inner", clock=clock, upstream=f"127.0.0.1:{outer.port}") as inner,
    ):
        await inner.send(DANA, [JILL], NO)
        [notice] = await outer.wait_to(DANA)
        assert read_message(notice.raw).auto_submitted
        clock.at = datetime(2026, 5, 20, 16, 0, tzinfo=UTC)
        for _ in range(10):
            await inner.service.clockwork.step()
            await outer.service.clockwork.step()
            await idle(inner)
            clock.move(hours=24)
        rows = await asyncio.to_thread(outer.service.store.audit_list)
        assert rows and all(row.outcome == "passed" and not row.entry.findings for row in rows)
        assert not ledger(outer) and not await outer.service.store.held_list()


async def test_reminders_survive_an_upstream_that_is_away(tmp_path: Path, clock: Clock) -> None:
    async with house(tmp_path, clock=clock) as gateway:
        await ask(gateway, JILL, "VPN", "My VPN drops every hour. Can you help?", "<q@x>")
        await answer(gateway, DANA, BOB, "Bob, please take this one over.", cc=JILL)
        port = gateway.sink.port
        await gateway.sink.__aexit__(None, None, None)
        clock.at = datetime(2026, 5, 12, 14, 1, tzinfo=UTC)
        await gateway.service.clockwork.step()
        await asyncio.sleep(0.2)
        async with Sink(port=port) as back:
            gateway.sink = back
            for _ in range(5):
                clock.move(hours=1)
                gateway.service.dispatcher.wake()
                await asyncio.sleep(0.1)
            await gateway.wait_to(BOB)
            assert subjects(gateway, BOB) == ["Still with you? Re: VPN"]


async def test_follow_through_can_be_switched_off(tmp_path: Path, clock: Clock) -> None:
    async with house(tmp_path, clock=clock, follow=False) as gateway:
        await ask(gateway, JILL, "VPN", "My VPN drops every hour. Can you help?", "<q@x>")
        await answer(gateway, DANA, BOB, "Bob, please take this one over.", cc=JILL)
        await answer(gateway, DANA, JILL, "You will have it by Wednesday." + ASKED)
        assert ledger(gateway) == []
