"""Two gateways in a row, each with a database, a key and an address for answers of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.mail.message import read_message
from gateway.smtp.sink import SunkMail
from tests.e2e.clock import Clock
from tests.e2e.house import House, house, mail
from tests.e2e.test_settling import CUSTOMER, DANA, JILL, MONDAY, NETWORK, NO, PASSED_ON, said

INNER, OUTER = "gateway@inner.notices.acme.example", "gateway@outer.notices.acme.example"

Row = tuple[House, House]


@pytest_asyncio.fixture
async def row(tmp_path: Path) -> AsyncIterator[Row]:
    """(inner, outer): people send through the inner one, the sink stands behind the outer one."""
    clock = Clock(MONDAY)
    async with (
        house(tmp_path / "outer", clock=clock, notices_address=OUTER) as outer,
        house(tmp_path / "inner", clock=clock, notices_address=INNER, upstream=f"127.0.0.1:{outer.port}") as inner,
    ):
        yield inner, outer


async def told(gateway: House, to: str, count: int = 1) -> list[SunkMail]:
    """What this address has got once it is so much: through two gateways, on a busy machine, that takes a while."""
    async with asyncio.timeout(60):
        while len(gateway.to(to)) < count:
            await asyncio.sleep(0.05)
    return gateway.to(to)


async def answer(row: Row, number: int, text: str) -> str:
    """Answer the notice with this number among Dana's mails, through both gateways; gives the address it went to."""
    inner, outer = row
    notice = read_message((await told(outer, DANA, number))[number - 1].raw)
    quoted = "".join(f"> {line}\n" for line in said(notice).split("\n"))
    whole = f"{text}\n\nOn Mon, 11 May 2026 at 10:00, Referral gateway <{notice.reply_to[0].address}> wrote:\n{quoted}"
    to = notice.reply_to[0].address
    raw = mail(f"Dana Cole <{DANA}>", to, f"Re: {notice.subject}", whole, reply_to=f"<{notice.message_id}>")
    code, reply = await inner.send(DANA, [to], raw)
    assert code == 250 and "Held" not in reply
    return to


async def test_one_send_to_each_notice_gets_the_mail_out_once(row: Row) -> None:
    inner, outer = row
    assert (await inner.send(DANA, [JILL], NO))[1].startswith("2.0.0 Held")
    assert "@inner." in await answer(row, 1, "SEND: she knows why")
    # The outer one holds what the inner one has let go; the inner one's acknowledgement is among Dana's mails.
    notices = [read_message(each.raw) for each in await told(outer, DANA, 3)]
    [second] = [n for n, each in enumerate(notices, 1) if each.reply_to and "@outer." in each.reply_to[0].address]
    assert not outer.to(JILL)
    assert "@outer." in await answer(row, second, "SEND: she knows why")
    [went] = await told(outer, JILL)
    assert went.raw.endswith(NO)
    await told(outer, DANA, 4)
    assert len(outer.to(JILL)) == 1
    for gateway in row:
        assert [each.state for each in await gateway.service.store.held_list(None)] == ["released"]
    assert not any("too late" in read_message(each.raw).subject for each in outer.to(DANA))


@pytest.mark.parametrize("word", ["FIX", "DISCARD", "NOTE", "WRONG: it is none", "CONSULT", "REASON: no budget"])
async def test_an_answer_to_the_other_gateway_is_no_mail_to_be_judged(row: Row, word: str) -> None:
    """Terse, and in answer to a question: the draft in the notice asks whether that works."""
    inner, outer = row
    assert (await outer.send(DANA, [NETWORK], PASSED_ON))[1].startswith("2.0.0 Held")
    assert "@outer." in await answer(row, 1, word)
    assert not await inner.service.store.held_list()
    assert (await outer.service.store.held_list(None))[0].new.id
    await told(outer, DANA, 2)  # acknowledged by the outer one
    assert "too late" not in read_message(outer.to(DANA)[1].raw).subject


async def test_a_token_that_was_never_issued_is_answered_kindly(row: Row) -> None:
    inner, outer = row
    raw = mail(f"Dana Cole <{DANA}>", f"gateway+{'0' * 32}@inner.notices.acme.example", "Re: x", "SEND: she knows")
    assert (await inner.send(DANA, [f"gateway+{'0' * 32}@inner.notices.acme.example"], raw))[0] == 250
    [ack] = await told(outer, DANA)
    assert read_message(ack.raw).subject == "This answer came too late" and not outer.to(CUSTOMER)
