"""The whole gateway as people run it: `referral-gateway serve` in a process of its own, judging by the example site."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from gateway.resources import shipped
from tests.peers.daemon import Daemon, free_port
from tests.smtp.certificates import certificate


class WholeGateway(Daemon):
    """One gateway in front of `upstream` (a port on loopback), with a listener of each kind in `ports`."""

    name = "gateway"

    def __init__(self, upstream: int) -> None:
        super().__init__()
        self.upstream = upstream
        self.ports = {kind: free_port() for kind in ("plain", "starttls", "implicit", "proxy-filter")}
        certificate_file, _ = certificate(self.folder)
        self.ca_file = str(certificate_file)

    def start(self) -> WholeGateway:
        suffix = {"plain": "", "starttls": ",starttls", "implicit": ",tls", "proxy-filter": ",proxy-filter"}
        (self.folder / "state").mkdir()
        site = self.folder / "site.yaml"
        shutil.copy(Path(shipped("policies")) / "site.yaml", site)
        command = [sys.executable, "-m", "gateway", "serve", "--state", str(self.folder / "state"), "--site", str(site)]
        for kind, port in self.ports.items():
            command += ["--listen", f"127.0.0.1:{port}{suffix[kind]}"]
        command += ["--upstream", f"127.0.0.1:{self.upstream}", "--hostname", "gateway.example"]
        command += ["--tls-cert", self.ca_file, "--tls-key", str(self.folder / "key.pem")]
        env = {**os.environ, "HOME": str(self.folder)}
        self.run(*command, ports=tuple(self.ports.values()), seconds=30, env=env)
        return self
