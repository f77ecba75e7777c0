import threading
from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.stream.inference.batching import choose, pack
from flows.stream.inference.pace import Pace
from flows.stream.ingest.accounting import FrameAccount
from streetloop.types import ArrayPicture, Frame
from tests.support.stream_flow.build import CountingMailbox, frame, plain
from train.model.contract import ANY_SIZE, ModelInput

_IMAGE_SIZE = 64
_WIDE = plain(64, 32)  # fills its input of 32 x 64
_SQUARE = plain(64, 64)


class _Cameras:
    """The mailboxes of some cameras."""

    def __init__(self, ids: str, staleness_s: float = 0.5, *, lossless: bool = False) -> None:
        self._ready = threading.Condition()
        self.accounts = {camera_id: FrameAccount() for camera_id in ids}
        self._mailboxes = {
            camera_id: CountingMailbox(account, staleness_s, self._ready, lossless=lossless)
            for camera_id, account in self.accounts.items()
        }
        self._put: Counter[str] = Counter()

    def put(self, camera_id: str, count: int = 1, picture: ArrayPicture = _WIDE) -> None:
        for _ in range(count):
            index = self._put[camera_id]
            self._put[camera_id] += 1
            self._mailboxes[camera_id].put(frame(index, camera_id=camera_id, picture=picture), capacity=1000)

    def choose(
        self,
        turn: int = 0,
        pace: Pace | None = None,
        max_batch: int = 8,
        now_s: float = 0.0,
        model_input: ModelInput = ANY_SIZE,
    ) -> list[Frame]:
        pace = pace or Pace(0.5, max_batch)
        with self._ready:
            waiting = list(self._mailboxes.values())
            return choose(waiting, turn, pace, max_batch, _IMAGE_SIZE, now_s, model_input)

    def waiting(self, camera_id: str) -> int:
        return len(self._mailboxes[camera_id])


def _shares(frames: list[Frame]) -> dict[str, int]:
    return dict(Counter(f.camera_id for f in frames))


def test_without_waiting_frames_the_batch_is_empty() -> None:
    assert _Cameras("").choose() == []
    assert _Cameras("ab").choose() == []


def test_cameras_share_a_batch_evenly() -> None:
    cameras = _Cameras("abcd", lossless=True)
    for camera_id in "abcd":
        cameras.put(camera_id, 10)

    assert _shares(cameras.choose()) == {"a": 2, "b": 2, "c": 2, "d": 2}


def test_an_unused_share_goes_to_the_other_cameras() -> None:
    cameras = _Cameras("abc", lossless=True)
    cameras.put("a", 1)
    cameras.put("b", 10)
    cameras.put("c", 10)

    assert _shares(cameras.choose(max_batch=9)) == {"a": 1, "b": 4, "c": 4}


def test_with_more_cameras_than_the_batch_holds_all_take_turns() -> None:
    cameras = _Cameras("abcde", lossless=True)
    for camera_id in "abcde":
        cameras.put(camera_id, 10)
    batches = [cameras.choose(turn, max_batch=2) for turn in range(5)]

    assert all(len(batch) == 2 for batch in batches)
    assert Counter(f.camera_id for batch in batches for f in batch) == dict.fromkeys("abcde", 2)


def test_each_turn_begins_with_another_camera() -> None:
    cameras = _Cameras("abc", lossless=True)
    for camera_id in "abc":
        cameras.put(camera_id, 10)
    first = [cameras.choose(turn, max_batch=3)[0].camera_id for turn in range(4)]

    assert first == ["a", "b", "c", "a"]


def test_a_batch_has_one_input_shape_and_other_frames_stay() -> None:
    cameras = _Cameras("ab", lossless=True)
    cameras.put("a", 3, _WIDE)
    cameras.put("b", 3, _SQUARE)

    assert _shares(cameras.choose(turn=0)) == {"a": 3}
    assert cameras.waiting("b") == 3
    assert _shares(cameras.choose(turn=1)) == {"b": 3}


