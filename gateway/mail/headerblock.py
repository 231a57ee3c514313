"""Header blocks above quoted mail ("Von: … Gesendet: …"), in any order and with lines that nobody listed.

A single "From:" in a sentence never counts: a block needs two labels of one locale side by side, a marker, or the mark
of a mail client's own HTML.
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.mail.address import Mailbox
from gateway.mail.heads import CLOCK, DATEISH, EMPHASIS, Found, is_name, label_of
from gateway.mail.labels import LABELS
from gateway.mail.lines import Line
from gateway.mail.markers import is_rule
from gateway.mail.notes import SHORT_DATE, letterhead, notes_date, read_notes
from gateway.mail.oneline import read_one_line
from gateway.mail.people import find_address, parse_person
from gateway.mail.phrases import small

_CONTINUED = 250
"""Lines that one block may have: long lists of recipients."""
_LONGEST = 4000
"""Characters of one folded value."""
_UNLISTED = 30
"""Characters of a label that nobody listed."""


def read_block(lines: Sequence[Line], start: int, *, sure: bool = False) -> Found | None:
    """The header block that begins at `start`; `sure` where a marker or markup announced it. Looks 250 lines far."""
    if lines[start].text.count(":") + lines[start].text.count("\uff1a") > 2:
        found = read_one_line(lines[start], start, sure=sure)
        if found is not None:
            return found
    block = _Block(lines, start)
    block.read()
    if "from" not in block.values:
        return read_notes(lines, start, block.end, block.values, block.links, block.locales)
    return block.found(sure)


class _Block:
    """The fields read so far, each with the links on its lines."""

    def __init__(self, lines: Sequence[Line], start: int) -> None:
        self.lines, self.start, self.end = lines, start, start
        self.depth = lines[start].depth
        self.values: dict[str, str] = {}
        self.links: dict[str, tuple[str, ...]] = {}
        self.locales: set[str] | None = None
        self.last = ""
        self.others = 0
        self.blanks = 0
        self.patience = 1  # blank lines between two labels; Notes puts more between the name and the recipients

    def read(self) -> None:
        lines = self.lines
        for at in range(self.start, min(len(lines), self.start + _CONTINUED)):
            line = lines[at]
            if line.depth != self.depth:
                break
            text = line.text.strip()
            if not text:
                self.blanks += 1
                if self.blanks > self.patience:
                    break
                continue
            label = label_of(line)
            known = self._name(label[0]) if label is not None else ""
            if known and label is not None:
                if not self._add_label(known, label[1], line):
                    break
            elif not self._add_line(at, text, line):
                break
            self.end, self.blanks = at + 1, 0
        if self.end < len(lines) and is_rule(lines[self.end].text) and lines[self.end].depth == self.depth:
            self.end += 1  # SquirrelMail closes its header with a rule

    def _name(self, known: dict[str, str]) -> str:
        """Which field a label names in the language of the labels before it; "" where it is none of that language."""
        name = known.get("en", "")
        if not name or (self.locales and self.locales & known.keys()):
            common = (self.locales & known.keys()) if self.locales else set(known)
            if common:
                self.locales = common
                return known[min(common)]
        return name

    def _add_label(self, name: str, value: str, line: Line) -> bool:
        """Take a line with a label that we know; False where the field is there already."""
        values = self.values
        if name in ("to", "cc") and values.get(name) and "from" in values and not self.blanks:
            value = f"{values[name]}, {value}"
        elif name in values and name != "other":
            return False
        self._set(name, value, line)
        return True

    def _set(self, name: str, value: str, line: Line) -> None:
        self.others += name == "other"
        self.values[name] = value
        self.links[name] = line.links
        self.last = name
        notes = name == "from" and notes_date(value[:1000]) is not None
        self.patience = 5 if notes or (name == "other" and self.patience > 1) else 1

    def _add_line(self, at: int, text: str, line: Line) -> bool:
        """Take a line without a label that we know: a folded value, a bare date, a label that nobody listed."""
        if self.last == "from" and not self.blanks and len(text) < 40 and SHORT_DATE.match(text) is not None:
            self.values["date"], self.patience = text, 5
            return True
        if self.last == "from" and text[:8].lower() in ("[mailto:", "<mailto:", "(mailto:"):
            self.values["from"], self.patience = f"{self.values['from']} {text}", 5
            return True
        if not self.last or self.blanks:
            return False
        above = self.values[self.last]
        if not _is_open(above, self.last, text):
            value = _unlisted(text)
            place = self._place(at, value) if value is not None else ""
            if place and value is not None:
                following = self.lines[at + 1].text if not value and at + 1 < len(self.lines) else value
                name = _meant(following, self.values)
                self._set("other" if place == "end" and name == "subject" else name, value, line)
                return True
            if not _continues(self.lines, at, self.last, self.values, self.depth):
                return False
        self.values[self.last] = f"{above} {text}".lstrip() if len(above) < _LONGEST else above
        self.links[self.last] += line.links
        return True

    def _place(self, at: int, value: str) -> str:
        """Where a line "Prioriteetti: suuri" stands: "within" the block, just at its "end", or "" outside."""
        lines, seen = self.lines, self.values.keys() - {"other"}
        for following in range(at + 1, min(len(lines), at + 4)):
            line = lines[following]
            if line.depth != self.depth or not line.text.strip():
                return "end" if len(seen) > 3 and len(value) < 100 and value[-1:] not in ".?!" else ""
            label = label_of(line)
            if label is not None:
                return "" if seen & set(label[0].values()) else "within"
            if value and _unlisted(line.text.strip()) is None:
                return ""
        return "end" if len(lines) <= at + 1 and len(seen) > 3 else ""

    def found(self, sure: bool) -> Found | None:
        """The head, if it is one."""
        values = self.values
        told = len(values.keys() & {"date", "to", "cc", "subject"})
        person_text, date_text = values["from"][:1000], values.get("date", "")
        dated = notes_date(person_text)
        if dated is not None and not date_text:  # Notes: "From: Jill Amory on 04/13/2001 12:34 PM"
            person_text, date_text = person_text[: dated.start()], person_text[dated.end() :]
        person = parse_person(person_text, self.links["from"])
        if person is None and not sure:
            return None
        addressed = "@" in person_text or bool(self.links["from"])
        announced = sure and (told or addressed) and (addressed or person is None or is_name(person, 8))
        if not announced and not (told and (addressed or self._is_believable(person, date_text))):
            return None
        first = letterhead(self.lines, self.start) if dated is not None else self.start
        locale = min(self.locales) if self.locales else "en"
        return _head(first, self.end, person, values | {"date": date_text}, self.links, locale)

    def _is_believable(self, person: Mailbox | None, date_text: str) -> bool:
        """Whether a block without an address in From, which nothing announced, can be one: no journey, no agenda."""
        values = self.values
        if not is_name(person, 6) or person is None or DATEISH.search(person.name) is not None:
            return False
        order = [name for name in values if name != "other"]
        clock = DATEISH.search(date_text) is not None and CLOCK.search(date_text) is not None
        if "@" in values.get("to", "") or "@" in values.get("cc", ""):
            return "subject" in values or clock
        several = len(person.name.split()) > 1
        if order[1:2] == ["date"] and clock:
            return several or "subject" in values  # Outlook, within one organisation
        return several and "subject" in values and len(order) + self.others > 2


def _head(
    first: int,
    end: int,
    person: Mailbox | None,
    values: dict[str, str],
    links: dict[str, tuple[str, ...]],
    locale: str = "",
) -> Found:
    date, subject, to, cc = (values.get(name, "") for name in ("date", "subject", "to", "cc"))
    return Found(first, end, person, date, subject, to, cc, links, locale)


def read_unlisted(lines: Sequence[Line], start: int) -> Found | None:
    """A header block in a language that nobody listed, where a client's marker or container announced one."""
    depth, end = lines[start].depth, start
    values: dict[str, str] = {}
    links: dict[str, tuple[str, ...]] = {}
    for at in range(start, min(len(lines), start + 10)):
        line = lines[at]
        label = label_of(line)
        value = label[1] if label is not None else _unlisted(line.text.strip())
        if line.depth != depth or value is None:
            break
        end = at + 1
        fields = set(label[0].values()) if label is not None else set()
        name = fields.pop() if len(fields) == 1 else _meant(value, values, bool(line.links))
        if name not in values or name == "other":
            values[name], links[name] = value, line.links
    person = parse_person(values.get("from", "")[:1000], links.get("from", ()))
    if person is None or end - start < 2 or not (person.address or ("date" in values and is_name(person, 6))):
        return None
    return _head(start, end, person, values, links)


