"""Phrases: word lists as people can read and mend them."""

from __future__ import annotations


def phrases(text: str) -> tuple[str, ...]:
    """The phrases of a list that is separated by "|" and may run over several lines."""
    return tuple(phrase.strip() for phrase in text.split("|"))
