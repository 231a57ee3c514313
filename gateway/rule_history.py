"""What came into force when: keeps every set of rules that was loaded, and writes the history of it.

A history that cannot be written stops no mail and no reload: it is tried again with the next sweep.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Literal

import structlog

from gateway import __version__
from gateway.located import BadFiles
from gateway.policy.loader import UNFINISHED
from gateway.policy.model import PolicySet
from gateway.rule_files import Files, bounded, difference, read_files, version_of
from gateway.store.errors import StoreAway
from gateway.store.store import Store
from gateway.store.versions import RuleEvent, Version
from gateway.template_files import Templates

log = structlog.get_logger("gateway.rules")

How = Literal["start", "watch", "signal"]
Load = Callable[[], tuple[PolicySet, Templates]]

MOST_DETAIL = 19_000
"""Code points of a diff, or of what was wrong, that the history keeps."""
TRIES = 3
"""How often files are read that change while they are read."""
PATIENCE = 5.0
"""Seconds that a reload waits for a roll-back that is under way."""


class RuleHistory:
    """One for each process. `load` reads the rules through it, so that it knows the octets that they were read from."""

    def __init__(
        self,
        policies: Path,
        templates: Path | None,
        *,
        shipped: Path,
        clock: Callable[[], datetime],
        site: Path | None = None,
    ) -> None:
        self._site = site
        self._policies, self._templates, self._shipped = policies, templates, shipped
        self._clock = clock
        self._loaded: tuple[PolicySet, Files] | None = None
        self._kept: Version | None = None
        self._refused: tuple[str, int] | None = None
        self._waiting: list[tuple[Version | None, RuleEvent]] = []

    def load(self, files_of: Load) -> tuple[PolicySet, Templates]:
        """The rules, read while their files stood still. Raises BadFiles."""
        for _ in range(TRIES):
            before = self._files()
            rules, templates = files_of()
            if self._files() == before:
                break
        self._loaded = (rules, before)
        return rules, templates

    def _files(self) -> Files:
        try:
            return read_files(self._policies, self._templates, shipped=self._shipped)
        except OSError:  # the loader says what is wrong with it
            return {}

    @property
    def was_refused(self) -> bool:
        """True where the files could not be used when they were last read."""
        return self._refused is not None

    async def settled(self) -> None:
        """Wait until a roll-back that is under way has ended; one that was broken off is not waited for long."""
        mark = self._policies / UNFINISHED
        for _ in range(int(PATIENCE / 0.05)):
            if not mark.exists():
                return
            await asyncio.sleep(0.05)

    async def took(self, rules: PolicySet, store: Store, how: How) -> None:
        """These rules are in force now. Files whose content is as before are no news, except at the start."""
        self._refused = None
        try:
            await self._took(rules, store, how)
        except Exception:
            log.exception("the history of the rules is not written")

    async def _took(self, rules: PolicySet, store: Store, how: How) -> None:
        if self._loaded is None or self._loaded[0] is not rules:
            return  # not read from files
        version = version_of(rules, self._loaded[1], at=self._clock(), program=__version__)
        if self._kept is not None and self._kept.tree == version.tree:
            return
        before = self._kept or await self._last(store)
        detail = ""
        if before is not None and before.tree != version.tree:
            detail = await asyncio.to_thread(_told, before, version)
        event = RuleEvent(
            self._clock(), "in-force", how,
            version=version.version, tree=version.tree, before=before.version if before else "", detail=detail,
        )  # fmt: skip
        self._kept = version
        await self._write(store, version, event)

    async def refused(self, bad: BadFiles, rules: PolicySet, store: Store, how: How) -> bool:
        """These files could not be used, and `rules` stay. False when the same was said before of the same files, and
        nobody asked: whoever saves another file meanwhile hears again that it is not in force."""
        told = str(bad)
        files = await asyncio.to_thread(self._files)
        with contextlib.suppress(OSError):
            files = {**files, "": self._site.read_bytes() if self._site else b""}
        state = (told, hash(tuple(sorted(files.items()))))
        again = state == self._refused
        if not again:
            self._refused = state
            detail = bounded(iter(told.split("\n")), MOST_DETAIL)
            tree = self._kept.tree if self._kept else ""
            event = RuleEvent(self._clock(), "refused", how, version=rules.version, tree=tree, detail=detail)
            await self._write(store, None, event)
        return not again or how == "signal"

    async def _last(self, store: Store) -> Version | None:
        """What was in force before this process, as far as it is kept."""
        try:
            return await asyncio.to_thread(store.rule_version_before)
        except StoreAway:
            return None

    async def _write(self, store: Store, version: Version | None, event: RuleEvent) -> None:
        self._waiting.append((version, event))
        await self.catch_up(store)

    async def catch_up(self, store: Store) -> None:
        """Write what could not be written before."""
        while self._waiting:
            try:
                await store.keep_version(*self._waiting[0])
            except StoreAway as away:
                log.error("the history of the rules is not written; will try again", why=str(away))
                return
            del self._waiting[0]


def _told(before: Version, after: Version) -> str:
    """The difference of two versions as the history shows it."""
    parts = [part for part in ("site", "lexicon") if before.parts.get(part) != after.parts.get(part)]
    words = {"site": "the site file has changed", "lexicon": "the phrases have changed"}
    lines = [words[part] for part in parts]
    return bounded(iter([*lines, *difference(before.files, after.files)]), MOST_DETAIL)
