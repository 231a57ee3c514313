"""The words of the pages: gettext catalogues, and dates and numbers as the language has them."""

from __future__ import annotations

import functools
import io
from collections.abc import Sequence
from datetime import datetime, tzinfo
from pathlib import Path

from babel import Locale
from babel.core import negotiate_locale
from babel.dates import format_date, format_datetime, format_timedelta
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent
from babel.support import NullTranslations, Translations

FOLDER = Path(__file__).with_name("locale")
LANGUAGES = ("en", "de")
"""English is what stands in the pages; for every other language there is a folder with its catalogue."""
LOCALES = {"en": "en_GB", "de": "de_DE"}


@functools.cache
def catalogue(language: str) -> NullTranslations:
    """The translations of a language. The readable form is read, so that no made file can be out of date."""
    path = FOLDER / language / "console.po"
    if not path.exists():
        return NullTranslations()
    with path.open("rb") as file:
        messages = read_po(file, locale=language)
    made = io.BytesIO()
    write_mo(made, messages)
    made.seek(0)
    return Translations(made)


def language_of(chosen: str, accepted: str) -> str:
    """The language of a page: what the reader chose, else the best of Accept-Language (RFC 9110 §12.5.4)."""
    if chosen in LANGUAGES:
        return chosen
    return negotiate_locale(_accepted(accepted), LANGUAGES, sep="-") or "en"


def _accepted(header: str) -> Sequence[str]:
    found = []
    for number, part in enumerate(header[:500].split(",")):
        tag, _, weight = part.strip().partition(";")
        try:
            quality = float(weight.strip().removeprefix("q=")) if weight else 1.0
        except ValueError:
            quality = 0.0
        if quality > 0 and tag:
            found.append((-quality, number, tag.partition("-")[0].lower()))
    return [tag for _, _, tag in sorted(found)]


class Words:
    """How one reader is spoken to."""

    def __init__(self, language: str, zone: tzinfo) -> None:
        self.language, self.zone = language, zone
        self.locale = Locale.parse(LOCALES[language])
        self.catalogue = catalogue(language)

    def moment(self, at: datetime) -> str:
        """Day and time to the minute, in the site's zone."""
        return format_datetime(at.astimezone(self.zone), "d MMM y, HH:mm", locale=self.locale)

    def exact(self, at: datetime) -> str:
        """To the second, with the zone."""
        return format_datetime(at.astimezone(self.zone), "d MMM y, HH:mm:ss z", locale=self.locale)

    def day(self, at: datetime) -> str:
        return format_date(at.astimezone(self.zone).date(), "d MMM", locale=self.locale)

    def since(self, at: datetime, now: datetime) -> str:
        """How far away a time is, in words: "3 hours ago", "in 2 days"."""
        return format_timedelta(at - now, add_direction=True, threshold=1.2, locale=self.locale)

    def number(self, value: float) -> str:
        return format_decimal(value, locale=self.locale)

    def percent(self, value: float) -> str:
        return format_percent(value, locale=self.locale)
