"""Files and folders as arguments of commands: an address in the place of one is refused."""

from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

_OF_CAMERAS = "CAMERAS.YAML"
_IN_A_CAMERA_FILE = "write it as the `uri:` of a camera in such a file"


def refuse_addresses_in(app: typer.Typer) -> None:
    """Let every command of an app refuse an address where it takes a file or a folder.

    Args:
        app: All its commands have been added.
    """
    for command in app.registered_commands:
        command.cls = _Command
    for group in app.registered_groups:
        if group.typer_instance is not None:
            refuse_addresses_in(group.typer_instance)
            if group.name:
                group.cls = _Group


class _Command(TyperCommand):
    """A command whose paths are no addresses."""

    def invoke(self, ctx: Any) -> Any:
        _refuse_addresses(ctx)
        return super().invoke(ctx)


class _Group(TyperGroup):
    """A command with subcommands, and the same."""

    def invoke(self, ctx: Any) -> Any:
        _refuse_addresses(ctx)
        return super().invoke(ctx)


def _refuse_addresses(context: Any) -> None:
    """Refuse an address among the paths that a command was given.

    Raises:
        ConfigError: There is one; the message names the argument and repeats nothing of it.
    """
    from streetloop.host.paths import refuse_address

    for parameter in context.command.params:
        value = context.params.get(parameter.name)
        if isinstance(value, Path):
            option, metavar = parameter.opts[0], parameter.metavar or ""
            shown = option if option.startswith("-") else metavar.strip("[]")
            way_out = _IN_A_CAMERA_FILE if _OF_CAMERAS in metavar else "give a path of this machine"
            refuse_address(str(value), shown, way_out)
