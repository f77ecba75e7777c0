import threading

import numpy as np

from flows.stream.sinks.drift_sampler import DriftSampler
from streetloop.types import ArrayPicture, Image
from tests.support.build import found, frame, plain, result


class _Counted:
    """A picture that knows how often it was converted."""

    width, height = 64, 48

    def __init__(self) -> None:
        self.conversions = 0

    def bgr(self) -> Image:
        self.conversions += 1
        return plain().bgr()

    def luma(self) -> Image:
        return plain().luma()


def _drift_sampler(most: int = 10_000) -> DriftSampler:
    return DriftSampler(("car", "bus"), period_s=10.0, sample_s=dict.fromkeys("abc", 1.0), most=most)


def _reader(watching: DriftSampler, seconds: int, *cameras: str) -> None:
    for second in range(seconds):
        for camera in cameras:
            watching.take(result(frame(second, camera_id=camera, pts=float(second))))


def test_minutes_are_kept_until_they_are_collected() -> None:
    watching = _drift_sampler()
    _reader(watching, 31, "a")
    assert len(watching.collect()) == 3
    assert watching.collect() == []


def test_each_camera_has_its_own_minutes() -> None:
    watching = _drift_sampler()
    _reader(watching, 21, "a", "b")
    periods = watching.collect()
    assert sorted(period.camera_id for period in periods) == ["a", "a", "b", "b"]
    for camera in "ab":
        starts = [period.started_at for period in periods if period.camera_id == camera]
        assert starts == sorted(starts)


def test_a_minute_says_what_the_results_said() -> None:
    watching = _drift_sampler()
    boxes = found((0, 0, 10, 10), confidence=0.5, class_id=1)
    for second in range(11):
        picture = ArrayPicture(np.full((48, 64, 3), 100 + second, np.uint8))
        of = frame(second, pts=float(second), picture=picture)
        watching.take(result(of, boxes, [7]))
    (period,) = watching.collect()
    assert period.mix == {"bus": 1}
    assert period.values["confidence"] == 0.5
    assert (period.width, period.height) == (64, 48)
    assert period.model_version == "model-1"
    assert not period.still


def test_pictures_that_are_not_measured_are_not_converted() -> None:
    watching = _drift_sampler()
    pictures = [_Counted() for _ in range(100)]
    for number, picture in enumerate(pictures):
        watching.take(result(frame(number, pts=number / 10, picture=picture)))
    assert 10 <= sum(picture.conversions for picture in pictures) <= 11


def test_the_oldest_go_first_if_nobody_collects() -> None:
    watching = _drift_sampler(most=2)
    _reader(watching, 51, "a")
    starts = [period.started_at.second for period in watching.collect()]
    assert starts == [30, 40]


def test_an_unfinished_minute_says_too_little() -> None:
    watching = _drift_sampler()
    _reader(watching, 9, "a")
    watching.close()
    assert watching.collect() == []


def test_nothing_is_lost_or_given_twice_while_another_thread_collects() -> None:
    watching = _drift_sampler()
    collected = []
    over = threading.Event()

    def collect() -> None:
        while not over.is_set():
            collected.extend(watching.collect())

    collector = threading.Thread(target=collect)
    collector.start()
    _reader(watching, 301, "a")
    over.set()
    collector.join()
    collected.extend(watching.collect())
    assert len({period.started_at for period in collected}) == len(collected) == 30
