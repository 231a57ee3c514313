"""The checks of `doctor`: each looks at one thing, says what it found, and what to do about it."""

from __future__ import annotations

import asyncio
import os
import re
import ssl
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway.assembly import postbox_of
from gateway.checkup_decisions import check_decisions
from gateway.checkup_log import check_log
from gateway.checkup_parts import Check
from gateway.checkup_provider import check_provider
from gateway.config import Settings
from gateway.located import BadFiles
from gateway.policy.loader import load_policies
from gateway.policy.model import PolicySet
from gateway.resources import shipped
from gateway.site.model import Site
from gateway.smtp.gate import UpstreamLost
from gateway.smtp.replies import Reply
from gateway.smtp.target import Target, Timeouts
from gateway.smtp.upstream import Upstream, UpstreamUnavailable
from gateway.store.crypto import KEY_OCTETS, KeyUnusable, load_or_create_key
from gateway.store.errors import StoreAway
from gateway.store.store import Store
from gateway.template_files import Templates, load_templates

SECONDS = 10.0
"""The longest wait for one answer of a mail server."""

SOON = timedelta(days=14)
"""A certificate that ends within this time is worth a word."""

PROBE = "gateway-doctor"
"""The +tag under which the route of notices is tried; no mail is ever sent to it."""

AWAY = (UpstreamUnavailable, UpstreamLost, OSError, TimeoutError, ssl.SSLError)
"""What a talk with a mail server may end in."""


def check_all(settings: Settings, now: datetime) -> Iterator[Check]:
    """Every check, in the order in which things are needed. Never raises for what it looks at."""
    policies: PolicySet | None = None
    for check in _check_rules(settings):
        if isinstance(check, PolicySet):
            policies = check
        else:
            yield check
    yield _templates(settings, policies)
    yield from _key_and_store(settings)
    yield from check_decisions(settings, policies, now)
    yield from check_log(settings, now)
    yield _spool(settings)
    yield from _certificate(settings, now)
    yield from _upstream(settings, "upstream", settings.upstream)
    if settings.tap_upstream is not None:
        yield from _upstream(settings, "tap upstream", settings.tap_upstream)
    yield from _notices_route(settings, policies)
    yield from check_provider(settings)


def _check_rules(settings: Settings) -> Iterator[Check | PolicySet]:
    if settings.site is None:
        found = "no site file is named, so serve judges nothing and passes everything"
        mend = (
            'referral-gateway site new FILE --domain example.org, your agents in it, then --site FILE or site = "FILE"'
        )
        yield Check("site", "warn", found, mend)
    try:
        policies = load_policies(
            settings.policies or shipped("policies"),
            settings.site,
            shipped=shipped("policies"),
            templates=settings.templates,
        )
    except BadFiles as bad:
        found = f"{len(bad.problems)} problems, the first: {bad.problems[0]}"
        yield Check("policies", "bad", found, "referral-gateway policy check shows all of them")
        return
    yield policies
    if settings.site is not None:
        yield Check("site", "ok", f"{policies.site.name}: {len(policies.site.agents)} agent addresses")
    enforced = sum(policy.mode == "enforce" for policy in policies.policies)
    observed = "; observe is on, so nothing is stopped" if settings.observe else ""
    yield Check("policies", "ok", f"{len(policies.policies)}, {enforced} of them enforced, examples right{observed}")


def _templates(settings: Settings, policies: PolicySet | None) -> Check:
    folders = [shipped("templates"), *([settings.templates] if settings.templates else [])]
    try:
        templates = load_templates(*folders)
    except BadFiles as bad:
        found = f"{len(bad.problems)} problems, the first: {bad.problems[0]}"
        return Check("templates", "bad", found, "referral-gateway policy check shows all of them")
    there = ", ".join(sorted({lang for lang, _ in templates.files}))
    found = f"{len(templates.names)} in {there}"
    missing = languages_without_notices(policies.site, templates) if policies else ()
    if missing:
        what = f"{found}; none in {', '.join(missing)}, so those notices are in English"
        return Check("templates", "warn", what, f"lang: one of {there}; or templates of your own in DIR/{missing[0]}")
    return Check("templates", "ok", found)


def languages_without_notices(site: Site, templates: Templates) -> tuple[str, ...]:
    """The languages that the site file asks for and no template has; their notices are in English."""
    entries = (*site.agents.values(), *(entry for _, entry in site.agent_patterns))
    asked = {site.lang, *(team.lang for team in site.teams.values()), *(entry.lang for entry in entries)} - {""}
    return tuple(sorted(lang for lang in asked if not templates.has("notices/hold", lang)))


