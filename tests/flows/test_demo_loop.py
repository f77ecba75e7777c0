"""The demo's loop, short: a model that is soon better, and a night that falls at once."""

from pathlib import Path

import pytest

import flows.demo_course
import flows.demo_loop
from flows.demo_loop import POLICY, close_loop
from tests.support.learning import SMALL, write_weak_model

pytestmark = [pytest.mark.ray, pytest.mark.timeout(900)]

_CHANGES = {
    "image_size": 320,
    "learn_drift_labels": 60,
    "label_every_s": 1.0,
    "triage_period_s": 0.2,
    "learn_recipe": {**SMALL, "imgsz": 320, "blend": 1.0},
}


def test_night_falls_and_a_better_model_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flows.demo_loop, "NIGHT_AT_S", 15)
    monkeypatch.setattr(flows.demo_loop, "NIGHT_FALLS_S", 5)
    monkeypatch.setattr(flows.demo_course, "_AFTERWARDS_S", 5.0)
    # What is learned in seconds is better in all, and not in every class.
    kind = POLICY.model_copy(update={"margin": 0.9})
    monkeypatch.setattr(flows.demo_loop, "POLICY", kind)
    weak = write_weak_model(tmp_path / "weak.pt")
    said: list[str] = []

    story, report = close_loop(
        tmp_path / "demo", said.append, lambda _: None, app=False,
        changes={**_CHANGES, "model": str(weak)},
    )  # fmt: skip

    assert story.closed, said
    plain = story.as_json(report)
    assert plain["map50"]["night"]["after"] > plain["map50"]["night"]["before"]
    assert plain["labels"] >= 60
    frames = plain["frames"]
    assert frames["decoded"] == sum(frames[k] for k in frames if k != "decoded")
    assert "promoted" in report.read_text()
