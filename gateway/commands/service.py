"""`serve` and `demo`: the commands that run the gateway itself."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.commands.options import with_settings
from gateway.config import Settings


@with_settings(every=True)
def serve(
    settings: Settings,
    print_settings: Annotated[
        bool, typer.Option("--print-settings", help="Print a settings file with every line at its default, and stop")
    ] = False,
) -> None:
    """Run the gateway until it is told to stop."""
    from gateway.commands.serve import run
    from gateway.settings_file import require
    from gateway.settings_shown import example_file

    if print_settings:
        print(example_file())
        return
    require(settings, "upstream")
    raise typer.Exit(run(settings))


def demo(
    once: Annotated[
        bool, typer.Option("--once", help="Stop after the samples; 0 only if all ended as they should")
    ] = False,
    broken_sink: Annotated[bool, typer.Option("--broken-sink", hidden=True)] = False,
) -> None:
    """Try the gateway with sample mails over real SMTP."""
    from gateway.commands.demo import run

    raise typer.Exit(run(once=once, broken_sink=broken_sink))
