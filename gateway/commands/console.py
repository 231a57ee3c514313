"""`console`: the auditors' pages, beside a running gateway or on a machine of their own."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import platform
import signal
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import typer

from gateway.commands.options import STORE, with_settings
from gateway.commands.shown import console as out
from gateway.commands.shown import user_error
from gateway.config import Settings

if TYPE_CHECKING:
    from gateway.console.parts import Parts
    from gateway.console.provider import Provider
    from gateway.correspondence import Correspondence
    from gateway.rules import Rules
    from gateway.settling import Settling
    from gateway.store.store import Store

OWN = (
    "console_listen", "console_url", "console_proxies", "console_idle", "console_session", "console_oidc_issuer",
    "console_oidc_name", "console_oidc_client", "console_oidc_secret_file", "console_oidc_claim",
)  # fmt: skip
RULES = ("site", "policies", "templates", "notices_address", "notices_from", "observe", "tls_cert", "tls_key")

WATCH_SECONDS = 30
"""How often it is looked whether files were changed, or anything was erased."""


@with_settings(*STORE, *OWN, *RULES, "log_level", "log_format")
def console(settings: Settings) -> None:
    """Serve the auditors' pages until it is told to stop."""
    from gateway.commands.opened import open_store
    from gateway.commands.serve import event_loop, set_up_log

    if any(place.tls == "implicit" for place in settings.console_listen) and settings.tls_cert is None:
        user_error("console_listen wants TLS, and there is no certificate", "tls_cert (and tls_key), or no ,tls")
    with open_store(settings, f"console on {platform.node()}") as store:
        set_up_log(settings)
        if not store.accounts():
            out().print("There are no accounts yet: referral-gateway user add NAME --role admin")
        with asyncio.Runner(loop_factory=event_loop) as runner:
            try:
                runner.run(_serve(settings, store))
            except OSError as error:
                user_error(f"cannot listen: {error.strerror or error}", "another address for console_listen")
    raise typer.Exit(0)


async def _serve(settings: Settings, store: Store) -> None:
    from gateway.assembly import hold_key, letters_of, memory_key
    from gateway.console.app import console as application
    from gateway.console.server import Console
    from gateway.judging_again import judge_again
    from gateway.mail.envelope import Envelope
    from gateway.policy.decision import Decision
    from gateway.readers.pool import Readers
    from gateway.readers.work import Setup
    from gateway.rules import Rules
    from gateway.service import files_of
    from gateway.settling import Settling

    rules = Rules(lambda: files_of(settings), judging=settings.site is not None, key=memory_key(hold_key(settings)))
    letters = letters_of(settings, rules)
    settling = Settling(rules, store, letters)
    readers = Readers(1, lambda current: Setup(current, rules.key, rules.judging, settings.observe))

    async def judge(raw: bytes, envelope: Envelope, agent: str) -> Decision:
        return await judge_again(raw, envelope, agent, rules.current, store, readers, datetime.now(UTC))

    settling.judge = judge
    parts = parts_of(settings, store, rules, settling, letters)
    served = Console(application(parts), settings.console_listen, settings.tls_cert, settings.tls_key)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await served.open()
    store.learn_beside()
    for address in addresses(settings, served.ports):
        out().print(f"The console is at {address}")
    watches = [asyncio.create_task(_follow_files(rules)), asyncio.create_task(_follow_erasures(store))]
    try:
        await stop.wait()
    finally:
        for watch in watches:
            watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watch
        await served.close()
        await readers.close()


def parts_of(settings: Settings, store: Store, rules: Rules, settling: Settling, letters: Correspondence) -> Parts:
    """What the pages work with, from settings."""
    from gateway.console.parts import Parts
    from gateway.console.place import Place

    listening = [place.host for place in settings.console_listen]
    tls = any(place.tls == "implicit" for place in settings.console_listen)
    place = Place.of(settings.console_url, listening, settings.console_proxies, tls=tls)
    return Parts(
        store, rules, settling, letters, place, timedelta(seconds=settings.console_idle),
        timedelta(seconds=settings.console_session), functools.partial(_signing, settings), _provider(settings),
    )  # fmt: skip


def _provider(settings: Settings) -> Provider | None:
    """The provider of OpenID Connect, if there is one. Exits 2 where the library for it is not installed."""
    if not settings.console_oidc_issuer:
        return None
    try:
        from gateway.console.provider import Provider
    except ModuleNotFoundError as error:
        user_error(
            f"console_oidc_issuer needs a library that is not installed ({error.name})",
            "pip install 'referral-gateway[oidc]', or no console_oidc_issuer",
        )
    issuer = settings.console_oidc_issuer
    return Provider(
        issuer, settings.console_oidc_client, settings.secret("console_oidc_secret"),
        f"{settings.console_url}/log-in/oidc/back", settings.console_oidc_claim or "email",
        settings.console_oidc_name or urlsplit(issuer).hostname or issuer,
    )  # fmt: skip


def addresses(settings: Settings, ports: list[int]) -> list[str]:
    """Where browsers find it."""
    if settings.console_url:
        return [f"{settings.console_url}/"]
    found = []
    for place, port in zip(settings.console_listen, ports, strict=True):
        host = f"[{place.host}]" if ":" in place.host else place.host
        found.append(f"{'https' if place.tls == 'implicit' else 'http'}://{host}:{port}/")
    return found


def _signing(settings: Settings) -> str:
    """The public half of the key of checkpoints; "" where there is none yet: looking makes none."""
    from gateway.chain.checkpoints import Signer
    from gateway.store.crypto import KeyUnusable, load_key

    path = settings.signing_key_file
    try:
        return Signer(load_key(path, state=settings.state, environ={})).public if path.exists() else ""
    except KeyUnusable:
        return ""


async def _follow_erasures(store: Store) -> None:
    """Let go of subjects in memory that were erased, though nobody searches."""
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        await asyncio.to_thread(store.watch_subjects)


async def _follow_files(rules: Rules) -> None:
    """Take changed policies, site and templates as the gateway does; broken ones keep the old set."""
    import structlog

    from gateway.located import BadFiles

    while True:
        await asyncio.sleep(WATCH_SECONDS)
        try:
            await asyncio.to_thread(rules.reload)
        except BadFiles as bad:
            structlog.get_logger("gateway.console").error(
                "the files are broken; the old ones stay", why=bad.show()[:500]
            )
