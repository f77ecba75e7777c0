"""What the README and the docs say is so: files exist, examples parse, commands run."""

import json
import re
from importlib.util import find_spec
from pathlib import Path

import duckdb
import numpy as np
import pandas
import polars
import pytest
from PIL import Image as PillowImage

from flows.stream.analysis.results import Result
from flows.stream.sinks.detection_log import DetectionLog
from streetloop.cameras.camera_file import parse_cameras
from streetloop.clock import SystemClock
from streetloop.storage.store import FolderStore
from streetloop.types import UNCONFIRMED, ArrayPicture, Detections, Frame, Tracked
from tests.docs.pages import DOCS, PAGES, README, ROOT, blocks, rows

_LINK = re.compile(r"\]\(([^)#\s]*)(#[^)]*)?\)")


def test_the_readme_is_a_front_page() -> None:
    assert len(README.splitlines()) <= 150
    assert all(f"docs/{name}" in README for name in DOCS), "it links every page"


@pytest.mark.parametrize("page", PAGES)
def test_every_link_and_picture_is_there(page: str) -> None:
    folder = ROOT if page == "README.md" else ROOT / "docs"
    for target, anchor in _LINK.findall(PAGES[page]):
        if target.startswith("http"):
            continue
        path = folder / target if target else folder / page
        assert path.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE)
            assert anchor[1:] in [
                re.sub(r"[^\w -]", "", h).strip().lower().replace(" ", "-") for h in headings
            ]


def test_every_picture_is_shown_somewhere() -> None:
    shown = {Path(target).name for text in PAGES.values() for target, _ in _LINK.findall(text)}
    pictures = {path.name for path in (ROOT / "docs/img").iterdir() if path.suffix != ".py"}
    assert pictures <= shown


def test_the_picture_of_the_app_moves_and_is_small() -> None:
    path = ROOT / "docs/img/app.webp"
    assert path.stat().st_size <= 1_500_000
    assert PillowImage.open(path).n_frames > 10
    assert "docs/img/app.webp" in README


def test_every_yaml_example_is_a_camera_file() -> None:
    examples = [b for text in PAGES.values() for b in blocks(text, "yaml")]
    assert len(examples) >= 2
    for example in examples:
        assert parse_cameras(example).cameras


def test_the_json_example_adds_up() -> None:
    (example,) = blocks(DOCS["quickstart.md"], "json")
    for camera in json.loads(example)["cameras"].values():
        fates = ("detected", "gated", "dropped", "failed")
        assert camera["decoded"] == sum(camera[fate] for fate in fates)


def test_the_log_is_read_as_the_quickstart_says(tmp_path: Path) -> None:
    log = _small_log(tmp_path)
    (block,) = blocks(DOCS["quickstart.md"], "python")
    first, second, third = block.splitlines()
    names = {"duckdb": duckdb, "polars": polars, "pandas": pandas, "log": log}
    assert eval(first, names).fetchall() == [("car", 1)]
    assert eval(second, names).shape[0] == 2
    assert eval(third, names).to_dict() == {"007": 1}


def _small_log(folder: Path) -> str:
    """Two detections of one car, one of which belongs to a track."""
    store = FolderStore(folder)
    log = DetectionLog(store, "log", "w", ["007"], ("car",), 60, SystemClock())
    for frame_id, track in enumerate((UNCONFIRMED, 5)):
        picture = ArrayPicture(np.zeros((4, 4, 3), np.uint8))
        frame = Frame("007", frame_id, frame_id / 25, SystemClock().now(), 0.0, picture)
        boxes = Detections(np.zeros((1, 4), np.float32), np.ones(1, np.float32), np.zeros(1, np.int64))
        log.take(Result(frame, Tracked(boxes, np.array([track])), [], "v1", np.ones(1, np.bool_)))
    log.close()
    return store.uri("log")


def test_every_benchmark_that_is_named_is_there() -> None:
    named = {m for text in PAGES.values() for m in re.findall(r"python -m (benchmarks\.\w+)", text)}
    assert len(named) > 10
    for module in named:
        assert find_spec(module) is not None, module


def test_each_figure_of_the_readme_has_a_date_and_a_command_that_the_benchmarks_name() -> None:
    figures = [row for row in rows(README) if len(row) == 4 and re.fullmatch(r"\d{4}-\d\d-\d\d", row[2])]
    assert len(figures) == 6
    for _, _, date, command in figures:
        assert f"{command} ({date})" in DOCS["benchmarks.md"]