def test_pictures_of_different_size_share_a_batch_if_their_input_is_the_same() -> None:
    cameras = _Cameras("ab", lossless=True)
    cameras.put("a", 1, plain(64, 32))
    cameras.put("b", 1, plain(640, 300))

    assert _shares(cameras.choose()) == {"a": 1, "b": 1}


def test_a_camera_that_changes_its_resolution_loses_nothing() -> None:
    cameras = _Cameras("a", lossless=True)
    for picture, count in ((_WIDE, 2), (_SQUARE, 3), (_WIDE, 1)):
        cameras.put("a", count, picture)
    batches = [[f.frame_id for f in cameras.choose(turn)] for turn in range(3)]

    assert batches == [[0, 1], [2, 3, 4], [5]]


def test_a_camera_of_another_resolution_is_not_starved_by_full_batches() -> None:
    cameras = _Cameras("abc")
    cameras.put("c", 1, _SQUARE)
    seen: Counter[str] = Counter()
    for turn in range(3):
        cameras.put("a", 8)
        cameras.put("b", 8)
        seen.update(f.camera_id for f in cameras.choose(turn))

    assert seen["c"] == 1


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 6), st.booleans()), min_size=1, max_size=12),
    st.integers(1, 8),
)
def test_lossless_cameras_are_emptied_in_order_whatever_their_resolutions(
    puts: list[tuple[str, int, bool]], max_batch: int
) -> None:
    cameras = _Cameras("abc", lossless=True)
    for camera_id, count, square in puts:
        cameras.put(camera_id, count, _SQUARE if square else _WIDE)
    expected = {i: list(range(cameras.waiting(i))) for i in "abc" if cameras.waiting(i)}

    seen: dict[str, list[int]] = defaultdict(list)
    turn = 0
    while batch := cameras.choose(turn, max_batch=max_batch):
        assert len(batch) <= max_batch
        assert len({(f.picture.height, f.picture.width) for f in batch}) == 1
        for f in batch:
            seen[f.camera_id].append(f.frame_id)
        turn += 1

    assert seen == expected


def test_a_live_batch_is_no_larger_than_the_detector_answers_in_time() -> None:
    pace = Pace(0.5, max_batch=8)
    pace.observe(frames=1, seconds=0.1)
    cameras = _Cameras("a")
    cameras.put("a", 8)

    # A fifth of a second is the share of one batch in the budget: two frames of a tenth each.
    batch = cameras.choose(pace=pace)
    assert [f.frame_id for f in batch] == [3, 7]
    assert cameras.accounts["a"].snapshot().dropped == 6


def test_a_live_batch_is_limited_for_all_cameras_together() -> None:
    pace = Pace(0.5, max_batch=8)
    pace.observe(frames=1, seconds=0.1)
    cameras = _Cameras("abcd")
    for camera_id in "abcd":
        cameras.put(camera_id, 1)

    assert _shares(cameras.choose(pace=pace)) == {"a": 1, "b": 1}
    assert _shares(cameras.choose(turn=2, pace=pace)) == {"c": 1, "d": 1}


def test_a_slow_detector_does_not_make_lossless_batches_smaller() -> None:
    pace = Pace(0.5, max_batch=8)
    pace.observe(frames=1, seconds=10.0)
    cameras = _Cameras("a", lossless=True)
    cameras.put("a", 20)

    assert [f.frame_id for f in cameras.choose(pace=pace)] == list(range(8))


def test_a_detector_without_history_gets_full_batches() -> None:
    pace = Pace(0.5, max_batch=8)

    assert pace.batch_size == pace.frames_in_budget == 8


def test_the_slowest_detector_still_gets_one_frame() -> None:
    pace = Pace(0.5, max_batch=8)
    pace.observe(frames=1, seconds=100.0)

    assert pace.batch_size == pace.frames_in_budget == 1


def test_a_fast_detector_gets_no_more_than_the_largest_batch() -> None:
    pace = Pace(0.5, max_batch=8)
    pace.observe(frames=8, seconds=0.008)

    assert pace.batch_size == 8
    assert pace.frames_in_budget == 200


