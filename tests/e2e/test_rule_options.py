"""What a policy file may say, on a gateway that runs: for whom, in which language, from when, before what else, and
what becomes of mail that cannot be read."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.readers.pool import _Nursery
from gateway.resources import shipped
from tests.e2e.clock import Clock
from tests.e2e.house import House, house, mail
from tests.e2e.ledgers import Ledgers, Sent, answer, explained, refusal, until
from tests.e2e.limits import JILL, policies_with, words

SITE = """name: ACME
internal_domains: [acme.example]
zone: Europe/Brussels
teams:
  desk: {agents: [{address: dana.cole@acme.example, name: Dana Cole}], supervisor: sue.lind@acme.example}
  labs: {agents: [{address: lee.ray@acme.example, name: Lee Ray}], supervisor: sue.lind@acme.example}
gateway: {notices: gateway@gw.acme.example}
limits: {holds_per_agent: null, holds_per_mailbox: null, holds_per_hour: null, holds_per_day: null}
"""
DANA, LEE = "dana.cole@acme.example", "lee.ray@acme.example"
CUSTOMER = "kim@customer.example"
GERMAN = "Nein, das geht leider nicht."
NOON = datetime(2026, 11, 30, 11, 0, tzinfo=UTC)


def no(name: str, sender: str = DANA, to: str = JILL, text: str = "No, we can't do that.") -> Sent:
    """A bare no to a question."""
    asked = "Könnte ich einen zweiten Monitor bekommen?" if text == GERMAN else "Could I have a second monitor?"
    body = f"{text}\n\nOn Fri, 27 Nov 2026 at 09:12, <{to}> wrote:\n> {asked} ({name})\n"
    return Sent(sender, (to,), mail(sender, to, "Re: Monitor", body, message_id=f"<{name}@t>"))


@contextlib.asynccontextmanager
async def scene(tmp_path: Path, policies: str, **more: Any) -> AsyncIterator[tuple[House, Ledgers]]:
    site = tmp_path / "site.yaml"
    site.write_text(SITE)
    async with house(tmp_path, policies=policies, site=str(site), **more) as gateway:
        yield gateway, Ledgers(gateway.sink, gateway.state, tmp_path / "keys" / "hold.key")


async def outcome(gateway: House, ledgers: Ledgers, sent: Sent) -> str:
    await ledgers.send(gateway.port, sent)
    [found] = ledgers.outcomes(sent.message_id)
    return found


@pytest.mark.parametrize(
    ("scope", "inside", "outside"),
    [
        ("{teams: [labs]}", no("in", LEE), no("out", DANA)),
        ("{languages: [de]}", no("in", text=GERMAN), no("out")),
        ("{languages: [en, fr]}", no("in"), no("out", text=GERMAN)),
        ("{domains: [internal]}", no("in"), no("out", to=CUSTOMER)),
        ("{domains: [external]}", no("in", to=CUSTOMER), no("out")),
        ("{domains: [customer.example]}", no("in", to=CUSTOMER), no("out", to="kim@other.example")),
        ("{teams: [desk], languages: [de]}", no("in", text=GERMAN), no("out", LEE, text=GERMAN)),
    ],
    ids=lambda value: value if isinstance(value, str) else value.message_id,
)
async def test_a_policy_is_for_its_scope_alone(tmp_path: Path, scope: str, inside: Sent, outside: Sent) -> None:
    async with scene(tmp_path, policies_with(tmp_path, "bare-refusal", scope=scope)) as (gateway, ledgers):
        assert await outcome(gateway, ledgers, inside) == "held"
        assert await outcome(gateway, ledgers, outside) == "passed"
        ledgers.check()


async def test_each_team_has_its_own_options(tmp_path: Path) -> None:
    """One team's refusals are returned at once, the other's observed."""
    teams = "{desk: {do: reject}, labs: {mode: observe}}"
    async with scene(tmp_path, policies_with(tmp_path, "bare-refusal", teams=teams)) as (gateway, ledgers):
        assert await outcome(gateway, ledgers, no("desk")) == "rejected"
        assert await outcome(gateway, ledgers, no("labs", LEE)) == "passed"
        [row] = ledgers.rows("<labs@t>")
        assert [finding["mode"] for finding in row.entry.findings] == ["observe"]


async def test_days_begin_and_end_in_the_teams_zone(tmp_path: Path) -> None:
    clock = Clock(NOON)
    policies = policies_with(tmp_path, "bare-refusal", scope="{active_from: 2026-12-01, active_until: 2026-12-02}")
    async with scene(tmp_path, policies, clock=clock) as (gateway, ledgers):
        assert await outcome(gateway, ledgers, no("before")) == "passed"
        clock.at = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)  # half past midnight in Brussels
        assert await outcome(gateway, ledgers, no("first")) == "held"
        clock.at = datetime(2026, 12, 2, 22, 30, tzinfo=UTC)
        assert await outcome(gateway, ledgers, no("last")) == "held"
        clock.at = datetime(2026, 12, 2, 23, 30, tzinfo=UTC)
        assert await outcome(gateway, ledgers, no("after")) == "passed"


@pytest.mark.parametrize(("refusals", "brushes"), [("200", "100"), ("100", "200")])
async def test_what_has_priority_is_told_first(tmp_path: Path, refusals: str, brushes: str) -> None:
    """And its template is the notice's draft."""
    policies = policies_with(tmp_path, "bare-refusal", priority=refusals)
    policies_with(tmp_path, "dismissive", priority=brushes)
    async with scene(tmp_path, policies) as (gateway, ledgers):
        sent = no("both", text="No, we can't do that. Not my problem.")
        assert await outcome(gateway, ledgers, sent) == "held"
        [row] = ledgers.rows(sent.message_id)
        found = [finding["policy"] for finding in row.entry.findings]
        assert found == sorted(("bare-refusal", "dismissive"), key=lambda each: each != (
            "bare-refusal" if refusals == "200" else "dismissive"
        ))  # fmt: skip


