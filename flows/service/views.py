"""Rows of the ledger and the registry as the views of `streetloop.control.views`."""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel

from drift.comparison import FeatureResult
from drift.reference import PERIODS_NEEDED
from flows.reports.drift_status import DriftStatus
from flows.service.versions.rollout_course import gains_of, stages_of
from serve.rollout.rollout_record import parse_phase, parse_policy, parse_summary
from streetloop.boxes import Boxes
from streetloop.cameras.camera_file import Camera, camera_document
from streetloop.causes import causes_from_json, causes_to_json, evidence_to_json
from streetloop.control.label_views import ReviewBoxView, ReviewView
from streetloop.control.views import (
    CameraView,
    CauseView,
    DecisionView,
    DriftView,
    EventView,
    FeatureView,
    FindingView,
    Frames,
    LearningView,
    LineageView,
    ModelView,
    ReferenceView,
    RolloutView,
)
from streetloop.ledger.events import Event
from streetloop.ledger.findings import Finding
from streetloop.ledger.history.rollout_gains import RolloutGain
from streetloop.ledger.learning import TRAINING, LearningRun
from streetloop.ledger.reviews import FrameRecord
from streetloop.ledger.rollouts import Entry, Rollout
from train.model_registry import Version

if TYPE_CHECKING:
    from flows.stream.analysis.status import CameraStatus

_MAX_EFFECT = 1e6
_CONFIGURED = (
    "id",
    "city",
    "site",
    "fps",
    "transport",
    "classes",
    "record",
    "audio",
    "keep",
    "anonymise",
    "lines",
    "zones",
    "mask",
    "anomalies",
)

V = TypeVar("V", bound=BaseModel)


def camera_view(camera: Camera) -> CameraView:
    """A camera that does not run."""
    return CameraView(**_configuration(camera))


def live_view(camera: Camera, status: "CameraStatus", rates: tuple[float, float], slot: str) -> CameraView:
    """A camera that runs.

    Args:
        camera: Its configuration.
        status: Its state now.
        rates: Frames decoded and frames detected a second.
        slot: The application that answers for it.
    """
    return _copied(
        CameraView,
        status,
        **_configuration(camera),
        frames=_copied(Frames, status.account),
        fps_decoded=rates[0],
        fps_detected=rates[1],
        faults=_faults(status),
        crossings={name: totals.directions() for name, totals in status.lines.items()},
        slot=slot,
    )


def _faults(status: "CameraStatus") -> list[str]:
    """What fails now: beside the stream, and the detector itself."""
    failing = [] if status.detector_error is None else [f"the detector fails: {status.detector_error}"]
    return [*failing, *(fault.text for fault in status.faults if not fault.is_over)]


def _configuration(camera: Camera) -> dict[str, Any]:
    plain = {name: getattr(camera, name) for name in _CONFIGURED}
    shown = {**camera_document(camera), "uri": str(camera.uri)}
    revision = hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()[:16]
    return {**plain, "uri": str(camera.uri), "revision": revision}


def event_view(event: Event) -> EventView:
    """An event of the ledger."""
    detail = dict(event.detail)
    if "causes" in detail:  # versions before 0.2.0 wrote names alone
        detail["causes"] = causes_to_json(causes_from_json(detail["causes"]))
    return _copied(EventView, event, model=event.model_version, detail=detail)


def unwatched_view(camera_id: str, period_s: float = 60.0) -> DriftView:
    """The drift of a camera that no drift period is known of yet.

    Args:
        camera_id: The camera.
        period_s: Length of a drift period.
    """
    return DriftView(
        camera_id=camera_id,
        state="not watched yet",
        drifts=False,
        causes=[],
        since=None,
        missing_minutes=PERIODS_NEEDED,
        needed_minutes=PERIODS_NEEDED,
        period_s=period_s,
        features={},
    )


