"""The variables that templates may use: the contract between the gateway and the people who write templates."""

from __future__ import annotations

from collections.abc import Mapping

VOCABULARY: Mapping[str, str] = {
    "agent_name": "how the sender of the mail is spoken to: the name, else the address",
    "agent_address": "the sender's address",
    "team": "the sender's team",
    "subject": "the subject of the mail",
    "recipients": "list: to whom the mail visibly goes (To and Cc; nobody from Bcc)",
    "requester_name": "the person who asked for help: the name, else the address",
    "requester_address": "that person's address",
    "requester_hidden": "true when that person stands in Bcc only",
    "target_name": "to whom the matter is passed on: the name, else the address",
    "target_address": "that person's or team's address",
    "question": "the requester's own words, shortened",
    "reasons": "list of what was found, each with .policy, .text, .words (list) and .would_pass",
    "why": "what the policy file says",
    "words": "list: the exact words in question",
    "would_pass_with": "what the policy would have let pass, as the policy file says it",
    "draft": "a version of the mail that all policies let pass",
    "can_fix": "true when FIX is offered",
    "adds": "list: whom FIX adds in Cc, or whom the gateway has added",
    "why_no_fix": "why FIX is not offered",
    "fix_link": "mailto: link that answers FIX",
    "send_link": "mailto: link that answers SEND",
    "discard_link": "mailto: link that answers DISCARD",
    "deadline": "when an answer is hoped for, in the reader's time",
    "next_time": "whom to ask next time",
    "supervisor_name": "the sender's supervisor",
    "held_id": "the gateway's id of the mail",
    "by": "who has settled the mail",
    "detail": "what the mail server behind said",
    "problem": "why an answer could not be used: nothing, several, negated, no-reason or more",
}
