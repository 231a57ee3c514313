"""New files while it runs: taken as a whole, or the old ones stay and the log says why; no mail changes its rules."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway import service
from gateway.located import BadFiles, Problem
from gateway.readers import pool
from gateway.resources import shipped
from gateway.smtp.sink import Sink
from tests.e2e.house import House, house
from tests.e2e.ledgers import Ledgers, Sent, explained, refusal, until


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A policy folder of one's own with one policy, beside a site file of one's own."""
    folder = tmp_path / "etc" / "policies"
    folder.mkdir(parents=True)
    shutil.copy(shipped("policies") / "bare-refusal.yaml", folder)
    shutil.copy(shipped("policies") / "site.yaml", tmp_path / "etc" / "site.yaml")
    return folder


@contextlib.asynccontextmanager
async def scene(tmp_path: Path, own: Path, **settings: Any) -> AsyncIterator[tuple[House, Ledgers]]:
    named = {"policies": str(own), "site": str(own.parent / "site.yaml")}
    async with house(tmp_path, **{**named, **settings}) as gateway:
        yield gateway, Ledgers(gateway.sink, gateway.state, tmp_path / "keys" / "hold.key")


def replaced(file: Path, old: str, new: str) -> None:
    """As an editor saves: a new file in the old one's place."""
    draft = file.with_suffix(".new")
    text = file.read_text()
    assert old in text
    draft.write_text(text.replace(old, new, 1))
    os.replace(draft, file)


def events(logs: list[Any], event: str) -> list[Any]:
    return [each for each in logs if each["event"] == event]


KEPT = "policies not reloaded; the old ones stay"
TAKEN = "policies reloaded"


async def test_files_are_watched(tmp_path, own):
    """Broken: the old ones stay, and the log names the place. Mended: taken. The site twice, each time a new file."""
    policy, site = own / "bare-refusal.yaml", own.parent / "site.yaml"
    with capture_logs() as logs:
        async with scene(tmp_path, own, reload_watch=True) as (gateway, ledgers):
            await asyncio.sleep(0.3)  # until the watch stands
            first = gateway.service.rules.current
            replaced(policy, "do: hold", "do: hodl")
            await until(lambda: bool(events(logs, KEPT)), "the log says so")
            [said] = events(logs, KEPT)
            line = policy.read_text().split("\n").index("do: hodl") + 1
            assert f"bare-refusal.yaml:{line}:" in said["problem"] and "hold" in said["problem"]
            assert gateway.service.rules.current is first
            assert await ledgers.send(gateway.port, refusal("old")) == 250
            assert ledgers.outcomes("<old@t>") == ["held"]
            replaced(policy, "do: hodl", "do: reject")
            await until(lambda: len(events(logs, TAKEN)) == 1, "taken")
            assert await ledgers.send(gateway.port, refusal("new")) == 550
            for number, old, new in ((2, "Dana Cole", "Dana B. Cole"), (3, "Dana B. Cole", "Dana C. Cole")):
                replaced(site, old, new)
                await until(lambda: len(events(logs, TAKEN)) == number, "the site is taken")  # noqa: B023
                assert gateway.service.rules.site.name_of("dana.cole@acme.example") == new
            versions = [row.entry.policy_version for row in ledgers.rows()]
            assert versions[0] == first.version != versions[1]
            ledgers.check()


async def test_new_files_reach_the_readers(tmp_path, own):
    """Mail that readers read is judged by the new files as soon as they are taken, by new readers."""
    async with scene(tmp_path, own, readers=1) as (gateway, ledgers):
        quoted = b"> what was quoted before\r\n" * 400

        def long(name: str) -> Sent:
            return replace(refusal(name), raw=refusal(name).raw + quoted)

        assert await ledgers.send(gateway.port, long("old")) == 250
        [first] = gateway.service.readers.processes
        replaced(own / "bare-refusal.yaml", "do: hold", "do: reject")
        await gateway.service.reload()
        assert first not in gateway.service.readers.processes
        assert await ledgers.send(gateway.port, long("new")) == 550
        assert (ledgers.outcomes("<old@t>"), ledgers.outcomes("<new@t>")) == (["held"], ["rejected"])
        ledgers.check()


async def test_hangup_reloads(tmp_path, own):
    """SIGHUP reads the files again, broken or not; SIGTERM ends in order."""
    from gateway.settings_file import load_settings

    async with Sink() as sink:
        flags = {
            "listen": ["127.0.0.1:0"], "upstream": f"127.0.0.1:{sink.port}", "state": str(tmp_path / "state"),
            "policies": str(own), "site": str(own.parent / "site.yaml"), "reload_watch": False,
        }  # fmt: skip
        environ = {"REFERRAL_GATEWAY_KEY_FILE": str(tmp_path / "keys" / "hold.key"), "HOME": str(tmp_path)}
        running = service.Service(load_settings(flags, environ, None))
        with capture_logs() as logs:
            task = asyncio.create_task(running.serve())
            await until(lambda: bool(events(logs, "started")), "started")
            first = running.rules.current
            replaced(own / "bare-refusal.yaml", "do: hold", "do: hodl")
            os.kill(os.getpid(), signal.SIGHUP)
            await until(lambda: bool(events(logs, KEPT)), "kept")
            assert running.rules.current is first
            replaced(own / "bare-refusal.yaml", "do: hodl", "do: reject")
            os.kill(os.getpid(), signal.SIGHUP)
            await until(lambda: bool(events(logs, TAKEN)), "taken")
            assert running.rules.current is not first
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.wait_for(task, 10)
            assert events(logs, "stopped")


