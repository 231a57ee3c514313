"""Reads a folder of policies with its site and lexicon into one PolicySet, or says everything that is wrong."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from gateway.located import BadFiles, Loc, Problem, Tree, read_yaml, suggest
from gateway.located_model import Fitting, fit
from gateway.policy.conditions import Condition, Grammar, Group
from gateway.policy.examples import run_examples
from gateway.policy.file import PolicyFile
from gateway.policy.model import Policy, PolicySet, Scope
from gateway.policy.names import NAMES
from gateway.policy.variants import check_variants, with_variants
from gateway.proven import PROVEN, keep, proof_of
from gateway.reading.lexicon import load_lexicon
from gateway.site.loader import load_site, read_site
from gateway.site.model import Site

RESERVED = frozenset({"site.yaml"})
"""Names of files in a policy folder that are no policies."""
LEXICON = "lexicon"
UNFINISHED = ".roll-back"
"""The mark in a folder whose files are being put back (`gateway.rule_files`): it is neither the old nor the new one."""
GRAMMAR = Grammar(NAMES)
STAND_INS: dict[str, object] = {"title": "?", "why": "?", "when": None, "do": "pass", "examples": []}
"""For the required keys of a policy, where they are missing or wrong: with them the rest of the file can be read."""

POLICY_ID = re.compile(r"[a-z][a-z0-9-]{0,63}\Z")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class PolicySource:
    """One policy file as read: the policy, and the tree that knows where everything stands.

    What was wrong in the file is left out of both, and it is not `sound`.
    """

    policy: Policy
    tree: Tree
    sound: bool


@dataclass(frozen=True, slots=True)
class Inspection:
    """What could be read of a folder with its site and lexicon, and everything that is wrong with them."""

    sources: tuple[PolicySource, ...]
    policies: PolicySet | None
    problems: tuple[Problem, ...]
    site_path: Path
    untried: tuple[str, ...] = ()
    """The policies whose examples could not be run."""


def load_policies(
    folder: Path, site_file: Path | None, *, shipped: Path, templates: Path | None = None, run: bool = True
) -> PolicySet:
    """The policies of `folder`, as one new immutable set. Raises BadFiles with every problem of every file.

    `site_file` is the site; without it the folder's own site.yaml counts, else the shipped one. The lexicon is that of
    `shipped`, with what `folder` adds. `templates` only enters the version. The examples of every policy are run, on
    the people of the shipped site, and one that fails is a problem like any other (`run=False` leaves them out).
    """
    found = inspect_policies(folder, site_file, shipped=shipped, templates=templates, run=run)
    if found.problems or found.policies is None:
        raise BadFiles(found.problems)
    return found.policies


def inspect_policies(
    folder: Path, site_file: Path | None, *, shipped: Path, templates: Path | None = None, run: bool = True
) -> Inspection:
    """As `load_policies`, without raising: one faulty file, or one fault of it, hides no other.

    The examples of a file are run unless it has a fault itself, or the words that all files share have one.
    """
    problems: list[Problem] = []
    own = folder / "site.yaml"
    site_path = site_file or (own if own.is_file() else shipped / "site.yaml")
    site = read_site(site_path, "", problems)
    site_is_sound = not problems
    example_site = site
    if site_path != shipped / "site.yaml" and run:
        example_site = _try(lambda: load_site(shipped / "site.yaml"), problems)
    folders = [shipped / LEXICON, *([folder / LEXICON] if _adds_words(folder, shipped) else [])]
    lexicon = _try(lambda: load_lexicon(*folders), problems)
    sources = _read_folder(folder, site, problems)
    untried = tuple(source.policy.id for source in sources) if run else ()
    if lexicon is not None:
        problems += _languages(sources, lexicon.languages)
    if site is None or example_site is None or lexicon is None:
        return Inspection(tuple(sources), None, tuple(problems), site_path, untried)
    try:
        parts = _parts(sources, site, folders, [templates] if templates else [])
    except OSError as gone:
        what = f"the file cannot be read: {(gone.strerror or 'unknown error').lower()}"
        problems.append(Problem(str(gone.filename), 1, 1, what, "a readable file at this path"))
        return Inspection(tuple(sources), None, tuple(problems), site_path, untried)
    ordered = sorted((source.policy for source in sources), key=lambda policy: (-policy.priority, policy.id))
    policies = PolicySet(tuple(ordered), _digest(_canonical(parts)), site, lexicon, parts)
    able = [s for s in sources if run and s.sound and (site_is_sound or not _has_own_people(s))]
    for source in able:
        problems += _failed_examples(source, policies, example_site)
    tried = {source.policy.id for source in able}
    untried = tuple(each for each in untried if each not in tried)
    return Inspection(tuple(sources), policies, tuple(problems), site_path, untried)


def read_policy(source: Path | str, name: str = "", *, site: Site | None = None) -> PolicySource:
    """One policy file, or a text called `name`; its id is the file's name. Its examples are not run. Raises BadFiles.

    With a site, the teams that it names are checked.
    """
    problems: list[Problem] = []
    found = _read_policy(source, name, site, problems)
    if problems or found is None:
        raise BadFiles(problems)
    return found


def _read_policy(source: Path | str, name: str, site: Site | None, told: list[Problem]) -> PolicySource | None:
    """As much of a policy file as can be read; what is wrong is added to `told`."""
    problems: list[Problem] = []
    tree = read_yaml(source, name, problems)
    found = _policy_of(tree, site, problems) if tree is not None else None
    told += problems
    return found


def _policy_of(tree: Tree, site: Site | None, problems: list[Problem]) -> PolicySource | None:
    identifier = tree.name.rpartition("/")[2].removesuffix(".yaml")
    if not POLICY_ID.match(identifier):
        problems.append(tree.at(1, 1, f'"{identifier}" is no policy id', "a file name like dropped-requester.yaml"))
    fitting = fit(PolicyFile, tree, problems, STAND_INS)
    data = tree.data if isinstance(tree.data, dict) else {}
    when = _condition(tree, data, "when", problems) or Group("any", ())
    unless = _condition(tree, data, "unless", problems)
    exempt = _condition(tree, data, "exempt", problems)
    if fitting is None:
        return None
    file, tree = fitting.file, fitting.tree
    read = partial(_condition_at, tree, tree.data, problems)
    problems += _check_file(fitting, site)
    problems += check_variants(fitting, site)
    scope = file.scope
    policy = Policy(
        id=identifier,
        title=file.title,
        why=file.why,
        when=when,
        do=file.do,
        unless=unless,
        exempt=exempt,
        mode=file.mode,
        if_unsafe=file.if_unsafe,
        rewrite_for=frozenset(file.rewrite_for),
        adds_requester=(file.fix or ("add-requester" if file.do == "rewrite" else "none")) == "add-requester",
        fail=file.fail,
        budget=file.budget,
        would_pass=file.would_pass or "",
        notice=file.notice,
        draft=file.draft,
        scope=Scope(
            frozenset(scope.teams),
            frozenset(scope.domains),
            frozenset(scope.languages),
            scope.share,
            scope.active_from,
            scope.active_until,
        ),
        priority=file.priority,
        examples=tuple(file.examples),
        path=tree.name,
        deadline=None if file.deadline is None else float(file.deadline),
    )
    policy = with_variants(policy, file, read)
    return PolicySource(policy, tree, sound=not problems)


def _adds_words(folder: Path, shipped: Path) -> bool:
    """True for a folder with a lexicon of its own."""
    return (folder / LEXICON).is_dir() and not (folder / LEXICON).samefile(shipped / LEXICON)


def policy_files(folder: Path) -> list[Path]:
    """The policy files of a folder, by name."""
    return sorted(path for path in folder.glob("*.yaml") if path.name not in RESERVED and not _is_hidden(path))


def _read_folder(folder: Path, site: Site | None, problems: list[Problem]) -> list[PolicySource]:
    if not folder.is_dir():
        problems.append(Problem(str(folder), 1, 1, "there is no such folder", "the path of a folder with policies"))
        return []
    if (folder / UNFINISHED).exists():
        what = "a roll-back of this folder is under way, or was broken off"
        problems.append(
            Problem(str(folder / UNFINISHED), 1, 1, what, "referral-gateway policy rollback VERSION, again")
        )
        return []
    paths = policy_files(folder)
    for path in sorted(folder.glob("*.yml")):
        problems.append(Problem(str(path), 1, 1, "a policy file must end in .yaml", f"{path.stem}.yaml as its name"))
    if not paths:
        problems.append(
            Problem(str(folder), 1, 1, "the folder has no policies", "at least one file like no-refusal.yaml")
        )
    sources: list[PolicySource] = []
    for path in paths:
        source = _read_policy(path, "", site, problems)
        if source is not None:
            sources.append(source)
    return sources


def _condition(tree: Tree, data: dict[str, Any], key: str, problems: list[Problem]) -> Condition | None:
    if data.get(key) is None and key != "when":
        return None
    if key not in data:
        return None  # the model has told that it is missing
    return GRAMMAR.read(data[key], (key,), tree, problems, lists="all" if key == "when" else "any")


def _condition_at(tree: Tree, data: dict[str, Any], problems: list[Problem], key: str, at: Loc) -> Condition | None:
    """The condition under a key of the mapping at a place; None where there is none."""
    for step in at:
        data = data[step]  # type: ignore[index]
    if data.get(key) is None:
        return None
    return GRAMMAR.read(data[key], (*at, key), tree, problems, lists="all" if key == "when" else "any")


def _check_file(fitting: Fitting[PolicyFile], site: Site | None) -> list[Problem]:
    """What single values cannot show."""
    file, tree = fitting.file, fitting.tree
    problems: list[Problem] = []
    for kind in ("hit", "miss"):
        if not fitting.lost("examples") and not any(example.expect == kind for example in file.examples):
            what = "no example that it must hit" if kind == "hit" else "no near-miss: an example that it must not hit"
            problems.append(tree.problem(("examples",), what, f"an example with expect: {kind}", key=True))
    first: dict[str, int] = {}
    for number, example in enumerate(file.examples):
        if first.setdefault(example.name, number) != number:
            what = f'two examples are called "{example.name}"'
            problems.append(tree.problem(("examples", number, "name"), what, "a name of its own for each"))
    for number, team in enumerate(file.scope.teams):
        if site is not None and team not in site.teams:
            write = suggest(team, site.teams) or f"one of: {', '.join(sorted(site.teams))}"
            problems.append(tree.problem(("scope", "teams", number), f'the site has no team "{team}"', write))
    if fitting.lost("do"):
        return problems
    if file.do == "rewrite" and file.fix == "none":
        problems.append(tree.problem(("fix",), "a rewrite without a fix changes nothing", "add-requester"))
    for key in ("if_unsafe", "rewrite_for"):
        if key in file.model_fields_set and file.do != "rewrite":
            problems.append(
                tree.problem(
                    (key,), f'"{key}" means nothing without do: rewrite', "do: rewrite, or leave it out", key=True
                )
            )
    return problems


def _languages(sources: Iterable[PolicySource], known: Collection[str]) -> Iterable[Problem]:
    """A language without phrases is never that of a mail."""
    for source in sources:
        for number, lang in enumerate(source.tree.data.get("scope", {}).get("languages", ())):
            if lang not in known:
                what = f'no mail is ever found to be in "{lang}": there are no phrases in it'
                write = f"one of {', '.join(sorted(known))}, or lexicon/{lang}.yaml too"
                yield source.tree.problem(("scope", "languages", number), what, write)


def _has_own_people(source: PolicySource) -> bool:
    """True where an example uses the people of the site in force."""
    return any(example.site == "own" for example in source.policy.examples)


def _failed_examples(source: PolicySource, policies: PolicySet, example_site: Site) -> Iterable[Problem]:
    own = [policies.site.content] if _has_own_people(source) else []
    contents = [source.tree.data, example_site.content, *own]
    proof = proof_of(source.policy.id, policies.parts["lexicon"], *map(_canonical, contents))
    if proof in PROVEN:
        return
    passed = True
    for result in run_examples(source.policy, policies, example_site):
        if not result.ok:
            passed = False
            what = f'the example "{result.name}" fails: {result.told}'
            yield source.tree.problem(
                ("examples", result.number), what, "conditions, or an example, that say what is meant"
            )
    if passed:
        keep(proof)


def _parts(
    sources: list[PolicySource], site: Site, lexicon: Iterable[Path], templates: Iterable[Path]
) -> dict[str, str]:
    """A digest over what the files of each part say: comments and layout of policies and site do not count."""
    policies = {source.policy.id: source.tree.data for source in sources}
    return {
        "policies": _digest(_canonical(policies)),
        "site": _digest(_canonical(site.content)),
        "lexicon": _digest(*(_content(folder) for folder in lexicon if visible_files(folder))),
        "templates": _digest(*map(_content, templates)),
    }


def _content(folder: Path) -> str:
    """A digest over all files of a folder."""
    digest = hashlib.sha256()
    for path in visible_files(folder):
        octets = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()}\0{len(octets)}\0".encode() + octets)
    return digest.hexdigest()


def _digest(*texts: str) -> str:
    """16 hex digits."""
    return hashlib.sha256("\0".join(texts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def visible_files(folder: Path) -> list[Path]:
    """All files under a folder, in the order of their names, without what editors leave beside them."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and not _is_hidden(path))


def _is_hidden(path: Path) -> bool:
    """Files that editors leave beside the one they edit."""
    return path.name.startswith((".", "#")) or path.name.endswith("~")


def _canonical(data: object) -> str:
    return json.dumps(data, sort_keys=True, ensure_ascii=True, separators=(",", ":"))


def _try(load: Callable[[], _T], problems: list[Problem]) -> _T | None:
    """What `load` gives, or None with its problems added to the list."""
    try:
        return load()
    except BadFiles as bad:
        problems += bad.problems
        return None
