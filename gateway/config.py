"""The one table of settings: it drives the TOML file, environment, flags, example file and README.

Precedence: flag, then environment (REFERRAL_GATEWAY_<NAME>), then file, then default.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING

from gateway import setting, values
from gateway.config_console import ConsoleSettings
from gateway.setting import PREFIX as PREFIX
from gateway.setting import Setting as Setting
from gateway.setting import row
from gateway.values import Endpoint, Network, SyslogPlace, choice, whole

if TYPE_CHECKING:
    from gateway.smtp.target import Target

SYSTEM_FILE = Path("/etc/referral-gateway/settings.toml")
"""The settings file that is read when none is named, where it exists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(ConsoleSettings):
    """All settings, read and checked. Times are seconds, sizes octets. Made by `settings_file.load_settings`."""

    listen: tuple[Endpoint, ...] = field(
        metadata=row(
            "Doors",
            values.ENDPOINTS,
            "127.0.0.1:2525",
            "Where outgoing mail is handed in: HOST:PORT, then any of `,tls` (from the first octet), "
            "`,starttls`, `,proxy-filter` (Postfix smtpd_proxy_filter), `,proxy-protocol` (from listed peers)",
        )
    )
    tap: tuple[Endpoint, ...] = field(
        metadata=row(
            "Doors",
            values.ENDPOINTS,
            "",
            "Where inbound mail passes through, so that threads are known; it is relayed and remembered, never judged",
        )
    )
    hostname: str = field(
        metadata=row(
            "Doors",
            values.HOST,
            "this machine's name",
            "The name in the greeting, in Received lines and in our Message-IDs",
            computed=setting.hostname,
        )
    )
    tls_cert: Path | None = field(
        metadata=row("Doors", values.PATH, "", "The certificate chain (PEM) for `tls` and `starttls` listeners")
    )
    tls_key: Path | None = field(
        metadata=row("Doors", values.PATH, "", "The certificate's key (PEM), if it is not in the same file")
    )
    received_line: bool = field(
        metadata=row("Doors", values.SWITCH, "true", "Put one Received line in front of each mail (RFC 5321 §4.4)")
    )
    bare_line_ends: str = field(
        metadata=row(
            "Doors",
            choice("refuse", "normalise"),
            "refuse",
            "Mail with bare CR, bare LF or NUL: answer 550, or turn every line end into CR LF",
        )
    )

    listed_peers: tuple[Network, ...] = field(
        metadata=row(
            "Limits",
            values.NETWORKS,
            "127.0.0.0/8 ::1/128",
            "Who may send XFORWARD, XCLIENT, PROXY headers and headers that name the requester",
        )
    )
    size_limit: int = field(
        metadata=row("Limits", values.SIZE, "50M", "The largest mail that is taken; larger ones get 552")
    )
    memory_limit: int = field(
        metadata=row("Limits", values.SIZE, "1536K", "Mail beyond this size waits in an encrypted spool file")
    )
    max_recipients: int = field(
        metadata=row("Limits", whole(1, 100_000), "1000", "Recipients of one mail; more get 452")
    )
    max_connections: int = field(
        metadata=row("Limits", whole(1, 100_000), "2000", "Connections at a time; more get 421")
    )
    max_connections_per_peer: int = field(
        metadata=row("Limits", whole(1, 100_000), "200", "Connections at a time from one address; more get 421")
    )
    client_timeout: float = field(
        metadata=row("Limits", values.DURATION, "5m", "How long a client may be silent between commands")
    )
    data_timeout: float = field(
        metadata=row("Limits", values.DURATION, "1h", "How long a client may take for one mail's octets")
    )
    readers: int = field(
        metadata=row(
            "Limits",
            whole(1, 1000),
            "the number of processors",
            "Processes that read mail; one that takes over 1.5 s of a processor or 64 MiB is judged by its beginning",
            computed=lambda _: len(os.sched_getaffinity(0)),
        )
    )
    shutdown_grace: float = field(
        metadata=row("Limits", values.DURATION, "30s", "How long mail under way may finish when the gateway stops")
    )

    upstream: Target | None = field(
        metadata=row(
            "Upstream",
            values.TARGET,
            "",
            "The mail server behind: HOST:PORT, then any of `,tls`, `,starttls`, `,ca=FILE`, `,name=NAME`, `,noverify`",
        )
    )
    tap_upstream: Target | None = field(
        metadata=row("Upstream", values.TARGET, "", "The mail server behind `tap`, in the same form; default: upstream")
    )
    upstream_user: str = field(
        metadata=row(
            "Upstream",
            values.TEXT,
            "",
            "The gateway's own account there, for released mail and notices; passing mail uses the client's own login",
        )
    )
    upstream_password: str = field(
        metadata=row("Upstream", values.TEXT, "", "That account's password", secret=True), repr=False
    )
    upstream_password_file: Path | None = field(
        metadata=row(
            "Upstream",
            values.PATH,
            "",
            "A file with that password; default: the systemd credential upstream-password",
            computed=setting.credential("upstream-password"),
        )
    )
    upstream_timeout: float = field(
        metadata=row("Upstream", values.DURATION, "570s", "The longest wait for any one answer of the server behind")
    )

    site: Path | None = field(
        metadata=row(
            "Rules",
            values.PATH,
            "",
            "The site file: who is who. Without it `serve` judges nothing and passes everything",
        )
    )
    policies: Path | None = field(
        metadata=row("Rules", values.PATH, "", "A folder that replaces the shipped policies; its lexicon adds")
    )
    templates: Path | None = field(
        metadata=row("Rules", values.PATH, "", "A folder whose templates replace shipped ones, file by file")
    )
    observe: bool = field(
        metadata=row("Rules", values.SWITCH, "false", "Record what would have been stopped, and pass it")
    )
    reload_watch: bool = field(
        metadata=row(
            "Rules",
            values.SWITCH,
            "true",
            "Read policies, site and templates again when they change (SIGHUP always does)",
        )
    )

    notices_address: str = field(
        metadata=row(
            "Notices",
            values.ADDRESS,
            "",
            "Where answers to notices go, taken by the gateway; default: as the site file says",
        )
    )
    notices_from: str = field(
        metadata=row(
            "Notices",
            values.ADDRESS,
            "",
            "The sender address of notices; default: notices_address",
        )
    )
    follow: bool = field(
        metadata=row(
            "Follow-through",
            values.SWITCH,
            "true",
            "Keep hand-offs and promises in a ledger, and remind people of what stays open",
        )
    )
    handoff_deadline: float = field(
        metadata=row(
            "Follow-through",
            values.DURATION,
            "16h",
            "How long a new owner has to write to the person who asked before they are asked once, in business hours",
        )
    )
    promise_reminder: float = field(
        metadata=row(
            "Follow-through",
            values.DURATION,
            "2h",
            "How long before a promised date the agent is reminded, in business hours",
        )
    )
    promise_overdue: str = field(
        metadata=row(
            "Follow-through",
            choice("nobody", "agent", "supervisor"),
            "nobody",
            "Who hears that a promised date has passed without a mail: much is kept without one",
        )
    )
    repeat_requests: int = field(
        metadata=row(
            "Follow-through",
            whole(0, 100_000),
            "5",
            "Requests of one person within two weeks after which the supervisor gets one note; 0 for none",
        )
    )

    rewrite_notices: str = field(
        metadata=row(
            "Notices",
            choice("at-once", "daily"),
            "at-once",
            "When senders hear whom the gateway added to their mail: with each mail, or once at the end of the day",
        )
    )
    hold_deadline: float = field(
        metadata=row(
            "Notices",
            values.DURATION,
            "8h",
            "How long a held mail waits for an answer before a reminder, in business hours",
        )
    )

    state: Path = field(
        metadata=row(
            "Store",
            values.PATH,
            "$STATE_DIRECTORY, else ~/.local/state/referral-gateway",
            "The folder of the database and the spool",
            computed=setting.state,
        )
    )
    database: str = field(
        metadata=row(
            "Store", values.TEXT, "", "The database as an SQLAlchemy URL without a password; default: SQLite in `state`"
        )
    )
    database_password: str = field(
        metadata=row("Store", values.TEXT, "", "The database's password", secret=True), repr=False
    )
    database_password_file: Path | None = field(
        metadata=row(
            "Store",
            values.PATH,
            "",
            "A file with that password; default: the systemd credential database-password",
            computed=setting.credential("database-password"),
        )
    )
    key_file: Path = field(
        metadata=row(
            "Store",
            values.PATH,
            "$CREDENTIALS_DIRECTORY/hold-key, else ~/.config/referral-gateway/hold.key",
            "The key that held mail is encrypted with (32 octets, mode 0600), kept outside `state`",
            computed=setting.key_file,
        )
    )
    hold_key: str = field(
        metadata=row(
            "Store",
            values.TEXT,
            "",
            "That key itself, as 64 hex digits or base64, instead of key_file",
            secret=True,
        ),
        repr=False,
    )

    checkpoint_every: float = field(
        metadata=row("Audit", values.DURATION, "15m", "How often `serve` signs what the log has come to")
    )
    checkpoint_file: Path | None = field(
        metadata=row(
            "Audit",
            values.PATH,
            "",
            "A file to which checkpoints are appended, out of reach of those who run this machine",
        )
    )
    checkpoint_syslog: SyslogPlace | None = field(
        metadata=row(
            "Audit",
            values.SYSLOG,
            "",
            "A syslog that gets them (RFC 5424): /dev/log, tcp:HOST:PORT or udp:HOST:PORT",
        )
    )
    checkpoint_mail: str = field(metadata=row("Audit", values.ADDRESS, "", "A mailbox of the auditor's that gets them"))
    checkpoint_key_file: Path | None = field(
        metadata=row(
            "Audit",
            values.PATH,
            "",
            "The key that signs them (32 octets, mode 0600, the same on all nodes); default: checkpoint.key (as a "
            "systemd credential: checkpoint-key) beside key_file",
        )
    )
    keep_log: float = field(
        metadata=row("Privacy", values.DURATION, "365d", "How long entries of the log are kept, with their evidence")
    )
    keep_mail: float = field(
        metadata=row("Privacy", values.DURATION, "30d", "How long held mail itself is kept once it has gone out")
    )
    keep_threads: float = field(
        metadata=row("Privacy", values.DURATION, "365d", "How long it is remembered who wrote to whom, without words")
    )
    keep_followed: float = field(
        metadata=row("Privacy", values.DURATION, "180d", "How long closed hand-offs and promises are kept")
    )
    keep_sent: float = field(
        metadata=row("Privacy", values.DURATION, "30d", "How long it is kept whom the gateway itself has written to")
    )

    log_level: str = field(
        metadata=row("Log", choice("debug", "info", "warning", "error"), "info", "The least weight of what is logged")
    )
    log_format: str = field(
        metadata=row("Log", choice("console", "json"), "console", "Lines for people, or one JSON object a line")
    )

    @property
    def database_url(self) -> str:
        """The URL to open, without a password (see `secret`)."""
        return self.database or f"sqlite:///{self.state / 'gateway.db'}"

    @property
    def signing_key_file(self) -> Path:
        """Where the key is that signs checkpoints."""
        name = "checkpoint-key" if self.key_file.name == "hold-key" else "checkpoint.key"
        return self.checkpoint_key_file or self.key_file.with_name(name)

    def secret(self, name: str) -> str:
        """The secret `name` ("upstream_password", "database_password"): environment first, then its file, else "".

        Raises BadFiles when the file cannot be read or is empty.
        """
        value: str = getattr(self, name)
        path: Path | None = getattr(self, f"{name}_file")
        return value if value or path is None else setting.first_line(path)


SETTINGS: tuple[Setting, ...] = tuple(
    sorted(
        (Setting(name=item.name, **item.metadata) for item in fields(Settings)), key=lambda row: row.group == "Console"
    )
)
"""The table's rows, in the order of the docs."""

BY_NAME: Mapping[str, Setting] = {row.name: row for row in SETTINGS}
