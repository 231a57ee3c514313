"""Who wrote the quoted text: attribution lines ("On …, Jill wrote:"), header blocks ("Von: … Gesendet: …") and markers.

A single "From:" in a sentence never counts: a block needs two labels of one locale side by side, a marker or the mark
of a mail client's own HTML; an attribution line needs a verb and a date, an address, or the quoted lines themselves.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.mail.address import Mailbox
from gateway.mail.labels import FILLERS, FORWARD_STEMS, LABELS, LONGEST_LABEL, ORIGINAL_STEMS, VERBS
from gateway.mail.lines import Line
from gateway.mail.people import clean_name, find_address, parse_person
from gateway.mail.phrases import phrases

_EMPHASIS = " \t\u00a0\u3000*_"
_VERBS = {
    verb: re.compile(rf"(?<!\w){re.escape(verb)}(?!\w)" if ord(verb[0]) < 0x2000 else re.escape(verb))
    for verb in dict.fromkeys(VERBS)
}
_DIGITS = re.compile(r"\d[\d:.,/+-]*")
_DATEISH = re.compile(r"(?<!\d)(?:(?:19|20)\d\d|\d{1,2}[./-]\d{1,2}[./-]\d\d|\d{1,2}[:.h]\d\d)(?!\d)")
_CLOCK = re.compile(r"(?<!\d)\d{1,2}[:.h時]\s?\d\d(?!\d)")
_SHORT_DATE = re.compile(
    r"\d{1,4}\s?[./-]\s?\d{1,2}\s?[./-]\s?\d{2,4}|\d{1,2}\.? \w{3,12}\.? \d{4}|\w{3,12} \d{1,2}, \d{4}"
)
_ON_DATE = re.compile(r"\s(?:on|am|le|el|il|op|em|den)\s+(?=\d)", re.IGNORECASE)
_OPENINGS = frozenset(
    phrases(
        """
    on|am|le|el|il|em|op|den|dne|la|w|at|pe|u|в|у|a|ha|quoting|zitat|citando|citation|in|no|à|wiadomość|kontakt|dana
        """
    )
)
_ENDS = ":\uff1a"
_CONTINUED = 250
_PRONOUNS = frozenset(
    phrases(
        """
    you|du|sie|ihr|vous|tu|usted|ustedes|lei|voi|u|jij|je|você|vocês|you've
        """
    )
)
_PARTICLES = frozenset(
    phrases(
        """
    de|da|do|dos|das|di|del|della|van|von|der|den|ten|ter|zu|la|le|el|al|bin|ibn|y|e|und|and|via|of|du
        """
    )
)


@dataclass(slots=True)
class Found:
    """A recognised head of quoted text: `first` to `end` (exclusive) are line numbers."""

    first: int
    end: int
    person: Mailbox | None
    date_text: str = ""
    subject: str = ""
    to: str = ""
    cc: str = ""
    links: dict[str, tuple[str, ...]] = field(default_factory=dict)
    locale: str = ""
    strong: bool = True


def read_label(text: str) -> tuple[dict[str, str], str] | None:
    """({locale: field}, value) of a line such as "*Von:* Jill", or None."""
    at = text.find(":", 0, LONGEST_LABEL + 12)
    wide = text.find("\uff1a", 0, LONGEST_LABEL + 12)
    if wide >= 0 and (at < 0 or wide < at):
        at = wide
    if at <= 0:
        return None
    known = LABELS.get(text[:at].strip(_EMPHASIS).lower())
    return (known, text[at + 1 :].strip(_EMPHASIS)) if known else None


def label_of(line: Line) -> tuple[dict[str, str], str] | None:
    """As `read_label`, for a line: a table cell may hold a label without its colon (Notes in HTML)."""
    if line.mark == "label":
        return LABELS[line.text.lower()], ""
    return read_label(line.text.strip())


def is_rule(text: str) -> bool:
    """A line of nothing but underscores or dashes, as Outlook and OWA draw above a header block."""
    return len(text) >= 5 and text[0] in "_-=*\u2014\u2500\u2013" and not text.strip("_-=* \u2014\u2500\u2013")


def read_marker(text: str) -> str:
    """ "forward", "original" or "unknown" (words between dashes) for a line that announces a quoted mail; else ""."""
    text = text.strip()
    if not 4 < len(text) <= 200:
        return ""
    first = text[0]
    if first in "-_=*~\u2014\u2013" and text[1] in "-_=*~\u2014\u2013 ":
        middle = text.strip("-_=*~\u2014\u2013>< ").lower()
        if not middle or middle[0].isdigit():
            return ""
        closed = text[-1] in "-_=*~\u2014\u2013"
        if any(stem in middle for stem in FORWARD_STEMS):
            return "forward" if closed or len(middle) < 60 else ""
        if any(stem in middle for stem in ORIGINAL_STEMS):
            return "original" if closed or len(middle) < 30 else ""
        return "unknown" if closed and text[:2] == text[-2:] and len(middle) < 140 else ""
    if text[-1] in _ENDS and len(text) < 80:
        lower = text.lower()
        if any(stem in lower for stem in FORWARD_STEMS):
            return "announced"
    return ""


def read_block(lines: Sequence[Line], start: int, *, sure: bool = False) -> Found | None:
    """The header block that begins at `start`; `sure` where a marker or the markup announced it. Looks 250 lines far."""
    depth = lines[start].depth
    values: dict[str, str] = {}
    links: dict[str, tuple[str, ...]] = {}
    locales: set[str] | None = None
    last, end, blanks, others = "", start, 0, 0
    at = start
    for at in range(start, min(len(lines), start + _CONTINUED)):
        line = lines[at]
        if line.depth != depth:
            break
        text = line.text.strip()
        if not text:
            blanks += 1
            if blanks > 1:
                break
            continue
        label = label_of(line)
        if label is not None:
            known, value = label
            name = known.get("en", "")
            if not name or (locales and name and locales & known.keys()):
                common = (locales & known.keys()) if locales else set(known)
                if not common:
                    if not name:
                        break
                else:
                    locales = common
                    name = known[min(common)]
            if name in ("to", "cc") and values.get(name) and "from" in values and not blanks:
                value = f"{values[name]}, {value}"
            elif name in values and name != "other":
                break
            others += name == "other"
            values[name] = value
            links[name] = line.links
            last, end, blanks = name, at + 1, 0
            continue
        if not last or blanks or not _continues(lines, at, last, values, depth):
            break
        values[last] = f"{values[last]} {text}" if len(values[last]) < 4000 else values[last]
        links[last] += line.links
        end, blanks = at + 1, 0
    if "from" not in values:
        return _read_notes(lines, start, end, values, links, locales)
    told = len(values.keys() & {"date", "to", "cc", "subject"})
    person_text, date_text = values["from"], values.get("date", "")
    dated = _ON_DATE.search(person_text)
    if dated is not None and not date_text:  # Notes: "From: Jill Amory on 04/13/2001 12:34 PM"
        person_text, date_text = person_text[: dated.start()], person_text[dated.end() :]
    person = parse_person(person_text, links["from"])
    if person is None and not sure:
        return None
    addressed = "@" in person_text or bool(links["from"])
    dateish = bool(date_text) and _DATEISH.search(date_text) is not None
    plausible = (
        addressed or "subject" in values or (dateish and _CLOCK.search(date_text) is not None and told + others > 1)
    )
    if (
        not (told and sure)
        and not (told and plausible and (addressed or _is_name(person, 6)))
        and not (sure and addressed)
    ):
        return None
    locale = min(locales) if locales else "en"
    return Found(
        start,
        end,
        person,
        date_text,
        values.get("subject", ""),
        values.get("to", ""),
        values.get("cc", ""),
        links,
        locale,
    )


def read_unlisted(lines: Sequence[Line], start: int) -> Found | None:
    """A header block in a language that nobody listed, where a client's marker or container makes sure that there is one."""
    depth, end, person = lines[start].depth, start, None
    for at in range(start, min(len(lines), start + 8)):
        text = lines[at].text.strip(_EMPHASIS)
        colon = text.find(":", 1, 31)
        if lines[at].depth != depth or colon < 0 or text[colon + 1 : colon + 3] == "//":
            break
        end = at + 1
        if person is None and (find_address(text, colon) or lines[at].links):
            person = parse_person(text[colon + 1 :], lines[at].links)
    return Found(start, end, person) if person is not None and end - start > 1 else None


