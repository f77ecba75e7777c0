"""``streetloop support-bundle``: what a bug report needs."""

import os
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from flows.cli.context import control_of, settings_of
from flows.cli.output import Json, print_json, results, say

app = typer.Typer()


@app.command()
def support_bundle(
    context: typer.Context,
    path: Annotated[
        Path | None, typer.Argument(metavar="ZIP", help="The archive; default: one here, named by the time.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write versions, settings, events and logs into an archive for a bug report; no secrets."""
    from flows.runtime.doctor.support_bundle import write_support_bundle

    path = path or Path(f"streetloop-support-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.zip")
    done = write_support_bundle(settings_of(context), control_of(context), path, os.environ)
    for sentence in done.missing:
        say(f"missing: {sentence}")
    if as_json:
        print_json(asdict(done) | {"path": str(done.path)})
        return
    results().print(f"{done.path}: {len(done.files)} files", soft_wrap=True, markup=False)