@pytest.fixture
def quick(files_once: None) -> Iterator[None]:
    yield


@pytest.mark.parametrize("error", [BadFiles([Problem("x.yaml", 1, 1, "odd", "even")]), OSError("gone"), KeyError("x")])
async def test_whatever_goes_wrong_while_reading_keeps_the_old(tmp_path, quick, monkeypatch, error):
    """A file swapped at that moment, a folder without rights, a fault of ours: and the next reload works."""
    async with house(tmp_path) as gateway:
        rules = gateway.service.rules
        first, load = rules.current, rules._load

        def breaks() -> None:
            raise error

        monkeypatch.setattr(rules, "_load", breaks)
        with capture_logs() as logs:
            await gateway.service.reload()
            assert events(logs, KEPT)
        assert rules.current is first
        monkeypatch.setattr(rules, "_load", load)
        await gateway.service.reload()


async def test_of_two_reloads_the_later_wins(tmp_path, quick, monkeypatch):
    """The one that began with older files and took longer must not put them back."""
    async with house(tmp_path) as gateway:
        rules = gateway.service.rules
        slow, versions = threading.Event(), iter(["older", "newer"])
        policies, templates = rules.current, rules.templates

        def load() -> Any:
            version = next(versions)
            if version == "older":
                slow.wait(5)
            return replace(policies, version=version), templates

        monkeypatch.setattr(rules, "_load", load)
        both = asyncio.gather(gateway.service.reload(), gateway.service.reload())
        await asyncio.sleep(0.1)
        slow.set()
        await both
        assert rules.current.version == "newer"


async def test_mail_under_way_keeps_its_rules(tmp_path, quick, monkeypatch):
    """A reload between reading and holding: version, people and deadline are those that it was judged by."""
    async with house(tmp_path) as gateway:
        ledgers = Ledgers(gateway.sink, gateway.state, tmp_path / "keys" / "hold.key")
        rules, readers = gateway.service.rules, gateway.service.readers
        first = rules.current
        monkeypatch.setattr(pool, "INLINE_OCTETS", 10)  # so that readers read
        await readers.warm(first)
        for reader in readers.processes:
            os.kill(reader, signal.SIGSTOP)
        under_way = asyncio.create_task(ledgers.send(gateway.port, refusal("before")))
        await until(lambda: any(nursery.busy for nursery in readers._nurseries), "the mail is with a reader")
        rules.current = replace(first, version="new", policies=())
        for reader in readers.processes:
            os.kill(reader, signal.SIGCONT)
        assert await under_way == 250
        assert await ledgers.send(gateway.port, refusal("after")) == 250
        assert await ledgers.send(gateway.port, explained("too")) == 250
        assert [(row.entry.policy_version, row.outcome) for row in ledgers.rows()] == [
            (first.version, "held"), ("new", "passed"), ("new", "passed"),
        ]  # fmt: skip
        ledgers.check()


async def test_a_folder_that_is_moved_away_and_back_is_noticed(tmp_path, own):
    """The old policies stay, the log says so; what is saved in the folder that came in its place is taken."""
    with capture_logs() as logs:
        async with scene(tmp_path, own, reload_watch=True) as (gateway, ledgers):
            await asyncio.sleep(0.5)  # until the watches stand
            first = gateway.service.rules.current
            own.rename(own.parent / "away")
            await until(lambda: bool(events(logs, KEPT)), "the log says so")
            assert gateway.service.rules.current is first
            shutil.copytree(own.parent / "away", own)
            replaced(own / "bare-refusal.yaml", "do: hold", "do: reject")
            await until(lambda: bool(events(logs, TAKEN)), "the folder in its place is taken")
            assert await ledgers.send(gateway.port, refusal("new")) == 550
            ledgers.check()


async def test_what_is_saved_while_no_watch_stands_is_taken(tmp_path, own):
    """The very folder comes back, and is edited before anybody has looked; right files after wrong ones are told."""
    with capture_logs() as logs:
        async with scene(tmp_path, own, reload_watch=True) as (gateway, ledgers):
            await asyncio.sleep(0.5)
            own.rename(own.parent / "away")
            await until(lambda: bool(events(logs, KEPT)), "the log says so")
            await asyncio.sleep(2)
            (own.parent / "away").rename(own)
            await until(lambda: bool(events(logs, "policies are as they were")), "it is back")
            replaced(own / "bare-refusal.yaml", "do: hold", "do: reject")
            await until(lambda: bool(events(logs, TAKEN)), "what was saved is taken")
            assert events(logs, TAKEN)[0]["changed"] == "bare-refusal (reject, enforce)"
            assert await ledgers.send(gateway.port, refusal("new")) == 550
            ledgers.check()


async def test_each_save_that_is_refused_is_told(tmp_path, own):
    """One file stays broken; whoever saves another one hears that it is not in force."""
    with capture_logs() as logs:
        async with scene(tmp_path, own, reload_watch=True):
            await asyncio.sleep(0.5)
            replaced(own / "bare-refusal.yaml", "do: hold", "do: hodl")
            await until(lambda: len(events(logs, KEPT)) == 1, "told")
            replaced(own.parent / "site.yaml", "Dana Cole", "Dana B. Cole")
            await until(lambda: len(events(logs, KEPT)) == 2, "told again")
