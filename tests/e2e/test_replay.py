"""Recorded mail judged again: without a change nothing differs, and with one exactly what reading anew would say."""

from __future__ import annotations

import asyncio
import json
import shutil
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway import cli
from gateway.cases import read_case
from gateway.policy.conditions import Has
from gateway.policy.loader import load_policies
from gateway.policy.model import PolicySet
from gateway.policy.verdict import difference, from_json
from gateway.readers import pool
from gateway.readers import work as readers_work
from gateway.readers.work import Setup, Task, work
from gateway.reading.reader import read
from gateway.replay import Difference, Tally, replay_recorded
from gateway.resources import shipped
from gateway.store.recorded import Recorded
from tests.e2e.house import House, house, mail

pytestmark = pytest.mark.timeout(600)  # it plays a long history first, and a busy machine takes its time

HERE = Path(__file__).resolve().parents[1]
START = datetime(2026, 5, 4, 8, 0, tzinfo=UTC)


@dataclass
class Read:
    """A mail as it was read when it came."""

    id: str
    task: Task
    raw: bytes


@dataclass
class History:
    rows: list[Recorded]
    read: dict[str, Read]
    policies: PolicySet
    key: bytes
    """With which the lines of threads are hashed."""
    state: Path
    again: dict[str, Any] = field(default_factory=dict)
    """What reading once more came to."""


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    """Some hundred mails in seven languages through one gateway: written answers, and threads with their context."""
    return asyncio.run(gathered(tmp_path_factory.mktemp("history")))


async def gathered(folder: Path) -> History:
    read: dict[str, Read] = {}
    inner = pool.Readers.work

    async def spied(self: Any, task: Task, raw: bytes, rules: PolicySet, *, mail: str) -> Any:
        found = await inner(self, task, raw, rules, mail=mail)
        if task.purpose == "judge":
            read[mail] = Read(mail, task, raw)
        return found

    moments = iter(START + timedelta(minutes=number) for number in range(100_000))
    now = [START]

    def clock() -> datetime:
        return now[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pool.Readers, "work", spied)
        async with house(folder, clock=clock, readers=2) as gateway:
            for path in sorted((HERE / "texts").glob("*.dev.jsonl")):
                for line in path.read_text("utf-8").splitlines()[:40]:
                    now[0] = next(moments)
                    await written(gateway, json.loads(line))
            for path in sorted((HERE / "paraphrases").iterdir()):
                now[0] = next(moments)
                await scenario(gateway, path)
            other = mail("bob.nilsson@acme.example", "jill.amory@acme.example", "Re: Monitor", "No.\n")
            await gateway.send("bob.nilsson@acme.example", ["jill.amory@acme.example"], other)
            rows = list(gateway.service.store.recorded(None))
            rules = gateway.service.rules
        return History(rows, read, rules.current, rules.key, folder)


async def written(gateway: House, text: dict[str, Any]) -> None:
    """A labelled answer, from Dana to a colleague or a customer, with the question below it."""
    asked = text.get("previous_question") or "Could you help me with this?"
    requester = "jill.amory@acme.example" if len(text["text"]) % 2 else "mary.jones@customer.example"
    body = f"{text['text']}\n\nOn Mon, 4 May 2026 at 08:01, Somebody <{requester}> wrote:\n"
    body += "\n".join(f"> {line}" for line in asked.split("\n")) + "\n"
    to = "network-team@acme.example" if len(asked) % 3 == 0 else requester
    raw = mail("Dana Cole <dana.cole@acme.example>", to, f"Re: {text['id']}", body, message_id=f"<{text['id']}@t>")
    assert (await gateway.send("dana.cole@acme.example", [to], raw))[0] == 250


async def scenario(gateway: House, folder: Path) -> None:
    case = read_case(folder)
    for earlier in case.earlier:
        port = gateway.tap if earlier.direction == "inbound" else gateway.port
        await gateway.send(
            earlier.envelope.mail_from.address, list(earlier.envelope.recipients), earlier.raw, port=port
        )
    await gateway.send(case.envelope.mail_from.address, list(case.envelope.recipients), case.raw)


def replayed(history: History, policies: PolicySet) -> tuple[dict[str, Difference], Tally]:
    tally = Tally()
    found = replay_recorded(history.rows, policies, {}, tally)
    return {each.id: each for each in found if each is not None}, tally


