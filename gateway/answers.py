"""Answers to notices: one word that a busy person writes on a phone, in seven languages.

An answer does something to somebody's mail, so it is read narrowly: what is not clearly an answer is asked back.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from gateway.answer_comments import asks_back, harmless, is_enough, is_there, mocks, of_the_mail, tells_a_fact, undone
from gateway.answer_courtesy import FILLERS, GREETING, SAID_OF_A_MAIL, THANKS
from gateway.answer_lines import DECORATION, first_word, kind_of, lines_below, own_lines, polite_end
from gateway.answer_times import only_a_time
from gateway.answer_words import (
    ABOUT_THE_MAIL,
    AS_IT_IS,
    BECAUSE,
    COPIED,
    FIRST_PERSON,
    FOR_THE_MAIL,
    NOT_FIRST,
    OPEN_END,
    SAID_OF_IT,
    UNFILLED,
    clauses,
    holds_back,
    names_another,
    negates,
    no_reason,
    stops,
    turns,
)
from gateway.command_words import COMMANDS, EITHER, Kind

Problem = Literal["", "nothing", "several", "negated", "no-reason", "no-date", "more", "either"]
"""Why an answer is unclear: none in it, two that contradict, "do not …", SEND or REASON without why, ETA without
a date, more than can be done, what may be said of the stop or of the mail."""

MAX_WHY = 500
"""Characters of a justification, and of each of the texts that go into a mail, that are kept."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the reply asks for.

    `kind` is one of the words, or "amend" where text goes into the mail: `reason` and `eta` as they were written, on
    one line each, `fix` when the proposed fix is wanted too. `why` is the justification of SEND, and what else was said
    with WRONG, NOTE or CONSULT. `problem` says why it is unclear.
    """

    kind: Literal["fix", "amend", "note", "consult", "send", "wrong", "discard", "unclear"]
    why: str = ""
    reason: str = ""
    eta: str = ""
    fix: bool = False
    problem: Problem = ""

    @classmethod
    def unclear(cls, problem: Problem) -> Answer:
        return cls("unclear", problem=problem)


_OBJECT = "|".join(map(re.escape, sorted(FILLERS | FOR_THE_MAIL, key=len, reverse=True)))
_ASIDE = re.compile(rf"^(?:\s+(?:{_OBJECT})\b|-(?:la|le|les|lo|o|a|as|os))*\s*[,.;:!(–—-]\s*(.+)$", re.IGNORECASE)
"""What stands behind an answer, its object and small words."""
_LONG_LINE = 50
"""Characters of a line that a mail program may have broken: what comes below it is the rest of its sentence."""
_COMMAND_WORDS = frozenset(word.lower() for words in COMMANDS.values() for word in words.values())
_TEXT_KINDS: tuple[Kind, ...] = ("reason", "eta")
_TEXTS = "|".join(sorted({words[kind] for words in COMMANDS.values() for kind in _TEXT_KINDS}))
_NEXT_TEXT = re.compile(rf"(?<=[.;!?])\s+(?=(?:{_TEXTS})\s*[:=])", re.IGNORECASE)
_SEPARATOR = re.compile(r"^\s*[:=–—-]\s*|^\s*$")
_TOGETHER = frozenset({"fix", "reason", "eta"})
"""Answers that do not contradict one another."""


def parse_answer(text: str, subject: str = "", name: str = "") -> Answer:
    """Read the new text of a reply (quote and signature already off, but this does not rely on it).

    `subject` counts only when the text is empty, as some phones leave it that fill in a mailto: link. `name` is the
    writer's own, which below an answer is a signature.
    """
    lines = own_lines(text, name)
    if not any(lines):
        lines = own_lines(subject) if not re.match(r"\s*[a-z]{1,4}\s*:\s", subject, re.IGNORECASE) else []
        lines = lines or (own_lines(subject) if kind_of(subject) else [])
    lines = [part for line in lines for part in _apart(line)]
    found: dict[Kind, str] = {}
    problem: Problem = "nothing"
    taken: set[int] = set()
    for number, line in enumerate(lines):
        if number in taken or not line or (number - 1 not in taken and _goes_on(lines[number - 1 : number], line)):
            continue
        read = _read_line(line, lines[number + 1 :])
        if read is None:
            continue
        if not isinstance(read, _Said):
            problem = read
            if read == "negated":
                return Answer.unclear(read)
            continue
        taken |= set(range(number, number + 1 + read.below))
        if read.text or read.kind not in found:
            found[read.kind] = read.text
    if not found:
        return Answer.unclear(problem)
    if problem == "more":
        return Answer.unclear("several")  # such as the notice itself, sent back whole
    if problem in ("no-reason", "no-date") and not found.keys() - _TOGETHER:
        return Answer.unclear(problem)  # "FIX, REASON:" with nothing behind it: half of what was wanted
    answer = _answer(found)
    beside = "" if answer.kind == "unclear" else _beside(answer, lines, taken, name)
    for line in () if beside else lines_below(text, name):
        beside = beside or _second_thought(answer, line)
    return Answer.unclear(beside) if beside else answer


def _apart(line: str) -> list[str]:
    """ "REASON: the part is late. ETA: 11 December" is two answers in one line."""
    return _NEXT_TEXT.split(line) if kind_of(line) in ("reason", "eta") else [line]


def _second_thought(answer: Answer, line: str) -> Problem:
    """What a line below the farewell makes of the answer: there stand names, places and firms' own words as well."""
    said = line[polite_end(line) :]
    parts = clauses(said)
    kind = _plain_command(line)
    if kind is not None and kind != answer.kind:
        return "several"
    if NOT_FIRST.match(said) or any(map(holds_back, parts)) or negates(said) or stops(said, answer.kind):
        return "negated"
    return "more" if any(turns(part) and not only_a_time(part) for part in parts) else ""


