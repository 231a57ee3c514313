"""What people write around an answer and that changes nothing: greetings, pleas, thanks, farewells, ends of mails.

Each list is for all languages at once: whoever answers writes in their own, whatever the notice was in.
"""

from __future__ import annotations

import re

_PLEAS = "please pls plz yes yep ok okay ja bitte oui svp stp sí si vale sim sì graag alsjeblieft alstublieft aub ajb"
"""Before an answer and behind it."""
FILLERS = frozenset(
    (
        f"{_PLEAS} "
        "it this that one thanks thx ty thank you u now so the again sorry ta cheers very much many"
        " danke dir ihnen schön sehr vielen dank es sie ihn die das den jetzt gern gerne hinzu dazu"
        " merci beaucoup le la les ce celui ci s il vous te plaît plait maintenant d accord"
        " gracias muchas por favor lo los ahora esto"
        " obrigado obrigada muito o a os agora isso se faz sff"
        " grazie mille per favore cortesia li ora pure questo"
        " bedankt dank je de het dit deze nu toe maar"
    ).split()
)
"""Words that change nothing beside an answer."""
SAID_OF_A_MAIL = frozenset({"again", "sorry"})
"""Those of them that say of WRONG that it is the mail that is."""

_GREETINGS = (
    r"hi|hello|hey|dear|good (?:morning|afternoon|day|evening)|hallo|guten (?:tag|morgen|abend)|moin|servus"
    r"|bonjour|bonsoir|salut|hola|buen[oa]s(?: d[ií]as| tardes| noches)?|ol[áa]|bo[am]s? (?:dia|tarde|noite)"
    r"|ciao|buongiorno|buonasera|goede(?:morgen|middag|navond)|goedendag|dag|hoi"
)
"""In front of an answer in its line ("Hi, FIX"), or in a line above it."""
_TO_SOMEBODY = r"liebe[rs]?|sehr geehrte|ch[eè]re?|estimad[oa]|querid[oa]|prezad[oa]|gentile|car[oa]|beste|goede|guten"
"""Those behind which a name comes: in a line of their own only."""
GREETING = re.compile(rf"^(?:{_GREETINGS}|{_TO_SOMEBODY})\b", re.IGNORECASE)
POLITE = re.compile(
    rf"^(?:(?:{_PLEAS.replace(' ', '|')}"
    r"|oh|ah|oops|ups|gosh|sure|right|absolutely|of course|good catch|then|just|answer|reply|klar|genau|trotzdem|dann"
    r"|einfach|antwort|bien sûr|merci de|d['’]accord|claro|por favor|certo|per favore|natuurlijk|dan"
    rf"|(?:{_GREETINGS})"
    r"(?: (?:there|all|team|gateway|zusammen|liebes gateway|à tous|a todos|a tutti|allemaal))?(?=\s*[,!.:–-]))\b"
    r"[\s,:!.–-]*)+",
    re.IGNORECASE,
)
"""What stands in front of an answer in its line."""
THANKS = re.compile(
    r"^(?:(?:many |vielen |muchas |muito |heel |hartelijk )?(?:thank|thx|ty\b|danke?\b|merci|gracias|obrigad|grazie"
    r"|bedankt)|(?:(?:oh|ah)(?=\W*$|\s*[,!.]|\s+(?:i|no|yes|my|sorry|right|dear|gosh|ja|nein|oui|non|sí|sim|sì)\b)"
    r"|oops|ups|sorry|good catch|well spotted|my mistake|mein fehler|fair (?:point|enough)))",
    re.IGNORECASE,
)
END = re.compile(
    r"^(?:>|--\s*$|__+|-{3,}|={5,}"
    r"|(?:from|sent|to|subject|date|von|gesendet|an|betreff|datum|de|envoyé|à|objet|enviado|para|asunto|assunto|da|a"
    r"|inviato|oggetto|van|verzonden|aan|onderwerp)\s*:\s(?!\s*$).*(?:@|\d{4}|gateway)"
    r"|(?:on|am|le|el|em|il|op)\b.{6,200}\b(?:wrote|schrieb|écrit|escribió|escreveu|scritto|schreef)\b.*:?\s*$"
    r"|.{0,120}\b(?:wrote|schrieb|écrit|escribió|escreveu|scritto|schreef)\s*:\s*$"
    r"|(?:sent from (?:my|outlook|mail for|yahoo|gmail)|sent via (?:the )?(?:samsung|outlook|gmx|blackberry)"
    r"|envoyé à partir de|inviato dal|van mijn \w+ verzonden|get outlook for|von meinem|gesendet von"
    r"|gesendet mit|hol dir outlook|envoyé de(?:puis)? mon"
    r"|télécharger outlook|enviado desde mi|obtener outlook|enviado d[oe]|obter o outlook|inviato da|ottieni outlook"
    r"|(?:verzonden|verstuurd) (?:van(?:af|uit)?|met)|outlook voor|downloaden?)\b)",
    re.IGNORECASE,
)
"""Below such a line stands somebody else's text, or none: quotes, signatures, what mail programs put in."""
FOOTER = re.compile(
    r"^(?:(?:this|the (?:information|content)|diese|ce (?:message|courriel)|este|esta|questo|questa|dit|deze)\b.{0,80}"
    r"\b(?:confiden|vertraul|riservat|vertrouwelijk|privileg|intended (?:only|solely|for|to|recipient)"
    r"|(?:nur )?für d\w+ "
    r"(?:adress|empf)|destin)"
    r"|\W*(?:(?:important|legal|confidential\w*|privacy|privileged|vertraulichkeits\w*|rechtlicher"
    r"|wichtiger) (?:notice|note"
    r"|hinweis|information)|vertraulichkeitshinweis|avis (?:de confidentialité|important|légal)|aviso (?:legal"
    r"|de confiden\w+)"
    r"|avviso di riservatezza|disclaimer|if you are not the intended))",
    re.IGNORECASE,
)
"""A footer that the mail server or program adds, below what was written."""

