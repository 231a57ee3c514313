"""Versions of the rules: kept once however often they come, found by the beginning of their id, with their history."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.store.errors import Ambiguous
from gateway.store.versions import RuleEvent, Version, tree_of

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def version(id: str, at: datetime = NOW, **files: bytes) -> Version:
    named = {f"policies/{name}.yaml": octets for name, octets in files.items()}
    return Version(tree_of(named, id), id, at, "1.0", {"site": "s"}, ("eta", "refusal"), named)


async def test_a_version_comes_back_as_it_was(store):
    """Octets that are no text, too; the same files of two versions are kept once."""
    first = version("aa11", bare=b"do: hold\n\xff\x00", same=b"x" * 100_000)
    second = version("aa22", NOW + timedelta(hours=1), bare=b"", same=b"x" * 100_000)
    for each in (first, second, first):
        await store.keep_version(each, None)
    assert store.rule_version("aa11") == first
    assert store.rule_version("aa2") == second
    assert store.rule_version(first.tree) == first
    assert store.rule_version("b") is None is store.rule_version("")
    with pytest.raises(Ambiguous):
        store.rule_version("aa")
    assert store.rule_versions() == {each.version: replace(each, files={}) for each in (first, second)}


async def test_of_one_version_the_newest_files_are_found(store):
    """A comment does not change the version, and a roll-back must bring it back."""
    await store.keep_version(version("aa11", bare=b"# why\n"), None)
    await store.keep_version(version("aa11", NOW + timedelta(1), bare=b"# why, and since when\n"), None)
    assert store.rule_version("aa11").files == {"policies/bare.yaml": b"# why, and since when\n"}


async def test_the_history_knows_who_still_runs(store, open_store, url):
    other = open_store(url)
    for each in (store, other):
        await each.recover(NOW)
    old, new = version("aa11", bare=b"1"), version("bb22", bare=b"2")
    await store.keep_version(old, RuleEvent(NOW, "in-force", "start", version="aa11", tree=old.tree))
    await other.keep_version(
        new, RuleEvent(NOW, "in-force", "watch", version="bb22", tree=new.tree, before="aa11", detail="+2\n-1")
    )
    await other.keep_version(None, RuleEvent(NOW, "refused", "signal", version="bb22", detail="x" * 30_000))
    assert store.rule_version_before() == new
    other.close_now()
    refused, watched, started = store.rule_events()
    assert (refused.kind, len(refused.detail), refused.detail[-1]) == ("refused", 20_000, "…")
    assert (watched.before, watched.detail, watched.alive, started.alive) == ("aa11", "+2\n-1", False, True)
    assert store.rule_events(1) == [refused]
