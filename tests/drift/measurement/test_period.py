from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import pytest

from drift.measurement.features import NAMES
from drift.measurement.period import DriftPeriod, PeriodBuilder
from streetloop.types import UNCONFIRMED, Detections, Image, Tracked
from tests.drift.support import START
from tests.support.stream_flow.build import found

NOTHING = Tracked(Detections.empty(), np.empty(0, np.int64))
CLASSES = ("car", "bus")


def _picture(seed: int, height: int = 36, width: int = 64) -> Image:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 255, (height, width, 3)).astype(np.uint8)


def _tracked(*boxes: Sequence[float], ids: Sequence[int], class_id: int = 0) -> Tracked:
    return Tracked(found(*boxes, confidence=0.8, class_id=class_id), np.array(ids, np.int64))


class _Camera:
    """Gives frames to a builder as the stream flow does."""

    def __init__(self, period_s: float = 60.0, sample_s: float = 2.0) -> None:
        self.builder = PeriodBuilder("a", CLASSES, period_s, sample_s)
        self.done: list[DriftPeriod] = []
        self.measured = 0

    def show(
        self,
        pts: float,
        tracked: Tracked = NOTHING,
        version: str = "m-1",
        *,
        frame_id: int | None = None,
        picture: Image | None = None,
        fps: float = 2.0,
    ) -> None:
        seed = round(pts * 1000)
        shown = None
        if self.builder.wants_picture(pts):
            shown = _picture(seed) if picture is None else picture
            self.measured += 1
        period = self.builder.take(
            round(pts * fps) if frame_id is None else frame_id,
            pts,
            START + timedelta(seconds=pts),
            tracked,
            version,
            shown,
        )
        self.done += [] if period is None else [period]

    def run(self, begin: float, end: float, tracked: Tracked = NOTHING, fps: float = 2.0) -> None:
        for number in range(round(begin * fps), round(end * fps)):
            self.show(number / fps, tracked, fps=fps)


def test_a_minute_is_given_once_the_next_begins() -> None:
    camera = _Camera()
    camera.run(0, 60)
    assert camera.done == []
    camera.run(60, 121)
    first, second = camera.done
    assert (first.camera_id, first.model_version, first.length_s) == ("a", "m-1", 60.0)
    assert (first.started_at, second.started_at) == (START, START + timedelta(minutes=1))
    assert 0.9 * first.expected <= first.samples <= first.expected + 1
    assert (first.width, first.height) == (64, 36)
    assert first.fps == pytest.approx(2.0)


