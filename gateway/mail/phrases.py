"""Phrases: word lists as people can read and mend them."""

from __future__ import annotations


def phrases(text: str) -> tuple[str, ...]:
    """The phrases of a list that is separated by "|" and may run over several lines."""
    return tuple(phrase.strip() for phrase in text.split("|"))


def small(text: str) -> str:
    """Lower case in which the Turkish "İ" is a plain "i": the dot above that Python leaves behind goes."""
    lower = text.lower()
    return lower if lower.isascii() else lower.replace("i\u0307", "i")
