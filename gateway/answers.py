"""Answers to notices: one word that a busy person writes on a phone, in seven languages.

An answer does something to somebody's mail, so it is read narrowly: what is not clearly an answer is asked back.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Literal

from gateway.command_words import COMMANDS, EITHER, SYNONYMS, Kind

Problem = Literal["", "nothing", "several", "negated", "no-reason", "no-date", "more", "either"]
"""Why an answer is unclear: none in it, two that contradict, "do not …", SEND or REASON without why, ETA without
a date, more than can be done, what may be said of the stop or of the mail."""

MAX_LINES = 60
"""Lines of a reply that are looked at."""
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


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_FILLERS = _words(
    "it this that please pls thanks thank you now ok okay yes so the message mail mine my"
    " ja bitte danke es sie die das jetzt gern gerne meine"
    " oui merci le la ce svp maintenant message mon"
    " sí si gracias por favor lo el mensaje ahora"
    " sim obrigado obrigada o a agora mensagem isso"
    " sì grazie per favore il messaggio ora"
    " graag bedankt dank de het bericht dit nu alsjeblieft"
)
_UNFILLED = _words(
    "why reason grund warum pourquoi motif motivo porqué porque perché reden waarom razão razao ragione date datum when"
    " wann quand cuándo quando wanneer fecha data por qué porquê"
    " none no na n a nothing kein keine keiner nichts aucun aucune rien ninguno ninguna nada nenhum nenhuma nessuno"
    " nessuna niente geen niets"
)
_AS_IT_IS = re.compile(
    r"^(?:(?:it|this|the mail|anyway|as it is|as is|as written|so|trotzdem|wie sie ist|wie es ist|die mail|sie|es|bitte"
    r"|please|now|jetzt|tel quel|quand même|tal cual|así|como está|assim|così com'è|comunque|zoals het is|toch)\b"
    r"[\s,]*)+",
    re.IGNORECASE,
)
_POLITE = re.compile(
    r"^(?:(?:please|pls|yes|ok|okay|then|just|answer|reply|ja|bitte|trotzdem|dann|einfach|antwort|oui|svp|merci de|sí"
    r"|si|por favor|sim|sì|per favore|graag|alsjeblieft|dan)\b[\s,:!.-]*)+",
    re.IGNORECASE,
)
_NEGATION = re.compile(
    r"\b(?:not|don['’]?t|do not|never|no|nicht|kein\w*|nein|nie|ne|pas|jamais|non|nunca|não|nao|mai|niet|geen"
    r"|nooit)\b",
    re.IGNORECASE,
)
_NEGATED = re.compile(r"^\s*(?:not|nicht|pas|non|não|niet)\b", re.IGNORECASE)
_AND = re.compile(r"[\s,:–—-]*(?:and|und|but|aber|et|mais|y|pero|e|mas|ma|en|maar|or|oder|ou|o|of)\s", re.IGNORECASE)
_WORD = re.compile(r"^([^\W\d_]+)(.*)$", re.DOTALL)
_DECORATION = " \t*_~`'\"“”„‚‘’<>[](){}|•·-–—#\u00a0\u200b\ufeff"
# Below such a line stands somebody else's text, or none: quotes, signatures, what mail clients put in between.
_END = re.compile(
    r"^(?:>|--\s*$|__+|-{3,}|={5,}"
    r"|(?:from|sent|to|subject|date|von|gesendet|an|betreff|datum|de|envoyé|à|objet|enviado|para|asunto|assunto|da|a"
    r"|inviato|oggetto|van|verzonden|aan|onderwerp)\s*:\s(?!\s*$).*(?:@|\d{4}|gateway)"
    r"|(?:on|am|le|el|em|il|op)\b.{6,200}\b(?:wrote|schrieb|écrit|escribió|escreveu|scritto|schreef)\b.*:?\s*$"
    r"|.{0,120}\b(?:wrote|schrieb|écrit|escribió|escreveu|scritto|schreef)\s*:\s*$"
    r"|(?:sent from (?:my|outlook|mail for|yahoo|gmail)|sent via (?:the )?(?:samsung|outlook|gmx|blackberry)"
    r"|envoyé à partir de|inviato dal|van mijn \w+ verzonden|get outlook for|von meinem|gesendet von"
    r"|gesendet mit|hol dir outlook|envoyé de(?:puis)? mon"
    r"|télécharger outlook|enviado desde mi|obtener outlook|enviado d[oe]|obter o outlook|inviato da|ottieni outlook"
    r"|verzonden (?:vanaf|met|van)|outlook voor|downloaden?)\b)",
    re.IGNORECASE,
)
# The end of a mail, with or without a name: below an answer's text it belongs to the signature.
_SIGN_OFF = re.compile(
    r"^(?:(?:with )?(?:(?:best|kind|kindest|warm) )?(?:regards|wishes)|best|cheers|(?:many )?thanks|thank you|thx"
    r"|yours (?:sincerely|truly|faithfully)|sincerely"
    r"|mit (?:freundlichen|besten|lieben|vielen) gr(?:ü|ue)(?:ß|ss)en|(?:(?:viele|beste|liebe|schöne) )?"
    r"gr(?:ü|ue)(?:ß|ss)e|gru(?:ß|ss)|(?:vielen )?dank|danke|lg|mfg|vg|(?:bien )?cordialement|bien à vous|merci"
    r"|(?:un )?saludos?(?: cordiales)?|gracias|atentamente|(?:com os melhores )?cumprimentos|atenciosamente|abraços?"
    r"|obrigad[oa]|(?:(?:cordiali|distinti) )?saluti|grazie|met vriendelijke groet(?:en)?|groet(?:en|jes)?|bedankt|mvg)"
    r"(?:\s*[,.!]+(?:\s*\w+(?:[ .]\w+){0,2}\.?)?)?$",
    re.IGNORECASE,
)
_DAYS = (
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)day|(?:mon|diens|donners|frei|sams|sonn)tag|mittwoch"
    r"|(?:lun|mar|mercre|jeu|vendre|same)di|dimanche|lunes|martes|miércoles|jueves|viernes|sábado|domingo"
    r"|(?:segunda|terça|quarta|quinta|sexta)(?:-feira)?|(?:lune|marte|mercole|giove|vener)dì|sabato|domenica"
    r"|(?:maan|dins|woens|donder|vrij|zater|zon)dag"
)
# A time, and nothing else: no reason to send it, but when.
_WHEN = re.compile(
    rf"(?:(?:on|am|le|el|na|no|op)\s+)?(?:later|tomorrow|tonight|next|{_DAYS}|später|morgen|nächste\w*|plus tard|demain"
    r"|más tarde|mañana|mais tarde|amanhã|più tardi|domani|straks|volgende)\b(?:\s+\S+){0,3}$",
    re.IGNORECASE,
)
# "Send it to Bob instead", "send tomorrow", "send it back", "send with Bob in Cc", "send when she asks": SEND does none
# of these, it sends the mail as it is, now.
_ELSE = (
    r"to|later|tomorrow|tonight|next|back|me|us|with|without|when|once|if|unless|until|till|after|only|another|again"
    r"|instead|copy|first|but|aber|mais|pero|mas|ma|maar"
    r"|an(?=\s+(?-i:[A-ZÄÖÜ]))|später|morgen|nächste\w*|zurück|mir|uns|mit|ohne|wenn|falls|sobald|erst|nur|nach|bis"
    r"|nochmal|à|plus tard|demain|moi|nous|avec|sans|quand|lorsque|si|dès|après|seulement"
    r"|más tarde|mañana|con|sin|cuando|después|solo|sólo|al|otr[oa]"
    r"|para|mais tarde|amanhã|com|sem|quando|se|depois|só|somente|outr[oa]|de volta"
    r"|più tardi|domani|senza|dopo|indietro|di nuovo"
    rf"|aan|straks|terug|met|zonder|als|wanneer|zodra|pas|alleen|opnieuw|{_DAYS}"
)
_ARTICLE = r"on|at|in|a|an|am|um|im|eine?n?|le|el|una?|une?|na|no|uma?|op|om|een"
_OTHERWISE = re.compile(rf"(?:{_ELSE}|{_ARTICLE})\b", re.IGNORECASE)
# Behind a comma stands a reason, "SEND, a customer waits", or a time or a copy: "SEND, in an hour".
_OTHERWISE_ASIDE = re.compile(
    rf"(?:(?:{_ELSE})\b|(?:{_ARTICLE})\s+(?:\w+['’\s]\s*)?(?:{_DAYS}|\d|(?:cop(?:y|ies|ie|ia)|kopie\w*|cópia)\b"
    r"|(?:later|später|tard|tarde|tardi|hours?|minutes?|days?|weeks?|moment|mornings?|afternoon|evening|noon|stunden?|minuten?|tage?n?|wochen?"
    r"|abend|nachmittag|mittag|heures?|jours?|semaines?|matin|soir|horas?|minutos?|d[ií]as?|semanas?|tarde|noche"
    r"|manhã|noite|or[ae]|minut[oi]|giorn[oi]|settiman[ae]|mattin[ao]|sera|uur|dag(?:en)?|weke?n?|ochtend|middag"
    r"|avond)\b))",
    re.IGNORECASE,
)
# "FIX, but without Bob", "NOTE, and tell her …": the gateway adds whom it proposed, in its own words.
_CHANGES = re.compile(
    r"\b(?:without|except|instead|too|also|as well|remove|add|only|tell|say|write|ohne|außer|statt|stattdessen|auch|nur"
    r"|sans|sauf|aussi|sin|excepto|también|sem|exceto|também|senza|tranne|anche|zonder|behalve|ook)\b",
    re.IGNORECASE,
)
_LONG_LINE = 50
"""Characters of a line that a mail program may have broken: what comes below it is the rest of its sentence."""
_COMMAND_WORDS = frozenset(word.lower() for words in COMMANDS.values() for word in words.values())
_SEPARATOR = re.compile(r"^\s*[:=–—-]\s*|^\s*$")
_TOGETHER = frozenset({"fix", "reason", "eta"})
"""Answers that do not contradict one another."""


def parse_answer(text: str, subject: str = "") -> Answer:
    """Read the new text of a reply (quote and signature already off, but this does not rely on it).

    `subject` counts only when the text is empty, as some phones leave it that fill in a mailto: link.
    """
    lines = _own_lines(text)
    if not any(lines):
        lines = _own_lines(subject) if not re.match(r"\s*[a-z]{1,4}\s*:\s", subject, re.IGNORECASE) else []
        lines = lines or (_own_lines(subject) if _kind_of(subject) else [])
    found: dict[Kind, str] = {}
    problem: Problem = "nothing"
    taken = 0
    for number, line in enumerate(lines):
        if number < taken or not line or _goes_on(lines[number - 1] if number > taken else "", line):
            continue
        read = _read_line(line, lines[number + 1 :])
        if read is None:
            continue
        if not isinstance(read, _Said):
            problem = read
            if read == "negated":
                return Answer.unclear(read)
            continue
        taken = number + 1 + read.below
        if read.text or read.kind not in found:
            found[read.kind] = read.text
    if not found:
        return Answer.unclear(problem)
    if problem == "more":
        return Answer.unclear("several")  # such as the notice itself, sent back whole
    if problem in ("no-reason", "no-date") and not found.keys() - _TOGETHER:
        return Answer.unclear(problem)  # "FIX, REASON:" with nothing behind it: half of what was wanted
    return _answer(found)


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


def unsigned(text: str, name: str) -> str:
    """The text without the writer's name at its end, in full or the first one: a signature, no part of a reason."""
    words, names = text.split(), [each.casefold() for each in name.split()]
    for signature in (names, names[:1]):
        tail = [word.strip(",.-–").casefold() for word in words[-len(signature) :]] if signature else []
        if signature and tail == signature and len(words) > len(signature):
            return " ".join(words[: -len(signature)]).rstrip(" ,–-")
    return text


