"""kill -9 at every point of hold, release and passing: nothing lost, nothing twice without being marked in doubt."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.mail.quoting import split_body
from gateway.smtp.sink import Sink
from tests.e2e.house import house
from tests.e2e.ledgers import (
    JILL,
    MARY,
    Ledgers,
    Sent,
    answer,
    explained,
    forwarded,
    question,
    refusal,
    until,
)  # fmt: skip
from tests.e2e.nursery import Gateway, Nursery, nursery
from tests.e2e.stops import STOPS

AHEAD = timedelta(minutes=3)
"""How much later each gateway starts than the one before: leases of notices have run out by then."""

DONE = "done"
"""Stands for the outcome of what the agent said."""


@dataclass(frozen=True)
class Way:
    """What an agent says of a mail that waits, and what it comes to when nothing goes wrong."""

    word: str
    outcome: str
    passed_on: bool = False
    """The mail hands a customer's matter on; else it gives a colleague a bare no."""


SEND = Way("SEND: I told her on the phone", "overridden")
FIX = Way("FIX", "fixed", passed_on=True)
REASON = Way("REASON: we have one seat on each floor", "amended")
NOTE = Way("NOTE", "noted", passed_on=True)
DISCARD = Way("DISCARD", "discarded")


def ways(point: str) -> tuple[Way, ...]:
    """The answers that make a difference at a point; for a mail that passes, whether it is rewritten."""
    if point.startswith("answer"):
        return SEND, FIX, REASON, NOTE, DISCARD
    return (SEND, FIX, REASON, NOTE) if point.startswith("release") else (SEND, FIX)


@dataclass(frozen=True)
class End:
    """How it must end, after the restart and the client's own second try: outcomes oldest first, copies upstream."""

    outcomes: tuple[str, ...]
    copies: int
    heard: bool = True
    """Whether the client got a reply to its first try."""


