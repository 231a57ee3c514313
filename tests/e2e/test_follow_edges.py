"""Follow-through at its edges, over SMTP: what is kept quiet, whom nobody heads, what is in doubt, what is promised."""

from __future__ import annotations

from pathlib import Path

from gateway.mail.message import read_message
from gateway.resources import shipped
from gateway.smtp.sink import Fault
from tests.e2e.clock import Clock
from tests.e2e.house import house, mail
from tests.e2e.test_follow import ADMIN, BOB, MONDAY, answer, ask, at, clock, idle, ledger, named, said, subjects
from tests.e2e.test_settling import DANA, JILL, PRIYA, held

__all__ = ["clock"]  # the fixture


async def test_whoever_stands_in_bcc_is_named_to_nobody(tmp_path: Path, clock: Clock) -> None:
    async with house(tmp_path, clock=clock, observe=True) as gateway:
        await ask(gateway, JILL, "VPN", "My VPN drops every hour. Can you help?", "<q@x>")
        raw = mail(named(DANA), named(BOB), "Re: VPN", "Bob, please take this one over.", reply_to="<q@x>")
        assert (await gateway.send(DANA, [BOB, JILL], raw))[0] == 250
        assert ledger(gateway) == []
        await at(gateway, clock, "29T16:00")
        assert subjects(gateway, BOB) == ["Re: VPN"]


async def test_a_matter_taken_back_is_not_asked_for(tmp_path: Path, clock: Clock) -> None:
    async with house(tmp_path, clock=clock) as gateway:
        await ask(gateway, JILL, "VPN", "My VPN drops every hour. Can you help?", "<q@x>")
        await answer(gateway, DANA, BOB, "Bob, please take this one over.", cc=JILL)
        await answer(gateway, BOB, JILL, "Shall we have lunch?", subject="Canteen", reply_to="")
        assert ledger(gateway)[0].state == "open", "another matter between the same people"
        await answer(gateway, DANA, JILL, "I have found it after all: the router was too old. It works now.")
        [entry] = ledger(gateway, kinds=["handoff"])
        assert (entry.state, entry.why, entry.closed_by) == ("closed", "taken back", DANA)


async def test_where_nobody_heads_an_agent_the_admins_hear(tmp_path: Path, clock: Clock) -> None:
    site = tmp_path / "site.yaml"
    text = (shipped("policies") / "site.yaml").read_text()
    site.write_text("".join(line for line in text.splitlines(True) if not line.strip().startswith("supervisor:")))
    async with house(tmp_path, clock=clock, site=str(site)) as gateway:
        await ask(gateway, JILL, "VPN", "My VPN drops every hour. Can you help?", "<q@x>")
        await answer(gateway, DANA, BOB, "Bob, please take this one over.", cc=JILL)
        await at(gateway, clock, "29T16:00")
        assert subjects(gateway, ADMIN) == ["Nobody has it yet? Re: VPN"]


async def test_a_note_that_could_not_go_out_goes_out_after_a_restart_once(tmp_path: Path, clock: Clock) -> None:
    async with house(tmp_path, clock=clock) as gateway:
        await ask(gateway, JILL, "VPN", "My VPN drops every hour. Can you help?", "<q@x>")
        await answer(gateway, DANA, BOB, "Bob, please take this one over.", cc=JILL)
        gateway.sink.faults.append(Fault("MAIL", reply="451 4.3.2 later", times=None))
        clock.at = MONDAY.replace(day=12, hour=14, minute=1)
        await gateway.service.clockwork.step()
        await gateway.service.dispatcher.step()
        assert len(gateway.to(BOB)) == 1 and ledger(gateway)[0].state == "asked"
    clock.move(hours=2)
    async with house(tmp_path, clock=clock) as again:
        await again.service.clockwork.step()
        await again.wait_to(BOB)
        await idle(again)
        assert subjects(again, BOB) == ["Still with you? Re: VPN"]


