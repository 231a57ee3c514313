"""`policy new`, `copy` and `facts`: the way from the shipped policies to one of your own."""

from __future__ import annotations

import json as json_text
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from gateway.command_words import plain as without_accents
from gateway.commands.options import with_settings
from gateway.commands.shown import FINE, console, plain, print_json, user_error
from gateway.config import Settings

if TYPE_CHECKING:
    from gateway.policy.model import PolicySet

STARTERS = Path(__file__).parent.parent / "starters"
SCHEMA = "policy.schema.json"
DEFAULT_WHY = "You tell {requester_name} no, and no day or time to count on."

_TEACH = """\
# Begun as a copy of {like}. It only observes: it records what it would have stopped. To make it yours, change the
# examples and conditions until  referral-gateway policy test {name}  is content; `referral-gateway policy facts` lists
# what conditions may ask for. Then try it with  referral-gateway policy replay  and set `mode: enforce`.
#
"""


@with_settings("site", "policies", "templates")
def new(
    settings: Settings,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The id: small letters, digits and hyphens")],
    like: Annotated[str, typer.Option("--like", metavar="POLICY", help="Begin with a copy of this policy")] = "",
    why: Annotated[str, typer.Option("--why", help="The sentence for the agent; may name {requester_name}")] = "",
) -> None:
    """Write a policy of your own: policy, examples, and the words of its notice and draft.

    It observes until you say otherwise, and passes `policy check` and `policy test` as it is written.
    """
    folder = _own_folder(settings)
    _check_name(name)
    if why:
        _check_sentence(why)
    templates = settings.templates or folder.absolute().parent / "templates"
    files = _like(settings, folder, name, like, why) if like else _starter(name, why)
    paths = {(folder if path.endswith(".yaml") else templates) / path: text for path, text in files.items()}
    there = [str(path) for path in paths if path.exists()]
    if there:
        user_error(f"{' and '.join(there)} {'is' if len(there) == 1 else 'are'} there already", "another name")
    _write(paths)
    _renew_schema(folder)
    out = console()
    for path in paths:
        out.print(f"wrote  {path}")
    _try_out(settings, folder, name)
    if settings.templates is None:
        out.print(f"note   the setting templates names no folder yet; write: --templates {templates}")
    out.print(f"next   the comments in {folder / f'{name}.yaml'} say how to go on")


def _own_folder(settings: Settings) -> Path:
    """The folder of the setting, where it is one that an admin may write to."""
    from gateway.resources import shipped

    folder = settings.policies
    copy = (
        "referral-gateway policy copy /etc/referral-gateway/policies, then --policies with that folder (or the setting)"
    )
    if folder is None:
        user_error("the shipped policies are in force, and an upgrade replaces them", copy)
    if not folder.is_dir():
        user_error(f"there is no folder {folder}", f"referral-gateway policy copy {folder}")
    if "_data" in folder.resolve().parts and folder.resolve() == shipped("policies").resolve():
        user_error(f"{folder} is the gateway's own, and an upgrade replaces it", copy)
    if not os.access(folder, os.W_OK):
        user_error(f"{folder} cannot be written to", "run this as somebody who may write there")
    return folder


def _check_name(name: str) -> None:
    from gateway.policy.loader import POLICY_ID, RESERVED, policy_files
    from gateway.resources import shipped

    if f"{name}.yaml" in RESERVED:
        user_error(f"{name}.yaml in the folder of policies is the site file", f"our-{name}")
    if not POLICY_ID.match(name):
        bare = without_accents(name).removesuffix(".yaml").replace("ß", "ss")
        near = re.sub(r"[^a-z0-9]+", "-", bare).strip("-")[:64].lstrip("0123456789-")
        near = near if POLICY_ID.match(near) and f"{near}.yaml" not in RESERVED else "no-without-a-day"
        user_error(f'"{plain(name)}" is no policy id: small letters, digits and hyphens, a letter first', near)
    if any(path.stem == name for path in policy_files(shipped("policies"))):
        user_error(f'the gateway ships a policy "{name}"', f"my-{name}, with --like {name}")


def _check_sentence(why: str) -> None:
    from pydantic import TypeAdapter, ValidationError

    from gateway.policy.file import Sentence

    try:
        TypeAdapter[str](Sentence).validate_python(why)
    except ValidationError as error:
        wrong = error.errors()[0]
        user_error(f"--why: {wrong['msg']}", str(wrong.get("ctx", {}).get("write", "")))


def _starter(name: str, why: str) -> Mapping[str, str]:
    """The files of a policy that begins with nothing, by path in their folder."""
    text = (STARTERS / "policy.yaml").read_text("utf-8")
    text = text.replace("title: NAME", f"title: {_title(name)}").replace("policy test NAME", f"policy test {name}")
    return {
        f"{name}.yaml": text.replace("why: WHY", f"why: {_yaml(why or DEFAULT_WHY)}"),
        f"en/reasons/{name}.txt": (STARTERS / "reason.txt").read_text("utf-8"),
        f"en/drafts/{name}.txt": (STARTERS / "draft.txt").read_text("utf-8"),
    }


