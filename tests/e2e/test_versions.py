"""What was in force is kept, told and put back: on a running gateway, from the command line."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway import cli, rule_files
from gateway.policy.loader import UNFINISHED
from gateway.resources import shipped
from tests.e2e.house import House, house
from tests.e2e.ledgers import Ledgers, refusal, until

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A policy folder with two policies and phrases of its own, and a file that is none of ours."""
    folder = tmp_path / "etc" / "policies"
    (folder / "lexicon").mkdir(parents=True)
    for name in ("bare-refusal.yaml", "dismissive.yaml"):
        shutil.copy(shipped() / name, folder)
    (folder / "README").write_text("ours\n")
    shutil.copy(shipped() / "site.yaml", tmp_path / "etc" / "site.yaml")
    return folder


@pytest.fixture
def command(tmp_path: Path, own: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """A command beside the gateway, with its state and its files."""
    monkeypatch.setenv("REFERRAL_GATEWAY_KEY_FILE", str(tmp_path / "keys" / "hold.key"))
    monkeypatch.setenv("REFERRAL_GATEWAY_SITE", str(tmp_path / "etc" / "site.yaml"))
    monkeypatch.setenv("REFERRAL_GATEWAY_POLICIES", str(own))
    monkeypatch.setenv("SUDO_USER", "ada")
    monkeypatch.setenv("NO_COLOR", "1")

    def run(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main([*words, "--state", str(tmp_path / "state")])
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """The gateway's log goes to standard output here, which is the command's."""
    with capture_logs():
        yield


@contextlib.asynccontextmanager
async def scene(tmp_path: Path, own: Path, **settings: Any) -> AsyncIterator[tuple[House, Ledgers]]:
    named = {"policies": str(own), "site": str(own.parent / "site.yaml")}
    async with house(tmp_path, **{**named, **settings}) as gateway:
        yield gateway, Ledgers(gateway.sink, gateway.state, tmp_path / "keys" / "hold.key")


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    draft = file.with_name(f".{file.name}.draft")
    draft.write_text(text.replace(old, new, 1))
    os.replace(draft, file)


def octets(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def story(command: Command) -> list[dict[str, Any]]:
    """The history, oldest first."""
    code, said, _ = command("policy", "history", "--json")
    assert code == 0
    return [json.loads(line) for line in said.splitlines()][::-1]


async def test_a_change_is_kept_told_and_rolled_back(tmp_path, own, command):
    """Start, edit, roll back, edit again: by watching alone. The folder is as it was to the octet, comments too."""
    edit(own / "bare-refusal.yaml", "# Somebody asked", "# OUR NOTE. Somebody asked")
    first_files = octets(own)
    async with scene(tmp_path, own, reload_watch=True) as (gateway, ledgers):
        await asyncio.sleep(0.3)  # until the watch stands
        rules = gateway.service.rules
        first = rules.current.version
        assert await ledgers.send(gateway.port, refusal("one")) == 250
        edit(own / "bare-refusal.yaml", "do: hold", "do: reject")
        (own / "dismissive.yaml").unlink()
        await until(lambda: rules.current.version != first, "the change is taken")
        await until(lambda: len(gateway.service.store.rule_events()) >= 2, "and written down")
        second = rules.current.version
        assert await ledgers.send(gateway.port, refusal("two")) == 550

        code, said, _ = await asyncio.to_thread(command, "policy", "rollback", first[:6], "--why", "too strict")
        assert code == 0 and f"{own} has the policies of {first}: 2 files written, 0 deleted" in said
        assert f"what stood there is kept as {second}" in said and "in force this is" not in said
        assert octets(own) == first_files
        await until(lambda: rules.current.version == first, "the roll-back is taken")
        assert await ledgers.send(gateway.port, refusal("three")) == 250
        edit(own / "dismissive.yaml", "mode: enforce", "mode: observe")
        await until(lambda: rules.current.version not in (first, second), "the next edit goes on from there")
        await until(lambda: gateway.service.store.rule_events()[0].version == rules.current.version, "written")
        third = rules.current.version
        ledgers.check()

    told = await asyncio.to_thread(story, command)
    in_force = [each for each in told if each["kind"] == "in-force"]
    assert [(each["version"], each["how"]) for each in in_force] == [
        (first, "start"), (second, "watch"), (first, "watch"), (third, "watch"),
    ]  # fmt: skip
    assert [each["before"] for each in in_force] == ["", first, second, first]
    assert "-do: hold" in in_force[1]["detail"] and "+do: reject" in in_force[1]["detail"]
    assert "+++ /dev/null" in in_force[1]["detail"]
    [back] = [each for each in told if each["kind"] == "rolled-back"]
    assert (back["by"], back["version"], back["before"]) == ("ada", first, second)
    assert back["detail"].endswith("too strict")

    def look() -> None:
        assert command("policy", "show", second, "bare-refusal.yaml")[1].count("do: reject") == 1
        code, said, _ = command("policy", "show", first)
        assert code == 0 and "policies/dismissive.yaml" in said and "README" not in said
        assert command("policy", "diff", first, second)[1] == in_force[1]["detail"] + "\n"
        assert "-mode: enforce\n+mode: observe\n" in command("policy", "diff", first)[1]
        assert command("policy", "diff", third)[1] == "no difference\n"
        code, said, _ = command("policy", "history", "--diff")
        assert code == 0 and "    +do: reject\n" in said and "(command, by ada, " in said
        assert command("policy", "show", "zz")[2] == (
            "no version begins with zz\n  Write: referral-gateway policy history\n"
        )
        assert command("policy", "show", first, "bare-refusel.yaml")[0] == 2

    await asyncio.to_thread(look)


async def test_broken_files_are_refused_once_and_the_way_back_is_open(tmp_path, own, command):
    """However often the watch comes by, the log says it once; who asks by signal hears it again."""
    async with scene(tmp_path, own) as (gateway, _):
        rules = gateway.service.rules
        first = rules.current
        edit(own / "bare-refusal.yaml", "do: hold", "do: hodl")
        with capture_logs() as logs:
            for how in ("watch", "watch", "watch"):
                await gateway.service.reload(how)
            assert len(logs) == 1 and "hodl" in logs[0]["problem"]
            await gateway.service.reload("signal")
            assert len(logs) == 2
        assert rules.current is first
        broken = octets(own)
        code, said, _ = await asyncio.to_thread(command, "policy", "rollback", first.version)
        assert code == 0
        kept = said.split("is kept as ")[1].split()[0]
        await gateway.service.reload("watch")
        assert rules.current.version == first.version
        said = (await asyncio.to_thread(command, "policy", "show", kept, "bare-refusal.yaml"))[1]
        assert said.encode() == broken["bare-refusal.yaml"]
    kinds = [each["kind"] for each in await asyncio.to_thread(story, command)]
    assert kinds == ["in-force", "refused", "rolled-back"], "what is in force had stayed in force"


async def test_a_roll_back_that_breaks_off_is_nobody_s_rules(tmp_path, own, command, monkeypatch):
    async with scene(tmp_path, own) as (gateway, _):
        first = gateway.service.rules.current.version
        first_files = octets(own)
        for name in ("bare-refusal.yaml", "dismissive.yaml"):
            edit(own / name, "do: hold", "do: reject")
        await gateway.service.reload()
        second = gateway.service.rules.current.version
        inner, calls = rule_files._replace, []

        def breaks(path: Path, content: bytes) -> None:
            calls.append(path)
            if path.parent == own and len([each for each in calls if each.parent == own]) > 1:
                raise OSError(28, "No space left on device", str(path))
            inner(path, content)

        monkeypatch.setattr(rule_files, "_replace", breaks)
        monkeypatch.setattr(rule_files, "_mark", as_if_dead(rule_files._mark))
        code, _, said = await asyncio.to_thread(command, "policy", "rollback", first)
        assert code == 2 and said.endswith("cannot be written: no space left on device\n")
        monkeypatch.setattr("gateway.rule_history.PATIENCE", 0.1)
        await gateway.service.reload()
        assert gateway.service.rules.current.version == second, "half of it is not taken"
        code, said, _ = await asyncio.to_thread(command, "policy", "check")
        assert code == 2 and f"{UNFINISHED}:1:1: a roll-back of this folder is under way, or was broken off" in said
        monkeypatch.setattr(rule_files, "_replace", inner)
        code, _, _ = await asyncio.to_thread(command, "policy", "rollback", first)
        assert code == 0 and octets(own) == first_files
        await gateway.service.reload()
        assert gateway.service.rules.current.version == first


def as_if_dead(mark: Callable[[Path], Path]) -> Callable[[Path], Path]:
    """The process that broke off runs on here; in life it would not."""

    def marked(folder: Path) -> Path:
        found = mark(folder)
        found.write_text(f"999999999 {os.uname().nodename}")
        return found

    return marked


async def test_a_version_that_does_not_fit_any_more_changes_nothing(tmp_path, own, command):
    edit(own / "bare-refusal.yaml", "mode: enforce", "mode: enforce\nscope: {teams: [it-support]}")
    async with scene(tmp_path, own) as (gateway, _):
        first = gateway.service.rules.current.version
    site = own.parent / "site.yaml"
    edit(own / "bare-refusal.yaml", "scope: {teams: [it-support]}\n", "")
    edit(site, "it-support:", "service-desk:")
    before = octets(own)
    code, out, said = await asyncio.to_thread(command, "policy", "rollback", first)
    assert code == 2 and out == "" and "cannot be put back as things are; nothing was changed" in said
    assert said.split("\n")[2].startswith("bare-refusal.yaml:") and 'the site has no team "it-support"' in said
    assert octets(own) == before


async def test_two_nodes_that_differ_are_named(tmp_path, own, command):
    other = own.parent / "other"
    shutil.copytree(own, other)
    async with scene(tmp_path, own) as (one, _), scene(tmp_path, other) as (two, _):
        said = (await asyncio.to_thread(command, "policy", "history"))[1]
        assert not said.startswith("The nodes differ")
        edit(other / "bare-refusal.yaml", "do: hold", "do: reject")
        await two.service.reload()
        said = (await asyncio.to_thread(command, "policy", "history"))[1]
        assert said.startswith("The nodes differ. Bring the same files to all of them:\n")
        for node in (one, two):
            assert f": {node.service.rules.current.version} since " in said
        shutil.copy(own / "bare-refusal.yaml", other)
        await two.service.reload()
        assert one.service.rules.current.version == two.service.rules.current.version
        assert "differ" not in (await asyncio.to_thread(command, "policy", "history"))[1]


async def test_a_site_that_changes_is_a_version_and_its_people_are_not_kept(tmp_path, own, command):
    async with scene(tmp_path, own) as (gateway, _):
        edit(own.parent / "site.yaml", "Dana Cole", "Dana B. Cole")
        await gateway.service.reload()
    told = await asyncio.to_thread(story, command)
    assert told[1]["detail"] == "the site file has changed"
    assert told[0]["version"] != told[1]["version"]
    assert b"Dana B. Cole" not in b"".join(path.read_bytes() for path in (tmp_path / "state").glob("gateway.db*"))


def test_without_a_folder_of_one_s_own_it_says_what_to_do(tmp_path, command, monkeypatch):
    monkeypatch.delenv("REFERRAL_GATEWAY_POLICIES")
    code, _, said = command("policy", "rollback", "abc")
    assert code == 2 and said.startswith(
        "the shipped policies are in force, and they cannot be changed\n  Write: --pol"
    )
