from datetime import timedelta
from pathlib import Path

from flows.archive.storage import by_class, days_left, folder_bytes
from streetloop.storage.store import FolderStore, StoredObject
from tests.support.stream_flow.build import NOON


def test_objects_are_summed_by_class_and_growth_is_that_of_a_day() -> None:
    keys = ("archive/a", "frames/ab/1.jpg", "frames/run=r/camera=a/1.parquet", "detections/run=r/1", "x/y")
    objects = [
        StoredObject(key, 10 * (number + 1), NOON - timedelta(days=age))
        for number, key in enumerate(keys)
        for age in (0.5, 2)
    ]
    found = {one.name: (one.bytes, one.objects, one.day_bytes) for one in by_class(objects, NOON)}
    assert found == {
        "archive": (20, 2, 10),
        "frames": (40, 2, 20),
        "frame log": (60, 2, 30),
        "detection log": (80, 2, 40),
        "other": (100, 2, 50),
    }


def test_a_store_tells_the_length_and_age_of_its_objects(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    store.put("a/b", b"12345")
    (one,) = store.objects("a/")
    assert (one.key, one.bytes) == ("a/b", 5)
    assert one.stored_at.tzinfo is not None
    assert folder_bytes(tmp_path) == 5
    assert folder_bytes(tmp_path / "none") == 0


def test_days_left_need_growth_and_a_disk(tmp_path: Path) -> None:
    assert days_left(0, tmp_path) is None
    assert days_left(10, None) is None
    left = days_left(10**6, tmp_path / "not" / "yet")
    assert left is not None
    assert left > 0
