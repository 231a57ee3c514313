"""Profiles and teams of a policy: the same policy, a little different. Built by the loader from one file."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from gateway.located import Loc, Problem, Tree, suggest
from gateway.located_model import Fitting
from gateway.policy.conditions import Condition
from gateway.policy.file import PolicyFile, ProfilePart, TeamPart
from gateway.policy.model import Policy
from gateway.site.model import Site

Read = Callable[[str, Loc], Condition | None]
"""Reads the condition under a key of the mapping at a place of the file; None where there is none."""

_CONDITIONS = ("when", "unless", "exempt")


def with_variants(policy: Policy, file: PolicyFile, read: Read) -> Policy:
    """The policy in force, with what it is for each team and in each profile."""
    if not file.profiles and not file.teams:
        return policy
    profiles = {"": policy} | {name: _in_profile(policy, name, part, read) for name, part in file.profiles.items()}
    in_force = profiles.get(file.profile, policy)
    teams = {
        team: _for_team(in_force if part.profile is None else profiles.get(part.profile, in_force), part, file)
        for team, part in file.teams.items()
    }
    return replace(in_force, teams=teams, profiles=profiles)


def _in_profile(policy: Policy, name: str, part: ProfilePart, read: Read) -> Policy:
    when = read("when", ("profiles", name))
    unless, exempt = (read(key, ("profiles", name)) for key in ("unless", "exempt"))
    return replace(
        policy,
        why=part.why or policy.why,
        would_pass=part.would_pass or policy.would_pass,
        when=when or policy.when,
        unless=unless or policy.unless,
        exempt=exempt or policy.exempt,
    )


def _for_team(policy: Policy, part: TeamPart, file: PolicyFile) -> Policy:
    do = part.do or policy.do
    share = policy.scope.share if part.share is None else part.share
    return replace(
        policy,
        mode=part.mode or policy.mode,
        do=do,
        adds_requester=(file.fix or ("add-requester" if do == "rewrite" else "none")) == "add-requester",
        if_unsafe=part.if_unsafe or policy.if_unsafe,
        rewrite_for=policy.rewrite_for if part.rewrite_for is None else frozenset(part.rewrite_for),
        fail=part.fail or policy.fail,
        deadline=policy.deadline if part.deadline is None else float(part.deadline),
        notice=policy.notice if part.notice is None else part.notice,
        draft=policy.draft if part.draft is None else part.draft,
        scope=replace(policy.scope, share=share),
    )


def check_variants(fitting: Fitting[PolicyFile], site: Site | None) -> Iterable[Problem]:
    """What is wrong with profiles and teams, beyond the form of single values."""
    file, tree, lost = fitting.file, fitting.tree, fitting.lost
    if not lost("profiles") and not lost("examples"):
        yield from _profiles(tree, file)
    for team, part in file.teams.items():
        at = ("teams", team)
        if site is not None and team not in site.teams:
            write = suggest(team, site.teams) or f"one of: {', '.join(sorted(site.teams))}"
            yield tree.problem(at, f'the site has no team "{team}"', write, key=True)
        elif not lost("scope") and file.scope.teams and team not in file.scope.teams:
            what = f'the policy is not for "{team}": scope.teams leaves it out'
            yield tree.problem(at, what, f"{team} under scope.teams too, or leave it out here", key=True)
        if not part.model_fields_set and not lost(*at):
            yield tree.problem(at, "nothing is different for this team", "mode: observe, or leave it out", key=True)
        if part.profile is not None and not lost("profiles"):
            yield from _known(tree, (*at, "profile"), part.profile, file)
        for key in ("if_unsafe", "rewrite_for") if not lost("do") else ():
            if getattr(part, key) is not None and (part.do or file.do) != "rewrite":
                what = f'"{key}" means nothing without do: rewrite'
                yield tree.problem((*at, key), what, "do: rewrite, or leave it out", key=True)
        if (part.do or file.do) == "rewrite" and file.fix == "none":
            yield tree.problem((*at, "do"), "a rewrite without a fix changes nothing", "fix: add-requester", key=True)
    if lost("profiles"):
        return
    if file.profile:
        yield from _known(tree, ("profile",), file.profile, file)
    for number, example in enumerate(file.examples):
        if example.profile:
            yield from _known(tree, ("examples", number, "profile"), example.profile, file)


def _profiles(tree: Tree, file: PolicyFile) -> Iterable[Problem]:
    for name, part in file.profiles.items():
        at: Loc = ("profiles", name)
        if not name:
            yield tree.problem(at, "a profile without a name", "a name like strict", key=True)
        if not part.model_fields_set & {*_CONDITIONS}:
            yield tree.problem(at, "a profile without conditions changes nothing", "when: or unless: in it", key=True)
        for kind, what in (("hit", "example that it must hit"), ("miss", "near-miss")):
            if not any(each.profile == name and each.expect == kind for each in file.examples):
                write = f"an example with profile: {name} and expect: {kind}"
                yield tree.problem(at, f"the profile has no {what}", write, key=True)


def _known(tree: Tree, at: Loc, profile: str, file: PolicyFile) -> Iterable[Problem]:
    if profile and profile not in file.profiles:
        write = suggest(profile, file.profiles) or ", ".join(sorted(file.profiles)) or "profiles: with its conditions"
        yield tree.problem(at, f'the policy has no profile "{profile}"', write)
