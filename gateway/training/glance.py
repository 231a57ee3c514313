"""Trains the first glance: a logistic regression over the words of a sentence, and pairs of them.

Only what stands in at least FEWEST_MAILS mails is learnt, and no word that is mostly written with a capital letter
inside sentences: names do not get in (nor do German nouns, which are no loss here).
"""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from gateway.reading.acts.glance import NAMES, features_of
from gateway.reading.acts.glossary import glossary
from gateway.reading.phrases import fold
from gateway.training.texts import Text

LOOKED_FOR = {
    "answer": frozenset(("refusal", "out_of_scope", "dismissive", "redirect")),
    "passing": frozenset(("handoff", "redirect")),
    "kind": frozenset(("pleasantry",)),
}
FEWEST_MAILS = 5
STRENGTH = 0.3
"""Inverse of the strength of the regularisation."""
LEAST_WEIGHT = 0.02
RECALL = 0.95
"""Share of the sentences looked for that the glance must suspect."""

Row = tuple[str, list[str], bool]


def rows(texts: Sequence[Text], name: str) -> Iterator[Row]:
    """(mail, features, whether it is looked for) of each sentence of which that is known."""
    acts = LOOKED_FOR[name]
    for text in texts:
        folded, english = fold(text.text), glossary(text.lang)
        for sentence in text.sentences:
            holds = bool(sentence.acts & acts)
            if sentence.kind == "body" and (holds or all(text.weights[act] == 1.0 for act in acts)):
                yield text.id, features_of(folded[sentence.start : sentence.end], english), holds


def names_in(texts: Sequence[Text]) -> frozenset[str]:
    """Words that are mostly capitalised where no sentence begins."""
    capital: Counter[str] = Counter()
    small: Counter[str] = Counter()
    for text in texts:
        for sentence in text.sentences:
            words = re.findall(r"[^\W\d_]+", text.text[sentence.start : sentence.end])
            capital.update(word.lower() for word in words[1:] if word[0].isupper() and not word.isupper())
            small.update(word for word in words if word[0].islower())
    return frozenset(word for word, count in capital.items() if count > 4 * small[word])


def train_glance(texts: Sequence[Text], path: Path) -> dict[str, float]:
    """Train and store both lines; gives the share of other sentences that each suspects."""
    names, stored, suspected = names_in(texts), {}, {}
    for name in NAMES:
        known = list(rows(texts, name))
        mails = defaultdict(set)
        for mail, features, _ in known:
            for feature in features:
                mails[feature].add(mail)
        words = sorted(f for f, its in mails.items() if len(its) >= FEWEST_MAILS and not names & set(f.split()))
        column = {word: number for number, word in enumerate(words)}
        places = [(at, column[f]) for at, (_, features, _) in enumerate(known) for f in features if f in column]
        shape = (len(known), len(words))
        table = csr_matrix((np.ones(len(places)), tuple(zip(*places, strict=True))), shape=shape)
        truth = np.array([holds for _, _, holds in known])
        model = LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=3000).fit(table, truth)
        scores = model.decision_function(table)
        least = float(np.quantile(scores[truth], 1 - RECALL))
        suspected[name] = float((scores[~truth] >= least).mean())
        weights = {w: round(float(x), 2) for w, x in zip(words, model.coef_[0], strict=True) if abs(x) >= LEAST_WEIGHT}
        stored[name] = {"bias": round(float(model.intercept_[0]), 3), "least": round(least, 2), "weights": weights}
    with gzip.GzipFile(path, "wb", mtime=0) as file:
        file.write(json.dumps(stored, ensure_ascii=False, sort_keys=True).encode())
    return suspected
