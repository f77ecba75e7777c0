"""Which segments are to go: a pure function of the index, the events and the rules."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from streetloop.ledger.segments import Segment, Stretch
from streetloop.setting_types import KeepSetting

CONTINUOUS, MOTION, EVENT = "continuous", "motion", "event"
CLASSES = (CONTINUOUS, MOTION, EVENT)


@dataclass(frozen=True, slots=True)
class SegmentRemoval:
    """A segment that is to go.

    Attributes:
        segment: The segment.
        segment_class: ``continuous``, ``motion`` or ``event``.
        reason: ``age`` or ``bytes``.
    """

    segment: Segment
    segment_class: str
    reason: str


def class_of(segment: Segment, events: Sequence[Stretch], pre_s: float, post_s: float) -> str:
    """What a segment is kept as: near an event, with motion, or neither.

    Args:
        segment: The segment.
        events: Times of its camera's events.
        pre_s: Seconds before an event that belong to it.
        post_s: Seconds after it that do.
    """
    start, end = segment.started_at - timedelta(seconds=post_s), segment.ended_at + timedelta(seconds=pre_s)
    if any(begin < end and until > start for begin, until in events):
        return EVENT
    return MOTION if segment.motion else CONTINUOUS


def to_remove(
    segments: Sequence[Segment],
    classify: Callable[[Segment], str],
    is_pinned: Callable[[Segment], bool],
    rules: Callable[[str], Mapping[str, KeepSetting]],
    now: datetime,
) -> list[SegmentRemoval]:
    """What is to go, the oldest first.

    Of each camera and class, what is older than its rule says goes, and then the oldest until the
    rest is no more than its rule allows. What is pinned stays, and counts.

    Args:
        segments: All segments.
        classify: The class of a segment, see `class_of`.
        is_pinned: True for what an event or a label points to.
        rules: The rules of a camera by class; a class without one is kept for ever.
        now: The time (UTC).
    """
    groups: defaultdict[tuple[str, str], list[Segment]] = defaultdict(list)
    for segment in segments:
        groups[segment.camera_id, classify(segment)].append(segment)
    found: list[SegmentRemoval] = []
    for (camera, kind), members in groups.items():
        rule = rules(camera).get(kind, KeepSetting())
        found += _of_group(sorted(members, key=lambda one: one.started_at), kind, is_pinned, rule, now)
    return sorted(found, key=lambda one: (one.segment.started_at, one.segment.key))


def _of_group(
    members: Sequence[Segment],
    kind: str,
    is_pinned: Callable[[Segment], bool],
    rule: KeepSetting,
    now: datetime,
) -> list[SegmentRemoval]:
    found: list[SegmentRemoval] = []
    left = sum(one.bytes for one in members)
    limit = None if rule.gb is None else rule.gb * 10**9
    for segment in members:
        is_old = rule.days is not None and segment.ended_at < now - timedelta(days=rule.days)
        is_much = limit is not None and left > limit
        if not (is_old or is_much) or is_pinned(segment):
            continue
        found.append(SegmentRemoval(segment, kind, "age" if is_old else "bytes"))
        left -= segment.bytes
    return found


def pinned_by(
    evidence: Collection[str], labels: Mapping[str, Sequence[datetime]]
) -> Callable[[Segment], bool]:
    """True for segments that something points to.

    Args:
        evidence: Keys that events name.
        labels: When labeled frames were captured, sorted, by camera.
    """
    keys = frozenset(evidence)

    def is_pinned(segment: Segment) -> bool:
        if segment.key in keys:
            return True
        moments = labels.get(segment.camera_id, ())
        first = bisect_left(moments, segment.started_at)
        return first < len(moments) and moments[first] <= segment.ended_at

    return is_pinned
