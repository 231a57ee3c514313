"""Answers to notices: one word that a busy person writes on a phone, in English or German.

An answer does something to somebody's mail, so it is read narrowly: what is not clearly an answer is asked back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["fix", "send", "discard", "unclear"]
Problem = Literal["", "nothing", "several", "negated", "no-reason", "more"]
"""Why an answer is unclear: none in it, two that contradict, "do not …", SEND without why, more than can be done."""

MAX_LINES = 60
"""Lines of a reply that are looked at."""
MAX_WHY = 500
"""Characters of a justification that are kept."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the reply asks for. `why` is the justification of SEND on one line; `problem` says why it is unclear."""

    kind: Kind
    why: str = ""
    problem: Problem = ""

    @classmethod
    def unclear(cls, problem: Problem) -> Answer:
        return cls("unclear", problem=problem)


WORDS: dict[str, Kind] = {
    "fix": "fix", "ergänzen": "fix", "ergaenzen": "fix", "ergänze": "fix", "hinzufügen": "fix", "hinzufuegen": "fix",
    "beheben": "fix", "korrigieren": "fix",
    "send": "send", "senden": "send", "sende": "send", "absenden": "send", "abschicken": "send", "schicken": "send",
    "discard": "discard", "delete": "discard", "verwerfen": "discard", "löschen": "discard", "loeschen": "discard",
    "lösche": "discard",
}  # fmt: skip
"""The words of each answer; the notices use FIX, SEND, DISCARD and ERGÄNZEN, SENDEN, VERWERFEN."""

_FILLERS = frozenset(
    [
        "it",
        "this",
        "that",
        "please",
        "pls",
        "thanks",
        "thank",
        "you",
        "now",
        "ok",
        "okay",
        "yes",
        "ja",
        "bitte",
        "danke",
        "es",
        "sie",
        "die",
        "mail",
        "das",
        "jetzt",
        "gern",
        "gerne",
        "so",
        "the",
        "message",
        "mine",
        "my",
        "meine",
    ]
)
_UNFILLED = frozenset({"why", "reason", "grund", "warum"})
_AS_IT_IS = re.compile(
    r"^(?:(?:it|this|the mail|anyway|as it is|as is|as written|so|trotzdem|wie sie ist|wie es ist|die mail|sie|es|bitte"
    r"|please|now|jetzt)\b[\s,]*)+",
    re.IGNORECASE,
)
_POLITE = re.compile(
    r"^(?:(?:please|pls|yes|ok|okay|ja|bitte|trotzdem|dann|then|just|einfach|answer|antwort|reply)\b[\s,:!.-]*)+",
    re.IGNORECASE,
)
_NEGATION = re.compile(r"\b(?:not|don['’]?t|do not|never|no|nicht|kein\w*|nein|nie)\b", re.IGNORECASE)
_WORD = re.compile(r"^([^\W\d_]+)(.*)$", re.DOTALL)
_DECORATION = " \t*_~`'\"“”„‚‘’<>[](){}|•·-–—#\u00a0\u200b\ufeff"
# Below such a line stands somebody else's text, or none: quotes, signatures, what mail clients put in between.
_END = re.compile(
    r"^(?:>|--\s*$|__+|-{3,}|={5,}"
    r"|(?:from|von|sent|gesendet|to|an|subject|betreff|date|datum)\s*:\s"
    r"|(?:on|am)\b.{6,200}\b(?:wrote|schrieb)\b.*:?\s*$"
    r"|.{0,120}\b(?:wrote|schrieb)\s*:\s*$"
    r"|(?:sent from my|get outlook for|von meinem|gesendet von|gesendet mit|hol dir outlook)\b)",
    re.IGNORECASE,
)


