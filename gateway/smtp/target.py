"""Where the upstream is, how it is spoken to, and how long it is waited for."""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Security = Literal["none", "starttls", "implicit"]


@dataclass(frozen=True, slots=True)
class Target:
    """One SMTP server to connect to.

    `tls` is what must happen, never what would be nice: "starttls" fails where it is not offered. With `verify`
    the certificate must be valid for `server_name` (default: `host`) under `ca_file` (PEM; default: the system's).
    """

    host: str
    port: int
    tls: Security = "none"
    verify: bool = True
    ca_file: str | None = None
    server_name: str | None = None

    @classmethod
    def parse(cls, text: str) -> Target:
        """Read HOST:PORT[,starttls|,tls][,ca=FILE][,name=NAME][,noverify]; an IPv6 host stands in brackets.

        Raises ValueError with a sentence that says what to write.
        """
        if "@" in text.partition(",")[0]:  # and no word of it in the error: it may be a password
            raise ValueError(
                "an account does not belong here; write HOST:PORT, and upstream_user with its password file"
            )
        place, *options = (part.strip() for part in text.split(","))
        host, colon, digits = place.rpartition(":")
        if host.startswith("[") and host.endswith("]"):
            host = host[1:-1]
        elif ":" in host:
            raise ValueError(f"{text!r}: an IPv6 address stands in brackets; write [::1]:25")
        if not colon or not host or not digits.isascii() or not digits.isdigit() or not 0 < int(digits) < 65536:
            raise ValueError(f"{text!r} is not HOST:PORT; write for instance mail.example.org:587,starttls")
        tls: Security = "none"
        verify, ca_file, server_name = True, None, None
        for option in options:
            name, _, value = option.partition("=")
            if option == "starttls":
                tls = "starttls"
            elif option == "tls":
                tls = "implicit"
            elif option == "noverify":
                verify = False
            elif name == "ca" and value:
                ca_file = value
            elif name == "name" and value:
                server_name = value
            else:
                raise ValueError(f"{text!r}: unknown {option!r}; write starttls, tls, ca=FILE, name=NAME or noverify")
        if tls == "none" and (ca_file or server_name or not verify):
            raise ValueError(f"{text!r}: ca, name and noverify belong to TLS; write ,starttls or ,tls as well")
        return cls(host, int(digits), tls, verify, ca_file, server_name)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}" + {"none": "", "starttls": ",starttls", "implicit": ",tls"}[self.tls]

    @property
    def is_loopback(self) -> bool:
        """True for 127.0.0.0/8, ::1 and the name localhost: octets that never leave the machine."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host.lower() == "localhost"

    def context(self) -> ssl.SSLContext:
        """The client's TLS settings. Raises OSError or ssl.SSLError for a `ca_file` that cannot be read."""
        return _context(self.verify, self.ca_file)


@lru_cache(maxsize=16)
def _context(verify: bool, ca_file: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds that the upstream is waited for at each step (RFC 5321 §4.5.3.2).

    Each stays a little below what the RFC tells the client to wait for us, so that the client gets our 4xx and not
    silence. `data_total` bounds DATA, content and final reply together, since the client waits ten minutes for all.
    """

    connect: float = 30.0
    greeting: float = 120.0
    command: float = 270.0
    data_init: float = 110.0
    data_block: float = 170.0
    data_done: float = 570.0
    data_total: float = 570.0
    quit: float = 5.0

    @classmethod
    def within(cls, seconds: float) -> Timeouts:
        """All steps bounded by one figure: Postfix gives a proxy filter 100 s for any answer."""
        usual = cls()
        return cls(*(min(seconds, getattr(usual, name)) for name in cls.__slots__))
