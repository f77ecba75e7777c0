"""Of each camera the frame that the model is least sure of, kept whole, and some at random."""

import hashlib
import threading
from pathlib import Path

import numpy as np
import pytest

from flows.stream.sinks.triage import bands_of
from flows.stream.sources.simulated import SimulatedSource
from labeling.scoring import Band, Bands
from streetloop.errors import ConfigError, StoreError
from streetloop.images import decode_image
from streetloop.settings import read_settings
from streetloop.storage.store import FolderStore
from tests.support.samples.city import SMALL
from tests.support.stream_flow.build import found, frame, result
from tests.support.stream_flow.fakes import FakeClock
from tests.support.stream_flow.triage import MIDDLE, NAMES, FullStore, fed, seconds, seen, triage_of

URI = f"sim://kingsport/crossing?{SMALL}&live=0&frames=60"


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store")


def test_of_every_period_the_frame_that_the_model_is_least_sure_of_is_kept(store: FolderStore) -> None:
    unsure = {3: 0.4, 7: MIDDLE, 12: 0.3, 18: 0.35, 25: MIDDLE, 26: MIDDLE}
    kept = fed(triage_of(store), [seen(k, unsure.get(k, 0.9)) for k in range(30)])
    assert seconds(kept) == [7, 18, 25], "of equals the first"
    assert [one.reason for one in kept] == ["unsure"] * 3
    assert [one.score for one in kept] == pytest.approx([0.5, 0.2857, 0.5], abs=1e-3)


def test_a_frame_is_kept_whole_under_its_content(store: FolderStore) -> None:
    (kept,) = fed(triage_of(store), [seen(1, MIDDLE)])
    jpeg = store.get(kept.image_key)
    assert kept.digest == hashlib.sha256(jpeg).hexdigest()
    assert kept.image_key == f"frames/{kept.digest[:2]}/{kept.digest}.jpg"
    assert list(store.keys()) == [kept.image_key]
    image = decode_image(jpeg)
    assert image.shape == (48, 64, 3) == (kept.height, kept.width, 3)
    assert (kept.camera_id, kept.model_version, kept.rank) == ("a", "model-1", None)
    assert [box.xyxy for box in kept.boxes] == [(1, 1, 20, 20)]
    assert (kept.fingerprint.shape, kept.fingerprint.dtype) == ((4,), np.uint64)


def test_a_frame_has_the_class_names_of_its_model_and_shows_what_was_served(store: FolderStore) -> None:
    weak, strong = seen(1, 0.3), seen(12, 0.5)
    hidden, shown = fed(triage_of(store, served=0.4), [weak, strong])
    assert hidden.classes == shown.classes == NAMES
    assert [len(one.boxes) for one in (hidden, shown)] == [1, 1], "selection has all boxes"
    assert [len(one.shown) for one in (hidden, shown)] == [0, 1]


def test_each_camera_has_its_own_periods(store: FolderStore) -> None:
    kept = fed(triage_of(store), [seen(k, MIDDLE, camera) for k in range(25) for camera in "ab"])
    assert [one.camera_id for one in kept].count("a") == 3
    assert [one.camera_id for one in kept].count("b") == 3


def test_a_flickering_track_is_a_reason(store: FolderStore) -> None:
    frames = [seen(k / 10, track=(1, k % 2)) for k in range(10)]
    (kept,) = fed(triage_of(store), frames)
    assert (kept.reason, kept.score) == ("flicker", 1.0)


def test_a_slow_camera_does_not_flicker(store: FolderStore) -> None:
    (kept,) = fed(triage_of(store), [seen(k / 2, track=(1, 0)) for k in range(18)])
    assert (kept.reason, kept.score) == ("unsure", 0.0)


def test_of_a_street_of_which_the_model_is_sure_a_frame_is_kept_now_and_then(store: FolderStore) -> None:
    kept = fed(triage_of(store), [seen(k, 0.9) for k in range(300)])
    assert 4 <= len(kept) <= 6, "of 30 periods every sixth"
    assert {one.score for one in kept} == {0.0}


def test_the_bands_are_those_that_are_set(store: FolderStore) -> None:
    triage = triage_of(store, bands=Bands(Band(0.8, 1.0)))
    (kept,) = fed(triage, [seen(1, MIDDLE), seen(2, 0.9)])
    assert seconds([kept]) == [2]


