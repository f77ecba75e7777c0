"""Of each camera the frame that the model is least sure of, kept whole, and some at random."""

import gc
import hashlib
import threading
import weakref
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest

from flows.stream.analysis.results import Result
from flows.stream.sinks.triage import Triage, bands_of
from flows.stream.sources.simulated import SimulatedSource
from labeling.scoring import Band, Bands
from streetloop.boxes import Box
from streetloop.errors import ConfigError, StoreError
from streetloop.images import decode_image
from streetloop.ledger.reviews import FrameRecord
from streetloop.settings import read_settings
from streetloop.storage.store import FolderStore
from streetloop.types import ArrayPicture, Detections, Image
from tests.support.build import NOON, found, frame, result
from tests.support.city import SMALL
from tests.support.fakes import PATIENCE_S, FakeClock

NAMES = ("car", "bus")
MIDDLE = 0.425
URI = f"sim://kingsport/crossing?{SMALL}&live=0&frames=60"


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store")


def _triage(store: FolderStore, random_a_hour: float = 0.0, **others: object) -> Triage:
    return Triage(store, NAMES, 10.0, random_a_hour, others.pop("origins", {}), **others)  # type: ignore[arg-type]


def _result(
    second: float, confidence: float | None = None, camera_id: str = "a", track: tuple[int, int] | None = None
) -> Result:
    """A frame that no other is like, with a box of which the model is so sure."""
    rng = np.random.default_rng(round(second * 1000) + ord(camera_id[0]) * 10**8)
    picture = ArrayPicture(rng.integers(0, 255, (48, 64, 3)).astype(np.uint8))
    of = frame(round(second * 25), camera_id=camera_id, pts=second, picture=picture)
    if track is not None:
        return result(of, found((1, 1, 20, 20), class_id=track[1]), [track[0]])
    if confidence is None:
        return result(of)
    return result(of, found((1, 1, 20, 20), confidence=confidence))


def _fed(triage: Triage, results: Iterable[Result]) -> list[FrameRecord]:
    for one in results:
        triage.take(one)
    triage.close()
    return triage.collect()


def _seconds(reviews: Sequence[FrameRecord]) -> list[float]:
    return [(one.captured_at - NOON).total_seconds() for one in reviews]


def test_of_every_period_the_frame_that_the_model_is_least_sure_of_is_kept(store: FolderStore) -> None:
    unsure = {3: 0.4, 7: MIDDLE, 12: 0.3, 18: 0.35, 25: MIDDLE, 26: MIDDLE}
    kept = _fed(_triage(store), [_result(k, unsure.get(k, 0.9)) for k in range(30)])
    assert _seconds(kept) == [7, 18, 25], "of equals the first"
    assert [one.reason for one in kept] == ["unsure"] * 3
    assert [one.score for one in kept] == pytest.approx([0.5, 0.2857, 0.5], abs=1e-3)


def test_a_frame_is_kept_whole_under_its_content(store: FolderStore) -> None:
    (kept,) = _fed(_triage(store), [_result(1, MIDDLE)])
    jpeg = store.get(kept.image_key)
    assert kept.digest == hashlib.sha256(jpeg).hexdigest()
    assert kept.image_key == f"frames/{kept.digest[:2]}/{kept.digest}.jpg"
    assert list(store.keys()) == [kept.image_key]
    image = decode_image(jpeg)
    assert image.shape == (48, 64, 3) == (kept.height, kept.width, 3)
    assert (kept.camera_id, kept.model_version, kept.rank) == ("a", "model-1", None)
    assert [box.xyxy for box in kept.boxes] == [(1, 1, 20, 20)]
    assert (kept.fingerprint.shape, kept.fingerprint.dtype) == ((4,), np.uint64)


def test_each_camera_has_its_own_periods(store: FolderStore) -> None:
    kept = _fed(_triage(store), [_result(k, MIDDLE, camera) for k in range(25) for camera in "ab"])
    assert [one.camera_id for one in kept].count("a") == 3
    assert [one.camera_id for one in kept].count("b") == 3


def test_a_contradictory_track_is_a_reason(store: FolderStore) -> None:
    frames = [_result(k / 10, track=(1, k % 2)) for k in range(10)]
    (kept,) = _fed(_triage(store), frames)
    assert (kept.reason, kept.score) == ("flicker", 1.0)


