"""Reports the progress of a training from its worker to its driver, through a file.

An actor in between would be one more process on cores that the training needs.
"""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

from train.fine_tuning.recipe import Progress

_POLL_S = 0.25  # between two reads of the file


def tell(path: Path, progress: Progress) -> None:
    """Append the progress to the file; one worker does."""
    # A full disk does not end a training here, but where it writes its checkpoint.
    with contextlib.suppress(OSError), path.open("a") as lines:
        lines.write(json.dumps(asdict(progress)) + "\n")


@contextlib.contextmanager
def listening(path: Path, progress: Callable[[Progress], None]) -> Iterator[None]:
    """Call ``progress`` with what workers append to the file, until the block ends.

    Args:
        path: The file; what an earlier training left in it is removed first.
        progress: Called in a thread of its own.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    stop = threading.Event()

    def listen() -> None:
        seen = 0
        while not stop.wait(_POLL_S):
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
    """Report the lines after the first ``seen`` bytes; returns the bytes of whole lines so far."""
    try:
        with path.open("rb") as lines:
            lines.seek(seen)
            read = lines.read()
    except FileNotFoundError:  # no worker has written yet
        return seen
    whole = read[: read.rfind(b"\n") + 1]
    for line in whole.splitlines():
        try:
            told = json.loads(line)
        except json.JSONDecodeError:  # its worker was killed while it wrote
            continue
        progress(Progress(**told))
    return seen + len(whole)