def read_bare(lines: Sequence[Line], start: int) -> Found | None:
    """A header block without colons, right below a marker: eM Client 9 writes `From "Jill Amory" <jill@x>`."""
    values: dict[str, str] = {}
    links: dict[str, tuple[str, ...]] = {}
    locales: set[str] = set()
    end = start
    for at in range(start, min(len(lines), start + 7)):
        line = lines[at]
        label = _bare_label(line.text) if line.text and line.depth == lines[start].depth else None
        if label is None:
            break
        known, value = label
        common = (locales & known.keys()) or (known.keys() if not values else {"en"} & known.keys())
        if not common:
            break
        locales = set(common) if common != {"en"} or not locales else locales
        name = known[min(common)]
        if name in values and name != "other":
            break
        values[name], links[name] = value, line.links
        end = at + 1
    person = parse_person(values["from"][:1000], links["from"]) if "from" in values else None
    if person is None or not person.address or len(values.keys() & {"date", "to", "subject"}) < 2:
        return None
    return _head(start, end, person, values, links, min(locales))


def _bare_label(text: str) -> tuple[dict[str, str], str] | None:
    """({locale: field}, value) of a line such as "Von Jill"; the longest label counts."""
    words = text.strip(EMPHASIS).split(None, 3)
    for count in (3, 2, 1):
        known = LABELS.get(small(" ".join(words[:count]))) if len(words) >= count else None
        if known is not None:
            value = " ".join(words[count:]).strip(EMPHASIS)
            return (known, value) if value[:1] not in (":", "\uff1a") else None
    return None


