"""Answers as people type them: on phones, above quotes, in two languages, and the ones that must be asked back."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.answer_lines import unsigned, without_notice
from gateway.answers import Answer, parse_answer
from gateway.command_words import COMMANDS
from gateway.template_files import Templates, load_templates

FIX = [
    "FIX", "fix", "Fix.", "  FIX  ", "*FIX*", "“Fix”", "FIX!", "Fix it", "fix it please", "Please fix", "Yes, fix it.",
    "ok fix", "FIX\n\nThanks!", "Hi,\n\nFIX\n\nDana", "FIX\n-- \nDana Cole\nIT Support", "FIX\r\n", "\n\nFIX\n",
    "Thanks for catching this!\nFIX",
    "Thank you for telling me, I had not seen that she was left out here\nFix",
    "FIX, thanks for catching that", "Answer: FIX",
    "FIX\n\nSent from my iPhone", "Fix\nGet Outlook for iOS<https://aka.ms/o0ukef>",
    "ERGÄNZEN", "Ergänzen bitte", "Bitte ergänzen", "ergaenzen", "Ja, bitte ergänzen!", "Hinzufügen",
    "Ergänzen\nGruß\nTom",
    "FIX\n\nOn Mon, 2 Jun 2025 at 10:00, Gateway <gateway@notices.acme.example> wrote:\n> FIX\n> SEND: why\n> DISCARD",
    "FIX\n\n________________________________\nFrom: Referral gateway\nSent: Monday\nDISCARD\nSEND: why",
    "FIX\n\nAm 2. Juni 2025 um 10:00 schrieb gateway@notices.acme.example:\n    VERWERFEN",
    "Fix\n\nVon: Gateway\nVERWERFEN",
    "FIX\n\n-----Original Message-----\nDISCARD",
    "FIX\nFIX",
]  # fmt: skip

DISCARD = [
    "DISCARD", "discard it", "Discard, I'll write a new one", "discard.", "Delete", "Please delete it",
    "delete this mail",
    "VERWERFEN", "Verwerfen bitte", "Löschen", "bitte löschen", "loeschen", "Verwerfen, ich schreibe neu",
]  # fmt: skip

SEND = {
    "SEND: the customer is on the phone with me": "the customer is on the phone with me",
    "send: ok with Priya": "ok with Priya",
    "SEND - she asked to be left out": "she asked to be left out",
    "Send it, she already knows": "she already knows",
    "SEND as it is: she already knows": "she already knows",
    "Send anyway, she knows.": "she knows",
    "SEND because she knows": "because she knows",
    "SEND:\nshe asked me on the phone\nto leave her out": "she asked me on the phone to leave her out",
    "SEND\n\nShe knows.\n\n-- \nDana": "She knows",
    "Please send: it is urgent": "it is urgent",
    "SEND: do not add her, she asked not to be copied": "do not add her, she asked not to be copied",
    "SEND: they will fix it today": "they will fix it today",
    "SENDEN: weiß schon Bescheid": "weiß schon Bescheid",
    "Trotzdem senden: Kundin ist am Telefon": "Kundin ist am Telefon",
    "senden, sie weiß es schon": "sie weiß es schon",
    "SEND: ab\u2028c\td": "ab c d",
    "SEND: " + "x" * 900: "x" * 500,
}

UNCLEAR = {
    "": "nothing", "   \n\n": "nothing", "Thanks!": "nothing", "What does this mean?": "nothing", "fixed": "nothing",
    "sender": "nothing", "> FIX": "nothing", "-- \nFIX": "nothing", "👍": "nothing", "suffix": "nothing",
    "FIX\nDISCARD": "several", "FIX\n\nSEND: she knows": "several", "VERWERFEN\nSENDEN: eilig": "several",
    "FIX and send it": "more", "FIX/DISCARD": "more", "FIX or DISCARD?": "more", "Fix the printer first": "more",
    "discard and fix": "more", "FIX: and add Bob too": "more", "FIX but without Bob": "more",
    "Do not send": "negated", "Please don't send it": "negated", "nicht senden": "negated",
    "don’t discard it": "negated",
    "Bitte nicht löschen!": "negated", "send not": "negated", "No, don't fix it": "negated",
    "SEND": "no-reason", "SEND:": "no-reason", "send it please": "no-reason", "SEND: why": "no-reason",
    "SENDEN: Grund": "no-reason", "SEND: ...": "no-reason", "Senden bitte": "no-reason", "SEND: please": "no-reason",
}  # fmt: skip

AMEND = {
    "REASON: we have one seat a floor": ("we have one seat a floor", "", False),
    "Reason: we have one seat a floor.\n\nDana": ("we have one seat a floor", "", False),
    "REASON we have one seat a floor": ("we have one seat a floor", "", False),
    "REASON:\nwe have one seat\na floor\n\nThanks": ("we have one seat a floor", "", False),
    "REASON: one seat a floor\nand she has it\n\nSent from my iPhone": ("one seat a floor and she has it", "", False),
    "ETA: Friday 3 pm": ("", "Friday 3 pm", False),
    "eta friday": ("", "friday", False),
    "REASON: the part is late\nETA: 3 June": ("the part is late", "3 June", False),
    "FIX\nREASON: the part is late": ("the part is late", "", True),
    "FIX\n\nETA: tomorrow\n\nREASON: the part is late\n-- \nDana": ("the part is late", "tomorrow", True),
    "REASON: we discard them in May, so none is left": ("we discard them in May, so none is left", "", False),
    "GRUND: das Teil kommt erst": ("das Teil kommt erst", "", False),
    "Bitte Grund: das Teil kommt erst\nTermin: Freitag": ("das Teil kommt erst", "Freitag", False),
    "MOTIF : la pièce arrive en retard\n\nEnvoyé de mon iPhone": ("la pièce arrive en retard", "", False),
    "DÉLAI : vendredi 15 h": ("", "vendredi 15 h", False), "delai: vendredi": ("", "vendredi", False),
    "MOTIVO: la pieza llega tarde": ("la pieza llega tarde", "", False), "PLAZO: el viernes": ("", "el viernes", False),
    "Razão: a peça está atrasada": ("a peça está atrasada", "", False),
    "Prazo: sexta-feira": ("", "sexta-feira", False),
    "Ragione: il pezzo arriva tardi": ("il pezzo arriva tardi", "", False), "SCADENZA: venerdì": ("", "venerdì", False),
    "Reden: het onderdeel is laat": ("het onderdeel is laat", "", False), "TERMIJN: vrijdag": ("", "vrijdag", False),
}  # fmt: skip

WORDS = {
    "NOTE": "note", "Note please": "note", "NOTIZ": "note", "NOTA": "note", "NOTITIE": "note",
    "CONSULT": "consult", "Consult, I keep it": "consult", "RÜCKFRAGE": "consult", "rueckfrage": "consult",
    "AVIS": "consult", "CONSEIL": "consult", "CONSULTA": "consult", "Consulto": "consult", "OVERLEG": "consult",
    "WRONG": "wrong", "wrong.": "wrong", "FEHLALARM": "wrong", "INJUSTIFIÉ": "wrong",
    "injustifie": "wrong", "INJUSTIFICADO": "wrong", "Ingiustificato": "wrong", "ONTERECHT": "wrong",
    "AJOUTER": "fix", "Oui, ajouter svp": "fix", "AÑADIR": "fix", "anadir": "fix", "adicionar por favor": "fix",
    "AGGIUNGI": "fix", "Toevoegen graag": "fix",
    "SUPPRIMER": "discard", "DESCARTAR": "discard", "scarta": "discard", "VERWIJDEREN": "discard",
    "AJOUTER\n\nLe lun. 2 juin 2025 à 10:00, Gateway <gateway@notices.acme.example> a écrit :\nSUPPRIMER": "fix",
    "TOEVOEGEN\nVerzonden vanaf mijn iPhone": "fix", "DESCARTAR\n\nEnviado desde mi iPhone": "discard",
}  # fmt: skip

SEND_ELSEWHERE = {
    "ENVOYER : elle est déjà au courant": "elle est déjà au courant",
    "Envoyer quand même, elle le sait": "elle le sait",
    "ENVIAR: ya lo sabe": "ya lo sabe",
    "INVIA: lo sa già": "lo sa già",
    "VERZENDEN: ze weet het al": "ze weet het al",
    "WRONG: she asked to be left out": "she asked to be left out",
    "INJUSTIFIÉ : elle est en copie": "elle est en copie",
}


@pytest.mark.parametrize("text", AMEND)
def test_what_goes_into_the_mail(text: str) -> None:
    reason, eta, fix = AMEND[text]
    assert parse_answer(text) == Answer("amend", reason=reason, eta=eta, fix=fix)


@pytest.mark.parametrize("text", WORDS)
def test_one_word_in_seven_languages(text: str) -> None:
    answer = parse_answer(text)
    assert (answer.kind, answer.problem) == (WORDS[text], "")


@pytest.mark.parametrize("text", SEND_ELSEWHERE)
def test_why_in_seven_languages(text: str) -> None:
    answer = parse_answer(text)
    assert answer.kind in ("send", "wrong") and answer.why == SEND_ELSEWHERE[text]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("REASON", "no-reason"), ("REASON: why", "no-reason"), ("ETA:", "no-date"), ("ETA: date", "no-date"),
        ("FIX\nREASON:", "no-reason"), ("When will she get it?", "nothing"), ("Note that she knows", "more"),
        ("REASON: late\nDISCARD", "several"), ("NOTE\nCONSULT", "several"), ("ETA: Friday\nSEND: she knows", "several"),
        ("Ne pas envoyer", "negated"), ("no enviar", "negated"), ("niet verzenden", "negated"),
        ("não descartar", "negated"), ("Wrong address, please send again", "either"),
        ("AJOUTER et envoyer", "more"), ("GRUND: Grund", "no-reason"),
    ],
)  # fmt: skip
def test_halves_and_contradictions_are_asked_back(text: str, problem: str) -> None:
    assert parse_answer(text) == Answer("unclear", problem=problem)


@pytest.mark.parametrize("text", FIX)
def test_fix(text: str) -> None:
    assert parse_answer(text) == Answer("fix")


@pytest.mark.parametrize("text", DISCARD)
def test_discard(text: str) -> None:
    assert parse_answer(text) == Answer("discard")


@pytest.mark.parametrize("text", SEND)
def test_send_keeps_the_reason(text: str) -> None:
    assert parse_answer(text) == Answer("send", SEND[text])


@pytest.mark.parametrize("text", UNCLEAR)
def test_what_is_not_clear_is_asked_back(text: str) -> None:
    assert parse_answer(text) == Answer("unclear", problem=UNCLEAR[text])


def test_the_subject_counts_only_when_the_text_is_empty_and_it_is_no_reply() -> None:
    assert parse_answer("", "FIX") == Answer("fix")
    assert parse_answer("\n", "SEND: she knows") == Answer("send", "she knows")
    assert parse_answer("", "Re: FIX").kind == "unclear"
    assert parse_answer("DISCARD", "FIX") == Answer("discard")


@given(st.text(max_size=400))
def test_any_text_gives_an_answer_on_one_line(text: str) -> None:
    answer = parse_answer(text)
    assert (answer.kind == "unclear") == bool(answer.problem)
    assert len(answer.why.splitlines()) <= 1 and len(answer.why) <= 500


def test_long_hostile_texts_take_no_time() -> None:
    for text in ("on " * 50_000, "please " * 50_000, "SEND " + "it " * 100_000, "wrote " * 50_000, "fix\n" * 100_000):
        parse_answer(text)


@cache
def _templates() -> Templates:
    return load_templates(Path(__file__).parent.parent / "templates")


@pytest.mark.parametrize("lang", sorted(COMMANDS))
def test_a_button_that_is_sent_back_unfilled_is_asked_back(lang: str) -> None:
    """What a notice shows, and what its link fills in, is no reason of anybody's."""
    templates = _templates()
    label = templates.render("answers/send", lang, {}).lines["label"]
    for text in (label, f"{COMMANDS[lang]['send']}: "):
        assert parse_answer(text) == Answer("unclear", problem="no-reason"), text
    for kind, problem in (("reason", "no-reason"), ("eta", "no-date")):
        label = templates.render(f"answers/{kind}", lang, {}).lines["label"]
        assert parse_answer(label) == Answer("unclear", problem=problem), label
    for kind, problem in (("send", "no-reason"), ("reason", "no-reason"), ("eta", "no-date")):
        shown = templates.render(f"answers/{kind}", lang, {})
        copied = f"{shown.lines['label']}  {shown.text.strip()}"
        assert parse_answer(copied) == Answer("unclear", problem=problem), copied


