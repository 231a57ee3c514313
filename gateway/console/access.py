"""Who may do what: one table of every route and verb. What is not in it is allowed to nobody. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.store.accounts import ALL_TEAMS, Account, Role

EVERY: frozenset[Role] = frozenset({"auditor", "reviewer", "admin"})
READERS: frozenset[Role] = frozenset({"auditor", "admin"})
"""Who sees the whole log, and takes parts of it away."""
SETTLERS: frozenset[Role] = frozenset({"reviewer", "admin"})
ADMINS: frozenset[Role] = frozenset({"admin"})

OPEN: frozenset[tuple[str, str]] = frozenset(
    {
        ("/log-in", "GET"), ("/log-in", "POST"), ("/log-in/oidc", "GET"), ("/log-in/oidc/back", "GET"),
        ("/language", "POST"), ("/static/{name}", "GET"), ("/healthz", "GET"),
    }
)  # fmt: skip
"""What needs no account."""

ACCESS: Mapping[tuple[str, str], frozenset[Role]] = {
    ("/", "GET"): EVERY,
    ("/log", "GET"): EVERY,
    ("/log/export", "POST"): READERS,
    ("/mail/{id}", "GET"): EVERY,
    ("/mail/{id}/html", "GET"): EVERY,
    ("/held", "GET"): EVERY,
    ("/held/{id}/claim", "POST"): SETTLERS,
    ("/held/{id}/settle", "POST"): SETTLERS,
    ("/follow", "GET"): EVERY,
    ("/follow/{id}/close", "POST"): SETTLERS,
    ("/policies", "GET"): EVERY,
    ("/policies/version/{version}", "GET"): EVERY,
    ("/policies/replay", "GET"): READERS,
    ("/integrity", "GET"): READERS,
    ("/integrity/verify", "POST"): READERS,
    ("/accounts", "GET"): ADMINS,
    ("/accounts", "POST"): ADMINS,
    ("/accounts/{name}", "POST"): ADMINS,
    ("/me", "GET"): EVERY,
    ("/me/password", "POST"): EVERY,
    ("/me/code", "POST"): EVERY,
    ("/log-out", "POST"): EVERY,
}
"""Route and verb -> roles. HEAD goes with GET."""


def allowed(route: str, verb: str, role: Role | None) -> bool:
    """Whether somebody of this role (None: nobody is logged in) may do this."""
    verb = "GET" if verb == "HEAD" else verb
    if (route, verb) in OPEN:
        return True
    return role is not None and role in ACCESS.get((route, verb), frozenset())


def teams_seen(account: Account) -> tuple[str, ...] | None:
    """The teams whose mail somebody sees; None for all. Reviewers see what they could settle."""
    if account.role != "reviewer" or ALL_TEAMS in account.teams:
        return None
    return account.teams


def sees_team(account: Account, team: str) -> bool:
    """Whether mail of a team is shown to somebody."""
    teams = teams_seen(account)
    return teams is None or team in teams


def settles_team(account: Account, team: str) -> bool:
    """Whether somebody may settle held mail of a team."""
    return account.role in SETTLERS and sees_team(account, team)
