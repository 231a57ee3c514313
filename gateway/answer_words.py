"""What the words beside an answer make of it, in seven languages: doubts, conditions, other wishes, second thoughts.

Each list is for all languages at once: whoever answers writes in their own, whatever the notice was in.
"""

from __future__ import annotations

import re

from gateway.answer_times import only_a_time
from gateway.command_words import SYNONYMS, Kind


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


FOR_THE_MAIL = _words(
    "message mail email e-mail mine my draft nachricht meine mon mensaje mensagem messaggio bericht mailtje"
)
"""What an answer may name as its object: all but WRONG, which would then be said of the mail."""

UNFILLED = _words(
    "why reason grund warum pourquoi motif motivo porqué porque perché reden waarom razão razao ragione date datum when"
    " wann quand cuándo quando wanneer fecha data por qué porquê"
    " none no na n a nothing kein keine keiner nichts aucun aucune rien ninguno ninguna nada nenhum nenhuma nessuno"
    " nessuna niente geen niets"
    " unknown unbekannt unklar unclear inconnu desconocido desconhecido sconosciuto onbekend"
)
"""The notices' own placeholders sent back, and ways to say that there is none."""

AS_IT_IS = re.compile(
    r"^(?:(?:it(?!\s+(?:is|was|has|will)\b)|this(?!\s+(?:is|was)\b)|that|the mail|mine|anyway|as it is|as is"
    r"|as written|so|now|please|pls|trotzdem|wie sie ist|wie es ist"
    r"|die mail|sie|es(?!\s+(?:ist|war|eilt|geht)\b)|so|bitte|jetzt|tel quel|telle quelle|quand même|maintenant|svp"
    r"|tal cual|así|como está|ahora"
    r"|por favor|assim|assim mesmo|agora|così|così com'è|comunque|per favore|ora|zoals het is|toch|nu|graag)\b\s*)+",
    re.IGNORECASE,
)
BECAUSE = re.compile(
    r"^(?:because|since|as|cos|cause|so that|to (?:be|avoid|save|keep)"
    r"|i|we|she|he|they|it|it['’]s|this|that|there|everybody|everyone|nobody|no need"
    r"|weil|da|denn|damit|ich|wir|sie|er|es|das|ist|alle|niemand"
    r"|parce que?|car|puisque?|elle|il|ils|elles|je|j|on|nous|c|ça|cela|tout le monde"
    r"|porque|ya que|pues|ella|él|ellos|ellas|ya|yo|es|está|todos"
    r"|pois|já que|ela|ele|elas|eles|já|eu|nós"
    r"|perché|perche|poiché|siccome|lei|lui|loro|lo sa|la cliente|è|ha|io|già|tutti"
    r"|omdat|want|aangezien|ze|zij|hij|het|ik|we|wij|iedereen|niemand)(?:['’\s]|$)",
    re.IGNORECASE,
)
"""How a reason begins that stands behind the word with no comma or colon between them."""

