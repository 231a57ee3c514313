"""The cues: what a phrase of the lexicon can be a sign of. Lexicon files may use these names and no others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Scope = Literal["said", "asked"]
SCOPES: tuple[Scope, ...] = ("said", "asked")


@dataclass(frozen=True, slots=True)
class Cue:
    """`scopes`: whether it is looked for in what an agent said, in what a requester asked, or in both."""

    meaning: str
    scopes: tuple[Scope, ...] = ("said",)


_MEANINGS: dict[str, str] = {
    # saying no
    "refusal": "the sentence says no, cannot, will not, not possible, don't know, for the writer's side",
    "refusal_answer": "says no only as the answer to a request: no, not yet, unfortunately not",
    "good_news": "a no that is good news: no problem, nothing more to do, no charge",
    "assurance": "a promise that something bad will not happen: we won't turn it off",
    "conditional": "opens a condition: a no behind it in the same clause has not been said",
    "others_no": "the no of somebody else, or one that the requester uttered",
    "contrast": "but, however: what stands before does not soften what stands behind",
    "out_of_scope": "beyond the writer's scope, authority or knowledge",
    "dismissive": "not my problem, in whatever words",
    "rude": "mocks, insults or scolds whoever asked",
    # what makes a no bearable
    "reason": "a reason follows or precedes",
    "reason_beside": "a reason if it stands in the sentence that says no: as, with, so",
    "policy_only": "it is our policy, without more: no reason",
    "alternative": "another way, for the requester to go or offered by the writer",
    "escalation_offer": "the writer will ask, or pass it up or on",
    "eta_words": "a point in time in words: as soon as the part is here, by the time you are back",
    "promise": "the writer's side will do something, or it will be done",
    "commitment": "the writer's side does something for the reader, in words that need no second reading: we send it",
    "no_eta": "the time named in this sentence is not when the thing will be done: a party, a wish, their deadline",
    "past": "the sentence tells of the past",
    "dated": "what came is named by a day that follows: your request of",
    "see_attached": "the substance stands in an attachment",
    # the furniture of letters
    "pleasantry": "a kind word without content",
    "apology": "sorry, unfortunately",
    "pardon": "asks for pardon; a sentence that does tells no reason",
    "process": "what was done to get to the no (asked around, discussed), or a plea to accept it: no reason",
    "noncommittal": "an answer that leaves everything open: depends, maybe, works here",
    "offer_more": "anything else I can do for you?",
    # referring the matter
    "transfer": "the matter is handed on in so many words",
    "announce": "the writer says that somebody else has it or gets it",
    "delivery": "the reader gets something from the writer: I send it to you",
    "readers_own": "the reader's own mail or request is named: your email",
    "in_charge": "whoever is named here has the matter or decides it: counts beside a whole name",
    "task": "the reader is asked to do something, whatever it is",
    "directive": "the reader is asked to deal with it",
    "ask": "the reader is asked for advice, data or a decision",
    "ownership": "the writer keeps the matter or answers the requester",
    "errand": "a chore for the writer's own sake: my calendar, print this, send it round; the matter stays with them",
    "fyi": "for information only",
    "redirect": "the reader is told to go to somebody else",
    "no_route": "whoever is meant is called by nothing that could be found: the department responsible, somebody else",
    "directions": "a route without an address: a desk, a room, an extension",
    "leave_me_out": "do not copy me: whoever says it wants no mail",
    "keep_me_in": "do copy me, do not leave me out: the contrary of leave_me_out",
    "left_out": "she wants no copies: somebody else does not",
    "moved_to_bcc": "somebody is moved to Bcc, and that is said",
    "confidential": "this must not go further",
    # what the requester asked
    "request": "asks for something to be done, given or allowed",
    "open_question": "asks what no yes and no no answers: how, when, which",
    "status": "asks how far it is",
    "complete_answer": "a short answer that is whole: done, attached, sent",
    "yes_or_no": "a yes or a no that opens a clause, whatever is kind beside it: thank you Peter, and yes it is",
    "noted": "it is noted, and no more: no answer to an open question",
}

_SCOPES: dict[str, tuple[Scope, ...]] = {
    "request": ("asked",),
    "open_question": ("asked",),
    "status": ("asked",),
    "leave_me_out": ("said", "asked"),
    "left_out": ("said", "asked"),
    "keep_me_in": ("asked",),
    "confidential": ("said", "asked"),
}

CUES: dict[str, Cue] = {name: Cue(meaning, _SCOPES.get(name, ("said",))) for name, meaning in _MEANINGS.items()}

FEEDS: dict[str, tuple[str, ...]] = {
    "refusal": ("refusal", "refusal_answer"),
    "good_news_no": ("good_news",),
    "assurance": ("assurance",),
    "conditional": ("conditional",),
    "others_no": ("others_no",),
    "out_of_scope": ("out_of_scope",),
    "dismissive": ("dismissive", "rude"),
    "reason": ("reason", "reason_beside"),
    "eta": ("eta_words",),
    "alternative": ("alternative", "directions"),
    "escalation_offer": ("escalation_offer",),
    "handoff": ("transfer", "announce", "task", "directive"),
    "redirect": ("redirect",),
    "consult": ("ask",),
    "takes_ownership": ("ownership",),
    "no_route": ("no_route",),
    "fyi": ("fyi",),
    "pleasantries_only": ("pleasantry", "offer_more", "apology"),
    "unreadable": ("see_attached",),
    "leave_me_out": ("leave_me_out", "left_out"),
    "moved_to_bcc": ("moved_to_bcc",),
    "confidential": ("confidential",),
    "promise": ("promise",),
}
"""Fact -> the cues whose phrases it is read from: where a lexicon of one's own adds what is missed."""
