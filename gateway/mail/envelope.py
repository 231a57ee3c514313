"""The SMTP envelope: who sends and who receives, beside what the headers claim."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Path:
    """One reverse or forward path (RFC 5321 §4.1.2).

    `address` is the unquoted-as-written mailbox ("" for the null reverse-path), source route removed;
    `argument` is the raw octets of the command after "MAIL FROM:" / "RCPT TO:", as the client sent them, without CRLF;
    `params` are the ESMTP parameters as (KEYWORD upper-cased, value as sent, or None).
    """

    address: str
    argument: bytes = b""
    params: tuple[tuple[str, bytes | None], ...] = ()

    def param(self, keyword: str) -> bytes | None:
        """The value of a parameter (b"" when it stands without one), or None when it is absent."""
        for name, value in self.params:
            if name == keyword:
                return value if value is not None else b""
        return None

    @classmethod
    def of(cls, address: str) -> Path:
        """A path without parameters, as tests, explain and releases need it."""
        return cls(address, b"<" + address.encode("utf-8", "surrogateescape") + b">")


@dataclass(frozen=True, slots=True)
class Envelope:
    """The transaction's sender and the recipients that the upstream accepted, in their order."""

    mail_from: Path
    rcpt_to: tuple[Path, ...]

    @classmethod
    def of(cls, mail_from: str, rcpt_to: Iterable[str]) -> Envelope:
        return cls(Path.of(mail_from), tuple(Path.of(address) for address in rcpt_to))

    @property
    def recipients(self) -> tuple[str, ...]:
        """The recipients' addresses as sent."""
        return tuple(path.address for path in self.rcpt_to)
