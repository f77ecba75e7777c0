"""Frames of a camera that counts some classes: labelers are asked about those alone."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from flows.service.views import review_view
from labeling.annotators import NEWEST
from labeling.label_studio.adapter import LabelStudio
from labeling.label_studio.image_links import UPLOADED
from labeling.measured_quality import measure
from labeling.teacher.ledger_checks import LedgerChecks
from labeling.teacher.teacher_labeler import TeacherLabeler, TeacherPolicy
from streetloop.boxes import Box, to_boxes
from streetloop.cameras.camera_file import asked_classes, parse_camera
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.reviews import FrameRecord, ReviewState, SelectionReason, add_reviews, find_reviews
from streetloop.storage.store import FolderStore
from streetloop.types import Detections
from tests.support.samples.frames import FakeLabeler, review
from tests.support.stream_flow.build import found
from tests.support.stream_flow.fakes import FakeClock
from tests.support.stream_flow.triage import fed, seen, triage_of

CAR, BUS = found((10, 10, 50, 40), confidence=0.9), found((60, 10, 90, 40), confidence=0.9, class_id=1)
BOTH = to_boxes(CAR) + to_boxes(BUS)


def frame(**of: Any) -> FrameRecord:
    """A frame with a car and a bus, where buses alone are counted."""
    return replace(review(1), boxes=BOTH, asked=("bus",), **of)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")


@pytest.mark.parametrize(
    ("camera", "classes", "asked"),
    [
        ({}, None, ()),
        ({}, {"heavy": ("truck", "bus")}, ("bus", "truck")),
        ({"classes": ["car"]}, {"heavy": ("truck", "bus")}, ("car",)),
        (
            {"lines": {"in": {"points": [[0.1, 0.1], [0.9, 0.9]], "classes": ["person"]}}},
            {"bus": ("bus",)},
            ("person", "bus"),
        ),
    ],
)
def test_what_a_camera_and_its_lines_count_is_asked_about(
    camera: Mapping[str, Any], classes: Mapping[str, Sequence[str]] | None, asked: tuple[str, ...]
) -> None:
    one = parse_camera({"id": "a", "uri": "rtsp://10.0.0.7/a", **camera})
    assert asked_classes(one, classes, ("person", "car", "bus", "truck")) == asked


def test_a_candidate_keeps_what_is_asked_about(tmp_path: Path, ledger: Ledger) -> None:
    triage = triage_of(FolderStore(tmp_path / "store"), asked={"a": ("bus",)})
    kept = fed(triage, [seen(0.0, 0.42), seen(0.0, 0.42, camera_id="b")])
    add_reviews(ledger, kept)
    stored = {one.camera_id: one for one in find_reviews(ledger, [one.digest for one in kept])}
    assert (stored["a"].asked, stored["a"].asked_names) == (("bus",), ("bus",))
    assert (stored["b"].asked, stored["b"].asked_names) == ((), ("car", "bus"))


def test_a_labeler_sees_boxes_of_those_classes_alone() -> None:
    assert frame().shown == to_boxes(BUS)
    view = review_view(frame())
    assert view.asked == ["bus"]
    assert [box.class_name for box in view.boxes] == ["bus"]


class _Server:
    """A Label Studio that has a project and takes tasks."""

    shown = "http://studio"

    def __init__(self) -> None:
        self.config, self.made, self.taken = "", False, list[dict[str, Any]]()

    def project(self, title: str) -> Any:
        from labeling.label_studio.api import Project

        return Project(1, self.config, 1, "streetloop") if self.made else None

    def make_project(self, title: str, label_config: str, annotators: int) -> None:
        self.config, self.made = label_config, True

    def tasks(self, project: int) -> list[dict[str, Any]]:
        return []

    def upload(self, project: int, images: Mapping[str, bytes]) -> dict[str, str]:
        return dict.fromkeys(images, "/data/x.jpg")

    def add_tasks(self, project: int, requests: Sequence[dict[str, Any]]) -> None:
        self.taken += requests


def test_label_studio_has_buttons_of_those_classes_alone(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.put(frame().image_key, b"jpeg")
    studio, server = LabelStudio.__new__(LabelStudio), _Server()
    vars(studio).update(_api=server, _title="x", _store=store, _images=UPLOADED, _resolve=NEWEST, _hook=None)
    pushed: list[str] = []
    studio.push([frame()], pushed.append)
    assert pushed == [frame().digest]
    labels = ElementTree.fromstring(server.config).iter("Label")
    assert [(label.get("value"), label.get("hotkey")) for label in labels] == [("bus", "1")]
    (task,) = server.taken
    (box,) = task["predictions"][0]["result"]
    assert box["value"]["rectanglelabels"] == ["bus"]


def test_a_class_that_nobody_was_asked_about_is_not_measured(ledger: Ledger) -> None:
    drawn = frame(state=ReviewState.LABELED, label=BOTH, reason=SelectionReason.RANDOM)
    add_reviews(ledger, [drawn])
    assert {one.class_name for one in measure(ledger, only_random=True)} == {"bus"}
    assert drawn.of_asked([Box(0, (0.0, 0.0, 1.0, 1.0))]) == ()


class _Teacher:
    name = "large-1"

    def look_at(self, frame: FrameRecord) -> Detections:
        both = [CAR.xyxy, BUS.xyxy], [CAR.confidence, BUS.confidence], [CAR.class_id, BUS.class_id]
        return Detections(*(np.concatenate(one) for one in both))


def test_a_teacher_labels_what_is_asked_about(ledger: Ledger) -> None:
    seen_by_people: list[FrameRecord] = []
    people = FakeLabeler()
    people.push = lambda frames, pushed: seen_by_people.extend(frames)  # type: ignore[method-assign]
    checks = LedgerChecks(ledger, "large-1")
    labeler = TeacherLabeler(_Teacher(), people, checks, TeacherPolicy(), FakeClock(), lambda _: None)
    labeler.push([frame()], lambda _: None)
    (one,) = seen_by_people
    assert [box.class_id for box in one.boxes] == [1]
