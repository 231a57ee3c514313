"""The words that settle a held mail: what notices show in each language, and what is understood in all of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Kind = Literal["fix", "reason", "eta", "note", "consult", "send", "wrong", "discard"]
"""What an answer asks for (DESIGN.md §4)."""

COMMANDS: Mapping[str, Mapping[Kind, str]] = {
    "en": {
        "fix": "FIX", "reason": "REASON", "eta": "ETA", "note": "NOTE", "consult": "CONSULT", "send": "SEND",
        "wrong": "WRONG", "discard": "DISCARD",
    },
    "de": {
        "fix": "ERGÄNZEN", "reason": "GRUND", "eta": "TERMIN", "note": "NOTIZ", "consult": "RÜCKFRAGE",
        "send": "SENDEN", "wrong": "FEHLALARM", "discard": "VERWERFEN",
    },
    "fr": {
        "fix": "AJOUTER", "reason": "MOTIF", "eta": "DÉLAI", "note": "NOTE", "consult": "CONSEIL", "send": "ENVOYER",
        "wrong": "INJUSTIFIÉ", "discard": "SUPPRIMER",
    },
    "es": {
        "fix": "AÑADIR", "reason": "MOTIVO", "eta": "PLAZO", "note": "NOTA", "consult": "CONSULTA", "send": "ENVIAR",
        "wrong": "INJUSTIFICADO", "discard": "DESCARTAR",
    },
    "pt": {
        "fix": "ADICIONAR", "reason": "RAZÃO", "eta": "PRAZO", "note": "NOTA", "consult": "CONSULTA",
        "send": "ENVIAR", "wrong": "INJUSTIFICADO", "discard": "DESCARTAR",
    },
    "it": {
        "fix": "AGGIUNGI", "reason": "RAGIONE", "eta": "SCADENZA", "note": "NOTA", "consult": "CONSULTO",
        "send": "INVIA", "wrong": "INGIUSTIFICATO", "discard": "SCARTA",
    },
    "nl": {
        "fix": "TOEVOEGEN", "reason": "REDEN", "eta": "TERMIJN", "note": "NOTITIE", "consult": "OVERLEG",
        "send": "VERZENDEN", "wrong": "ONTERECHT", "discard": "VERWIJDEREN",
    },
}  # fmt: skip
"""language -> answer -> the word that notices in that language show."""

_MORE: Mapping[Kind, str] = {
    "fix": "add corregir corrigir ergaenzen ergänze hinzufügen hinzufuegen beheben korrigieren ajoute ajoutez corriger"
    " anadir añade"
    " agregar agrega agrégala agrégalo añádela añádelo anadela anadelo adicione adiciona acrescentar acrescenta"
    " aggiungere"
    " aggiungila aggiungilo correggi toevoegen voeg füge fuege",
    "reason": "because begründung begruendung raison razón razon razao motif motivazione",
    "eta": "date deadline when datum frist delai délai echeance échéance fecha data quando wanneer",
    "note": "notiz nota",
    "consult": "avis rueckfrage rückfragen consulter consultar consultare",
    "send": "sende absenden abschicken schicken envoie envoyez envía envia envie envíalo envíala envialo enviala"
    " inviare inviala"
    " invialo verstuur verstuurt stuur",
    "wrong": "fehlalarm",
    "discard": "delete löschen loeschen lösche lösch verwirf verwerfe efface effacez effacer supprime supprimez"
    " borrar borra"
    " bórralo bórrala borralo borrala descarta descártalo descartalo elimínalo eliminalo eliminar apagar apaga apague"
    " elimina eliminare cancella cancellalo cancellala scartalo scartala verwijder weggooien",
}
"""Other words that people write for the same, without accents too."""

_EITHER = (
    "mistake error falsch faux equivocado equivocada errado errada errato errata verkeerd fehler irrtum versehen erreur"
    " equivocación equivocacion erro engano errore sbaglio fout vergissing"
)
EITHER = frozenset(_EITHER.split())
"""What is said of a stop and of a mail alike: WRONG sends, so such a word alone is asked back."""


def _synonyms() -> Mapping[str, Kind]:
    found: dict[str, Kind] = {}
    for words in COMMANDS.values():
        for kind, word in words.items():
            found.setdefault(word.lower(), kind)
            found.setdefault(plain(word), kind)
    for kind, text in _MORE.items():
        for word in text.split():
            found.setdefault(word, kind)
    return found


def plain(word: str) -> str:
    """In lower case, without accents: as many keyboards have it."""
    from unicodedata import normalize

    return "".join(each for each in normalize("NFD", word.lower()) if not "\u0300" <= each <= "\u036f")


SYNONYMS: Mapping[str, Kind] = _synonyms()
"""Every word that is understood, in lower case."""


def command(kind: Kind, lang: str) -> str:
    """The word for an answer in this language, in English where it has none."""
    return COMMANDS.get(lang.lower().partition("-")[0], COMMANDS["en"])[kind]