@pytest.mark.parametrize(
    "end",
    [
        "Kind regards\nDana", "Best, Dana", "Thanks\nDana", "Mit freundlichen Grüßen\nDana", "Cordialement", "Saludos",
        "Sent from Outlook for iOS", "Envoyé à partir de Outlook pour iOS", "Inviato dal mio iPhone",
        "Van mijn iPhone verzonden", "Sent via the Samsung Galaxy",
    ],
)  # fmt: skip
def test_how_a_mail_ends_is_no_part_of_the_reason(end: str) -> None:
    """It would go to the requester, in the middle of the agent's own mail."""
    assert parse_answer(f"REASON: no licences\n{end}").reason == "no licences"
    assert parse_answer(f"ETA: Friday\n{end}").eta == "Friday"
    assert parse_answer(f"SEND\n{end}").problem == "no-reason"


@pytest.mark.parametrize("text", ["Fix?", "FIX ?", "Discard?", "Note?", "Consult??"])
def test_a_question_about_an_answer_is_none(text: str) -> None:
    assert parse_answer(text).kind == "unclear"


OTHERWISE = [
    "Send it to Bob instead", "Send tomorrow", "Send it later", "Senden an Bob", "Fix it?", "Send it back",
    "send it back to me", "Send me the draft", "Send with Mary in Cc", "Send, with Mary in Cc", "Send when Bob agrees",
    "Send it, when Bob agrees", "Send after 5pm", "Send on Monday", "Send Monday", "Send a copy to Bob",
    "SEND: tomorrow", "SEND: on Monday morning", "Senden mit Mary im Cc", "Senden wenn Bob zustimmt",
    "SENDEN: morgen früh",
    "Envoyer quand Bob sera d'accord", "Envoyer lundi", "Enviar cuando responda", "Enviar amanhã", "Inviare dopo le 17",
    "Verzenden als Bob akkoord is", "NOTE: Bob will call you at five", "NOTE: I already called her",
    "Notiz: hat sich erledigt", "NOTE, and tell her that Bob calls", "FIX: remove Bob from Cc", "FIX, without Bob",
    "SEND, but tell Mary first", "SEND, a bit later",
    "SENDEN, aber erst morgen", "SEND, a copy to Bob",
    "SEND, on Monday", "SEND it, at 5", "SEND, in an hour", "SEND, in the morning",
    "SENDEN, am Montag", "SENDEN, an Bob", "SENDEN, in einer Stunde", "ENVOYER, le lundi", "ENVOYER, à Bob",
    "ENVIAR, el lunes", "ENVIAR, una copia a Ana", "ENVIAR, na sexta", "INVIA, una copia a Ugo", "INVIA, in un'ora",
    "VERZENDEN, om 5 uur", "VERZENDEN, een kopie aan Bob", "Löschen Sie die Mail, oder was soll ich tun?",
]  # fmt: skip


