"""Every answer to a notice, over SMTP: what goes out, what is told, what the audit says, and nothing twice."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.mail.message import Message, read_message
from gateway.mail.quoting import split_body
from gateway.resources import shipped
from gateway.smtp.sink import Fault
from tests.e2e.clock import Clock
from tests.e2e.house import House, house, mail

DANA, JILL, PRIYA = "dana.cole@acme.example", "jill.amory@acme.example", "priya.raman@acme.example"
NETWORK, CUSTOMER = "network-team@acme.example", "ann.lee@customer.example"
MONDAY = datetime(2026, 5, 11, 8, 0, tzinfo=UTC)
ASKED = "\n\nOn Monday, Jill Amory <jill.amory@acme.example> wrote:\n> Could I have a second monitor?\n"
NO = mail(f"Dana Cole <{DANA}>", f"Jill Amory <{JILL}>", "Re: Monitor", "No." + ASKED, message_id="<no@acme.example>")
PASSED_ON = mail(
    f"Dana Cole <{DANA}>", f"Network Team <{NETWORK}>", "Fwd: VPN",
    "Hi all,\n\nplease take this one over.\n\nDana\n\n---------- Forwarded message ---------\n"
    f"From: Ann Lee <{CUSTOMER}>\nDate: Mon, 11 May 2026 09:00:00 +0200\nSubject: VPN\nTo: it-support@acme.example\n\n"
    "My VPN drops every hour. Can you help?\n",
    message_id="<passed-on@acme.example>",
)  # fmt: skip


class Held:
    """One held mail and the conversation about it."""

    def __init__(self, gateway: House, to: str, id: str, told: int) -> None:
        self.gateway, self.to, self.id, self.told = gateway, to, id, told

    async def answer(self, text: str, *, sender: str = DANA, to: str = "", **headers: str) -> Message:
        """Reply with `text`; gives the next mail that the sender gets."""
        raw = mail(f"Dana Cole <{sender}>", to or self.to, "Re: Before your mail goes out", text, **headers)
        before = len(self.gateway.to(sender))
        assert (await self.gateway.send(sender, [to or self.to], raw))[0] == 250
        return read_message((await self.gateway.wait_to(sender, before + 1))[before].raw)

    async def row(self) -> Any:
        return await asyncio.to_thread(self.gateway.service.store.audit_show, self.id)

    async def outcome(self) -> str:
        return str((await self.row()).outcome)


async def held(gateway: House, raw: bytes = NO, to: str = JILL, sender: str = DANA) -> Held:
    before = len(gateway.to(sender))
    code, said = await gateway.send(sender, [to], raw)
    assert code == 250 and said.startswith("2.0.0 Held"), said
    notice = read_message((await gateway.wait_to(sender, before + 1))[before].raw)
    row = (await asyncio.to_thread(gateway.service.store.audit_list))[0]
    return Held(gateway, notice.reply_to[0].address, row.entry.id, before + 1)


def said(message: Message) -> str:
    return split_body(message).new.text


@pytest.fixture
def clock() -> Clock:
    return Clock(MONDAY)


async def test_a_reason_is_set_into_the_mail_and_nothing_else_moves(tmp_path: Path, clock: Clock) -> None:
    async with house(tmp_path, clock=clock) as gateway:
        one = await held(gateway)
        ack = await one.answer("REASON: we have one seat on each floor\n\nDana\n\nSent from my iPhone")
        assert ack.subject == "Sent, with words added: Re: Monitor"
        assert '"The reason: we have one seat on each floor."' in said(ack)
        [went] = gateway.to(JILL)
        assert went.raw.endswith(
            NO.replace(b"No.\r\n", b"No.\r\n\r\nThe reason: we have one seat on each floor.\r\n", 1)
        ), "the octets that came, and one paragraph"
        assert await one.outcome() == "amended"


@pytest.mark.parametrize(
    ("lang", "word", "shown"),
    [("de", "TERMIN: Freitag 15 Uhr", "Expected: Freitag 15 Uhr."), ("en", "eta tomorrow", "Expected: tomorrow.")],
)
async def test_a_date_is_set_into_the_mail(tmp_path: Path, clock: Clock, lang: str, word: str, shown: str) -> None:
    async with house(tmp_path, clock=clock) as gateway:
        one = await held(gateway)
        await one.answer(word)
        [went] = gateway.to(JILL)
        assert shown in said(read_message(went.raw)) and await one.outcome() == "amended"


async def test_the_draft_and_the_note_know_the_date_and_whom_to_ask_next_time(tmp_path: Path, clock: Clock) -> None:
    dated = PASSED_ON.replace(b"please take this one over.", b"please take this over. It should be solved by Friday.")
    inside = dated.replace(b"Ann Lee", b"Jill Amory").replace(CUSTOMER.encode(), JILL.encode())
    async with house(tmp_path, clock=clock) as gateway:
        one = await held(gateway, inside, NETWORK)
        notice = said(read_message(gateway.to(DANA)[0].raw))
        assert "You can expect word by Friday 15 May, 18:00. Will that work for you?" in " ".join(notice.split())
        assert "Next time you can go straight to Network Team (network-team@acme.example)." in notice
        await one.answer("NOTE")
        note = said(read_message((await gateway.wait_to(JILL))[0].raw))
        assert "You can expect word by Friday 15 May, 18:00." in note
        two = await held(gateway, dated.replace(b"<passed-on@", b"<for-a-customer@"), NETWORK)
        notice = said(read_message(gateway.to(DANA)[two.told - 1].raw))
        assert "by Friday 15 May" in notice and "Next time" not in notice, "it is not for customers to write there"


async def test_fix_adds_a_customer_once_the_sender_says_so(tmp_path: Path, clock: Clock) -> None:
    async with house(tmp_path, clock=clock) as gateway:
        one = await held(gateway, PASSED_ON, NETWORK)
        ack = await one.answer("FIX")
        assert ack.subject == "Sent, with the addition: Fwd: VPN" and await one.outcome() == "fixed"
        [went] = gateway.to(CUSTOMER)
        assert [who.address for who in read_message(went.raw).cc] == [CUSTOMER]


async def test_a_reason_is_in_the_language_of_the_only_word_that_it_stands_beside(tmp_path: Path, clock: Clock) -> None:
    async with house(tmp_path, clock=clock) as gateway:
        one = await held(gateway, NO.replace(b"No.", b"Non.", 1))
        notice = read_message(gateway.to(DANA)[0].raw)
        assert "Hello Dana" in said(notice), "the notice is for Dana, whose team writes English"
        await one.answer("REASON: il n'y a qu'une place par \u00e9tage")
        [sent] = await gateway.wait_to(JILL)
        assert said(read_message(sent.raw)).startswith("Non.\n\nLa raison\u00a0: il n'y a qu'une place par \u00e9tage.")


async def test_a_reason_may_end_with_a_mark_of_its_own(tmp_path: Path, clock: Clock) -> None:
    async with house(tmp_path, clock=clock) as gateway:
        one = await held(gateway)
        await one.answer("REASON: is one on each floor not enough?")
        assert said(read_message(gateway.to(JILL)[0].raw)) == "No.\n\nThe reason: is one on each floor not enough?"


async def test_what_does_not_help_is_given_back_and_the_mail_still_waits(tmp_path: Path, clock: Clock) -> None:
    signed = NO.replace(b"Subject:", b"DKIM-Signature: v=1; d=acme.example; h=from; bh=x; b=y\r\nSubject:", 1)
    async with house(tmp_path, clock=clock) as gateway:
        one = await held(gateway, signed)
        back = await one.answer("REASON: we have one seat on each floor")
        assert back.subject == "Yours to send: Re: Monitor"
        assert "a signature or a checksum covers its text" in said(back)
        assert "No.\n\nThe reason: we have one seat on each floor." in said(back)
        assert await one.outcome() == "held" and not gateway.to(JILL)
        await one.answer("SEND: she knows why")
        assert await one.outcome() == "overridden" and gateway.to(JILL)[0].raw.endswith(signed)


async def test_a_note_tells_the_requester_and_the_mail_goes_as_it_is(tmp_path: Path, clock: Clock) -> None:
    async with house(tmp_path, clock=clock) as gateway:
        one = await held(gateway, PASSED_ON, NETWORK)
        ack = await one.answer("NOTE")
        assert "Ann Lee got a short note" in said(ack)
        [note] = await gateway.wait_to(CUSTOMER)
        [went] = gateway.to(NETWORK)
        assert went.raw.endswith(PASSED_ON) and await one.outcome() == "noted"
        letter = read_message(note.raw)
        assert "Dana Cole has passed your question" in said(letter) and "Network Team" in said(letter)
        assert letter.reply_to[0].address == DANA and letter.auto_submitted
        assert note.mail_from_arg.startswith(f"<{DANA}>".encode()), "a bounce finds the agent"
        assert b"please take this one over" not in note.raw, "what was meant for colleagues is not shown"


@pytest.mark.parametrize("seen", [True, False], ids=["seen", "quoted"])
async def test_the_note_is_in_the_language_of_whoever_asked(tmp_path: Path, clock: Clock, seen: bool) -> None:
    question = "Mein VPN fällt jede Stunde aus. Könnt ihr mir bitte helfen? Ich komme nicht mehr an meine Dateien."
    original = mail(f"Ann Lee <{CUSTOMER}>", "it-support@acme.example", "VPN", question, message_id="<asked@example>")
    passed = (
        PASSED_ON.decode()
        .replace("Fwd: VPN", "WG: AW: VPN")
        .replace("My VPN drops every hour. Can you help?", question)
    )
    headers = "In-Reply-To: <asked@example>\r\nReferences: <asked@example>\r\nSubject:" if seen else "Subject:"
    if seen:  # then the quote need not tell
        passed = passed.replace(question, "See below.")
    raw = passed.replace("Subject:", headers, 1).replace("7bit", "8bit").replace("us-ascii", "utf-8").encode()
    async with house(tmp_path, clock=clock) as gateway:
        if seen:
            await gateway.send(CUSTOMER, ["it-support@acme.example"], original, port=gateway.tap)
        one = await held(gateway, raw, NETWORK)
        assert "Hello Dana" in said(read_message(gateway.to(DANA)[0].raw)), "the notice is for Dana"
        await one.answer("NOTE")
        note = read_message((await gateway.wait_to(CUSTOMER))[-1].raw)
        assert note.get("Content-Language") == "de" and "„VPN“" in said(note) and note.subject.endswith(": VPN")


async def test_nobody_is_told_of_a_hand_off_that_did_not_go_out(tmp_path: Path, clock: Clock) -> None:
    async with house(tmp_path, clock=clock) as gateway:
        one = await held(gateway, PASSED_ON, NETWORK)
        gateway.sink.faults.append(Fault("RCPT", reply=b"550 5.1.1 nobody here\r\n", match=NETWORK.encode(), times=1))
        back = await one.answer("NOTE")
        assert "5.1.1 nobody here" in said(back) and await one.outcome() == "held"
        assert not gateway.to(CUSTOMER), "the Network Team does not have it"
        await one.answer("NOTE", to=back.reply_to[0].address)
        assert len(await gateway.wait_to(CUSTOMER)) == 1 and await one.outcome() == "noted"


async def test_a_mail_in_doubt_that_arrived_has_its_note(tmp_path: Path, clock: Clock) -> None:
    async with house(tmp_path, clock=clock) as gateway:
        one = await held(gateway, PASSED_ON, NETWORK)
        gateway.sink.faults.append(Fault("DOT", drop="before", keep=True, times=1))
        await one.answer("NOTE")
        assert await one.outcome() == "in-doubt" and not gateway.to(CUSTOMER)
        settling, store = gateway.service.settling, gateway.service.store
        doubtful = await store.held(one.id)
        assert doubtful is not None and await settling.resolve(doubtful, "released", "ada", "Bob has it")
        assert not await settling.resolve(doubtful, "held", "ada", "or not"), "said once"
        assert len(await gateway.wait_to(CUSTOMER)) == 1
        ack = read_message((await gateway.wait_to(DANA, one.told + 2))[-1].raw)
        assert "Ann Lee got a short note" in said(ack)


async def test_a_mail_in_doubt_that_did_not_arrive_can_be_answered(tmp_path: Path, clock: Clock) -> None:
    async with house(tmp_path, clock=clock) as gateway:
        one = await held(gateway)
        gateway.sink.faults.append(Fault("DOT", drop="before", times=1))
        await one.answer("SEND: she knows")
        assert await one.outcome() == "in-doubt" and not gateway.to(JILL)
        doubtful = await gateway.service.store.held(one.id)
        assert doubtful is not None
        assert await gateway.service.settling.resolve(doubtful, "held", "ada", "it is in no log")
        notice = read_message((await gateway.wait_to(DANA, one.told + 2))[-1].raw)
        assert "it is in no log" in said(notice)
        await one.answer("SEND: she knows", to=notice.reply_to[0].address)
        assert await one.outcome() == "overridden" and len(gateway.to(JILL)) == 1


async def test_consult_and_wrong_send_it_and_are_on_record(tmp_path: Path, clock: Clock) -> None:
    async with house(tmp_path, clock=clock) as gateway:
        for word, subject, outcome in (
            ("CONSULT", "Sent, as a question to colleagues", "consult"),
            ("WRONG: she is on the phone with me", "Sent, and noted that it should not have waited", "wrong"),
        ):
            raw = PASSED_ON.replace(b"<passed-on@", b"<%s@" % outcome.encode())
            one = await held(gateway, raw, NETWORK)
            ack = await one.answer(word)
            assert ack.subject.startswith(subject) and await one.outcome() == outcome
            row = await one.row()
            assert [event[1] for event in row.history][:2] == ["held", "approved"] and row.history[1][3] == DANA
        assert "she is on the phone with me" in row.history[1][2]


async def test_a_discarded_mail_can_be_sent_for_thirty_days(tmp_path: Path, clock: Clock) -> None:
    async with house(tmp_path, clock=clock) as gateway:
        one = await held(gateway)
        ack = await one.answer("DISCARD")
        again = ack.reply_to[0].address
        assert await one.outcome() == "discarded" and again != one.to
        clock.move(days=29)
        await gateway.service.sweep()
        nothing = await one.answer("FIX", to=again)
        assert nothing.subject.startswith("FIX is not possible here") or "not settle" in said(nothing)
        await one.answer("SEND: she asked again", to=again)
        assert await one.outcome() == "overridden" and len(gateway.to(JILL)) == 1

        two = await held(gateway, NO.replace(b"<no@", b"<two@").replace(b"second monitor", b"third monitor, please"))
        late = (await two.answer("DISCARD")).reply_to[0].address
        clock.move(days=31)
        await gateway.service.sweep()
        gone = await two.answer("SEND: she asked again", to=late)
        assert gone.subject in ("This answer came too late", "Already settled: Re: Monitor")
        assert await two.outcome() == "discarded" and len(gateway.to(JILL)) == 1
        row = await two.row()
        assert [each[1] for each in row.history[-2:]] == ["erased", "answer-refused"]
        for path in (tmp_path / "state").rglob("*"):
            assert not path.is_file() or b"third monitor, please" not in path.read_bytes()


async def test_one_answer_settles_once(tmp_path: Path, clock: Clock) -> None:
    async with house(tmp_path, clock=clock) as gateway:
        one = await held(gateway)
        await one.answer("SEND: she knows")
        again = await one.answer("SEND: she knows")
        assert again.subject.startswith("Already settled") and len(gateway.to(JILL)) == 1
        contrary = await one.answer("DISCARD")
        assert contrary.subject.startswith("Already settled") and await one.outcome() == "overridden"


@pytest.mark.parametrize(
    ("text", "subject", "words"),
    [
        ("What do you want from me?", "One more word, please", "could not read an answer"),
        ("FIX\nDISCARD", "One more word, please", "more than one way"),
        ("SEND", "One more word, please", "a few words more"),
        ("ETA: when they feel like it", "One more word, please", "could not find a day"),
        ("Don't send it", "One more word, please", "what not to do"),
        ("CONSULT", "Not with this mail", "CONSULT does not settle"),
        ("FIX", "FIX is not possible here", "nothing that the gateway could add"),
    ],
)
async def test_what_cannot_be_done_is_asked_back_and_can_be_answered_there(
    tmp_path: Path, clock: Clock, text: str, subject: str, words: str
) -> None:
    async with house(tmp_path, clock=clock) as gateway:
        one = await held(gateway)
        back = await one.answer(text)
        assert back.subject.startswith(subject) and words in said(back)
        assert "REASON: …" in said(back) and await one.outcome() == "held" and not gateway.to(JILL)
        await one.answer("REASON: we have one seat on each floor", to=back.reply_to[0].address)
        assert await one.outcome() == "amended" and len(gateway.to(JILL)) == 1


async def test_only_those_concerned_can_answer(tmp_path: Path, clock: Clock) -> None:
    async with house(tmp_path, clock=clock) as gateway:
        one = await held(gateway)
        mine = "mei.tan@acme.example"
        other = await one.answer("SEND: I am curious", sender=mine)
        assert other.subject == "Somebody else has to answer this" and "Monitor" not in said(other)
        raw = mail(f"Eve <{JILL}>", one.to, "Re: x", "SEND: I am the requester")
        before = len(gateway.sink.messages)
        assert (await gateway.send(JILL, [one.to], raw))[0] == 250
        assert await one.outcome() == "held" and len(gateway.sink.messages) == before, "no backscatter to strangers"
        told = await one.answer("SEND: I take it", sender=PRIYA)
        assert told is not None and await one.outcome() == "overridden"
        history = (await one.row()).history
        assert [each[3] for each in history if each[1] == "approved"] == [PRIYA]
        assert [each[3] for each in history if each[1] == "answer-refused"] == [mine, JILL]


async def test_the_team_settles_for_its_mailbox(tmp_path: Path, clock: Clock) -> None:
    box = "it-support@acme.example"
    shared = NO.replace(f"Dana Cole <{DANA}>".encode(), f"IT Support <{box}>".encode())
    async with house(tmp_path, clock=clock) as gateway:
        one = await held(gateway, shared, sender=box)
        raw = mail("Mei Tan <mei.tan@acme.example>", one.to, "Re: x", "REASON: we have one seat on each floor")
        assert (await gateway.send("mei.tan@acme.example", [one.to], raw))[0] == 250
        await gateway.wait_to(JILL)
        await gateway.wait_to(box, one.told + 1)  # told in the transaction that says what became of it
        assert await one.outcome() == "amended"


async def test_an_unknown_token_and_a_machine_change_nothing(tmp_path: Path, clock: Clock) -> None:
    async with house(tmp_path, clock=clock) as gateway:
        one = await held(gateway)
        local, _, domain = one.to.partition("@")
        stranger = f"{local.partition('+')[0]}+{'0' * 32}@{domain}"
        assert (await one.answer("SEND: x y", to=stranger)).subject == "This answer came too late"
        before = len(gateway.sink.messages)
        away = mail(f"Dana Cole <{DANA}>", one.to, "Away", "SEND: I am away", Auto_Submitted="auto-replied")
        assert (await gateway.send(DANA, [one.to], away))[0] == 250
        assert await one.outcome() == "held" and len(gateway.sink.messages) == before


async def test_without_a_usable_template_the_answer_still_counts(tmp_path: Path, clock: Clock) -> None:
    """A site's own template that cannot be used is replaced by the shipped one; the mail is not lost to a text."""
    folder = tmp_path / "templates" / "en" / "acks"
    folder.mkdir(parents=True)
    (folder / "amended.txt").write_text('---\nsubject: "x"\nneeds: {by: who}\nexample: {by: me}\n---\n{{ by }}\n')
    async with house(tmp_path, clock=clock, templates=str(tmp_path / "templates")) as gateway:
        one = await held(gateway)
        ack = await one.answer("REASON: we have one seat on each floor")
        assert ack.subject == "Sent, with words added: Re: Monitor" and await one.outcome() == "amended"


