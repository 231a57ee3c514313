"""Attribution lines: "On Mon, 5 May 2025 at 10:02, Jill Amory <jill@…> wrote:" in many languages, wrapped or not.

One needs a verb and a date, an address, or the quoted lines themselves.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import re2

from gateway.mail.address import Mailbox
from gateway.mail.heads import CLOCK, DATEISH, EMPHASIS, ENDS, Found, is_name
from gateway.mail.labels import FILLERS, QUOTING, VERBS
from gateway.mail.lines import Line
from gateway.mail.people import clean_name, find_address
from gateway.mail.phrases import phrases

_VERBS = {
    verb: re.compile(rf"(?<!\w){re.escape(verb)}(?!\w)" if ord(verb[0]) < 0x2000 else re.escape(verb))
    for verb in dict.fromkeys(VERBS)
}
_AREAS = "Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Etc|Europe|Indian|Pacific|US"
_ZONE = re.compile(
    rf"\s?\(?(?:[^\W\d_a-zа-я]{{3,5}}|(?:GMT|UTC)[+-]\d{{1,4}}|(?:{_AREAS})/[A-Z][A-Za-z_]+)\)?(?=[\s,、])[ -]*"
)
"""What may follow the clock of a date: "SELČ", "(Europe/Berlin) - "."""
_MAILTO = re.compile(r"<mailto:[^<>]*(?:>|\Z)|\[mailto:[^\[\]]*(?:\]|\Z)", re.IGNORECASE)
_DIGITS = re.compile(r"\d[\d:.,/+-]*")
_DAY = re.compile(r"(?<!\d)(?:(?:19|20)\d\d|\d{1,2}[./-]\d{1,2}[./-]\d\d)(?!\d)")
_HALF = re.compile(r"\s?[AaPp]\.?\s?[Mm]\b\.?")
_PATTERNS = tuple(_VERBS.values())
_ANY_VERB = re2.Set.SearchSet()
for _verb in _VERBS:
    _ANY_VERB.Add(re2.escape(_verb))
_ANY_VERB.Compile()
_UNSPACED = tuple(verb for verb in _VERBS if ord(verb[0]) >= 0x2000)
_QUOTING = re.compile("(?:" + "|".join(map(re.escape, QUOTING)) + r") (?=\S)", re.IGNORECASE)
_LETTERS = re.compile(r"[^\W\d_]+")
_MONTH = re.compile(r"[^\W\d_]{3}|月")
_OPENINGS = frozenset(
    phrases(
        """
    on|am|le|el|il|em|op|den|dne|la|w|at|pe|u|в|у|a|ha|quoting|zitat|citando|citation|in|no|à|wiadomość|kontakt|dana
        """
    )
)
_DAYS = frozenset(
    phrases(
        """
    monday|tuesday|wednesday|thursday|friday|saturday|sunday|yesterday|today|
    montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonnabend|sonntag|gestern|heute|
    lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|hier|aujourd'hui|
    lunes|martes|miércoles|jueves|viernes|sábado|domingo|ayer|hoy|
    segunda-feira|terça-feira|quarta-feira|quinta-feira|sexta-feira|segunda|terça|quarta|quinta|sexta|ontem|hoje|
    lunedì|martedì|mercoledì|giovedì|venerdì|sabato|domenica|ieri|oggi|
    maandag|dinsdag|woensdag|donderdag|vrijdag|zaterdag|zondag|gisteren|vandaag|
    mandag|tirsdag|onsdag|torsdag|fredag|lørdag|søndag|måndag|tisdag|lördag|söndag|i går|igår|
    poniedziałek|wtorek|środa|środę|czwartek|piątek|sobota|sobotę|niedziela|niedzielę|wczoraj|
    pondělí|úterý|středa|středu|čtvrtek|pátek|sobota|sobotu|neděle|neděli|včera|pondelok|utorok|streda|štvrtok|piatok|
    hétfő|kedd|szerda|csütörtök|péntek|szombat|vasárnap|tegnap|luni|marți|miercuri|joi|vineri|sâmbătă|duminică|ieri|
    maanantai|tiistai|keskiviikko|torstai|perjantai|lauantai|sunnuntai|eilen|ponedjeljak|utorak|srijeda|četvrtak|petak|
    понедельник|вторник|среда|среду|четверг|пятница|пятницу|суббота|субботу|воскресенье|вчера|
    понеділок|вівторок|середа|середу|четвер|п'ятниця|п'ятницю|субота|суботу|неділя|неділю|вчора|
    pazartesi|salı|çarşamba|perşembe|cuma|cumartesi|pazar|dün
        """
    )
)
"""What may stand before a name in place of a whole date: "On Monday, Jill … wrote:"."""
_PRONOUNS = frozenset(
    phrases(
        """
    you|du|sie|ihr|vous|tu|usted|ustedes|lei|voi|u|jij|je|você|vocês|you've
        """
    )
)


def read_attribution(lines: Sequence[Line], at: int, *, quoted_next: bool) -> Found | None:
    """The attribution that ends with the line `at` (it may have been wrapped over up to four lines).

    `quoted_next` says that deeper quoted lines follow: then a verb is enough; `strong` tells whether it would do
    without them.
    """
    line = lines[at]
    text = line.text.strip(EMPHASIS + "-")
    if not text or text[-1] not in ENDS or len(text) > 400:
        return None
    first = at
    links = line.links
    opened = _opens(text)
    whole: tuple[str, int, tuple[str, ...]] | None = None
    for back in range(at - 1, max(at - 4, -1), -1):
        above = lines[back]
        if opened and DATEISH.search(text):
            if find_address(text):
                break
            if len(text.split()) > 3:
                if "@" not in above.text or _ANY_VERB.Match(text.lower()):
                    break
                whole = whole or (text, first, links)  # "Jill <jill@x> wrote on", "3 May 2025, 10:02:"
        over = above.text.strip(EMPHASIS)
        if not over or above.depth != line.depth or over[-1] in ".!?;" + ENDS or len(over) + len(text) > 400:
            break
        if not (_opens(over) or find_address(over) or DATEISH.search(over)):
            continue
        joined = " ".join((*(lines[number].text.strip(EMPHASIS) for number in range(back, first)), text))
        text, first, opened = joined, back, _opens(over)
        links = above.links + links
    if whole is not None and not _ANY_VERB.Match(text.lower()):
        text, first, links = whole  # only "wrote" ties a date to the address above it
    if text[0] == "<" and first and _is_name_alone(lines, first - 1):
        first -= 1
        text = f"{lines[first].text.strip(EMPHASIS)} {text}"
    return _parse_attribution(text, links, first, at + 1, quoted_next)


def _is_name_alone(lines: Sequence[Line], at: int) -> bool:
    """Whether the line holds a name and no more, as clients break a long one before its address."""
    name, depth = lines[at].text.strip(EMPHASIS), lines[at].depth
    above = lines[at - 1] if at else None
    if not name or len(name) > 80 or name[-1] in ".!?;," + ENDS or depth != lines[at + 1].depth:
        return False
    return (above is None or not above.text or above.depth != depth) and is_name(Mailbox("", clean_name(name)), 7)


def read_marked_attribution(lines: Sequence[Line], first: int, end: int) -> Found | None:
    """An attribution that the client's own HTML marks as such (gmail_attr, moz-cite-prefix), in whatever language."""
    text = " ".join(line.text.strip(EMPHASIS) for line in lines[first:end])[:600]
    links = tuple(link for line in lines[first:end] for link in line.links)
    return _parse_attribution(text, links, first, end, True, certain=True)


