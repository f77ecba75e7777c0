"""streetloop backup, restore."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from flows.cli.context import settings_of
from flows.cli.output import Json, print_json, results, say

app = typer.Typer()

_MB = 1e6


@app.command()
def backup(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DEST", help="Folder of the backup; it is made.")],
    as_json: Json = False,
) -> None:
    """Copy ledger, registry, store and settings of a system, which may run, into a folder."""
    from flows.backup.backup import back_up

    done = back_up(settings_of(context), folder)
    for note in done.notes:
        say(note)
    if as_json:
        print_json(asdict(done))
        return
    new = f"{done.copied} contents of {done.copied_bytes / _MB:.1f} MB were new"
    results().print(f"{folder}: {done.files} files, {done.bytes / _MB:.1f} MB; {new}", soft_wrap=True)


@app.command()
def restore(
    context: typer.Context,
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="Folder of a backup.")],
    as_json: Json = False,
) -> None:
    """Verify a backup and restore it into the home, which must be empty."""
    from flows.backup.restore import restore as restore_backup

    settings = settings_of(context)
    done = restore_backup(source, settings)
    if as_json:
        print_json(asdict(done))
        return
    what = f"{done.files} files, {done.bytes / _MB:.1f} MB of {done.made_at}"
    results().print(f"{settings.home}: {what}", soft_wrap=True)
    for name, value in done.settings.items():
        results().print(f"it had the setting {name}: {value}", soft_wrap=True, markup=False)
    for name in done.secrets:
        results().print(f"it had STREETLOOP_{name.upper()}, which is not in the backup", soft_wrap=True)
