"""Who may read the words of a held mail. Pure.

A mail that is marked confidential, or that goes to somebody who is (HR, legal, security), is read by its own circle and
nobody else: the sender, their delegates and their supervisor. A role in the console does not change that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.site.model import Site
from gateway.store.exporting import CONFIDENTIAL
from gateway.store.records import AuditEntry, Hold


def is_confidential(entry: AuditEntry | None, hold: Hold | None = None) -> bool:
    """Whether the log or the hold says so."""
    facts: Mapping[str, Any] = entry.facts if entry is not None else {}
    marked = any(name in facts for name in CONFIDENTIAL)
    return marked or (hold is not None and bool(hold.new.told.get("confidential")))


def may_read(who: str, hold: Hold, entry: AuditEntry | None, site: Site) -> bool:
    """Whether somebody (an address, as their account has it) may read the words of a held mail."""
    if not is_confidential(entry, hold):
        return True
    return bool(who) and site.is_among(who, hold.new.may_settle)
