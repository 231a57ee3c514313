"""A message as people meant it: who wrote to whom, about what, and the text of each part.

Reading never raises and never takes long, whatever the octets: what is too much or too broken to be read is named in
`unreadable`, what was tolerated in `oddities`. This is the only module that imports mail-parser; it gets single address
and date fields, never a whole mail (its parser recurses and merges attached mails into the text).
"""

from __future__ import annotations

import re
from calendar import month_abbr
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from mailparser.dates import parse_mail_date
from mailparser.utils import get_addresses

from gateway.mail import nature
from gateway.mail.address import Mailbox
from gateway.mail.charset import decode
from gateway.mail.fields import HEADER_LIMIT, Section, scan
from gateway.mail.lazy import lazy
from gateway.mail.part import Part
from gateway.mail.parts import Tree, walk
from gateway.mail.recover import recover
from gateway.mail.spelling import spoken_name
from gateway.mail.words import decode_words, header_text, plain, unfold

AUTHORS_LIMIT = 8 * 1024
"""Octets of all From fields, and of all Sender fields, that are read: who writes is asked where nothing may take long
(hostile addresses take 4 microseconds an octet)."""
_MOST_REFERENCES = 200
_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\x80-\ud7ff\ue000-\U0010ffff-]++"
_LOCAL = _ATEXT.replace("[A-Z", "[.A-Z")  # dots anywhere: doubled and trailing ones exist in real addresses
_ADDRESS = rf"({_LOCAL}@{_ATEXT}(?:\.{_ATEXT})*+)"
# The shapes that nearly all mail has; anything else goes to mail-parser. Possessive, so linear (checked in the tests).
_WORD = r"=\?[^?\s]{1,60}+\?[bBqQ]\?[^?\s<>\"]*+\?="  # RFC 2047; real ones hold commas and colons too
_PHRASE = rf'(?:{_WORD}|[^"\\()<>\[\]:;@,])*+'
_SIMPLE = re.compile(rf'[ \t]*+(?:(?:"([^"\\()<>]*+)"[ \t]*+|({_PHRASE}))<{_ADDRESS}>|{_ADDRESS})[ \t]*+(,|\Z)')
# RFC 5322 §3.3 as nearly all mail has it; anything else goes to mail-parser.
_DATE = re.compile(
    r"(?:[A-Za-z]{3},[ ]+)?(\d{1,2}) ([A-Za-z]{3}) (\d{4}) (\d\d):(\d\d)(?::(\d\d))? ([+-])(\d\d)(\d\d)"
    r"(?: \([A-Za-z ]+\))?\Z"
)
_MONTHS = {name.lower(): number for number, name in enumerate(month_abbr) if name}
_ID = re.compile(r"<([^<>]*+)>")
_BLANKS = re.compile(r"\s+")


class Header(NamedTuple):
    """One header field: its name and the octets after the colon, as they stand."""

    name: str
    raw: bytes

    @property
    def value(self) -> str:
        """Decoded, unfolded, free of controls."""
        return header_text(self.raw)


def parse_addresses(octets: bytes | str) -> tuple[tuple[Mailbox, ...], tuple[str, ...]]:
    """The mailboxes of an address list (RFC 5322 §3.4), groups flattened, and its oddities. Never raises.

    Entries that RFC 5322 cannot explain are read as people read them (`recover`) and named as oddities.
    """
    if isinstance(octets, bytes):
        octets = unfold(octets)[:HEADER_LIMIT]
        text = plain(decode(octets)[0])
    else:
        text = plain(octets[:HEADER_LIMIT]).strip()
    found: list[Mailbox] = []
    at = 0
    while at < len(text):
        item = _SIMPLE.match(text, at)
        if item is None:
            return _parse_hard(text)
        quoted, phrase, address, bare, _ = item.groups()
        found.append(Mailbox(address or bare.strip("'"), _name(phrase if quoted is None else quoted)))
        at = item.end()
    return tuple(found), ()


def _parse_hard(text: str) -> tuple[tuple[Mailbox, ...], tuple[str, ...]]:
    problems: list[dict] = []
    try:
        pairs = get_addresses(text, defects=problems)
    except Exception as fault:  # mail-parser raises bare ValueError, TypeError, … on hostile input
        return recover(text), (f"an address list could not be read ({type(fault).__name__})",)
    if all(problem["recovered"] for problem in problems):
        return tuple(Mailbox(address, _name(name)) for name, address in pairs if address), ()
    reasons = dict.fromkeys(problem["reason"] for problem in problems if not problem["recovered"])
    found = tuple(Mailbox(each.address, _name(each.name)) for each in recover(text))
    return found, tuple(f"an address list is not clear ({reason})" for reason in reasons)