def _opens(text: str) -> bool:
    word = text.split(None, 1)[0].lower().strip(",.")
    return word in _OPENINGS or word[:1].isdigit() or (text[0].isupper() and DATEISH.search(text[:24]) is not None)


def _parse_attribution(
    text: str, links: tuple[str, ...], first: int, end: int, quoted_next: bool, *, certain: bool = False
) -> Found | None:
    words = _Words(text, links)
    if not certain and not words.says_enough(quoted_next):
        return None
    person = words.person()
    if person is None or (not certain and not is_name(person, 7)):
        return None
    if not person.address and person.name.lower().partition(" ")[0] in _PRONOUNS:
        person = None  # "At 08:16 you wrote": it says no more than that it is a quote
    locale = "en" if "wrote" in words.lower else ""
    return Found(first, end, person, words.date_text(), strong=words.stands_alone(person), locale=locale)


class _Words:
    """The words of an attribution: where an address, the verb and the date stand in them."""

    def __init__(self, text: str, links: tuple[str, ...]) -> None:
        text = text.rstrip(ENDS + EMPHASIS).strip("-> \t").replace("\u00a0", " ").replace("\u202f", " ")
        if text[:12].lower() in ("in message <", "in article <"):
            text = text[text.find(">") + 1 :].lstrip(" ,")
        quoting = _QUOTING.match(text)
        if quoting is not None:
            text = text[quoting.end() :]
        place = find_address(text)
        if place is not None and "mailto:" in text and not text.startswith("mailto:", place[0] - 7):
            text = _MAILTO.sub("", text)  # "Jill <jill@x<mailto:jill@x>>"
        if place is not None and not text[place[0] : place[1]].isascii():
            place = _without_particles(text, place)
        lower = text.lower()
        if len(lower) != len(text):  # a letter whose small form is longer (İ): offsets must agree
            lower = "".join(character.lower()[:1] for character in text)
        masked = text if place is None else text[: place[0]] + " " * (place[1] - place[0]) + text[place[1] :]
        self.text, self.lower, self.masked, self.place = text, lower, masked, place
        self.links = links if links and find_address(links[0]) is not None else ()
        self.verbs = _verbs_in(lower, place)
        self.quotes = bool(self.verbs) or quoting is not None
        self.dates = [found.span() for found in _DIGITS.finditer(masked)]
        self.dateish = len(self.dates) > 1 and DATEISH.search(masked) is not None
        self.timed = self.dateish and CLOCK.search(masked) is not None

    def says_enough(self, quoted_next: bool) -> bool:
        """Whether this may be an attribution at all, given whether deeper quoted lines follow."""
        place = self.place
        ends_with_address = place is not None and not self.text[place[1] :].strip(" >)]*\"'")
        if not self.quotes and not ends_with_address and not (quoted_next and self.timed):
            return False
        return bool(place or self.dateish or (self.quotes if quoted_next else self.links))

    def person(self) -> Mailbox | None:
        """The author: the name beside the address, or what is neither date nor verb."""
        half = _HALF.match(self.text, self.dates[-1][1]) if self.dateish else None
        if half is not None:
            self.dates = [*self.dates, half.span()]
        self._leave_numbers()
        plain = self.dates
        zone = _ZONE.match(self.text, plain[-1][1]) if self.dateish else None
        if zone is not None:
            self.dates = [*plain, zone.span()]
        person = _attributed(self.text, self.place, self.verbs, self.dates, self.links)
        if zone is not None and (person is None or not (person.address or person.name)):
            self.dates = plain  # no zone: somebody called "BOB"
            person = _attributed(self.text, self.place, self.verbs, self.dates, self.links)
        return person

    def _leave_numbers(self) -> None:
        """A number beside a name, and not in the date, is part of the name: "24/7 Service <service@x>"."""
        if self.place is None or not self.dateish:
            return
        left, right = self.place
        if self.dates[-1][0] > right and _tells_date(self.text[right:]):
            self.dates = [span for span in self.dates if span[0] > right]
            return
        start, end = max((span for span in self.dates if span[0] < left), default=(0, 0))
        number, before = self.text[start:end], self.text[:start]
        if before[-1:] == " " and not DATEISH.search(number) and not CLOCK.search(number) and _tells_date(before):
            self.dates = [span for span in self.dates if span[0] != start]

    def date_text(self) -> str:
        """The date as the client wrote it; "" where there is none."""
        if not self.dateish:
            return ""
        start, finish = self.dates[0][0], self.dates[-1][1]
        written = self.masked[start:finish].strip(" ,-、")
        word = self.masked[:start].split()
        if word and word[-1][:1].isalpha() and len(word[-1]) > 2 and word[-1].lower().strip(".,") not in FILLERS:
            written = f"{word[-1]} {written}"  # "May 3, 2025", "Sat 3 May"
        return written

    def stands_alone(self, person: Mailbox | None) -> bool:
        """Whether it says enough to be believed above text without quote marks."""
        text, place = self.text, self.place
        if place is None and not self.links:
            # "Am 3. Mai um 10:02 schrieb der Server folgendes:" names nobody.
            named = person is not None and not person.name.rpartition(" ")[2][:1].islower()
            return self.timed and named and (text[0].isupper() or text[0].isdigit() or not text[0].isascii())
        if self.verbs or place is None:
            return True
        # No verb, as in Gmail's Russian and Japanese: "Contact: Jill <jill@x>:" has no date, a log has no brackets.
        around = text[: place[0]] + text[place[1] :]
        bracketed = text[place[0] - 1 : place[0]] in ("<", "(", "[")
        return self.timed and (bracketed or (len(_LETTERS.findall(around)) < 6 and _MONTH.search(around) is not None))