@pytest.mark.parametrize("text", OTHERWISE)
def test_what_an_answer_cannot_do_is_asked_back(text: str) -> None:
    """SEND would send it as it is, to whom it was written, now: that cannot be taken back."""
    assert parse_answer(text).problem == "more"


def test_a_name_below_a_reason_is_a_signature() -> None:
    assert unsigned("no licences Dana", "Dana Cole") == unsigned("no licences, Dana Cole", "Dana Cole") == "no licences"
    assert unsigned("ask Dana Smith", "Dana Cole") == "ask Dana Smith"
    assert unsigned("Dana", "Dana Cole") == "Dana" and unsigned("no licences", "") == "no licences"


@pytest.mark.parametrize(
    "text",
    [
        "Wissen Sie, was das soll?", "Wissen Sie schon, wer das macht",
        "I have read this twice now and I really cannot tell how I should\nfix it, please",
        "Whoever reads this, I have no idea whether I should rather wait or\nsend it, she knows about it",
    ],
)  # fmt: skip
def test_a_sentence_that_has_such_a_word_is_no_answer(text: str) -> None:
    """ "Do you know …" is no Dutch "erase", and a line that a mail program broke is the rest of a sentence."""
    assert parse_answer(text).kind == "unclear"


@pytest.mark.parametrize("text", ["REASON: none", "REASON: n/a", "REASON: no", "GRUND: keiner", "SEND: no reason"])
def test_no_reason_is_no_reason(text: str) -> None:
    assert parse_answer(text).problem == "no-reason"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("SEND, a customer waits", "a customer waits"), ("SEND it, an old customer waits", "an old customer waits"),
        ("SEND, in a hurry", "in a hurry"), ("SEND, no time to lose", "no time to lose"),
        ("SENDEN, eine Kundin wartet am Telefon", "eine Kundin wartet am Telefon"),
        ("Senden, im Urlaub ist sie ab heute", "im Urlaub ist sie ab heute"),
        ("ENVOYER, le client attend au téléphone", "le client attend au téléphone"),
        ("ENVIAR, el cliente espera al teléfono", "el cliente espera al teléfono"),
        ("ENVIAR, una clienta espera", "una clienta espera"),
        ("ENVIAR, a cliente está à espera", "a cliente está à espera"),
        ("INVIA, un cliente aspetta al telefono", "un cliente aspetta al telefono"),
        ("VERZENDEN, een klant wacht aan de lijn", "een klant wacht aan de lijn"),
    ],
)  # fmt: skip
def test_a_reason_behind_a_comma_is_one(text: str, why: str) -> None:
    assert parse_answer(text) == Answer("send", why)


