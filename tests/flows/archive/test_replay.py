from collections.abc import Sequence
from dataclasses import replace as changed
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flows.archive.replay import Replay, Work, detect_here, replay
from flows.archive.segment_detections import SegmentDetections
from streetloop.cameras.camera_file import Camera, parse_camera
from streetloop.errors import NotFound
from streetloop.ledger import open_ledger
from streetloop.ledger.segments import Segment, find_segments
from streetloop.settings import Settings
from streetloop.storage.open import open_store
from streetloop.storage.store import ObjectStore
from tests.support.samples.odd_clips import quarters, steady, write_stamped
from tests.support.samples.tiny_model import detector_output, write_tiny_model
from tests.support.stream_flow.served import serve_and_record
from train.model.model_file import ModelFile, open_model

_ALWAYS = datetime(2026, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


class Served:
    """Eight seconds of a camera, served by a tiny model and recorded."""

    def __init__(self, folder: Path) -> None:
        clip = write_stamped(folder / "clip.mp4", steady(200, 25), lambda k: quarters(k, 64, 64), fps=25)
        self.settings = Settings(
            home=folder / "home", image_size=64, gate=False, backend="onnx", record_segment_s=3
        )
        road = {"kind": "carriageway", "polygon": [[0, 0], [1, 0], [1, 1], [0, 1]]}
        self.camera: Camera = parse_camera(
            {
                "id": "a",
                "uri": f"file://{clip}?live=0",
                "record": "continuous",
                "fps": 10,
                "zones": {"road": road},
                "anomalies": {"stopped_vehicle": {"min_stop_s": 3}, "wrong_way": {}},
            }
        )
        model = write_tiny_model(folder / "one.onnx", detector_output((32, 32, 9, 9, 0, 0.9)))
        self.model = serve_and_record(self.camera, model, self.settings)
        self.store = open_store(self.settings)
        ledger = open_ledger(self.settings.ledger)
        self.segments: list[Segment] = find_segments(ledger, "a")
        ledger.close()

    def replay(self, model: ModelFile, period: tuple[datetime, datetime] = _ALWAYS, detect=None) -> Replay:  # type: ignore[no-untyped-def]
        return replay(self.store, self.segments, self.camera, period, model, self.settings, detect)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Served:
    return Served(tmp_path_factory.mktemp("served"))


def test_the_version_that_served_sees_the_same_again_in_the_same_frames(served: Served) -> None:
    found = served.replay(served.model)
    assert len(served.segments) == 3
    assert found.frames == found.matched == 80  # ten a second, of eight
    assert found.fps > 0
    version = served.model.version
    assert found.versions.keys() == {version, f"{version} (replayed)"}
    one, other = found.versions.values()
    assert (one.detections, one.tracks) == (other.detections, other.tracks) == (80, 1)
    assert one.events == other.events == {"stopped_vehicle": 1, "wrong_way": 0}


def test_another_version_differs(served: Served, tmp_path: Path) -> None:
    other = write_tiny_model(tmp_path / "other.onnx", detector_output((20, 20, 9, 9, 0, 0.9)))
    model = open_model(str(other), served.settings.models)
    found = served.replay(model)
    assert (found.frames, found.matched) == (80, 0)
    assert list(found.versions) == [served.model.version, model.version]


def test_a_version_that_misses_what_stands_finds_no_event(served: Served, tmp_path: Path) -> None:
    blind = write_tiny_model(tmp_path / "blind.onnx", detector_output((32, 32, 9, 9, 0, 0.05)))
    before, after = served.replay(open_model(str(blind), served.settings.models)).versions.values()
    assert (before.events["stopped_vehicle"], after.events["stopped_vehicle"]) == (1, 0)


def test_a_replay_that_was_interrupted_goes_on_where_it_was(served: Served, tmp_path: Path) -> None:
    third = write_tiny_model(tmp_path / "third.onnx", detector_output((32, 32, 9, 9, 0, 0.7)))
    model = open_model(str(third), served.settings.models)
    asked: list[int] = []

    def once(
        work: Sequence[Work], model: ModelFile, settings: Settings, store: ObjectStore
    ) -> dict[str, SegmentDetections]:
        asked.append(len(work))
        found = detect_here(work[:1], model, settings, store)
        if len(asked) == 1:
            raise KeyboardInterrupt
        return found | detect_here(work[1:], model, settings, store)

    with pytest.raises(KeyboardInterrupt):
        served.replay(model, detect=once)
    assert served.replay(model, detect=once).frames == 80
    assert asked == [3, 2]
    assert served.replay(model, detect=once).fps == 0.0
    assert asked == [3, 2]


def test_only_frames_of_the_period_count(served: Served) -> None:
    # Alone: a clip that is read as fast as it goes leaves segments that overlap in time.
    one = served.segments[1]
    period = one.started_at, one.started_at + timedelta(seconds=1)
    found = replay(served.store, [one], served.camera, period, served.model, served.settings)
    assert found.frames in {10, 11}


def test_what_was_not_served_cannot_be_compared(served: Served) -> None:
    with pytest.raises(NotFound, match="nothing to compare"):
        served.replay(served.model, (_ALWAYS[0], _ALWAYS[0] + timedelta(days=1)))
    unknown = [changed(one, run=None) for one in served.segments]
    with pytest.raises(NotFound, match="nothing to compare"):
        replay(served.store, unknown, served.camera, _ALWAYS, served.model, served.settings)


@pytest.mark.model
def test_a_real_street_is_seen_again_as_it_was_served(
    weights: Path, street_clip: Path, model_cache: Path, tmp_path: Path
) -> None:
    settings = Settings(home=tmp_path / "home", image_size=320, record_segment_s=3)
    line = {"mid": [[0.0, 0.6], [1.0, 0.6]]}
    document = {"id": "a", "uri": f"file://{street_clip}?live=0", "record": "continuous", "fps": 2}
    camera = parse_camera({**document, "lines": line})
    model = serve_and_record(camera, weights, settings, patience_s=240)
    ledger = open_ledger(settings.ledger)
    segments = find_segments(ledger, "a")
    ledger.close()
    found = replay(open_store(settings), segments, camera, _ALWAYS, model, settings)
    assert found.frames >= 15
    assert found.frames - found.matched <= 0.005 * found.frames
    one, other = found.versions.values()
    assert one.detections == pytest.approx(other.detections, rel=0.01)
    assert one.lines == other.lines
