"""The rules in force: one immutable set of policies, site and lexicon, swapped as a whole on reload."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from gateway.policy.model import PolicySet
from gateway.reading.lexicon import Lexicon
from gateway.site.model import Site
from gateway.template_files import Templates

log = structlog.get_logger("gateway.rules")


class Rules:
    """Holds the current PolicySet and templates. A mail takes `current` once and keeps it to its end.

    `load` reads the files and returns new ones or raises BadFiles; `judging` is False while the operator has named no
    site of their own: then everything passes. `key` is the secret with which remembered lines are hashed.
    """

    def __init__(self, load: Callable[[], tuple[PolicySet, Templates]], *, judging: bool, key: bytes) -> None:
        self._load = load
        self.judging = judging
        self.key = key
        self._fallen: frozenset[str] = frozenset()
        self.loaded, self.templates = load()
        self.current = self.loaded

    @property
    def site(self) -> Site:
        return self.current.site

    @property
    def lexicon(self) -> Lexicon:
        return self.current.lexicon

    def is_feed(self, address: str) -> bool:
        """True for the address that takes journal copies of inbound mail."""
        feed = self.current.site.feed_address
        return bool(feed) and address.lower() == feed.lower()

    def reload(self) -> bool:
        """Read the files again. True for a new set. Raises BadFiles: broken ones keep the old set."""
        fresh, templates = self._load()
        was, before = self.current, self.current.version
        self.loaded, self.templates = fresh, templates
        self.current = fresh.observing(self._fallen)
        changed = before != self.current.version
        if changed:
            log.info("policies reloaded", version=self.current.version, changed=_changes(was, self.current))
        return changed

    def fall_back(self, policies: frozenset[str]) -> bool:
        """Exactly these policies observe, whatever their files say. True when that is a new set."""
        if policies == self._fallen:
            return False
        self._fallen = policies
        before, self.current = self.current, self.loaded.observing(policies)
        return before.version != self.current.version


def _changes(before: PolicySet, after: PolicySet) -> str:
    """What differs between two sets, by name: "bare-refusal (hold, enforce), site"."""
    old, new = ({policy.id: policy for policy in rules.policies} for rules in (before, after))
    told = [f"{name} ({new[name].do}, {new[name].mode})" for name in sorted(new) if old.get(name) != new[name]]
    told += [f"{name} (gone)" for name in sorted(old.keys() - new.keys())]
    told += [part for part in ("site", "lexicon", "templates") if before.parts.get(part) != after.parts.get(part)]
    return ", ".join(told)