def _own_lines(text: str) -> list[str]:
    """The lines that the person wrote, bare of decoration, up to the first sign of a quote or signature."""
    lines: list[str] = []
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")[:MAX_LINES]:
        if _END.match(line.strip()):
            break
        lines.append(line.strip(_DECORATION))
    return lines


def _goes_on(above: str, line: str) -> bool:
    """Whether a sentence of the line above was broken there: "… and I do not know how to / fix it, please"."""
    return len(above) >= _LONG_LINE and (above[-1].isalnum() or above[-1] == ",") and line[:1].islower()


def _kind_of(line: str) -> Kind | None:
    match = _WORD.match(line[_polite_end(line) :])
    return SYNONYMS.get(match[1].lower()) if match else None


def _read_line(line: str, below: Sequence[str]) -> _Said | Problem | None:
    """The answer in one line, what is wrong with it, or None for a line that is none, such as a greeting."""
    rest = line[_polite_end(line) :]
    match = _WORD.match(rest)
    kind = SYNONYMS.get(match[1].lower()) if match else None
    if match and match[1].lower() in EITHER and not re.match(r"\s*\w", match[2]):
        return "either"
    if match is None or kind is None:
        return "negated" if _negated(line) else None
    tail = match[2]
    if kind == "send":
        return _send(tail, below)
    if kind in ("reason", "eta"):
        return _text(kind, match[1], tail, below)
    if tail[:1] == "/" or _AND.match(tail) or tail.rstrip(_DECORATION)[-1:] in ("?", "？"):  # "Fix?" asks what it is
        return "more"
    words = re.findall(r"[^\W\d_]+", tail.lower())
    if all(word in _FILLERS for word in words) and not re.search(r"\d", tail):
        return _Said(kind)
    if kind == "wrong":
        # "Wrong. I will write it anew" may be said of the mail, not of the stop: sending cannot be taken back.
        plain = re.match(r"\s*[:=]", tail) and not _names_another(tail, kind)
        return _Said(kind, _one_line(tail)) if plain else ("negated" if _negated(tail) else "either")
    if kind in ("fix", "note") and (re.match(r"\s*[:=]", tail) or _CHANGES.search(tail)):
        return "more"  # "NOTE: Bob calls at five" would not be in the note
    # "DISCARD, I'll write a new one": an aside after a comma or full stop; anything else may change the meaning.
    aside = re.match(r"^(?:\s+(?:it|this|please|bitte|es|sie|die mail))?\s*[,.;:!–—-]\s*(.+)$", tail, re.IGNORECASE)
    if aside and not _negated(aside[1]) and not _names_another(aside[1], kind):
        return _Said(kind)
    return "negated" if _negated(tail) else "more"


