"""Where the console stands: its address as browsers see it, and where a browser is. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from gateway.values import Network


@dataclass(frozen=True, slots=True)
class Place:
    """`origin` is https://NAME[:PORT] as browsers write it, or "" where nobody said; `prefix` begins every path of
    ours behind a reverse proxy ("" or "/gateway"); `hosts` are the names that requests may ask for."""

    origin: str
    prefix: str
    secure: bool
    hosts: frozenset[str]
    proxies: tuple[Network, ...] = ()

    @classmethod
    def of(cls, url: str, listening: Sequence[str], proxies: Sequence[Network] = (), *, tls: bool = False) -> Place:
        """From settings: the address of the web, and the hosts that are listened on."""
        parts = urlsplit(url)
        local = {"localhost", "127.0.0.1", "[::1]"}
        names = {f"[{host}]" if ":" in host else host for host in listening}
        if any(name in ("", "0.0.0.0", "[::]", "*") for name in names) and not url:
            hosts = frozenset({"*"})
        else:
            hosts = frozenset(name.lower() for name in {*local, *names, parts.netloc.rpartition(":")[0] or parts.netloc}
                              if name) | ({parts.hostname.lower()} if parts.hostname else frozenset())  # fmt: skip
        origin = f"{parts.scheme}://{parts.netloc}" if url else ""
        return cls(origin, parts.path, parts.scheme == "https" or (tls and not url), hosts, tuple(proxies))

    def path(self, *segments: str) -> str:
        """A path of ours: the first segment as it is, the others quoted."""
        first, *more = segments
        return self.prefix + "/".join((first, *(quote(each, safe="") for each in more)))

    def cookie_named(self, name: str) -> str:
        """A cookie of ours at `cookie_path`. With a prefix browsers take it over TLS only, and, where the whole host is
        ours, from this host alone: no neighbour of the same domain can set it (RFC 6265bis §4.1.3)."""
        if not self.secure:
            return name
        return f"__Secure-{name}" if self.prefix else f"__Host-{name}"

    @property
    def cookie(self) -> str:
        """The name of the session's cookie."""
        return self.cookie_named("gateway")

    @property
    def cookie_path(self) -> str:
        return self.prefix or "/"

    def takes(self, host: str) -> bool:
        """Whether a request for this host is for us; a page elsewhere may have pointed a name of its own at us."""
        if "*" in self.hosts:
            return True
        name = host.rpartition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]
        return name.lower() in self.hosts

    def own(self, origin: str, host: str) -> bool:
        """Whether a form comes from a page of ours, as the browser says (Origin, RFC 6454 §7)."""
        if self.origin:
            return origin.lower() == self.origin.lower()
        return urlsplit(origin).netloc.lower() == host.lower()

    def browser(self, peer: str, forwarded: str) -> str:
        """The address of the browser: the last of X-Forwarded-For that no listed proxy has, if a proxy asks."""
        hops = [peer, *(part.strip() for part in reversed(forwarded[:2000].split(",")) if part.strip())]
        for number, hop in enumerate(hops):
            if not _is_in(hop, self.proxies):
                return hop if number == 0 or _is_address(hop) else hops[number - 1]
        return hops[-1]


def _is_in(address: str, networks: Sequence[Network]) -> bool:
    return _is_address(address) and any(ipaddress.ip_address(address) in network for network in networks)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
