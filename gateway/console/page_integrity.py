"""Whether the log can be shown not to have been changed: its chains and checkpoints."""

from __future__ import annotations

from starlette.responses import Response

from gateway.console.visit import Visit
from gateway.store.accounts import CONSOLE

SHOWN = 50
MOST_LINKS = 2_000_000
"""Links that are verified from a browser; a longer log is for `audit verify`."""


def integrity(visit: Visit) -> Response:
    """The state of the chains, as it stands in the database."""
    return _page(visit, None)


def verify(visit: Visit) -> Response:
    """Check every link and checkpoint now. That somebody did, and what came of it, is written down."""
    check = visit.parts.store.verified(visit.parts.signing(), most=MOST_LINKS)
    too_long = check.entries > MOST_LINKS
    visit.note(CONSOLE, "verified", f"{check.entries} entries, {len(check.findings)} findings")
    return _page(visit, {"links": check.entries, "findings": check.findings[:SHOWN], "too_long": too_long})


def _page(visit: Visit, checked: dict[str, object] | None) -> Response:
    store = visit.parts.store
    chains, points = store.chain_states(), store.checkpoints()
    return visit.page(
        "integrity.html",
        chains=chains[:SHOWN],
        links=sum(chain.seq for chain in chains),
        uncovered=sum(chain.seq - chain.covered for chain in chains),
        points=points[::-1][:SHOWN],
        count=len(points),
        key=visit.parts.signing(),
        checked=checked,
    )