def test_the_pace_is_smoothed_and_follows_a_lasting_change() -> None:
    pace = Pace(0.5, max_batch=64)
    for _ in range(10):
        pace.observe(frames=4, seconds=0.04)
    before = pace.frames_in_budget
    pace.observe(frames=4, seconds=0.08)
    assert before / 2 < pace.frames_in_budget < before

    for _ in range(30):
        pace.observe(frames=4, seconds=0.08)
    assert pace.frames_in_budget == pytest.approx(before / 2, abs=1)


def test_one_frame_that_stalls_weighs_as_one_frame() -> None:
    pace = Pace(60.0, max_batch=8)
    for _ in range(10):
        pace.observe(frames=8, seconds=0.08)
    pace.observe(frames=1, seconds=3.0)
    assert pace.frames_in_budget > 8 * 30  # what eight cameras at 10 frames a second decoded meanwhile


def test_packing_centres_each_frame_in_its_image() -> None:
    frames = [
        frame(0, camera_id="wide", picture=plain(64, 40, 10)),
        frame(1, camera_id="other", picture=plain(128, 80, 200)),
    ]

    batch = pack(frames, _IMAGE_SIZE)

    assert batch.images.shape == (2, 64, 64, 3)
    assert batch.frames == frames
    for image, box, value in zip(batch.images, batch.letterboxes, (10, 200), strict=True):
        assert (box.left, box.top) == (0, 12)
        assert np.all(image[12:52] == value)
        assert np.all(image[:12] == 114)
        assert np.all(image[52:] == 114)


@pytest.mark.parametrize(
    ("model_input", "size"),
    [
        (ModelInput(), (64, 64)),
        (ModelInput(stride=64), (64, 64)),
        (ModelInput(stride=16), (48, 64)),
        (ModelInput(height=32, width=96), (32, 96)),
        (ModelInput(height=128), (128, 64)),
    ],
)
def test_a_batch_has_the_size_that_the_model_takes(model_input: ModelInput, size: tuple[int, int]) -> None:
    batch = pack([frame(0, picture=plain(64, 48))], _IMAGE_SIZE, model_input)
    assert batch.images.shape == (1, *size, 3)


def test_a_stride_of_64_keeps_pictures_of_4_to_3_off_the_size_of_a_stride_of_32() -> None:
    batch = pack([frame(0, picture=plain(640, 480))], 640, ModelInput(stride=64))
    assert batch.images.shape == (1, 512, 640, 3)


def test_cameras_of_all_shapes_share_a_batch_of_fixed_size() -> None:
    cameras = _Cameras("ab", lossless=True)
    cameras.put("a", 2, _WIDE)
    cameras.put("b", 2, _SQUARE)
    assert _shares(cameras.choose()) == {"a": 2}
    cameras = _Cameras("ab", lossless=True)
    cameras.put("a", 2, _WIDE)
    cameras.put("b", 2, _SQUARE)
    assert _shares(cameras.choose(model_input=ModelInput(height=64, width=64))) == {"a": 2, "b": 2}


def test_a_fixed_batch_is_filled_however_slow_it_is() -> None:
    slow = Pace(0.5, 8)
    slow.observe(1, 10.0)
    assert slow.batch_size == 1
    for model_input, cameras_at_a_time in ((ANY_SIZE, 1), (ModelInput(batch=4), 4)):
        cameras = _Cameras("abcde")
        for camera_id in "abcde":
            cameras.put(camera_id)
        assert len(cameras.choose(pace=slow, model_input=model_input)) == cameras_at_a_time


def test_a_fixed_batch_is_filled_from_one_camera_too() -> None:
    slow = Pace(0.5, 8)
    slow.observe(1, 10.0)
    cameras = _Cameras("a")
    cameras.put("a", 6)
    assert len(cameras.choose(pace=slow, model_input=ModelInput(batch=4))) == 4
