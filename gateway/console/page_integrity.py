"""Whether the log can be shown not to have been changed: its chains and checkpoints."""

from __future__ import annotations

from starlette.responses import Response

from gateway.chain.verifier import Check
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
    check = Check()
    # Taken before the links are: what comes meanwhile is newer than any checkpoint, and that is no finding.
    keys = [bytes.fromhex(visit.parts.signing)] if visit.parts.signing else []
    points = visit.parts.store.checkpoints()
    if points and keys:
        check.checkpoints(iter(points), keys)
    links = 0
    for links, line in enumerate(visit.parts.store.proof(), 1):
        if links > MOST_LINKS:
            break
        if line["kind"] == "instance":
            check.instance = check.instance or line["instance"]
        else:
            check.link(line)
    if links <= MOST_LINKS:
        check.end()
    findings = list(check.findings)
    visit.note(CONSOLE, "verified", f"{links} links, {len(findings)} findings")
    return _page(visit, {"links": min(links, MOST_LINKS), "findings": findings[:SHOWN], "too_long": links > MOST_LINKS})


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
        key=visit.parts.signing,
        checked=checked,
    )
