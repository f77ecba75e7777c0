"""Vectors of texts, kept in a file: a text is embedded once."""

from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from streetloop.host.files import PRIVATE, write_whole

VECTORS_FILE = "incident_vectors.npz"
"""Name of the file in the home."""

_MAX_TEXTS = 20_000


class VectorIndex:
    """Finds the vectors of texts, and asks the model for those that are new.

    Args:
        path: The file; None keeps nothing. One that is damaged or cannot be written costs time
            alone.
        encode: Makes (texts, dimensions) vectors of length 1.
    """

    def __init__(self, path: Path | None, encode: Callable[[Sequence[str]], NDArray[np.float32]]) -> None:
        self._path, self._encode = path, encode
        self._known: dict[str, NDArray[np.float32]] = {} if path is None else _read(path)

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """(texts, dimensions) vectors; at least one text."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            self._known |= dict(zip(new, np.asarray(self._encode(new), np.float32), strict=True))
            self._write(texts)
        return np.asarray([self._known[text] for text in texts], np.float64)

    def _write(self, texts: Sequence[str]) -> None:
        if self._path is None:
            return
        asked = set(texts)
        kept = [*(text for text in self._known if text not in asked), *dict.fromkeys(texts)][-_MAX_TEXTS:]
        out = BytesIO()
        np.savez(out, texts=np.array(kept), vectors=np.array([self._known[text] for text in kept]))
        try:
            write_whole(self._path, out.getvalue(), PRIVATE)
        except OSError:
            return


def _read(path: Path) -> dict[str, NDArray[np.float32]]:
    try:
        with np.load(path, allow_pickle=False) as content:
            return dict(zip(content["texts"].tolist(), content["vectors"], strict=True))
    except (OSError, EOFError, ValueError, KeyError, BadZipFile):
        return {}