NEGATION = re.compile(
    r"\b(?:not|don['’]?t|do not|never|no|nicht|kein\w*|nein|nie|ne|n['’]|pas|jamais|non|nunca|não|nao|mai|niet|geen"
    r"|nooit)\b",
    re.IGNORECASE,
)
NOT_FIRST = re.compile(
    r"(?:do not|don['’]?t|never|not|no|nope|nicht|noch nicht|kein\w*|nein|nie|n['’]\w+"
    r"|ne\s(?=.*\b(?:pas|rien|jamais|plus|aucun\w*)\b)|pas|non|nunca|não|nao"
    r"|mai|niet"
    r"|nog niet|nee|geen|nooit|todavía no|aún no|ainda não)\b",
    re.IGNORECASE,
)
"""A clause that forbids begins so; "I did not see that" does not."""
NOT_NOW = re.compile(
    r"(?:no|nope|nein|non|não|nao|nee|not (?:yet|now|today|so|like this|this (?:one|way))|(?:noch|jetzt|heute"
    r"|so) nicht"
    r"|nicht (?:jetzt|heute|so|diese)|pas (?:encore|maintenant|aujourd['’]hui|comme ça)|(?:todavía|aún|ahora|hoy"
    r"|así) no"
    r"|no (?:todavía|aún|ahora|hoy|así)|(?:ainda|agora|hoje|assim) não|não (?:ainda|agora|hoje|assim)"
    r"|non (?:ancora|ora|adesso|oggi|così)|(?:nog|nu|vandaag|zo) niet|niet (?:nu|vandaag|zo))(?:\s*$|\s+(?:please"
    r"|bitte"
    r"|svp|por favor|per favore|graag|because|weil|car|porque|perché|omdat)\b)",
    re.IGNORECASE,
)
"""A whole clause that says so: "has not yet heard" is a fact about somebody."""
_WAITS = re.compile(
    r"(?:h+m+ |u+h+ |oh |ah |no |ach |nee |non |nein |não )*"
    r"(?:wait|hold (?:on|it|off|back)|hold$|stop|hang on|warten?(?: sie)?|halt|stopp|attends|attende[zr]|esper(?:a|e"
    r"|en|em|ar)"
    r"|aguard(?:a|e|em|ar)|aspett(?:a|ate|are|i)|wacht(?:en)?)\b",
    re.IGNORECASE,
)
_CONDITION = re.compile(
    r"(?:only |but |and |nur |aber |seulement |s[oó]lo |pero |só |mas |solo |ma |alleen |maar )?"
    r"(?:if|when(?!\s+(?:she|he|they)\s+(?:called|asked|wrote|phoned))|whenever|once|as soon as|as long as|unless"
    r"|until|till"
    r"|after|before|provided|in case|wenn|falls|sobald|sofern|solange|bevor|nachdem|erst|es sei denn|bis|si|s['’]il"
    r"|quand"
    r"|lorsque?|dès|après|avant|sauf si|à moins|jusqu['’]|pourvu|cuando|en cuanto|después|antes|hasta|a menos"
    r"|siempre que|se(?!\s+me\s+(?:pasó|fue|escapó|olvidó)\b)"
    r"|quando|assim que|depois|até|a não ser|desde que|appena|non appena|dopo|prima|finché|a meno che|purché|als"
    r"|wanneer"
    r"|zodra|nadat|voordat|tenzij|mits|pas als|pas na|tot)\b(?!\s*$)",
    re.IGNORECASE,
)
_DO = (
    r"(?:please |then |also |bitte |dann |auch |puis |luego )*(?:tell|add|ask|remove|cc|bcc|copy|forward|send|put"
    r"|change|say"
    r"|leave|take|drop|hold|wait|delete|rewrite|not|without|to"
    r"|sag|frag|füg|schick|send|entfern|änder|ohne|nicht|nimm|warte|schreib"
    r"|dis|dites|ajout|demand|enl[eè]v|retir|chang|envo|mets|mettez|pas|sans"
    r"|dile|añad|agreg|quit|pregunt|cambi|mand|envía|pon|no|sin)\w*"
)
_ON = "she|he|they|it|we|i|this"
_TURNS = re.compile(
    rf"(?:but(?!\s+(?:{_ON})\b)|or|and\s+(?:{_DO})|without|except|instead|rather|remove"
    rf"|delete|take|leave|add|cc|bcc"
    rf"|copy|forward|tell|ask|say|change|rewrite|replace|correct|drop|put|use|also (?:add|tell|to|send|cc)|only (?:to"
    rf"|with)"
    rf"|actually|scratch|on second thought|i mean|i meant|make (?:it|that|sure)"
    rf"|aber|oder|und\s+(?:{_DO})|ohne|außer|statt\w*|entfern\w*|füge?|kopie|sage?|frage?"
    rf"|ändere?|ersetze?|korrigiere?|schreibe? (?:ihr|ihm|dazu)|nur an|auch an|doch|eigentlich|ich meine|besser"
    rf"|mais|et\s+(?:{_DO})|sans|sauf|plutôt|enl[eè]ve\w*|retire\w*|ajoute\w*|dis"
    rf"|dites"
    rf"|demande[zr]?|change[zr]?|remplace\w*|seulement (?:à|avec)|en fait|je veux dire|finalement"
    rf"|pero|y\s+(?:{_DO})|sin|excepto|salvo|quita\w*|añad\w*|agreg\w*|dile|pregunta\w*"
    rf"|cambia\w*|mejor|en realidad|quiero decir|en vez"
    rf"|mas|sem|exceto|retir\w*|acrescent\w*|adicion\w*|diz|diga|pergunt\w*|mud[ae]|melhor|na verdade|quero dizer"
    rf"|oppure|senza|tranne|togli\w*|rimuov\w*|aggiung\w*|di(?:lle|gli)|chied\w*|cambia\w*|meglio|anzi|intendo|invece"
    rf"|ma\s+(?:non|solo|prima|senza|poi|dill\w*|digl\w*|aggiung\w*|togli\w*|chied\w*|domani|dopo|aspett\w*|con)"
    rf"|maar|zonder|behalve|voeg|zeg|vraag|wijzig\w*|verander\w*|liever|eigenlijk|ik bedoel)\b",
    re.IGNORECASE,
)
"""A clause that begins so asks for more, or for something else."""
_WITH = re.compile(
    r"(?:with|mit|avec|con|com|met)\b.*\b(?:b?cc|cop(?:y|ie|ia)|kopie|cópia)\b|cop(?:y|ies) (?:to|of)\b"
    r"|.*\b(?:instead|stattdessen|à la place|en su lugar|en lugar de|em vez|al posto|in plaats)\b",
    re.IGNORECASE,
)
_NAMES = r"(?-i:[A-ZÀ-Þ][\w’'.-]*[a-zß-ÿ][\w’'.-]*)"
_TO = re.compile(
    rf"(?:to|an|a|à|para|aan|al|auch an|back to)\s+(?:(?:{_NAMES}|\S+@\S+|her|him|them|me|us|mir|ihr|ihm|uns|moi"
    rf"|elle|lui"
    r"|eux|mí|ella|él|ellos|mim|ela|ele|lei|loro|mij|haar|hem|ons|everybody|everyone|all|alle|tous|todos|tutti|allen"
    r"|and|und|et|y|e|en|only|too|please|bitte|too|also|nur|auch|svp|graag)(?:\s+|$)){1,6}$"
    r"|(?:it |them )?back\b(?:\s+to\b|$)|zurück\b|indietro|de volta|de vuelta|terug\b",
    re.IGNORECASE,
)
CHANGES = re.compile(
    r"\b(?:without|except|instead|too|also|as well|remove|add|only|tell|say|write|rewrite|b?cc|myself|ohne|außer|statt"
    r"|stattdessen|auch|nur|selbst|sans|sauf|aussi|moi-même|sin|excepto|también|sem|exceto|também|senza|tranne|anche"
    r"|zonder|behalve|ook|zelf)\b",
    re.IGNORECASE,
)
""" "FIX, but without Bob", "NOTE, and tell her …": the gateway adds whom it proposed, in its own words."""
ABOUT_THE_MAIL = re.compile(
    r"\b(?:wrong \w+|too (?:early|soon)|not (?:finished|done|ready|complete)|unfinished|incomplete|half|meant for"
    r"|sen[dt]"
    r"|(?:somebody|someone) else|sorry|oops|für jemand\w* ander\w+|zu früh|(?:nicht|noch nicht) fertig|unfertig"
    r"|falsche[rsnm]?"
    r"|verseh\w+|trop tôt|pas (?:fini|terminé)\w*|quelqu['’]un d['’]autre|mauvais\w*|otra persona|demasiado pronto"
    r"|sin terminar|outra pessoa|cedo demais|(?:por|sem) (?:acabar|terminar)|un['’]?altr[ao]|troppo presto"
    r"|non finit\w+"
    r"|sbagliat\w+|te vroeg|niet af|iemand anders|verkeerd\w*|(?:recipient|address|attachment|file|version|versión"
    r"|versão|versione"
    r"|versie|fassung|entw[uü]rf\w*|brouillon|borrador\w*|rascunho\w*|bozz\w+|concept\w*|draft"
    r"|mail|email|message|mailbox|person|thread|subject|typo)s?"
    r"|rewrite|anew|new one|again|should (?:go|be sent|have gone)|i['’]ll|i will|i (?:wrote|sent|meant|forgot)|to \w+@"
    r"|empfänger\w*|adresse\w*|anhang|datei|person|mail|nachricht|neu|nochmal|ich (?:schreib|werde|wollte|habe|hab)\w*"
    r"|destinataires?|pièce|message|courriel|je (?:vais|l|le|la|me|voulais)|réécri\w*"
    r"|destinatari[oa]s?|dirección|adjunto|mensaje|correo|voy a|quería|reescrib\w*"
    r"|endereço|anexo|mensagem|vou|queria|reescrev\w*|indirizzo|allegato|messaggio|scrivo|volevo|riscriv\w*"
    r"|ontvanger|adres|bijlage|bericht|opnieuw|ik (?:schrijf|zal|wilde|heb))\b",
    re.IGNORECASE,
)
FIRST_PERSON = re.compile(
    r"\b(?:i|my|me|ich|mein\w*|mir|je|j['’]|mon|ma|yo|mi|eu|meu|minha|io|mio|mia|ik|mijn)\b", re.IGNORECASE
)