@pytest.mark.parametrize(
    "text",
    [
        "WRONG, she is on the phone", "Wrong. I will write a new one", "Wrong, sorry. I'll rewrite it.",
        "Mistake - forget it", "Fehler, ich schreibe neu", "Fehler!", "FEHLALARM, ich schreibe neu",
        "Erreur, je la réécris", "Erreur.", "Error", "Erro!", "Errore", "Fout", "ONTERECHT, ik schrijf een nieuwe",
    ],
)  # fmt: skip
def test_what_may_be_said_of_the_mail_itself_sends_nothing(text: str) -> None:
    assert parse_answer(text) == Answer("unclear", problem="either")


def test_a_slip_of_ones_own_is_no_obstacle_to_the_answer_below_it() -> None:
    assert (
        parse_answer("Wrong. I will write it anew.\nDISCARD")
        == parse_answer("Error, sorry.\nDISCARD")
        == Answer("discard")
    )


ASKED_BACK = {
    # SEND that asks for something else, or at another time
    "Send Mary a note": "more", "SEND around 5pm": "more", "Verstuur het morgen": "more", "Envoie-le à Bob": "more",
    "INVIA stasera": "more", "Send Bob": "more", "Send you later": "more", "SEND: in an hour": "more",
    "SEND, at 17:00": "more", "SEND, today at 5": "more", "SEND: this evening": "more", "SEND: to Bob instead": "more",
    "SEND, first thing tomorrow": "more", "SENDEN: nächsten Montag um 9": "more", "ENVOYER : ce soir": "more",
    "ENVIAR: el lunes por la tarde": "more", "SEND: with Bob in Cc": "more", "SEND, cc Mary": "more",
    "SEND: add Mary": "several", "SEND: but remove Bob": "more", "SEND: only if Bob agrees": "more",
    "SEND: if Bob agrees": "more", "SEND, as soon as Bob is back": "more", "SEND: unless she called": "more",
    "SENDEN: falls Bob zustimmt": "more", "SENDEN, sobald Bob da ist": "more", "ENVOYER : si Bob est d'accord": "more",
    "ENVIAR: cuando Bob responda": "more", "INVIA: appena Bob è tornato": "more",
    "VERZENDEN: mits Bob akkoord is": "more",
    "ENVIAR: se a Ana concordar": "more", "Send it?": "more", "SEND?": "more", "SEND: is that right?": "more",
    "Send it\nto Bob": "more", "SENDEN: erst morgen": "more",
    # two answers in one
    "SEND or DISCARD": "several", "SEND, no, discard it": "several", "SEND and FIX": "several",
    "SEND / DISCARD": "several", "SEND + FIX": "several", "SEND REASON: she is away": "several",
    "SEND: or discard it": "several", "SENDEN oder VERWERFEN": "several", "SEND: DISCARD": "several",
    # not, not yet, wait
    "SEND: not yet": "negated", "SEND, not yet": "negated", "SENDEN: noch nicht": "negated",
    "ENVOYER : pas encore": "negated",
    "ENVIAR: todavía no": "negated", "ENVIAR: ainda não": "negated", "INVIA: non ancora": "negated",
    "VERZENDEN: nog niet": "negated", "SEND: do not send": "negated", "SEND: wait": "negated",
    "SEND, hold on": "negated",
    "SENDEN, warte noch": "negated", "ENVOYER, attends": "negated", "ENVIAR, espera": "negated",
    "INVIA, aspetta": "negated",
    "VERZENDEN, wacht": "negated", "SENDEN: bitte nicht senden": "negated", "SEND it not": "negated",
    "REASON: don't send": "negated", "DISCARD, wait": "negated", "FIX, not Mary": "negated",
    "FIX (not Mary)": "negated",
    # the lines around
    "Don't\nsend it, she knows": "negated", "Don't\nSEND: she knows": "negated", "Do not\n\nFIX": "negated",
    "Bitte nicht\nSENDEN: sie weiß es": "negated", "If Bob agrees:\nSEND: she knows": "more",
    "When she is back\nFIX": "more", "Should I\nDISCARD\nit?": "more", "Tomorrow:\nSEND: she knows": "more",
    "FIX\nbut not Bob": "more", "FIX\nNot Bob, please": "negated", "FIX\nwait, I have to ask Bob": "negated",
    "SEND: she knows\nand remove Bob": "more", "SEND: she knows\nActually, wait": "negated",
    "DISCARD\nNo, sorry": "negated",
    "NOTE\nIs that right?": "more", "CONSULT\nas soon as Bob is back": "more",
    "FIX\n\nThanks\nDana\n\nPS: not Bob": "negated",
    "REASON: one seat a floor\n\nBut ask Bob first": "more", "FIX\nPlease don't send it to Bob": "negated",
    "FIX\nohne Bob": "more", "FIX\nund sag Bob Bescheid": "more",
    # WRONG, of the stop or of the mail
    "WRONG mail": "either", "WRONG: wrong recipient": "either", "WRONG: I'll rewrite it": "either",
    "WRONG: should go to Bob": "either", "FEHLALARM: ich schreibe neu": "either",
    "WRONG\nI sent this to the old address": "either",
    "FALSCH": "either", "Faux.": "either", "Equivocado": "either", "Errado": "either", "Verkeerd": "either",
    # not what is proposed
    "FIX, tomorrow": "more", "FIX, Bob": "more", "FIX, Bob too": "more", "FIX, I mean Bob": "more",
    "FIX, cc Bob": "more",
    "Delete, I mean the warning": "more", "DISCARD, but tell Mary": "more",
    "DISCARD, I will rewrite it, or not?": "more",
    "NOTE, tomorrow": "more", "CONSULT, and ask Bob": "more", "FIX myself": "more", "FIX: Bcc Bob": "more",
    # no reason
    "SEND: \n\nDana Cole\nIT Support": "no-reason", "REASON:\n\nDana Cole\nIT Support": "no-reason",
    "REASON: … puts your reason into the mail and sends it": "no-reason", "REASON: ?": "no-reason",
    "ETA: Friday?": "no-date", "Grund unbekannt": "no-reason", "SEND: unklar?": "more",
    # no answers
    "REASON is unclear": "nothing", "Grund ist unklar": "nothing", "Reden wir morgen?": "nothing",
    "HINWEIS": "nothing", "Aviso": "nothing", "Bericht": "nothing", "👎 SEND: she knows": "nothing",
}  # fmt: skip


