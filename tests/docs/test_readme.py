"""What the README and the docs say is so: files exist, examples parse, commands run."""

import json
import re
import shlex
from pathlib import Path

import duckdb
import numpy as np
import pandas
import polars
import pytest
import typer
from typer.testing import CliRunner

from flows.cli.main import app
from flows.stream.analysis.results import Result
from flows.stream.sinks.detection_log import DetectionLog
from streetloop.cameras import parse_cameras
from streetloop.clock import SystemClock
from streetloop.settings import Settings
from streetloop.storage.store import FolderStore
from streetloop.types import UNCONFIRMED, ArrayPicture, Detections, Frame, Tracked

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
DOCS = {path.name: path.read_text() for path in sorted((ROOT / "docs").glob("*.md"))}


def blocks(text: str, language: str) -> list[str]:
    fences = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return [body for kind, body in fences if kind == language]


def commands() -> list[str]:
    lines = [line for text in (README, *DOCS.values()) for b in blocks(text, "sh") for line in b.splitlines()]
    return [line.split("#")[0].strip() for line in lines if line.strip()]


@pytest.mark.parametrize("command", [c for c in commands() if "streetloop " in c])
def test_a_command_and_its_flags_exist(command: str) -> None:
    name, *arguments = shlex.split(command)[1:]
    path = [name]
    group = typer.main.get_command(app)
    for word in [name, *arguments]:
        found = getattr(group, "commands", {}).get(word)
        if found is None:
            break
        group, path = found, [*path, word] if word != name else path
    shown = CliRunner().invoke(app, [*path, "--help"], env={"COLUMNS": "200"})
    assert shown.exit_code == 0
    for flag in (a for a in arguments if a.startswith("--")):
        assert flag in shown.stdout


@pytest.mark.parametrize("command", [c for c in commands() if c.startswith("make ")])
def test_a_make_target_exists(command: str) -> None:
    target = command.split()[1]
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_every_yaml_example_is_a_camera_file() -> None:
    examples = [b for text in (README, *DOCS.values()) for b in blocks(text, "yaml")]
    assert len(examples) >= 2
    for example in examples:
        assert parse_cameras(example).cameras


def test_the_json_example_adds_up() -> None:
    (example,) = blocks(README, "json")
    for camera in json.loads(example)["cameras"].values():
        fates = ("detected", "gated", "dropped", "failed")
        assert camera["decoded"] == sum(camera[fate] for fate in fates)


def test_the_tree_names_every_module_and_no_other() -> None:
    (tree,) = [b for b in blocks(README, "") if b.startswith("flows/")]
    named = set(re.findall(r"\b([a-z0-9_]+\.py)\b", tree))
    rooms = ("flows", "serve", "train", "drift", "labeling", "streetloop")
    there = {p.name for room in rooms for p in (ROOT / room).rglob("*.py")} - {"__init__.py"}
    assert named == there


def test_the_log_is_read_as_the_readme_says(tmp_path: Path) -> None:
    log = _small_log(tmp_path)
    (block,) = blocks(README, "python")
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
        log.take(Result(frame, Tracked(boxes, np.array([track])), [], "v1"))
    log.close()
    return store.uri("log")


def test_every_link_and_picture_is_there() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_every_benchmark_of_the_table_is_there() -> None:
    for module in re.findall(r"python -m (benchmarks\.\w+)", README):
        assert (ROOT / (module.replace(".", "/") + ".py")).exists()


def test_operations_names_every_setting() -> None:
    for name in Settings.model_fields:
        mentioned = (
            f"`{name}`" in DOCS["operations.md"] or f"STREETLOOP_{name.upper()}" in (DOCS["operations.md"])
        )
        assert mentioned, name
