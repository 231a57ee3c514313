"""People as quoted text names them: "Jill <j@x>", "jill@x [mailto:jill@x]", "'Jill' via Support", "Jill/ACME".

Nothing here scans a text more than a few times: quoted text is whatever somebody sent.
"""

from __future__ import annotations

import re
from functools import lru_cache

from gateway.mail.address import Mailbox

_MOST = 4000
"""Characters of one address list that are read."""
_LONGEST_KNOWN = 200
_STOPS = re.escape(' \t\r\n\u00a0\u3000<>()[]{}",;:|*«»“”„、。，@')
_ADDRESS = re.compile(f"[^{_STOPS}]{{1,65}}+@[^{_STOPS}]{{1,254}}+")
_AT_POST = re.compile(r" AT [A-Z_0-9]+\Z")
_QUOTES = " \t\u00a0\"'`*_«»“”„‘’\u2019"

_MARKS = _QUOTES + ",;:-–<>{}|"


def find_address(text: str, start: int = 0) -> tuple[int, int] | None:
    """Where the first plausible address stands, or None."""
    if text.find("@", start) < 0:
        return None
    for found in _ADDRESS.finditer(text, start):
        left, right = found.span()
        at = text.find("@", left)
        while text[left : left + 1] in ("'", ".", "‘") and left < at:
            left += 1
        while right > at and text[right - 1] in ".'’!?/":
            right -= 1
        if left < at and right > at + 1 and "/" not in text[left:at]:
            domain = text[at + 1 : right]
            if "/" not in domain and (("." in domain and domain[-1].isalnum()) or text[left - 1 : left] == "<"):
                return left, right
    return None


def _bare(text: str) -> str:
    """Without the marks around a name; brackets stay where they are in pairs ("Perry, Kristina (GOV)")."""
    text, marks = text.strip(_MARKS), _MARKS
    for pair in ("[]", "()"):
        if text.count(pair[0]) != text.count(pair[1]) or text[:1] == pair[0]:
            marks += pair
    return text.strip(marks) if marks is not _MARKS else text


def clean_name(text: str, *, addressed: bool = False) -> str:
    """A display name without quotes, emphasis, trailing marks, "via …" and Notes organisations.

    Where an address follows it (`addressed`), one slash parts no organisation: "Müller/Meier <office@x>".
    """
    before, bracket, _ = text.partition("<")
    name = _bare(" ".join((before if bracket and before.strip() else text).replace("\u200b", "").split()))
    lower = name.lower()
    if "mailto" in lower or " via " in lower or "smtp" in lower or " on behalf of " in lower:
        for mark in (" via ", " [mailto", " [smtp", "<mailto", " (mailto", " on behalf of "):
            at = name.lower().find(mark)
            if at > 0:
                name = _bare(name[:at])
    directory = lower.find("/o=")
    if directory > 0:
        name = _bare(name[:directory])  # Exchange: "Jill Amory [/O=ACME/OU=…/CN=JAMORY]"
    if " AT " in name and name.isascii():
        name = _AT_POST.sub("", name)  # cc:Mail: "Jill Amory AT ACME_SALES"
    head, slash, tail = name.partition("/")
    if (
        slash
        and head.strip()
        and tail[:1].strip()
        and "://" not in name
        and (not head.isdigit() or "/" in tail or ":" in tail)  # "24/7 Service"
        and head.count("(") == head.count(")")  # "Jill Amory (Sales/ACME)"
        and head.count("[") == head.count("]")
        and not (addressed and "/" not in tail and "@" not in tail and not tail.isupper())
        and (tail.isupper() or "@" in tail or tail.count("/") or tail[:1].isupper())
    ):
        name = head.strip()  # Notes: "Jill Amory/Sales/ACME@ACME"
    head, at_sign, tail = name.partition("@")
    if at_sign and " " in head.strip() and "." not in tail:
        name = head.strip()  # Notes: "Jill Amory@ACME"
    return name if any(character.isalpha() for character in name) else ""


def parse_person(text: str, links: tuple[str, ...] = ()) -> Mailbox | None:
    """One mailbox from the value of a quoted From, or None where it names nobody.

    `links` are mailto addresses behind the words; they count where the words have no address.
    """
    return _read_known(text, links) if len(text) <= _LONGEST_KNOWN else _read(text[:_MOST], links)


def _read(text: str, links: tuple[str, ...]) -> Mailbox | None:
    text = text.strip()
    place = find_address(text)
    if place is None:
        at = text.find("@")
        if at > 0 and "/" in text[:at]:
            text = text[:at]
        name = clean_name(text)
        if links and find_address(links[0]):
            return Mailbox(links[0], name)
        return Mailbox("", name) if name and len(name) <= 120 else None
    left, right = place
    before = text[:left]
    if before.lower().endswith("mailto:") or before.lower().endswith("smtp:"):
        before = before[:-7] if before.lower().endswith("mailto:") else before[:-5]
    name = clean_name(before, addressed=True)
    if name and find_address(name):
        name = ""
    if not name and not before.strip(_QUOTES + "<([*"):
        after = text[right:].strip(_QUOTES + ">]*")
        if after[:1] == "(" and ")" in after and "@" not in after:  # jill@x (Jill Amory)
            name = clean_name(after[1 : after.find(")")])
    return Mailbox(text[left:right], name)


_read_known = lru_cache(maxsize=2_000)(_read)  # one mail quotes the same few people again and again


def parse_people(text: str, links: tuple[str, ...] = ()) -> tuple[Mailbox, ...]:
    """The mailboxes of a quoted To or Cc; names without an address stay names."""
    text = text[:_MOST].strip()
    if not text:
        return ()
    people = []
    for entry in _entries(text):
        person = parse_person(entry)
        if person is not None:
            people.append(person)
    if links and len(people) == 1 and not people[0].address:
        return (Mailbox(links[0], people[0].name),)
    if links and len(links) == len(people):
        return tuple(Mailbox(person.address or link, person.name) for person, link in zip(people, links, strict=True))
    return tuple(people)


def _entries(text: str) -> list[str]:
    """Cut a list where its separators are: ";" (Outlook) or "," outside of quotes and brackets."""
    if ";" in text:
        return [entry for entry in text.split(";") if entry.strip()]
    if text.count(",") == 1 and "@" not in text:
        return [text]  # "Crandall, Sean": one person
    entries, start, quoted, depth = [], 0, False, 0
    for at, character in enumerate(text):
        if character == '"':
            quoted = not quoted
        elif quoted:
            continue
        elif character in "<[(":
            depth += 1
        elif character in ">])":
            depth = max(depth - 1, 0)
        elif character in ",、" and not depth:
            entries.append(text[start:at])
            start = at + 1
    entries.append(text[start:])
    joined: list[str] = []
    for entry in entries:  # "Crandall, Sean <sean@x>, …": a name's comma
        if (
            joined
            and "@" not in joined[-1]
            and "@" in entry
            and entry.strip()[:1].isalpha()
            and "<" in entry
            and " " not in joined[-1].strip()
        ):
            joined[-1] += "," + entry
        elif entry.strip():
            joined.append(entry)
    return joined
