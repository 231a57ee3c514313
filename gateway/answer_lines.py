"""The lines of an answer that its writer wrote: bare of decoration, without farewell, signature and quote."""

from __future__ import annotations

import re
from collections.abc import Collection

from gateway.answer_courtesy import CONTACT, END, FOOTER, POLITE, SIGN_OFF
from gateway.command_words import SYNONYMS, Kind

LONGEST_THOUGHT = 120
"""Code points of a line below a farewell that may be a second thought; longer ones are what firms put there."""
BELOW_A_RULE = 2
"""Lines below a rule of dashes that are looked at: there begins what firms and mail programs add."""
SHORTEST_MARK = 4
"""Code points of what tells a notice from other text."""
QUOTATION = ("“", "„", "« ", "«\u00a0", "«\u202f", "«", '"')
OFFERS = 2
"""A notice offers at least so many answers, each in a line of its own."""

MAX_LINES = 60
"""Lines of a reply that are looked at."""
MAX_LINE = 1500
"""Characters of a line that are looked at."""
DECORATION = " \t*_~`'\"“”„‚‘’<>[](){}|•·-–—#\u00a0\u200b\ufeff"
# A bullet, a number, an arrow or a thumb before the word; a thumb down or a cross is no decoration.
_LEADING = re.compile(r"^(?:(?![👎❌🚫⛔✋✖✗])[\W_])+(?=[^\W_])|^\d{1,2}[.)]\s+(?=\w)")
_BOLD = re.compile(r"^([^\W\d_]+)\s*[*_~`]+\s*(:?)|^([^\W\d_]+\s*:)\s*[*_~`]+")
_ATTRIBUTION = re.compile(
    r"^(?:on|am|le|el|em|il|op)\b.{6,300}\b(?:wrote|schrieb|écrit|escribió|escreveu|scritto|schreef)\b.*:\s*$",
    re.IGNORECASE,
)
_RULE = re.compile(r"^-{3,}\s*$")
_WORD = re.compile(r"^([^\W\d_]+)(.*)$", re.DOTALL)


def first_word(line: str) -> re.Match[str] | None:
    """The first word behind greetings and pleas, and the rest of the line."""
    return _WORD.match(line[polite_end(line) :])


def kind_of(line: str) -> Kind | None:
    """The answer whose word begins the line."""
    match = first_word(line)
    return SYNONYMS.get(match[1].lower()) if match else None


def polite_end(line: str) -> int:
    match = POLITE.match(line)
    return match.end() if match else 0


def _signs(line: str, name: str) -> bool:
    """Whether a line is the writer's name, in full or the first one, alone or with what they are beside it."""
    bare, full = line.strip(",.-– ").casefold(), " ".join(name.split()).casefold()
    return bool(full) and (bare in (full, full.split()[0]) or re.match(rf"{re.escape(full)}\W", bare) is not None)


def unsigned(text: str, name: str) -> str:
    """The text without the writer's name at its end, in full or the first one: a signature, no part of a reason."""
    words, names = text.split(), [each.casefold() for each in name.split()]
    for signature in (names, names[:1]):
        tail = [word.strip(",.-–").casefold() for word in words[-len(signature) :]] if signature else []
        if signature and tail == signature and len(words) > len(signature):
            return " ".join(words[: -len(signature)]).rstrip(" ,–-")
    return text


def own_lines(text: str, name: str = "") -> list[str]:
    """The lines that the person wrote, bare of decoration, up to the first sign of a quote or signature. A farewell
    ends them once something was said; what is written under it counts as an answer only behind "PS"."""
    return _read(text, name)[0]


def lines_below(text: str, name: str = "") -> list[str]:
    """What stands under a farewell, a name or a rule and is no way to reach somebody: a second thought, perhaps."""
    return _read(text, name)[1]


def _read(text: str, name: str) -> tuple[list[str], list[str]]:
    lines: list[str] = []
    below: list[str] = []
    ended = False
    given = [line.strip()[:MAX_LINE] for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")[:MAX_LINES]]
    for number, line in enumerate(given):
        following = given[number + 1] if number + 1 < len(given) else ""
        if END.match(line) or (_ATTRIBUTION.match(f"{line} {following}") and not kind_of(line)):
            if _RULE.match(line):
                below += [_bare(each) for each in given[number + 1 : number + 1 + BELOW_A_RULE] if not END.match(each)]
            break
        if any(lines) and FOOTER.match(line):
            break
        bare = _bare(line)
        ended = ended or (
            any(map(kind_of, lines)) and bool(SIGN_OFF.match(bare) or CONTACT.match(bare) or _signs(bare, name))
        )
        if not ended:
            lines.append(bare)
        elif re.match(r"p\.?\s?s\b", bare, re.IGNORECASE):
            lines.append(re.sub(r"^p\.?\s?s\b\W*", "", bare, flags=re.IGNORECASE))
        elif not CONTACT.match(bare) and len(bare) <= LONGEST_THOUGHT:
            below.append(bare)
    return lines, below


def without_notice(text: str, subject: str, marks: Collection[str]) -> str:
    """The text above a notice that stands there unquoted, as some mail programs leave it.

    A notice names the held mail's `subject` in quotation marks, or has one of the `marks`: the mail's id, the address
    for answers. All of the text where no notice follows: whoever answers may name the mail, too.
    """
    lines = text.replace("\r\n", "\n").split("\n")
    known = [mark.casefold() for mark in marks if len(mark) >= SHORTEST_MARK]
    known += [(mark + subject).casefold() for mark in QUOTATION if subject]
    for number, line in enumerate(lines):
        if any(mark in line.casefold() for mark in known):
            offers = sum(bool(kind_of(_bare(each.strip()))) for each in lines[number:])
            return "\n".join(lines[:number]) if offers >= OFFERS else text
    return text


def _bare(line: str) -> str:
    line = _LEADING.sub("", line.replace("：", ":").replace("，", ",").strip(DECORATION))
    return _BOLD.sub(lambda bold: (bold[1] or "") + (bold[2] or "") + (bold[3] or ""), line)
