"""What a comment beside an answer makes of it ("FIX, my fault", "SEND: no longer needed"), in seven languages.

A comment is harmless by what it says, not by how it begins: mail that has gone out cannot be had back, so whatever is
not known to be harmless is asked about. Each list is for all languages at once.
"""

from __future__ import annotations

import re

from gateway.answer_courtesy import FILLERS, THANKS
from gateway.answer_words import ABOUT_THE_MAIL, BECAUSE, FORGOT, NEGATION, clauses
from gateway.command_words import Kind

_MY_FAULT = (
    r"my (?:bad|fault|mistake|error)|mein fehler|meine schuld|ma faute|mon erreur|mea culpa|culpa mía"
    r"|mi (?:error|culpa)|erro meu|minha culpa|culpa minha|(?:colpa|errore) mi[ao]|mia colpa|mijn fout"
)
_MISSED = re.compile(
    rf"{FORGOT.pattern}|\b(?:{_MY_FAULT}"
    r"|(?:i|we) (?:missed|overlooked|see|know|agree|did not see|didn['’]t see)"
    r"|missed|overlooked|slipped|oversight|good point|fair|of course|makes sense"
    r"|übersehen|durchgerutscht|entgangen|untergegangen|stimmt|klar|sehe ich"
    r"|échappé|pas vu|effectivement|bien vu"
    r"|se me (?:pasó|fue|escapó)|despiste|cierto|es verdad"
    r"|escapou|passou-me|falha minha|distração|é verdade"
    r"|sfuggit\w+|svista|giusto|è vero"
    r"|over het hoofd|ontschoten|ontgaan|niet gezien|klopt)\b",
    re.IGNORECASE,
)
"""The slip was the writer's own, or they agree."""
_KEEPS = re.compile(
    r"\b(?:opinions?|advice|view|input|thoughts|think|wissen|halten|pensent|piensan|pensam|pensano|vinden|question"
    r"|second pair|i(?:['’]m)? (?:keep|still)|stays? (?:with|my|mine)"
    r"|remains? (?:with|my|mine)|still mine|my (?:ticket|case|customer)"
    r"|meinung|rat|einschätzung|frage|rückfrage|bleib\w*|behalte"
    r"|avis|conseil|question|je (?:le |la )?garde|reste"
    r"|opini[óo]n|consejo|duda|pregunta|me (?:lo|la) quedo|sigo|es mío"
    r"|opini[ãa]o|conselho|dúvida|fica (?:comigo|meu|minha)|continuo"
    r"|parere|opinione|consiglio|domanda|resta|rimane|la tengo|lo tengo"
    r"|mening|advies|vraag|blijft|houd|hou)\b",
    re.IGNORECASE,
)
"""Only somebody's view was wanted, and the matter stays where it is."""
_ENOUGH = re.compile(
    r"^(?:is |est |es |é |è )?(?:enough|fine|reicht|genügt|suffit|bastante|basta|chega|(?:is )?genoeg|volstaat)\b",
    re.IGNORECASE,
)
_OF_THEM = re.compile(
    r"^(?:she|he|they|it|this|that|sie|er|es|das|elle|il|ils|elles|c['’]|ella|él|ellos|ellas|ela|ele|elas|eles|lei|lui"
    r"|loro|ze|zij|hij|het)(?=['’\s])",
    re.IGNORECASE,
)
_BUT = re.compile(
    r"\b(?:but|though|however|only|wrong|should|must|may|might|cannot|can['’]t|another|other|instead|it was"
    r"|aber|jedoch|nur|falsch\w*|soll\w*|darf|muss|andere\w*|das (?:war|ist der|ist die)|es war"
    r"|mais|seulement|mauvais\w*|faut|doit|devrait|autre|c['’](?:était|est)"
    r"|pero|solo|sólo|equivocad\w+|debe\w*|otr[oa]|era (?:para|per|de|di)"
    r"|mas|só|errad\w+|deve\w*|outr[oa]"
    r"|ma|sbagliat\w+|deve|dovrebbe|altr[oa]"
    r"|maar|alleen|verkeerd\w*|moet|mag|ander\w*|het was)\b",
    re.IGNORECASE,
)
_TWO_NAMES = re.compile(r"\b[A-ZÀ-Þ][a-zß-ÿ]+\s+[A-ZÀ-Þ][a-zß-ÿ]+")
_NO_CAPITALS = re.compile(r"^(?:sie|er|es|das|weil|da|denn|damit)\b", re.IGNORECASE)
"""German, where any noun begins with a capital."""