def parse_answer(text: str, subject: str = "") -> Answer:
    """Read the new text of a reply (quote and signature already off, but this does not rely on it).

    `subject` counts only when the text is empty, as some phones leave it that fill in a mailto: link.
    """
    lines = _own_lines(text)
    if not lines:
        lines = _own_lines(subject) if not re.match(r"\s*(?:re|aw|fwd?|wg)\s*:", subject, re.IGNORECASE) else []
    found: list[Answer] = []
    problem: Problem = "nothing"
    for number, line in enumerate(lines):
        answer = _read_line(line, lines[number + 1 :])
        if answer is None:
            continue
        if answer.kind == "unclear":
            problem = answer.problem
            if answer.problem == "negated":
                return answer
        elif answer not in found:
            found.append(answer)
    kinds = {answer.kind for answer in found}
    if len(kinds) > 1:
        return Answer.unclear("several")
    if found:
        return next((answer for answer in found if answer.why), found[0])
    return Answer.unclear(problem)


def _own_lines(text: str) -> list[str]:
    """The lines that the person wrote, bare of decoration, up to the first sign of a quote or signature."""
    lines: list[str] = []
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")[:MAX_LINES]:
        if _END.match(line.strip()):
            break
        bare = line.strip(_DECORATION)
        if bare:
            lines.append(bare)
    return lines


def _read_line(line: str, below: list[str]) -> Answer | None:
    """The answer in one line; None for a line that is none, such as a greeting or a thank-you."""
    rest = line[_polite_end(line) :]
    match = _WORD.match(rest)
    kind = WORDS.get(match[1].lower()) if match else None
    if match is None or kind is None:
        return Answer.unclear("negated") if _negated(line) else None
    tail = match[2]
    if kind == "send":
        return _send(tail, below)
    if tail[:1] == "/" or (tail.strip() and tail.strip(" ,:-–—")[:4].lower() in ("and ", "und ", "but ", "aber")):
        return Answer.unclear("more")
    words = re.findall(r"[^\W\d_]+", tail.lower())
    if all(word in _FILLERS for word in words) and not re.search(r"\d", tail):
        return Answer(kind)
    # "DISCARD, I'll write a new one": an aside after a comma or full stop; anything else may change the meaning.
    aside = re.match(r"^(?:\s+(?:it|this|please|bitte|es|sie|die mail))?\s*[,.;:!–—-]\s*(.+)$", tail, re.IGNORECASE)
    if aside and not _negated(aside[1]) and not _names_another(aside[1], kind):
        return Answer(kind)
    return Answer.unclear("negated" if _negated(tail) else "more")


def _send(tail: str, below: list[str]) -> Answer | None:
    """SEND with its why: behind the word, or on the lines below."""
    if re.match(r"^\s*(?:not|nicht)\b", tail, re.IGNORECASE):
        return Answer.unclear("negated")
    if tail and not tail[0].isspace() and tail[0] not in ":,-–—.!;":
        return None
    spaced = tail[:1].isspace()  # "send it, she knows"; behind a colon or comma all is the reason
    why = (_AS_IT_IS.sub("", tail.strip()) if spaced else tail).strip(" \t:,-–—.!;" + _DECORATION)
    if not re.search(r"\w", why):
        why = " ".join(line for line in below if _plain_command(line) is None)
    why = " ".join("".join(ch if ch.isprintable() else " " for ch in why).split())[:MAX_WHY]
    words = re.findall(r"\w+", why.lower())
    # "why" and "Grund" alone are the notice's own words, sent back unfilled.
    if not re.search(r"\w\w", why) or all(word in _FILLERS or word in _UNFILLED for word in words):
        return Answer.unclear("no-reason")
    return Answer("send", why)


def _plain_command(line: str) -> Kind | None:
    """The answer that a line is, when it is nothing but the word."""
    match = _WORD.match(line[_polite_end(line) :])
    return WORDS.get(match[1].lower()) if match and not re.search(r"\w", match[2]) else None


def _polite_end(line: str) -> int:
    match = _POLITE.match(line)
    return match.end() if match else 0


def _negated(line: str) -> bool:
    """True for "do not send it": a negation and an answer's word in one line."""
    return bool(_NEGATION.search(line)) and any(word in WORDS for word in re.findall(r"[^\W\d_]+", line.lower()))


def _names_another(text: str, kind: Kind) -> bool:
    return any(WORDS.get(word, kind) != kind for word in re.findall(r"[^\W\d_]+", text.lower()))
