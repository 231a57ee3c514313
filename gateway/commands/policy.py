"""`policy check` and `policy test`: are the files right, and do the policies do what their examples say?"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.commands import policy_arm, policy_health, policy_new, policy_replay, policy_sample, policy_versions
from gateway.commands.options import with_settings
from gateway.commands.shown import FINE, FOUND, USER, console, print_json
from gateway.config import Settings

if TYPE_CHECKING:
    from gateway.located import Problem
    from gateway.policy.loader import PolicySource
    from gateway.policy.model import PolicySet
    from gateway.template_files import Templates

app = typer.Typer(
    help="Write, check and try the files people edit; go back to earlier ones.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
for _command in (policy_new.new, policy_new.copy, policy_new.facts, policy_replay.replay):
    app.command()(_command)
for _command in (policy_versions.history, policy_versions.show, policy_versions.diff, policy_versions.rollback):
    app.command()(_command)


@app.command()
@with_settings("site", "policies", "templates", "notices_address", faulty=True)
def check(settings: Settings, problems: list[Any]) -> None:
    """Read every file and say everything that is wrong with any of them."""
    from gateway.commands.files import inspect_policies, template_folders
    from gateway.located import BadFiles
    from gateway.site.doubts import doubts
    from gateway.template_files import inspect_templates, names_in

    found = inspect_policies(settings)  # examples included: with one that fails, `serve` would not start either
    templates, wrong = inspect_templates(*template_folders(settings))
    missing = _missing_templates(found.sources, names_in(*template_folders(settings)))
    problems = [*problems, *found.problems, *wrong, *missing]
    out = console()
    policies = found.policies
    if policies is None or problems:
        bad = BadFiles(problems)
        out.print(bad.show())
        files = len({problem.path for problem in bad.problems})
        out.print(f"\n{_counted(len(bad.problems), 'problem')} in {_counted(files, 'file')}")
        if found.untried:
            out.print(f"The examples of {', '.join(found.untried)} were not run: they need the files above.")
        raise typer.Exit(USER)
    out.print(f"policies   {', '.join(policy.id for policy in policies.policies)}")
    out.print(f"site       {policies.site.name}, {_counted(len(policies.site.agents), 'agent address', 'es')}")
    languages = sorted({lang for lang, _ in templates.files})
    out.print(f"templates  {_counted(len(templates.names), 'template')} in {', '.join(languages)}")
    out.print(f"version    {policies.version}")
    if not (policies.site.notices_address or settings.notices_address):
        out.print("note       no gateway.notices in the site file: nobody could answer for a mail that waits")
    for doubt in doubts(found.site_path):
        out.print(f"note       {doubt.path}:{doubt.line}:{doubt.column}: {doubt.what}")
    for note in _notes(policies, templates):
        out.print(f"note       {note}")


@app.command()
@with_settings("site", "policies", "templates")
def test(
    settings: Settings,
    policy: Annotated[list[str] | None, typer.Argument(help="Only these policies; default: all")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line for each example")] = False,
) -> None:
    """Run the examples of the policies. Exit code 1 if one fails."""
    from gateway.commands.files import read_policies
    from gateway.commands.shown import user_error
    from gateway.located import suggest
    from gateway.policy.examples import run_examples
    from gateway.resources import shipped
    from gateway.site.loader import load_site

    policies = read_policies(settings, run=False)
    site = load_site(shipped("policies") / "site.yaml")
    for name in policy or ():
        if policies.get(name) is None:
            ids = [each.id for each in policies.policies]
            user_error(f'there is no policy "{name}"', suggest(name, ids) or f"one of {', '.join(ids)}")
    out = console()
    ran = failed = 0
    for each in policies.policies:
        if policy and each.id not in policy:
            continue
        for result in run_examples(each, policies, site):
            ran += 1
            failed += not result.ok
            if json:
                print_json({"policy": each.id, "example": result.name, "ok": result.ok, "told": result.told})
            else:
                out.print(f"{'ok    ' if result.ok else 'FAILED'}  {each.id}: {result.name}")
                if not result.ok:
                    out.print(f"        {result.told}")
    if not json:
        out.print(f"\n{_counted(ran, 'example')}, {failed} failed")
    raise typer.Exit(FOUND if failed else FINE)


app.command("arm")(policy_arm.arm)
app.command("health")(policy_health.health)
app.command("sample")(policy_sample.sample)
app.command("review")(policy_sample.review)


def _missing_templates(sources: Iterable[PolicySource], names: Collection[str]) -> Iterator[Problem]:
    """A policy may name its notice and its draft; both must be there."""
    from gateway.located import suggest

    for source in sources:
        for key, name in (("notice", source.policy.notice), ("draft", source.policy.draft)):
            if name and f"{key}s/{name}" not in names:
                known = sorted(each.partition("/")[2] for each in names if each.startswith(f"{key}s/"))
                write = suggest(name, known) or f"a template en/{key}s/{name}.txt, or one of {', '.join(known)}"
                yield source.tree.problem((key,), f"there is no template {key}s/{name}", write)


def _notes(policies: PolicySet, templates: Templates) -> Iterator[str]:
    """What is no error, and still may not be meant."""
    from gateway.checkup import languages_without_notices
    from gateway.located import suggest
    from gateway.resources import shipped
    from gateway.template_files import load_templates

    for lang in languages_without_notices(policies.site, templates):
        yield f"the site file asks for {lang}, and there are no templates in it: those notices are in English"
    for policy in policies.policies:
        until = policy.scope.active_until
        if until is not None and until < datetime.now(policies.site.zone).date():
            yield f"{policy.path}: active_until: {until} has passed, so this policy does nothing any more"
        if policy.scope.share == 0 and policy.mode == "enforce":
            yield f"{policy.path}: share: 0 enforces it for no mail; mode: observe says the same"
    used = set(load_templates(shipped("templates")).names)
    for policy in policies.policies:
        used |= {f"reasons/{policy.id}", f"drafts/{policy.draft or policy.id}", f"notices/{policy.notice}"}
    for (_, name), found in templates.files.items():
        if name not in used:
            kind, _, own = name.partition("/")
            near = suggest(own, [each.removeprefix(f"{kind}/") for each in used if each.startswith(f"{kind}/")])
            yield f"{found[0].path}: nothing uses this template{f'; is {near} meant?' if near else ''}"


def _counted(number: int, noun: str, plural: str = "s") -> str:
    return f"{number} {noun}{'' if number == 1 else plural}"
