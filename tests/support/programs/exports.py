"""Exports of models, which commands that tests run lend each other: one takes seconds of a core."""

import atexit
import contextlib
import os
import shutil
import tempfile
from pathlib import Path

_EXPORTS = Path(tempfile.mkdtemp(prefix="streetloop-exports-"))
atexit.register(shutil.rmtree, _EXPORTS, ignore_errors=True)


def lend(home: Path) -> None:
    """Give a new home what commands have exported so far, by the content of the checkpoint."""
    with contextlib.suppress(OSError):  # a home that cannot be made is what the command is tried with
        home.mkdir(mode=0o700, parents=True)
        shutil.copytree(_EXPORTS, home / "models", copy_function=os.link)


def keep(home: Path) -> None:
    """Take what a command has exported."""
    with contextlib.suppress(OSError):
        for file in (home / "models").glob("*/model.onnx"):
            if not (copy := _EXPORTS / file.parent.name / file.name).exists():
                copy.parent.mkdir(exist_ok=True)
                os.link(file, copy)
