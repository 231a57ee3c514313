"""The fatigue budget and the caps, over SMTP: the stop that is one too many goes out untouched, with advice."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gateway.mail.message import read_message
from gateway.smtp.sink import Fault
from tests.e2e.house import House, house, mail
from tests.e2e.ledgers import BOB, MARY, forwarded, question
from tests.e2e.limits import ADMIN, DANA, JILL, LUIS, Clock, no, policies_with, site_with, words


async def say_no(gateway: House, sender: str = DANA) -> tuple[int, str]:
    return await gateway.send(sender, [JILL], no(sender))


def outcomes(gateway: House) -> list[str]:
    """What became of the mails, oldest first."""
    return [row.outcome for row in reversed(gateway.service.store.audit_list(limit=100))]


async def test_the_stop_that_is_one_too_many_goes_out_untouched_with_advice(tmp_path: Path) -> None:
    clock = Clock()
    site = site_with(tmp_path, "{holds_per_agent: 2}")
    async with house(tmp_path, site=site, clock=clock) as gateway:
        for _ in range(2):
            assert "Held" in (await say_no(gateway))[1]
        third = no()
        assert await gateway.send(DANA, [JILL], third) == (250, "2.0.0 Taken")
        [through] = await gateway.wait_to(JILL)
        assert through.raw.endswith(third), "byte for byte"
        row = gateway.audit()[0]
        assert (row.outcome, row.entry.disposition) == ("advised", "pass")
        assert "advice instead of a hold, because there were already 2 from this sender today" in row.entry.reason
        assert row.entry.findings[0]["policy"] == "bare-refusal" and row.entry.add_cc == ()

        [advice] = [m for m in await gateway.wait_to(DANA, 3) if read_message(m.raw).subject.startswith("Gone out")]
        assert read_message(advice.raw).auto_submitted
        assert "2 of your mails had to wait already" in words(advice.raw) and '"No' in words(advice.raw)
        [admin] = await gateway.wait_to(ADMIN)
        assert "it-support has had 2 mails stopped" in words(admin.raw)
        assert "dana" not in admin.raw.decode().lower(), "a budget speaks of policies, not of a person"

        # another agent has a budget of their own; the admin hears once a day, whoever comes to the end of it
        for _ in range(3):
            await say_no(gateway, LUIS)
        assert outcomes(gateway) == ["held", "held", "advised"] * 2
        await gateway.wait_to(LUIS, 3)
        assert len(gateway.to(ADMIN)) == 1


async def test_the_day_is_the_teams_own(tmp_path: Path) -> None:
    clock = Clock()
    clock.move(hours=13, minutes=59)  # 22:59 UTC is a minute before midnight in Brussels
    async with house(tmp_path, site=site_with(tmp_path, "{holds_per_agent: 1}"), clock=clock) as gateway:
        await say_no(gateway)
        await say_no(gateway)
        clock.move(minutes=1)
        await say_no(gateway)
        await say_no(gateway)
        assert outcomes(gateway) == ["held", "advised", "held", "advised"]
        await gateway.wait_to(ADMIN, 2)  # another day, another note


@pytest.mark.parametrize(("limits", "minutes"), [("{holds_per_hour: 2}", 60), ("{holds_per_day: 2}", 14 * 60)])
async def test_a_cap_for_the_whole_site(tmp_path: Path, limits: str, minutes: int) -> None:
    clock = Clock()
    async with house(tmp_path, site=site_with(tmp_path, limits), clock=clock) as gateway:
        await say_no(gateway, DANA)
        await say_no(gateway, LUIS)
        await say_no(gateway, DANA)
        clock.move(minutes=minutes - 1)
        await say_no(gateway, LUIS)
        clock.move(minutes=1.1)
        await say_no(gateway, LUIS)
        assert outcomes(gateway) == ["held", "held", "advised", "advised", "held"]
        assert len(await gateway.wait_to(ADMIN)) == 1
        assert "over all agents" in words(gateway.to(ADMIN)[0].raw)


async def test_rejects_count_and_turn_into_advice(tmp_path: Path) -> None:
    policies = policies_with(tmp_path, "bare-refusal", do="reject")
    site = site_with(tmp_path, "{holds_per_agent: 1}")
    async with house(tmp_path, site=site, policies=policies, clock=Clock()) as gateway:
        assert (await say_no(gateway))[0] == 550
        assert (await say_no(gateway))[0] == 250
        assert outcomes(gateway) == ["rejected", "advised"]


async def test_a_policy_may_stand_above_the_budget(tmp_path: Path) -> None:
    policies = policies_with(tmp_path, "bare-refusal", budget="never")
    site = site_with(tmp_path, "{holds_per_agent: 1, holds_per_hour: 1, holds_per_day: 1}")
    async with house(tmp_path, site=site, policies=policies, clock=Clock()) as gateway:
        for _ in range(3):
            await say_no(gateway)
        assert outcomes(gateway) == ["held"] * 3


async def test_no_limit_is_no_limit(tmp_path: Path) -> None:
    site = site_with(tmp_path, "{holds_per_agent: null, holds_per_hour: null, holds_per_day: null}")
    async with house(tmp_path, site=site, clock=Clock()) as gateway:
        for _ in range(7):
            await say_no(gateway)
        assert outcomes(gateway) == ["held"] * 7


async def test_a_mail_that_is_held_again_is_no_new_stop(tmp_path: Path) -> None:
    """The mail server behind refuses the released mail: it waits again, and the budget does not change."""
    site = site_with(tmp_path, "{holds_per_agent: 2}")
    async with house(tmp_path, site=site, clock=Clock()) as gateway:
        await say_no(gateway)
        [notice] = await gateway.wait_to(DANA)
        to = read_message(notice.raw).reply_to[0].address
        gateway.sink.faults.append(Fault("DOT", reply=b"550 5.7.1 not from you\r\n"))
        said = mail(f"Dana Cole <{DANA}>", to, "Re: Before your mail goes out", "SEND: they wait on the phone\n")
        assert (await gateway.send(DANA, [to], said))[0] == 250
        [_, again] = await gateway.wait_to(DANA, 2)
        assert b"not from you" in again.raw
        await say_no(gateway)
        await say_no(gateway)
        assert outcomes(gateway)[1:] == ["held", "advised"]


async def test_many_connections_at_once_do_not_pass_the_ceiling(tmp_path: Path) -> None:
    site = site_with(tmp_path, "{holds_per_agent: 5}")
    async with house(tmp_path, site=site, clock=Clock()) as gateway:
        await asyncio.gather(*(say_no(gateway) for _ in range(25)))
        assert sorted(outcomes(gateway)) == ["advised"] * 20 + ["held"] * 5


async def test_advice_adds_nobody(tmp_path: Path) -> None:
    """A hand-off that dropped a customer: beyond the budget it goes to those it was sent to, and to nobody else."""
    async with house(tmp_path, site=site_with(tmp_path, "{holds_per_agent: 1}"), clock=Clock()) as gateway:
        first, second = (forwarded(name, MARY, "Mary Jones") for name in ("one", "two"))
        assert "Held" in (await gateway.send(first.mail_from, list(first.rcpt_to), first.raw))[1]
        assert (await gateway.send(second.mail_from, list(second.rcpt_to), second.raw))[0] == 250
        [through] = await gateway.wait_to(BOB)
        assert [argument.partition(b">")[0] for argument in through.rcpt_args] == [f"<{BOB}".encode()]
        assert through.raw.endswith(second.raw) and not gateway.to(MARY)
        entry = gateway.audit()[0].entry
        assert entry.findings[0]["policy"] == "dropped-requester" and entry.add_cc == ()


async def test_a_rewrite_that_cannot_be_done_is_held_whatever_the_budget_says(tmp_path: Path) -> None:
    """Some of those it adds may stand in the envelope already: such a mail never goes on."""
    async with house(tmp_path, site=site_with(tmp_path, "{holds_per_agent: 1}"), clock=Clock()) as gateway:
        await say_no(gateway)
        asked = question("three", JILL, "Jill Amory")
        await gateway.send(asked.mail_from, list(asked.rcpt_to), asked.raw, port=gateway.tap)
        gateway.sink.faults.append(Fault("RCPT", reply=b"550 5.1.1 nobody\r\n", match=JILL.encode()))
        sent = forwarded("three", JILL, "Jill Amory")
        assert "Held" in (await gateway.send(sent.mail_from, list(sent.rcpt_to), sent.raw))[1]
        assert "the mail server refused jill.amory" in gateway.audit()[0].entry.reason
        assert not gateway.to(BOB)