ENDS = {
    "hold: before its commit": End((DONE,), 1, heard=False),
    "hold: committed, 250 not said": End((DONE,), 1, heard=False),
    "hold: 250 said, notice not sent": End((DONE,), 1),
    "notice: dot sent, not recorded": End((DONE,), 1),
    "answer: before its commit": End((DONE,), 1),
    "answer: committed, 250 not said": End((DONE,), 1),
    "release: claimed": End((DONE,), 1),
    "release: before the dot is marked": End((DONE,), 1),
    "release: dot marked, nothing sent": End(("in-doubt",), 0),
    "release: in the middle of the octets": End(("in-doubt",), 0),
    "release: dot sent": End(("in-doubt",), 1),
    "release: upstream said 250": End(("in-doubt",), 1),
    "release: before the commit of its end": End(("in-doubt",), 1),
    "release: end committed": End((DONE,), 1),
    "pass: before the intent's commit": End(("passed",), 1, heard=False),
    "pass: intent committed": End(("in-doubt", "passed"), 1, heard=False),
    "pass: in the middle of the octets": End(("in-doubt", "passed"), 1, heard=False),
    "pass: dot sent": End(("in-doubt", "passed"), 2, heard=False),
    "pass: upstream said 250": End(("in-doubt", "passed"), 2, heard=False),
    "pass: before the outcome's commit": End(("in-doubt", "passed"), 2, heard=False),
    # RFC 1047: everything is done and written down, only the client never heard of it.
    "pass: outcome committed, 250 not said": End(("passed", "passed"), 2, heard=False),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateways() -> AsyncIterator[Nursery]:
    async with nursery() as found:
        yield found


class Scene:
    """One state folder and one upstream, through any number of gateways."""

    def __init__(self, gateways: Nursery, sink: Sink, folder: Path) -> None:
        self.gateways = gateways
        self.sink = sink
        self.folder = folder
        self.ledgers = Ledgers(sink, folder / "state", folder / "keys" / "hold.key")
        self.starts = 0

    async def gateway(self, stop_at: str = "") -> Gateway:
        self.starts += 1
        return await self.gateways.start(self.folder, self.sink.port, stop_at=stop_at, ahead=AHEAD * self.starts)

    async def kill(self, point: str, name: str, way: Way) -> None:
        """Let a gateway die at `point`, start another on what is left, and see how it ends."""
        end, passing = ENDS[point], point.startswith("pass")
        sent = self._mail(name, passing, way)
        doomed = await self.gateway(point)
        heard, word = await self._until_dead(doomed, point, sent, way)
        assert (heard is not None) is end.heard
        after = await self.gateway()
        await self._again(after, sent, heard, word, passing, way)
        done = way.outcome if not passing else "rewritten" if way is FIX else "passed"
        wanted = [done if each in (DONE, "passed") else each for each in end.outcomes]
        await until(lambda: self.ledgers.outcomes(sent.message_id) == wanted, f"{wanted} at {point}")
        await until(lambda: not self.ledgers.waiting().get("waiting"), "the outbox is empty")
        await after.stop()
        copies = self.ledgers.copies(sent.message_id)
        assert len(copies) == (0 if way is DISCARD else end.copies), (point, wanted)
        for copy in copies:
            added = {JILL if passing else MARY} if way is FIX else set()
            assert {who.address for who in copy.cc} == added
            assert split_body(copy).new.text.count("The reason: we have one seat") == (way is REASON)
        # Whoever asked hears once that the matter was passed on, and only when it is known that it was.
        assert len(self.ledgers.companions(sent.message_id)) == (wanted == ["noted"]), (point, wanted)
        if not passing:  # the agent hears how it ended, in doubt or not
            assert self.ledgers.acknowledged(sent.message_id), point
        self.ledgers.check()

    def _mail(self, name: str, passing: bool, way: Way) -> Sent:
        if passing:
            return forwarded(name, JILL, "Jill Amory") if way.passed_on else explained(name)
        return forwarded(name, MARY, "Mary Jones") if way.passed_on else refusal(name)

    async def _until_dead(self, doomed: Gateway, point: str, sent: Sent, way: Way) -> tuple[int | None, Sent | None]:
        """What the client heard, and the agent's answer if it went out and was not heard."""
        if way.passed_on:
            who, shown = (JILL, "Jill Amory") if point.startswith("pass") else (MARY, "Mary Jones")
            name = sent.message_id[1:-3]
            assert await self.ledgers.send(doomed.tap, question(name, who, shown)) == 250
        heard, word = await self.ledgers.send(doomed.port, sent), None
        if point.startswith(("answer", "release")):
            to = await self.ledgers.notice(sent.message_id)
            word = answer(to, way.word)
            if await self.ledgers.send(doomed.port, word) is not None:
                word = None
        await doomed.died()
        return heard, word

    async def _again(
        self, after: Gateway, sent: Sent, heard: int | None, word: Sent | None, passing: bool, way: Way
    ) -> None:
        """What was not heard is sent again, as mail programs do; a mail that waits is answered."""
        if heard is None:
            assert await self.ledgers.send(after.port, sent) == 250
        if word is not None:
            assert await self.ledgers.send(after.port, word) == 250
        if not passing and self.ledgers.outcomes(sent.message_id)[-1] == "held":
            if self.ledgers.states()[self.ledgers.rows(sent.message_id)[-1].entry.id] != "held":
                return  # what the agent said is durable; it goes out by itself
            to = await self.ledgers.notice(sent.message_id)
            assert await self.ledgers.send(after.port, answer(to, way.word)) == 250


@pytest.mark.parametrize("point", STOPS)
@pytest.mark.asyncio(loop_scope="module")
async def test_killed_at(point: str, gateways: Nursery, tmp_path: Path) -> None:
    async with Sink() as sink:
        scene = Scene(gateways, sink, tmp_path)
        for number, way in enumerate(ways(point)):
            await scene.kill(point, f"k{number}", way)


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.asyncio(loop_scope="module")
async def test_two_hundred_kills_on_one_state(gateways: Nursery, tmp_path: Path) -> None:
    """In any order, one after the other, on what the killed ones before have left."""
    rng = random.Random(20251122)
    async with Sink() as sink:
        scene = Scene(gateways, sink, tmp_path)
        for number in range(200):
            point = rng.choice(list(STOPS))
            await scene.kill(point, f"k{number}", rng.choice(ways(point)))


async def test_the_ledgers_notice(files_once, tmp_path: Path) -> None:
    """The test of the test: a 250 for nothing, and a mail that is there twice, do not get by."""
    async with house(tmp_path, sink=Sink(broken=True)) as gateway:
        ledgers = Ledgers(gateway.sink, gateway.state, tmp_path / "keys" / "hold.key")
        assert await ledgers.send(gateway.port, explained("lost")) == 250
        with pytest.raises(AssertionError, match="and nowhere"):
            ledgers.check()
        gateway.sink.broken = False
        assert await ledgers.send(gateway.port, explained("twice")) == 250
        gateway.sink.messages.append(gateway.sink.messages[-1])
        ledgers.told.pop("<lost@t>")
        with pytest.raises(AssertionError, match="2 copies"):
            ledgers.check()