_STOPS = re.compile(
    r"\b(?:(?:don['’]?t|do not)\s+(?:\w+\s+)?yet|let me|give me|(?:just )?(?:a|one) (?:sec|second|moment|min"
    r"|minute)s?\b(?! ago)"
    r"|(?:i )?(?:need|have|want|got) (?:\d+|some|more|a few) (?:more )?(?:min|sec|time|hour|day)\w*"
    r"|i(?:['’]ll| will|['’]m going to| need to| have to| must| want to| should)? ?(?:re\w+|check|look|think|ask|add"
    r"|correct"
    r"|finish|clarify)\b.{0,40}(?:first|it|again|that|this|before|later)"
    r"|(?:i |we )(?:need|have|want|must) to re\w+|can wait|no hurry|not urgent|you decide|i think(?=\W*$)"
    r"|before (?:sending|you send|it goes)|don['’]?t send (?:it|that|this)|check(?:ing)? (?:first|with \w+ (?:first"
    r"|before))"
    r"|first(?=\W*$)|noch warten|bitte (?:noch )?warten|ich (?:\w+ ){1,4}(?:noch|nochmal|noch mal|erst|vorher"
    r"|zuerst)\b"
    r"|ich (?:kläre|prüfe|überlege)|muss (?:ich )?(?:erst|noch|nochmal)|nicht dringend|bevor (?:du|sie|es"
    r"|ihr)"
    r"|d['’]abord|avant (?:d['’]envoyer|envoi)|je (?:v[eé]rifie|regarde|demande|relis|réécris|corrige|réfléchis)"
    r"|laissez?[- ]moi|un instant|une minute|pas urgent"
    r"|primero(?=\W*$)|antes de enviar|d[eé]jame|dejadme|tengo que (?:revis|pregunt|reescrib|mir)\w+"
    r"|un momento"
    r"|no es urgente|primeiro(?=\W*$)|deix[ae](?:-me| eu)|vou (?:verificar|ver|perguntar|rever|reescrever)"
    r"|um momento"
    r"|não é urgente|(?:controllo|verifico|chiedo|guardo) prima|prima di inviare|fammi|lasciami|devo (?:controll"
    r"|chied|riscriv)\w+"
    r"|un attimo|non è urgente|laat me|eerst (?:even|nog)|even (?:kijken|bellen|vragen|checken|wachten)"
    r"|moet (?:ik )?(?:nog|eerst)|voor het versturen|niet dringend)\b",
    re.IGNORECASE,
)
""" "I need to rewrite it", "let me check first": whoever is not done yet says so in any place of a sentence."""
_NO_REASON = re.compile(
    r"(?:tb[dc]|todo|x{2,}|xyz|test|foo|because|weil|parce que|porque|perché|omdat|later|später|plus tard|después"
    r"|depois|dopo"
    r"|you know(?: why)?|(?:the )?same as (?:last time|before|always|ever)|wie immer|comme d['’]habitude|como siempre"
    r"|(?:see|cf) (?:below|above)|siehe (?:unten|oben)|s\. ?[uo]\.|voir (?:plus |ci[- ]dess(?:us|ous))\w*|v(?:er"
    r"|éase) (?:abajo|arriba"
    r"|abaixo|acima)|vedi (?:sotto|sopra)|zie (?:onder|boven)\w*"
    r"|(?:i )?(?:don['’]?t|do not) know|dunno|no idea|no clue|keine ahnung|weiß (?:ich )?(?:noch )?nicht|aucune idée"
    r"|je ne sais pas|no (?:lo )?sé|ni idea|não sei|sei lá|non (?:lo )?so|boh|geen idee|weet ik (?:nog )?niet"
    r"|(?:ask|frag|frage|demande[zr]?|pregunta|pergunta|chiedi|vraag) [^\W\d_]+(?: [^\W\d_]+)?"
    r"|(?:will |to )?(?:follow|come)s?|(?:folgt|kommt)(?: noch)?|à venir|a seguir|(?:in arrivo|volgt)(?: nog)?"
    r"|(?:luego|después|depois|poi|dopo|later|plus tard|später)\b.{0,20}"
    r"|none of your business|(?:das )?geht \w+ nichts an|ça ne \w+ regarde pas|gaat \w+ niets aan"
    r"|(?:no es asunto|não é da|non sono affari) \w+(?: \w+)?"
    r"|(?:because|weil|porque|perché|omdat|parce que) (?:i say so|you annoy me|ich (?:es|das) sage|sí|sim"
    r"|sì|me da la gana|eu quero|lo dico io|ik (?:het|dat) zeg|je le dis)\b.*|lo so io|me da la gana\b.*"
    r"|weil ihr nervt"
    r"|(?:i['’]ll|i will|ich werde|ich) (?:write|tell|add|explain|schreibe?|sage?|erkläre?)\b.*|let me .*)(?=\W*$"
    r"|[,.;])",
    re.IGNORECASE,
)


