"""What stands below the answer and is no part of it: signatures, "Sent from my iPhone", disclaimers, list footers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import re2

from gateway.mail.lines import Line
from gateway.mail.markers import is_rule
from gateway.mail.phrases import phrases

_MOBILE = phrases(
    """
    sent from my|sent from mail for|sent from outlook|sent from yahoo|sent from proton|sent from aol|
    sent from samsung|sent from gmail|sent via|sent with|sent using|get outlook for|sent by|von meinem|
    von meiner|gesendet von|gesendet mit|gesendet von mail|gesendet aus|diese nachricht wurde von|outlook für|
    holen sie sich outlook|hol dir outlook|envoyé de mon|envoyé depuis|envoyé à partir|envoyé avec|envoyé de|
    obtenez outlook|télécharger outlook|provenance :|enviado desde|enviado a partir|enviado con|enviado do|
    enviado de|enviado pelo|enviado com|enviado via|obtener outlook|obter o outlook|obtenha o outlook|
    inviato da|inviato dal|inviato con|ottieni outlook|scarica outlook|verstuurd vanaf|verzonden vanaf|
    verzonden met|verstuurd met|download outlook|outlook voor|skickat från|skickat med|hämta outlook|sendt fra|
    sendt med|hent outlook|få outlook|last ned outlook|lähetetty|hanki outlook|wysłane z|wysłano z|
    pobierz outlook|odesláno z|odesláno ze|odeslané z|odoslané z|odoslané zo|získat outlook|získajte outlook|
    stiahnuť outlook|отправлено с|отправлено из|скачать outlook|получить outlook|надіслано з|відправлено з|
    завантажити outlook|elküldve a|küldve az|az iphone|az ipad|küldés az|trimis de pe|trimis din|trimis de la|
    poslano s|poslano iz|poslano sa|saadetud minu|saadetud|gönderen:|outlook'u edinin|iphone'umdan|
    iphone’umdan|android'den|ipad'imden|ipad’imden
    """
)
_MOBILE_ENDS = phrases(
    """
    から送信|iphone'umdan gönderildi|iphone’umdan gönderildi|cihazımdan gönderildi|telefonumdan gönderildi|kézről küldve
    """
)
_DEVICES = phrases(
    """
    iphone|ipad|android|samsung|galaxy|outlook|mobil|mobiel|móvil|movil|phone|handy|telefon|téléphone|telefono|
    telefoon|blackberry|huawei|xiaomi|pixel|nokia|mail|yahoo|gmail|proton|tablet|windows|hiri|spark|superhuman|
    puhelim|gerät|телефон|смартфон|почт|пошт|mailspring|device|dispositivo|treo|wireless|handheld|seadmest|uređaj|
    laite|gmx|web.de
    """
)

CLOSINGS = frozenset(
    phrases(
        """
    regards|kind regards|best regards|warm regards|warmest regards|kindest regards|with kind regards|best wishes|
    all the best|best|cheers|sincerely|yours sincerely|yours truly|yours|yours faithfully|many thanks|thanks|
    thank you|thanks and regards|thx|br|rgds|kr|brgds|respectfully|take care|sincerely yours|cordially|
    with best regards|with regards|mit freundlichen grüßen|mit freundlichen grüssen|mit freundlichem gruß|
    freundliche grüße|freundliche grüsse|viele grüße|viele grüsse|liebe grüße|liebe grüsse|beste grüße|beste grüsse|
    schöne grüße|herzliche grüße|mit besten grüßen|mit herzlichen grüßen|grüße|grüsse|gruß|gruss|lg|vg|mfg|bg|hg|
    danke|vielen dank|besten dank|schönen gruß|viele gruesse|mit freundlichen gruessen|vielen dank und viele grüße|
    cordialement|bien cordialement|cdlt|cdt|bien à vous|bien à toi|amicalement|salutations|sincères salutations|
    meilleures salutations|merci|merci d'avance|bonne journée|bonne soirée|bien amicalement|a bientôt|à bientôt|
    saludos|un saludo|saludos cordiales|un cordial saludo|atentamente|cordialmente|un abrazo|gracias|muchas gracias|
    le saluda atentamente|atte|saluti|cordiali saluti|distinti saluti|un saluto|un caro saluto|grazie|buona giornata|
    a presto|ciao|cari saluti|tanti saluti|met vriendelijke groet|met vriendelijke groeten|vriendelijke groet|
    vriendelijke groeten|groet|groeten|groetjes|mvg|hartelijke groet|hartelijke groeten|bedankt|alvast bedankt|
    atenciosamente|cumprimentos|com os melhores cumprimentos|melhores cumprimentos|abraços|abraço|abs|abs.|obrigado|
    obrigada|att|at|at.te|um abraço|grato|grata|beijos|med vänliga hälsningar|vänliga hälsningar|hälsningar|mvh|
    med venlig hilsen|venlig hilsen|hilsen|vennlig hilsen|med vennlig hilsen|vh|tack|takk|tak|ystävällisin terveisin|
    terveisin|t|pozdrawiam|z poważaniem|s pozdravem|s pozdravom|üdvözlettel|cu stimă|lijep pozdrav|s poštovanjem|
    saygılarımla|с уважением|з повагою|lugupidamisega|よろしくお願いします|敬具
        """
    )
)
_DISCLAIMERS = phrases(
    """
    confidential|vertraulich|confidentiel|confidencial|riservat|vertrouwelijk|fortrolig|konfidentiell|poufn|důvěrn|
    privileged|disclaimer|legally protected|rechtlich geschützt|legal notice|intended solely|intended only|
    intended for|intended recipient|addressee|destinatari|destinataire|geadresseerde|empfänger|bestimmt|uitsluitend|
    in error|par erreur|por error|per errore|irrtümlich|liable|liability|legal advice|not permitted|haftung|
    responsabilité|responsabilidad|aansprakelijk|unauthori|delete it|delete this|delete the|löschen|supprimer|elimin|
    verwijder|virus|viren|mail and any|mail or any|print this|before you print|consider the environment|umwelt|
    l'environnement|strictly prohibited|notify the sender|exclusiv|ausschließlich
    """
)
_PHRASES = re2.Set.SearchSet()
for _phrase in _DISCLAIMERS:
    _PHRASES.Add("(?i)" + re2.escape(_phrase))
_PHRASES.Compile()
_FOOTERS = phrases(
    """
    to unsubscribe|unsubscribe from this|you received this message because|you are receiving this|mailing list|
    this sf.net email is sponsored|listinfo|get your free|do you yahoo|join msn|chat with friends|
    click here to unsubscribe
    """
)
_CONTACT = re.compile(
    r"@|www\.|https?:|\+\d|\d{3}[ /.-]?\d{3}|(?:\d\d[ .]){3}\d\d|\|"
    r"|(?:^|\s)(?:tel|fon|fax|mob|phone|ext|cell|direct|telefon|tél|t|m|f|e|w|p)\b\.?\s?[:.+(]",
    re.IGNORECASE,
)
_REGISTER = re.compile(
    r"\b(?:HRB|HRA|Amtsgericht|Geschäftsführ\w*|Vorstand|Aufsichtsrat\w*|Sitz der|USt|VAT|Registered|Company (?:No|Reg)"
    r"|SIREN|SIRET|RCS|KvK|BTW|P\. ?IVA|C\.F\.|CIF|NIF|NIPC|CNPJ)\b"
)
"""What the law wants below business mail."""
_ON_BEHALF = re.compile(
    r"^(?:i\. ?a\.|i\. ?v\.|ppa\.?|p\.? ?p\.|für|for|im auftrag|dr\.|dipl\.-\w+\.?)\s+", re.IGNORECASE
)
_LABELLED = re.compile(
    r"(?:tel|fon|phone|telefon|teléfono|telefono|telefone|téléphone|tél|mail|e-mail|email|web)\b|www\.|\+\d", re.I
)
"""How the last line of a letterhead begins."""
_SENTENCE_END = ".!?:…"
_MOST_BLOCK, _MOST_LETTERHEAD = 14, 6


_MOBILE_STARTS = frozenset(words[:3] for words in _MOBILE)


def is_mobile_line(text: str) -> bool:
    """ "Sent from my iPhone" and its kin, in many languages."""
    if not 6 < len(text) <= 100:
        return False
    lower = text.lower().strip(' <>[]*-_"“”')
    if lower[:3] in _MOBILE_STARTS and lower.startswith(_MOBILE):
        return any(device in lower for device in _DEVICES)
    return lower.endswith(_MOBILE_ENDS)


def is_delimiter(text: str) -> bool:
    """The signature line of RFC 3676 §4.3 and what people's clients make of it."""
    return text in ("--", "\u2014", "\u2013\u2013", "- --")