def test_every_feature_of_a_busy_minute_is_known() -> None:
    camera = _Camera()
    for number in range(140):
        boxes = _tracked((number % 30, 5, number % 30 + 10, 15), ids=[number // 10])
        camera.show(number / 2, boxes)
    (period,) = camera.done
    assert list(period.values) == list(NAMES)
    assert all(np.isfinite(value) for value in period.values.values())
    assert period.values["detections"] == 1.0
    assert period.values["confidence"] == pytest.approx(0.8)
    assert period.values["box_area"] == pytest.approx(np.sqrt(100 / (36 * 64)))


def test_an_empty_road_has_no_confidence_and_no_speed_but_a_brightness() -> None:
    camera = _Camera()
    with np.errstate(all="raise"):
        camera.run(0, 61)
    values = camera.done[0].values
    assert values["detections"] == 0.0
    assert 0.3 < values["brightness"] < 0.7
    for name in ("confidence", "box_area", "speed", "fragmentation"):
        assert np.isnan(values[name])
    assert camera.done[0].mix == {}


def test_only_the_pictures_that_are_measured_are_asked_for() -> None:
    camera = _Camera()
    camera.run(0, 60, fps=25.0)
    assert 30 <= camera.measured <= 31


def test_a_short_minute_still_has_four_pictures() -> None:
    camera = _Camera(period_s=1.0, sample_s=2.0)
    camera.run(0, 1.2, fps=25.0)
    assert camera.done[0].expected == 4
    assert camera.done[0].samples >= 4


def test_a_frame_without_a_picture_counts_for_the_tracks_alone() -> None:
    builder = PeriodBuilder("a", CLASSES)
    for pts in (0.0, 1.0, 61.0):
        period = builder.take(0, pts, START, _tracked((0, 0, 9, 9), ids=[4]), "m-1", None)
    assert period is not None
    assert period.samples == 0
    assert period.mix == {"car": 1}
    assert period.edges is None
    assert period.picture is None
    assert (period.width, period.height, period.still) == (0, 0, False)


def test_a_gap_leaves_out_pictures_and_makes_no_empty_minutes() -> None:
    camera = _Camera()
    camera.run(0, 30)
    camera.run(330, 400)
    gap, after = camera.done[0], camera.builder
    assert gap.samples <= 16
    assert gap.expected == 30
    assert len(camera.done) == 2
    assert camera.done[1].started_at == START + timedelta(seconds=330)
    assert after.wants_picture(400.5)


def test_a_single_frame_has_no_rate_and_does_not_stand_still() -> None:
    camera = _Camera()
    camera.show(0.0)
    camera.show(60.0)
    assert camera.done[0].fps == 0.0
    assert not camera.done[0].still


def test_the_rate_is_that_of_the_stream_not_of_what_was_looked_at() -> None:
    camera = _Camera()
    for number in range(62):
        camera.show(float(number), frame_id=number * 25)
    assert camera.done[0].fps == pytest.approx(25.0)


def test_pictures_that_are_all_the_same_stand_still() -> None:
    camera = _Camera()
    for number in range(182):
        camera.show(float(number), picture=_picture(min(number, 60)))
    moving, frozen_from_its_first, frozen = camera.done
    assert not moving.still
    assert frozen.still
    # Its first picture was still another than the last one before.
    assert not frozen_from_its_first.still


def test_another_size_is_another_picture() -> None:
    camera = _Camera()
    camera.run(0, 58)
    camera.show(59.0, picture=_picture(1, 72, 128))
    camera.show(61.0)
    assert (camera.done[0].width, camera.done[0].height) == (128, 72)
    assert not camera.done[0].still


def test_a_track_counts_in_the_minute_in_which_it_appears() -> None:
    camera = _Camera()
    camera.run(0, 30, _tracked((0, 0, 9, 9), ids=[1]))
    camera.run(30, 90, _tracked((0, 0, 9, 9), (20, 20, 29, 29), ids=[1, 2], class_id=1))
    camera.run(90, 121, _tracked((0, 0, 9, 9), ids=[3]))
    assert [period.mix for period in camera.done] == [{"car": 1, "bus": 1}, {"car": 1}]


def test_boxes_without_a_track_are_found_but_no_traffic() -> None:
    camera = _Camera()
    camera.run(0, 61, _tracked((0, 0, 9, 9), ids=[UNCONFIRMED]))
    assert camera.done[0].mix == {}
    assert camera.done[0].values["detections"] == 1.0


def test_speed_is_in_diagonals_of_the_box() -> None:
    camera = _Camera()
    for number in range(20):  # 6 pixels to the right in half a second, a diagonal of 10
        camera.show(number / 2, _tracked((6 * number, 0, 6 * number + 8, 6), ids=[1]))
    camera.run(10, 61)
    assert camera.done[0].values["speed"] == pytest.approx(1.2)
    assert camera.done[0].values["fragmentation"] == 0.0


def test_tracks_that_end_at_once_are_fragments() -> None:
    camera = _Camera()
    for number in range(100):
        camera.show(number / 2, _tracked((0, 0, 9, 9), ids=[number]))
    camera.run(50, 61)
    assert camera.done[0].values["fragmentation"] == 1.0
    assert np.isnan(camera.done[0].values["speed"])


def test_a_box_without_extent_is_no_division_by_zero() -> None:
    camera = _Camera()
    with np.errstate(all="raise"):
        for number in range(10):
            camera.show(number / 2, _tracked((number, 5, number, 5), ids=[1]))
        camera.run(5, 61)
    assert camera.done[0].values["box_area"] == 0.0
    assert np.isfinite(camera.done[0].values["speed"])


def test_a_minute_in_which_the_model_changed_is_of_neither() -> None:
    camera = _Camera()
    camera.run(0, 80)
    for number in range(160, 400):
        camera.show(number / 2, version="m-2")
    first, second = camera.done
    assert (first.model_version, first.started_at) == ("m-1", START)
    assert (second.model_version, second.started_at) == ("m-2", START + timedelta(minutes=2))
    assert second.samples >= 0.9 * second.expected


def test_minutes_are_in_the_time_of_the_stream_also_where_it_runs_faster() -> None:
    builder = PeriodBuilder("a", CLASSES)
    done = []
    for number in range(3):  # a minute of the stream in a second of the wall's clock
        at = START + timedelta(seconds=number)
        done.append(builder.take(number, 60.0 * number, at, NOTHING, "m-1", None))
    assert [period.started_at for period in done if period is not None] == [
        START,
        START + timedelta(minutes=1),
    ]


@pytest.mark.parametrize(("height", "width"), [(1080, 1920), (180, 320), (20, 4000)])
def test_the_kept_picture_is_small(height: int, width: int) -> None:
    camera = _Camera()
    camera.show(0.0, picture=_picture(0, height, width))
    camera.show(60.0)
    picture = camera.done[0].picture
    assert picture is not None
    assert picture.shape[1] == min(width, 480)
    assert picture.shape[0] == max(1, round(height * picture.shape[1] / width))
