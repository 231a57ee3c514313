"""What the pages work with: the store, the rules of the moment, what settles holds, and their templates."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from gateway import __version__
from gateway.console import names
from gateway.console.attempts import Attempts
from gateway.console.marked import quoted
from gateway.console.place import Place
from gateway.console.texts import LANGUAGES, catalogue
from gateway.correspondence import Correspondence
from gateway.rules import Rules
from gateway.settling import Settling
from gateway.site.model import Site
from gateway.store.store import Store

if TYPE_CHECKING:
    from gateway.console.provider import Provider

HASHING_AT_ONCE = 2
"""Passwords that are checked at the same time: each takes 64 MiB and a processor."""


@dataclass
class Parts:
    """One console. `idle` and `most` are how long a session may rest and last; `signing` is the public half of the key
    of checkpoints, "" where there is none; `provider` that of OpenID Connect, where people may log in with it."""

    store: Store
    rules: Rules
    settling: Settling
    letters: Correspondence
    place: Place
    idle: timedelta = timedelta(minutes=30)
    most: timedelta = timedelta(hours=10)
    signing: Callable[[], str] = str
    provider: Provider | None = None
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    attempts: Attempts = field(default_factory=Attempts)
    hashing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(HASHING_AT_ONCE))
    style: str = ""
    _templates: dict[str, Environment] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Changes with the style, so that no browser shows an old one.
        self.style = hashlib.sha256(
            Path(__file__).with_name("static").joinpath("console.css").read_bytes()
        ).hexdigest()[:8]
        self._templates = {language: _environment(language) for language in LANGUAGES}

    @property
    def site(self) -> Site:
        return self.rules.site

    def template(self, name: str, language: str) -> Template:
        return self._templates[language].get_template(name)


def _environment(language: str) -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("pages")),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    translations = catalogue(language)
    made.install_gettext_translations(translations, newstyle=True)  # type: ignore[attr-defined]
    made.globals["program"] = __version__
    made.globals["quoted"] = quoted
    made.globals["languages"] = LANGUAGES
    made.globals["outcome_name"] = lambda word: names.named(names.OUTCOMES, word, translations.gettext)
    made.globals["disposition_name"] = lambda word: names.named(names.DISPOSITIONS, word, translations.gettext)
    made.globals["grade_name"] = lambda word: names.named(names.GRADES, word, translations.gettext)
    made.globals["state_name"] = lambda word: names.named(names.STATES, word, translations.gettext)
    made.globals["kind_name"] = lambda word: names.named(names.KINDS, word, translations.gettext)
    made.globals["finding_name"] = lambda word: names.named(names.FINDINGS, word, translations.gettext)
    made.globals["role_name"] = lambda word: names.named(names.ROLES, word, translations.gettext)
    return made