def _key_and_store(settings: Settings) -> Iterator[Check]:
    path = settings.key_file
    if not settings.hold_key and not path.exists():
        yield Check(
            "key", "warn", f"{path} is not there yet", "nothing: the first start of serve makes it; then back it up"
        )
        yield Check("store", "warn", "not looked at without the key", "")
        return
    try:
        key = load_or_create_key(path, state=settings.state)
    except KeyUnusable as unusable:
        found, _, said = str(unusable).partition(". ")
        mend = said.removeprefix("Run: ") or f"a file of {KEY_OCTETS} octets that only the gateway's user can read"
        yield Check("key", "bad", found, mend)
        return
    yield Check("key", "ok", "from the environment" if settings.hold_key else str(path))
    if not settings.database and not (settings.state / "gateway.db").exists():
        yield Check(
            "store", "warn", f"no database in {settings.state} yet", "nothing: the first start of serve makes it"
        )
        return
    yield _store(settings, key)


def _store(settings: Settings, key: bytes) -> Check:
    try:
        store = Store.open(settings.database_url, key, password=settings.secret("database_password"), create=False)
        try:
            if not store.is_current():
                return Check("store", "bad", "the database is of another version", "referral-gateway db upgrade")
            waiting = len(asyncio.run(store.held_list("held", "", 10_000)))
            doubtful = len(asyncio.run(store.held_list("in-doubt", "", 10_000)))
        finally:
            store.close_now()
    except (StoreAway, BadFiles) as away:
        return Check("store", "bad", str(away), "see that the database runs and that this user may use it: database")
    if doubtful:
        return Check(
            "store",
            "warn",
            f"{doubtful} mails in doubt, {waiting} held",
            "referral-gateway held list --state-is in-doubt",
        )
    return Check("store", "ok", f"{settings.database or settings.state / 'gateway.db'}, current; {waiting} mails held")