@pytest.mark.parametrize(
    ("fail", "code", "outcomes"), [("open", 250, ["passed"]), ("defer", 451, []), ("hold", 250, ["held"])]
)
async def test_no_reader_can_be_had(tmp_path: Path, fail: str, code: int, outcomes: list[str]) -> None:
    """As the file says (`fail:`), while every process that could read is killed as soon as it lives."""
    async with scene(tmp_path, policies_with(tmp_path, "bare-refusal", fail=fail), readers=1) as (gateway, ledgers):
        readers = gateway.service.readers
        readers._new = _Nursery  # a real start, not one of the tests' own
        await readers.warm(gateway.service.rules.current)
        over = asyncio.Event()

        async def kill_them() -> None:
            while not over.is_set():
                for nursery in list(readers._nurseries):
                    for process in (*(reader.pid for reader in nursery.readers), nursery._process.pid):
                        with contextlib.suppress(ProcessLookupError):
                            os.kill(process, signal.SIGKILL)
                await asyncio.sleep(0)

        killer = asyncio.create_task(kill_them())
        sent = refusal("unread")
        long = replace(sent, raw=sent.raw + b"> what was quoted before\r\n" * 400)
        assert await ledgers.send(gateway.port, long) == code
        over.set()
        await killer
        assert ledgers.outcomes(sent.message_id) == outcomes
        if outcomes == ["held"]:
            to = await ledgers.notice(sent.message_id)
            assert await ledgers.send(gateway.port, answer(to, "SEND: it is fine")) == 250
            await until(lambda: ledgers.outcomes(sent.message_id) == ["overridden"], "released")
        assert await ledgers.send(gateway.port, explained("next")) == 250
        if code == 451:  # the client tries again, and is judged
            assert await ledgers.send(gateway.port, long) == 250
            assert ledgers.outcomes(sent.message_id) == ["held"]
        ledgers.check()


async def test_mail_under_way_meets_one_set_of_files_or_the_other(tmp_path: Path) -> None:
    """While two files that belong together change six times: what became of a mail fits the version it names."""
    policies = Path(policies_with(tmp_path, "bare-refusal", do="hold"))
    path = policies / "bare-refusal.yaml"
    texts = [path.read_text(), path.read_text().replace("do: hold", "do: reject")]
    assert texts[0] != texts[1]
    async with scene(tmp_path, str(policies)) as (gateway, ledgers):
        site = tmp_path / "site.yaml"
        sites = [SITE, SITE.replace("name: ACME", "name: ACME reject")]
        wanted = {gateway.service.rules.current.version: "held"}
        number = 0

        async def keep_sending(lane: int) -> None:
            nonlocal number
            while not over.is_set():
                number += 1
                await ledgers.send(gateway.port, no(f"m{lane}-{number}", to=f"kim{lane}@customer.example"))

        over = asyncio.Event()
        lanes = [asyncio.create_task(keep_sending(lane)) for lane in range(3)]
        for turn in range(1, 7):
            path.write_text(texts[turn % 2])
            await asyncio.sleep(0.01)  # half of it is there
            site.write_text(sites[turn % 2])
            await gateway.service.reload()
            rules = gateway.service.rules.current
            wanted.setdefault(rules.version, "held" if turn % 2 == 0 else "rejected")
            assert rules.policies[0].do == ("hold" if turn % 2 == 0 else "reject")
            assert rules.site.name == ("ACME" if turn % 2 == 0 else "ACME reject")
            await asyncio.sleep(0.05)
        over.set()
        await asyncio.gather(*lanes)
        assert len(wanted) == 2
        rows = ledgers.rows()
        assert {row.entry.policy_version for row in rows} == set(wanted)
        assert [row.entry.id for row in rows if row.outcome != wanted[row.entry.policy_version]] == []
        assert len(rows) >= 6


async def test_a_template_of_ones_own_that_vanishes(tmp_path: Path) -> None:
    """Of a mail that waits nothing is lost: the notice that comes next, and the answers, are in the shipped words."""
    templates = tmp_path / "templates" / "en" / "notices"
    templates.mkdir(parents=True)
    own = (shipped("templates") / "en" / "notices" / "hold.txt").read_text()
    assert "Before your mail goes out" in own
    (templates / "ours.txt").write_text(own.replace("Before your mail goes out", "Our own notice"))
    policies = policies_with(tmp_path, "bare-refusal", notice="ours")
    async with scene(tmp_path, policies, templates=str(tmp_path / "templates")) as (gateway, ledgers):
        assert await outcome(gateway, ledgers, no("first")) == "held"
        first = await ledgers.notice("<first@t>")
        assert "Our own notice" in ledgers.notices("<first@t>")[0].subject
        shutil.rmtree(templates)
        await gateway.service.reload()
        assert await outcome(gateway, ledgers, no("second")) == "held"
        to = await ledgers.notice("<second@t>")
        assert "Before your mail goes out" in ledgers.notices("<second@t>")[0].subject
        assert "second monitor" in words(gateway.to(DANA)[-1].raw)
        reason = "REASON: we keep to one for each desk, since there is no room for more of them"
        assert await ledgers.send(gateway.port, answer(to, reason)) == 250
        await until(lambda: ledgers.outcomes("<second@t>") == ["amended"], "released")
    async with scene(tmp_path, policies, templates=str(tmp_path / "templates")) as (gateway, again):
        again.told = ledgers.told
        assert await again.send(gateway.port, answer(first, "DISCARD")) == 250
        await until(lambda: again.outcomes("<first@t>") == ["discarded"], "discarded")