_NAMED = r"(?:\s*[,.!/–-]*\s*(?:(?-i:[A-ZÀ-Þ])[\w’'.-]*\s*){1,3})?"
SIGN_OFF = re.compile(
    r"^(?:(?:with )?(?:(?:best|kind|kindest|warm|warmest|many) )?(?:regards|wishes)|best|cheers|(?:many )?thanks"
    r"(?: (?:again|in advance|a lot|so much|for your help))?|thank you(?: (?:so much|very much|in advance))?|thx|ty"
    r"|br|kr|rgds"
    r"|yours (?:sincerely|truly|faithfully)|sincerely|have a (?:nice|good|great) (?:day|one|weekend)|take care"
    r"|all the best"
    r"|mit (?:freundlichen|besten|lieben|vielen|herzlichen) gr(?:ü|ue)(?:ß|ss)en"
    r"|(?:(?:viele|beste|liebe|schöne|herzliche|freundliche) )?gr(?:ü|ue)(?:ß|ss)e|gru(?:ß|ss)|(?:vielen |besten "
    r"|herzlichen )?"
    r"dank(?: im voraus)?|danke(?: (?:dir|ihnen|euch|im voraus))?|lg|mfg|vg|bg|schönen tag(?: noch)?"
    r"|(?:(?:bien|très) )?cordialement|cdt|cdlt|bien à (?:vous|toi)|salutations|merci(?: (?:beaucoup|d['’]avance))?"
    r"|bonne (?:journée|soirée)|sincères salutations|amicalement"
    r"|(?:un )?(?:cordial )?saludos?(?: cordial(?:es)?)?|(?:muchas )?gracias(?: de antemano| por todo)?|atentamente"
    r"|un abrazo"
    r"|buen día|(?:com os melhores )?cumprimentos|atenciosamente|att|(?:um )?abraços?|muito obrigad[oa]|obrigad[oa]"
    r"|bom dia"
    r"|(?:(?:cordiali|distinti) )?saluti|cordialmente|grazie(?: mille)?|buona giornata|un saluto"
    r"|(?:met )?vriendelijke groet(?:en|jes)?|(?:hartelijke )?groet(?:en|jes)?|gr|(?:alvast |hartelijk )?bedankt|mvg"
    r"|fijne dag)"
    rf"{_NAMED}[\s.,!]*$",
    re.IGNORECASE,
)
"""The end of a mail, with or without a name: below an answer's text it belongs to the signature."""
CONTACT = re.compile(
    r"^(?:tel|phone|mobile|mob|fon|telefon|fax|ext|handy|tél|téléphone|teléfono|móvil|telefone|telefono|cell"
    r"|telefoon|t|m|p"
    r"|e-?mail|web)\b\s*[.:]|^\+?[\d\s()/.-]{7,}$|^(?:https?://|www\.)\S+$|^\S+@\S+\.\w+$",
    re.IGNORECASE,
)
"""A line of a signature: how to reach somebody."""