def _text(kind: Kind, word: str, tail: str, below: Sequence[str]) -> _Said | Problem | None:
    """REASON or ETA with its text: behind the word and on the lines below, up to an empty one or the next answer."""
    if not _SEPARATOR.match(tail) and word.lower() not in _COMMAND_WORDS:
        return None  # "When will she …" is no answer
    lines = [_one_line(tail)]
    used = 0
    for line in below:
        if (not line and any(lines)) or (line and _read_line_starts(line)) or _SIGN_OFF.match(line):
            break
        used += 1
        lines.append(line)
    text = _one_line(" ".join(line for line in lines if line))
    words = re.findall(r"\w+", text.lower())
    if not re.search(r"\w", text) or all(each in _FILLERS or each in _UNFILLED for each in words):
        return "no-reason" if kind == "reason" else "no-date"
    return _Said(kind, text, used)


def _read_line_starts(line: str) -> bool:
    """Whether the next answer begins here: its word, and nothing that makes a sentence of it."""
    match = _WORD.match(line[_polite_end(line) :])
    if match is None or match[1].lower() not in SYNONYMS:
        return False
    return bool(_SEPARATOR.match(match[2])) or match[1].isupper()


def _send(tail: str, below: Sequence[str]) -> _Said | Problem | None:
    """SEND with its why: behind the word, or on the lines below."""
    if _NEGATED.match(tail):
        return "negated"
    if tail and not tail[0].isspace() and tail[0] not in ":,-–—.!;":
        return None
    marked = re.match(r"\s*[:=–—-]", tail)  # behind a colon or dash all is the reason: "SEND: to be safe"
    why = _one_line(_AS_IT_IS.sub("", tail.strip()) if tail[:1].isspace() and not marked else tail)
    aside = re.match(r"\s*(?:\w+(?:\s\w+)?\s*)?[,.;!]", tail)
    unmarked = _OTHERWISE_ASIDE if aside else _OTHERWISE
    if (_WHEN if marked or re.search(r"[:=–—-]", tail[:12]) else unmarked).match(why):
        return "more"
    if not re.search(r"\w", why):
        own = takewhile(lambda line: not _SIGN_OFF.match(line), below)
        why = _one_line(" ".join(line for line in own if line and _plain_command(line) is None))
    words = re.findall(r"\w+", why.lower())
    # "why" and "Grund" alone are the notice's own words, sent back unfilled.
    if not re.search(r"\w\w", why) or all(word in _FILLERS or word in _UNFILLED for word in words):
        return "no-reason"
    return _Said("send", why)


def _one_line(text: str) -> str:
    bare = text.strip(" \t:,=–—.!;" + _DECORATION)
    return " ".join("".join(ch if ch.isprintable() else " " for ch in bare).split())[:MAX_WHY]


def _plain_command(line: str) -> Kind | None:
    """The answer that a line is, when it is nothing but the word."""
    match = _WORD.match(line[_polite_end(line) :])
    return SYNONYMS.get(match[1].lower()) if match and not re.search(r"\w", match[2]) else None


def _polite_end(line: str) -> int:
    match = _POLITE.match(line)
    return match.end() if match else 0


def _negated(line: str) -> bool:
    """True for "do not send it": a negation and an answer's word in one line."""
    return bool(_NEGATION.search(line)) and any(word in SYNONYMS for word in re.findall(r"[^\W\d_]+", line.lower()))


def _names_another(text: str, kind: Kind) -> bool:
    return any(SYNONYMS.get(word, kind) != kind for word in re.findall(r"[^\W\d_]+", text.lower()))
