"""Every name that a condition may use, each with its possible values (none listed: any, or no value)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import get_args

from gateway.reading.facts import Grade
from gateway.reading.vocabulary import FACTS

ABOUT: Mapping[str, Sequence[str]] = {
    "requester.known": (),
    "requester.grade": get_args(Grade),
    "requester.internal": (),
    "requester.external": (),
    "agent.team": (),
    "mail.language": (),
}
"""What is known of requester, agent and mail beside the facts of the text."""

NAMES: Mapping[str, Sequence[str]] = {**FACTS, **ABOUT}
