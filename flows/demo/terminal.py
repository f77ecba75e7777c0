"""The demo on the terminal: a timeline, how far it is, and the result."""

import contextlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from flows.demo.play import Demo, RunStreams
from flows.demo.result import DemoResult
from labeling.local_server.server import PORT
from labeling.open_labeler import start_server
from streetloop.settings import Settings

_KEEP_S = 10
"""Seconds between what is told and the removal of an earlier demo."""


def play(run: RunStreams, settings: Settings, as_json: bool, *, app: bool, label_studio: bool) -> bool:
    """Play the demo and return whether the loop closed.

    Args:
        run: Reads the cameras.
        settings: Settings of the command; the demo keeps its state in ``loop`` in their home.
        as_json: Print the result as JSON on standard output, and only that.
        app: Serve the app meanwhile, and after the result until Ctrl-C.
        label_studio: Let people label, in a Label Studio on this machine.
    """
    console = Console(stderr=True)
    began = time.monotonic()

    def say(text: str) -> None:
        seconds = round(time.monotonic() - began)
        clock = f"{seconds // 60:3d}:{seconds % 60:02d}"
        console.print(f"{clock}  {text}", highlight=False, markup=False, soft_wrap=True)

    changes: dict[str, Any] = {}
    if label_studio:
        access = start_server(settings.home, PORT, say)
        say(f"label at {access['url']} as {access['user']}, password {access['password']}")
        changes = {
            "labeler": "label-studio",
            "label_studio_url": access["url"],
            "label_studio_token": access["token"],
        }
    stdout = Console(file=sys.stdout)
    with contextlib.redirect_stdout(sys.stderr), console.status("starting") as status:
        demo = Demo(run, settings, say, status.update, changes, _time_to_keep(console, status.update))

        def finished(result: DemoResult) -> None:
            if as_json:
                stdout.file.write(json.dumps(result.as_json(demo.report), indent=2) + "\n")
                stdout.file.flush()
            else:
                _print(stdout, result, demo.report)
            if app:
                say("the streets and the app continue; Ctrl-C ends them")

        return demo.play(app=app, finished=finished).closed


def _time_to_keep(console: Console, show: Callable[[str], None]) -> Callable[[], None]:
    """Some seconds in which Ctrl-C keeps the demo before; none where nobody reads."""

    def wait() -> None:
        for left in range(_KEEP_S if console.is_terminal else 0, 0, -1):
            show(f"Ctrl-C keeps it: it is removed in {left} seconds")
            time.sleep(1)

    return wait


def _print(console: Console, result: DemoResult, report: Path) -> None:
    word = "[bold green]the loop closed[/]" if result.closed else "[bold red]it did not close[/]"
    console.print(f"{word} in {result.seconds / 60:.1f} minutes with {result.labels} labels")
    table = Table("mAP50", "before", "after", box=None, pad_edge=False)
    for found in result.scores:
        table.add_row(found.condition, *(f"{found.map50[w]:.3f}" for w in ("before", "after")))
    console.print(table)
    fates = ", ".join(f"{count} {fate}" for fate, count in result.frames.items())
    console.print(f"frames: {fates}", highlight=False)
    console.print(f"the report: {report}", highlight=False, soft_wrap=True)