def test_a_slow_camera_is_not_contradictory(store: FolderStore) -> None:
    (kept,) = _fed(_triage(store), [_result(k / 2, track=(1, 0)) for k in range(18)])
    assert (kept.reason, kept.score) == ("unsure", 0.0)


def test_of_a_street_of_which_the_model_is_sure_a_frame_is_kept_now_and_then(store: FolderStore) -> None:
    kept = _fed(_triage(store), [_result(k, 0.9) for k in range(300)])
    assert 4 <= len(kept) <= 6, "of 30 periods every sixth"
    assert {one.score for one in kept} == {0.0}


def test_the_bands_are_those_that_are_set(store: FolderStore) -> None:
    triage = _triage(store, bands=Bands(Band(0.8, 1.0)))
    (kept,) = _fed(triage, [_result(1, MIDDLE), _result(2, 0.9)])
    assert _seconds([kept]) == [2]


def test_bands_come_from_the_settings(store: FolderStore) -> None:
    settings = read_settings(label_bands={"car": {"low": 0.8, "high": 1.0, "weight": 2}})
    bands = bands_of(settings, NAMES)
    assert bands == Bands(of_class={"car": Band(0.8, 1.0, 2.0)})
    (kept,) = _fed(_triage(store, bands=bands), [_result(1, MIDDLE), _result(2, 0.9)])
    assert _seconds([kept]) == [2]
    assert bands_of(read_settings(), NAMES) == Bands()


def test_a_band_of_a_class_that_the_model_does_not_have_is_a_mistake() -> None:
    settings = read_settings(label_bands={"buss": {}, "car": {}})
    with pytest.raises(ConfigError, match="no class 'buss'; it has car, bus"):
        bands_of(settings, NAMES)


def test_the_weight_of_a_class_counts_in_a_dispute_too(store: FolderStore) -> None:
    triage = _triage(store, bands=Bands(of_class={"bus": Band(weight=0.0)}))
    _contradict(triage, 1, CAR, found((1, 1, 20, 20), (30, 20, 60, 40), class_id=0))
    _contradict(triage, 2, CAR, CAR_AND_BUS)
    (kept,) = _disagreeing(_fed(triage, [_result(1, 0.9)]))
    assert _seconds([kept]) == [1]


def test_what_was_collected_is_not_given_again(store: FolderStore) -> None:
    triage = _triage(store)
    for k in range(11):
        triage.take(_result(k, MIDDLE))
    assert len(triage.collect()) == 1
    assert triage.collect() == []
    triage.close()
    assert len(triage.collect()) == 1
    triage.close()
    assert triage.collect() == []


def test_random_frames_come_as_often_as_asked_for_whatever_they_show(store: FolderStore) -> None:
    sure = _fed(_triage(store, 360, seed=3), [_result(k, 0.9) for k in range(3600)])
    unsure = _fed(_triage(store, 360, seed=3), [_result(k, MIDDLE) for k in range(3600)])
    drawn = [[one for one in kept if one.reason == "random"] for kept in (sure, unsure)]
    assert _seconds(drawn[0]) == _seconds(drawn[1])
    assert 300 <= len(drawn[0]) <= 420  # 360 expected, deviation 19; some fall together
    assert {one.score for one in drawn[0]} == {0.0}
    minutes = np.array(_seconds(drawn[0])) // 600
    assert np.bincount(minutes.astype(int)).min() > 30, "over the whole hour"


def test_without_random_frames_there_are_none(store: FolderStore) -> None:
    kept = _fed(_triage(store, 0.0), [_result(k, 0.9) for k in range(200)])
    assert {one.reason for one in kept} == {"unsure"}


def test_a_frame_that_is_drawn_and_unsure_is_noted_as_drawn_first(store: FolderStore) -> None:
    # The ledger keeps what was noted first: the draw must not depend on what the model says.
    triage = _triage(store, 36_000, seed=1)  # ten a second: every frame is drawn
    kept = _fed(triage, [_result(k, MIDDLE) for k in range(1, 30)])
    both = [d for d in {k.digest for k in kept} if [k.digest for k in kept].count(d) == 2]
    assert both
    for digest in both:
        assert [k.reason for k in kept if k.digest == digest] == ["random", "unsure"]