def no_reason(text: str) -> bool:
    """Whether a reason is a place kept for one: "TBD", "see below", "ask Tom", "[the reason]"."""
    return bool(text) and (text[0] in "[<{" or _NO_REASON.match(text) is not None)


FORGOT = re.compile(
    r"\b(?:forgot|vergessen|oublié|olvid\w+|esqueci|dimenticat\w+|vergeten)\b",
    re.IGNORECASE,
)
""" "SEND: forgot the attachment" says that the mail is not ready; "FIX. Forgot her, sorry!" does not."""


def stops(text: str, kind: str = "send") -> bool:
    """Whether the words say that the mail is to wait: "please don't yet", "let me check first"."""
    return bool(_STOPS.search(text) or (kind != "fix" and FORGOT.search(text)))


COPIED = re.compile(
    r"(?:why|warum|grund|pourquoi|motif|motivo|por qué|porqué|porquê|razón|razão|perché|waarom|reden|reason|date"
    r"|datum|wann"
    r"|quand|fecha|data|quando|wanneer)\s+(?:sends?|adds?|puts?|sets?|schickt|sendet|setzt|fügt|schreibt|envoie"
    r"|ajoute|met"
    r"|env[ií]a|añade|pone|acrescenta|põe|invia|aggiunge|mette|verstuurt|verzendt|voegt|zet)\b|…|\.\.\.",
    re.IGNORECASE,
)
"""A notice's own line, copied: the word, what it asks for, and what it does."""
SAID_OF_IT = re.compile(
    r"\s+(?:is|isn['’]?t|was|are|ist|war|est|n['’]est|es|no es|é|não é|è|non è|zijn|unclear|unklar|warum|why)\b",
    re.IGNORECASE,
)
""" "Reason is unclear": the word begins a sentence, and is no answer."""
OPEN_END = re.compile(
    r"\b(?:i|we|you|to|not|don['’]?t|never|should|can|may|must|or|and|nicht|nie|ich|wir|soll|kann|oder|und|pas|je|ou"
    r"|no|nunca"
    r"|yo|eu|não|non|io|mai|niet|ik|of|en|if|wenn|si|se|als)$",
    re.IGNORECASE,
)
"""A line that breaks off in the middle of a sentence."""
_CLAUSE = re.compile(r"[,;!?()/+]\s*|[.:](?:\s+|$)|\s[-–—]+\s+")
_OR_ELSE = re.compile(
    r"(?:[,.;:!?/+&]|\b(?:or|and|oder|und|ou|et|o|y|e|en|of|no|then|dann|nein|non|nee)\b)\s*([^\W\d_]+)", re.IGNORECASE
)


