"""The week, over SMTP from the first octet to the last, and tried again afterwards on other policies.

At the end everything is where the story says: each mail, each held mail, each promise and hand-off, and each of the
gateway's own mails. Nobody else heard anything.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.cli import app
from gateway.mail.message import read_message
from gateway.resources import shipped
from tests.e2e.clock import Clock
from tests.e2e.house import House, house, mail
from tests.week.exchanges import EXCHANGES
from tests.week.story import (
    AGENTS,
    DESK,
    HOLDS,
    LEDGER,
    ORDINARY,
    THREADS,
    TOLD,
    Step,
    moment,
    ordinary,
)

pytestmark = pytest.mark.timeout(600)  # it plays a long history first, and a busy machine takes its time

EVERY = timedelta(minutes=30)


def address(who: str) -> str:
    return who if "@" in who else f"{who}@acme.example"


def box(who: str) -> str:
    local = address(who).partition("@")[0]
    return f"{local.replace('.', ' ').title()} <{address(who)}>"


class Week:
    """Plays the story to one gateway."""

    def __init__(self, gateway: House, clock: Clock) -> None:
        self.gateway, self.clock = gateway, clock
        self.last: dict[str, str] = {}
        """topic -> Message-ID of the newest mail."""
        self.asked: dict[str, tuple[str, str]] = {}
        self.mails = 0
        self.tick = clock.at

    async def play(self, until: datetime) -> None:
        for at, what in sorted(self.events(), key=lambda event: event[0]):
            await self.run_to(at)
            await what()
        await self.run_to(until)

    async def run_to(self, at: datetime) -> None:
        while self.tick <= at:
            self.clock.at = max(self.clock.at, self.tick)
            self.tick += EVERY
            await self.gateway.service.clockwork.step()
            await self.settle()
        self.clock.at = max(self.clock.at, at)
        await self.settle()

    async def settle(self) -> None:
        """Until everything of the gateway's own that can go out has."""
        store = self.gateway.service.store
        async with asyncio.timeout(20):
            while True:
                waiting = await asyncio.to_thread(store.outbox_count)
                states = Counter(hold.state for hold in await store.held_list(limit=1000))
                if not waiting.get("waiting") and not states["approved"] and not states["releasing"]:
                    return
                self.gateway.service.dispatcher.wake()
                await asyncio.sleep(0.01)

    def events(self) -> Iterator[tuple[datetime, Callable[[], Any]]]:
        for asked, answered, who, agent, number in ordinary():
            _, subject, question, answer = EXCHANGES[number]
            topic = f"{subject} ({who})"
            yield asked, lambda w=who, t=topic, q=question: self.ask(w, t, q)
            yield answered, lambda a=agent, w=who, t=topic, x=answer: self.write(a, w, t, x)
        for step in THREADS:
            yield step.at, lambda s=step: self.do(s)

    async def do(self, step: Step) -> None:
        match step.what:
            case "asks":
                await self.ask(step.who, step.topic, step.text)
            case "writes":
                await self.write(step.who, step.to, step.topic, step.text)
            case "settles":
                await self.answer(step.who, step.topic, step.text)

    async def ask(self, who: str, topic: str, text: str) -> None:
        self.asked[topic] = who, text
        raw = self.made(box(who), DESK, topic, text, topic)
        assert (await self.gateway.send(address(who), [DESK], raw, port=self.gateway.tap))[0] == 250

    async def write(self, who: str, to: str, topic: str, text: str) -> None:
        asker, question = self.asked[topic]
        quote = "".join(f"> {line}\n" for line in question.split("\n"))
        first = who.partition(".")[0].title()
        body = f"{text}\n\n{first}\n\nOn Monday, {box(asker)} wrote:\n{quote}"
        raw = self.made(box(who), box(to), f"Re: {topic}", body, topic)
        code, said = await self.gateway.send(address(who), [address(to)], raw)
        assert code == 250, said

    async def answer(self, who: str, topic: str, text: str) -> None:
        notices = [read_message(each.raw) for each in self.gateway.to(address(who))]
        about = [each for each in notices if each.subject.endswith(f"Re: {topic}") and each.reply_to]
        to = about[-1].reply_to[0].address
        raw = mail(box(who), to, f"Re: {about[-1].subject}", text, at=self.clock.at)
        assert (await self.gateway.send(address(who), [to], raw))[0] == 250

    def made(self, sender: str, to: str, subject: str, text: str, topic: str) -> bytes:
        self.mails += 1
        id = f"<w{self.mails}@acme.example>"
        before, self.last[topic] = self.last.get(topic, ""), id
        return mail(sender, to, subject, text + "\n", message_id=id, reply_to=before, at=self.clock.at)