class _Full:
    """A store that is full for a while."""

    def __init__(self, store: FolderStore) -> None:
        self._store, self.full = store, True

    def put(self, key: str, data: bytes) -> None:
        if self.full:
            raise StoreError("no space left")
        self._store.put(key, data)


def test_a_store_that_is_full_is_said_and_later_frames_are_kept(store: FolderStore) -> None:
    full = _Full(store)
    triage = _triage(full)  # type: ignore[arg-type]
    refused = 0
    for k in range(45):
        full.full = k < 25
        try:
            triage.take(_result(k, MIDDLE))
        except StoreError:
            refused += 1
    assert refused == 2
    assert _seconds(triage.collect()) == [20, 30]
    assert len(list(store.keys())) == 2


def test_frames_of_the_simulated_city_can_be_looked_up_again(store: FolderStore) -> None:
    source = SimulatedSource(URI, FakeClock())
    triage = _triage(store, origins={"a": URI})
    for k, source_frame in enumerate(source.read(threading.Event())):
        of = frame(k, camera_id="a", pts=k / 10, picture=source_frame.picture)
        triage.take(result(of, found((1, 1, 20, 20), confidence=MIDDLE if k == 37 else 0.9)))
    triage.close()
    (kept,) = triage.collect()
    assert kept.origin == {"uri": URI, "frame": 37}


def test_other_addresses_are_not_written_down(store: FolderStore) -> None:
    triage = _triage(store, origins={"a": URI})
    kept = _fed(triage, [_result(1, MIDDLE, "a"), _result(1, MIDDLE, "b")])
    assert [one.origin for one in kept] == [{}, {}], "not a picture of the city"


def test_a_frame_without_boxes_is_a_candidate_too(store: FolderStore) -> None:
    (kept,) = _fed(_triage(store), [_result(1)])
    assert kept.boxes == ()


# Two models


BUS = found((30, 20, 60, 40), class_id=1)
CAR = found((1, 1, 20, 20))
CAR_AND_BUS = Detections(
    np.concatenate([CAR.xyxy, BUS.xyxy]),
    np.concatenate([CAR.confidence, BUS.confidence]),
    np.concatenate([CAR.class_id, BUS.class_id]),
)


def _contradict(
    triage: Triage, second: float, ours: Detections = CAR, theirs: Detections = BUS, camera_id: str = "a"
) -> None:
    triage.contradict(_result(second, 0.9, camera_id).frame, ours, theirs, "champion-1")


def _disagreeing(reviews: Sequence[FrameRecord]) -> list[FrameRecord]:
    return [one for one in reviews if one.reason == "disagreement"]


def test_the_frame_over_which_two_models_disagree_is_kept_with_the_champions_boxes(
    store: FolderStore,
) -> None:
    triage = _triage(store)
    _contradict(triage, 3)
    (kept,) = _disagreeing(_fed(triage, [_result(k, 0.9) for k in range(9)]))
    assert _seconds([kept]) == [3]
    assert (kept.score, kept.model_version) == (0.75, "champion-1")
    assert kept.boxes == (Box(0, (1, 1, 20, 20), confidence=0.9),)
    assert hashlib.sha256(store.get(kept.image_key)).hexdigest() == kept.digest


def test_of_every_period_and_camera_the_strongest_contradiction_is_kept(store: FolderStore) -> None:
    triage, nothing = _triage(store), Detections.empty()
    for k in range(30):
        for camera_id in "ab":
            triage.take(_result(k, 0.9, camera_id))
        _contradict(triage, k, theirs=BUS if k in {4, 6, 17} else nothing)
    triage.close()
    kept = _disagreeing(triage.collect())
    assert {one.camera_id for one in kept} == {"a"}
    assert _seconds(kept) == [4, 17, 20], "of equals the first; what came too late, in the next"
    assert [one.score for one in kept] == [0.75, 0.75, 0.5]


