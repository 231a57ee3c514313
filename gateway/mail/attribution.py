"""Attribution lines: "On Mon, 5 May 2025 at 10:02, Jill Amory <jill@…> wrote:" in many languages, wrapped or not.

One needs a verb and a date, an address, or the quoted lines themselves.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from gateway.mail.address import Mailbox
from gateway.mail.headerblock import CLOCK, DATEISH, EMPHASIS, ENDS, Found, is_name
from gateway.mail.labels import FILLERS, VERBS
from gateway.mail.lines import Line
from gateway.mail.people import clean_name, find_address
from gateway.mail.phrases import phrases

_VERBS = {
    verb: re.compile(rf"(?<!\w){re.escape(verb)}(?!\w)" if ord(verb[0]) < 0x2000 else re.escape(verb))
    for verb in dict.fromkeys(VERBS)
}
_DIGITS = re.compile(r"\d[\d:.,/+-]*")
_OPENINGS = frozenset(
    phrases(
        """
    on|am|le|el|il|em|op|den|dne|la|w|at|pe|u|в|у|a|ha|quoting|zitat|citando|citation|in|no|à|wiadomość|kontakt|dana
        """
    )
)
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
    for back in range(at - 1, max(at - 4, -1), -1):
        above = lines[back]
        if opened and DATEISH.search(text) and (find_address(text) or len(text.split()) > 3):
            break
        over = above.text.strip(EMPHASIS)
        if not over or above.depth != line.depth or over[-1] in ".!?;" + ENDS or len(over) + len(text) > 400:
            break
        if not (_opens(over) or find_address(over) or DATEISH.search(over)):
            continue
        joined = " ".join((*(lines[number].text.strip(EMPHASIS) for number in range(back, first)), text))
        text, first, opened = joined, back, _opens(over)
        links = above.links + links
    return _parse_attribution(text, links, first, at + 1, quoted_next)


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
    text = text.rstrip(ENDS + EMPHASIS).strip("-> \t").replace("\u00a0", " ").replace("\u202f", " ")
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
    dateish = DATEISH.search(masked) is not None and len(digits) > 1
    linked = bool(links) and find_address(links[0]) is not None
    ends_with_address = place is not None and not text[place[1] :].strip(" >)]*\"'")
    if not certain and not verbs and not ends_with_address and not (quoted_next and dateish and CLOCK.search(masked)):
        return None
    if not certain and not ((place or linked or dateish) if not quoted_next else verbs or place or dateish):
        return None
    person = _attributed(text, place, verbs, digits, links if linked else ())
    if person is None or (not certain and not is_name(person, 7)):
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
    strong = bool(place or linked or (CLOCK.search(masked) and dateish)) and (
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
