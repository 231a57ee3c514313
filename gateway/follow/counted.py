"""What the ledger comes to in figures. Pure. Agents are not ranked, and a topic is named only when many ask it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from gateway.follow.entries import Entry
from gateway.mail.subjects import without_marks

BY_MAIL = ("answered", "taken back", "kept", "late", "moved", "not heard of")
"""What a mail closes an entry with."""
MOST_TOPICS = 10
FEWEST = 5
"""People who must have asked before a topic is named."""


def count(found: Sequence[Entry]) -> dict[str, Any]:
    """How many were opened, are open, and were closed how, by kind; and the topics that come again and again."""
    out: dict[str, Any] = {}
    for kind in ("handoff", "promise", "request"):
        its = [entry for entry in found if entry.kind == kind]
        closed = Counter(entry.why for entry in its if entry.state == "closed" and entry.why)
        known = {word: number for word, number in closed.items() if word in BY_MAIL}
        by_hand = sum(closed.values()) - sum(known.values())
        out[kind] = {
            "opened": len(its),
            "open": sum(entry.state != "closed" for entry in its),
            "closed": known | ({"by hand": by_hand} if by_hand else {}),
        }
    topics: dict[str, list[Entry]] = {}
    for entry in found:
        if entry.kind == "request":
            topics.setdefault(topic_of(entry.subject), []).append(entry)
    named = []
    for topic, its in topics.items():
        people = len({entry.requester.address for entry in its})
        if topic and people >= FEWEST:
            named.append((topic, len(its), people))
    out["topics"] = sorted(named, key=lambda each: (-each[1], each[0]))[:MOST_TOPICS]
    return out


def topic_of(subject: str) -> str:
    """A subject without numbers, tags and the prefixes of answers, in lower case."""
    bare = re.sub(r"\[[^\]]*\]|[#\d]+", " ", without_marks(subject))
    return " ".join(without_marks(bare).lower().split())[:80]
