"""``streetloop label`` and ``streetloop labelstudio``: labelling by hand."""

import json
import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from labeling.class_guard import LabelGuard
from labeling.labeler import Labeler
from labeling.local_server.server import PORT, LocalServer
from labeling.measured_quality import Measure, keep_measures, measure
from labeling.open_labeler import drifting, open_labeler, push, start_server
from labeling.queue import ReviewQueue
from streetloop.clock import SystemClock
from streetloop.errors import ConfigError
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.reviews import ReviewState, count_reviews
from streetloop.settings import Settings, read_settings
from streetloop.storage.open import open_store
from train.model.class_names import guard_of
from train.model.model_file import open_model

label_app = typer.Typer(help="Frames to whoever labels, and their answers home.")
server_app = typer.Typer(help="A Label Studio on this machine.")

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead.")]
Who = Annotated[str | None, typer.Option("--labeler", help="oracle or label-studio; default: the setting.")]


@label_app.command(name="push")
def push_frames(
    labeler: Who = None,
    choose: Annotated[int, typer.Option(min=0, max=100_000, help="Choose so many frames a day first.")] = 0,
) -> None:
    """Hand pending frames to whoever labels, with the model's boxes."""
    settings, ledger = _home(labeler)
    guard, queue = _guarded(settings, ledger)
    who = _labeler(settings, queue, guard)
    refusal = guard.refusal(ledger, [ReviewState.PENDING, *([ReviewState.CANDIDATE] if choose else [])])
    chosen = queue.choose(choose, drifting(ledger)) if choose else 0
    done = push(queue, who)
    if refusal is None or chosen or done:
        Console().print(f"{chosen} chosen, {done} handed over" if choose else f"{done} handed over")
    if refusal is not None:
        raise refusal


@label_app.command()
def pull(labeler: Who = None) -> None:
    """Take the answers that there are."""
    settings, ledger = _home(labeler)
    guard, queue = _guarded(settings, ledger)
    who = _labeler(settings, queue, guard)
    refusal = guard.refusal(ledger, [ReviewState.PUSHED])
    answers = queue.pull(who)
    keep_measures(ledger, guard)
    if refusal is None or answers:
        Console().print(f"{answers} answers; {len(queue.waiting())} frames still wait")
    if refusal is not None:
        raise refusal


@label_app.command()
def status(as_json: Json = False) -> None:
    """How many frames are where."""
    _, ledger = _home(None)
    counts = {state.value: count for state, count in count_reviews(ledger).items()}
    if as_json:
        sys.stdout.write(json.dumps(counts) + "\n")
        return
    for state, count in counts.items():
        Console().print(f"{count:7d}  {state}", highlight=False)


@label_app.command()
def report(
    every: Annotated[bool, typer.Option("--all", help="Not only the frames drawn at random.")] = False,
    as_json: Json = False,
) -> None:
    """What labellers changed: each model's measured precision and recall by camera and class."""
    settings, ledger = _home(None)
    guard, _ = _guarded(settings, ledger)
    refusal = guard.refusal(ledger, [ReviewState.LABELED, ReviewState.IN_DATASET])
    found = measure(ledger, guard, only_random=not every)
    if refusal is None or found:
        _print_report(found, every, as_json)
    if refusal is not None:
        raise refusal


def _print_report(found: Sequence[Measure], every: bool, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps([one.as_json() for one in found], indent=2) + "\n")
        return
    table = Table(box=None, pad_edge=False)
    for name in ("model", "camera", "class"):
        table.add_column(name, overflow="fold")
    for name in ("precision", "recall", "kept", "moved", "reclassed", "removed", "added"):
        table.add_column(name, justify="right")
    for one in found:
        c = one.corrections
        numbers = (c.kept, c.moved, c.reclassed, c.removed, c.added)
        who = (one.model_version, one.camera_id or "all", one.class_name)
        table.add_row(*who, f"{c.precision:.2f}", f"{c.recall:.2f}", *(str(n) for n in numbers))
    Console(highlight=False).print(table)
    if not every:
        Console().print("random frames only: these measure the model without bias", style="dim")


@server_app.command()
def up(port: Annotated[int, typer.Option(min=1, max=65535, help="Where it listens.")] = PORT) -> None:
    """Install Label Studio in its own environment if need be, start it, and say how to log in."""
    err = Console(stderr=True)
    access = start_server(read_settings().home, port, lambda text: err.print(text, style="dim"))
    console = Console(highlight=False)
    for name in ("url", "user", "password", "token"):
        console.print(f"{name:9}{access[name]}", soft_wrap=True, markup=False)


@server_app.command()
def down() -> None:
    """Stop the Label Studio of this machine."""
    ran = LocalServer(read_settings().home).down()
    Console().print("stopped" if ran else "it did not run")


def _home(labeler: str | None) -> tuple[Settings, Ledger]:
    if labeler not in {None, "oracle", "label-studio"}:
        raise ConfigError(f"unknown labeler {labeler!r}; write oracle or label-studio")
    settings = read_settings() if labeler is None else read_settings(labeler=labeler)
    return settings, open_ledger(settings.ledger)


def _guarded(settings: Settings, ledger: Ledger) -> tuple[LabelGuard, ReviewQueue]:
    """The guard of the model of the settings, and the queue of the frames that fit it."""
    guard = guard_of(settings, open_model(settings.model, settings.models))
    return guard, ReviewQueue(ledger, SystemClock(), fits=guard.fits)


def _labeler(settings: Settings, queue: ReviewQueue, guard: LabelGuard) -> Labeler:
    who = open_labeler(settings, guard.names, open_store(settings), queue)
    if who is None:
        raise ConfigError("nobody labels: give --labeler, or set STREETLOOP_LABELER")
    return who
