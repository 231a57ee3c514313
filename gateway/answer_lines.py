"""The lines of an answer that its writer wrote: bare of decoration, without farewell, signature and quote."""

from __future__ import annotations

import re

from gateway.answer_courtesy import CONTACT, END, FOOTER, POLITE, SIGN_OFF
from gateway.command_words import SYNONYMS, Kind

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
    ends them once something was said; what is written under it counts only behind "PS"."""
    lines: list[str] = []
    ended = False
    given = [line.strip()[:MAX_LINE] for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")[:MAX_LINES]]
    for line, following in zip(given, [*given[1:], ""], strict=True):
        if END.match(line) or (_ATTRIBUTION.match(f"{line} {following}") and not kind_of(line)):
            break
        if any(lines) and FOOTER.match(line):
            break
        bare = _bare(line)
        ended = ended or (
            any(map(kind_of, lines)) and bool(SIGN_OFF.match(bare) or CONTACT.match(bare) or _signs(bare, name))
        )
        if not ended or re.match(r"p\.?\s?s\b", bare, re.IGNORECASE):
            lines.append(re.sub(r"^p\.?\s?s\b\W*", "", bare, flags=re.IGNORECASE) if ended else bare)
    return lines


def _bare(line: str) -> str:
    line = _LEADING.sub("", line.replace("：", ":").replace("，", ",").strip(DECORATION))
    return _BOLD.sub(lambda bold: (bold[1] or "") + (bold[2] or "") + (bold[3] or ""), line)
