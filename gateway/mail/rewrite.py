"""Rewriting: one splice on the original octets that adds mailboxes to Cc, or a reason why that cannot be done.

Parsing a mail and writing it out again changes a third of real mail and can create headers. Here every octet that came
stays where it is, and an edit that two readers could understand differently is refused.
"""

from __future__ import annotations

import re

from gateway.mail.address import Mailbox
from gateway.mail.fields import Field, Section, scan
from gateway.mail.message import Message, parse_addresses
from gateway.mail.received import protocol_name, received_line
from gateway.mail.spelling import HARD_LINE, CannotWrite, fold, spell, spoken_name
from gateway.mail.splice import Splice, apply

__all__ = ["CannotRewrite", "add_cc", "breaks", "protocol_name", "received_line"]

_BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n|\0")
_SIGNED_FIELDS = re.compile(rb"(?:^|;)\s*h\s*=([^;]*)", re.IGNORECASE)
_SIGNING_DOMAIN = re.compile(rb"(?:^|;)\s*d\s*=\s*([A-Za-z0-9.-]{1,255})", re.IGNORECASE)


class CannotRewrite(Exception):
    """No safe edit exists. `reason` is one plain sentence part; `present` says that there is nothing to do."""

    def __init__(self, reason: str, *, present: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.present = present


def add_cc(raw: bytes, *who: Mailbox, smtputf8: bool = False) -> Splice:
    """The one edit that puts everybody in `who` at the end of the only Cc field, or into a new one after To.

    Who stands in To or Cc already is left out; CannotRewrite with `present` when nobody is left. `smtputf8` allows
    addresses beyond ASCII: the transaction must have SMTPUTF8. Resent-* fields (RFC 5322 §3.6.6) and the body are never
    touched. Raises CannotRewrite; what comes back has been applied and read again: old Cc plus the new mailboxes, every
    other field as it was. Several mailboxes need one call: splices of several calls do not go together.
    """
    section = _clear_header(raw)
    missing = _missing(section, who)
    try:
        tokens = _tokens([spell(each, smtputf8=smtputf8) for each in missing])
    except CannotWrite as fault:
        raise CannotRewrite(str(fault)) from fault
    copies = [each for each in section.fields if each.key == b"cc"]
    if len(copies) > 1:  # RFC 5322 §3.6 allows one; readers differ in which one counts
        raise CannotRewrite(f"the mail has {len(copies)} Cc fields")
    splice = _append(raw, copies[0], tokens) if copies else _insert(section, tokens)
    _check(raw, splice, section, missing)
    return splice


def breaks(message: Message) -> tuple[str, ...]:
    """What a changed or new Cc breaks in this mail, in plain words; empty when nothing.

    A DKIM signature covers Cc when its h= names it, also where the mail has none yet (oversigning, RFC 6376 §5.4.2).
    Signatures over the body never cover Cc, unless they protect the header (RFC 9788).
    """
    broken: list[str] = []
    for each in message.section.fields:
        if each.key in (b"dkim-signature", b"arc-message-signature"):
            value = each.value.replace(b"\r\n", b"")
            covered = _SIGNED_FIELDS.search(value)
            if covered and b"cc" in [name.strip().lower() for name in covered[1].split(b":")]:
                domain = _SIGNING_DOMAIN.search(value)
                broken.append(f"the DKIM signature of {domain[1].decode('ascii') if domain else 'an unknown domain'}")
    params = (*(kind.params for kind in message.tree.multiparts), *(part.params for part in message.parts))
    if any("hp" in each or "protected-headers" in each for each in params):
        broken.append("the protected header of the signed or encrypted part")
    return tuple(dict.fromkeys(broken))


def _clear_header(raw: bytes) -> Section:
    """The header section, if every reader sees the same fields in it."""
    section = scan(raw)
    headless = section.end == len(raw) and raw.endswith(b"\r\n") and not section.truncated
    if section.fault and not headless:
        raise CannotRewrite(section.fault)
    if not section.fields:
        raise CannotRewrite("the mail has no header")
    if section.fields[0].start or _BARE.search(raw, 0, section.body):
        raise CannotRewrite("the header has line ends or octets that readers understand differently")
    if any(raw[each.body - 2] in b" \t" for each in section.fields):
        raise CannotRewrite("a blank stands before a colon in the header")  # a field for some, the body for others
    return section


def _missing(section: Section, who: tuple[Mailbox, ...]) -> list[Mailbox]:
    shown = [one for each in section.fields if each.key in (b"to", b"cc") for one in parse_addresses(each.value)[0]]
    known = {one.key for one in shown}
    missing: list[Mailbox] = []
    for each in who:
        if each.key not in known:
            known.add(each.key)
            missing.append(each)
    if not missing:
        raise CannotRewrite("everybody is in To or Cc already", present=True)
    return missing


def _tokens(spelled: list[tuple[bytes, ...]]) -> tuple[bytes, ...]:
    """One token sequence for a list of mailboxes, commas included."""
    with_commas = [token for tokens in spelled for token in (*tokens[:-1], tokens[-1] + b",")]
    with_commas[-1] = with_commas[-1][:-1]
    return tuple(with_commas)


def _append(raw: bytes, field: Field, tokens: tuple[bytes, ...]) -> Splice:
    """After the last visible octet of the field: comments and groups stay, folded blanks end up behind."""
    mailboxes, oddities = parse_addresses(field.value)
    visible = field.value.rstrip(b" \t\r\n")
    if oddities or (visible.strip() and not mailboxes and not visible.endswith(b";")):
        raise CannotRewrite("the Cc field is not clear")
    at = field.body + len(visible)
    if not visible.strip():
        return Splice(field.body, b" " + fold(tokens, len(b"Cc: ")))
    column = at - (raw.rfind(b"\n", 0, at) + 1)
    if visible.endswith(b","):  # an empty list element at the end (RFC 5322 §4.4)
        return Splice(at, b"\r\n " + fold(tokens, 1))
    comma = b"," if column < HARD_LINE else b"\r\n ,"
    return Splice(at, comma + b"\r\n " + fold(tokens, 1))


def _insert(section: Section, tokens: tuple[bytes, ...]) -> Splice:
    after = [each.end for each in section.fields if each.key == b"to"]
    return Splice(after[-1] if after else section.end, b"Cc: " + fold(tokens, len(b"Cc: ")) + b"\r\n")


def _check(raw: bytes, splice: Splice, before: Section, who: list[Mailbox]) -> None:
    """Read the result again; an edit that does anything but add these mailboxes is our own fault and never leaves."""
    after = scan(apply(raw[: before.body], [splice]))
    old = [value for each in before.fields if each.key == b"cc" for value in parse_addresses(each.value)[0]]
    added = [Mailbox(each.address, spoken_name(each.name)) for each in who]
    new = [each for each in after.fields if each.key == b"cc"]
    same = [(each.name, each.value) for each in before.fields if each.key != b"cc"] == [
        (each.name, each.value) for each in after.fields if each.key != b"cc"
    ]
    if len(new) != 1 or not same or list(parse_addresses(new[0].value)[0]) != [*old, *added]:
        raise CannotRewrite("the result would not read as it should")
