"""Vectors of texts are made once and kept."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from flows.reports.incidents import vector_index
from flows.reports.incidents.vector_index import VectorIndex


class Model:
    """Embeds a text as its length; notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked += texts
        return np.array([[len(text), 1] for text in texts], np.float32)


def test_each_text_is_embedded_once_also_by_the_next_process(tmp_path: Path) -> None:
    model, file = Model(), tmp_path / "vectors.npz"
    assert VectorIndex(file, model).vectors(["a", "bb", "a"]).tolist() == [[1, 1], [2, 1], [1, 1]]
    assert VectorIndex(file, model).vectors(["bb", "ccc"]).tolist() == [[2, 1], [3, 1]]
    assert model.asked == ["a", "bb", "ccc"]
    assert oct(file.stat().st_mode & 0o777) == "0o600"


def test_without_a_file_nothing_is_kept(tmp_path: Path) -> None:
    model = Model()
    for _ in range(2):
        VectorIndex(None, model).vectors(["a"])
    assert model.asked == ["a", "a"]


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04broken"])
def test_a_damaged_file_is_made_anew(tmp_path: Path, content: bytes) -> None:
    file, model = tmp_path / "vectors.npz", Model()
    file.write_bytes(content)
    for _ in range(2):
        assert VectorIndex(file, model).vectors(["a"]).tolist() == [[1, 1]]
    assert model.asked == ["a"]


def test_a_file_that_cannot_be_written_costs_time_alone(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    assert VectorIndex(tmp_path / "file" / "vectors.npz", Model()).vectors(["a"]).tolist() == [[1, 1]]


def test_the_file_keeps_the_newest_texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vector_index, "_MAX_TEXTS", 2)
    model, file = Model(), tmp_path / "vectors.npz"
    VectorIndex(file, model).vectors(["a", "bb"])
    VectorIndex(file, model).vectors(["bb", "ccc"])
    VectorIndex(file, model).vectors(["bb", "ccc", "a"])
    assert model.asked == ["a", "bb", "ccc", "a"]
