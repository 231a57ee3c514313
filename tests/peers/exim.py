"""A real Exim, run from where `fetch.sh` unpacked it, in a mount namespace that knows its user."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.peers.daemon import Daemon, can_unshare, free_port

_CONFIG = """\
primary_hostname = exim.example
exim_path = {root}/usr/sbin/exim4
spool_directory = {folder}/spool
log_file_path = {folder}/log/%slog
pid_file_path = {folder}/exim.pid
daemon_smtp_ports = {port}
local_interfaces = <; 127.0.0.1
host_lookup =
rfc1413_query_timeout = 0s
acl_smtp_rcpt = recipient
acl_smtp_data = content
tls_advertise_hosts =
dsn_advertise_hosts = *
smtputf8_advertise_hosts = *
smtp_accept_max = 0
deliver_drop_privilege = true
keep_environment =

begin acl
recipient:
  deny local_parts = nobody
       message = No such user
  accept
content:
  accept

begin routers
onward:
  driver = manualroute
  route_list = * 127.0.0.1
  self = send
  transport = onward

begin transports
onward:
  driver = smtp
  port = {relay_to}
  allow_localhost
  hosts_try_chunking =

begin retry
* * F,1h,1s
"""


class RealExim(Daemon):
    """An Exim that takes everything and relays it to `relay_to` on loopback. `nobody@` is refused at RCPT."""

    name = "exim"

    def __init__(self, relay_to: int) -> None:
        root = os.environ.get("GATEWAY_TEST_EXIM", "")
        if not (Path(root) / "usr/sbin/exim4").is_file():
            pytest.skip("GATEWAY_TEST_EXIM names no unpacked Exim: see tests/peers/fetch.sh")
        if not can_unshare():
            pytest.skip("Exim needs root and a mount namespace of its own")
        super().__init__()
        self.root = root
        self.relay_to = relay_to
        self.port = free_port()

    @property
    def log(self) -> Path:
        return self.folder / "log" / "mainlog"

    def start(self) -> RealExim:
        config = self.folder / "exim.conf"
        config.write_text(_CONFIG.format(root=self.root, folder=self.folder, port=self.port, relay_to=self.relay_to))
        script = "set -e\n" + self.accounts(Debian_exim=64503)
        for name in ("spool", "log"):
            (self.folder / name).mkdir()
            os.chown(self.folder / name, 64503, 64503)
        script += f"exec {self.root}/usr/sbin/exim4 -bdf -C {config}\n"
        env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LD_LIBRARY_PATH": f"{self.root}/usr/lib/x86_64-linux-gnu"}
        self.run("unshare", "-m", "sh", "-c", script, ports=(self.port,), env=env)
        return self

    def accepted(self) -> list[str]:
        """The senders of the mails that it took, from the log."""
        return [line.split(" <= ")[1].split(" ")[0] for line in self.said().splitlines() if " <= " in line]

    def settle(self, seconds: float = 15.0) -> None:
        """Wait until the spool is empty: whatever was taken has arrived."""
        end = time.monotonic() + seconds
        while any(file.is_file() for file in (self.folder / "spool" / "input").rglob("*")):
            assert time.monotonic() < end, f"the spool does not empty:\n{self.said()[-3000:]}"
            time.sleep(0.02)
