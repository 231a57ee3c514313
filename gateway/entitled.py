"""Who may settle a held mail. Pure.

An answer has two names: From, and the login at the mail server where the gateway sees it (AUTH). Each must be entitled.
Without AUTH (behind another mail server, or from a client that need not log in) From and the single-use token decide.
"""

from __future__ import annotations

from gateway.site.model import Site
from gateway.store.records import Hold


def entitled(hold: Hold, author: str, login: str | None, site: Site) -> bool:
    """Whether an answer from `author` counts that was sent under the AUTH identity `login` (None or "": not seen)."""
    if not _may_settle(hold, author, site):
        return False
    if not login:
        return True
    who = site.login(login)
    if not who:  # a bare account name; a site that lists its logins means that nobody else answers
        return not site.logins
    return _may_settle(hold, who, site) or (site.is_team_mailbox(author) and _one_team(who, author, site))


def _may_settle(hold: Hold, address: str, site: Site) -> bool:
    """The agent, their delegates and supervisor, as the site file has them now: whoever is asked can answer, and who
    stands there no more cannot. Those of the time, for a sender whom it does not know any more. The team's mailbox for
    an agent who is away, and every member of the team for its mailbox. The admins, since in the end they are the ones
    who are asked."""
    agent = hold.new.agent
    may_settle = site.may_settle(agent) or hold.new.may_settle
    if site.is_among(address, (agent, *may_settle, *(admin.address for admin in site.admins))):
        return True
    return (site.is_team_mailbox(agent) or site.is_team_mailbox(address)) and _one_team(address, agent, site)


def _one_team(one: str, other: str, site: Site) -> bool:
    first, second = site.agent(one), site.agent(other)
    return first is not None and second is not None and first.team == second.team
