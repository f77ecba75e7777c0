"""Precision and recall of models, measured by labelers' corrections; stored as events."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from labeling.corrections import Corrections, corrections
from streetloop.boxes import to_detections
from streetloop.json_values import finite_or_none
from streetloop.ledger import Ledger
from streetloop.ledger.events import MEASURED, MOST, Event, begin_event, end_event, list_events
from streetloop.ledger.reviews import FrameRecord, SelectionReason, list_labeled


@dataclass(frozen=True, slots=True)
class Measure:
    """Labelers' corrections of one model's boxes of one class at one camera.

    Attributes:
        model_version: The model.
        camera_id: The camera; None for all cameras together.
        class_name: The class.
        corrections: What labelers corrected.
    """

    model_version: str
    camera_id: str | None
    class_name: str
    corrections: Corrections

    def as_json(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "model_version": self.model_version,
            "camera": self.camera_id,
            "class": self.class_name,
            **_figures(self.corrections),
        }


def measure(ledger: Ledger, only_random: bool) -> list[Measure]:
    """Count labelers' corrections of the boxes that were shown, by model, camera and class.

    The rows of all cameras together come first for each model. Labels in doubt are left out.

    Args:
        ledger: Holds the labels.
        only_random: Count only random frames, which measure without bias. Frames chosen because
            the model was unsure would make it look worse than it is.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    return _measured(_labeled(ledger, only_random))


def _measured(frames: Sequence[FrameRecord]) -> list[Measure]:
    found: dict[tuple[str, str, str], Corrections] = defaultdict(Corrections)
    for frame in frames:
        changes = corrections(to_detections(frame.shown), to_detections(frame.of_asked(frame.label or ())))
        for class_id, change in changes.items():
            for camera in ("", frame.camera_id):
                found[frame.model_version, camera, frame.classes[class_id]] += change
    return [Measure(v, camera or None, name, found[v, camera, name]) for v, camera, name in sorted(found)]


def keep_measures(ledger: Ledger) -> int:
    """Write an event for each model and camera whose measurement changed; returns how many.

    Only random frames count. The newest event of a model and camera is its current measurement.

    Raises:
        LedgerError: The ledger cannot be read or written.
    """
    labeled = _labeled(ledger, only_random=True)
    frames = Counter((r.model_version, r.camera_id) for r in labeled)
    classes: dict[tuple[str, str], dict[str, Any]] = {pair: {} for pair in frames}
    for one in _measured(labeled):
        if one.camera_id is not None:
            figures = _figures(one.corrections)
            classes[one.model_version, one.camera_id][one.class_name] = figures
    now, written = datetime.now(UTC), 0
    for (version, camera), count in sorted(frames.items()):
        detail = {"frames": count, "classes": classes[version, camera]}
        before = _latest(ledger, camera, version)
        if before is not None and before.detail == detail:
            continue
        number = begin_event(ledger, MEASURED, now, camera, version, detail=detail)
        end_event(ledger, number, now)  # a point in time
        written += 1
    return written


def measured_events(ledger: Ledger, until: datetime) -> list[Event]:
    """The newest measurement of each model and camera.

    Args:
        ledger: Has them.
        until: Only measurements until then (UTC).
    """
    newest: dict[tuple[str | None, str | None], Event] = {}
    for event in list_events(ledger, kind=MEASURED, most=MOST):
        if event.started_at <= until:
            newest.setdefault((event.camera_id, event.model_version), event)
    return list(newest.values())


def _latest(ledger: Ledger, camera: str, version: str) -> Event | None:
    events = list_events(ledger, camera, MEASURED, most=MOST)
    return next((event for event in events if event.model_version == version), None)


def _labeled(ledger: Ledger, only_random: bool) -> list[FrameRecord]:
    found = list_labeled(ledger, SelectionReason.RANDOM if only_random else None)
    return [frame for frame in found if frame.of_people]


def _figures(found: Corrections) -> dict[str, Any]:
    shares = {"precision": found.precision, "recall": found.recall}
    return asdict(found) | {k: finite_or_none(v, 4) for k, v in shares.items()}