def read_anew(history: History, policies: PolicySet, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Id -> what differs, when every mail is read once more, from its octets.

    Of the rules, reading sees the site and the lexicon alone: with the same ones it is done once for all changes.
    """
    assert policies.site is history.policies.site and policies.lexicon is history.policies.lexicon
    setup = Setup(policies, history.key)
    differs = {}
    for row in history.rows:
        if row.basis is None or not row.basis["judged"]:
            continue
        once = history.read[row.id]

        def read_once(message: Any, envelope: Any, context: Any, id: str = row.id) -> Any:
            if id not in history.again:
                history.again[id] = read(message, envelope, context)
            return history.again[id]

        monkeypatch.setattr(readers_work, "read", read_once)
        again = from_json(work(once.task, once.raw, setup).basis["verdict"])
        kind = difference(from_json(row.basis["verdict"]), again)
        if kind is not None:
            differs[row.id] = kind
    return differs


def changed(policies: PolicySet, **changes: Any) -> PolicySet:
    return replace(policies, policies=tuple(replace(each, **changes) for each in policies.policies))


def no_excuses(policies: PolicySet) -> PolicySet:
    return changed(policies, unless=None, exempt=None)


def adds_anybody(policies: PolicySet) -> PolicySet:
    return changed(policies, rewrite_for=frozenset({"anybody"}))


def half(policies: PolicySet) -> PolicySet:
    return replace(policies, policies=tuple(replace(p, scope=replace(p.scope, share=50)) for p in policies.policies))


def for_one_team(policies: PolicySet) -> PolicySet:
    return replace(
        policies,
        policies=tuple(replace(p, teams={"it-support": replace(p, mode="observe")}) for p in policies.policies),
    )


def for_customers(policies: PolicySet) -> PolicySet:
    return replace(
        policies,
        policies=tuple(
            replace(p, scope=replace(p.scope, domains=frozenset({"external"}), languages=frozenset({"en", "de"})))
            for p in policies.policies
        ),
    )


def another_condition(policies: PolicySet) -> PolicySet:
    bare = policies.get("bare-refusal")
    assert bare is not None
    return replace(policies, policies=(replace(bare, when=Has("questions"), unless=Has("eta"), do="reject"),))


CHANGES = [no_excuses, adds_anybody, half, for_one_team, for_customers, another_condition]


def test_the_same_policies_differ_in_nothing(history: History) -> None:
    found, tally = replayed(history, history.policies)
    assert (found, tally.left_out) == ({}, {})
    assert tally.judged >= 300 and tally.nobodys >= 1
    stopped = [row for row in history.rows if row.basis and row.basis["judged"] and row.basis["verdict"]["found"]]
    assert len(stopped) >= 40, "a history in which nothing was found would show nothing"


@pytest.mark.parametrize("change", CHANGES, ids=[change.__name__ for change in CHANGES])
def test_a_change_differs_as_reading_anew_says(history: History, change: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    policies = change(history.policies)
    found, tally = replayed(history, policies)
    assert not tally.left_out
    assert {id: each.kind for id, each in found.items()} == read_anew(history, policies, monkeypatch)
    assert found and sum(tally.kinds.values()) == len(found)
    assert sum(n for (_, team), n in tally.by_team.items() if team == "it-support") == len(found)


def test_the_command_shows_the_difference(
    history: History, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same folder: exit code 0. Without one policy: what it alone had stopped passes, each with its id."""
    monkeypatch.setenv("REFERRAL_GATEWAY_KEY_FILE", str(history.state / "keys" / "hold.key"))
    folder = tmp_path / "policies"
    shutil.copytree(shipped(), folder)

    def replay(*more: str) -> tuple[int, str]:
        words = ["policy", "replay", "--state", str(history.state / "state"), "--site", str(shipped() / "site.yaml")]
        with pytest.raises(SystemExit) as ended:
            cli.main([*words, "--since", "2026-05-01", "--against", str(folder), *more])
        return int(ended.value.code or 0), capsys.readouterr().out

    code, said = replay()
    assert code == 0 and "nothing would have come out otherwise" in said
    (folder / "bare-refusal.yaml").unlink()
    code, said = replay("--json")
    *lines, total = [json.loads(line) for line in said.splitlines()]
    alone = [
        row.id for row in history.rows
        if row.basis and row.basis["judged"] and row.basis["verdict"]["disposition"] == "hold"
        and [name for name, do in row.basis["verdict"]["found"].items() if do == "hold"] == ["bare-refusal"]
        and "rewrite" not in row.basis["verdict"]["found"].values()
    ]  # fmt: skip
    assert sorted(line["id"] for line in lines if line["change"] == "newly passed") == sorted(alone) != []
    assert total["changes"]["newly passed"] == {
        "mails": len(alone), "teams": {"it-support": len(alone)}, "policies": {"bare-refusal": len(alone)},
    }  # fmt: skip
    assert code == 1 and "left_out" in total and total["left_out"] == {}
    code, said = replay()
    assert code == 1 and f"newly passed: {len(alone)}\n" in said and "team    it-support" in said


def test_mails_in_files_are_read_under_both(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "policies"
    shutil.copytree(shipped(), folder)
    for name in ("bare-refusal.yaml", "terse-reply.yaml"):
        text = (folder / name).read_text()
        (folder / name).write_text(text.replace("\nmode: enforce\n", "\nmode: observe\n"))
    (tmp_path / "mails" / "deep").mkdir(parents=True)
    shutil.copy(HERE / "mails" / "bare-no.eml", tmp_path / "mails" / "deep")
    shutil.copytree(HERE / "paraphrases" / "account-daan", tmp_path / "mails" / "account-daan")
    with pytest.raises(SystemExit) as ended:
        cli.main(["policy", "replay", "--json", "--against", str(folder), str(tmp_path / "mails")])
    first, total = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert ended.value.code == 1
    assert first["id"].endswith("bare-no.eml") and first["change"] == "newly passed"
    assert (first["was"]["found"]["bare-refusal"], first["now"]["found"]["bare-refusal"]) == ("hold", "observe")
    assert total["judged"] == 2


def test_what_cannot_be_judged_again_is_said(history: History) -> None:
    rows = [row for row in history.rows if row.basis and row.basis["judged"]][:3]
    rows = [replace(rows[0], basis=None), replace(rows[1], basis={"fault": "ValueError"}), rows[2]]
    tally = Tally()
    assert list(replay_recorded(rows, history.policies, {}, tally)) == [None, None, None]
    assert sorted(tally.left_out.values()) == [1, 1] and tally.judged == 1


def test_shipped_policies_load_alone() -> None:
    assert load_policies(shipped(), None, shipped=shipped(), run=False).parts.keys() == {
        "policies", "site", "lexicon", "templates",
    }  # fmt: skip
