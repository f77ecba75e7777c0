"""Rows of the ledger and the registry as the views of `streetloop.control.views`."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from drift.comparison import FeatureResult
from flows.reports.drift_status import DriftStatus
from serve.rollout.rollout_record import parse_phase, parse_policy, parse_summary
from streetloop.cameras import Camera
from streetloop.control.views import (
    CameraView,
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
    ReviewView,
    RolloutView,
)
from streetloop.json_values import finite_or_none
from streetloop.ledger.events import Event
from streetloop.ledger.findings import Finding
from streetloop.ledger.learning import LearningRun
from streetloop.ledger.reviews import FrameRecord
from streetloop.ledger.rollouts import Entry, Rollout
from train.model_registry import Version

if TYPE_CHECKING:
    from flows.stream.analysis.status import CameraStatus

_DIGITS = 9
_MAX_EFFECT = 1e6


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
    frames = Frames(**{name: getattr(status.account, name) for name in Frames.model_fields})
    return CameraView(
        **_configuration(camera),
        state=status.state.value,
        error=status.error,
        frames=frames,
        fps_decoded=rates[0],
        fps_detected=rates[1],
        lag_p95_s=status.lag_p95_s,
        objects=status.objects,
        crossings=status.lines,
        slot=slot,
        model=status.model,
        faults=list(status.faults),
    )


def _configuration(camera: Camera) -> dict[str, Any]:
    plain = {name: getattr(camera, name) for name in ("id", "city", "fps", "transport", "lines")}
    return {**plain, "uri": str(camera.uri)}


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


def drift_view(camera_id: str, status: DriftStatus) -> DriftView:
    """The drift of a camera."""
    finding, reference = status.open_finding, status.watch.reference
    return DriftView(
        camera_id=camera_id,
        state=status.word,
        drifts=finding is not None,
        causes=[] if finding is None else list(finding.causes),
        since=None if finding is None else finding.since,
        until=status.watch.at,
        missing_minutes=status.missing,
        reference=ReferenceView()
        if reference is None
        else ReferenceView(source=reference.source, minutes=reference.periods),
        features={name: _feature(result) for name, result in status.answers.items() if result.enough},
        findings=[_finding(one) for one in status.findings],
    )


def _feature(result: FeatureResult) -> FeatureView:
    return FeatureView(
        enough=True,
        effect_size=_bounded(result.effect_size),
        threshold=_bounded(result.threshold),
        statistic=finite_or_none(result.statistic, _DIGITS),
        p_value=finite_or_none(result.p_value, _DIGITS),
        change=finite_or_none(result.change, _DIGITS),
        alarm=result.alarm,
    )


def _finding(finding: Finding) -> FindingView:
    return FindingView(**{name: getattr(finding, name) for name in FindingView.model_fields})


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


def lineage_view(record: Mapping[str, Any]) -> LineageView:
    """One version of what `flows.learning.lineage.lineage` found."""
    return LineageView(**record, number=record["version"], model=record["model_version"])


def learning_view(run: LearningRun) -> LearningView:
    """A learning run."""
    plain = {name: getattr(run, name) for name in LearningView.model_fields}
    return LearningView(
        **{**plain, "step": str(run.step), "trigger": dict(run.trigger), "detail": dict(run.detail)}
    )


def rollout_view(rollout: Rollout, decisions: list[Entry] | None = None) -> RolloutView:
    """A rollout, with its decisions if they are given."""
    return RolloutView(
        id=rollout.id,
        state=str(rollout.state),
        model=rollout.model,
        champion=rollout.champion,
        phase=parse_phase(rollout).title(parse_policy(rollout)),
        city=rollout.city,
        author=rollout.author,
        started_at=rollout.started_at,
        updated_at=rollout.updated_at,
        ended_at=rollout.ended_at,
        wanted=rollout.command and str(rollout.command),
        policy=dict(rollout.policy),
        evidence=parse_summary(rollout).as_json(),
        decisions=[_decision(entry) for entry in decisions or []],
    )


def _decision(entry: Entry) -> DecisionView:
    plain: dict[str, Any] = {name: getattr(entry, name) for name in ("at", "action", "author")}
    return DecisionView(**plain, reason=entry.reason, evidence=parse_summary(entry).as_json())


def _bounded(value: float) -> float:
    """An effect size that JSON can hold: infinite ones become very large, NaN becomes 0."""
    return 0.0 if math.isnan(value) else min(value, _MAX_EFFECT)
