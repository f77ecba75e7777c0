"""The examples of docs/extending.md pass the contract suites that the page names."""

import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flows.stream.sources.source import Source
from labeling.labeler import Labeler
from streetloop.clock import SystemClock
from streetloop.images import encode_jpeg
from streetloop.ledger.reviews import FrameRecord
from streetloop.storage.store import FolderStore, put_image
from tests.docs.pages import DOCS, ROOT, blocks
from tests.drift.statistics import test_distances as distances
from tests.support.frames import review
from tests.support.labeler_contract import LabelerContract
from tests.support.source_contract import SourceContract

SIZE = (36, 64, 3)


def example(name: str) -> Any:
    """A class of the page's code."""
    (code,) = [b for b in blocks(DOCS["extending.md"], "python") if f"class {name}" in b]
    found: dict[str, Any] = {"__name__": "example"}
    exec(compile(code, name, "exec"), found)
    return found[name]


class TestImageFolderSource(SourceContract):
    @pytest.fixture
    def source(self, tmp_path: Path) -> Source:
        for number in range(4):
            image = np.full(SIZE, 40 * number, np.uint8)
            (tmp_path / f"{number}.jpg").write_bytes(encode_jpeg(image))
        found: Source = example("ImageFolderSource")(f"images://{tmp_path}?fps=5", SystemClock())
        return found


class TestFolderLabeler(LabelerContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> FolderStore:
        return FolderStore(tmp_path / "store")

    @pytest.fixture
    def frames(self, store: FolderStore) -> Sequence[FrameRecord]:
        found = []
        for number in range(2):
            digest, key = put_image(store, encode_jpeg(np.full(SIZE, 90 * number, np.uint8)))
            found.append(replace(review(number), digest=digest, image_key=key, width=64, height=36))
        return found

    @pytest.fixture
    def labeler(self, tmp_path: Path, store: FolderStore, frames: Sequence[FrameRecord]) -> Labeler:
        known = {frame.digest: frame for frame in frames}
        found: Labeler = example("FolderLabeler")(tmp_path / "label", store, known.get, SystemClock())
        return found

    @pytest.fixture
    def answer_all(self, tmp_path: Path) -> Callable[[], None]:
        def answer() -> None:
            for image in (tmp_path / "label").glob("*.jpg"):
                image.with_suffix(".txt").write_text("2 0.5 0.5 0.25 0.5\n")

        return answer

    def test_it_reads_pixels(
        self, labeler: Labeler, frames: Sequence[FrameRecord], answer_all: Callable[[], None]
    ) -> None:
        labeler.push(frames[:1], lambda _: None)
        answer_all()
        (answer,) = labeler.pull({frames[0].digest})
        assert answer.boxes.xyxy.tolist() == [[24.0, 9.0, 40.0, 27.0]]  # type: ignore[union-attr]


CONTRACT = [
    test
    for name, test in inspect.getmembers(distances, callable)
    if name.startswith("test_") and "distance" in inspect.signature(test).parameters
]


@pytest.mark.parametrize("test", CONTRACT, ids=lambda test: test.__name__)
def test_the_energy_distance_holds_the_contract(test: Callable[..., None]) -> None:
    asked = inspect.signature(test).parameters
    test(distance=example("Energy")(), **({"constant": 3.5} if "constant" in asked else {}))


def test_the_contract_of_distances_is_found() -> None:
    assert len(CONTRACT) >= 5


def test_the_page_names_files_that_are_there() -> None:
    named = set(
        re.findall(r"`((?:tests|drift|labeling|flows|streetloop)/[\w/.]+\.py)`", DOCS["extending.md"])
    )
    written = {
        "flows/stream/sources/image_folder.py",
        "drift/statistics/energy.py",
        "labeling/folder_labeler.py",
    }
    assert written <= named
    assert [path for path in named - written if not (ROOT / path).exists()] == []
