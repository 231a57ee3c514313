"""The names of all facts: what policies may speak of. `FACTS` gives their possible values, `MEANINGS` what they say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_FACTS: dict[str, tuple[str, tuple[str, ...]]] = {
    # saying no
    "refusal": ("the new text tells somebody no, cannot, will not, not possible, not done yet, don't know", ()),
    "good_news_no": ("a no that is good news (no problem, nothing more to do); it never makes a refusal", ()),
    "assurance": ("a promise that something bad will not happen; it never makes a refusal", ()),
    "conditional": ("a no that stands under an if; it never makes a refusal", ()),
    "others_no": ("somebody else's no is told of; it never makes a refusal", ()),
    "out_of_scope": ("beyond the agent's scope or authority", ()),
    "dismissive": (
        "brush-off: not my problem, job or department, in whatever words; rude: mocked, insulted or scolded",
        ("brush-off", "rude"),
    ),
    # what goes with it
    "reason": (
        "why something is refused; stated: with a word like because, adjacent: told right beside the no",
        ("stated", "adjacent"),
    ),
    "eta": ("when it will be done: an ISO date, or in words", ()),
    "alternative": ("another way than what is refused, to go or offered", ()),
    "helps": ("the answer also helps: another way, a route, an offer or a date", ()),
    "escalation_offer": ("the agent offers to ask, raise or pass it on", ()),
    "clarifying_question": ("a question that moves the matter on", ()),
    # passing it on
    "referral": ("how the matter is passed on", ("hand-off", "redirect", "consult", "delegation")),
    "handoff": ("somebody else is asked to deal with the matter", ()),
    "redirect": ("the requester is told to go elsewhere", ()),
    "consult": ("somebody is asked for advice or data; the agent keeps the matter", ()),
    "takes_ownership": ("the agent keeps the matter, or will answer the requester", ()),
    "target": ("who gets it: an address, a name or a way", ()),
    "no_route": ("the requester is sent to whom nothing in the mail would find: the department responsible", ()),
    "target_copied": ("the one it is passed to gets this mail", ()),
    "empty_forward": ("a forward to another team without a word", ()),
    "fyi": ("for information only", ()),
    "own_note": ("only the team's own mailbox gets it", ()),
    "asked_many": ("what it answers or passes on was sent to more than eight people: it asks nobody in particular", ()),
    "only_team": ("only agents get it", ()),
    # the answer as a whole
    "pleasantries_only": ("kind words, no content", ()),
    "terse": ("one to four words, or none, in answer to a question, and no whole answer", ()),
    "questions": ("how many questions the requester asked in what is answered", ()),
    "unanswered": ("how many of several questions nothing in the answer seems to answer", ()),
    # etiquette and secrecy
    "leave_me_out": ("the requester asked not to be copied", ()),
    "moved_to_bcc": ("the move of somebody to Bcc is said", ()),
    "confidential": ("the text or a header asks for confidence", ()),
    "confidential_recipient": ("HR, legal, security or the like gets it", ()),
    "signed": ("cryptographically signed", ()),
    "encrypted": ("encrypted", ()),
    "unreadable": ("something could not be read: why", ()),
    # who gets it
    "to_requester": ("the requester is visibly in To or Cc", ()),
    "requester_absent": ("the requester gets nothing", ()),
    "requester_bcc_only": ("the requester is only in the envelope", ()),
    "executive": ("the requester is an executive of the site file", ()),
    "promise": ("the writer's side will do something by a day or hour that is named; the value is the day", ()),
    "first_answer": ("nobody of the team had answered the requester in this thread before", ()),
}

FACTS: Mapping[str, Sequence[str]] = {name: values for name, (_, values) in _FACTS.items()}
MEANINGS: Mapping[str, str] = {name: meaning for name, (meaning, _) in _FACTS.items()}
