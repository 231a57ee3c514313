"""The settings of the console, a part of the one table (`config`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from gateway import setting, values
from gateway.setting import row
from gateway.values import Endpoint, Network


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleSettings:
    """Times are seconds."""

    console_listen: tuple[Endpoint, ...] = field(
        metadata=row(
            "Console",
            values.ENDPOINTS,
            "127.0.0.1:8025",
            "Where `console` serves the auditors' pages: HOST:PORT, with `,tls` under tls_cert",
        )
    )
    console_url: str = field(
        metadata=row(
            "Console",
            values.WEB,
            "",
            "Its address as browsers see it, with the path prefix of a reverse proxy; default: that of console_listen",
        )
    )
    console_proxies: tuple[Network, ...] = field(
        metadata=row("Console", values.NETWORKS, "", "Reverse proxies whose X-Forwarded-For says where a browser is")
    )
    console_idle: float = field(
        metadata=row("Console", values.DURATION, "30m", "After which time without a click one has to log in again")
    )
    console_session: float = field(
        metadata=row("Console", values.DURATION, "10h", "After which time one has to log in again in any case")
    )
    console_oidc_issuer: str = field(
        metadata=row(
            "Console",
            values.ISSUER,
            "",
            "An OpenID Connect provider with which people may log in as well, as it writes its own `issuer`",
        )
    )
    console_oidc_name: str = field(
        metadata=row(
            "Console", values.TEXT, "", "What it is called on the log-in page; default: the host name of the issuer"
        )
    )
    console_oidc_client: str = field(metadata=row("Console", values.TEXT, "", "The console's client id there"))
    console_oidc_secret: str = field(
        metadata=row("Console", values.TEXT, "", "The console's client secret there, if it has one", secret=True),
        repr=False,
    )
    console_oidc_secret_file: Path | None = field(
        metadata=row(
            "Console",
            values.PATH,
            "",
            "A file with that secret; default: the systemd credential console-oidc-secret",
            computed=setting.credential("console-oidc-secret"),
        )
    )
    console_oidc_claim: str = field(
        metadata=row(
            "Console",
            values.TEXT,
            "email",
            "What says whose account it is: `email`, once verified, is the address of an account; any other claim, as "
            "preferred_username, is its name",
        )
    )