async def test_a_week_of_one_team(tmp_path: Path) -> None:
    clock = Clock(moment("Mon 08:00"))
    async with house(tmp_path, clock=clock) as gateway:
        week = Week(gateway, clock)
        await week.play(moment("Wed2 18:30"))
        assert week.mails >= 600

        # every mail, and what became of it
        rows = await asyncio.to_thread(lambda: gateway.service.store.audit_list(limit=2000))
        team = {address(agent) for agent in AGENTS}
        judged = [row for row in rows if row.entry.agent in team]
        assert len(judged) >= 300 + sum(1 for step in THREADS if step.what == "writes" and address(step.who) in team)
        wanted = {
            f"Re: {step.topic}": Counter() for step in THREADS if step.what == "writes" and address(step.who) in team
        }
        for step in THREADS:
            if f"Re: {step.topic}" in wanted and step.what == "writes" and address(step.who) in team:
                wanted[f"Re: {step.topic}"][step.becomes] += 1
        found: dict[str, Counter[str]] = {topic: Counter() for topic in wanted}
        stopped = []
        for row in judged:
            if row.entry.subject in found:
                found[row.entry.subject][row.outcome] += 1
            elif row.outcome != "passed":
                stopped.append((row.entry.subject, row.outcome, row.entry.reason))
        assert stopped == [], "no good mail is stopped"
        assert found == wanted
        assert sum(row.outcome == "passed" for row in judged) >= sum(ORDINARY.values())

        # held mail: all settled, in the way that was said
        holds = await gateway.service.store.held_list(limit=1000)
        assert {hold.state for hold in holds} == {"released", "discarded"}
        ended = Counter(row.outcome for row in judged if row.outcome in HOLDS)
        assert ended == HOLDS and len(holds) == sum(HOLDS.values())

        # the ledger
        entries = await asyncio.to_thread(
            lambda: gateway.service.store.ledger_list(kinds=["handoff", "promise"], closed=True, limit=1000)
        )
        topics = {f"Re: {step.topic}" for step in THREADS}
        ours = {
            (entry.kind, entry.subject.removeprefix("Re: "), entry.why) for entry in entries if entry.subject in topics
        }
        assert ours == LEDGER

        # the gateway's own mails: who was told what, and nobody else
        own = [each for each in gateway.sink.messages if b"X-Referral-Gateway:" in each.raw]
        for who, subjects in TOLD.items():
            told = [read_message(each.raw).subject for each in own if address(who).encode() in each.rcpt_args[0]]
            assert sorted(told) == sorted(subjects), who
        readers = {each.rcpt_args[0].partition(b">")[0].lstrip(b"<").decode() for each in own}
        assert readers <= {address(who) for who in TOLD} | team
        assert not (await asyncio.to_thread(gateway.service.store.outbox_count)).get("waiting")

        # each mail that went out went once, to whom it should
        ids = Counter(read_message(each.raw).message_id for each in gateway.sink.messages if each not in own)
        assert not [id for id, count in ids.items() if count > 1]
        ids_of = {row.entry.subject.removeprefix("Re: "): row.entry.id for row in judged}
        count = len(judged)
    replayed(tmp_path, gateway.state, count, ids_of)


def replayed(tmp_path: Path, state: Path, judged: int, ids: dict[str, str]) -> None:
    """The same week under a folder that an admin would try: what is newly stopped, and what no longer is."""

    def replay(folder: Path) -> tuple[int, list[dict[str, Any]]]:
        command = ["policy", "replay", "--since", "2026-05-01", "--against", str(folder), "--json"]
        command += ["--state", str(state), "--site", str(shipped("policies") / "site.yaml")]
        environ = {"REFERRAL_GATEWAY_KEY_FILE": str(tmp_path / "keys" / "hold.key"), "HOME": str(tmp_path)}
        done = CliRunner().invoke(app, command, env=environ)
        return done.exit_code, [json.loads(line) for line in done.stdout.strip().split("\n")]

    def folder(name: str, **changes: tuple[str, str]) -> Path:
        made = tmp_path / name
        made.mkdir()
        for path in shipped("policies").glob("*.yaml"):
            if path.name != "site.yaml":
                old, new = changes.get(path.stem.replace("-", "_"), ("", ""))
                text = path.read_text()
                assert old in text
                (made / path.name).write_text(text.replace(old, new, 1))
        return made

    code, [same] = replay(folder("same"))
    assert (code, same["judged"], same["changes"], same["left_out"]) == (0, judged, {}, {})
    code, (*differences, total) = replay(
        folder(
            "other",
            bare_refusal=("\nmode: enforce", "\nmode: observe"),
            terse_reply=("\nmode: enforce", "\nmode: observe"),
            executive_refusal=("\ndo: notify", "\ndo: hold  "),
        )
    )
    assert code == 1 and total["judged"] == judged
    found = {(each["change"], each["id"]) for each in differences}
    no_more = ["Monitor", "HDMI", "Lab door", "Printer", "Whiteboard", *(f"Licence {number}" for number in range(6))]
    assert found == {("newly stopped", ids["Payroll share"])} | {("newly passed", ids[topic]) for topic in no_more}
    assert total["changes"]["newly passed"]["policies"] == {"bare-refusal": 10, "terse-reply": len(no_more)}
    assert total["changes"]["newly stopped"]["teams"] == {"it-support": 1}
