"""`site`: the site file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from gateway.commands.policy_new import STARTERS
from gateway.commands.shown import console, user_error

app = typer.Typer(help="The site file: begin one.", no_args_is_help=True, rich_markup_mode=None)

SCHEMA = "site.schema.json"


@app.callback()
def commands() -> None:
    pass


@app.command()
def new(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Such as /etc/referral-gateway/site.yaml")],
    domain: Annotated[str, typer.Option("--domain", help="The domain of your own people, such as example.org")],
    agent: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--agent", metavar="ADDRESS", help="A member of the support team; once for each"),
    ] = None,
    zone: Annotated[str, typer.Option("--zone", help="Your time zone, such as Europe/Berlin")] = "UTC",
) -> None:
    """Begin a site file: one team, with a comment on everything else that you may want to say.

    Name it with the setting site (--site). Start with `serve --observe`, and nothing is stopped.
    """
    from gateway.located import BadFiles
    from gateway.policy.schema import schemas
    from gateway.site.loader import load_site

    if file.exists():
        user_error(f"{file} is there already", "another path, or change that file")
    agents = "\n".join(f"      - {{address: {each}}}" for each in agent or [f"first.agent@{domain}"])
    text = (STARTERS / "site.yaml").read_text("utf-8")
    text = text.replace("DOMAIN", domain).replace("ZONE", zone).replace("AGENTS", agents).replace("FILE", str(file))
    try:
        load_site(text, str(file))
    except BadFiles as bad:
        what = bad.problems[0]
        user_error(f"that would be no site file: {what.what}", what.write)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        (file.parent / SCHEMA).write_text(schemas()[SCHEMA], "utf-8")
        file.write_text(text, "utf-8")
    except OSError as error:
        user_error(f"{error.filename or file} cannot be written: {(error.strerror or 'unknown error').lower()}")
    out = console()
    out.print(f"wrote  {file}")
    if not agent:
        out.print(f"next   put your agents in the place of first.agent@{domain}: only their mail is judged")
    out.print(f"       then  referral-gateway policy check --site {file}")