def _continues(lines: Sequence[Line], at: int, name: str, values: dict[str, str], depth: int) -> bool:
    """Whether the line at `at` belongs to the label above: a folded value."""
    text, value, seen = lines[at].text.strip(), values[name], values.keys() - {"other"}
    if not value:
        return len(text) < 200
    if value[-1] in ",;" and name in ("to", "cc", "other"):
        return True
    if value.count("<") > value.count(">") or value.count("[") > value.count("]"):
        return True
    if name == "from":
        return text[0] in "<[("
    ahead = 1 if name in ("subject", "date") else 60
    for following in range(at + 1, min(len(lines), at + 1 + ahead)):
        line = lines[following]
        if line.depth != depth or not line.text.strip():
            break
        label = label_of(line)
        if label is not None:
            return not seen & set(label[0].values())
    return name in ("to", "cc") and "@" in text and " " not in text.split("@")[0].strip("<\"' ")


def _read_notes(
    lines: Sequence[Line],
    start: int,
    end: int,
    values: dict[str, str],
    links: dict[str, tuple[str, ...]],
    locales: set[str] | None,
) -> Found | None:
    """Notes and old Exchange: the name and the date stand unlabelled above "To: … cc: … Subject: …"."""
    if "to" not in values or not values.keys() & {"subject", "cc"}:
        return None
    above: list[int] = []
    at = start - 1
    while at >= 0 and start - at <= 7 and len(above) < 3 and lines[at].depth == lines[start].depth:
        text = lines[at].text.strip()
        if text and not text.lower().startswith(("sent by", "gesendet von", "please respond", "bitte antwort")):
            above.append(at)
        at -= 1
    date_text = values.get("date", "")
    person = None
    first = start
    for place in above:
        text = lines[place].text.strip()
        if len(text) > 160 or read_marker(text) or is_rule(text) or label_of(lines[place]) is not None:
            break
        dated = _ON_DATE.search(text)
        if dated is not None and _SHORT_DATE.match(text, dated.end()):
            person, date_text, first = (
                parse_person(text[: dated.start()], lines[place].links),
                text[dated.end() :],
                place,
            )
            break
        if not date_text and _SHORT_DATE.search(text) is not None and len(text) < 60:
            when = _SHORT_DATE.search(text)
            name = text[: when.start()].strip(" ,") if when else ""
            date_text, first = text[len(name) :].strip(" ,") if name else text, place
            if name and _is_name(Mailbox("", clean_name(name)), 6):
                person = parse_person(name)
                break
            continue
        if date_text and text[-1] not in ".!?:,":
            candidate = parse_person(text, lines[place].links)
            if candidate is not None and _is_name(candidate, 6):
                person, first = candidate, place
        break
    if person is None:
        return None
    return Found(
        first,
        end,
        person,
        date_text,
        values.get("subject", ""),
        values["to"],
        values.get("cc", ""),
        links,
        min(locales or {"en"}),
    )