def _spool(settings: Settings) -> Check:
    folder = settings.state
    if not folder.exists():
        parent = next(each for each in folder.absolute().parents if each.exists())
        if os.access(parent, os.W_OK):
            return Check(
                "state folder", "warn", f"{folder} is not there yet", "nothing: the first start of serve makes it"
            )
        return Check(
            "state folder", "bad", f"{folder} cannot be made in {parent}", "another folder for the setting state"
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        return Check("state folder", "bad", f"{folder} cannot be written", f"chown it to the gateway's user: {folder}")
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & 0o077:
        return Check("state folder", "warn", f"{folder} is open to others ({mode:04o})", f"chmod 700 {folder}")
    free = os.statvfs(folder)
    octets = free.f_bavail * free.f_frsize
    if octets < 2 * settings.size_limit:
        return Check(
            "state folder", "warn", f"only {octets // 1024**2:,} MiB free", "room for a few of the largest mails"
        )
    return Check("state folder", "ok", f"{folder}, {octets // 1024**2:,} MiB free")


def _certificate(settings: Settings, now: datetime) -> Iterator[Check]:
    path = settings.tls_cert
    if path is None:
        open_doors = [place for place in settings.listen if not _is_local(place.host)]
        if open_doors:
            mend = "tls_cert and tls_key, and ,starttls or ,tls behind the address"
            yield Check("certificate", "warn", f"{open_doors[0]} is open to the network without TLS", mend)
        return
    try:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(path, settings.tls_key)
        ends = _end_of(path)
    except (OSError, ssl.SSLError, ValueError) as error:
        yield Check(
            "certificate", "bad", f"{path}: {error}", "a PEM file with the chain, and its key: tls_cert, tls_key"
        )
        return
    if ends <= now:
        yield Check("certificate", "bad", f"{path} ended on {ends:%d %B %Y}", "a new certificate")
    elif ends - now < SOON:
        yield Check("certificate", "warn", f"{path} ends on {ends:%d %B %Y}", "a new certificate, soon")
    else:
        yield Check("certificate", "ok", f"{path}, good until {ends:%d %B %Y}")


def _end_of(path: Path) -> datetime:
    from cryptography import x509

    return x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc.astimezone(UTC)


def _upstream(settings: Settings, name: str, target: Target | None) -> Iterator[Check]:
    if target is None:
        mend = f'--{name} HOST:PORT, or {name} = "HOST:PORT": the mail server behind the gateway'
        yield Check(name, "bad", "it is not set", mend)
        return
    try:
        said, offers, tls = asyncio.run(asyncio.wait_for(_hello(target, settings.hostname), 3 * SECONDS))
    except AWAY as error:
        why = _said(error).removeprefix(f"{target}: ")
        yield Check(
            name, "bad", f"{target}: {why}", "see that it runs, that the port is right, and that no firewall is between"
        )
        return
    if not said.positive:
        yield Check(name, "bad", f"{target} answers EHLO with {said.code} {said.text}", "let this machine talk to it")
        return
    words = ", ".join(sorted(filter(None, offers))) or "nothing beyond SMTP"
    if not tls and not target.is_loopback:
        yield Check(name, "warn", f"{target} is spoken to in the clear; it offers {words}", f"{target},starttls")
    else:
        yield Check(name, "ok", f"{target} offers {words}")
    if name == "upstream" and settings.upstream_user:
        yield _account(settings)


def _account(settings: Settings) -> Check:
    try:
        tried = asyncio.run(asyncio.wait_for(postbox_of(settings).check(), 3 * SECONDS))
    except (*AWAY, BadFiles) as error:
        return Check("account", "bad", _said(error), "upstream_user and upstream_password_file")
    if not tried.final.positive:
        found = f"{settings.upstream_user}: {tried.final.code} {tried.final.text}"
        return Check("account", "bad", found, "upstream_user and upstream_password_file, and TLS to the mail server")
    return Check("account", "ok", f"{settings.upstream_user} may send")


def _said(error: Exception) -> str:
    """What went wrong, without numbers and calls of the operating system."""
    text = re.sub(r"\[Errno -?\d+\] (?:Connect call failed [^)]*\))?", "", str(error)).strip()
    if isinstance(error, ConnectionRefusedError) or "Errno 111]" in str(error):
        return f"{text} nothing listens there".strip()
    return text or "no answer in time"


async def _hello(target: Target, hostname: str) -> tuple[Reply, frozenset[str], bool]:
    upstream = await Upstream.connect(target, timeouts=Timeouts.within(SECONDS), helo=hostname.encode("idna"))
    try:
        said = await upstream.ehlo(hostname.encode("idna"))
        return said, frozenset(upstream.offers), bool(upstream.tls)
    finally:
        await upstream.quit()


def _notices_route(settings: Settings, policies: PolicySet | None) -> Iterator[Check]:
    """Answers must come back: the mail server behind has to take the notices address (it routes it to the gateway)."""
    address = settings.notices_address or (policies.site.notices_address if policies else "")
    if not address:
        stops = bool(policies) and settings.site is not None and not settings.observe
        found = "no address for notices" + (", so nobody can answer for a mail that waits" if stops else "")
        mend = "gateway: {notices: gateway@DOMAIN} in the site file; your mail server routes DOMAIN to the gateway"
        yield Check("notices", "bad" if stops else "warn", found, mend)
        return
    if settings.upstream is None:
        return
    local, _, domain = address.rpartition("@")
    probe = f"{local}+{PROBE}@{domain}"
    try:
        said = asyncio.run(asyncio.wait_for(_probe(settings.upstream, settings.hostname, address, probe), 3 * SECONDS))
    except (UpstreamUnavailable, OSError, TimeoutError, ssl.SSLError):
        yield Check(
            "notices", "warn", f"the route of {probe} cannot be tried without the upstream", "mend the upstream first"
        )
        return
    except UpstreamLost as lost:
        found = f"the mail server behind broke off when asked about {probe}: {_said(lost)}"
        yield Check("notices", "warn", found, "look into the log of the mail server")
        return
    if said.positive:
        yield Check("notices", "ok", f"{probe} is taken by the mail server behind")
    else:
        found = f"the mail server behind refuses {probe}: {said.code} {said.text}"
        yield Check("notices", "warn", found, f"route {domain} to the gateway on your mail server, +tags included")


async def _probe(target: Target, hostname: str, sender: str, recipient: str) -> Reply:
    """MAIL and RCPT, then RSET: nothing is sent."""
    upstream = await Upstream.connect(target, timeouts=Timeouts.within(SECONDS), helo=hostname.encode("idna"))
    try:
        await upstream.ehlo(hostname.encode("idna"))
        said = await upstream.command(b"MAIL FROM:<" + sender.encode() + b">")
        if said.positive:
            said = await upstream.command(b"RCPT TO:<" + recipient.encode() + b">")
        await upstream.command(b"RSET")
        return said
    finally:
        await upstream.quit()


def _is_local(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")
