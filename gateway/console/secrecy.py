"""Confidential mail: read by admins only, and by those who are on it anyway. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.circle import is_confidential
from gateway.site.model import Site
from gateway.store.accounts import Account
from gateway.store.looking import Line
from gateway.store.records import AuditEntry, Hold


def is_secret(site: Site, marked: bool, people: Iterable[str]) -> bool:
    """Whether a mail is confidential: it says so, or somebody is on it whom the site file lists as confidential."""
    return marked or any(site.is_confidential(address) for address in people if address)


def may_read(account: Account, site: Site, marked: bool, people: Iterable[str]) -> bool:
    """Whether somebody may read a mail's words and its subject."""
    people = tuple(people)
    if account.role == "admin" or not is_secret(site, marked, people):
        return True
    return bool(account.address) and site.is_among(account.address, people)


def may_read_line(account: Account, site: Site, line: Line) -> bool:
    return may_read(account, site, line.confidential, (line.agent, line.requester, *line.rcpt_to))


def may_read_entry(account: Account, site: Site, entry: AuditEntry, hold: Hold | None) -> bool:
    marked = is_confidential(entry, hold)
    return may_read(account, site, marked, (entry.agent, entry.mail_from, entry.requester, *entry.rcpt_to))