def _name(text: str | None) -> str:
    if not text:
        return ""
    if "=?" in text:
        text = plain(decode_words(text.encode("utf-8", "replace")))
    return spoken_name(text)


def parse_date(octets: bytes) -> datetime | None:
    """The moment of a Date field with its own offset (RFC 5322 §3.3 and the obsolete forms), None if unreadable."""
    text = header_text(octets)[:200]
    usual = _DATE.match(text)
    if usual is not None:
        day, month, year, hour, minute, second, sign, hours, minutes = usual.groups()
        away = timedelta(hours=int(hours), minutes=int(minutes))
        try:
            zone = timezone(-away if sign == "-" else away)
            return datetime(
                int(year), _MONTHS[month.lower()], int(day), int(hour), int(minute), int(second or 0), tzinfo=zone
            )
        except (ValueError, KeyError):
            pass
    try:
        found = parse_mail_date(text)
        if found.value is not None:
            try:
                return found.value.astimezone(timezone(timedelta(hours=float(found.timezone))))
            except (ValueError, OverflowError):
                return found.value
        when = parsedate_to_datetime(text)
        return when if when.tzinfo else when.replace(tzinfo=UTC)
    except Exception:  # the two parsers raise ValueError, TypeError, IndexError, OverflowError on odd dates
        return None


def parse_ids(text: str) -> tuple[str, ...]:
    """The message ids of an id list (RFC 5322 §3.6.4) in order, each as "<...>"; ids without brackets get them."""
    ids = [f"<{_BLANKS.sub('', found)}>" for found in _ID.findall(text)]
    if not ids and "<" not in text:
        ids = [f"<{word}>" for word in text.split() if "@" in word]
    return tuple(dict.fromkeys(each for each in ids if each != "<>"))


@dataclass(frozen=True, eq=False)
class Headers:
    """The header of a mail, or of a mail attached to it. Each property is read when first asked for."""

    section: Section

    @lazy
    def headers(self) -> tuple[Header, ...]:
        """Every field in order, the first 64 KiB."""
        return tuple(Header(each.name.decode("ascii"), each.value) for each in self.section.fields)

    @lazy
    def _index(self) -> dict[str, list[bytes]]:
        index: dict[str, list[bytes]] = {}
        for name, value, *_ in self.section.fields:
            index.setdefault(name.decode("ascii").lower(), []).append(value)
        return index

    def get(self, name: str) -> str | None:
        """The first field of that name, decoded, or None."""
        values = self._index.get(name.lower())
        return header_text(values[0]) if values else None

    def get_all(self, name: str) -> tuple[str, ...]:
        """Every field of that name, decoded, in order."""
        return tuple(header_text(value) for value in self._index.get(name.lower(), ()))

    @lazy
    def _addresses(self) -> dict[str, tuple[tuple[Mailbox, ...], tuple[str, ...]]]:
        return {}

    def _mailboxes(self, name: str) -> tuple[Mailbox, ...]:
        if name not in self._addresses:
            found: list[Mailbox] = []
            oddities: list[str] = []
            left = AUTHORS_LIMIT if name in ("from", "sender") else HEADER_LIMIT
            for value in self._index.get(name, ()):
                mailboxes, odd = parse_addresses(value[:left])
                left = max(left - len(value), 0)
                found += mailboxes
                oddities += [f"{name.capitalize()}: {each}" for each in odd]
            self._addresses[name] = tuple(found), tuple(oddities)
        return self._addresses[name][0]

    @property
    def from_(self) -> tuple[Mailbox, ...]:
        """Every author, over all From fields."""
        return self._mailboxes("from")

    @property
    def author(self) -> Mailbox | None:
        """The first author."""
        authors = self._mailboxes("from")
        return authors[0] if authors else None

    @property
    def sender(self) -> Mailbox | None:
        """Who really sent it (RFC 5322 §3.6.2), where that is said."""
        senders = self._mailboxes("sender")
        return senders[0] if senders else None

    @property
    def reply_to(self) -> tuple[Mailbox, ...]:
        return self._mailboxes("reply-to")

    @property
    def to(self) -> tuple[Mailbox, ...]:
        return self._mailboxes("to")

    @property
    def cc(self) -> tuple[Mailbox, ...]:
        return self._mailboxes("cc")

    @property
    def bcc(self) -> tuple[Mailbox, ...]:
        return self._mailboxes("bcc")

    @lazy
    def subject(self) -> str:
        """The first Subject, unfolded and free of controls; "" without one."""
        return self.get("subject") or ""

    @lazy
    def date(self) -> datetime | None:
        """The first Date, aware, with its own offset."""
        values = self._index.get("date")
        return parse_date(values[0]) if values else None

    @lazy
    def message_id(self) -> str | None:
        """The first Message-ID, in its brackets."""
        ids = parse_ids(self.get("message-id") or "")
        return ids[0] if ids else None

    @lazy
    def references(self) -> tuple[str, ...]:
        """In-Reply-To, then References from the newest on; at most 200, the oldest always among them."""
        replied = [each for value in self.get_all("in-reply-to") for each in parse_ids(value)]
        thread = [each for value in self.get_all("references") for each in parse_ids(value)]
        ids = tuple(dict.fromkeys((*replied, *reversed(thread))))
        return ids if len(ids) <= _MOST_REFERENCES else (*ids[: _MOST_REFERENCES - 1], ids[-1])

    @lazy
    def auto_reason(self) -> str:
        """Why this is a machine's mail, in plain words; "" when a person may have sent it (RFC 3834 §5)."""
        return nature.auto_reason(self.get)

    @property
    def auto_submitted(self) -> bool:
        return bool(self.auto_reason)

    @lazy
    def bulk_reason(self) -> str:
        """Why this is list or bulk mail, in plain words; "" when it is not."""
        return nature.bulk_reason(self.get)

    @property
    def bulk(self) -> bool:
        return bool(self.bulk_reason)

    @property
    def unreadable(self) -> tuple[str, ...]:
        """What was too much to be read."""
        return (self.section.fault,) if self.section.truncated else ()

    @property
    def oddities(self) -> tuple[str, ...]:
        """What was not as the RFCs say and was read all the same."""
        odd = [self.section.fault] if self.section.fault and not self.section.truncated else []
        for name in nature.ONCE_ONLY:
            if len(self._index.get(name, ())) > 1:
                odd.append(f"{len(self._index[name])} {name.capitalize()} fields")
        for name in ("from", "sender", "reply-to", "to", "cc", "bcc"):
            self._mailboxes(name)
            odd += self._addresses[name][1]
        if len(self.from_) > 1:
            odd.append("several authors in From")
        return tuple(odd)


