"""What goes beside video, and what stays because something points to it."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from flows.service.data_retention import plan_data_removal, remove_data
from streetloop.ledger.events import begin_event, end_event, list_events
from streetloop.ledger.history.camera_minutes import (
    CameraMinute,
    add_camera_minutes,
    count_minutes_before,
    read_camera_minutes,
)
from streetloop.ledger.line_counts import minute_of
from streetloop.settings import Settings
from streetloop.storage.store import put_image
from tests.support.control_service import NOW, Content, jpeg
from train.data.dataset import Dataset, Example, save_dataset

OLD = NOW - timedelta(days=100)
KEYS = {
    "detections": "detections/run=r/camera=a/hour=1/w.parquet",
    "frames": "frames/run=r/camera=a/hour=1/w.parquet",
    "drift": "minutes/camera=a/hour=1/w.parquet",
    "replays": "replays/ab/abc.npz",
}
ALL = dict.fromkeys([*KEYS, "events", "candidates", "datasets"], 30.0)


@pytest.fixture
def content(tmp_path: Path) -> Iterator[Content]:
    content = Content(tmp_path)
    yield content
    content.ledger.close()


def put(content: Content, key: str, days: float = 100) -> str:
    """An object that was stored so many days ago."""
    content.store.put(key, b"x" * 10)
    return aged(content, key, days)


def aged(content: Content, key: str, days: float = 100) -> str:
    at = (NOW - timedelta(days=days)).timestamp()
    os.utime(content.settings.store / key, (at, at))
    return key


def pruned(content: Content, days: dict[str, float]) -> set[str]:
    """Remove by rules; the keys that are left."""
    settings = Settings(home=content.settings.home, keep_days=days)  # type: ignore[arg-type]
    removals = plan_data_removal(content.ledger, content.store, settings, NOW)
    remove_data(content.ledger, content.store, settings, removals)
    return set(content.store.keys())


def test_a_class_goes_by_its_rule_and_the_others_stay(content: Content) -> None:
    old = {kind: put(content, key) for kind, key in KEYS.items()}
    young = {put(content, f"{key}.young", 2) for key in KEYS.values()}
    other = put(content, "archive/camera=a/1.mp4")
    for kind in KEYS:
        left = pruned(content, {kind: 30.0})
        assert old.pop(kind) not in left
        assert left == {*old.values(), *young, other}
    assert pruned(content, {}) == {*young, other}


def test_minutes_of_cameras_go_by_their_rule(content: Content) -> None:
    old, young = (minute_of(NOW - timedelta(days=days)) for days in (31, 29))
    minutes = {
        (camera, at + n): CameraMinute(60_000) for camera in "ab" for at in (old, young) for n in (0, 70)
    }
    add_camera_minutes(content.ledger, minutes)
    pruned(content, {"events": 30.0})
    assert count_minutes_before(content.ledger, NOW) == 8
    settings = Settings(home=content.settings.home, keep_days={"minutes": 30.0})
    assert plan_data_removal(content.ledger, content.store, settings, NOW).minutes == 4
    pruned(content, {"minutes": 30.0})
    assert count_minutes_before(content.ledger, NOW) == 4
    assert set(read_camera_minutes(content.ledger, "b", OLD, NOW)) == {young, young + 70}
    pruned(content, {"minutes": 1.0})
    pruned(content, {"minutes": 1.0})
    assert count_minutes_before(content.ledger, NOW) == 0


def test_an_event_goes_with_its_picture_and_one_that_is_on_stays(content: Content) -> None:
    over, on = (put(content, f"events/{name}.jpg") for name in ("over", "on"))
    first = begin_event(content.ledger, "queue", OLD, "a40", evidence=(over,))
    end_event(content.ledger, first, OLD + timedelta(minutes=1))
    begin_event(content.ledger, "queue", OLD, "crossing", evidence=(on,))
    assert pruned(content, {"candidates": 30.0}) == {over, on}
    assert pruned(content, {"events": 200.0}) == {over, on}
    assert pruned(content, {"events": 30.0}) == {on}
    assert [event.camera_id for event in list_events(content.ledger)] == ["crossing"]


def test_an_image_stays_while_a_review_or_a_dataset_names_it(content: Content) -> None:
    content.add_reviews()
    reviewed = set(content.store.keys("frames/"))
    digest, sampled = put_image(content.store, jpeg(11))
    _, orphan = put_image(content.store, jpeg(12))
    example = Example(digest, sampled, 64, 36, ())
    dataset = Dataset(("car",), (example,))
    save_dataset(content.store, dataset)
    manifest = f"datasets/{dataset.digest}.json"
    for key in (*reviewed, sampled, orphan, manifest):
        aged(content, key)
    assert pruned(content, {"candidates": 30.0}) == {*reviewed, sampled, manifest}
    assert pruned(content, {"datasets": 30.0}) == reviewed


def test_a_dry_run_says_all_of_it_and_removes_nothing(content: Content) -> None:
    for key in KEYS.values():
        put(content, key)
    number = begin_event(content.ledger, "queue", OLD, "a40")
    end_event(content.ledger, number, OLD)
    settings = Settings(home=content.settings.home, keep_days=ALL)  # type: ignore[arg-type]
    content.service._settings = settings
    view = content.service.prune_archive(dry_run=True)
    assert {(one.data_class, one.objects, one.bytes) for one in view.data} == {(k, 1, 10) for k in KEYS}
    assert (view.events, view.segments) == (1, [])
    assert set(content.store.keys()) == set(KEYS.values())
    content.service.prune_archive(dry_run=False)
    assert set(content.store.keys()) == set()
