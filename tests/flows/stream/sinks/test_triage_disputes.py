"""While two models are compared, the frame that they dispute most is kept, too."""

import gc
import hashlib
import threading
import weakref
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from labeling.scoring import Band, Bands
from streetloop.boxes import Box
from streetloop.errors import StoreError
from streetloop.storage.store import FolderStore
from streetloop.types import Detections, Image
from tests.support.stream_flow.build import found, frame
from tests.support.stream_flow.fakes import PATIENCE_S
from tests.support.stream_flow.triage import (
    BUS,
    CAR,
    CAR_AND_BUS,
    MIDDLE,
    FullStore,
    disagree,
    disagreeing,
    fed,
    seconds,
    seen,
    triage_of,
)


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store")


def test_the_weight_of_a_class_counts_in_a_dispute_too(store: FolderStore) -> None:
    triage = triage_of(store, bands=Bands(of_class={"bus": Band(weight=0.0)}))
    disagree(triage, 1, CAR, found((1, 1, 20, 20), (30, 20, 60, 40), class_id=0))
    disagree(triage, 2, CAR, CAR_AND_BUS)
    (kept,) = disagreeing(fed(triage, [seen(1, 0.9)]))
    assert seconds([kept]) == [1]


def test_the_frame_over_which_two_models_disagree_is_kept_with_the_champions_boxes(
    store: FolderStore,
) -> None:
    triage = triage_of(store)
    disagree(triage, 3)
    (kept,) = disagreeing(fed(triage, [seen(k, 0.9) for k in range(9)]))
    assert seconds([kept]) == [3]
    assert (kept.score, kept.model_version) == (0.75, "champion-1")
    assert kept.boxes == (Box(0, (1, 1, 20, 20), confidence=0.9),)
    assert hashlib.sha256(store.get(kept.image_key)).hexdigest() == kept.digest


def test_of_every_period_and_camera_the_strongest_disagreement_is_kept(store: FolderStore) -> None:
    triage, nothing = triage_of(store), Detections.empty()
    for k in range(30):
        for camera_id in "ab":
            triage.take(seen(k, 0.9, camera_id))
        disagree(triage, k, theirs=BUS if k in {4, 6, 17} else nothing)
    triage.close()
    kept = disagreeing(triage.collect())
    assert {one.camera_id for one in kept} == {"a"}
    assert seconds(kept) == [4, 17, 20], "of equals the first; what came too late, in the next"
    assert [one.score for one in kept] == [0.75, 0.75, 0.5]


@pytest.mark.parametrize(
    "theirs", [CAR, found((2, 2, 21, 21), confidence=0.3), found((1, 1, 20, 20), confidence=0.6)]
)
def test_models_that_agree_give_no_candidate(store: FolderStore, theirs: Detections) -> None:
    triage = triage_of(store)
    disagree(triage, 1, theirs=theirs)
    assert disagreeing(fed(triage, [seen(1, 0.9)])) == []


def test_a_dispute_over_weak_boxes_is_none(store: FolderStore) -> None:
    triage = triage_of(store)
    disagree(triage, 1, theirs=found((1, 1, 20, 20), (30, 9, 50, 40), confidence=[0.9, 0.3]))
    assert disagreeing(fed(triage, [seen(1, 0.9)])) == []


@pytest.mark.parametrize("is_early", [True, False])
def test_a_frame_that_is_drawn_stays_drawn_whoever_disagrees_over_it(
    store: FolderStore, is_early: bool
) -> None:
    # The ledger keeps what was noted first. Both frames of a batch may be compared before the
    # first of them comes out and ends a period.
    triage = triage_of(store, 36_000, seed=1)
    triage.take(seen(0, 0.9))
    if is_early:
        disagree(triage, 11)
    for second in (10.5, 11):
        triage.take(seen(second, 0.9))
    if not is_early:
        disagree(triage, 11)
    triage.close()
    noted = [one.reason for one in triage.collect() if seconds([one]) == [11]]
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
    triage = triage_of(store)
    one = seen(1, confidence)
    triage.take(one)
    triage.add_disagreement(one.frame, one.tracked.detections, theirs, "champion-1")
    triage.close()
    assert [kept.reason for kept in triage.collect()] == [reason]


def test_what_a_rollout_found_is_kept_after_it_was_cut_off(store: FolderStore) -> None:
    triage = triage_of(store)
    for k in range(31):
        triage.take(seen(k, 0.9))
        if k == 13:
            disagree(triage, k)
        if k == 20:
            assert seconds(disagreeing(triage.collect())) == [13]
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


def test_no_picture_is_held_for_a_disagreement(store: FolderStore) -> None:
    triage, picture = triage_of(store), _Watched()
    held = weakref.ref(picture)
    triage.add_disagreement(frame(picture=picture), CAR, BUS, "champion-1")
    del picture
    gc.collect()
    assert held() is None


def test_streams_do_not_wait_while_a_disputed_frame_is_prepared(store: FolderStore) -> None:
    triage, busy, done = triage_of(store), threading.Event(), threading.Event()

    def look() -> None:
        busy.set()
        assert done.wait(PATIENCE_S)

    slow = frame(0, picture=_Watched(look))
    shadow = threading.Thread(target=triage.add_disagreement, args=(slow, CAR, BUS, "champion-1"))
    shadow.start()
    assert busy.wait(PATIENCE_S)
    for k in range(25):
        triage.take(seen(k, MIDDLE))
    assert len(triage.collect()) == 2
    done.set()
    shadow.join(PATIENCE_S)
    triage.close()
    assert len(disagreeing(triage.collect())) == 1


def test_a_store_that_is_full_is_reported_for_a_disagreement_too(store: FolderStore) -> None:
    triage = triage_of(FullStore(store))  # type: ignore[arg-type]
    disagree(triage, 1)
    triage.take(seen(0, 0.9))
    with pytest.raises(StoreError):
        triage.take(seen(10, 0.9))
    assert triage.collect() == []
