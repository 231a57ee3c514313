"""Web forms: mail that a website wrote for somebody, whose name and address stand in its text and not in its From."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.mail.address import Mailbox
from gateway.mail.lines import Line
from gateway.mail.people import clean_name, find_address
from gateway.mail.phrases import phrases

_MACHINE = re.compile(
    "web|form|noreply|no-reply|no_reply|donotreply|do-not-reply|do_not_reply|notification|robot|contact|kontakt|mailer"
)
_NAMES = frozenset(
    phrases(
        """
    name|full name|your name|customer|customer name|contact name|sender|sender name|submitted by|web mail from|
    web form from|message from|ihr name|vor- und nachname|kunde|nom|votre nom|nom complet|nom et prénom|nombre|
    nombre completo|nombre y apellidos|su nombre|nome|nome completo|nome e cognome|o seu nome|seu nome|naam|uw naam|
    volledige naam|navn|namn|nimi|imię i nazwisko|jméno|meno|név|nume|ime|ad soyad|имя|фио|ім'я|お名前|氏名
        """
    )
)
_ADDRESSES = frozenset(
    phrases(
        """
    e-mail|email|mail|e mail|e-mail address|email address|your email|your e-mail|from email|reply-to|reply to|
    e-mail-adresse|emailadresse|e-mailadresse|mailadresse|ihre e-mail|adresse e-mail|adresse email|adresse mail|
    courriel|votre e-mail|mél|correo|correo electrónico|su correo|indirizzo e-mail|indirizzo email|la tua e-mail|
    posta elettronica|endereço de e-mail|endereço de email|seu e-mail|e-mailadres|emailadres|uw e-mail|e-post|
    e-postadress|
    sähköposti|adres e-mail|e-mailová adresa|e-mail cím|adresă de e-mail|e-pošta|e-posta|почта|электронная почта|
    електронна пошта|メールアドレス|メール
        """
    )
)
_FARTHEST = 200
"""Lines of a quoted mail that are searched."""


@dataclass(frozen=True, slots=True)
class FormSender:
    """Who filled the form in, and the lines (first, end) that say so."""

    mailbox: Mailbox
    first: int
    end: int


def is_machine(author: Mailbox) -> bool:
    """Whether an address is such as websites send their forms from."""
    local = author.key.partition("@")[0] or author.name.lower()
    return _MACHINE.search(local) is not None


def read_form(lines: Sequence[Line], start: int, end: int, author: Mailbox) -> FormSender | None:
    """The person that the form in `lines[start:end]` names, sent by `author`; None where it names nobody."""
    name = address = lone = ""
    first = last = -1
    for at in range(start, min(end, start + _FARTHEST)):
        text = lines[at].text.strip()
        label, colon, value = text.partition(":")
        key = label.strip(" *_\u00a0").lower()
        place = find_address(value) if colon and key in _ADDRESSES else None
        if place is not None and not address:
            address, last = value[place[0] : place[1]], at
        elif colon and key in _NAMES and not name:
            name, first = clean_name(value[:120]), at
        elif name and not lone and "@" in text and len(text.split()) < 4:
            found = find_address(text)
            lone = text[found[0] : found[1]] if found else ""
    address = address or lone
    if not name or address.lower() == author.key:
        return None
    return FormSender(Mailbox(address, name), first, max(first, last) + 1)