_UNDONE = re.compile(
    # it need not go any more, or went another way
    r"\b(?:no longer|not|un)[- ]?needed\b|\bobsolete\b|\balready sent\b|\bsent (?:it|this|one) (?:already|myself)\b"
    r"|\b(?:bin|scrap|trash|kill) (?:it|this)\b|\bi(?:['’]ll| will|['’]ve| have)?\b.{1,30}\bmyself\b"
    r"|\bhat sich erledigt\b|\bkann weg\b|\büberflüssig\b|\bnicht mehr n(?:ötig|otwendig)\b|\bbrauch\w* (?:es|sie|wir"
    r"|ich) nicht mehr\b|\b(?:schon|bereits)(?: \w+)? (?:gemacht|geschickt|gesendet|verschickt|rausgegangen)\b"
    r"|\bich\b.{1,40}\bselbst\b|\bselbst aus\b"
    r"|\bdéjà (?:envoyé|parti|fait)\w*|\bplus (?:besoin|nécessaire|utile)\b|\binutile\b|\bmoi-même\b"
    r"|\bya (?:lo|la|se la|se lo) (?:mand|envi)\w+|\bsobra\b|\bya no (?:hace falta|es necesario)\b|\byo mism[oa]\b"
    r"|\bjá (?:o |a )?(?:enviei|mandei)\b|\bjá não é preciso\b|\beu mesm[oa]\b|\bdispensável\b"
    r"|\bgià (?:\w+ )?(?:mandat|inviat|spedit)\w+|\bl['’]ho già\b|\bnon serve più\b|\bdi troppo\b|\bio stess[oa]\b"
    r"|\bal (?:zelf )?(?:verstuurd|gestuurd|verzonden|gedaan)\b|\bniet meer nodig\b|\b(?:mag|kan) weg\b"
    r"|\bik\b.{1,40}\bzelf\b|\boverbodig\b"
    # somebody else is to say
    r"|\bdecides?\b|['’]s (?:call|decision)\b|\bup to (?:you|her|him|them|[A-Z]\w+)\b|\bentscheide[tn]?\b"
    r"|\bdécide[rnz]?\w{0,2}\b(?<!é)|\bdecid(?:a|e|an|en|em|am|ir|ere)\b|\bbeslissen\b|\bmoet \w+ beslis\w*",
    re.IGNORECASE,
)
_NO_WAY = re.compile(
    r"\bno way\b|\bnot a chance\b|\bcertainly not\b|\bforget it\b|\bauf keinen fall\b|\bkommt nicht in ?frage\b"
    r"|\bvergiss es\b|\bvon wegen\b|\bhors de question\b|\bpas question\b|\bsûrement pas\b|\bni hablar\b"
    r"|\bde ninguna manera\b|\bnem pensar\b|\bde jeito nenhum\b|\bneanche per (?:sogno|idea)\b|\bnon se ne parla\b"
    r"|\bgeen denken aan\b|\bgeen sprake van\b|\bwo denk\w* (?:ihr|du) hin\b|\bet puis quoi encore\b"
    r"|\by un jamón\b|\bera o que faltava\b|\bci mancherebbe\b|\bja hoor\b",
    re.IGNORECASE,
)
"""No, in so many words."""
_OWN_FAULT = re.compile(
    rf"\b(?:{_MY_FAULT})\b"
    r"|\byou(?:['’]re| are|['’]d be)? right\b|\bi was wrong\b"
    r"|\bmust not go\b|\bwas for\b"
    r"|\b(?:ihr habt|du hast|sie haben) recht\b|\bich (?:depp|idiot|esel|trottel)\b|\bhieß\b"
    r"|\bwar für\b|\bleider nein\b|\bdarf nicht raus\b|\bich war(?:['’]s| es)\b"
    r"|\b(?:vous avez|tu as) raison\b|\bje me suis tromp\w+|\bc['’]est moi\b"
    r"|\beu tort\b|\bétait pour\b"
    r"|\b(?:tené?is|tienes|tienen) razón\b|\bme equivoqu\w+|\bfui yo\b"
    r"|\bla pata\b|\bera para\b"
    r"|\b(?:têm|tens|tem) razão\b|\b(?:quem )?err(?:ei|ou)\b"
    r"|\b(?:avete|hai) ragione\b|\bho sbagliato\b|\bsono stat[oa] io\b|\bera per\b"
    r"|\b(?:jullie hebben|je hebt|u heeft) gelijk\b|\b(?:ik )?zat (?:zelf )?fout\b|\bwas voor\b",
    re.IGNORECASE,
)
_IS_THERE = re.compile(
    r"\b(?:in|im|en|em|ins?|op|al) (?:the |der |dem |de )?(?:b?cc|cci|cco|ccn|bcc|to|an|kopie|copie|copia|cópia)\b"
    r"|\b(?:is|was) (?:already )?(?:copied|addressed)\b",
    re.IGNORECASE,
)
"""Somebody is in the mail already: what a stop can be wrong about."""