@pytest.mark.parametrize("text", ASKED_BACK)
def test_nothing_is_done_that_was_perhaps_not_wanted(text: str) -> None:
    assert parse_answer(text) == Answer("unclear", problem=ASKED_BACK[text])


UNDERSTOOD = {
    "SEND: to be safe": "send", "SEND, to be safe": "send", "SEND: on the phone with me": "send",
    "SEND she knows": "send", "SEND it, we agreed on the phone": "send", "SEND it is urgent": "send",
    "SEND: she has not yet heard from us": "send", "SENDEN: sie weiß noch nicht Bescheid": "send",
    "SEND: no need to add her": "send", "SEND. She knows.": "send", "SEND!\nShe knows.": "send",
    "SEND: she is in Cc already": "send", "SEND: with Bob's approval": "send", "SENDEN weil sie es weiß": "send",
    "SENDEN: mit Priya abgesprochen": "send", "Envoyez-la, elle le sait": "send", "Envíalo, ya lo sabe": "send",
    "ENVIAR porque ya lo sabe": "send", "INVIA perché lo sa già": "send", "VERZENDEN want ze weet het": "send",
    "SEND: a date was agreed, so she waits until Friday": "send", "**SEND**: she knows": "send",
    "SEND：she knows": "send", "1. SEND: she knows": "send", "SEND: discussed today\nDana\nIT Support": "send",
    "SEND: she knows\nThanks in advance\nDana": "send", "Hi gateway,\nSEND: she knows": "send",
    "SEND: she asked for a fix, not for news": "send",
    "👍 FIX": "fix", "→ FIX": "fix", "1) FIX": "fix", "Hi, FIX": "fix", "Hallo, bitte ergänzen": "fix",
    "**FIX**": "fix",
    "FIX plz": "fix", "fix thx": "fix", "Ajouter, merci beaucoup": "fix", "Ajoutez-la s'il vous plaît": "fix",
    "Añádela": "fix", "Aggiungila, grazie": "fix", "Voeg toe aub": "fix", "FIX\nI did not see that, thanks.": "fix",
    "FIX, I missed that": "fix", "FIX. Sorry, my mistake": "fix", "Füge sie bitte hinzu": "fix",
    "Adiciona, obrigada": "fix",
    "FIX\n\nBR, Dana": "fix", "FIX\n\nViele Grüße\nTom": "fix", "FIX\nBonne journée": "fix", "FIX\nFijne dag!": "fix",
    "FIX\n\nThis message is confidential and intended only for the addressee.\nDo not send it on.": "fix",
    "FIX\n\nConfidentiality notice: if you are not the intended recipient, delete it.": "fix",
    "FIX\n\nOn Monday, 2 June 2025 at 10:00, Referral gateway\n<gateway@notices.acme.example> wrote:\nDISCARD": "fix",
    "Bórralo": "discard", "Cancellalo": "discard", "Supprimez-le": "discard", "Apaga": "discard",
    "Verwijder het": "discard",
    "Verwirf sie": "discard", "Lösch es": "discard", "DISCARD, Mary called in the meantime": "discard",
    "DISCARD\nI will write a new one tomorrow.": "discard", "CONSULT, she stays my customer": "consult",
    "WRONG, thanks": "wrong", "WRONG\n\nThanks\nDana": "wrong", "WRONG\nShe is in Cc.": "wrong",
}  # fmt: skip


