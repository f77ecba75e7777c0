"""Applies the rules of retention to the archive."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from flows.archive.retention import SegmentRemoval, class_of, pinned_by, to_remove
from streetloop.cameras.camera_file import Camera
from streetloop.ledger import Ledger
from streetloop.ledger.events import evidence_keys, times_of_all_events
from streetloop.ledger.reviews import labeled_moments
from streetloop.ledger.segments import Segment, Stretch, find_segments, remove_segments
from streetloop.setting_types import KeepSetting
from streetloop.settings import Settings
from streetloop.storage.store import ObjectStore

_AT_ONCE = 200


def plan_prune(
    ledger: Ledger, settings: Settings, cameras: Sequence[Camera], now: datetime
) -> list[SegmentRemoval]:
    """What is to go now; see `flows.archive.retention.to_remove`.

    Args:
        ledger: Has the index, events and labels.
        settings: ``archive_keep`` has the rules; ``record_pre_s`` and ``record_post_s`` say what is
            near an event.
        cameras: Rules of a camera's own, ``keep``, go before those of the settings.
        now: The time (UTC).
    """
    segments = find_segments(ledger)
    if not segments:
        return []
    events: Mapping[str, Sequence[Stretch]] = times_of_all_events(ledger, now)
    own = {camera.id: camera.keep for camera in cameras}

    def classify(segment: Segment) -> str:
        near = events.get(segment.camera_id, ())
        return class_of(segment, near, settings.record_pre_s, settings.record_post_s)

    def rules(camera_id: str) -> Mapping[str, KeepSetting]:
        given = (settings.archive_keep, own.get(camera_id) or {})
        return {str(kind): rule for part in given for kind, rule in part.items()}

    is_pinned = pinned_by(evidence_keys(ledger), labeled_moments(ledger))
    return to_remove(segments, classify, is_pinned, rules, now)


def prune(ledger: Ledger, store: ObjectStore, removals: Sequence[SegmentRemoval]) -> None:
    """Remove segments: first the bytes, then the row that names them.

    A process that is killed in between leaves rows whose bytes are gone; the next prune takes them.

    Raises:
        StoreError: The store refused; what was removed until then is out of the index, too.
        LedgerError: The ledger cannot be written.
    """
    for start in range(0, len(removals), _AT_ONCE):
        gone: list[str] = []
        try:
            for removal in removals[start : start + _AT_ONCE]:
                store.delete(removal.segment.key)
                gone.append(removal.segment.key)
        finally:
            remove_segments(ledger, gone)


def sums_by_class(removals: Sequence[SegmentRemoval]) -> dict[str, int]:
    """Bytes that go, by class."""
    found: defaultdict[str, int] = defaultdict(int)
    for removal in removals:
        found[removal.segment_class] += removal.segment.bytes
    return dict(found)
