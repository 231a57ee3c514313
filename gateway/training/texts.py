"""The texts that the models learn from: mail written for it, and labelled mail, cut into sentences that bear acts.

Three forms. Written mail (`tests/texts/acts`): blocks parted by a blank line, `? what was asked`, then a line a
sentence, `letters| the sentence`; the letters are those of LETTERS. `?<` begins an answer to whoever asked, `?>` mail
to others; of the rest it is told where a greeting or what is said leaves no doubt. Labelled mail (corpus/README.md,
`tests/texts`): a label holds for the sentences that its evidence stands in; of the others of the same mail it is not
known. Mail of public archives (`tests/texts/acts/real`): a table says which letters the sentences of a mail bear; the
mails themselves are no part of the product, so a folder must have them.
"""

from __future__ import annotations

import hashlib
import json
import re
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.cases import Case, envelope_of, judge
from gateway.evaluation.forms import read_corpus
from gateway.mail.message import read_headers, read_message
from gateway.mail.quoting import Body, split_body
from gateway.policy.model import PolicySet
from gateway.reading.acts.acts import ACTS
from gateway.reading.acts.pieces import Addressee
from gateway.reading.asked import QUESTION_LIMIT
from gateway.reading.collector import addressee
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
MARKS: Mapping[str, Addressee] = {"<": "requester", ">": "others"}
ANSWERS = {
    *("refusal", "alternative", "redirect", "out_of_scope", "escalation_offer", "dismissive", "helps", "good_news"),
}
"""Acts of an answer: written mail that does one of them and hands nothing on goes to whoever asked."""
SIGNED = re.compile(r"(?:--|[—–])\s*([^—–-]{2,60})$")
"""The name below a question."""
WORD = re.compile(r"[^\W\d_]{3,}")
HALF = 0.5
"""A span and a sentence that share this much of one of them belong together."""

Marked = tuple[int, int, frozenset[str]]
"""Where something stands in a text, and its acts."""


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
    to: Addressee | None = None
    """Whom it goes to; None where nobody knows, or to both."""
    weights: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(ACTS, 1.0))


def read_written(path: Path, lexicon: Lexicon) -> Iterator[Text]:
    """The mails of one file. Raises ValueError where a line has no letters or an unknown one."""
    for number, block in enumerate(re.split(r"\n\s*\n", path.read_text(encoding="utf-8").strip())):
        lines = block.split("\n")
        opening = lines.pop(0) if lines[0].startswith("?") else "?"
        mark, question = opening[1:2], opening[1:].lstrip("<>").strip()
        text = ""
        spans: list[Marked] = []
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
        to = MARKS.get(mark) or _whom(question, text, spans)
        lang = path.parent.name
        yield _cut(f"{path.name}#{number}", "" if question == "-" else question, text, spans, lexicon, to, lang=lang)


def _whom(question: str, text: str, spans: Sequence[Marked]) -> Addressee | None:
    """Whom a written mail goes to: by the name that it greets, where the question is signed, else by what it does."""
    acts = {act for _, _, its in spans for act in its}
    start, end, first = spans[0]
    greeted = text[start:end] if "pleasantry" in first else ""
    signed = SIGNED.search(question)
    if signed and _words(greeted) & _words(signed[1]):
        return "requester"
    if acts & ANSWERS:
        return None if "handoff" in acts or any(letter.isupper() for letter in greeted[1:] if signed) else "requester"
    if not signed or acts == {"pleasantry"}:
        return None  # "Deepa has it and will ring you" goes to whoever asked
    return "others" if "handoff" in acts or greeted or "mention" in acts else None


def _words(text: str) -> set[str]:
    return set(WORD.findall(text.lower()))


def read_labelled(path: Path, policies: PolicySet, *, beside: float = 0.2) -> Iterator[Text]:
    """The texts of a labelled .jsonl. `beside` is the weight of the other sentences of a mail that bears a label."""
    rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    for row, sample in zip(rows, read_corpus(path, policies).samples(), strict=True):
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
        to = addressee(sample.judge()[0].facts)
        yield _cut(row["id"], _question(row), row["text"], spans, policies.lexicon, to, weights)


def read_archived(path: Path, archives: Path, policies: PolicySet) -> Iterator[Text]:
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
                    case = Case(member.name, octets, envelope_of(read_headers(octets)))
                    to = addressee(judge(case, policies)[0].facts)
                    yield _cut(digest, _asked(body), body.new.text, spans, policies.lexicon, to)


def _span(marked: str) -> Marked:
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
    spans: Sequence[Marked],
    lexicon: Lexicon,
    to: Addressee | None,
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
    known = dict.fromkeys(ACTS, 1.0) if weights is None else weights
    return Text(id, asked, text, lang, tuple(sentences), to, known)
