"""The rows of the ledger and the registry as people see them."""

import math
from typing import Any

from flows.reports.drift_status import DriftStatus
from flows.stream.analysis.status import CameraStatus
from serve.rollout.rollout_record import RolloutRecord, parse_summary
from streetloop.cameras import Camera
from streetloop.control import (
    CameraView,
    DecisionView,
    DriftView,
    EventView,
    FeatureView,
    Frames,
    LearningView,
    ModelView,
    ReviewView,
    RolloutView,
)
from streetloop.ledger.events import Event
from streetloop.ledger.learning import LearningRun
from streetloop.ledger.reviews import FrameRecord
from streetloop.ledger.rollouts import Entry, Rollout
from train.model_registry import Version


def camera_view(camera: Camera) -> CameraView:
    """A camera of which nothing is known but what it is to be."""
    return CameraView(
        id=camera.id,
        uri=str(camera.uri),
        city=camera.city,
        fps=camera.fps,
        transport=camera.transport,
        lines=camera.lines,
    )


def live_view(camera: Camera, status: CameraStatus, rates: tuple[float, float], slot: str) -> CameraView:
    """A camera that runs.

    Args:
        camera: As it is to be.
        status: As it is.
        rates: Frames decoded and detected a second.
        slot: The application that answers for it.
    """
    fates = {name: getattr(status.account, name) for name in Frames.model_fields}
    now = {
        "state": status.state.value,
        "error": status.error,
        "frames": Frames(**fates),
        "fps_decoded": rates[0],
        "fps_detected": rates[1],
        "lag_p95_s": status.lag_p95_s,
        "objects": status.objects,
        "crossings": status.lines,
        "slot": slot,
        "model": status.model,
        "faults": list(status.faults),
    }
    return camera_view(camera).model_copy(update=now)


def event_view(event: Event) -> EventView:
    """An event of the ledger."""
    return EventView(
        id=event.id,
        kind=event.kind,
        camera_id=event.camera_id,
        started_at=event.started_at,
        ended_at=event.ended_at,
        model=event.model_version,
        detail=dict(event.detail),
    )


def drift_view(camera_id: str, state: DriftStatus) -> DriftView:
    """What the watch knows of a camera."""
    finding = state.open_finding
    known = {name: answer for name, answer in state.answers.items() if answer.enough}
    return DriftView(
        camera_id=camera_id,
        state=state.word,
        drifts=finding is not None,
        causes=[] if finding is None else list(finding.causes),
        since=None if finding is None else finding.since,
        missing_minutes=state.missing,
        features={
            name: FeatureView(
                enough=True, effect_size=_finite(answer.effect_size), threshold=_finite(answer.threshold)
            )
            for name, answer in known.items()
        },
    )


def review_view(review: FrameRecord) -> ReviewView:
    """A frame of the review queue."""
    return ReviewView(
        digest=review.digest,
        camera_id=review.camera_id,
        captured_at=review.captured_at,
        state=review.state.value,
        reason=review.reason.value,
        score=review.score,
        rank=review.rank,
        model=review.model_version,
        width=review.width,
        height=review.height,
        labeler=review.labeler,
        note=review.note,
    )


def model_view(version: Version) -> ModelView:
    """A version of the registry."""
    record = version.record
    return ModelView(
        number=version.number,
        made_at=version.made_at,
        aliases=list(version.aliases),
        parent=record.parent,
        dataset=record.dataset,
        classes=list(record.classes),
        scores={name: score for name, score in record.scores.items() if math.isfinite(score)},
        verdict=list(record.verdict),
        trigger=dict(record.trigger),
        model=record.model_version,
    )


def learning_view(run: LearningRun) -> LearningView:
    """A learning run."""
    names = LearningView.model_fields
    plain = {name: getattr(run, name) for name in names}
    return LearningView(
        **{**plain, "step": str(run.step), "trigger": dict(run.trigger), "detail": dict(run.detail)}
    )


def rollout_view(rollout: Rollout, decisions: list[Entry] | None = None) -> RolloutView:
    """A rollout, with its decisions if they are given."""
    record = RolloutRecord.of(rollout)
    return RolloutView(
        id=rollout.id,
        state=str(rollout.state),
        model=rollout.model,
        champion=rollout.champion,
        phase=record.phase_title,
        city=rollout.city,
        author=rollout.author,
        started_at=rollout.started_at,
        updated_at=rollout.updated_at,
        ended_at=rollout.ended_at,
        wanted=rollout.command and str(rollout.command),
        evidence=record.summary.as_json(),
        decisions=[_decision(entry) for entry in decisions or []],
    )


def _decision(entry: Entry) -> DecisionView:
    plain: dict[str, Any] = {name: getattr(entry, name) for name in ("at", "action", "author")}
    return DecisionView(**plain, reason=entry.reason, evidence=parse_summary(entry).as_json())


def _finite(value: float) -> float:
    """A number that JSON knows; the largest are all the same to people."""
    return 0.0 if math.isnan(value) else min(value, 1e6)
