"""Which language a mail is in. Only templates depend on it: facts are read with every lexicon."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

MIN_LETTERS = 24
"""A shorter text tells its language to nobody."""
SAMPLE = 500
"""Code points that tell which lexicons are read."""
CLOSE = 25.0
"""Languages whose log-probability is nearer to the best than this are both read."""
ENOUGH = 1500
"""Code points that are looked at."""


@lru_cache(maxsize=8)
def _identifier(languages: tuple[str, ...]) -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # loads a model: only where mail is read

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
    identifier.set_languages(list(languages))
    return identifier


def likely_languages(text: str, languages: Sequence[str]) -> tuple[str, ...]:
    """The languages that a text can be in: one as a rule, some where they are close, all where it is too short.

    Words of one language are innocent ones of another ("want", "car", "pas"), so that only these are read.
    """
    known = tuple(sorted(languages))
    text = text[:SAMPLE]
    if len(known) < 2 or sum(map(str.isalpha, text)) < MIN_LETTERS:
        return known
    ranked = _identifier(known).rank(text.lower())
    best = ranked[0][1]
    return tuple(str(lang) for lang, score in ranked if best - score < CLOSE)


def tell_language(new: str, quoted: str, languages: Sequence[str], fallback: str) -> str:
    """The language of the new text; where that is too short, of new and quoted text together; else `fallback`."""
    known = tuple(sorted(languages))
    if not known:
        return fallback
    if len(known) == 1:
        return known[0]
    for text in (new[:ENOUGH], f"{new[:ENOUGH]}\n{quoted[:ENOUGH]}"):
        if sum(map(str.isalpha, text[:200])) >= MIN_LETTERS:
            return str(_identifier(known).classify(text.lower())[0])
    return fallback