async def test_additions_can_be_told_once_a_day(tmp_path: Path, clock: Clock) -> None:
    """Three mails with somebody added, one note when the team goes home; and in the morning nothing is told again."""
    rita = "rita.blom@acme.example"
    async with house(tmp_path, clock=clock, rewrite_notices="daily") as gateway:
        for number in range(3):
            asked = mail(f"Rita Blom <{rita}>", "it-support@acme.example", f"Port {number}", "Can you help?",
                         message_id=f"<q{number}@acme.example>")  # fmt: skip
            await gateway.send(rita, ["it-support@acme.example"], asked, port=gateway.tap)
            passed = mail(f"Dana Cole <{DANA}>", f"Network Team <{NETWORK}>", f"Fwd: Port {number}",
                          "Please take this one over.", reply_to=f"<q{number}@acme.example>")  # fmt: skip
            assert (await gateway.send(DANA, [NETWORK], passed))[0] == 250
            clock.move(hours=1)
        await gateway.service.sweep()
        assert len(gateway.to(rita)) == 3 and not gateway.to(DANA)
        clock.at = clock.at.replace(hour=16, minute=1)  # 18:01 in Brussels
        await gateway.service.sweep()
        [note] = await gateway.wait_to(DANA)
        told = read_message(note.raw)
        assert told.subject == "3 of your mails went out with somebody added"
        assert "10:00  Fwd: Port 0: + Rita Blom <rita.blom@acme.example>" in said(told)
        clock.move(days=1)
        await gateway.service.sweep()
        assert len(gateway.to(DANA)) == 1