@pytest.mark.parametrize(
    "theirs", [CAR, found((2, 2, 21, 21), confidence=0.3), found((1, 1, 20, 20), confidence=0.6)]
)
def test_models_that_agree_give_no_candidate(store: FolderStore, theirs: Detections) -> None:
    triage = _triage(store)
    _contradict(triage, 1, theirs=theirs)
    assert _disagreeing(_fed(triage, [_result(1, 0.9)])) == []


def test_a_dispute_over_weak_boxes_is_none(store: FolderStore) -> None:
    triage = _triage(store)
    _contradict(triage, 1, theirs=found((1, 1, 20, 20), (30, 9, 50, 40), confidence=[0.9, 0.3]))
    assert _disagreeing(_fed(triage, [_result(1, 0.9)])) == []


@pytest.mark.parametrize("is_early", [True, False])
def test_a_frame_that_is_drawn_stays_drawn_whoever_disagrees_over_it(
    store: FolderStore, is_early: bool
) -> None:
    # The ledger keeps what was noted first. Both frames of a batch may be compared before the
    # first of them comes out and ends a period.
    triage = _triage(store, 36_000, seed=1)
    triage.take(_result(0, 0.9))
    if is_early:
        _contradict(triage, 11)
    for second in (10.5, 11):
        triage.take(_result(second, 0.9))
    if not is_early:
        _contradict(triage, 11)
    triage.close()
    noted = [one.reason for one in triage.collect() if _seconds([one]) == [11]]
    assert noted == ["random", "disagreement"]


@pytest.mark.parametrize(
    ("confidence", "theirs", "reason"),
    [
        (MIDDLE, BUS, "disagreement"),
        (MIDDLE, Detections.empty(), "unsure"),
        (0.9, Detections.empty(), "disagreement"),
    ],
)
def test_a_frame_that_is_best_twice_is_kept_once_for_the_stronger_reason(
    store: FolderStore, confidence: float, theirs: Detections, reason: str
) -> None:
    triage = _triage(store)
    one = _result(1, confidence)
    triage.take(one)
    triage.contradict(one.frame, one.tracked.detections, theirs, "champion-1")
    triage.close()
    assert [kept.reason for kept in triage.collect()] == [reason]


def test_what_a_rollout_found_is_kept_after_it_was_cut_off(store: FolderStore) -> None:
    triage = _triage(store)
    for k in range(31):
        triage.take(_result(k, 0.9))
        if k == 13:
            _contradict(triage, k)
        if k == 20:
            assert _seconds(_disagreeing(triage.collect())) == [13]
    assert triage._disputed == {}


class _Watched:
    """A picture that says when it is looked at, and whether anybody still holds it."""

    width, height = 64, 48

    def __init__(self, looked: Callable[[], object] = lambda: None) -> None:
        self._looked = looked

    def bgr(self) -> Image:
        self._looked()
        return np.zeros((48, 64, 3), np.uint8)

    def luma(self) -> Image:
        return self.bgr()[:, :, 1]


def test_no_picture_is_held_for_a_contradiction(store: FolderStore) -> None:
    triage, picture = _triage(store), _Watched()
    held = weakref.ref(picture)
    triage.contradict(frame(picture=picture), CAR, BUS, "champion-1")
    del picture
    gc.collect()
    assert held() is None


def test_streams_do_not_wait_while_a_contradiction_is_made_ready(store: FolderStore) -> None:
    triage, busy, done = _triage(store), threading.Event(), threading.Event()

    def look() -> None:
        busy.set()
        assert done.wait(PATIENCE_S)

    slow = frame(0, picture=_Watched(look))
    shadow = threading.Thread(target=triage.contradict, args=(slow, CAR, BUS, "champion-1"))
    shadow.start()
    assert busy.wait(PATIENCE_S)
    for k in range(25):
        triage.take(_result(k, MIDDLE))
    assert len(triage.collect()) == 2
    done.set()
    shadow.join(PATIENCE_S)
    triage.close()
    assert len(_disagreeing(triage.collect())) == 1


def test_a_store_that_is_full_is_said_of_a_contradiction_too(store: FolderStore) -> None:
    triage = _triage(_Full(store))  # type: ignore[arg-type]
    _contradict(triage, 1)
    triage.take(_result(0, 0.9))
    with pytest.raises(StoreError):
        triage.take(_result(10, 0.9))
    assert triage.collect() == []