@dataclass(frozen=True, eq=False)
class Attached:
    """A mail attached to this one (message/rfc822): the part it is, and its header."""

    part: str
    headers: Headers


@dataclass(frozen=True, eq=False)
class Message(Headers):
    """A whole mail: its header, the leaves of its body in order, and the mails attached to it."""

    raw: bytes
    tree: Tree

    @lazy
    def parts(self) -> tuple[Part, ...]:
        """The leaves in order, attachments included; an attached mail is one leaf."""
        return tuple(self.tree.parts)

    @lazy
    def attached(self) -> tuple[Attached, ...]:
        return tuple(Attached(part, Headers(section)) for part, section in self.tree.attached)

    @property
    def unreadable(self) -> tuple[str, ...]:
        return (*((self.section.fault,) if self.section.truncated else ()), *self.tree.unreadable)

    @property
    def oddities(self) -> tuple[str, ...]:
        texts = (odd for part in self.parts for odd in part.oddities)
        return (*Headers.oddities.fget(self), *self.tree.oddities, *texts)  # type: ignore[attr-defined]

    @lazy
    def calendar(self) -> bool:
        """Whether this is an invitation or an answer to one (RFC 6047), not a mail with a calendar file beside it."""
        return nature.is_calendar(self.get, self.parts)

    @lazy
    def signed(self) -> bool:
        """Whether a signature covers the text: multipart/signed, opaque S/MIME, or inline PGP."""
        return nature.is_signed(self.tree, self._pgp)

    @lazy
    def encrypted(self) -> bool:
        """Whether the text cannot be read without a key: S/MIME, PGP/MIME, or inline PGP."""
        return nature.is_encrypted(self.tree, self._pgp)

    @lazy
    def _pgp(self) -> list[Part]:
        return nature.may_be_pgp(self.tree)


def read_headers(raw: bytes) -> Headers:
    """Read the header alone. Never raises; microseconds, so that mail which nobody judges costs nothing more."""
    return Headers(scan(raw))


def read_message(raw: bytes) -> Message:
    """Read the whole mail. Never raises; linear in its length, with bounded depth, parts and text."""
    section = scan(raw)
    try:
        tree = walk(raw, section)
    except Exception as fault:  # our own fault must not stop a mail: it is a fact that policies can name
        tree = Tree(unreadable=[f"the parts could not be read ({type(fault).__name__})"])
    return Message(section, raw, tree)


BEGINNING = 8 * 1024
"""Octets of a mail that are read where reading all of it was too much: its header as a rule, a few milliseconds."""


def read_beginning(raw: bytes, why: str) -> Message:
    """Read the header alone, as far as it stands in the first BEGINNING octets; `why` the rest is `unreadable`."""
    raw = raw[:BEGINNING]
    return Message(scan(raw), raw, Tree(unreadable=[why]))