def _unlisted(text: str) -> str | None:
    """The value of "Saatmisaeg: …", whose label we do not know; None where it is no such line."""
    text = text.strip(EMPHASIS)
    at = text.find(":", 1, _UNLISTED + 1)
    wide = text.find("\uff1a", 1, _UNLISTED + 1)
    at = wide if at < 0 or 0 < wide < at else at
    if at < 0 or text[at + 1 : at + 3] == "//":
        return None
    label = text[:at].strip(EMPHASIS)
    if not label or not label[0].isalpha() or label[0].islower() or len(label.split()) > 4:
        return None
    if not all(character.isalpha() or character in " -'’()/._\u00a0" for character in label):
        return None
    return text[at + 1 :].strip(EMPHASIS)


def _meant(value: str, values: dict[str, str], linked: bool = False) -> str:
    """What a value is, by its shape and by what is there already."""
    if "date" not in values and CLOCK.search(value[:200]) is not None and DATEISH.search(value[:200]) is not None:
        return "date"
    addressed = linked or find_address(value[:_LONGEST]) is not None
    if "from" not in values:
        if addressed:
            return "from"
    elif "to" not in values and addressed:
        return "to"
    elif "cc" not in values and addressed and "subject" not in values and value != values["from"]:
        return "cc"
    return "subject" if "subject" not in values and not addressed else "other"


def _is_open(value: str, name: str, text: str) -> bool:
    """Whether a value surely goes on with the line `text`: nothing stands there yet, or a list or a bracket is open."""
    if not value:
        return len(text) < 200
    if value[-1] in ",;" and name in ("to", "cc", "other"):
        return True
    return value.count("<") > value.count(">") or value.count("[") > value.count("]")


def _continues(lines: Sequence[Line], at: int, name: str, values: dict[str, str], depth: int) -> bool:
    """Whether the line at `at` belongs to the label above: a folded value."""
    text, seen = lines[at].text.strip(), values.keys() - {"other"}
    if name == "from":
        return text[0] in "<[("
    if name != "date" and lines[at].text[0] in " \t":
        return True  # RFC 5322 §2.2.3, as some clients print it
    after = lines[at + 1].text if at + 1 < len(lines) else ""
    if name == "subject" and len(lines[at - 1].text) > 64 and not after and text[-1] not in ",:!":
        return True  # wrapped by who sent it as plain text
    ahead = 1 if name in ("subject", "date") else 60
    for following in range(at + 1, min(len(lines), at + 1 + ahead)):
        line = lines[following]
        if line.depth != depth or not line.text.strip():
            break
        label = label_of(line)
        if label is not None:
            return not seen & set(label[0].values())
    if name not in ("to", "cc") or "@" not in text:
        return False
    return " " not in text.split("@")[0].strip("<\"' ") or _ends_name(values[name], text)


def _ends_name(above: str, text: str) -> bool:
    """Whether a list that broke within a name goes on: "Jill Amory <jill@x>, Kit", "Romero <kit@x>"."""
    entries = text.rstrip(" ,;").split(",")
    broken = above[-200:].replace(";", ",").rpartition(",")[2].strip(" \"'")
    if "@" in broken or not broken[:1].isalpha() or len(entries[0].split("<")[0].split()) > 3:
        return False
    return all("<" in entry and entry.rstrip()[-1:] == ">" and len(entry) < 120 for entry in entries)
