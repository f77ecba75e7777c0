"""The demo's loop with all its real parts, in a short form."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.ray, pytest.mark.timeout(900)]


def test_night_falls_and_a_better_model_serves(tmp_path: Path) -> None:
    played = subprocess.run(
        [sys.executable, "-m", "tests.support.short_demo", str(tmp_path / "home")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert played.returncode == 0, played.stderr[-3000:]
    found = json.loads(played.stdout)
    assert found["closed"], played.stderr[-3000:]
    assert found["map50"]["night"]["after"] > found["map50"]["night"]["before"]
    assert found["labels"] >= 60
    frames = found["frames"]
    assert frames["decoded"] == sum(frames[fate] for fate in frames if fate != "decoded")
    assert "promoted" in Path(found["report"]).read_text()
