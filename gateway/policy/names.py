"""Every name that a condition may use, each with its values (none listed: any if it is OPEN, else none)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import get_args

from gateway.reading.facts import Grade
from gateway.reading.vocabulary import FACTS

_ABOUT: dict[str, tuple[str, Sequence[str]]] = {
    "requester.known": ("somebody is known who asked", ()),
    "requester.grade": ("how well it is known who asked, the surest first", get_args(Grade)),
    "requester.internal": ("who asked is in one of the site's own domains", ()),
    "requester.external": ("who asked is elsewhere", ()),
    "agent.team": ("the team of the agent, by its id in the site file", ()),
    "mail.language": ("the language of the new text: en, de, fr, es, pt, it, nl", ()),
}
ABOUT: Mapping[str, Sequence[str]] = {name: values for name, (_, values) in _ABOUT.items()}
"""What is known of requester, agent and mail beside the facts of the text."""
ABOUT_MEANINGS: Mapping[str, str] = {name: meaning for name, (meaning, _) in _ABOUT.items()}

OPEN = frozenset(("eta", "promise", "target", "unreadable", "questions", "unanswered", "agent.team", "mail.language"))
"""Names with values that nobody can list."""

NAMES: Mapping[str, Sequence[str]] = {**FACTS, **ABOUT}
