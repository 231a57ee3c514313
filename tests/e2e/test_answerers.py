"""Whose answer counts, over SMTP with AUTH: the login and From, and who stands in for an agent who is away."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from pathlib import Path

from gateway.mail.message import read_message
from gateway.resources import shipped
from gateway.smtp.sink import Sink
from tests.e2e.clock import Clock
from tests.e2e.house import House, connection, house, mail
from tests.e2e.test_settling import DANA, JILL, NO, Held, held, said

MONDAY = datetime(2026, 5, 11, 8, 0, tzinfo=UTC)
BOX, MEI = "it-support@acme.example", "mei.tan@acme.example"
USERS = {"dcole": "pw", "mtan": "pw", "stranger": "pw", MEI: "pw", JILL: "pw"}
WHY = "SEND: she knows why"


def site(folder: Path, logins: str) -> str:
    path = folder / "site.yaml"
    path.write_text((shipped("policies") / "site.yaml").read_text().replace("logins: {}", f"logins: {logins}"))
    return str(path)


async def as_user(gateway: House, user: str, sender: str, to: str, raw: bytes) -> tuple[int, str]:
    """Send like a mail program that has logged in."""
    async with connection(gateway.port) as talk:
        await talk.command(b"EHLO client.example")
        secret = base64.b64encode(f"\0{user}\0{USERS[user]}".encode())
        assert (await talk.command(b"AUTH PLAIN " + secret))[0] == 235
        await talk.command(b"MAIL FROM:<%s>" % sender.encode())
        await talk.command(b"RCPT TO:<%s>" % to.encode())
        assert (await talk.command(b"DATA"))[0] == 354
        return await talk.content(raw)


async def answer(one: Held, user: str, sender: str) -> None:
    raw = mail(f"Somebody <{sender}>", one.to, "Re: Before your mail goes out", WHY)
    assert (await as_user(one.gateway, user, sender, one.to, raw))[0] == 250


async def test_the_login_must_be_the_senders(tmp_path: Path) -> None:
    """Anybody can write Dana's address into From; the account name says who it was."""
    logins = "{dcole: dana.cole@acme.example, mtan: mei.tan@acme.example}"
    async with house(
        tmp_path, clock=Clock(MONDAY), sink=Sink(users=USERS), site=site(tmp_path, logins)
    ) as gateway:  # fmt: skip
        one = await held(gateway)
        for count, other in enumerate(("mtan", "stranger", MEI), one.told + 1):
            await answer(one, other, DANA)
            refused = read_message((await gateway.wait_to(DANA, count))[-1].raw)
            assert refused.subject == "Somebody else has to answer this" and await one.outcome() == "held"
        await answer(one, "dcole", DANA)
        await gateway.wait_to(JILL)
        await gateway.wait_to(DANA, one.told + 4)
        assert await one.outcome() == "overridden"


async def test_a_login_says_whose_mail_it_is(tmp_path: Path) -> None:
    """DESIGN.md §2: AUTH before From. A mail in somebody else's name is judged as its agent's."""
    strange = NO.replace(f"Dana Cole <{DANA}>".encode(), b"Helpdesk <robot@tools.example>")
    for logins, code in (("{}", "2.0.0 Taken"), ("{dcole: dana.cole@acme.example}", "2.0.0 Held")):
        folder = tmp_path / str(len(logins))
        folder.mkdir()
        async with house(
            folder, clock=Clock(MONDAY), sink=Sink(users=USERS), site=site(folder, logins)
        ) as gateway:  # fmt: skip
            took = await as_user(gateway, "dcole", "robot@tools.example", JILL, strange)
            assert took[0] == 250 and took[1].startswith(code), took


async def test_the_teams_mailbox_answers_for_an_agent_who_is_away(tmp_path: Path) -> None:
    async with house(tmp_path, clock=Clock(MONDAY), sink=Sink(users=USERS)) as gateway:
        one = await held(gateway)
        await answer(one, JILL, BOX)  # no agent: the mailbox in From does not make her one
        refused = read_message((await gateway.wait_to(BOX))[0].raw)
        assert refused.subject == "Somebody else has to answer this" and await one.outcome() == "held"
        await answer(one, MEI, BOX)
        await gateway.wait_to(JILL)
        told = read_message((await gateway.wait_to(DANA, one.told + 1))[-1].raw)
        assert await one.outcome() == "overridden" and BOX in said(told), "Dana hears who it was"
        assert (await one.row()).history[1][3] == BOX
