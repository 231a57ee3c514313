"""The files that commands work with: those of the settings, else the shipped ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gateway.config import Settings
from gateway.resources import shipped

if TYPE_CHECKING:
    from gateway.policy.loader import Inspection
    from gateway.policy.model import PolicySet


def policy_folder(settings: Settings) -> Path:
    return settings.policies or shipped("policies")


def template_folders(settings: Settings) -> list[Path]:
    """The shipped folder, then the one that replaces parts of it."""
    return [shipped("templates"), *([settings.templates] if settings.templates else [])]


def read_policies(settings: Settings, *, run: bool = True) -> PolicySet:
    """The policies in force, the same way as `serve` reads them. Raises BadFiles."""
    from gateway.policy.loader import load_policies

    return load_policies(
        policy_folder(settings), settings.site, shipped=shipped("policies"), templates=settings.templates, run=run
    )


def inspect_policies(settings: Settings) -> Inspection:
    """What can be read of them, examples run, with everything that is wrong."""
    from gateway.policy import loader

    return loader.inspect_policies(
        policy_folder(settings), settings.site, shipped=shipped("policies"), templates=settings.templates
    )
