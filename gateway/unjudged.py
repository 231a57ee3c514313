"""What becomes of a mail that could not be judged, because the gateway has a fault. Pure."""

from __future__ import annotations

from gateway.mail.message import Headers
from gateway.policy.decision import Decision
from gateway.policy.grounds import thread_name
from gateway.policy.model import PolicySet
from gateway.readers.work import Task
from gateway.reading.reader import Context, who_sends


def after_fault(why: str, headers: Headers, task: Task, rules: PolicySet, *, judging: bool) -> Decision | None:
    """Passed or held as the policies say that may apply to this mail; None means 451.

    Header and envelope still tell who sends it: to mail of nobody's agent no policy applies. Where even that cannot be
    told, every policy may.
    """
    nobody = Decision("pass", reason=f"{why}; no policy applies to its sender", policy_version=rules.version)
    if not judging:
        return nobody
    context = Context(site=rules.site, lexicon=rules.lexicon, now=task.now, auth_identity=task.auth_identity)
    try:
        agent = who_sends(headers, task.envelope, context)
    except Exception:
        team = None
    else:
        if agent is None:
            return nobody
        team = agent.team
    mail = thread_name(headers, task.envelope.mail_from.address, rules.site)
    return rules.decision_after_fault(why, team=team, mail=mail, now=task.now)
