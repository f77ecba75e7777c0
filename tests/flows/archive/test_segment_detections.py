import threading
from datetime import timedelta
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from flows.archive.segment_detections import SegmentDetections, detect_segment
from flows.archive.served_log import ServedBoxes, ServedFrame
from streetloop.errors import DetectorError
from streetloop.ledger.segments import Segment
from streetloop.storage.store import FolderStore
from streetloop.types import Detections, Image
from tests.support.stream_flow.build import NOON, write_clip
from train.model.predictor import Predictor

_LEVELS = list(range(20, 220, 10))
_NOTHING = ServedBoxes(np.empty((0, 4), np.float32), np.empty(0, np.float32), (), np.empty(0, np.int64))


class _Brightness:
    """Finds one box a picture, as confident as the picture is bright."""

    def __init__(self) -> None:
        self.asked = 0
        self._lock = threading.Lock()

    def input_size(self, width: int, height: int) -> tuple[int, int]:
        return height, width

    def detect(self, images: Image, confidence: float) -> list[Detections]:
        with self._lock:
            self.asked += 1
        box = np.array([[1, 1, 9, 9]], np.float32)
        return [
            Detections(box, np.array([image.mean() / 255], np.float32), np.zeros(1, np.int64))
            for image in images
        ]


class _SecondFirst(_Brightness):
    """Answers the first batch once the second one is answered."""

    def __init__(self) -> None:
        super().__init__()
        self._second = threading.Event()

    def detect(self, images: Image, confidence: float) -> list[Detections]:
        found = super().detect(images, confidence)
        if images[0].mean() < _LEVELS[4]:
            assert self._second.wait(60), "nobody asks for the second"
        else:
            self._second.set()
        return found


def _detect(folder: Path, model: _Brightness, numbers: list[int], streams: int) -> SegmentDetections:
    store = FolderStore(folder / "store")
    data = write_clip(folder / "clip.mp4", _LEVELS, fps=10).read_bytes()
    store.put("archive/clip.mp4", data)
    end = NOON + timedelta(seconds=len(_LEVELS) / 10)
    segment = Segment("archive/clip.mp4", "a", NOON, end, len(data), "", "h264", 64, 48)
    frames = [ServedFrame(number, number / 10, "detected", "v", "b", _NOTHING) for number in numbers]
    return detect_segment(store, segment, frames, cast(Predictor, model), 0.05, streams)


def test_batches_that_are_answered_in_another_order_stay_with_their_frames(tmp_path: Path) -> None:
    found = _detect(tmp_path, _SecondFirst(), list(range(20)), streams=2)
    assert found.frame_id.tolist() == list(range(20))
    assert found.confidence * 255 == pytest.approx(_LEVELS, abs=4)


def test_only_the_frames_that_are_asked_for_are_looked_at(tmp_path: Path) -> None:
    model = _Brightness()
    found = _detect(tmp_path, model, [3, 5, 9], streams=1)
    assert (found.frame_id.tolist(), model.asked) == ([3, 5, 9], 1)
    assert found.confidence * 255 == pytest.approx([_LEVELS[number] for number in (3, 5, 9)], abs=4)


def test_a_model_that_fails_is_an_error(tmp_path: Path) -> None:
    class Failing(_Brightness):
        def detect(self, images: Image, confidence: float) -> list[Detections]:
            raise DetectorError("it is broken")

    with pytest.raises(DetectorError, match="it is broken"):
        _detect(tmp_path, Failing(), list(range(20)), streams=2)
