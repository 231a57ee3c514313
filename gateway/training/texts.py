"""The texts that the models learn from: mail written for it, and labelled mail, cut into sentences that bear acts.

Three forms. Written mail (`tests/texts/acts`): blocks parted by a blank line, `? what was asked`, then a line a
sentence, `letters| the sentence`; the letters are those of LETTERS. Labelled mail (corpus/README.md, `tests/texts`): a
label holds for the sentences that its evidence stands in; of the others of the same mail it is not known. Mail of
public archives (`tests/texts/acts/real`): a table says which letters the sentences of a mail bear; the mails themselves
are no part of the product, so a folder must have them.
"""

from __future__ import annotations

import hashlib
import json
import re
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.mail.message import read_message
from gateway.mail.quoting import Body, split_body
from gateway.reading.acts.acts import ACTS
from gateway.reading.collector import QUESTION_LIMIT
from gateway.reading.language import TRAVELS, tell_language
from gateway.reading.lexicon import Lexicon, Scan
from gateway.reading.sentences import Kind

LETTERS = dict(zip("RWEAHDNOSXQTIGCPF.", ACTS, strict=True))
"""Letter of written mail -> act."""

LABELS: Mapping[str, str] = {
    "refusal": "refusal",
    "reason_given": "reason",
    "eta_given": "eta",
    "alternative_given": "alternative",
    "dismissive": "dismissive",
    "escalation_offered": "escalation_offer",
    "asks_clarifying_question": "question",
    "out_of_scope": "out_of_scope",
    "target_named": "route",
}
"""Label -> act."""
REFERRALS = {"handoff_to_colleague": "handoff", "redirect_requester": "redirect"}
MARKED = re.compile(rf"(?:\d+-\d+:[{re.escape(''.join(LETTERS))}]+ ?)+")
"""The sentences of a mail in a table: offsets in its new text, and letters."""
DIGITS = 20
"""Hex digits by which a table names a mail."""
HALF = 0.5
"""A span and a sentence that share this much of one of them belong together."""


@dataclass(frozen=True)
class TextSentence:
    start: int
    end: int
    kind: Kind
    acts: frozenset[str]


@dataclass(frozen=True)
class Text:
    """One mail. `weights` tells of an act how much its absence counts in sentences without it (0: nobody knows)."""

    id: str
    asked: Scan
    text: str
    lang: str
    """Two letters."""
    sentences: tuple[TextSentence, ...]
    weights: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(ACTS, 1.0))


def read_written(path: Path, lexicon: Lexicon) -> Iterator[Text]:
    """The mails of one file. Raises ValueError where a line has no letters or an unknown one."""
    for number, block in enumerate(re.split(r"\n\s*\n", path.read_text(encoding="utf-8").strip())):
        lines = block.split("\n")
        question = lines.pop(0)[1:].strip() if lines[0].startswith("?") else ""
        text = ""
        spans: list[tuple[int, int, frozenset[str]]] = []
        for line in lines:
            letters, bar, sentence = line.partition("|")
            unknown = set(letters.strip()) - set(LETTERS)
            if not bar or not letters.strip() or unknown:
                raise ValueError(f"{path}: block {number + 1}: write letters, a bar and the sentence, not {line!r}")
            if text:  # a greeting and a closing stand on lines of their own
                text += "\n" if letters.strip() == "P" or (len(spans) == 1 and "pleasantry" in spans[0][2]) else " "
            start = len(text)
            text += sentence.strip()
            spans.append((start, len(text), frozenset(LETTERS[letter] for letter in letters.strip())))
        lang = path.parent.name
        yield _cut(f"{path.name}#{number}", "" if question == "-" else question, text, spans, lexicon, lang=lang)


