"""A held mail's life, step by step, on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.store.errors import Ambiguous, ClaimLost, StoreRefused
from gateway.store.records import HOLD_LIFE, Claim
from gateway.store.store import Store


async def claimed(store: Store, rows, action="fix", owner="me") -> Claim:
    await store.hold(rows.hold(), rows.entry(), [])
    assert await store.approve("m1", action, "bob@acme.example", "why", None, rows.now)
    claim = await store.claim_next(owner, 600, rows.now)
    assert claim is not None
    return claim


async def test_a_hold_comes_back_as_it_was_given(store, rows):
    new = rows.hold(raw=b"\x00\xff octets \r\n.\r\n" * 1000)
    await store.hold(new, rows.entry(), [rows.notice()])
    hold = await store.held("m1")
    assert hold.raw == new.raw
    for field in ("id", "at", "agent", "sha256", "mail_from", "rcpt_to", "fix", "token_hash", "may_settle", "deadline"):
        assert getattr(hold.new, field) == getattr(new, field)
    assert (hold.new.lang, hold.new.body_type) == (new.lang, new.body_type)
    assert (hold.state, hold.subject, hold.action, hold.tries) == ("held", "Re: [ACME-7] access", None, 0)
    assert hold.new.at.utcoffset() == timedelta(0)
    row = store.audit_show("m1")
    assert row.outcome == "held"
    assert [event[1] for event in row.history] == ["held"]
    assert [mail.id for mail in await store.outbox_due(rows.now, 10, "me", 60)] == ["n1"]


async def test_hold_audit_and_notice_are_written_together_or_not_at_all(store, rows):
    await store.enqueue([rows.notice("taken")])
    with pytest.raises(StoreRefused):
        await store.hold(rows.hold(), rows.entry(), [rows.notice("n1"), rows.notice("taken")])
    assert await store.held("m1") is None
    assert store.audit_show("m1") is None
    assert store.outbox_count() == {"waiting": 1}


async def test_a_hold_is_found_by_a_unique_prefix(store, rows):
    for id in ("abc1", "abd2"):
        await store.hold(rows.hold(id), rows.entry(id), [])
    assert (await store.held("abc")).new.id == "abc1"
    assert await store.held("xyz") is None
    assert await store.held("") is None
    assert await store.held("ab%") is None
    assert await store.held("abc1\x00") is None
    with pytest.raises(Ambiguous) as told:
        await store.held("ab")
    assert told.value.ids == ("abc1", "abd2")


async def test_an_id_that_is_also_a_prefix_is_found(store, rows):
    for id in ("a", "ab"):
        await store.hold(rows.hold(id), rows.entry(id), [])
    assert (await store.held("a")).new.id == "a"


async def test_lists_are_by_state_and_agent_and_carry_no_octets(store, rows):
    await store.hold(rows.hold("m1"), rows.entry("m1"), [])
    await store.hold(rows.hold("m2", agent="Eve@acme.example", at=rows.now + timedelta(1)), rows.entry("m2"), [])
    await store.discard("m1", "bob", "no", None, rows.now)
    assert [hold.new.id for hold in await store.held_list()] == ["m1", "m2"]
    assert [hold.new.id for hold in await store.held_list(state="held")] == ["m2"]
    assert [hold.new.id for hold in await store.held_list(agent="eve@ACME.example")] == ["m2"]
    assert [hold.new.id for hold in await store.held_list(limit=1)] == ["m1"]
    assert all(hold.raw is None for hold in await store.held_list())


async def test_approve_claim_dot_release(store, rows):
    claim = await claimed(store, rows)
    assert (claim.hold.state, claim.hold.action, claim.hold.approved_by, claim.hold.why) == (
        "releasing",
        "fix",
        "bob@acme.example",
        "why",
    )
    assert claim.hold.raw == rows.hold().raw
    assert await store.claim_next("you", 600, rows.now) is None
    await store.mark_dot(claim)
    await store.finish(claim, "released", "250 2.0.0 queued", "fixed", "bob@acme.example", notices=[rows.notice()])
    hold = await store.held("m1")
    assert (hold.state, hold.detail) == ("released", "250 2.0.0 queued")
    row = store.audit_show("m1")
    assert row.outcome == "fixed"
    assert [event[1:] for event in row.history][1:] == [
        ("approved", "fix: why", "bob@acme.example"),
        ("fixed", "250 2.0.0 queued", "bob@acme.example"),
    ]
    assert store.outbox_count() == {"waiting": 1}


async def test_only_the_first_answer_counts(store, rows):
    await store.hold(rows.hold(), rows.entry(), [])
    assert await store.approve("m1", "send", "bob", "", "token-of-m1", rows.now)
    assert not await store.approve("m1", "fix", "lead", "", None, rows.now)
    assert not await store.discard("m1", "lead", "", None, rows.now)
    assert not await store.approve("nobody-knows", "fix", "lead", "", None, rows.now)
    assert (await store.held("m1")).approved_by == "bob"


async def test_what_is_final_stays(store, rows):
    await store.hold(rows.hold(), rows.entry(), [])
    assert await store.discard("m1", "bob", "sent by mistake", "token-of-m1", rows.now)
    assert not await store.approve("m1", "send", "bob", "", None, rows.now)
    assert await store.claim("m1", "me", 60, rows.now) is None
    assert store.audit_show("m1").outcome == "discarded"
    assert (await store.held("m1")).raw == rows.hold().raw


async def test_put_off_until_the_next_try(store, rows):
    claim = await claimed(store, rows)
    later = rows.now + timedelta(minutes=5)
    await store.finish(claim, "approved", "451 busy", next_try=later)
    assert (await store.held("m1")).state == "approved"
    assert store.audit_show("m1").outcome == "held"
    assert await store.claim_next("me", 600, rows.now) is None
    assert (await store.claim_next("me", 600, later)).hold.tries == 2


async def test_a_named_hold_is_claimed_before_its_next_try(store, rows):
    claim = await claimed(store, rows)
    await store.finish(claim, "approved", "451 busy", next_try=rows.now + timedelta(hours=1))
    assert await store.claim("m1", "console", 60, rows.now) is not None


async def test_refused_by_the_upstream_goes_back_to_held_with_a_fresh_token(store, rows):
    claim = await claimed(store, rows)
    await store.finish(claim, "held", "550 no such user", "held", token_hash="second")
    hold = await store.held("m1")
    assert (hold.state, hold.action, hold.approved_by, hold.detail) == ("held", None, "", "550 no such user")
    assert await store.by_token("token-of-m1") is None
    assert (await store.by_token("second")).new.id == "m1"
    assert await store.approve("m1", "send", "bob", "", "second", rows.now)


async def test_a_lease_that_ran_out_before_the_dot_is_claimed_again_and_the_old_claim_is_void(store, rows):
    old = await claimed(store, rows)
    late = rows.now + timedelta(seconds=601)
    new = await store.claim_next("me", 600, late)
    assert new.hold.tries == 2
    with pytest.raises(ClaimLost):
        await store.mark_dot(old)
    with pytest.raises(ClaimLost):
        await store.finish(old, "released", "", "fixed")
    with pytest.raises(ClaimLost):
        await store.renew(old, 600, late)
    await store.mark_dot(new)


async def test_a_renewed_lease_is_not_taken(store, rows):
    claim = await claimed(store, rows)
    claim = await store.renew(claim, 600, rows.now + timedelta(seconds=500))
    assert claim.until == rows.now + timedelta(seconds=1100)
    assert await store.claim_next("you", 600, rows.now + timedelta(seconds=700)) is None


async def test_a_dotted_claim_is_never_claimed_again(store, rows):
    claim = await claimed(store, rows)
    await store.mark_dot(claim)
    assert await store.claim_next("you", 600, rows.now + timedelta(days=1)) is None
    assert await store.claim("m1", "you", 600, rows.now + timedelta(days=1)) is None


async def test_only_a_person_resolves_a_doubt(store, rows):
    claim = await claimed(store, rows)
    await store.mark_dot(claim)
    await store.finish(claim, "in-doubt", "reply lost", "in-doubt")
    assert not await store.approve("m1", "send", "bob", "", None, rows.now)
    assert await store.resolve_doubt("m1", "held", "lead", "not in the upstream's log", rows.now)
    assert not await store.resolve_doubt("m1", "released", "lead", "", rows.now)
    hold = await store.held("m1")
    assert (hold.state, hold.lease_owner) == ("held", "")
    assert store.audit_show("m1").history[-1][1:] == ("held", "not in the upstream's log", "lead")
    with pytest.raises(ValueError, match="approved"):
        await store.resolve_doubt("m1", "approved", "lead", "", rows.now)


@pytest.mark.parametrize("state", sorted(set(HOLD_LIFE) - set(HOLD_LIFE["releasing"])))
async def test_steps_that_the_life_does_not_know_are_refused(sqlite_store, rows, state):
    claim = await claimed(sqlite_store, rows)
    with pytest.raises(ValueError, match="cannot follow"):
        await sqlite_store.finish(claim, state)


async def test_tokens_work_once(store, rows):
    await store.hold(rows.hold(), rows.entry(), [])
    assert (await store.by_token("token-of-m1")).new.id == "m1"
    assert await store.use_token("token-of-m1", "bob", "send", rows.now)
    assert not await store.use_token("token-of-m1", "bob", "send", rows.now)
    assert await store.by_token("token-of-m1") is None
    assert not await store.approve("m1", "send", "bob", "", "token-of-m1", rows.now)
    token = await store.token("token-of-m1")
    assert (token.hold_id, token.alive, token.used_by, token.answer) == ("m1", False, "bob", "send")
    assert await store.token("unknown") is None


async def test_a_token_settles_only_its_own_hold(store, rows):
    for id in ("m1", "m2"):
        await store.hold(rows.hold(id), rows.entry(id), [])
    assert not await store.approve("m1", "send", "bob", "", "token-of-m2", rows.now)
    assert (await store.held("m1")).state == "held"
    assert (await store.by_token("token-of-m2")).new.id == "m2"


async def test_all_tokens_die_when_the_hold_is_settled(store, rows):
    await store.hold(rows.hold(), rows.entry(), [])
    await store.add_token("m1", "reminder")
    assert await store.approve("m1", "send", "bob", "", "reminder", rows.now)
    for token in ("token-of-m1", "reminder"):
        assert await store.by_token(token) is None
        assert not await store.use_token(token, "bob", "send")
    assert (await store.token("token-of-m1")).used_at is None
    assert (await store.token("reminder")).used_by == "bob"


async def test_a_token_for_no_hold_is_refused(store):
    with pytest.raises(StoreRefused):
        await store.add_token("nothing", "hash")
