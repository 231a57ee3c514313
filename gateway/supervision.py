"""The service manager's protocol: sockets handed over, messages back (sd_listen_fds(3), sd_notify(3))."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass

FIRST_DESCRIPTOR = 3
"""SD_LISTEN_FDS_START: passed sockets are numbered from here."""


@dataclass(frozen=True, slots=True)
class PassedSocket:
    """A listening socket that the service manager opened for us. `name` is its FileDescriptorName=."""

    name: str
    sock: socket.socket


def passed_sockets(environ: Mapping[str, str] = os.environ) -> list[PassedSocket]:
    """The sockets passed to this process, or an empty list. They are taken once: call it once."""
    if environ.get("LISTEN_PID") != str(os.getpid()):
        return []
    count = int(environ.get("LISTEN_FDS", "0") or 0)
    names = environ.get("LISTEN_FDNAMES", "").split(":")
    passed = []
    for number in range(count):
        descriptor = FIRST_DESCRIPTOR + number
        os.set_inheritable(descriptor, False)
        name = names[number] if number < len(names) else "smtp"
        sock = socket.socket(fileno=descriptor)
        sock.setblocking(False)
        passed.append(PassedSocket(name, sock))
    return passed


class Notifier:
    """Tells the service manager how we are. Silent where nobody listens."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._address = environ.get("NOTIFY_SOCKET", "")
        timeout = environ.get("WATCHDOG_USEC", "")
        ours = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self.watchdog_seconds: float | None = int(timeout) / 1_000_000 if timeout.isdigit() and ours else None
        """Within how many seconds the manager wants a sign of life; None when it does not watch."""

    def send(self, *assignments: str) -> bool:
        """Send lines such as "READY=1". False when nobody listens or the socket is gone."""
        if not self._address:
            return False
        # A leading @ means the abstract namespace (unix(7)).
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
                channel.sendto("\n".join(assignments).encode(), address)
        except OSError:
            return False
        return True

    def ready(self, status: str) -> None:
        self.send("READY=1", f"STATUS={status}")

    def reloading(self, monotonic_usec: int) -> None:
        """Type=notify-reload wants the moment at which the reload began (CLOCK_MONOTONIC, microseconds)."""
        self.send("RELOADING=1", f"MONOTONIC_USEC={monotonic_usec}")

    def stopping(self) -> None:
        self.send("STOPPING=1", "STATUS=finishing what is under way")

    def alive(self) -> None:
        self.send("WATCHDOG=1")
