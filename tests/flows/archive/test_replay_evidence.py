"""Recorded traffic as evidence: the challenger beside what was served."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flows.archive.replay_evidence import replay_evidence, spread
from serve.rollout.statistics.evidence import Evidence
from streetloop.errors import NotFound
from streetloop.ledger import open_ledger
from streetloop.ledger.segments import Segment
from tests.flows.archive.test_replay import Served
from tests.flows.archive.test_replay import served as served
from tests.support.samples.tiny_model import detector_output, write_tiny_model
from tests.support.stream_flow.build import NOON
from train.model.model_file import ModelFile, open_model


def _found(served: Served, model: ModelFile, cameras: tuple[str, ...] = ("a",)) -> Evidence:
    ledger = open_ledger(served.settings.ledger)
    try:
        now = datetime.now(UTC) + timedelta(minutes=1)
        return replay_evidence(ledger, served.store, cameras, model, 10.0, served.settings, now)
    finally:
        ledger.close()


def test_the_version_that_served_agrees_with_itself(served: Served) -> None:
    found = _found(served, served.model)
    assert (found.frames, found.replayed, found.detections) == (80, 80, (80, 80))
    assert found.agreement.total == pytest.approx(80)
    assert list(found.cameras) == ["a"]
    assert Evidence.from_json(found.as_json()) == found


def test_one_that_looks_elsewhere_does_not(served: Served, tmp_path: Path) -> None:
    other = write_tiny_model(tmp_path / "other.onnx", detector_output((20, 20, 9, 9, 0, 0.9)))
    found = _found(served, open_model(str(other), served.settings.models))
    assert (found.replayed, found.detections, found.agreement.total) == (80, (80, 80), 0.0)


def test_without_recordings_there_is_no_evidence(served: Served) -> None:
    with pytest.raises(NotFound, match="nothing to replay"):
        _found(served, served.model, ("b",))


@pytest.mark.parametrize(("minutes", "numbers"), [(60, range(10)), (5, [1, 3, 5, 7, 9]), (0.1, [5])])
def test_what_is_looked_at_is_spread_over_the_day(minutes: float, numbers: list[int]) -> None:
    minute = timedelta(minutes=1)
    segments = [
        Segment(f"{k}", "a", NOON + k * minute, NOON + (k + 1) * minute, 1, "", "h264", 64, 64)
        for k in range(10)
    ]
    assert [int(one.key) for one in spread(segments, minutes)] == list(numbers)