def drift_view(camera_id: str, status: DriftStatus, period_s: float = 60.0) -> DriftView:
    """The drift of a camera.

    Args:
        camera_id: The camera.
        status: What was found.
        period_s: Length of a drift period.
    """
    finding, reference = status.open_finding, status.watch.reference
    return DriftView(
        camera_id=camera_id,
        state=status.word,
        drifts=finding is not None,
        causes=[] if finding is None else [_copied(CauseView, cause) for cause in finding.causes],
        evidence={} if finding is None else evidence_to_json(finding.causes),
        since=None if finding is None else finding.since,
        until=status.watch.at,
        missing_minutes=status.missing,
        needed_minutes=PERIODS_NEEDED,
        period_s=period_s,
        reference=ReferenceView()
        if reference is None
        else ReferenceView(source=reference.source, minutes=reference.periods),
        features={name: _feature(result) for name, result in status.answers.items() if result.enough},
        findings=[_finding_view(one) for one in status.findings],
    )


def _finding_view(finding: Finding) -> FindingView:
    return _copied(FindingView, finding, causes=[_copied(CauseView, cause) for cause in finding.causes])


def _feature(result: FeatureResult) -> FeatureView:
    bounded = {name: _bounded(getattr(result, name)) for name in ("effect_size", "threshold")}
    return FeatureView.model_validate({**result.as_json(), **bounded, "enough": True})


def review_view(review: FrameRecord) -> ReviewView:
    """A frame of the review queue."""
    return _copied(
        ReviewView,
        review,
        model=review.model_version,
        asked=list(review.asked_names),
        boxes=_box_views(review.shown, review.classes),
        label=None if review.label is None else _box_views(review.label, review.classes),
    )


def _box_views(boxes: Boxes, classes: Sequence[str]) -> list[ReviewBoxView]:
    """Boxes with the names of their classes; of an unknown class with its number."""
    return [
        ReviewBoxView(
            **{"class": classes[box.class_id] if box.class_id < len(classes) else str(box.class_id)},
            xyxy=box.xyxy,
            confidence=box.confidence,
        )
        for box in boxes
    ]


def model_view(version: Version) -> ModelView:
    """A version of the registry."""
    record = version.record
    scores = {
        one: {name: score for name, score in getattr(record, one).items() if math.isfinite(score)}
        for one in ("scores", "champion_scores", "class_scores", "champion_class_scores")
    }
    of_version = {name: getattr(version, name) for name in ("number", "made_at", "aliases", "lacks")}
    return _copied(ModelView, record, **of_version, **scores, model=record.model_version)


def lineage_view(record: Mapping[str, Any]) -> LineageView:
    """One version of what `flows.learning.lineage.lineage` found."""
    return LineageView(**record, number=record["version"], model=record["model_version"])


def learning_view(run: LearningRun) -> LearningView:
    """A learning run."""
    return _copied(LearningView, run, training=run.detail.get(TRAINING))


def rollout_view(
    rollout: Rollout, decisions: list[Entry] | None = None, gains: Sequence[tuple[datetime, RolloutGain]] = ()
) -> RolloutView:
    """A rollout, with its decisions, its stages and its gain over time if they are given."""
    return _copied(
        RolloutView,
        rollout,
        phase=parse_phase(rollout).title(parse_policy(rollout)),
        wanted=rollout.command,
        evidence=parse_summary(rollout).as_json(),
        decisions=[_decision(entry) for entry in decisions or []],
        stages=[] if decisions is None else stages_of(rollout, decisions),
        gains=[] if decisions is None else gains_of(rollout, decisions, gains),
    )


def _decision(entry: Entry) -> DecisionView:
    return _copied(DecisionView, entry, evidence=parse_summary(entry).as_json())


def _copied(view: type[V], source: object, **others: Any) -> V:
    """A view with the attributes of a row, but for those that are given."""
    return view(
        **{name: getattr(source, name) for name in view.model_fields.keys() - others.keys()}, **others
    )


def _bounded(value: float) -> float:
    """An effect size that JSON can hold: infinite ones become very large, NaN becomes 0."""
    return 0.0 if math.isnan(value) else min(value, _MAX_EFFECT)