async def test_an_option_tells_the_supervisor_of_every_first_answer_to_an_executive(
    tmp_path: Path, clock: Clock
) -> None:
    helen, folder = "helen.brandt@acme.example", tmp_path / "policies"
    folder.mkdir()
    text = (shipped("policies") / "executive-refusal.yaml").read_text()
    text = text.replace("      - refusal\n", "      - refusal\n      - first_answer\n").partition(
        "\n  - name: the same no"
    )[0]
    (folder / "executive-refusal.yaml").write_text(text + MISS)
    asked = mail(f"Helen Brandt <{helen}>", "it-support@acme.example", "Projector", "Is it back?", message_id="<h@x>")
    async with house(tmp_path, clock=clock, policies=str(folder)) as gateway:
        await gateway.send(helen, ["it-support@acme.example"], asked, port=gateway.tap)
        for number, words in enumerate(("Yes, since this morning.", "And the new lamp is in as well.")):
            answer = mail(f"Dana Cole <{DANA}>", f"Helen Brandt <{helen}>", "Re: Projector", words,
                          reply_to="<h@x>", message_id=f"<a{number}@acme.example>")  # fmt: skip
            assert (await gateway.send(DANA, [helen], answer)) == (250, "2.0.0 Taken")
        [note] = await gateway.wait_to(PRIYA)
        assert "Dana Cole has answered Helen Brandt" in said(read_message(note.raw)) and "no." not in said(
            read_message(note.raw)
        ), "a helpful answer is no no"
        went = gateway.to(helen)
        assert len(went) == 2 and all(PRIYA.encode() not in each.raw for each in went), "nobody sees it"


MISS = """
  - name: an answer to somebody else
    expect: miss
    from: Dana Cole <dana.cole@acme.example>
    to: Rita Blom <rita.blom@acme.example>
    text: Yes, since this morning.
    quoted: {from: Rita Blom <rita.blom@acme.example>, text: Is it back?}
    requester: rita.blom@acme.example
"""
