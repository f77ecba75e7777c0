import threading

import numpy as np

from flows.stream.sinks.drift_sampler import DriftSampler
from streetloop.types import ArrayPicture, Image
from tests.support.stream_flow.build import found, frame, plain, result


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


def _drift_sampler(max_periods: int = 10_000) -> DriftSampler:
    return DriftSampler(
        ("car", "bus"), period_s=10.0, sample_s=dict.fromkeys("abc", 1.0), max_periods=max_periods
    )


def _take(sampler: DriftSampler, seconds: int, *cameras: str) -> None:
    for second in range(seconds):
        for camera in cameras:
            sampler.take(result(frame(second, camera_id=camera, pts=float(second))))


def test_periods_are_kept_until_they_are_collected() -> None:
    sampler = _drift_sampler()
    _take(sampler, 31, "a")
    assert len(sampler.collect()) == 3
    assert sampler.collect() == []


def test_each_camera_has_its_own_periods() -> None:
    sampler = _drift_sampler()
    _take(sampler, 21, "a", "b")
    periods = sampler.collect()
    assert sorted(period.camera_id for period in periods) == ["a", "a", "b", "b"]
    for camera in "ab":
        starts = [period.started_at for period in periods if period.camera_id == camera]
        assert starts == sorted(starts)


def test_a_period_aggregates_the_results() -> None:
    sampler = _drift_sampler()
    boxes = found((0, 0, 10, 10), confidence=0.5, class_id=1)
    for second in range(11):
        picture = ArrayPicture(np.full((48, 64, 3), 100 + second, np.uint8))
        of = frame(second, pts=float(second), picture=picture)
        sampler.take(result(of, boxes, [7]))
    (period,) = sampler.collect()
    assert period.mix == {"bus": 1}
    assert period.values["confidence"] == 0.5
    assert (period.width, period.height) == (64, 48)
    assert period.model_version == "model-1"
    assert not period.still


def test_pixels_of_frames_that_are_not_measured_are_not_converted() -> None:
    sampler = _drift_sampler()
    pictures = [_Counted() for _ in range(100)]
    for number, picture in enumerate(pictures):
        sampler.take(result(frame(number, pts=number / 10, picture=picture)))
    assert 10 <= sum(picture.conversions for picture in pictures) <= 11


def test_the_oldest_periods_are_discarded_if_nobody_collects() -> None:
    sampler = _drift_sampler(max_periods=2)
    _take(sampler, 51, "a")
    starts = [period.started_at.second for period in sampler.collect()]
    assert starts == [30, 40]


def test_an_unfinished_period_is_discarded() -> None:
    sampler = _drift_sampler()
    _take(sampler, 9, "a")
    sampler.close()
    assert sampler.collect() == []


def test_each_period_is_collected_once_by_concurrent_threads() -> None:
    sampler = _drift_sampler()
    collected = []
    over = threading.Event()

    def collect() -> None:
        while not over.is_set():
            collected.extend(sampler.collect())

    collector = threading.Thread(target=collect)
    collector.start()
    _take(sampler, 301, "a")
    over.set()
    collector.join()
    collected.extend(sampler.collect())
    assert len({period.started_at for period in collected}) == len(collected) == 30
