"""A real Postfix with configuration, queue and log of its own; /etc/postfix is never read or written."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from tests.peers.daemon import Daemon, free_port, need
from tests.smtp.certificates import certificate

_SERVICES = """\
pickup    unix  n - n 60    1 pickup
cleanup   unix  n - n -     0 cleanup
qmgr      unix  n - n 300   1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n -     - trivial-rewrite
bounce    unix  - - n -     0 bounce
defer     unix  - - n -     0 bounce
trace     unix  - - n -     0 bounce
verify    unix  - - n -     1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n -     - proxymap
proxywrite unix - - n -     1 proxymap
smtp      unix  - - n -     - smtp
relay     unix  - - n -     - smtp
showq     unix  n - n -     - showq
error     unix  - - n -     - error
retry     unix  - - n -     - error
discard   unix  - - n -     - discard
anvil     unix  - - n -     1 anvil
scache    unix  - - n -     1 scache
postlog   unix-dgram n - n - 1 postlogd
"""


class RealPostfix(Daemon):
    """A Postfix that relays everything from loopback to `relay_to` (a port on loopback).

    `port` takes mail as any relay does; with `tls` it offers STARTTLS, and `tls_port` speaks TLS from the first octet
    (the certificate is `ca_file`). `sasl` is the address of a Dovecot auth service (see `dovecot.py`); clients must
    then log in; `loopback_trusted` says whether those on loopback need not. `nobody@` any domain is refused at RCPT.

    In front of the gateway: `front_port` hands its mail to the gateway at `filter_port` (set it before `start`), as
    `smtpd_proxy_filter` or as `content_filter`; the gateway gives it back to `reinject_port`.
    """

    name = "postfix"

    def __init__(
        self,
        relay_to: int,
        *,
        tls: bool = False,
        sasl: str | None = None,
        loopback_trusted: bool = True,
        front: str | None = None,
        settings: dict[str, str] | None = None,
    ) -> None:
        need("postfix", "/usr/lib/postfix/sbin/master", root=True)
        super().__init__()
        self.relay_to = relay_to
        self.tls, self.sasl, self.front = tls, sasl, front
        self.loopback_trusted = loopback_trusted
        self.settings = settings or {}
        self.port, self.tls_port, self.front_port, self.reinject_port = (free_port() for _ in range(4))
        self.filter_port = 0
        self.ca_file: Path | None = None

    def start(self) -> RealPostfix:
        queue, data = self.folder / "queue", self.folder / "data"
        queue.mkdir()
        data.mkdir()
        subprocess.run(["chown", "postfix", str(data)], check=True)
        (self.folder / "main.cf").write_text("".join(f"{name} = {value}\n" for name, value in self._main().items()))
        (self.folder / "master.cf").write_text(_SERVICES + "".join(self._listeners()))
        ports = (self.port, *([self.tls_port] if self.tls else ()), *([self.reinject_port] if self.front else ()))
        self.run("postfix", "-c", str(self.folder), "start-fg", ports=ports)
        return self

    def ask_to_stop(self) -> None:
        subprocess.run(["postfix", "-c", str(self.folder), "stop"], capture_output=True, timeout=10)

    def accepted(self) -> list[str]:
        """The senders of the mails that the queue took, from the log."""
        lines = (line for line in self.said().splitlines() if "/qmgr[" in line and " from=<" in line)
        return [line.partition("from=<")[2].partition(">")[0] for line in lines if "queue active" in line]

    def settle(self, seconds: float = 15.0) -> None:
        """Wait until the queue is empty: whatever was taken has arrived."""
        end = time.monotonic() + seconds
        queues = [self.folder / "queue" / name for name in ("maildrop", "incoming", "active", "deferred")]
        while any(file.is_file() for queue in queues for file in queue.rglob("*")):
            assert time.monotonic() < end, f"the queue does not empty:\n{self.said()[-3000:]}"
            time.sleep(0.02)

    def _main(self) -> dict[str, str]:
        main = {
            "compatibility_level": "3.6",
            "queue_directory": f"{self.folder}/queue",
            "data_directory": f"{self.folder}/data",
            "maillog_file": str(self.log),
            "maillog_file_prefixes": str(self.folder),
            "mail_owner": "postfix",
            "inet_interfaces": "127.0.0.1",
            "inet_protocols": "ipv4",
            "myhostname": "postfix.example",
            "mydestination": "",
            "mynetworks": "127.0.0.0/8" if self.loopback_trusted else "192.0.2.1/32",
            "relayhost": f"[127.0.0.1]:{self.relay_to}",
            "local_recipient_maps": "",
            "alias_maps": "",
            "alias_database": "",
            "smtpd_peername_lookup": "no",
            "smtp_dns_support_level": "disabled",
            "smtp_host_lookup": "native",
            "smtp_tls_security_level": "none",
            "smtpd_recipient_restrictions": "check_recipient_access inline:{nobody@=REJECT}",
            "smtpd_relay_restrictions": "permit_mynetworks, permit_sasl_authenticated, reject",
            "smtpd_client_connection_count_limit": "0",
            "smtpd_client_connection_rate_limit": "0",
            "smtpd_error_sleep_time": "0s",
            "smtpd_timeout": "30s",
            "smtp_line_length_limit": "0",
            "smtp_destination_concurrency_limit": "5",
            "default_destination_concurrency_failed_cohort_limit": "0",
            "minimal_backoff_time": "1s",
            "queue_run_delay": "1s",
            "in_flow_delay": "0s",
        }
        if self.tls:
            self.ca_file, key = certificate(self.folder)
            main |= {
                "smtpd_tls_cert_file": str(self.ca_file),
                "smtpd_tls_key_file": str(key),
                "smtpd_tls_security_level": "may",
            }
        if self.sasl:
            main |= {"smtpd_sasl_auth_enable": "yes", "smtpd_sasl_type": "dovecot", "smtpd_sasl_path": self.sasl}
        return main | self.settings

    def _listeners(self) -> list[str]:
        lines = [f"127.0.0.1:{self.port} inet n - n - - smtpd\n"]
        if self.tls:
            lines.append(f"127.0.0.1:{self.tls_port} inet n - n - - smtpd\n -o smtpd_tls_wrappermode=yes\n")
        if self.front:
            assert self.filter_port, "say where the gateway listens before Postfix starts"
            filtered = {
                "smtpd_proxy_filter": f"-o smtpd_proxy_filter=127.0.0.1:{self.filter_port}\n",
                "content_filter": f"-o content_filter=smtp:[127.0.0.1]:{self.filter_port}\n",
            }[self.front]
            lines.append(f"127.0.0.1:{self.front_port} inet n - n - 20 smtpd\n {filtered}")
            lines.append(
                f"127.0.0.1:{self.reinject_port} inet n - n - - smtpd\n"
                " -o content_filter=\n -o smtpd_authorized_xforward_hosts=127.0.0.0/8\n"
                " -o receive_override_options=no_unknown_recipient_checks\n -o smtpd_recipient_restrictions=\n"
            )
        return lines
