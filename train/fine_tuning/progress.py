"""How far a training is, from its worker to whoever asked for it: a file that one appends to.

An actor in between would be one process more beside a training, on cores that it needs itself.
"""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

from train.fine_tuning.recipe import Progress

_PERIOD_S = 0.25  # between two looks at the file


def tell(path: Path, progress: Progress) -> None:
    """Append to the file; of one worker."""
    # Nobody learns from it. A disk that is full ends a training where its checkpoint is written.
    with contextlib.suppress(OSError), path.open("a") as lines:
        lines.write(json.dumps(asdict(progress)) + "\n")


@contextlib.contextmanager
def listening(path: Path, progress: Callable[[Progress], None]) -> Iterator[None]:
    """Meanwhile ``progress`` is called, in a thread of its own, with whatever is told there.

    What an earlier training has left in the file is removed, and nothing of it is told.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    stop = threading.Event()

    def listen() -> None:
        seen = 0
        while not stop.wait(_PERIOD_S):
            seen = _read(path, seen, progress)
        _read(path, seen, progress)

    thread = threading.Thread(target=listen, name="training-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=10.0)
        path.unlink(missing_ok=True)


def _read(path: Path, seen: int, progress: Callable[[Progress], None]) -> int:
    """Tell what came after the first ``seen`` bytes; how many there are now, of whole lines."""
    try:
        with path.open("rb") as lines:
            lines.seek(seen)
            read = lines.read()
    except FileNotFoundError:  # nothing was told yet
        return seen
    whole = read[: read.rfind(b"\n") + 1]
    for line in whole.splitlines():
        try:
            told = json.loads(line)
        except json.JSONDecodeError:  # its worker was killed in the middle of it
            continue
        progress(Progress(**told))
    return seen + len(whole)
