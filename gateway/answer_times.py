"""Times in an answer: one and nothing else says when, and is no reason. In seven languages at once."""

from __future__ import annotations

import re

from gateway.day_words import weekdays


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


WEEKDAY = "|".join(re.escape(day) for day in weekdays())
_TIME = re.compile(
    rf"(?:{WEEKDAY}|\d{{1,2}}(?:st|nd|rd|th)?|\d{{1,2}}[:.h]\d{{0,2}}(?:am|pm|h)?|\d{{1,2}}(?:am|pm|h|uhr)"
    r"|today|tonight|tomorrow|later|soon|eventually|morning|noon|midday|afternoon|evening|night|weekend|hours?"
    r"|minutes?|mins?"
    r"|days?|weeks?|moment|am|pm|lunch"
    r"|heute|morgen|übermorgen|später|nachher|abends?|vormittags?|mittags?|nachmittags?|stunden?|minuten?|tage?n?"
    r"|wochen?(?:ende)?|uhr|demnächst"
    r"|aujourd['’]hui|demain|après-demain|tard|tantôt|matin|midi|après-midi|soir|heures?|minutes?|jours?|semaines?"
    r"|hoy|mañana|tarde|luego|noche|mediodía|horas?|minutos?|d[ií]as?|semanas?"
    r"|hoje|amanhã|manhã|noite|logo|meio-dia"
    r"|oggi|domani|dopodomani|tardi|stasera|stamattina|mattin[ao]|pomeriggio|sera|mezzogiorno|or[ae]|minut[oi]"
    r"|giorn[oi]"
    r"|settiman[ae]"
    r"|vandaag|overmorgen|straks|vanavond|vanmiddag|vanochtend|ochtend|middag|avond|uur|dag(?:en)?|wee?k(?:en)?)$",
    re.IGNORECASE,
)
_BESIDE_TIMES = _words(
    "on at in a an the around about by before after this next first thing one two three half few couple of or so til"
    " bit"
    " little then instead please early late end"
    " am um im in an einer einem einen eine nach vor gegen ab dem der den nächste nächsten nächster diese diesen"
    " kommenden"
    " früh bis etwas erst noch bitte zwei drei paar"
    " à a le la les en dans une un vers ce cette prochain prochaine d ici plus peu deux svp début fin"
    " las los el por próximo próxima esta este de al más un poco dos"
    " às no na em um uma pela o próximo mais pouco dois"
    " alle all tra fra un' nella il questa questo prossima prossimo di più po' due del"
    " om over een het deze dit volgende na iets"
)


def only_a_time(clause: str) -> bool:
    """Whether a clause is a time and nothing else: when to send it, no reason for it."""
    words = [word for part in clause.split() for word in re.split(r"(?<=\b[dl])['’]|(?<=\bun)['’]", part.strip(".,!"))]
    times = [word for word in words if _TIME.match(word)]
    return bool(times) and all(_TIME.match(word) or word.lower() in _BESIDE_TIMES for word in words)
