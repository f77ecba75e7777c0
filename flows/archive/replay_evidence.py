"""Recorded traffic as evidence of a rollout: the challenger beside what the champion served."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np

from flows.archive.replay import Detect, Work, answers_of, detect_here, detected_frames
from flows.archive.segment_detections import SegmentDetections
from flows.archive.served_log import ServedBoxes
from serve.rollout.statistics.evidence import Evidence
from serve.rollout.statistics.paired_comparison import Pair, disagreement
from streetloop.errors import NotFound
from streetloop.ledger import Ledger
from streetloop.ledger.segments import Segment, find_segments
from streetloop.settings import Settings
from streetloop.storage.store import ObjectStore
from streetloop.types import Detections
from train.model.model_file import ModelFile

_DAY = timedelta(days=1)


def replay_evidence(
    ledger: Ledger,
    store: ObjectStore,
    cameras: Sequence[str],
    model: ModelFile,
    minutes: float,
    settings: Settings,
    now: datetime,
    detect: Detect = detect_here,
) -> Evidence:
    """What a challenger finds in the traffic of the last day, beside what was served then.

    It adds frames, numbers of boxes and agreement to the evidence. Frames without ground truth say
    nothing about gains, and computing times beside live streams nothing about latency.

    Args:
        ledger: Has the index.
        store: Has segments and logs; keeps the answers, so that a restart does not ask again.
        cameras: Ids of the cameras.
        model: The challenger.
        minutes: Video that is looked at, of all cameras together, spread evenly over the day.
        settings: Input size, confidence and backend.
        now: The time (UTC).
        detect: Looks at segments.

    Raises:
        NotFound: Nothing of the day was recorded and detected.
        StoreError: A segment or a log cannot be read.
        DetectorError: The model failed.
    """
    recorded = [one for one in find_segments(ledger, None, now - _DAY, now) if one.camera_id in set(cameras)]
    looked_at: list[Work] = [(one, detected_frames(store, one)) for one in spread(recorded, minutes)]
    work = [(one, frames) for one, frames in looked_at if frames]
    answers = answers_of(work, model, settings, store, detect)
    found = Evidence()
    for segment, frames in work:
        boxes = {frame.frame_id: frame.boxes for frame in frames}
        found += _compared(segment, boxes, answers[segment.key], model.contract.names, settings.confidence)
    if not found.replayed:
        raise NotFound("no recorded traffic of the last day was detected: there is nothing to replay")
    return found


def spread(segments: Sequence[Segment], minutes: float) -> list[Segment]:
    """Some of the segments, evenly spaced, that last so long together; all if they are fewer."""
    total_s = sum((one.ended_at - one.started_at).total_seconds() for one in segments)
    if total_s <= 60 * minutes:
        return list(segments)
    count = max(1, round(len(segments) * 60 * minutes / total_s))
    return [segments[int((k + 0.5) * len(segments) / count)] for k in range(count)]


def _compared(
    segment: Segment,
    served: Mapping[int, ServedBoxes],
    answers: SegmentDetections,
    names: Sequence[str],
    confidence: float,
) -> Evidence:
    found = Evidence()
    for index, frame_id in enumerate(answers.frame_id.tolist()):
        champion = _known(served[frame_id], names, confidence)
        challenger = answers.of(index)
        shown = challenger.confidence >= confidence
        theirs = Detections(challenger.xyxy[shown], challenger.confidence[shown], challenger.class_id[shown])
        found += disagreement(Pair(segment.camera_id, 0.0, champion, theirs))
        found += Evidence(frames=1, replayed=1)
    return found


def _known(boxes: ServedBoxes, names: Sequence[str], confidence: float) -> Detections:
    """Served boxes of classes that the challenger has."""
    ids = {name: number for number, name in enumerate(names)}
    rows = [
        row
        for row, name in enumerate(boxes.class_name)
        if name in ids and boxes.confidence[row] >= confidence
    ]
    class_id = np.array([ids[boxes.class_name[row]] for row in rows], np.int64)
    return Detections(boxes.xyxy[rows], boxes.confidence[rows], class_id)