def read_labelled(path: Path, lexicon: Lexicon, *, beside: float = 0.2) -> Iterator[Text]:
    """The texts of a labelled .jsonl. `beside` is the weight of the other sentences of a mail that bears a label."""
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        labels, evidence = row["labels"], row["evidence"]
        weights = dict.fromkeys(ACTS, 0.0)
        spans = []
        for label, act in (*LABELS.items(), *((name, act) for name, act in REFERRALS.items())):
            holds = labels.get("referral") == label if label in REFERRALS else labels.get(label)
            if holds is None:
                continue
            weights[act] = beside if holds else 1.0
            if holds:
                words = evidence.get("referral" if label in REFERRALS else label, "")
                at = row["text"].find(words) if words else -1
                if at < 0:
                    weights[act] = 0.0  # it stands somewhere: nobody says where
                else:
                    spans.append((at, at + len(words), frozenset((act,))))
        yield _cut(row["id"], _question(row), row["text"], spans, lexicon, weights)


def read_archived(path: Path, archives: Path, lexicon: Lexicon) -> Iterator[Text]:
    """The mails that a table tells of, out of the archives (.tar.xz) in a folder.

    A row has the beginning of the SHA-256 of a mail's octets (DIGITS hex digits: the table names nobody), the length of
    its new text in code points, and of each sentence `start-end:letters`. A mail whose new text is read otherwise today
    than when it was labelled is left out. Raises ValueError where a row is none, and what opening an archive raises.
    """
    told: dict[str, tuple[int, str]] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()[1:], 2):
        match line.split("\t"):
            case [mail, length, sentences] if length.isdigit() and MARKED.fullmatch(sentences):
                told[mail] = int(length), sentences
            case _:
                write = "digest, length and start-end:letters, with tabs between"
                raise ValueError(f"{path}:{number}: write {write}")
    for archive in sorted(archives.glob("*.tar.xz")):
        with tarfile.open(archive) as tar:
            for member in filter(tarfile.TarInfo.isfile, tar):
                file = tar.extractfile(member)
                octets = file.read() if file is not None else b""
                digest = hashlib.sha256(octets).hexdigest()[:DIGITS]
                if digest not in told:
                    continue
                size, sentences = told.pop(digest)  # once, though it may be in several archives
                body = split_body(read_message(octets))
                if len(body.new.text) == size:
                    spans = [_span(each) for each in sentences.split()]
                    yield _cut(digest, _asked(body), body.new.text, spans, lexicon)


def _span(marked: str) -> tuple[int, int, frozenset[str]]:
    place, _, letters = marked.partition(":")
    start, _, end = place.partition("-")
    return int(start), int(end), frozenset(LETTERS[letter] for letter in letters)


def _asked(body: Body) -> str:
    """What a mail answers or forwards, as its quote shows it."""
    quoted = (block.text.strip() for block in body.blocks if block.kind in ("quote", "forward"))
    return next((text for text in quoted if text), "")


def _question(row: Mapping[str, Any]) -> str:
    return (row.get("previous_question") or "").strip()


def _cut(
    id: str,
    question: str,
    text: str,
    spans: list[tuple[int, int, frozenset[str]]],
    lexicon: Lexicon,
    weights: Mapping[str, float] | None = None,
    lang: str = TRAVELS,
) -> Text:
    """Cut as the product cuts, and give each sentence the acts of what stands in it. `lang` is what a mail is in whose
    language cannot be told, as that of a team is in the product."""
    sentences = []
    for sentence in lexicon.prepare(text).sentences:
        acts: frozenset[str] = frozenset()
        for start, end, its in spans:
            shared = min(end, sentence.end) - max(start, sentence.start)
            if shared > 0 and shared >= HALF * min(end - start, sentence.end - sentence.start):
                acts |= its
        sentences.append(TextSentence(sentence.start, sentence.end, sentence.kind, acts))
    lang = tell_language(text, question, lexicon.languages, lexicon.small_words, lang, lexicon.likely(text))
    asked = lexicon.scan_text(question[:QUESTION_LIMIT], scope="asked")
    return Text(id, asked, text, lang, tuple(sentences), dict.fromkeys(ACTS, 1.0) if weights is None else weights)