def _tells_date(text: str) -> bool:
    """Whether a day of a year and a time of the day stand here."""
    return _DAY.search(text) is not None and CLOCK.search(text) is not None


def _without_particles(text: str, place: tuple[int, int]) -> tuple[int, int]:
    """Where an address ends that a Japanese or Chinese verb follows without a blank."""
    left, right = place
    for verb in _UNSPACED:
        at = text.find(verb, left, right)
        if at > text.find("@", left):
            right = at
    return left, right


def _verbs_in(lower: str, place: tuple[int, int] | None) -> list[re.Match[str]]:
    """Where it says "wrote", in order; the longest of those that overlap, none within the address."""
    found = [match for number in _ANY_VERB.Match(lower) or () for match in _PATTERNS[number].finditer(lower)]
    found.sort(key=lambda match: (match.start(), -match.end()))
    kept: list[re.Match[str]] = []
    for match in found:
        if (not kept or match.start() >= kept[-1].end()) and not (place and place[0] <= match.start() < place[1]):
            kept.append(match)
    return kept


def _attributed(
    text: str,
    place: tuple[int, int] | None,
    verbs: list[re.Match[str]],
    dates: list[tuple[int, int]],
    links: tuple[str, ...],
) -> Mailbox | None:
    """The author in an attribution line: name beside the address, or what is neither date nor verb."""
    if place is not None:
        left, right = place
        ends = (*(found.end() for found in verbs), *(end for _, end in dates))
        start = max((end for end in ends if end <= left), default=0)
        name = _name_of(text[start:left].replace("mailto:", ""), opening=start == 0, addressed=True)
        if not name and start == 0 and text[right : right + 2] in (" (", ' "'):
            name = clean_name(text[right + 2 :].split(")")[0])
        return Mailbox(text[left:right], name)
    address = links[0] if links else ""
    if dates:
        pieces = [(text[dates[-1][1] :], dates[-1][1], False), (text[: dates[0][0]], 0, True)]
    else:
        pieces = [(text, 0, True)]
    for piece, offset, opening in pieces:
        inside = [
            (found.start() - offset, found.end() - offset)
            for found in verbs
            if offset <= found.start() < offset + len(piece)
        ]
        if not inside:
            parts = [piece]
        else:
            parts = [piece[: inside[0][0]], piece[inside[0][1] : inside[1][0] if len(inside) > 1 else None]]
        for part in parts:
            name = _name_of(part, opening=opening)
            if name:
                return Mailbox(address, name)
    return Mailbox(address, "") if address else None