def test_bands_come_from_the_settings(store: FolderStore) -> None:
    settings = read_settings(label_bands={"car": {"low": 0.8, "high": 1.0, "weight": 2}})
    bands = bands_of(settings, NAMES)
    assert bands == Bands(of_class={"car": Band(0.8, 1.0, 2.0)})
    (kept,) = fed(triage_of(store, bands=bands), [seen(1, MIDDLE), seen(2, 0.9)])
    assert seconds([kept]) == [2]
    assert bands_of(read_settings(), NAMES) == Bands()


def test_a_band_of_a_class_that_the_model_does_not_have_is_a_mistake() -> None:
    settings = read_settings(label_bands={"buss": {}, "car": {}})
    with pytest.raises(ConfigError, match="no class 'buss'; it has car, bus"):
        bands_of(settings, NAMES)


def test_what_was_collected_is_not_given_again(store: FolderStore) -> None:
    triage = triage_of(store)
    for k in range(11):
        triage.take(seen(k, MIDDLE))
    assert len(triage.collect()) == 1
    assert triage.collect() == []
    triage.close()
    assert len(triage.collect()) == 1
    triage.close()
    assert triage.collect() == []


def test_random_frames_come_as_often_as_asked_for_whatever_they_show(store: FolderStore) -> None:
    sure = fed(triage_of(store, 360, seed=3), [seen(k, 0.9) for k in range(3600)])
    unsure = fed(triage_of(store, 360, seed=3), [seen(k, MIDDLE) for k in range(3600)])
    drawn = [[one for one in kept if one.reason == "random"] for kept in (sure, unsure)]
    assert seconds(drawn[0]) == seconds(drawn[1])
    assert 300 <= len(drawn[0]) <= 420  # 360 expected, deviation 19; some fall together
    assert {one.score for one in drawn[0]} == {0.0}
    minutes = np.array(seconds(drawn[0])) // 600
    assert np.bincount(minutes.astype(int)).min() > 30, "over the whole hour"


def test_without_random_frames_there_are_none(store: FolderStore) -> None:
    kept = fed(triage_of(store, 0.0), [seen(k, 0.9) for k in range(200)])
    assert {one.reason for one in kept} == {"unsure"}


def test_a_frame_that_is_drawn_and_unsure_is_noted_as_drawn_first(store: FolderStore) -> None:
    # The ledger keeps what was noted first: the draw must not depend on what the model says.
    triage = triage_of(store, 36_000, seed=1)  # ten a second: every frame is drawn
    kept = fed(triage, [seen(k, MIDDLE) for k in range(1, 30)])
    both = [d for d in {k.digest for k in kept} if [k.digest for k in kept].count(d) == 2]
    assert both
    for digest in both:
        assert [k.reason for k in kept if k.digest == digest] == ["random", "unsure"]


def test_a_store_that_is_full_is_said_and_later_frames_are_kept(store: FolderStore) -> None:
    full = FullStore(store)
    triage = triage_of(full)  # type: ignore[arg-type]
    refused = 0
    for k in range(45):
        full.full = k < 25
        try:
            triage.take(seen(k, MIDDLE))
        except StoreError:
            refused += 1
    assert refused == 2
    assert seconds(triage.collect()) == [20, 30]
    assert len(list(store.keys())) == 2


def test_frames_of_the_simulated_city_can_be_looked_up_again(store: FolderStore) -> None:
    source = SimulatedSource(URI, FakeClock())
    triage = triage_of(store, origins={"a": URI})
    for k, source_frame in enumerate(source.read(threading.Event())):
        of = frame(k, camera_id="a", pts=k / 10, picture=source_frame.picture)
        triage.take(result(of, found((1, 1, 20, 20), confidence=MIDDLE if k == 37 else 0.9)))
    triage.close()
    (kept,) = triage.collect()
    assert kept.origin == {"uri": URI, "frame": 37}


def test_other_addresses_are_not_written_down(store: FolderStore) -> None:
    triage = triage_of(store, origins={"a": URI})
    kept = fed(triage, [seen(1, MIDDLE, "a"), seen(1, MIDDLE, "b")])
    assert [one.origin for one in kept] == [{}, {}], "not a picture of the city"


def test_a_frame_without_boxes_is_a_candidate_too(store: FolderStore) -> None:
    (kept,) = fed(triage_of(store), [seen(1)])
    assert kept.boxes == ()
