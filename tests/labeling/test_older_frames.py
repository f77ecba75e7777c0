"""Frames of versions that stored class ids alone: named, trusted, or in doubt."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from labeling.older_frames import OlderFrames
from streetloop.boxes import Box, Boxes
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.reviews import (
    ReviewState,
    add_reviews,
    count_labeled,
    list_doubted,
    list_labeled,
    list_reviews,
    list_unnamed_versions,
)
from tests.support.samples.frames import digest, review
from tests.support.samples.older_ledger import older_ledger

SHIPPED = ("person", "cycle", "car", "truck", "bus")
COCO = ("person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck")
CAR, BUS, TRUCK = 2, 5, 7
"""Class ids of `COCO`; in `SHIPPED`, 2 is a car, too, and 4 is a bus."""


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield ledger
    ledger.close()


def boxes(*class_ids: int) -> Boxes:
    return tuple(Box(k, (10.0 * n, 0.0, 10.0 * n + 9, 9.0)) for n, k in enumerate(class_ids))


def older(
    ledger: Ledger, version: str, found: Sequence[int], answered: Sequence[int], count: int = 2
) -> None:
    """Answered frames of a model, as the migration leaves them."""
    have = len(list_reviews(ledger, list(ReviewState)))
    one = replace(review(0), model_version=version, classes=(), doubt="asked about before")
    one = replace(one, state=ReviewState.LABELED, boxes=boxes(*found), label=boxes(*answered))
    add_reviews(ledger, [replace(one, digest=digest(have + k)) for k in range(count)])


def settled(ledger: Ledger, asked_with: Sequence[str] | None) -> dict[str, int]:
    """Doubted frames by model, after the classes of all but ``unknown-1`` were named."""
    known = {"shipped-1": SHIPPED, "coco-1": COCO}
    OlderFrames(ledger, lambda _: known, asked_with, SHIPPED).settle()
    doubted = [frame.model_version for frame in list_doubted(ledger)]
    return {version: doubted.count(version) for version in doubted}


def test_labels_of_the_model_that_the_label_commands_opened_are_trusted(ledger: Ledger) -> None:
    older(ledger, "shipped-1", [2, 4], [2, 4])
    assert settled(ledger, SHIPPED) == {}
    assert [frame.classes for frame in list_labeled(ledger)] == [SHIPPED] * 2
    assert count_labeled(ledger) == 2


def test_labels_under_the_names_of_another_model_are_in_doubt(ledger: Ledger) -> None:
    """``run --model coco``, then ``label push``: the shipped model named the classes."""
    older(ledger, "coco-1", [CAR, BUS], [2, 4])
    older(ledger, "shipped-1", [2], [2])
    assert settled(ledger, SHIPPED) == {"coco-1": 2}
    assert {frame.model_version for frame in list_labeled(ledger)} == {"shipped-1"}
    assert list_doubted(ledger)[0].classes == COCO


def test_a_setting_that_was_changed_since_proves_nothing(ledger: Ledger) -> None:
    """Buses and trucks were found, and no label has them: five names were there to choose from."""
    older(ledger, "coco-1", [CAR, BUS, TRUCK], [2, 4, 3])
    assert settled(ledger, COCO) == {"coco-1": 2}


def test_labels_of_the_setting_that_has_always_been_are_trusted(ledger: Ledger) -> None:
    older(ledger, "coco-1", [CAR, BUS, TRUCK], [CAR, BUS, TRUCK], count=3)
    older(ledger, "coco-1", [CAR, BUS], [CAR], count=1)  # of a frame without a real bus
    assert settled(ledger, COCO) == {}


def test_while_nobody_knows_what_was_opened_nothing_is_trusted_and_later_it_is(ledger: Ledger) -> None:
    older(ledger, "shipped-1", [2], [2])
    older(ledger, "unknown-1", [2], [2])
    assert settled(ledger, None) == {"shipped-1": 2, "unknown-1": 2}
    assert list_unnamed_versions(ledger, list(ReviewState)) == ["unknown-1"]
    assert settled(ledger, SHIPPED) == {"unknown-1": 2}


def test_the_migration_finds_what_was_asked_about_before(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'old.db'}"
    engine = older_ledger(url, "v6")
    columns = "digest, state, image_key, width, height, camera_id, captured_at, reason, score, model_version"
    with engine.begin() as connection:
        for number, state in enumerate(ReviewState):
            connection.execute(
                text(
                    f"insert into reviews ({columns}, boxes, drift, origin, fingerprint, embedding, label) "
                    "values (:digest, :state, 'k', 640, 360, 'a', '2026-03-01 12:00:00', 'unsure', 0.5, "
                    "'coco-1', '[]', '', '{}', x'', x'', '[]')"
                ),
                {"digest": digest(number), "state": state.value},
            )
    engine.dispose()
    ledger = open_ledger(url)
    doubted = {frame.state for frame in list_doubted(ledger)}
    assert doubted == {ReviewState.PUSHED, ReviewState.LABELED, ReviewState.IN_DATASET}
    (one, *_) = list_reviews(ledger, list(ReviewState))
    assert (one.classes, one.served, one.asks, one.url) == ((), 0.25, 0, None)
    ledger.close()