_UPPER_FILLERS = frozenset(
    phrases(
        """
    AM|PM|MESZ|MEZ|GMT|UTC|CET|CEST|EST|EDT|PST|PDT|MST|MDT|CST|CDT|BST|IST|JST|MSK|AEST|A.M.|P.M.|Uhr
        """
    )
)


def _name_of(text: str, *, opening: bool, addressed: bool = False) -> str:
    """Take fillers off both ends of the words around a name, which an address follows where it is `addressed`."""
    before, bracket, _ = text.partition("<")
    text = before if bracket and before.strip() else text  # "Jill <jill at x.example>", as archives hide addresses
    if text.count("(") != text.count(")") or text.lstrip(" ,").startswith("("):
        text = text.replace("(", " ").replace(")", " ")
    if text.count("[") != text.count("]"):
        text = text.replace("[", " ")
    words = text.replace("<", " ").replace("、", " ").split()
    begin, end = 0, len(words)
    while begin < end:
        word = words[begin].strip(",;:.<>-–—*")
        # "Domingo Pérez" is a name, "El domingo Ana Pérez" is not, nor is "Monday, Jill".
        if opening and word.lower() in _DAYS and end - begin > 1 and (words[begin][-1:] == "," or begin > 0):
            begin += 1
            continue
        if (
            word
            and word not in FILLERS
            and word not in _UPPER_FILLERS
            and not (opening and begin == 0 and word.lower() in FILLERS)
        ):
            break
        begin += 1
    while end > begin:
        word = words[end - 1].strip(",;:<>-–—*")
        if word and word not in FILLERS and word not in _UPPER_FILLERS:
            break
        end -= 1
    if opening and end - begin == 1 and (words[begin].endswith(",") and len(words[begin]) < 6):
        return ""  # a weekday that stands before the date: "Sat, 3 May"
    return clean_name(" ".join(words[begin:end]), addressed=addressed)