def signature_start(lines: Sequence[Line], names: SenderNames, *, below: bool = False) -> list[str]:
    """For each line of a stretch of new text: "new", "signature" or "disclaimer".

    `names` tell a signature without a delimiter; `below` says that a quote stands above.
    """
    kinds = ["new"] * len(lines)
    texts = [line.text.strip() for line in lines]
    filled = [number for number, text in enumerate(texts) if text]
    if not filled:
        return kinds
    end = _cut_below(texts, kinds, filled, below)
    above = [number for number in filled if number < end]
    for number in above:
        if lines[number].mark == "signature":
            kinds[number] = "signature"
    for number in above[-8:]:
        if is_mobile_line(texts[number]):
            kinds[number] = "signature"
    rest = [number for number in above if kinds[number] == "new"]
    if _is_letterhead([texts[number] for number in rest], names):
        for number in rest:
            kinds[number] = "signature"
    else:
        _cut_name_block(texts, kinds, rest, names)
    return kinds


@dataclass(frozen=True, slots=True)
class SenderNames:
    """The ways in which the sender may sign."""

    forms: frozenset[str]
    beginnings: tuple[str, ...]
    initials: frozenset[str]

    @classmethod
    @lru_cache(maxsize=1024)
    def of(cls, name: str, address: str) -> SenderNames:
        """From the display name and the address of the From header."""
        name = name.lower().strip("'\" ")
        if "," in name:
            last, _, first = name.partition(",")
            name = f"{first.strip()} {last.strip()}"
        forms: set[str] = set()
        initials: set[str] = set()
        full = [each for each in (name, address.lower().partition("@")[0].replace(".", " ")) if each]
        for each in full:
            words = each.split()
            first, last = words[0], words[-1]
            forms |= {each, first, f"{first} x", f"{first} xx", f"{first} :)", f"{first} :-)"}
            if len(words) > 1:
                forms |= {last, f"{first} {last[0]}", f"{first[0]}. {last}", f"{first} {last}", f"{last}, {first}"}
            initials |= {first[0], "".join(word[0] for word in words)}
        if address:
            forms.add(address.lower())
        return cls(
            frozenset(forms),
            tuple(each + mark for each in full for mark in (",", " |", " -", " –", " /", " (")),
            frozenset(initials),
        )


