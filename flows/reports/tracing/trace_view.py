"""What a trace has found, as the view that commands and the API show."""

from flows.reports.tracing.frame_fate import FrameFate
from flows.reports.tracing.models_made import ModelsMade
from flows.reports.tracing.way import Way
from streetloop.control.report_views import (
    TracedDataset,
    TracedEvent,
    TracedFrame,
    TracedLearning,
    TracedRollout,
    TracedVersion,
    TraceView,
)
from streetloop.ledger.events import Event
from streetloop.ledger.learning import LearningRun
from streetloop.ledger.lookups.frame_name import frame_name_of
from streetloop.ledger.reviews import FrameRecord
from train.version_record import Version


def view_of(way: Way, made: ModelsMade) -> TraceView:
    """The view of a way.

    Args:
        way: What was found.
        made: Knows which dataset has which frame.
    """
    events = sorted(way.events.values(), key=lambda one: (one[0].started_at, one[0].id))
    return TraceView(
        asked=str(way.asked),
        frames=[*_logged_alone(way), *(_kept(frame, way, made) for frame in way.frames)],
        more_frames=way.more_frames,
        events=[_event(event, link) for event, link in events],
        datasets=[TracedDataset(digest=one, images=images) for one, images in way.datasets.items()],
        learning=[_learning(run) for run in way.learning],
        versions=[_version(version) for version in way.versions],
        rollouts=[
            TracedRollout(
                id=one.id,
                state=one.state,
                model=one.model,
                champion=one.champion,
                reason=made.newest_reason(one),
            )
            for one in way.rollouts
        ],
        gaps=way.gaps,
    )


def _logged_alone(way: Way) -> list[TracedFrame]:
    """Frames of which no picture was kept."""
    kept = {frame_name_of(one.camera_id, one.origin) for one in way.frames}
    return [
        TracedFrame(
            name=str(name),
            camera_id=name.camera_id,
            captured_at=fate.captured_at,
            fate=fate.fate,
            fate_reason=fate.reason,
            model=fate.model_version,
        )
        for name, fate in way.fates.items()
        if name not in kept
    ]


def _kept(frame: FrameRecord, way: Way, made: ModelsMade) -> TracedFrame:
    name = frame_name_of(frame.camera_id, frame.origin)
    fate: FrameFate | None = None if name is None else way.fates.get(name)
    return TracedFrame(
        name=None if name is None else str(name),
        digest=frame.digest,
        camera_id=frame.camera_id,
        captured_at=frame.captured_at,
        fate=None if fate is None else fate.fate,
        fate_reason=None if fate is None else fate.reason,
        model=frame.model_version,
        state=frame.state,
        reason=frame.reason,
        labeler=frame.labeler,
        answered_at=frame.answered_at,
        boxes=None if frame.label is None else len(frame.label),
        datasets=made.datasets_of(frame, way.datasets),
    )


def _event(event: Event, link: str) -> TracedEvent:
    return TracedEvent(
        id=event.id,
        kind=event.kind,
        camera_id=event.camera_id,
        started_at=event.started_at,
        ended_at=event.ended_at,
        link=link,
    )


def _learning(run: LearningRun) -> TracedLearning:
    because, version = run.trigger.get("because"), run.detail.get("version")
    return TracedLearning(id=run.id, step=run.step, because=because, version=version)


def _version(version: Version) -> TracedVersion:
    record = version.record
    return TracedVersion(
        number=version.number,
        aliases=list(version.aliases),
        model=record.model_version,
        parent=record.parent,
        dataset=record.dataset or None,
        accepted=record.accepted,
    )
