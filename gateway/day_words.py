"""Times as people write them, in the languages of the templates. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

NO_SUBJECT: Mapping[str, str] = {
    "en": "(no subject)",
    "de": "(ohne Betreff)",
    "fr": "(sans objet)",
    "es": "(sin asunto)",
    "pt": "(sem assunto)",
    "it": "(senza oggetto)",
    "nl": "(geen onderwerp)",
}

_DAYS: Mapping[str, str] = {
    "en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    "de": "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag",
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche",
    "es": "lunes martes miércoles jueves viernes sábado domingo",
    "pt": "segunda-feira terça-feira quarta-feira quinta-feira sexta-feira sábado domingo",
    "it": "lunedì martedì mercoledì giovedì venerdì sabato domenica",
    "nl": "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag",
}
_MONTHS: Mapping[str, str] = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
}
_FORMS: Mapping[str, tuple[str, str]] = {
    "en": ("{day} {d} {month}", "{date}, {time}"),
    "de": ("{day}, {d}. {month}", "{date}, {time} Uhr"),
    "fr": ("{day} {d} {month}", "{date} à {time}"),
    "es": ("{day} {d} de {month}", "{date}, {time} h"),
    "pt": ("{day}, {d} de {month}", "{date}, {time}"),
    "it": ("{day} {d} {month}", "{date}, ore {time}"),
    "nl": ("{day} {d} {month}", "{date}, {time} uur"),
}
"""Of a day, and of a moment."""


def weekdays() -> tuple[str, ...]:
    """The weekdays of all languages, in lower case, the longest first, as they stand in running text: in Portuguese
    without "feira" as well."""
    names = {name.lower() for line in _DAYS.values() for name in line.split()}
    names |= {name.removesuffix("-feira") for name in names}
    return tuple(sorted(names, key=lambda name: (-len(name), name)))


def day_in_words(at: datetime, lang: str) -> str:
    """A day for people: "Tuesday 3 June", in English where the language is not known."""
    lang = lang if lang in _FORMS else "en"
    number = "1er" if lang == "fr" and at.day == 1 else str(at.day)
    day, month = _DAYS[lang].split()[at.weekday()], _MONTHS[lang].split()[at.month - 1]
    return _FORMS[lang][0].format(day=day, d=number, month=month)


def in_words(at: datetime, lang: str, *, zone: bool = False) -> str:
    """A moment for people: "Tuesday 3 June, 17:00"; with its zone where they have to act by it: "17:00 (CEST)"."""
    lang = lang if lang in _FORMS else "en"
    words = _FORMS[lang][1].format(date=day_in_words(at, lang), time=f"{at:%H:%M}")
    return f"{words} ({_zone(at)})" if zone and at.tzinfo is not None else words


def _zone(at: datetime) -> str:
    """CEST; UTC-03 where a zone has no letters of its own."""
    name = at.tzname() or ""
    return f"UTC{name}" if name[:1] in ("+", "-") else name