@pytest.mark.parametrize("text", UNDERSTOOD)
def test_what_is_plain_is_done(text: str) -> None:
    answer = parse_answer(text, name="Dana Cole")
    assert (answer.kind, answer.problem) == (UNDERSTOOD[text], "")


@pytest.mark.parametrize(
    "end",
    [
        "Thanks in advance", "BR", "KR, Dana", "Cheers Dana", "Have a nice day", "VG Tom", "Viele Grüße Tom",
        "Herzliche Grüße", "Freundliche Grüße", "Bonne journée", "Cdt", "Salutations", "Muchas gracias", "Att.",
        "Un abrazo",
        "Grazie mille", "Cordialmente", "Groetjes", "Alvast bedankt", "Gr. Dana", "Dana", "Dana Cole, IT Support",
        "Tel. +44 20 7946 0000", "+44 20 7946 0000", "www.acme.example", "dana@acme.example",
    ],
)  # fmt: skip
def test_no_farewell_goes_into_the_mail(end: str) -> None:
    assert parse_answer(f"REASON: no licences\n{end}\nIT Support", name="Dana Cole") == Answer(
        "amend", reason="no licences"
    )


NOT_DONE = [
    "SEND: please don't yet", "SEND: I need to rewrite it", "SENDEN: ich kläre das noch mit ihr, bitte noch warten",
    "SEND: just a sec need to look at it again", "SEND: let me check first", "SEND: need 5 min",
    "SEND: give me a minute",
    "SEND: not urgent, can wait till Bob answers", "SEND: I think? you decide",
    "SEND: forgot the attachment, adding it",
    "SENDEN: ich schaue nochmal drüber", "ENVOYER : je vérifie d'abord", "INVIA: controllo prima con Marco",
    "VERZENDEN: eerst even bellen", "WRONG: sent to the wrong Bob, sorry", "WRONG: not finished",
    "FEHLALARM: war für jemand anderen", "WRONG: I hit send too early", "WRONG: that was meant for Carla",
    "WRONG: well, half of it", "REASON: TBD", "REASON: I'll write it later", "REASON: ask Tom",
    "GRUND: muss ich erst nachfragen", "REASON: because", "REASON: [the reason in one sentence]", "GRUND: keine Ahnung",
    "REASON: budget gone\nplease don't send yet", "GRUND: siehe unten", "MOTIF : voir plus haut", "MOTIVO: ver abajo",
    "REASON: same as last time, you know", "REASON: I don't know, ask my boss", "REASON: let me get back to you",
    "REASON: xxx", "REASON: no budget this year. But ask Bob first before sending.",
    "REASON: the customer is an idiot lol don't send that", "ETA: Friday, but check with Bob before sending",
]  # fmt: skip