def harmless(kind: Kind, text: str) -> bool:
    """Whether a comment behind an answer leaves it as it is."""
    return all(_is_harmless(kind, clause) for clause in clauses(text))


def _is_harmless(kind: Kind, clause: str) -> bool:
    slip = _MISSED.search(clause)
    rest = _MISSED.sub(" ", clause) if slip else clause  # "did not see" is no negation of the answer
    doubtful = NEGATION.search(rest) or _BUT.search(rest) or _TWO_NAMES.search(rest)
    if (slip or THANKS.match(clause)) and not doubtful:
        return True
    if all(word in FILLERS for word in re.findall(r"[^\W\d_]+", clause.lower())):
        return True
    if kind == "consult" and _KEEPS.search(clause) and not NEGATION.search(clause):
        return True
    if doubtful:
        return False
    if kind == "note" and _ENOUGH.match(clause):
        return True
    # "she asked for it", "because she is my customer": of somebody who is there already. Whom a name beside FIX
    # would add is not known, nor what the writer themselves are about to do.
    return bool(_OF_THEM.match(clause) or _gives_a_reason(clause)) and (
        bool(_NO_CAPITALS.match(clause)) or not re.search(r"\s[A-ZÀ-Þ][a-zß-ÿ]", clause)
    )


def _gives_a_reason(clause: str) -> bool:
    """ "because", "weil", "porque": not "I", "we" and the like, behind which anything can stand."""
    first = re.match(r"\W*([^\W\d_]+)", clause)
    return bool(BECAUSE.match(clause)) and bool(first) and first[1].lower() not in _WHOEVER  # type: ignore[index]


_WHOEVER = frozenset(("i", "we", "ich", "wir", "je", "j", "on", "nous", "yo", "eu", "nós", "io", "ik", "wij", "there"))


def is_enough(text: str) -> bool:
    """ "A note will do": no more than the word says."""
    return bool(_ENOUGH.match(text)) and harmless("note", text)


def undone(text: str) -> bool:
    """Whether what stands behind SEND says that the mail is not to go, or that somebody else is to say so."""
    return bool(_UNDONE.search(text)) or mocks(text)


def mocks(text: str) -> bool:
    """ "DISCARD, you must be joking": the opposite of what the word says."""
    return bool(_NO_WAY.search(text))


def of_the_mail(text: str) -> bool:
    """Whether what stands behind WRONG is said of the mail, or agrees with the stop: WRONG would send it."""
    first = next(iter(clauses(text)), "")
    return bool(ABOUT_THE_MAIL.search(text) or _OWN_FAULT.search(text)) or len(first.split()) == 1


_ASKS_BACK = re.compile(
    r"\b(?:(?:ask|call|remind|ping) me|frag\w*(?: sie)? mich|ruf\w* mich|erinner\w* mich|(?:(?:re)?demande\w*"
    r"|rappel\w*)-moi"
    r"|pregúnt\w*me|recuérd\w*me|(?:pergunt|lembr)\w*-me|(?:chied|ricord)\w*m[ie]\w*"
    r"|(?:vraag|herinner)(?: het)? (?:me|mij))\b",
    re.IGNORECASE,
)
_FACT = re.compile(
    r"^(?:an?|the|in (?:an?|the)|no (?:time|need)|ein\w*|der|die|das|im|les?|la|l['’]|une?|el|los|las|una?|uma?|il|lo"
    r"|gli"
    r"|i|de|het|een|os?|as?|é|es|è)\s"
    r"|^(?-i:[A-ZÀ-Þ])[\w’'-]+ (?:is|has|knows|asked|ist|hat|weiß|est|sait|está|es|sabe|já|ya|è|sa|ha|weet|heeft)\b"
    r"|^(?:eilt|urgent\w*|dringend)\W",
    re.IGNORECASE,
)


def tells_a_fact(text: str) -> bool:
    """Whether what stands behind "SEND," begins as a fact does, and is none about the mail: "a customer waits"."""
    return bool(_FACT.match(text)) and not re.search(r"\b(?:cop|kopi|cóp)", text) and not ABOUT_THE_MAIL.search(text)


def asks_back(text: str) -> bool:
    """ "Ask me on Friday": no date on which something will be done."""
    return bool(_ASKS_BACK.search(text))


def is_there(text: str) -> bool:
    """Whether it says that somebody is in the mail already: "she is in Bcc"."""
    return bool(_IS_THERE.search(text)) and not _OWN_FAULT.search(text)