def _cut_below(texts: list[str], kinds: list[str], filled: list[int], below: bool) -> int:
    """Mark what stands under a delimiter, a disclaimer or a list footer; returns where the rest ends."""
    end = len(texts)
    legal = _legal(" ".join(texts))
    for position, number in enumerate(filled):
        text = texts[number]
        if is_delimiter(text):
            rest = len(filled) - position - 1
            if rest <= (30 if position else 8):
                kinds[number:] = ["signature"] * (len(kinds) - number)
                end = number
                break
        elif text[0] in "_-*=" and len(text) >= 20 and not text.strip("_-*= "):
            following = " ".join(texts[other] for other in filled[position + 1 : position + 5]).lower()
            if any(words in following for words in _FOOTERS) or _legal(following):
                kinds[number:] = ["disclaimer"] * (len(kinds) - number)
                end = number
                break
        elif legal and len(text) > 50 and (below if not position else not texts[number - 1]):
            if _legal(" ".join(_paragraph(texts, number))):
                kinds[number:] = ["disclaimer"] * (len(kinds) - number)
                end = number
                break
        elif text.startswith("-----BEGIN PGP SIGNATURE"):
            kinds[number:] = ["signature"] * (len(kinds) - number)
            end = number
            break
    return end


def _paragraph(texts: list[str], start: int) -> list[str]:
    block = []
    for text in texts[start : start + 12]:
        if not text:
            break
        block.append(text)
    return block


def is_boilerplate(paragraph: str) -> bool:
    """Whether a paragraph is a disclaimer or the footer of a list."""
    return _legal(paragraph) or any(words in paragraph.lower() for words in _FOOTERS)


def _legal(paragraph: str) -> bool:
    """Whether a paragraph is legal boilerplate: three different turns of phrase of that kind."""
    return len(paragraph) > 90 and len(_PHRASES.Match(paragraph[:20_000]) or ()) > 2