def _beside(answer: Answer, lines: Sequence[str], taken: set[int], name: str) -> Problem:
    """What the lines around an answer make of it: "If Bob agrees:" above, "but not Mary" below."""
    first = min(taken)
    above = next((line for line in reversed(lines[:first]) if line), "")
    if above and not GREETING.match(above) and not THANKS.match(above):
        said = above[polite_end(above) :]
        if NOT_FIRST.match(said) or any(map(holds_back, clauses(said))):
            return "negated"
        if any(map(turns, clauses(said))) or (lines[first - 1] and OPEN_END.search(above)):
            return "more"
    signed = _signature(answer, lines, max(taken) + 1, name)
    for number, line in enumerate(lines[first + 1 :], first + 1):
        if number in taken or not line or kind_of(line):
            continue
        said = line[polite_end(line) :]
        parts = [part for part in clauses(said) if number < signed or not re.search(r"\d", part)]  # "5, 80331 Ulm"
        if NOT_FIRST.match(said) or any(map(holds_back, parts)) or negates(said):
            return "negated"
        if any(map(turns, parts)) or _asks(line):
            return "more"
        if answer.kind != "discard" and stops(said, answer.kind):
            return "negated"
        if answer.kind == "wrong" and (ABOUT_THE_MAIL.search(said) or FIRST_PERSON.search(said)):
            return "either"
    return "" if all(_explained(line, answer.kind, name) for line in _others(lines[:signed], taken)) else "more"


def _signature(answer: Answer, lines: Sequence[str], least: int, name: str) -> int:
    """Where a signature begins that nothing announced: a name below an empty line, and whatever stands under it."""
    places = (n for n in range(least, len(lines)) if n and not lines[n - 1] and _signs_off(lines[n]))
    return next((n for n in places if _explained(lines[n], answer.kind, name)), len(lines))


def _others(lines: Sequence[str], taken: set[int]) -> list[str]:
    """The lines beside an answer that are no answer themselves."""
    return [line for number, line in enumerate(lines) if line and number not in taken and not kind_of(line)]


def _explained(line: str, kind: str, name: str) -> bool:
    """Whether a line beside an answer is known to leave it as it is: a greeting, thanks, small words, a reason, what
    is wrong with a mail that goes away. Mail that went out cannot be had back, so all else is asked about."""
    line = re.sub(r"^p\.?\s?s\b\W*", "", line, flags=re.IGNORECASE)
    said = line[polite_end(line) :]
    if GREETING.match(line) or THANKS.match(line):
        return True
    if _signs_off(said):  # below FIX a name that is not the writer's may be whom they want
        own = {word.casefold() for word in name.split()}
        full = kind == "fix" and own and re.fullmatch(r"[A-ZÀ-Þ][a-zß-ÿ]+ [A-ZÀ-Þ][a-zß-ÿ]+", said)
        return not full or not own.isdisjoint(said.casefold().split())
    if kind in ("fix", "note", "consult"):
        return harmless(kind, said)  # type: ignore[arg-type]
    if BECAUSE.match(said):
        return True
    if kind == "discard" and (said.lower().startswith(tuple(EITHER)) or ABOUT_THE_MAIL.search(said)):
        return True
    return all(word in FILLERS or word in FOR_THE_MAIL for word in re.findall(r"[^\W\d_]+", said.lower()))