async def test_an_admin_who_is_asked_can_answer(tmp_path: Path, clock: Clock) -> None:
    async with house(tmp_path, clock=clock) as gateway:
        one = await held(gateway)
        await at(gateway, clock, "13T16:00")
        note = read_message(gateway.to(ADMIN)[0].raw)
        ack = await one.answer("SEND: Dana is away", sender=ADMIN, to=note.reply_to[0].address)
        assert await one.outcome() == "overridden", said(ack)


async def test_a_mail_in_doubt_is_spoken_of_until_somebody_says_what_became_of_it(tmp_path: Path, clock: Clock) -> None:
    async with house(tmp_path, clock=clock) as gateway:
        one = await held(gateway)
        gateway.sink.faults.append(Fault("DOT", drop="before", keep=True, times=1))
        await one.answer("SEND: she knows why")
        await idle(gateway)
        assert await one.outcome() == "in-doubt"
        told = len(gateway.to(DANA))
        await at(gateway, clock, "12T16:00")
        assert len(gateway.to(DANA)) == told + 1 and subjects(gateway, PRIYA) == ["Did this arrive? Re: Monitor"]
        assert len(gateway.to(JILL)) == 1, "it is never sent again by itself"
        assert await gateway.service.store.resolve_doubt(one.id, "released", "ada", "Jill has it")
        before = len(gateway.sink.messages)
        await at(gateway, clock, "29T16:00")
        assert len(gateway.sink.messages) == before


async def test_a_date_that_an_answer_puts_in_is_a_promise(tmp_path: Path, clock: Clock) -> None:
    async with house(tmp_path, clock=clock) as gateway:
        one = await held(gateway)
        await one.answer("ETA: Wednesday 3 pm")
        await idle(gateway)
        assert await one.outcome() == "amended"
        [entry] = ledger(gateway)
        assert (entry.kind, entry.state, entry.requester.address) == ("promise", "open", JILL)
        assert f"{entry.due:%a %H:%M}" == "Wed 13:00", "15:00 in Brussels"
        await answer(
            gateway, DANA, JILL, "It will take longer: Friday.", reply_to="<no@acme.example>", subject="Re: Monitor"
        )
        moved, new = sorted(ledger(gateway), key=lambda each: each.due)
        assert (moved.why, new.state) == ("moved", "open") and new.due > moved.due


async def test_a_note_of_ours_would_break_a_policy_and_is_not_judged(tmp_path: Path, clock: Clock) -> None:
    """A template that says no and nothing else, from an address of the team: it goes out, since it is a machine's."""
    own = tmp_path / "templates" / "en" / "notices"
    own.mkdir(parents=True)
    front, _, _ = (shipped("templates") / "en" / "notices" / "handoff-open.txt").read_text().rpartition("---\n")
    names = ("target_name", "requester_name", "agent_name", "requester_address", "since")
    needs = " ".join(f"{{{{ {name} }}}}" for name in names)
    (own / "handoff-open.txt").write_text(f"{front}---\nNo. {needs}\n")
    async with (
        house(tmp_path / "second", clock=clock) as behind,
        house(
            tmp_path / "first", clock=clock, templates=str(tmp_path / "templates"), upstream=f"127.0.0.1:{behind.port}",
            notices_from=DANA,
        ) as gateway,
    ):  # fmt: skip
        await ask(gateway, JILL, "VPN", "My VPN drops every hour. Can you help?", "<q@x>")
        await answer(gateway, DANA, BOB, "Bob, please take this one over.", cc=JILL)
        await at(gateway, clock, "12T14:01")
        note = read_message(behind.to(BOB)[-1].raw)
        assert said(note).startswith("No.") and note.auto_submitted and note.from_[0].address == DANA
        assert not await behind.service.store.held_list()
        [row] = [row for row in behind.audit() if row.entry.message_id == note.message_id]
        assert (row.outcome, row.entry.findings, row.entry.requester) == ("passed", (), "")
