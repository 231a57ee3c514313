"""Confidential mail in the log: marked so, or to somebody who is (HR, legal, security). Pure.

Its words are for its own circle. Lists, exports and samples show what was decided without them; who may see them at the
console is `gateway.console.secrecy`, and a command asks for a reason, which the log keeps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gateway.export_forms import HIDDEN
from gateway.store.exporting import CONFIDENTIAL
from gateway.store.records import AuditEntry, AuditRow, Hold


def is_confidential(entry: AuditEntry | None, hold: Hold | None = None) -> bool:
    """Whether the log or the hold says so."""
    facts: Mapping[str, Any] = entry.facts if entry is not None else {}
    marked = any(name in facts for name in CONFIDENTIAL)
    return marked or (hold is not None and bool(hold.new.told.get("confidential")))


def veiled(row: AuditRow) -> AuditRow:
    """A row of the log as it is shown to everybody: the words of confidential mail are hidden."""
    if not is_confidential(row.entry):
        return row
    entry = replace(
        row.entry,
        subject=HIDDEN, requester=HIDDEN, rcpt_to=(HIDDEN,), reason=HIDDEN, add_cc=(),
        findings=tuple({**each, "why": HIDDEN, "evidence": []} for each in row.entry.findings),
        facts={name: {"value": None, "evidence": []} for name in row.entry.facts},
        basis=None,
    )  # fmt: skip
    history = tuple((at, outcome, HIDDEN if detail else "", by) for at, outcome, detail, by in row.history)
    return replace(row, entry=entry, history=history)
