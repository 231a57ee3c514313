"""Trains the probes of the second reader: logistic regressions over what the shipped encoders make of sentences.

    pip install scikit-learn
    python -m gateway.training.probes tests/texts/probes tests/texts/acts gateway/reading/acts --archives FILE.tar.xz…

They learn from sentences written for it (`<class>`, a tab, the sentence): `ask`, whoever asked wants no mail; `told`,
an agent tells of that wish; `near` and `other`, no such wish; `kind`, a kind word; `help`, one that looks so and helps.
And from what people say of other things in mail written for the second reader and, of the wishes, in ordinary mail,
where next to nobody wishes it: without that, they see it in every long letter. `mere` appeals to a rule and explains
nothing, `why` explains. To be made anew whenever the encoders
are. A quarter of an hour on one core.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from gateway.evaluation.forms import mails_in
from gateway.mail.message import read_message
from gateway.mail.quoting import split_body
from gateway.policy.loader import load_policies
from gateway.reading.acts.encoder import Floats
from gateway.reading.acts.hollow import ANSWERS, EXCUSES
from gateway.reading.acts.probes import PROBES, Question, vectors_of
from gateway.reading.acts.reader import act_reader
from gateway.reading.asked import QUESTION_LIMIT
from gateway.reading.lexicon import Lexicon
from gateway.resources import shipped
from gateway.training.texts import Text, read_written

STRENGTH = 0.01
"""Inverse of the strength of the regularisation."""
EVERY = 8
"""Of so many mails written for the second reader, one is learnt from."""
MOST_OF_A_MAIL = 4
"""Sentences of the new text of an ordinary mail that are learnt from, and of its quotes."""
LEARNT: dict[Question, tuple[dict[str, bool], int]] = {
    "wish": ({"ask": True, "near": False, "other": False, "asked": False}, 2),
    "told_wish": (
        {"told": True, **dict.fromkeys(("ask", "near", "other", "passed on", "answer", "pleasantry"), False)},
        2,
    ),
    "kind": ({"kind": True, "help": False, "pleasantry": True, "answer": False}, 1),
    "mere": ({"mere": True, "why": False, "reason": False, "help": False}, 1),
}
"""Question -> what is true of the classes that it is learnt from, and how often a yes counts."""


class Row(NamedTuple):
    kind: str
    lang: str
    sentence: str


def read_sentences(path: Path) -> Iterator[Row]:
    """Each line of a file that has the name of its language. Raises ValueError, with the line, where it has another
    form."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        kind, tab, sentence = line.partition("\t")
        if not tab or not sentence.strip():
            raise ValueError(f"{path}:{number}: write a class, a tab and a sentence, not {line[:60]!r}")
        yield Row(kind, path.name[:2], sentence.strip())


def _written(text: Text) -> Iterator[Row]:
    asked = text.asked.prepared
    for sentence in asked.sentences:
        yield Row("asked", text.lang, asked.text[sentence.start : sentence.end])
    for its in text.sentences:
        said = text.text[its.start : its.end]
        if text.to == "others":
            yield Row("passed on", text.lang, said)
        if "reason" in its.acts:
            yield Row("reason", text.lang, said)
        if its.acts == {"pleasantry"}:
            yield Row("pleasantry", text.lang, said)
        elif "pleasantry" not in its.acts and its.acts & {*EXCUSES, *ANSWERS, "good_news"}:
            yield Row("answer", text.lang, said)


def _archived(path: Path, lexicon: Lexicon) -> Iterator[Row]:
    """Of each mail of an archive some sentences, from all over it."""
    for octets in mails_in(path).values():
        body = split_body(read_message(octets))
        for kind, text in (("passed on", body.new.text), ("asked", body.quoted_text)):
            prepared = lexicon.prepare(text[:QUESTION_LIMIT])
            said = [s for s, its in zip(prepared.sentences, prepared.kinds, strict=True) if its == "body"]
            for sentence in said[:: max(1, -(-len(said) // MOST_OF_A_MAIL))]:
                yield Row(kind, "en", prepared.text[sentence.start : sentence.end])


def _vector(lexicon: Lexicon, row: Row) -> Floats | None:
    """The mean over a line, which may be two very short sentences."""
    prepared, models = lexicon.prepare(row.sentence), act_reader().models
    found = vectors_of(models, prepared, range(len(prepared.sentences)), row.lang)
    mean: Floats | None = np.mean([*found.values()], 0) if found else None
    return mean


def main() -> None:
    asked = argparse.ArgumentParser(prog="python -m gateway.training.probes", description=__doc__)
    asked.add_argument("sentences", type=Path, help="folder of sentences, a file a language")
    asked.add_argument("written", type=Path, help="folder of written mail, a folder a language")
    asked.add_argument("out", type=Path, help="folder for the weights")
    asked.add_argument("--archives", type=Path, nargs="+", default=[], help="folders or .tar.xz of ordinary mail")
    given = asked.parse_args()
    lexicon = load_policies(shipped(), None, shipped=shipped()).lexicon
    texts = [text for path in sorted(given.written.rglob("*.txt")) for text in read_written(path, lexicon)]
    rows = [
        *(row for path in sorted(given.sentences.glob("??.txt")) for row in read_sentences(path)),
        *(row for text in texts[::EVERY] for row in _written(text)),
        *(row for path in given.archives for row in _archived(path, lexicon)),
    ]
    seen: dict[tuple[str, str], Floats | None] = {}
    for row in rows:
        if row[1:] not in seen:
            seen[row[1:]] = _vector(lexicon, row)
    stored: dict[str, NDArray[np.generic]] = {}
    for question, (classes, often) in LEARNT.items():
        learnt = [
            (vector, classes[row.kind]) for row in rows if row.kind in classes and (vector := seen[row[1:]]) is not None
        ]
        table, truth = np.array([vector for vector, _ in learnt]), np.array([yes for _, yes in learnt])
        middle, spread = table.mean(0), table.std(0) + 1e-6
        model = LogisticRegression(C=STRENGTH, max_iter=1000, class_weight={False: 1, True: often})
        model.fit((table - middle) / spread, truth)
        weights = model.coef_[0] / spread
        stored[question] = weights.astype(np.float16)
        stored[f"{question}.bias"] = np.array(model.intercept_[0] - weights @ middle, np.float32)
        print(f"{question}: {int(truth.sum())} of {len(truth)} sentences")
    np.savez(given.out / PROBES.name, **stored)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
