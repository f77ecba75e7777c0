"""Curves of two versions, and the frames on which they differ, from what evaluations kept."""

from collections.abc import Iterator

import numpy as np
import pytest

from flows.service.parts import models
from flows.service.versions.comparison_details import as_shown
from streetloop.errors import ImageUnreadable, NotFound, StoreError
from streetloop.images import decode_image, encode_png
from tests.support.control_service import Content, register_versions
from tests.support.evaluated_versions import evaluate_versions, note_evaluation


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Content]:
    content = Content(tmp_path_factory.mktemp("registered"))
    register_versions(content)
    yield content
    content.ledger.close()


def test_versions_are_compared_by_evaluations_that_kept_curves_and_frames(registered: Content) -> None:
    service = registered.service
    assert service.compare_versions("1", "2").evaluations is None
    with pytest.raises(NotFound, match="evaluate both on one"):
        service.compare_details("1", "2")
    dataset = evaluate_versions(registered)
    assert service.compare_versions("champion", "2").evaluations == (1, 2)
    found = service.compare_details("champion", "2")
    assert (found.first, found.second, found.evaluations) == (1, 2, (1, 2))
    assert (found.dataset, found.images, found.looked_at) == (dataset.digest, 5, 5)
    assert [pair.name for pair in found.curves] == [None, "bus", "car"]
    # Four of five boxes of each class: recall 0.8, which is 81 of the 101 recalls.
    assert [(pair.first_area, pair.second_area) for pair in found.curves] == [(0.802, 1.0)] * 3
    assert [len(found.recalls), found.curves[0].first.index(None)] == [101, 81]
    (frame,) = found.frames
    assert frame.image == dataset.examples[2].image
    assert (frame.first.missed, frame.first.boxes, frame.second.missed) == (2, [], 0)
    assert [box.class_name for box in frame.truth] == ["car", "bus"]
    other_way = service.compare_details("2", "1")
    assert (other_way.first, other_way.evaluations, other_way.curves[0].second_area) == (2, (2, 1), 0.802)
    image = decode_image(service.compared_image("1", "2", frame.image))
    assert image.shape == (40, 60, 3)
    with pytest.raises(NotFound, match="no frame"):
        service.compared_image("1", "2", dataset.examples[0].image)


def test_curves_are_of_the_newest_evaluations_and_of_two_versions(registered: Content) -> None:
    dataset = evaluate_versions(registered)
    service = registered.service
    before = service.compare_versions("1", "2").evaluations
    assert before is not None
    bare = note_evaluation(registered, "2", dataset, [e.truth() for e in dataset.examples], kept=False)
    assert bare.id > max(before)
    assert service.compare_versions("1", "2").evaluations is None, "it would speak of other numbers"
    with pytest.raises(NotFound):
        service.compare_details("1", "1")
    assert service.compare_versions("2", "2").evaluations is None


def test_scores_are_compared_without_the_store(registered: Content, monkeypatch: pytest.MonkeyPatch) -> None:
    evaluate_versions(registered)
    assert registered.service.compare_versions("1", "2").evaluations is not None

    def away(*_: object) -> bool:
        raise StoreError("the store does not answer")

    monkeypatch.setattr(models, "is_kept", away)
    found = registered.service.compare_versions("1", "2")
    assert (found.evaluations, len(found.rows)) == (None, 5)


def test_a_large_image_is_made_smaller() -> None:
    large = encode_png(np.zeros((300, 2560, 3), np.uint8))
    assert decode_image(as_shown(large)).shape == (150, 1280, 3)
    with pytest.raises(ImageUnreadable):
        as_shown(b"none")
