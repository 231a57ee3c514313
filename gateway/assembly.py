"""From settings to parts: which doors stand where, with which certificate, and how the gateway itself sends."""

from __future__ import annotations

import hmac
import os
import ssl
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta

from gateway.chain.checkpoints import Signer
from gateway.config import Settings
from gateway.correspondence import Correspondence
from gateway.located import BadFiles, Problem
from gateway.rules import Rules
from gateway.smtp.house import ListenerConfig
from gateway.smtp.limits import Limits, Timers
from gateway.smtp.postbox import Credential, Postbox
from gateway.smtp.server import DoorsConfig
from gateway.smtp.target import Security, Target, Timeouts
from gateway.store.crypto import KEY_VARIABLE, KeyUnusable, load_or_create_key
from gateway.store.privacy import Keep
from gateway.supervision import PassedSocket
from gateway.values import Endpoint
from gateway.witnesses import Places


def hold_key(settings: Settings) -> bytes:
    """The 32 octets that held mail is encrypted with, made on first use. Raises BadFiles."""
    try:
        return load_or_create_key(settings.key_file, state=settings.state)
    except KeyUnusable as unusable:
        what, _, write = str(unusable).partition(". ")
        problem = Problem(str(settings.key_file), 1, 1, what, write or "another path for the setting key_file")
        raise BadFiles([problem]) from unusable


def signer_of(settings: Settings) -> Signer:
    """The key that checkpoints are signed with, made on first use. Raises KeyUnusable."""
    return Signer(load_or_create_key(settings.signing_key_file, state=settings.state, environ=_unnamed()))


def _unnamed() -> dict[str, str]:
    """The environment without the variable that has the key of held mail: that is another key."""
    return {name: value for name, value in os.environ.items() if name != KEY_VARIABLE}


def places_of(settings: Settings, notices_address: str) -> Places:
    """Where checkpoints go beside the database; mail goes out under the notices' own address."""
    sender = settings.notices_from or settings.notices_address or notices_address
    return Places(settings.checkpoint_file, settings.checkpoint_syslog, settings.checkpoint_mail, sender)


def keep_of(settings: Settings) -> Keep:
    """How long what is kept."""
    return Keep(
        log=timedelta(seconds=settings.keep_log),
        mail=timedelta(seconds=settings.keep_mail),
        threads=timedelta(seconds=settings.keep_threads),
        followed=timedelta(seconds=settings.keep_followed),
        sent=timedelta(seconds=settings.keep_sent),
    )


def memory_key(key: bytes) -> bytes:
    """The secret behind the line hashes of thread memory: derived, so that one key file is enough."""
    return hmac.digest(key, b"referral-gateway thread memory", "sha256")


def postbox_of(settings: Settings) -> Postbox:
    """How notices and released mail go out: with the gateway's own account, never with a client's."""
    assert settings.upstream is not None
    credential = None
    if settings.upstream_user:
        credential = Credential(settings.upstream_user, settings.secret("upstream_password"))
    return Postbox(
        settings.upstream,
        credential,
        helo=settings.hostname.encode("idna"),
        timeouts=Timeouts.within(settings.upstream_timeout),
    )


def doors_of(settings: Settings, sockets: Sequence[PassedSocket] = ()) -> DoorsConfig:
    """All listening addresses. Sockets from the service manager replace the addresses of their kind.

    Raises BadFiles when a certificate is needed and missing or unreadable.
    """
    assert settings.upstream is not None
    context = _server_context(settings, sockets)
    if sockets:
        listeners = [_passed(each, settings, context) for each in sockets]
    else:
        listeners = [_listener(place, settings, context) for place in settings.listen]
        listeners += [_listener(place, settings, context, tap=True) for place in settings.tap]
    return DoorsConfig(
        listeners=tuple(listeners),
        upstream=settings.upstream,
        hostname=settings.hostname,
        limits=Limits(
            message_size=settings.size_limit,
            memory=settings.memory_limit,
            recipients=settings.max_recipients,
            connections=settings.max_connections,
            connections_per_address=settings.max_connections_per_peer,
        ),
        timers=Timers(command=settings.client_timeout, data_total=settings.data_timeout),
        listed=settings.listed_peers,
        spool=settings.state,
        normalise=settings.bare_line_ends == "normalise",
        timeouts=Timeouts.within(settings.upstream_timeout),
    )


def _listener(
    place: Endpoint, settings: Settings, context: ssl.SSLContext | None, *, tap: bool = False
) -> ListenerConfig:
    return ListenerConfig(
        kind="tap" if tap else "proxy-filter" if place.proxy_filter else "smtp",
        host=place.host,
        port=place.port,
        tls=place.tls,
        tls_context=context if place.tls != "none" else None,
        proxy_protocol=place.proxy_protocol,
        upstream=_tap_upstream(settings) if tap else None,
    )


def _passed(passed: PassedSocket, settings: Settings, context: ssl.SSLContext | None) -> ListenerConfig:
    """A socket's name says what it is for (FileDescriptorName=); with a wrong one its port might lack its TLS."""
    if passed.name not in _SOCKET_NAMES:
        what = f"a socket was handed over that is named {passed.name!r}, which says nothing about its kind"
        write = f"FileDescriptorName=, one of {', '.join(sorted(_SOCKET_NAMES))}"
        raise BadFiles([Problem("socket unit", 1, 1, what, write)])
    tap = passed.name == "tap"
    tls: Security = "implicit" if passed.name in _IMPLICIT else "none"
    if context is not None and passed.name == "smtp":
        tls = "starttls"
    return ListenerConfig(
        kind="tap" if tap else "proxy-filter" if passed.name == "proxy-filter" else "smtp",
        tls=tls,
        tls_context=context if tls != "none" else None,
        sock=passed.sock,
        upstream=_tap_upstream(settings) if tap else None,
    )


_IMPLICIT = frozenset({"submissions", "smtps"})
_SOCKET_NAMES = _IMPLICIT | {"smtp", "proxy-filter", "tap"}


def _tap_upstream(settings: Settings) -> Target | None:
    return settings.tap_upstream or settings.upstream


def _server_context(settings: Settings, sockets: Iterable[PassedSocket]) -> ssl.SSLContext | None:
    """The certificate for clients, or None where no listener needs one."""
    wanted = any(place.tls != "none" for place in (*settings.listen, *settings.tap))
    wanted = wanted or any(passed.name in _IMPLICIT for passed in sockets)
    if settings.tls_cert is None:
        if wanted:
            what = "a listener wants TLS, and there is no certificate"
            raise BadFiles([Problem("settings", 1, 1, what, "tls_cert (and tls_key): the paths of PEM files")])
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(settings.tls_cert, settings.tls_key)
    except (OSError, ssl.SSLError) as error:
        what = f"the certificate cannot be used: {error}"
        raise BadFiles([Problem(str(settings.tls_cert), 1, 1, what, "a PEM chain and its key")]) from error
    return context


def letters_of(
    settings: Settings, rules: Rules, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Correspondence:
    """The gateway's own writing, under its own address."""
    return Correspondence(
        rules,
        lambda: rules.templates,
        notices_address=settings.notices_address,
        notices_from=settings.notices_from,
        clock=clock,
    )
