"""The kinds of values that settings have: how each is read from text or TOML, and what to write when it is wrong."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Security = Literal["none", "starttls", "implicit"]

_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3}
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_TRUE = ("true", "yes", "on", "1")
_FALSE = ("false", "no", "off", "0")


class WrongValue(ValueError):
    """A value that cannot be used: `what` is wrong with it and what to `write` instead."""

    def __init__(self, what: str, write: str) -> None:
        super().__init__(f"{what}. Write: {write}")
        self.what = what
        self.write = write


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address to listen on. Port 0 lets the system choose; an IPv6 host is kept without its brackets.

    `tls` is "implicit" where TLS comes from the first octet (465), "starttls" where the client may ask for it (587).
    `proxy_filter`: Postfix speaks here as `smtpd_proxy_filter`; `proxy_protocol`: a PROXY v1/v2 header comes first.
    """

    host: str
    port: int
    tls: Security = "none"
    proxy_filter: bool = False
    proxy_protocol: bool = False

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        words = [{"none": "", "starttls": "starttls", "implicit": "tls"}[self.tls]]
        words += ["proxy-filter"] * self.proxy_filter + ["proxy-protocol"] * self.proxy_protocol
        return ",".join([f"{host}:{self.port}", *filter(None, words)])


@dataclass(frozen=True, slots=True)
class SyslogPlace:
    """Where a syslog listens: a datagram socket in the file system ("path", its path is the host), TCP or UDP."""

    how: Literal["path", "tcp", "udp"]
    host: str
    port: int = 0

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.host if self.how == "path" else f"{self.how}:{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of value. `read` takes text or a TOML value and a base folder for relative paths; raises WrongValue.

    `name` stands in the docs, `metavar` in --help. `many`: several values, a flag that may be repeated.
    """

    name: str
    metavar: str
    read: Callable[[object, Path], object]
    many: bool = False
    switch: bool = False


def parse_endpoint(text: str) -> Endpoint:
    """Read HOST:PORT[,tls|starttls][,proxy-filter][,proxy-protocol]. Raises WrongValue."""
    example = "HOST:PORT, for instance 127.0.0.1:2525 or [::1]:465,tls"
    place, *words = (part.strip() for part in text.split(","))
    host, colon, digits = place.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not colon or (":" in bare and bare == host) or not re.fullmatch(r"[0-9]{1,5}", digits) or int(digits) > 65535:
        raise WrongValue(f'"{place}" is not an address to listen on', example)
    tls: Security = "none"
    flags = {"proxy-filter": False, "proxy-protocol": False}
    for word in words:
        if word in ("tls", "starttls"):
            if tls != "none":
                raise WrongValue(f'"{text}" names two kinds of TLS', "tls (from the first octet) or starttls")
            tls = "implicit" if word == "tls" else "starttls"
        elif word in flags:
            flags[word] = True
        else:
            raise WrongValue(
                f'"{word}" is not an option of an address', "tls, starttls, proxy-filter or proxy-protocol"
            )
    return Endpoint(bare, int(digits), tls, flags["proxy-filter"], flags["proxy-protocol"])


def _text(raw: object, _: Path) -> str:
    if not isinstance(raw, str):
        raise WrongValue(f"{_shown(raw)} is not text", "text in quotes")
    if any(not ch.isprintable() for ch in raw):
        raise WrongValue("the text has a line end or a control character", "one line of plain text")
    return raw.strip()


def _words(raw: object) -> list[str]:
    """The parts of a list setting: a TOML list, a repeated flag, or words with spaces between them."""
    parts = list(raw) if isinstance(raw, list | tuple) else [raw]
    texts = [part for part in parts if isinstance(part, str)]
    if len(texts) < len(parts):
        raise WrongValue(f"{_shown(raw)} is not a list of texts", '["…", "…"]')
    return [word for text in texts for word in text.split()]


def _endpoints(raw: object, _: Path) -> tuple[Endpoint, ...]:
    return tuple(parse_endpoint(word) for word in _words(raw))


def _networks(raw: object, _: Path) -> tuple[Network, ...]:
    found = []
    for word in _words(raw):
        try:
            found.append(ipaddress.ip_network(word))
        except ValueError as error:
            why = "has bits beyond its prefix" if "host bits" in str(error) else "is not a network"
            write = "an address or a network, for instance 192.0.2.7 or 10.1.0.0/16"
            raise WrongValue(f'"{word}" {why}', write) from None
    return tuple(found)


def _path(raw: object, base: Path) -> Path | None:
    text = _text(raw, base)
    return base / os.path.expanduser(text) if text else None


def _switch(raw: object, _: Path) -> bool:
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and raw.strip().lower() in _TRUE + _FALSE:
        return raw.strip().lower() in _TRUE
    raise WrongValue(f"{_shown(raw)} is neither true nor false", "true or false")


def _size(raw: object, _: Path) -> int:
    match = re.fullmatch(r"\s*([0-9]{1,12})\s*([KMG]?)i?B?\s*", str(raw)) if type(raw) in (int, str) else None
    if match is None:
        raise WrongValue(f"{_shown(raw)} is not a size", "octets, or a number with K, M or G, like 50M")
    return int(match[1]) * _UNITS[match[2]]


def _duration(raw: object, _: Path) -> float:
    plain = type(raw) in (int, float, str)
    match = re.fullmatch(r"\s*([0-9]{1,9}(?:\.[0-9]{1,6})?)\s*([smhd]?)\s*", str(raw)) if plain else None
    if match is None:
        raise WrongValue(f"{_shown(raw)} is not a length of time", "seconds, or a number with s, m, h or d, like 5m")
    return float(match[1]) * _SECONDS[match[2]]


def _target(raw: object, base: Path) -> object:
    from gateway.smtp.target import Target

    text = _text(raw, base)
    if not text:
        return None
    try:
        return Target.parse(text)
    except ValueError as error:
        what, _, write = str(error).partition("; write ")
        raise WrongValue(what, write or "HOST:PORT, for instance mail.example.org:587,starttls") from None


def _address(raw: object, base: Path) -> str:
    text = _text(raw, base)
    if text and not re.fullmatch(r"[^\s<>@,;:\"]+@[^\s<>@,;:\"]+", text):
        raise WrongValue(f'"{text}" is not a mail address', "an address like gateway@notices.example.org")
    return text


def _web(raw: object, base: Path) -> str:
    """An address of the web, without the slash at its end."""
    text = _text(raw, base).rstrip("/")
    fine = False
    with contextlib.suppress(ValueError):
        parts = urlsplit(text)
        named = bool(parts.hostname) and (parts.port is None or parts.port > 0)
        bare = not parts.query and not parts.fragment and "@" not in text
        path = re.fullmatch(r"(/[A-Za-z0-9._~-]+)*", parts.path) is not None
        fine = parts.scheme in ("http", "https") and named and bare and path
    if text and not fine:
        raise WrongValue(f'"{text}" is not an address of the web', "https://NAME or https://NAME/PREFIX")
    return text


def _issuer(raw: object, base: Path) -> str:
    """The name of an OpenID Connect provider, kept to the letter: a slash at its end is part of it."""
    text = _text(raw, base)
    fine = False
    with contextlib.suppress(ValueError):
        parts = urlsplit(text)
        named = bool(parts.hostname) and (parts.port is None or parts.port > 0)
        bare = not any(mark in text for mark in "?#@ ")
        # What it says is only as good as the way to it (OpenID Connect Discovery 1.0 §4.3).
        safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
        fine = named and bare and safe
    if text and not fine:
        write = "https://NAME, as `issuer` stands in its /.well-known/openid-configuration"
        raise WrongValue(f'"{text}" is not an issuer', write)
    return text


def is_loopback(host: str) -> bool:
    """True for this machine, by name or address."""
    if host == "localhost":
        return True
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False


def _host(raw: object, base: Path) -> str:
    text = _text(raw, base)
    if not is_host(text):
        raise WrongValue(f'"{text}" is not a host name', "a name like mail.example.org")
    return text


def is_host(text: str) -> bool:
    """True for a name that can stand in EHLO (RFC 5321 §4.1.1.1), also one in other scripts."""
    try:
        plain = text.encode("idna").decode("ascii")
    except UnicodeError:
        return False
    return re.fullmatch(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]", plain) is not None


def whole(least: int, most: int) -> Kind:
    """A whole number between two bounds, both allowed."""

    def read(raw: object, _: Path) -> int:
        if type(raw) in (int, str) and re.fullmatch(r"\s*[0-9]{1,12}\s*", str(raw)) and least <= int(str(raw)) <= most:
            return int(str(raw))
        raise WrongValue(f"{_shown(raw)} is not a whole number from {least} to {most}", f"a number like {least}")

    return Kind("number", "N", read)


def choice(*words: str) -> Kind:
    """One of a few words."""

    def read(raw: object, _: Path) -> str:
        if isinstance(raw, str) and raw.strip().lower() in words:
            return raw.strip().lower()
        raise WrongValue(f"{_shown(raw)} is not allowed here", " or ".join(words))

    return Kind(" \\| ".join(words), "|".join(words), read)


def _syslog(raw: object, base: Path) -> SyslogPlace | None:
    text = _text(raw, base).strip()
    if not text:
        return None
    if text.startswith("/"):
        return SyslogPlace("path", text)
    match = re.fullmatch(r"(tcp|udp):(\[[0-9A-Fa-f:.]+\]|[^:\s]+):([0-9]{1,5})", text)
    if match is None or not 0 < int(match[3]) < 65536:
        raise WrongValue(f"{_shown(raw)} is no syslog", "/dev/log, or tcp:HOST:PORT, or udp:HOST:PORT")
    return SyslogPlace("tcp" if match[1] == "tcp" else "udp", match[2].strip("[]"), int(match[3]))


def _shown(raw: object) -> str:
    if isinstance(raw, dict):
        return "a table"
    text = f'"{raw}"' if isinstance(raw, str) else str(raw).lower() if isinstance(raw, bool) else str(raw)
    return text if len(text) <= 60 else text[:59] + "…"


TEXT = Kind("text", "TEXT", _text)
WEB = Kind("web address", "URL", _web)
ISSUER = Kind("web address", "URL", _issuer)
HOST = Kind("name", "NAME", _host)
ADDRESS = Kind("address", "ADDRESS", _address)
ENDPOINTS = Kind("list of addresses", "HOST:PORT", _endpoints, many=True)
NETWORKS = Kind("list of networks", "NETWORK", _networks, many=True)
TARGET = Kind("server", "HOST:PORT", _target)
SYSLOG = Kind("syslog", "PLACE", _syslog)
PATH = Kind("path", "PATH", _path)
SWITCH = Kind("true \\| false", "", _switch, switch=True)
SIZE = Kind("size", "SIZE", _size)
DURATION = Kind("time", "TIME", _duration)
