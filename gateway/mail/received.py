"""The Received field: the one line that the gateway puts in front of a mail (RFC 5321 §4.4)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime
from ipaddress import IPv6Address, ip_address

from gateway.mail.spelling import CannotWrite, check_address

_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9._:\[\]-]")
_NOT_IN_AN_ID = re.compile(r"[^A-Za-z0-9._-]")


def protocol_name(*, esmtp: bool, tls: bool = False, auth: bool = False, smtputf8: bool = False) -> str:
    """The "with" protocol: RFC 3848 §1, and RFC 6531 §4.3 for transactions with SMTPUTF8."""
    if smtputf8:
        return "UTF8SMTP" + "S" * tls + "A" * auth
    return "ESMTP" + "S" * tls + "A" * auth if esmtp else "SMTP"


def received_line(
    *,
    helo: str,
    peer: str,
    by: str,
    id: str,
    at: datetime,
    esmtp: bool,
    tls: bool = False,
    auth: bool = False,
    smtputf8: bool = False,
    recipients: Sequence[str] = (),
) -> bytes:
    """The folded field with its CRLF.

    `helo` is what the client said, whatever it is: only letters, digits and `._:[]-` of it survive. `peer` is its IP
    address. `recipients` are all envelope recipients of the mail, added ones too: "for" is written only when there is
    exactly one, so that nobody in Bcc is shown to anybody else. Raises ValueError when `at` has no zone.
    """
    if at.tzinfo is None:
        raise ValueError("the date of a Received line needs a zone")
    said = _NOT_IN_A_NAME.sub("?", helo)[:255] or "unknown"
    protocol = protocol_name(esmtp=esmtp, tls=tls, auth=auth, smtputf8=smtputf8)
    ending = f"\r\n\t{_for(recipients, smtputf8)};\r\n\t" if _for(recipients, smtputf8) else ";\r\n\t"
    return (
        f"Received: from {said} ({_literal(peer)})\r\n"
        f"\tby {_NOT_IN_A_NAME.sub('?', by)[:255] or 'unknown'}"
        f" with {protocol} id {_NOT_IN_AN_ID.sub('', id)[:64] or 'none'}"
        f"{ending}{format_datetime(at)}\r\n"
    ).encode()


def _literal(peer: str) -> str:
    """RFC 5321 §4.1.3."""
    try:
        address = ip_address(peer.partition("%")[0])
    except ValueError:
        return "unknown"
    return f"[IPv6:{address}]" if isinstance(address, IPv6Address) else f"[{address}]"


def _for(recipients: Sequence[str], smtputf8: bool) -> str:
    if len(recipients) != 1:
        return ""
    try:
        return f"for <{check_address(recipients[0], smtputf8=smtputf8)}>"
    except CannotWrite:
        return ""
