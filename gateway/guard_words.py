"""Why nobody can be added to a mail, in the languages of the notices; leak guard and log speak English. Pure."""

from __future__ import annotations

from collections.abc import Mapping

WHY: Mapping[str, Mapping[str, str]] = {
    "de": {
        "sealed": "die Mail ist signiert oder verschlüsselt und darf nicht verändert werden",
        "unknown": "niemand kennt die Adresse",
        "unreadable": "die Mail konnte nicht gelesen werden",
        "refused": "der Kopf der Mail oder der Mailserver lässt es nicht zu",
    },
    "fr": {
        "sealed": "le message est signé ou chiffré et ne doit pas être modifié",
        "unknown": "personne ne connaît l'adresse",
        "unreadable": "le message n'a pas pu être lu",
        "refused": "l'en-tête du message ou le serveur ne le permet pas",
    },
    "es": {
        "sealed": "el mensaje está firmado o cifrado y no se puede modificar",
        "unknown": "nadie conoce la dirección",
        "unreadable": "el mensaje no se pudo leer",
        "refused": "la cabecera del mensaje o el servidor no lo permite",
    },
    "pt": {
        "sealed": "a mensagem está assinada ou cifrada e não pode ser alterada",
        "unknown": "ninguém sabe o endereço",
        "unreadable": "não foi possível ler a mensagem",
        "refused": "o cabeçalho da mensagem ou o servidor não o permite",
    },
    "it": {
        "sealed": "il messaggio è firmato o cifrato e non va modificato",
        "unknown": "nessuno conosce l'indirizzo",
        "unreadable": "il messaggio non si è potuto leggere",
        "refused": "l'intestazione del messaggio o il server non lo permette",
    },
    "nl": {
        "sealed": "het bericht is ondertekend of versleuteld en mag niet worden gewijzigd",
        "unknown": "niemand kent het adres",
        "unreadable": "het bericht kon niet worden gelezen",
        "refused": "de kop van het bericht of de mailserver laat het niet toe",
    },
}
"""language -> clause (`gateway.policy.guard.CLAUSES`; "refused" where it was tried) -> the end of a sentence."""


def why_in(lang: str, clause: str, english: str) -> str:
    """The reason in this language, in English where it has none for it."""
    return WHY.get(lang.lower().partition("-")[0], {}).get(clause, english)
