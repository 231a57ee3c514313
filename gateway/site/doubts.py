"""What is no error in a site file, and still may not be meant: told by `policy check`, in the way of nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from gateway.located import Loc, Problem, Tree, load_yaml, suggest
from gateway.located_model import validate
from gateway.site.file import AgentPart, SiteFile
from gateway.site.loader import load_site
from gateway.site.model import Site


def doubts(source: Path | str, name: str = "") -> tuple[Problem, ...]:
    """The doubts about a site file that has no errors, each with its place. Raises BadFiles if it has."""
    site = load_site(source, name)
    tree = load_yaml(source, name)
    file = validate(SiteFile, tree)
    found = [*_people(tree, file, site), *_teams(tree, file), *_names(tree, file, site)]
    return tuple(sorted(found, key=lambda problem: (problem.line, problem.column)))


def _agents(file: SiteFile) -> Iterator[tuple[Loc, AgentPart]]:
    """All agents of the file with the way to them."""
    for number, agent in enumerate(file.agents):
        yield ("agents", number), agent
    for key, team in file.teams.items():
        for number, agent in enumerate(team.agents):
            yield ("teams", key, "agents", number), agent


def _people(tree: Tree, file: SiteFile, site: Site) -> Iterable[Problem]:
    """People whom an agent's entry names and who stand nowhere else: one letter too many, and nobody can settle."""
    known = _known(file)
    for at, agent in _agents(file):
        named = [((*at, "delegates", number), delegate) for number, delegate in enumerate(agent.delegates)]
        named += [((*at, "supervisor"), agent.supervisor)] if agent.supervisor else []
        for place, address in named:
            if site.is_listed_agent(address) or any(site.same_person(address, other) for other in known):
                continue
            near = suggest(address, known)
            what = f"{address} stands nowhere else in this file"
            yield tree.problem(place, f"{what}{f'; is {near} meant?' if near else ''}", near)
    for number, person in enumerate(file.executives):
        if site.is_listed_agent(person.address):
            what = f"{person.address} is an agent too: what the gateway holds of theirs is an executive's mail"
            yield tree.problem(("executives", number), what, "")


def _known(file: SiteFile) -> list[str]:
    """Every address by which the file names somebody, but for those under delegates and an agent's own supervisor."""
    people = [*file.executives, *file.admins, *(agent for _, agent in _agents(file))]
    people += [team.supervisor for team in file.teams.values() if team.supervisor]
    others = [*file.departments.values(), *file.vendors.values()]
    people += [person for part in others for person in part.people]
    mailboxes = [address for team in file.teams.values() for address in team.mailboxes]
    shared = [address for part in others for address in part.addresses]
    return [address for address in (*(p.address for p in people), *mailboxes, *shared) if "*" not in address]


def _teams(tree: Tree, file: SiteFile) -> Iterable[Problem]:
    for key, team in file.teams.items():
        if not team.agents and not team.mailboxes:
            what = f"team {key} has neither agents nor mailboxes: no mail is ever judged as theirs"
            yield tree.problem(("teams", key), what, "agents: with their addresses", key=True)


def _names(tree: Tree, file: SiteFile, site: Site) -> Iterable[Problem]:
    for name, address in file.logins.items():
        if site.agent(address) is None:
            what = f"{address} is no agent: mail of whoever logs in as {name} is never judged"
            near = suggest(address, [agent.address for _, agent in _agents(file)])
            yield tree.problem(("logins", name), what, near)
    for number, group in enumerate(file.aliases):
        if len({address.lower() for address in group}) < 2:
            what = f"{', '.join(group) or 'nothing'} alone is no set: it says that nobody is anybody else"
            yield tree.problem(("aliases", number), what, "all addresses of one person")