def _is_name(person: Mailbox | None, words: int) -> bool:
    """Whether this could be how a person or a desk is called, rather than a piece of a sentence."""
    if person is None:
        return False
    if person.address:
        return True
    parts = person.name.split()
    plain = sum(1 for part in parts if part[:1].islower() and part not in _PARTICLES)
    return (
        0 < len(parts) <= words and plain <= (1 if len(parts) < 3 else 0) and person.name[-1] not in ".?!" + _ENDS
    ) or (len(parts) == 2 and len(parts[-1]) == 2 and parts[-1][-1] == ".")


def read_attribution(lines: Sequence[Line], at: int, *, quoted_next: bool) -> Found | None:
    """The attribution that ends with the line `at` (it may have been wrapped over up to four lines).

    `quoted_next` says that deeper quoted lines follow: then a verb is enough; `strong` tells whether it would do without.
    """
    line = lines[at]
    text = line.text.strip(_EMPHASIS + "-")
    if not text or text[-1] not in _ENDS or len(text) > 400:
        return None
    first = at
    links = line.links
    opened = _opens(text)
    for back in range(at - 1, max(at - 4, -1), -1):
        above = lines[back]
        if opened and _DATEISH.search(text) and (find_address(text) or len(text.split()) > 3):
            break
        over = above.text.strip(_EMPHASIS)
        if not over or above.depth != line.depth or over[-1] in ".!?;" + _ENDS or len(over) + len(text) > 400:
            break
        if not (_opens(over) or find_address(over) or _DATEISH.search(over)):
            continue
        joined = " ".join((*(lines[number].text.strip(_EMPHASIS) for number in range(back, first)), text))
        text, first, opened = joined, back, _opens(over)
        links = above.links + links
    return _parse_attribution(text, links, first, at + 1, quoted_next)


