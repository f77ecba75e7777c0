"""The demo on the terminal: a timeline, how far it is, and what came of it."""

import contextlib
import json
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from flows.demo.play import close_loop
from flows.demo.result import DemoResult
from labeling.local_server.server import PORT
from labeling.open_labeler import start_server


def play(home: Path, as_json: bool, *, app: bool, label_studio: bool) -> bool:
    """Play the demo; whether the loop closed.

    Args:
        home: Where state is kept; the demo has a folder of its own in it.
        as_json: Print what came of it as JSON on standard output, and only that.
        app: Whether the app is served meanwhile.
        label_studio: Whether people label, in a Label Studio on this machine.
    """
    console = Console(stderr=True)
    began = time.monotonic()

    def say(text: str) -> None:
        seconds = round(time.monotonic() - began)
        clock = f"{seconds // 60:3d}:{seconds % 60:02d}"
        console.print(f"{clock}  {text}", highlight=False, markup=False, soft_wrap=True)

    changes: dict[str, Any] = {}
    if label_studio:
        access = start_server(home, PORT, say)
        say(f"label at {access['url']} as {access['user']}, password {access['password']}")
        changes = {
            "labeler": "label-studio",
            "label_studio_url": access["url"],
            "label_studio_token": access["token"],
        }
    with contextlib.redirect_stdout(sys.stderr), console.status("starting") as status:
        result, report = close_loop(home / "loop", say, status.update, app=app, changes=changes)
    if as_json:
        sys.stdout.write(json.dumps(result.as_json(report), indent=2) + "\n")
    else:
        _print(Console(), result, report)
    return result.closed


def _print(console: Console, result: DemoResult, report: Path) -> None:
    word = "[bold green]the loop closed[/]" if result.closed else "[bold red]it did not close[/]"
    console.print(f"{word} in {result.seconds / 60:.1f} minutes with {result.labels} labels")
    table = Table("mAP50", "before", "after", box=None, pad_edge=False)
    for found in result.measured:
        table.add_row(found.condition, *(f"{found.map50[w]:.3f}" for w in ("before", "after")))
    console.print(table)
    fates = ", ".join(f"{count} {fate}" for fate, count in result.frames.items())
    console.print(f"frames: {fates}", highlight=False)
    console.print(f"the story: {report}", highlight=False, soft_wrap=True)
