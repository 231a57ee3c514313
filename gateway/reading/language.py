"""Which language a mail is in: it decides which lexicons read it, and in what language drafts are written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

MIN_LETTERS = 24
"""A shorter text tells its language to nobody."""
SAMPLE = 600
"""Code points whose small words are counted."""
SHARE = 0.6
"""A language with this share of the best one's small words is read as well."""
FEWEST = 3
"""Small words that must be there before any language is left out."""
ENOUGH = 1500
"""Code points that are looked at where small words do not tell."""

# The small words of grammar: in every text of some length, and mostly of one language only. Words that mean something
# else in a neighbour's language (de, en, no, in, a, o, die) would only blur the count, so they are missing.
_SMALL = {
    "en": "the and you your is are was were of to for with this that it we have has not be will can our from if"
    " as at by they he she but what there would could please thanks i'm don't can't it's i'll we'll do did"
    " any all been just so",
    "de": "der das und ist nicht ich wir sie mit für auf den dem ein eine einen zu von im es auch bei noch nur"
    " aber wenn ihr ihre ihnen uns mir dir dich mich habe haben hat kann können wird werden sind bitte"
    " danke leider oder wie aus nach schon dann da kein keine sich zum zur sehr hier du euch",
    "fr": "le les des est et vous nous je pas pour dans une sur avec votre vos notre nos que qui ce cette il"
    " elle plus au aux ne sont mais merci bonjour c'est j'ai n'est être avez ou à tu mon ma mes ça du été",
    "es": "el los las una es y que por para con su sus del al lo como más pero este esta está usted nos le ya"
    " si muy hay son fue puede gracias hola buenos buenas días también porque sin ser tiene cuando hemos"
    " he ha mi tu te",
    "pt": "os as um uma é e que do da dos das não para com por seu sua ao à no na nos nas mais mas foi está são"
    " você obrigado obrigada bom boa olá pode também quando já isso este esta temos tem nosso nossa se"
    " muito até lhe",
    "it": "il gli della del di che è e per con una sono non ho abbiamo la le lo nel nella alla al dal ma anche"
    " più come questo questa suo sua grazie buongiorno ciao può ha si ci vi mi se molto da dei delle"
    " perché già",
    "nl": "het een en van is dat niet voor met ik we wij je u op te zijn er aan maar ook om als dan naar bij"
    " nog wel kan kunnen hebben heeft uw jullie deze dit zal wordt worden geen door graag dank beste groet"
    " hoe wat ben",
}
_WORDS = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")


@lru_cache(maxsize=8)
def _owners(languages: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Small word -> the languages that have it."""
    owners: dict[str, tuple[str, ...]] = {}
    for lang in languages:
        for word in _SMALL.get(lang, "").split():
            owners[word] = (*owners.get(word, ()), lang)
    return owners


@lru_cache(maxsize=8)
def _identifier(languages: tuple[str, ...]) -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # loads a model: only where mail is read

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
    identifier.set_languages(list(languages))
    return identifier


def likely_languages(text: str, languages: Sequence[str]) -> tuple[str, ...]:
    """The languages that a text can be in: one as a rule, some where they are close, all where it is too short.

    Words of one language are innocent ones of another ("want", "car", "pas"), so that only these are read. A language
    without small words here is always read.
    """
    known = tuple(sorted(languages))
    owners = _owners(known)
    counts = dict.fromkeys(known, 0)
    for word in _WORDS.findall(text[:SAMPLE].lower().replace("’", "'")):
        for lang in owners.get(word, ()):
            counts[lang] += 1
    best = max(counts.values(), default=0)
    if best < FEWEST:
        return known
    return tuple(lang for lang in known if lang not in _SMALL or counts[lang] >= best * SHARE)


def tell_language(new: str, quoted: str, languages: Sequence[str], fallback: str) -> str:
    """The language of the new text; where that is too short, of new and quoted text together; else `fallback`."""
    known = tuple(sorted(languages))
    if not known:
        return fallback
    for text in (new[:ENOUGH], f"{new[:ENOUGH]}\n{quoted[:ENOUGH]}"):
        likely = likely_languages(text, known)
        if len(likely) == 1:
            return likely[0]
        if sum(map(str.isalpha, text[:200])) >= MIN_LETTERS:
            return str(_identifier(known).classify(text.lower())[0])
    return fallback
