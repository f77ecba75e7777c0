"""How far a training is: a bar on a terminal, a line an epoch elsewhere."""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeAlias

from flows.cli.output import say

if TYPE_CHECKING:
    from rich.console import Console

    from train.fine_tuning.recipe import Progress

Show: TypeAlias = "Callable[[Progress], None]"
"""Called with the progress of a training."""

_SCORE = "metrics/mAP50(B)"


@contextlib.contextmanager
def training_progress() -> Iterator[tuple[Callable[[str], None], Show]]:
    """A function that prints a sentence, and one that shows how far a training is.

    Both write to standard error. In a log or a pipe there is a line at the end of each epoch.
    """
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda text: say(f"{text} ..."), lines_by_epoch(say)
        return
    with _bar(console) as show:
        yield lambda text: console.print(f"{text} ...", style="dim", highlight=False), show


def lines_by_epoch(say: Callable[[str], None]) -> Show:
    """A function that says a line at the end of each epoch.

    Args:
        say: Called with the line.
    """
    began, epochs_here = time.monotonic(), 0  # a resumed training has others behind it

    def show(now: "Progress") -> None:
        nonlocal epochs_here
        if not now.epoch_over:
            return
        epochs_here += 1
        done, passed = now.epoch + 1, time.monotonic() - began
        score = f", mAP50 {now.numbers[_SCORE]:.3f}" if _SCORE in now.numbers else ""
        left = passed / epochs_here * (now.epochs - done)
        say(f"epoch {done}/{now.epochs}{score}; {passed:.0f} s, about {left:.0f} s left")

    return show


@contextlib.contextmanager
def _bar(console: "Console") -> Iterator[Show]:
    """A function that moves a bar with losses and mAP."""
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[numbers]}", style="dim"),
    )
    with Bars(*columns, console=console, transient=True) as bars:
        task = bars.add_task("starting", total=1.0, numbers="")
        score = ""

        def show(now: "Progress") -> None:
            nonlocal score
            if now.epoch_over and _SCORE in now.numbers:
                score = f"mAP50 {now.numbers[_SCORE]:.3f}  "
            named = [] if now.epoch_over else [f"{name} {value:.2f}" for name, value in now.numbers.items()]
            bars.update(
                task,
                total=float(now.epochs),
                completed=now.epoch + now.share,
                description=f"epoch {now.epoch + 1}/{now.epochs}",
                numbers=score + "  ".join(named),
            )

        yield show