def _like(settings: Settings, folder: Path, name: str, like: str, why: str) -> Mapping[str, str]:
    """The files of a copy: its comments, conditions and examples, and its words in every language."""
    from gateway.commands.files import template_folders
    from gateway.located import suggest
    from gateway.policy.loader import policy_files, read_policy
    from gateway.resources import shipped
    from gateway.template_files import load_templates

    known = {path.stem: path for path in (*policy_files(shipped("policies")), *policy_files(folder))}
    if like not in known:
        user_error(f'--like: there is no policy "{plain(like)}"', suggest(like, known) or f"one of {', '.join(known)}")
    policy = read_policy(known[like]).policy
    text = known[like].read_text("utf-8")
    text = re.sub(r"(?m)^title:.*$", lambda _: f"title: {_title(name)}", text, count=1)
    text = re.sub(r"(?m)^mode: *enforce", "mode: observe", text, count=1)
    if policy.mode == "enforce" and not re.search(r"(?m)^mode:", text):
        text = re.sub(r"(?m)^do:", "mode: observe\ndo:", text, count=1)
    if why:
        text = re.sub(r"(?m)^why:.*(?:\n[ \t]+\S.*)*$", lambda _: f"why: {_yaml(why)}", text, count=1)
    head = re.match(r"# yaml-language-server:.*\n(?:#\n)?", text)
    modeline = f"# yaml-language-server: $schema={SCHEMA}\n#\n"
    teach = _TEACH.format(like=like, name=name)
    files = {f"{name}.yaml": modeline + teach + (text[head.end() :] if head else text)}
    templates = load_templates(*filter(Path.is_dir, template_folders(settings)))
    for kind, own in (("reasons", like), ("drafts", policy.draft or like)):
        for (lang, each), found in sorted(templates.files.items()):
            if each == f"{kind}/{own}":
                files[f"{lang}/{kind}/{name}.txt"] = Path(found[0].path).read_text("utf-8")
    for path, text in _starter(name, why).items():
        files.setdefault(path, text)
    return files


def _title(name: str) -> str:
    return _yaml(name.replace("-", " ").capitalize())


def _yaml(text: str) -> str:
    """A text as a quoted scalar: JSON's is one of YAML's."""
    return json_text.dumps(text, ensure_ascii=False)


def _write(paths: Mapping[Path, str]) -> None:
    """All files or none. The policy comes last: a gateway that watches must not meet it without its templates."""
    written: list[Path] = []
    try:
        for path, text in sorted(paths.items(), key=lambda pair: pair[0].suffix == ".yaml"):
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                written.append(path)
                file.write(text)
    except OSError as error:
        for path in written:
            path.unlink(missing_ok=True)
        user_error(f"{error.filename} cannot be written: {(error.strerror or 'unknown error').lower()}")


def _renew_schema(folder: Path) -> None:
    """The schema that the first line of every policy names, as this version of the gateway has it."""
    from gateway.policy.schema import schemas

    (folder / SCHEMA).write_text(schemas()[SCHEMA], "utf-8")


def _try_out(settings: Settings, folder: Path, name: str) -> None:
    """Check and test what was written. What is wrong with other files is their own business: it is only said."""
    from gateway.commands.files import read_policies
    from gateway.located import BadFiles
    from gateway.policy.examples import run_examples
    from gateway.resources import shipped
    from gateway.site.loader import load_site

    out = console()
    try:
        policies: PolicySet = read_policies(settings, run=False)
    except BadFiles as bad:
        out.print(f"note   {len(bad.problems)} problems in other files, the first: {bad.problems[0]}")
        return
    policy = policies.get(name)
    assert policy is not None
    results = run_examples(policy, policies, load_site(shipped("policies") / "site.yaml"))
    out.print(f"ok     {len(results)} examples hold; mode: {policy.mode}")


def copy(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder, such as /etc/referral-gateway/policies")],
) -> None:
    """Copy the shipped policies into a folder of your own, to change them and to add to them.

    The phrases behind the facts stay where they are: DIR/lexicon is only for what you add to them.
    """
    from gateway.policy.loader import policy_files
    from gateway.resources import shipped

    if folder.is_dir() and policy_files(folder):
        user_error(f"{folder} has policies already", "a folder that is empty or not there yet")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path in policy_files(shipped("policies")):
            shutil.copyfile(path, folder / path.name)
        _renew_schema(folder)
    except OSError as error:
        user_error(f"{error.filename or folder} cannot be written: {(error.strerror or 'unknown error').lower()}")
    out = console()
    out.print(f"{folder} has the shipped policies: {', '.join(path.stem for path in policy_files(folder))}")
    out.print(f'next   name it: --policies {folder}, or  policies = "{folder.absolute()}"  in the settings file')
    out.print("       delete what you do not want; an upgrade of the gateway leaves this folder alone")


def facts(
    word: Annotated[
        Optional[str],  # noqa: UP045
        typer.Argument(metavar="[WORD]", help="Only facts with this word in their name or meaning"),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line for each fact")] = False,
) -> None:
    """List the facts that conditions may ask for; with WORD also under which cue of the lexicon their phrases stand."""
    from gateway.reading.cues import FEEDS

    out = console()
    found = [each for each in _facts() if not word or word.lower() in f"{each[0]} {each[1]}".lower()]
    if not found:
        user_error(f'no fact has "{plain(word or "")}" in its name or meaning', "referral-gateway policy facts")
    width = max(len(name) for name, _, _ in found)
    for name, meaning, values in found:
        if json:
            cues = list(FEEDS.get(name, ()))
            print_json({"name": name, "meaning": meaning, "values": list(values), "cues": cues})
            continue
        told = f"  [{', '.join(values)}]" if values else ""
        out.print(f"{name:<{width}}  {meaning}{told}")
        if word and name in FEEDS:
            out.print(f"{'':<{width}}  phrases: lexicon/*.yaml, under {', '.join(FEEDS[name])}")
    raise typer.Exit(FINE)


def _facts() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    from gateway.policy.names import ABOUT_MEANINGS, NAMES
    from gateway.reading.vocabulary import MEANINGS

    told = {**MEANINGS, **ABOUT_MEANINGS}
    return ((name, told[name], tuple(values)) for name, values in NAMES.items())