def _asks(text: str) -> bool:
    return text.rstrip(DECORATION + ".!")[-1:] in ("?", "？")


def _answer(found: dict[Kind, str]) -> Answer:
    if len(found) > 1 and found.keys() - _TOGETHER:
        return Answer.unclear("several")
    if "reason" in found or "eta" in found:
        return Answer("amend", reason=found.get("reason", ""), eta=found.get("eta", ""), fix="fix" in found)
    [(kind, why)] = found.items()
    assert kind != "reason" and kind != "eta"
    return Answer(kind, why)


@dataclass(frozen=True, slots=True)
class _Said:
    """An answer in one line; `below` lines under it belong to it."""

    kind: Kind
    text: str = ""
    below: int = 0


def _goes_on(before: Sequence[str], line: str) -> bool:
    """Whether a sentence of the line above was broken there: "… and I do not know how to / fix it, please"."""
    above = before[0] if before else ""
    return len(above) >= _LONG_LINE and (above[-1].isalnum() or above[-1] == ",") and line[:1].islower()


def _read_line(line: str, below: Sequence[str]) -> _Said | Problem | None:
    """The answer in one line, what is wrong with it, or None for a line that is none, such as a greeting."""
    match = first_word(line)
    kind = kind_of(line)
    if match and match[1].lower() in EITHER and not re.match(r"\s*\w", match[2]):
        return "either"
    if match is None or kind is None:
        return "negated" if negates(line) else None
    word, tail = match[1], match[2]
    if kind == "send":
        return _send(tail, below)
    if kind in ("reason", "eta"):
        return _text(kind, word, tail, below)
    if _asks(tail):  # "Fix?" asks what it is
        return "more"
    words = re.findall(r"[^\W\d_]+", tail.lower())
    fillers = FILLERS - SAID_OF_A_MAIL if kind == "wrong" else FILLERS | FOR_THE_MAIL
    if all(each in fillers for each in words) and not re.search(r"\d", tail):
        return _Said(kind)
    if kind == "wrong":
        return _wrong(tail)
    return _with_comment(kind, tail)


def _wrong(tail: str) -> _Said | Problem:
    """ "Wrong. I will write it anew" may be said of the mail, not of the stop: sending cannot be taken back. Behind a
    colon stands why the stop was wrong, and anywhere that somebody is in the mail already."""
    why = _one_line(tail)
    if negates(tail):
        return "negated"
    if not is_there(why) and (not re.match(r"\s*[:=]", tail) or of_the_mail(why)):
        return "either"
    return _screened("wrong", why) or _Said("wrong", why)


def _with_comment(kind: Kind, tail: str) -> _Said | Problem:
    """ "DISCARD, I'll write a new one": what stands behind the word and changes nothing."""
    aside = _ASIDE.match(tail)
    said = aside[1] if aside else tail.strip()
    if negates(f"fix {tail}", "fix") or (aside and _forbids(said)):
        return "negated"
    if kind in ("fix", "note") and re.match(r"\s*[:=]", tail):
        return "more"  # "NOTE: Bob calls at five" would not be in the note
    if kind == "note" and is_enough(said):
        return _Said(kind)
    if not aside:
        return "more"
    problem = _screened(kind, said)
    if not problem and not (harmless(kind, said) if kind != "discard" else not mocks(said)):
        problem = "more"  # a discarded mail can be had back, and may have any comment but mockery
    return problem or _Said(kind)


def _forbids(text: str) -> bool:
    return any(NOT_FIRST.match(clause) or holds_back(clause) for clause in clauses(text))


def _screened(kind: Kind, text: str) -> Problem:
    """What the words beside an answer make of it: "" when they leave it as it is."""
    if _asks(text):
        return "more"
    if names_another(text, kind):
        return "several"
    parts = clauses(text)
    if any(map(holds_back, parts)) or negates(text, kind):
        return "negated"
    if any(map(turns, parts)):
        return "more"
    return "negated" if stops(text, kind) else ""