def read_marked_attribution(lines: Sequence[Line], first: int, end: int) -> Found | None:
    """An attribution that the client's own HTML marks as such (gmail_attr, moz-cite-prefix), in whatever language."""
    text = " ".join(line.text.strip(_EMPHASIS) for line in lines[first:end])[:600]
    links = tuple(link for line in lines[first:end] for link in line.links)
    return _parse_attribution(text, links, first, end, True, certain=True)


def _opens(text: str) -> bool:
    word = text.split(None, 1)[0].lower().strip(",.")
    return word in _OPENINGS or word[:1].isdigit() or (text[0].isupper() and _DATEISH.search(text[:24]) is not None)


def _parse_attribution(
    text: str, links: tuple[str, ...], first: int, end: int, quoted_next: bool, *, certain: bool = False
) -> Found | None:
    text = text.rstrip(_ENDS + _EMPHASIS).strip("-> \t").replace("\u00a0", " ").replace("\u202f", " ")
    lower = text.lower()
    if lower.startswith(("in message <", "in article <")):
        text = text[text.find(">") + 1 :].lstrip(" ,")
        lower = text.lower()
    if len(lower) != len(text):  # a letter whose small form is longer (İ): offsets must agree
        lower = "".join(character.lower()[:1] for character in text)
    place = find_address(text)
    masked = text if place is None else text[: place[0]] + " " * (place[1] - place[0]) + text[place[1] :]
    verbs = _verbs_in(lower, place)
    digits = [found for found in _DIGITS.finditer(masked) if any(character.isdigit() for character in found.group())]
    dateish = _DATEISH.search(masked) is not None and len(digits) > 1
    linked = bool(links) and find_address(links[0]) is not None
    ends_with_address = place is not None and not text[place[1] :].strip(" >)]*\"'")
    if not certain and not verbs and not ends_with_address and not (quoted_next and dateish and _CLOCK.search(masked)):
        return None
    if not certain and not ((place or linked or dateish) if not quoted_next else verbs or place or dateish):
        return None
    person = _attributed(text, place, verbs, digits, links if linked else ())
    if person is None or (not certain and not _is_name(person, 7)):
        return None
    if not person.address and person.name.lower() in _PRONOUNS:
        person = None  # "At 08:16 you wrote": it says no more than that it is a quote
    date_text = ""
    if dateish:
        finish = digits[-1].end()
        half = re.match(r"\s?[AaPp]\.?[Mm]\b\.?", masked[finish : finish + 6])
        date_text = masked[digits[0].start() : finish + (half.end() if half else 0)].strip(" ,")
        word = masked[: digits[0].start()].split()
        if word and word[-1][:1].isalpha() and len(word[-1]) > 2 and word[-1].lower().strip(".,") not in FILLERS:
            date_text = f"{word[-1]} {date_text}"  # "May 3, 2025", "Sat 3 May"
    strong = bool(place or linked or (_CLOCK.search(masked) and dateish)) and (
        text[0].isupper() or text[0].isdigit() or not text[0].isascii() or bool(place)
    )
    return Found(first, end, person, date_text, strong=strong)


def _verbs_in(lower: str, place: tuple[int, int] | None) -> list[re.Match[str]]:
    """Where it says "wrote", in order; the longest of those that overlap, none within the address."""
    found = [match for verb, pattern in _VERBS.items() if verb in lower for match in pattern.finditer(lower)]
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
    digits: list[re.Match[str]],
    links: tuple[str, ...],
) -> Mailbox | None:
    """The author in an attribution line: name beside the address, or what is neither date nor verb."""
    if place is not None:
        left, right = place
        start = max((found.end() for found in (*verbs, *digits) if found.end() <= left), default=0)
        name = _name_of(text[start:left].replace("mailto:", ""), opening=start == 0)
        if not name and start == 0 and text[right : right + 2] in (" (", ' "'):
            name = clean_name(text[right + 2 :].split(")")[0])
        return Mailbox(text[left:right], name)
    address = links[0] if links else ""
    if digits:
        pieces = [(text[digits[-1].end() :], digits[-1].end(), False), (text[: digits[0].start()], 0, True)]
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


def _name_of(text: str, *, opening: bool) -> str:
    """Take fillers off both ends of the words around a name."""
    before, bracket, _ = text.partition("<")
    text = before if bracket and before.strip() else text  # "Jill <jill at x.example>", as archives hide addresses
    words = text.replace("(", " ").replace(")", " ").replace("<", " ").replace("[", " ").replace("、", " ").split()
    begin, end = 0, len(words)
    while begin < end:
        word = words[begin].strip(",;:.<>-–—*")
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
    return clean_name(" ".join(words[begin:end]))
