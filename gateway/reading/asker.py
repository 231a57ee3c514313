"""Who can be the one that asked: neither agent nor program nor the gateway itself, by address or by name."""

from __future__ import annotations

import re

from gateway.mail.address import Mailbox
from gateway.reading.facts import Agent
from gateway.reading.people import name_words
from gateway.site.model import Site


def asks(box: Mailbox, site: Site, agent: Agent) -> bool:
    """Whether this can be the one who asked: known by address or name, and neither agent nor program nor gateway."""
    if not box.address:
        return bool(box.name) and not named_agent(box.name, site, agent) and not is_agents_name(box.name, site, agent)
    if site.is_ticket_system(box.address) or site.is_own(box.address):
        return False
    if site.everybody and not site.is_listed_agent(box.address):
        return not site.same_person(box.address, agent.mailbox.address) and not is_agents_name(box.name, site, agent)
    return site.agent(box.address) is None and not (
        box.name and "@" not in box.address and named_agent(box.name, site, agent)
    )


def passes_on_to(box: Mailbox, site: Site) -> bool:
    """Departments and vendors are mostly those to whom matters are passed, not those who ask."""
    return bool(box.address) and site.department_of(box.address) is not None


def named_agent(name: str, site: Site, agent: Agent) -> bool:
    """A quoted author known by name only: one of us, if an agent of the site file has that name."""
    return same_name(name, agent.mailbox.name) or any(same_name(name, entry.name) for entry in site.agents.values())


def same_name(one: str, other: str) -> bool:
    first, second = (sorted(re.findall(r"[^\W\d_]+", name.lower())) for name in (one, other))
    return bool(first) and first == second


def is_called(box: Mailbox, name: str) -> bool:
    """Whether a mailbox is that of somebody of this name, by its display name or by an address such as first.last@."""
    words = {word for word in re.findall(r"[^\W\d_]+", name.lower()) if len(word) > 1}
    local = {word for word in re.findall(r"[^\W\d_]+", box.address.lower().partition("@")[0]) if len(word) > 1}
    return same_name(box.name, name) or (len(local) > 1 and local <= words)


def is_agents_name(name: str, site: Site, agent: Agent) -> bool:
    """Whether a name is the sender's own, also as "Last, First", or as the address spells it."""
    words = {word for word in re.findall(r"[^\W\d_]+", name.lower()) if len(word) > 1}
    own = name_words([agent.mailbox], site)
    local = agent.mailbox.address.lower().partition("@")[0]
    initialled = any(local == first[0] + last for first in words for last in words if first != last)  # "bcherry@"
    return len(words) > 1 and (words <= own or (len(own) > 1 and own <= words) or initialled)