def _text(kind: Kind, word: str, tail: str, below: Sequence[str]) -> _Said | Problem | None:
    """REASON or ETA with its text: behind the word and on the lines below, up to an empty one or the next answer."""
    if not _SEPARATOR.match(tail):
        if word.lower() not in _COMMAND_WORDS or (word.lower() == "reden" and not word.isupper()):
            return None  # "When will she …", "Reden wir morgen" are no answers
        if SAID_OF_IT.match(tail):
            return None
    lines = [_one_line(tail)]
    used = 0
    for line in below:
        if (not line and any(lines)) or (line and _read_line_starts(line)):
            break
        used += 1
        lines.append(line)
    text = _one_line(" ".join(line for line in lines if line))
    missing: Problem = "no-reason" if kind == "reason" else "no-date"
    doubtful = _asks(text) and (kind == "eta" or len(text.split()) < 4)  # "Friday?"; a reason may be a question
    if _unfilled(text) or doubtful or COPIED.match(tail.lstrip(" :=–—-")):
        return missing
    if kind == "eta" and asks_back(text):
        return missing
    if no_reason(text) or no_reason(tail.strip(" \t:=–—-")):
        return missing
    parts = clauses(text)
    if any(map(holds_back, parts[:1])) or stops(text):
        return "negated"
    if any(NOT_FIRST.match(part[polite_end(part) :]) and negates(part, "send") for part in parts):
        return "negated"
    if kind == "eta" and any(turns(part) and not only_a_time(part) for part in parts[1:]):
        return "more"  # "Friday, but check with Bob"
    text = text.rstrip(" ;")
    if kind == "eta" and re.search(r"\d\.$", tail.strip()) and not used:
        text += "."  # "29.12." is a date by its dot
    if any(not line for line in lines[:2]) and _is_a_name(lines):
        return missing
    return _Said(kind, text, used)


def _unfilled(text: str) -> bool:
    """Whether there is nothing, or the notice's own words: "why" and "Grund" alone."""
    words = re.findall(r"\w+", text.lower())
    return not re.search(r"\w", text) or all(
        each in FILLERS or each in UNFILLED or each in FOR_THE_MAIL for each in words
    )


def _is_a_name(lines: Sequence[str]) -> bool:
    """Whether lines under an empty label are a signature that nothing announced: "Dana Cole / IT Support"."""
    words = re.findall(r"[^\W\d_][\w'’.-]*", " ".join(lines))
    return all(word[0].isupper() or word.lower() in ("of", "and", "de", "der", "für", "&") for word in words)


def _signs_off(line: str) -> bool:
    """Whether a line is a signature that nothing announced: at most three words, all of them names."""
    return bool(line) and len(line.split()) <= 3 and _is_a_name([line]) and not re.search(r"[\d@:?!]", line)


def _read_line_starts(line: str) -> bool:
    """Whether the next answer begins here: its word, and nothing that makes a sentence of it."""
    match = first_word(line)
    return bool(match and kind_of(line) and (_SEPARATOR.match(match[2]) or match[1].isupper()))


def _send(tail: str, below: Sequence[str]) -> _Said | Problem | None:
    """SEND with its why: behind the word, or on the lines below. Sending cannot be taken back, so the why must stand
    behind a colon, dash or comma, or begin as a reason does: "send Mary a note" asks for something else."""
    tail = re.sub(r"^-(?:la|le|les|lo|las|los|o|a)\b", " ", tail, flags=re.IGNORECASE)
    if tail and not tail[0].isspace() and tail[0] not in ":,-–—.!;=/+&?？(":
        return None
    if _asks(tail):
        return "more"
    rest = AS_IT_IS.sub("", tail.lstrip(), count=1) if tail[:1].isspace() else tail
    marked = re.match(r"\s*(?:[:=–—]|-\s)", rest)
    aside = re.match(r"\s*[,.;!(]", rest)
    why, used = _one_line(rest), 0
    if why and COPIED.match(rest.lstrip(" :=–—-")):
        return "no-reason"
    if _unfilled(why):
        lines = [line for line in below if line and _plain_command(line) is None and not _read_line_starts(line)]
        if (why and (marked or aside)) or not lines or _is_a_name(lines):
            return "no-reason"
        why, used = _one_line(" ".join(lines)), len(below)
    if not re.search(r"\w\w", why) or _unfilled(why):
        return "no-reason"
    problem = _screened("send", why) or ("more" if undone(why) else "")
    if not problem and not used and not marked:
        problem = "" if BECAUSE.match(why) or (aside and tells_a_fact(why)) else "more"
    if problem == "more" and negates(f"send {tail}", "send"):
        return "negated"
    return problem or _Said("send", why, used)


def _one_line(text: str) -> str:
    bare = text.strip(" \t:,=–—.!;" + DECORATION)
    return " ".join("".join(ch if ch.isprintable() else " " for ch in bare).split())[:MAX_WHY]


def _plain_command(line: str) -> Kind | None:
    """The answer that a line is, when it is nothing but the word."""
    match = first_word(line)
    return kind_of(line) if match and not re.search(r"\w", match[2]) else None