@pytest.mark.parametrize("text", NOT_DONE)
def test_who_is_not_done_yet_is_asked_back(text: str) -> None:
    assert parse_answer(text).kind == "unclear"


@pytest.mark.parametrize(
    "text",
    [
        "SEND: Dana is away, and Jill knows", "SEND: Kim has the answer, and Bob is informed",
        "SENDEN: Frau Gast weiß Bescheid, und Bob hat das Ticket", "ENVOYER: Kim est au courant, et Paul aussi",
        "SEND: she forgets nothing, we talked an hour ago", "SEND: a customer needs it today",
    ],
)  # fmt: skip
def test_a_reason_in_two_parts_is_one(text: str) -> None:
    assert parse_answer(text).kind == "send"


def test_a_date_keeps_its_dot() -> None:
    assert parse_answer("TERMIN: 29.12.").eta == "29.12."
    assert parse_answer("REASON: we do not send laptops abroad").reason == "we do not send laptops abroad"


AGREES_AND_DOES_NOT = [
    "FIX, das stimmt so aber nicht ganz", "FIX, thanks but rather not her", "FIX, fair point but only for the customer",
    "Toevoegen, dat klopt eigenlijk helemaal niet", "FIX, thanks, I forgot Bob Lee",
    "FIX, giusto ma la persona è un'altra", "CONSULT, my bad, this should go to Bob Lee",
]  # fmt: skip


