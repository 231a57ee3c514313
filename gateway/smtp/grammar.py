"""The arguments of MAIL and RCPT, read strictly (RFC 5321 §4.1.2, RFC 6531 §3.3). Pure: octets in, paths out.

What is read here is only for knowing who sends and who receives; what goes upstream are the raw octets. So both ends
must see the same address or the command is refused: an argument that two servers could read in two ways never passes.

Two things are taken that the RFC's grammar has not, since clients send them and nobody reads them in two ways: blanks
between the colon and the path, and blanks at the end (§4.1.1.11 asks for those). `lenient` is for mail that a Postfix
has already taken (its `strict_rfc821_envelopes` is off as shipped): a path without brackets, a local part without a
domain, and dots where a Dot-string has none.
"""

from __future__ import annotations

import re
from collections.abc import Container

from gateway.mail.envelope import Path
from gateway.smtp.replies import Reply, reply


class BadArgument(ValueError):
    """The command is refused; `reply` says why."""

    def __init__(self, answer: Reply) -> None:
        super().__init__(answer.text)
        self.reply = answer


_UTF8 = rb"\x80-\xff"  # RFC 6531 §3.3; checked to be UTF-8 afterwards
_ATEXT = rb"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-" + _UTF8 + rb"]"
_DOT_STRING = _ATEXT + rb"+(?:\." + _ATEXT + rb"+)*"
_LOOSE_STRING = rb"(?:" + _ATEXT + rb"|\.)+"
_QUOTED = rb'"(?:[ !#-\[\]-~' + _UTF8 + rb"]|\\[ -~])*\""
# An underscore is no LDH character, yet hosts with one send mail.
_LABEL = rb"[A-Za-z0-9_" + _UTF8 + rb"](?:[A-Za-z0-9_\-" + _UTF8 + rb"]*[A-Za-z0-9_" + _UTF8 + rb"])?"
_DOMAIN = _LABEL + rb"(?:\." + _LABEL + rb")*"
_OCTET = rb"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_LITERAL = rb"\[(?:" + _OCTET + rb"(?:\." + _OCTET + rb"){3}|[A-Za-z0-9\-]*[A-Za-z0-9]:[!-Z^-~]+)\]"
_ROUTE = rb"(?:@" + _DOMAIN + rb"(?:,@" + _DOMAIN + rb")*:)?"  # §4.1.2 A-d-l, obsolete (appendix C) but to be read
_PARAMS = rb"(?P<params>(?: +[A-Za-z0-9][A-Za-z0-9\-]*(?:=[!-<>-~" + _UTF8 + rb"]+)?)*) *\Z"


def _mailbox(local: bytes) -> bytes:
    return rb"(?:" + local + rb"|" + _QUOTED + rb")@(?:" + _DOMAIN + rb"|" + _LITERAL + rb")"


_STRICT = re.compile(rb" *<(?:" + _ROUTE + rb"(?P<address>" + _mailbox(_DOT_STRING) + rb"))?>" + _PARAMS)
_POSTMASTER = re.compile(rb" *<(?P<address>postmaster)>" + _PARAMS, re.IGNORECASE)
_LOOSE_BOX = (
    rb"(?P<address>(?:" + _LOOSE_STRING + rb"|" + _QUOTED + rb")(?:@(?:" + _DOMAIN + rb"|" + _LITERAL + rb"))?)"
)
_LOOSE = re.compile(rb" *<(?:" + _ROUTE + _LOOSE_BOX + rb")?>" + _PARAMS)
_NAKED = re.compile(rb" *" + _LOOSE_BOX + _PARAMS)
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")

# Which EHLO keyword allows which parameter.
MAIL_PARAMS = {
    "SIZE": "SIZE",  # RFC 1870
    "BODY": "8BITMIME",  # RFC 6152
    "SMTPUTF8": "SMTPUTF8",  # RFC 6531
    "RET": "DSN",  # RFC 3461 §4.3
    "ENVID": "DSN",
    "AUTH": "AUTH",  # RFC 4954 §5
    "REQUIRETLS": "REQUIRETLS",  # RFC 8689
    "MT-PRIORITY": "MT-PRIORITY",  # RFC 6710
    "BY": "DELIVERBY",  # RFC 2852
    "HOLDFOR": "FUTURERELEASE",  # RFC 4865
    "HOLDUNTIL": "FUTURERELEASE",
}
RCPT_PARAMS = {
    "NOTIFY": "DSN",  # RFC 3461 §4.1
    "ORCPT": "DSN",
    "RRVS": "RRVS",  # RFC 7293
}

