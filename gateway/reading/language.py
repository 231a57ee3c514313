"""Which language a mail is in. Only templates depend on it: facts are read with every lexicon."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

MIN_LETTERS = 24
"""A shorter text tells its language to nobody."""
ENOUGH = 1500
"""Code points that are looked at."""


@lru_cache(maxsize=8)
def _identifier(languages: tuple[str, ...]) -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # loads a model: only where mail is read

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
    identifier.set_languages(list(languages))
    return identifier


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