@pytest.mark.parametrize("text", AGREES_AND_DOES_NOT)
def test_a_word_of_agreement_does_not_hide_what_follows(text: str) -> None:
    assert parse_answer(text, name="Dana Cole").kind == "unclear"


WRITERS = {
    "en": "Dana Reyes", "de": "Jana Koch", "fr": "Claire Morel", "es": "Marta Gil", "pt": "Rui Costa",
    "it": "Paola Neri", "nl": "Sanne Bakker",
}  # fmt: skip
FAULT_FINDING = [
    json.loads(line)
    for path in sorted((Path(__file__).parent / "answers").glob("*.jsonl"))
    for line in path.read_text("utf-8").splitlines()
]


def plain(text: str) -> str:
    return " ".join(text.lower().split()).strip(" .!")


@pytest.mark.parametrize("row", FAULT_FINDING, ids=lambda row: f"{row['lang']}-{row['text'][:40]}")
def test_answers_that_were_written_to_find_fault(row: dict[str, Any]) -> None:
    answer = parse_answer(row["text"], "Re: Before your mail goes out", WRITERS[row["lang"]])
    if row.get("asked"):
        assert answer.kind == "unclear"
    elif row["plain"]:
        kind, _, more = row["want"].partition("+")
        assert answer.kind == ("amend" if kind in ("reason", "eta") else kind) and answer.fix == (more == "fix")
        if kind in ("reason", "eta", "send"):
            assert plain(getattr(answer, "why" if kind == "send" else kind)) == plain(row["value"])
    else:
        allowed = row["want"].removeprefix("not any").removeprefix(" but ").replace("eta", "amend")
        assert answer.kind in ("unclear", allowed)


NOTICE = """Hello Dana,

Your mail “Re: Monitor 3” to Jill Amory <jill.amory@acme.example> has not gone out yet.

Reply to this mail with one of these in the first line:

    REASON: why    puts your reason into the mail and sends it
    SEND: why      sends the mail as it is
    DISCARD        deletes the mail

Mail 01JX2Z
"""


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("SEND: she knows\n\n", "send"),
        ("DISCARD\nthanks, Dana\n\n", "discard"),
        ("FIX\n\nNo wait, not yet please\n\n", "unclear"),
        ("SEND: she knows\nbut only after I have talked to her\n\n", "unclear"),
        (
            "FIX\n\nbut put Bob Lee in, not Mary\n\nReferral gateway <gateway+0a1b@gw.example> 03/06/2026 11:02\n",
            "unclear",
        ),
        ("SEND: she knows about Re: Monitor 3\n\n", "send"),
    ],
)
def test_above_a_notice_that_stands_there_unquoted_everything_counts(written: str, kind: str) -> None:
    marks = ("01JX2Z", "0a1b", "gateway@gw.example")
    said = without_notice(written + NOTICE, "Re: Monitor 3", marks)
    assert said.strip() == written.partition("Referral gateway")[0].strip() + (
        "\n\nHello Dana," * ("Referral" not in written)
    )
    assert parse_answer(said, name="Dana Cole").kind == kind


def test_a_mail_that_is_named_by_its_writer_is_no_notice() -> None:
    text = "SEND: she knows\nActually hold it, I'll look into mail 01JX2Z again after lunch."
    assert without_notice(text, "Re: Monitor 3", ("01JX2Z",)) == text
    assert parse_answer(text).kind == "unclear"
