"""What annotators change, measured and kept."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from labeling.answers import Answer, Skipped
from labeling.corrections import Corrections
from labeling.measured_quality import MEASURED, Measure, keep_measures, measure
from streetloop.ledger.events import Event, list_events
from streetloop.ledger.review_moves import mark_in_dataset
from streetloop.ledger.reviews import ReviewState, SelectionReason, add_reviews
from streetloop.types import Detections
from tests.support.samples.frames import CLASSES, NOON, digest, labeled, review
from tests.support.servers.labels.label_service import LabelSetup
from tests.support.stream_flow.build import found

CAR, BUS = found((10, 10, 50, 40)), found((300, 10, 350, 40), class_id=1)


@pytest.fixture
def setup(tmp_path: Path) -> Iterator[LabelSetup]:
    setup = LabelSetup(tmp_path / "home")
    yield setup
    setup.ledger.close()


def label(
    setup: LabelSetup,
    number: int,
    answer: Answer,
    camera: str = "a",
    version: str = "m-1",
    reason: SelectionReason = SelectionReason.RANDOM,
    classes: tuple[str, ...] = CLASSES,
) -> None:
    """A frame in which the model saw a car goes to somebody, and this comes back."""
    one = review(number, camera_id=camera, reason=reason, boxes=CAR)
    setup.queue.add([replace(one, model_version=version, classes=classes)])
    setup.people.answers[digest(number)] = answer
    setup.queue.choose(10_000)
    setup.queue.push(setup.people)
    setup.queue.pull(setup.people)


def right(number: int) -> Answer:
    return labeled(digest(number), CAR)


def nothing(number: int) -> Answer:
    return labeled(digest(number))


def bus(number: int) -> Answer:
    return labeled(digest(number), BUS)


def test_each_model_camera_and_class_has_its_figures_and_all_cameras_too(setup: LabelSetup) -> None:
    label(setup, 0, right(0))
    label(setup, 1, nothing(1))
    label(setup, 2, bus(2), camera="b")
    label(setup, 3, right(3), camera="b", version="m-2")
    assert measure(setup.ledger, only_random=True) == [
        Measure("m-1", None, "bus", Corrections(added=1)),
        Measure("m-1", None, "car", Corrections(kept=1, removed=2)),
        Measure("m-1", "a", "car", Corrections(kept=1, removed=1)),
        Measure("m-1", "b", "bus", Corrections(added=1)),
        Measure("m-1", "b", "car", Corrections(removed=1)),
        Measure("m-2", None, "car", Corrections(kept=1)),
        Measure("m-2", "b", "car", Corrections(kept=1)),
    ]


def test_frames_that_were_asked_about_on_purpose_are_left_out_unless_wanted(setup: LabelSetup) -> None:
    label(setup, 0, right(0))
    label(setup, 1, bus(1), reason=SelectionReason.UNSURE)
    (_, here) = measure(setup.ledger, only_random=True)
    assert (here.corrections.precision, here.corrections.recall) == (1.0, 1.0)
    every = {one.class_name: one.corrections for one in measure(setup.ledger, False)}
    assert every == {"car": Corrections(kept=1, removed=1), "bus": Corrections(added=1)}


def test_declined_frames_say_nothing_and_those_in_datasets_go_on_to(setup: LabelSetup) -> None:
    label(setup, 0, Skipped(digest(0), "ann", NOON))
    assert measure(setup.ledger, only_random=True) == []
    label(setup, 1, right(1))
    before = measure(setup.ledger, only_random=True)
    mark_in_dataset(setup.ledger, [digest(1)], "d" * 64)
    assert measure(setup.ledger, only_random=True) == before != []


def test_models_of_other_classes_are_measured_by_their_own_names(setup: LabelSetup) -> None:
    label(setup, 0, right(0), classes=("car", "bus"))
    label(setup, 1, labeled(digest(1), CAR, classes=("lorry",)), version="m-2", classes=("lorry", "car"))
    named = {(m.model_version, m.class_name) for m in measure(setup.ledger, only_random=True)}
    assert named == {("m-1", "car"), ("m-2", "lorry")}


def test_boxes_that_were_not_shown_are_not_measured(setup: LabelSetup) -> None:
    """Of a weak box that is no car nobody says so: it was not there to be deleted."""
    weak = found((300, 10, 350, 40), confidence=0.2)
    both = Detections(*(np.concatenate(pair) for pair in zip(vars_of(CAR), vars_of(weak), strict=True)))
    setup.queue.add([replace(review(0, boxes=both, reason=SelectionReason.RANDOM), served=0.25)])
    setup.people.answers[digest(0)] = right(0)
    for step in (setup.queue.choose, lambda _: setup.queue.push(setup.people)):
        step(10_000)
    setup.queue.pull(setup.people)
    (_, here) = measure(setup.ledger, only_random=True)
    assert here.corrections == Corrections(kept=1)


def vars_of(found: Detections) -> tuple[object, ...]:
    return found.xyxy, found.confidence, found.class_id


# Kept


def kept(setup: LabelSetup, camera: str | None = None) -> list[Event]:
    return list_events(setup.ledger, camera, MEASURED)


def test_what_was_measured_is_kept_once_and_again_when_it_changes(setup: LabelSetup) -> None:
    label(setup, 0, right(0))
    label(setup, 1, right(1), camera="b")
    assert keep_measures(setup.ledger) == 2
    assert keep_measures(setup.ledger) == 0, "nothing new"
    label(setup, 2, nothing(2))
    assert keep_measures(setup.ledger) == 1
    now, before = kept(setup, "a")
    assert (now.model_version, now.detail["frames"]) == ("m-1", 2)
    assert now.detail["classes"] == {
        "car": {
            "kept": 1,
            "moved": 0,
            "reclassed": 0,
            "removed": 1,
            "added": 0,
            "precision": 0.5,
            "recall": 1.0,
        }
    }
    assert before.started_at < now.started_at
    assert list_events(setup.ledger, only_open=True) == [], "nothing goes on"
    assert before.detail["classes"]["car"]["precision"] == 1.0
    assert len(kept(setup, "b")) == 1


def test_models_are_kept_apart(setup: LabelSetup) -> None:
    label(setup, 0, right(0))
    label(setup, 1, nothing(1), version="m-2")
    assert keep_measures(setup.ledger) == 2
    assert keep_measures(setup.ledger) == 0
    precision = {e.model_version: e.detail["classes"]["car"]["precision"] for e in kept(setup)}
    assert precision == {"m-1": 1.0, "m-2": 0.0}


def test_an_empty_street_that_the_model_saw_as_empty_is_kept_too(setup: LabelSetup) -> None:
    one = review(0, reason=SelectionReason.RANDOM, boxes=found())
    setup.queue.add([one])
    setup.queue.choose(10_000)
    setup.queue.push(setup.people)
    setup.queue.pull(setup.people)
    assert keep_measures(setup.ledger) == 1
    assert kept(setup)[0].detail == {"frames": 1, "classes": {}}


def test_only_random_frames_are_kept(setup: LabelSetup) -> None:
    label(setup, 0, right(0), reason=SelectionReason.UNSURE)
    assert keep_measures(setup.ledger) == 0


def test_the_running_system_keeps_them_by_itself(setup: LabelSetup) -> None:
    loop = setup.loop(setup.people)
    loop.add([review(k, reason=SelectionReason.RANDOM, boxes=CAR) for k in range(20)])
    loop.round()
    (event,) = kept(setup)
    frames = event.detail["frames"]
    assert frames >= 1
    assert event.detail["classes"]["car"]["removed"] == frames, "the labeler sees nothing there"


def test_labels_in_doubt_are_neither_measured_nor_kept(setup: LabelSetup) -> None:
    label(setup, 0, right(0))
    doubtful = replace(review(1, reason=SelectionReason.RANDOM), state=ReviewState.LABELED, label=())
    add_reviews(setup.ledger, [replace(doubtful, doubt="who knows", model_version="m-3")])
    assert {one.model_version for one in measure(setup.ledger, only_random=True)} == {"m-1"}
    assert keep_measures(setup.ledger) == 1
