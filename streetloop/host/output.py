"""Keeps what libraries and child processes print away from the user's terminal."""

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path

RAY_OUTPUT = "ray.log"
"""File in the home: what Ray would print."""

_STDOUT, _STDERR = 1, 2


@contextlib.contextmanager
def foreign_output_to(path: Path | str) -> Iterator[None]:
    """Send what is not written through ``sys.stderr`` to a file for the ``with`` block.

    Native code and child processes write to the file descriptors, and Ray prints on standard
    output; both go to the file. ``sys.stderr`` continues to reach the user.

    Args:
        path: Is begun anew; only its owner may read it.
    """
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(
            os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w")
        )
        terminal = os.dup(_STDERR)
        stack.callback(os.close, terminal)
        if _is_descriptor(sys.stderr, _STDERR):
            ours = io.TextIOWrapper(io.FileIO(terminal, "w", closefd=False), line_buffering=True)
            stack.enter_context(contextlib.redirect_stderr(ours))
        stack.enter_context(contextlib.redirect_stdout(file))
        for descriptor in (_STDOUT, _STDERR):
            stack.enter_context(_pointed_at(descriptor, file.fileno()))
        yield


@contextlib.contextmanager
def _pointed_at(descriptor: int, target: int) -> Iterator[None]:
    before = os.dup(descriptor)
    os.dup2(target, descriptor)
    try:
        yield
    finally:
        os.dup2(before, descriptor)
        os.close(before)


def _is_descriptor(stream: object, number: int) -> bool:
    try:
        return isinstance(stream, io.TextIOBase) and stream.fileno() == number
    except (OSError, ValueError):
        return False
