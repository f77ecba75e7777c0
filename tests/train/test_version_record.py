"""A record in tags is read as it was written, however many classes a model has."""

import pytest

from train.version_record import VersionRecord, record_from_tags, record_to_tags


@pytest.mark.parametrize("count", [0, 5, 1203])
def test_classes_are_read_as_they_were_written(count: int) -> None:
    names = tuple(f"quite a long name of a class {k}" for k in range(count))
    record = VersionRecord("d" * 64, 1, names, "c0ffee", model_version="m-1")
    tags = record_to_tags(record)
    assert all(len(text) <= 5000 for text in tags.values())
    assert record_from_tags(tags) == record
