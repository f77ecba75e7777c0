"""Precision and recall of models, measured by labelers' corrections; stored as events."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from labeling.class_guard import LabelGuard
from labeling.corrections import Corrections, total
from streetloop.boxes import to_detections
from streetloop.json_values import finite_or_none
from streetloop.ledger import Ledger
from streetloop.ledger.events import MOST, Event, begin_event, end_event, list_events
from streetloop.ledger.reviews import FrameRecord, ReviewState, SelectionReason, list_reviews

MEASURED = "labels measured"
"""Kind of the event that stores the measurement of one model at one camera."""


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


def measure(ledger: Ledger, guard: LabelGuard, only_random: bool) -> list[Measure]:
    """Count labelers' corrections by model, camera and class.

    The rows of all cameras together come first for each model. Frames that do not fit the open
    model are left out.

    Args:
        ledger: Holds the labels.
        guard: Knows which frames fit, and their class names.
        only_random: Count only random frames, which measure without bias. Frames chosen because
            the model was unsure would make it look worse than it is.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    return _measured(_labeled(ledger, guard, only_random), guard.names)


def _measured(frames: Sequence[FrameRecord], names: Sequence[str]) -> list[Measure]:
    totals = total(
        ((f.model_version, f.camera_id), to_detections(f.boxes), to_detections(f.label or ())) for f in frames
    )
    found: dict[tuple[str, str, str], Corrections] = defaultdict(Corrections)
    for ((version, camera), class_id), change in totals.items():
        name = _name(names, class_id)
        found[version, "", name] += change
        found[version, camera, name] += change
    return [Measure(v, camera or None, name, found[v, camera, name]) for v, camera, name in sorted(found)]


def keep_measures(ledger: Ledger, guard: LabelGuard) -> int:
    """Write an event for each model and camera whose measurement changed; returns how many.

    Only random frames count. The newest event of a model and camera is its current measurement.
    Frames that do not fit the open model are left out.

    Raises:
        LedgerError: The ledger cannot be read or written.
    """
    labeled = _labeled(ledger, guard, only_random=True)
    frames = Counter((r.model_version, r.camera_id) for r in labeled)
    classes: dict[tuple[str, str], dict[str, Any]] = {pair: {} for pair in frames}
    for one in _measured(labeled, guard.names):
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


def _latest(ledger: Ledger, camera: str, version: str) -> Event | None:
    events = list_events(ledger, camera, MEASURED, most=MOST)
    return next((event for event in events if event.model_version == version), None)


def _labeled(ledger: Ledger, guard: LabelGuard, only_random: bool) -> list[FrameRecord]:
    reason = SelectionReason.RANDOM if only_random else None
    found = list_reviews(ledger, [ReviewState.LABELED, ReviewState.IN_DATASET], reason)
    return [r for r in found if r.label is not None and guard.fits(r.model_version)]


def _figures(found: Corrections) -> dict[str, Any]:
    shares = {"precision": found.precision, "recall": found.recall}
    return asdict(found) | {k: finite_or_none(v, 4) for k, v in shares.items()}


def _name(names: Sequence[str], class_id: int) -> str:
    """The class name; the number of a class that the model does not have."""
    return names[class_id] if class_id < len(names) else f"class {class_id}"
