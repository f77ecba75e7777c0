"""A frame of a running stream over which two models disagree is kept for review."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from flows.stream.ingest.accounting import Account
from flows.stream.sinks.triage import Triage
from serve.rollout.route_table import CHALLENGER, CHAMPION, RouteTable
from streetloop.ledger.reviews import FrameRecord
from streetloop.storage.store import FolderStore
from streetloop.types import Detections, Image
from tests.support.stream_flow.applications import NAMES, marked, well, who
from tests.support.stream_flow.build import found
from tests.support.stream_flow.fakes import PATIENCE_S, Step, eventually
from tests.support.stream_flow.streams import Street

ALL = frozenset("ab")
ODD = 23
FRAMES = 40
CAR = (100, 60, 140, 90)
BUS = found((10, 10, 60, 60), class_id=1)


@pytest.fixture
def triage(tmp_path: Path) -> Triage:
    return Triage(FolderStore(tmp_path / "store"), NAMES, 0.4, 0.0, {})


@pytest.fixture
def street(triage: Triage) -> Iterator[Street]:
    street = Street(triage)
    street.applications.does[CHALLENGER] = _sees_a_bus_once
    yield street
    street.close()


def _sees_a_bus_once(images: Image, timeout_s: float) -> list[Detections]:
    return [
        BUS if who(image) == (0, ODD) else sight
        for image, sight in zip(images, well(images, timeout_s), strict=True)
    ]


def _in_step(street: Street, camera: int, camera_id: str) -> list[Step]:
    """Each frame after the one before was answered and compared."""
    steps: list[Step] = []
    for source_frame in marked(camera, FRAMES):
        steps += [source_frame, lambda: eventually(lambda: street.account(camera_id).pending == 0)]
        steps.append(lambda: eventually(street.is_compared))
    return steps


def _disagreeing(triage: Triage) -> list[FrameRecord]:
    return [review for review in triage.collect() if review.reason == "disagreement"]


@pytest.mark.parametrize("challenged", [frozenset(), frozenset("a")])
def test_exactly_the_disputed_frame_is_kept_for_review(
    street: Street, triage: Triage, challenged: frozenset[str]
) -> None:
    street.table = RouteTable(1, {}, ALL, challenged, 1.0)
    sink = street.run("a", [_in_step(street, 0, "a")])
    assert street.pipeline.wait(PATIENCE_S)

    (kept,) = _disagreeing(triage)
    assert kept.captured_at == sink.results[ODD].frame.captured_at
    assert (kept.camera_id, kept.model_version) == ("a", CHAMPION)
    assert [box.xyxy for box in kept.boxes] == [CAR]
    # Both were shown each frame once, as without triage, and every frame came out once.
    for application in (CHAMPION, CHALLENGER):
        assert street.applications.seen[application] == [(0, k) for k in range(FRAMES)]
    assert sink.frame_ids("a") == list(range(FRAMES))
    assert street.account("a") == Account(decoded=FRAMES, detected=FRAMES)
    assert street.pipeline.snapshot()["a"].faults == ()


def test_the_challengers_boxes_are_not_served_in_shadow(street: Street, triage: Triage) -> None:
    street.table = RouteTable(1, {}, ALL, frozenset(), 1.0)
    sink = street.run("a", [_in_step(street, 0, "a")])
    assert street.pipeline.wait(PATIENCE_S)

    assert {result.model_version for result in sink.results} == {CHAMPION}
    for result in sink.results:
        np.testing.assert_allclose(result.tracked.detections.xyxy, [CAR])
    assert len(_disagreeing(triage)) == 1


def test_the_last_frame_is_compared_before_triage_closes(street: Street, triage: Triage) -> None:
    street.applications.does[CHALLENGER] = lambda images, timeout_s: [BUS for _ in images]
    street.table = RouteTable(1, {}, ALL, frozenset(), 1.0)
    street.run("a", [marked(0, 1)])
    assert street.pipeline.wait(PATIENCE_S)
    assert len(_disagreeing(triage)) == 1


def test_cameras_without_a_rollout_are_not_compared(street: Street, triage: Triage) -> None:
    # Batches have frames of both cameras in them.
    street.applications.does[CHALLENGER] = lambda images, timeout_s: [BUS for _ in images]
    street.table = RouteTable(1, {}, frozenset("b"), frozenset(), 1.0)
    street.run("ab", [marked(0, FRAMES), marked(1, FRAMES)])
    assert street.pipeline.wait(PATIENCE_S)
    assert {review.camera_id for review in _disagreeing(triage)} == {"b"}


def test_disputed_frames_survive_the_end_of_a_rollout(street: Street, triage: Triage) -> None:
    steps = _in_step(street, 0, "a")
    street.table = RouteTable(1, {}, ALL, frozenset(), 1.0)
    steps.insert(3 * (ODD + 1), lambda: street.pipeline.follow(RouteTable(2)))
    street.run("a", [steps])
    assert street.pipeline.wait(PATIENCE_S)
    assert len(_disagreeing(triage)) == 1
    assert len(street.applications.seen[CHALLENGER]) == ODD + 1
    assert street.account("a") == Account(decoded=FRAMES, detected=FRAMES)
