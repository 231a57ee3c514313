"""A real OpenSMTPD, run from where `fetch.sh` unpacked it.

Its paths are built in: a mount namespace gives it its own."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.peers.daemon import Daemon, can_unshare, free_port


class RealOpenSMTPD(Daemon):
    """An OpenSMTPD that takes everything and relays it to `relay_to` on loopback."""

    name = "opensmtpd"

    def __init__(self, relay_to: int) -> None:
        root = os.environ.get("GATEWAY_TEST_OPENSMTPD", "")
        if not (Path(root) / "usr/sbin/smtpd").is_file():
            pytest.skip("GATEWAY_TEST_OPENSMTPD names no unpacked OpenSMTPD: see tests/peers/fetch.sh")
        if not can_unshare():
            pytest.skip("OpenSMTPD needs root and a mount namespace of its own")
        super().__init__()
        self.root = root
        self.relay_to = relay_to
        self.port = free_port()

    def start(self) -> RealOpenSMTPD:
        config = self.folder / "smtpd.conf"
        config.write_text(
            f"listen on 127.0.0.1 port {self.port} hostname opensmtpd.example\n"
            f'action "onward" relay host "smtp://127.0.0.1:{self.relay_to}"\n'
            'match from any for any action "onward"\n'
        )
        (self.folder / "resolv.conf").write_text("lookup file\n")  # its resolver asks the network for loopback's name
        script = (
            "set -e\n"
            + f"mount --bind {self.folder}/resolv.conf /etc/resolv.conf\n"
            + self.accounts(opensmtpd=64501, opensmtpq=64502)
            + "mount -t tmpfs none /var/lib\nmkdir -p /var/lib/opensmtpd/empty\nchmod 711 /var/lib/opensmtpd/empty\n"
            + f"mkdir -m 711 {self.folder}/spool {self.folder}/spool/smtpd\n"
            + f"mount --bind {self.folder}/spool /var/spool\n"
            + f"mount -t tmpfs none /run\nmount --bind {self.root}/usr/sbin /usr/sbin\n"
            + f"exec /usr/sbin/smtpd -d -f {config}\n"
        )
        env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LD_LIBRARY_PATH": f"{self.root}/usr/lib/x86_64-linux-gnu"}
        self.run("unshare", "-m", "sh", "-c", script, ports=(self.port,), env=env)
        return self

    def accepted(self) -> list[str]:
        """The senders of the envelopes that it took, from the log."""
        return [
            line.partition(" from=<")[2].partition(">")[0]
            for line in self.said().splitlines()
            if " smtp envelope " in line
        ]

    def settle(self, seconds: float = 30.0) -> None:
        """Wait until every envelope that it took has been handed on."""
        end = time.monotonic() + seconds
        while self.said().count(" smtp envelope ") > self.said().count('result="Ok"'):
            assert time.monotonic() < end, f"not everything is handed on:\n{self.said()[-3000:]}"
            time.sleep(0.05)