def _names_sender(text: str, names: SenderNames) -> bool:
    """Whether a short line is the sender's own name, first name, initials, or begins with it."""
    if len(text) > 60 or text[-1:] == "?":
        return False
    line = _ON_BEHALF.sub("", text).lower().strip(" ,.-–—*_/~!|")
    return line in names.forms or line.startswith(names.beginnings) or (len(text) <= 4 and line in names.initials)


def closing_of(text: str) -> str:
    """The rest of a line that begins with a closing formula ("Merci, Luis" gives "luis"), or "-" where it is none."""
    if len(text) > 80:
        return "-"
    lower = text.lower().strip(" *_!.,;:–-")
    if lower in CLOSINGS:
        return ""
    for separator in (",", " "):  # "Merci, Luis", "BR Aisha"
        head, found, rest = lower.rpartition(separator)
        while found and len(rest) < 40:
            if head.strip(" ,!-–") in CLOSINGS:
                return rest.strip()
            head, found, more = head.rpartition(separator)
            rest = f"{more}{separator}{rest}"
    return "-"


def _cut_name_block(texts: list[str], kinds: list[str], filled: list[int], names: SenderNames) -> None:
    """Mark the closing formula, the sender's name and the lines of title and telephone under it, at the end."""
    tail = filled[-_MOST_BLOCK:]
    for position, number in enumerate(tail):
        text = texts[number]
        rest = closing_of(text)
        named = _names_sender(text, names) or (rest not in ("", "-") and _names_sender(rest, names))
        closes = (
            rest == ""
            and position + 1 < len(tail)
            and (_names_sender(texts[tail[position + 1]], names) or _is_contact(texts[tail[position + 1]]))
        )
        closes = closes or (rest == "" and position + 1 == len(tail) and len(filled) > 1)
        if not (named or closes) or (number == filled[0] and len(filled) > len(tail)):
            continue
        block = [number]
        for other in tail[position + 1 :]:
            if not _is_contact(texts[other]) and not _names_sender(texts[other], names):
                break
            block.append(other)
        if (
            block[-1] != tail[-1]
            and len(block) < 2 + closes
            and named
            and position + 1 < len(tail)
            and texts[number][-1:] in ",:"
        ):
            continue  # a greeting to somebody of the same name
        rest_of_it = tail[position + len(block) :]
        if rest_of_it and not _is_postscript(texts[rest_of_it[0]]):
            if not _is_fine_print([texts[each] for each in block], [texts[each] for each in rest_of_it]):
                continue
            block += rest_of_it
        above = tail[position - 1] if position else -1
        if above >= 0 and is_rule(texts[above]):
            block.append(above)
        for member in block:
            kinds[member] = "signature"
        return


def _is_fine_print(block: list[str], rest: list[str]) -> bool:
    """Whether what stands below a closing, a name and a telephone number belongs to them: a slogan, or small print."""
    if len(block) < 3 or len(rest) > 3 or not any(_CONTACT.search(text) for text in block):
        return False
    legal = len(_PHRASES.Match(" ".join(rest)[:2_000]) or ())
    return bool(legal) or (len(rest) == 1 and len(rest[0]) <= 60)


def _is_letterhead(texts: list[str], names: SenderNames) -> bool:
    """Whether a whole mail is the sender's own letterhead: nobody has written a word above what is passed on."""
    if not 2 <= len(texts) <= _MOST_LETTERHEAD or not _LABELLED.match(texts[-1]) or not all(map(_is_contact, texts)):
        return False
    full = (name for name in names.forms if " " in name)
    head = f" {texts[0].lower()} "
    return any(f" {name} " in head for name in full)


def _is_contact(text: str) -> bool:
    """A line such as a title, a department, a telephone number or a link."""
    if len(text) > 100 or _is_postscript(text):
        return False
    if _REGISTER.search(text):
        return True
    if _CONTACT.search(text):
        return len(text.split()) <= 12
    return (
        text[-1:] not in _SENTENCE_END + "," and len(text.split()) <= 7 and (text[0].isupper() or text[0] in "|(*-_[<")
    )


def _is_postscript(text: str) -> bool:
    return text.lower().startswith(("ps", "p.s", "p. s"))