_VALUES = {
    "SIZE": re.compile(rb"[0-9]{1,20}"),
    "BODY": re.compile(rb"7BIT|8BITMIME", re.IGNORECASE),
    "RET": re.compile(rb"FULL|HDRS", re.IGNORECASE),
    "NOTIFY": re.compile(rb"NEVER|(?:SUCCESS|FAILURE|DELAY)(?:,(?:SUCCESS|FAILURE|DELAY)){0,2}", re.IGNORECASE),
}
_VALUELESS = frozenset({"SMTPUTF8", "REQUIRETLS"})

_SENDER = reply(501, "5.1.7 Bad sender address syntax; write MAIL FROM:<address>")
_RECIPIENT = reply(501, "5.1.3 Bad recipient address syntax; write RCPT TO:<address>")
_NULL_RECIPIENT = reply(501, "5.1.3 A recipient is needed between < and >")
_DUPLICATE = reply(501, "5.5.4 A parameter stands twice")
_NO_UTF8 = reply(553, "5.6.7 A non-ASCII address needs SMTPUTF8")
_NOT_UTF8 = reply(501, "5.5.2 The command is not UTF-8")


def read_mail(argument: bytes, offers: Container[str], *, lenient: bool = False) -> Path:
    """Read what follows "MAIL FROM:". `offers` are the EHLO keywords (upper-case) that the client was given.

    Raises BadArgument. The null reverse-path `<>` gives an empty address.
    """
    match = None if _CONTROL.search(argument) else _STRICT.match(argument)
    if match is None and lenient and not _CONTROL.search(argument):
        match = _LOOSE.match(argument) or _NAKED.match(argument)
    if match is None:
        raise BadArgument(_SENDER)
    params = _params(match["params"], MAIL_PARAMS, offers)
    utf8 = any(name == "SMTPUTF8" for name, _ in params)
    return Path(_address(match["address"], utf8), argument, params)


def read_rcpt(argument: bytes, offers: Container[str], *, smtputf8: bool = False, lenient: bool = False) -> Path:
    """Read what follows "RCPT TO:"; `smtputf8` says that this mail's MAIL had the parameter. Raises BadArgument."""
    match = None if _CONTROL.search(argument) else _STRICT.match(argument) or _POSTMASTER.match(argument)
    if match is None and lenient and not _CONTROL.search(argument):
        match = _LOOSE.match(argument) or _NAKED.match(argument)
    if match is None:
        raise BadArgument(_RECIPIENT)
    if not match["address"]:
        raise BadArgument(_NULL_RECIPIENT)
    params = _params(match["params"], RCPT_PARAMS, offers)
    return Path(_address(match["address"], smtputf8), argument, params)


def _address(octets: bytes | None, utf8: bool) -> str:
    if not octets:
        return ""
    if octets.isascii():
        return octets.decode("ascii")
    if not utf8:
        raise BadArgument(_NO_UTF8)
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        raise BadArgument(_NOT_UTF8) from None


def _params(octets: bytes, known: dict[str, str], offers: Container[str]) -> tuple[tuple[str, bytes | None], ...]:
    params: list[tuple[str, bytes | None]] = []
    for word in octets.split():
        keyword, equals, value = word.partition(b"=")
        name = keyword.decode("ascii").upper()
        if any(name == other for other, _ in params):
            raise BadArgument(_DUPLICATE)
        # RFC 5321 §4.1.1.11: a parameter that was not offered
        if known.get(name) not in offers:
            raise BadArgument(reply(555, f"5.5.4 Unsupported parameter {name[:40]}"))
        pattern = _VALUES.get(name)
        if (bool(equals) == (name in _VALUELESS)) or (pattern is not None and not pattern.fullmatch(value)):
            raise BadArgument(reply(501, f"5.5.4 Bad value of parameter {name[:40]}"))
        if not value.isascii():
            try:
                value.decode("utf-8")
            except UnicodeDecodeError:
                raise BadArgument(_NOT_UTF8) from None
        params.append((name, value if equals else None))
    return tuple(params)


_HELLO = re.compile(rb"[!-~]{1,255}\Z")


def is_hello_name(name: bytes) -> bool:
    """True for an EHLO or HELO argument that may go upstream: one printable word (RFC 5321 §4.1.1.1).

    No more is asked: clients say all sorts of names, and what to make of them is the upstream's choice.
    """
    return _HELLO.match(name) is not None