def clauses(text: str) -> list[str]:
    return [clause.strip() for clause in _CLAUSE.split(text) if clause.strip()]


def names_another(text: str, kind: Kind) -> bool:
    """Whether the word of another answer stands there as one: first, behind a comma or an "or", or in capitals."""
    first = re.match(r"\W*([^\W\d_]+)", text)
    said = [first[1]] if first else []
    said += [match[1] for match in _OR_ELSE.finditer(text)]
    said += re.findall(r"\b[^\W\d_a-zß-ÿ]{3,}\b", text)
    if kind == "discard" and ABOUT_THE_MAIL.match(text):
        said = said[1:]  # "wrong attachment" is why
    return any(SYNONYMS.get(word.lower(), kind) not in (kind, "reason", "eta") for word in said) or bool(
        re.search(
            r"\b(?:REASON|GRUND|MOTIF|MOTIVO|RAZÃO|RAGIONE|REDEN|ETA|TERMIN|DÉLAI|PLAZO|PRAZO|SCADENZA"
            r"|TERMIJN)\b",
            text,
        )
    )


def turns(clause: str) -> bool:
    """Whether a clause makes the answer before it conditional, or asks for something else."""
    return any(pattern.match(clause) for pattern in (_CONDITION, _TURNS, _WITH, _TO)) or only_a_time(clause)


def holds_back(clause: str) -> bool:
    """ "Not yet", "no", "wait": a clause that takes the answer back."""
    return bool(_WAITS.match(clause) or NOT_NOW.match(clause))


_NE = re.compile(r"\b(?:pas|rien|jamais|plus|aucun\w*)\b", re.IGNORECASE)


def negates(text: str, kind: Kind | None = None) -> bool:
    """Whether a negation stands near the word of an answer (of this kind): "do not send it", "sende sie nicht"."""
    words = [word for word in re.findall(r"(?:don|n)['’]t?|[^\W\d_]+", text.lower()) if word]
    for place, word in enumerate(words):
        said = SYNONYMS.get(word)
        if said is None or (kind is not None and said != kind):
            continue
        behind = [each for far, each in enumerate(words[place + 1 : place + 4]) if each != "no" or not far]
        around = words[max(0, place - 3) : place] + behind  # "enganei-me no anexo": "in the", in Portuguese
        # "ne" is half of the French negation, and no negation in Italian.
        if any(
            (NEGATION.fullmatch(each) and (each != "ne" or _NE.search(text))) or each in ("don", "dont")
            for each in around
        ):
            return True
    return False
