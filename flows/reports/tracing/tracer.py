"""Follows an id either way: frame, events, label, dataset, learning run, version, rollout."""

from collections.abc import Iterable

from flows.reports.tracing.asked import AskedTrace, TraceKind
from flows.reports.tracing.frame_fate import find_fate
from flows.reports.tracing.models_made import ModelsMade
from flows.reports.tracing.related_events import events_of_frames, events_that_asked, link_to
from flows.reports.tracing.trace_view import view_of
from flows.reports.tracing.way import Way
from streetloop.control.report_views import TraceView
from streetloop.errors import NotFound
from streetloop.ledger import Ledger
from streetloop.ledger.events import LONGEST_SHOWN, find_event
from streetloop.ledger.lookups.frame_name import FrameName, frame_name_of, parse_frame_name
from streetloop.ledger.lookups.kept_frames import frames_captured, frames_like, frames_named
from streetloop.ledger.reviews import FrameRecord, find_reviews
from streetloop.settings import Settings
from streetloop.storage.store import ObjectStore

_MAX_FRAMES = 100
_MAX_NAMED = 5  # in one sentence


class Tracer:
    """Follows ids through the ledger, the registry, the datasets and the frame log.

    Args:
        settings: Where the registry is.
        ledger: Has events, reviews, learning runs and rollouts.
        store: Has datasets and the frame log.
    """

    def __init__(self, settings: Settings, ledger: Ledger, store: ObjectStore) -> None:
        self._ledger, self._store = ledger, store
        self._made = ModelsMade(settings, ledger, store)

    def trace(self, asked: AskedTrace) -> TraceView:
        """The way of what was asked for.

        Raises:
            NotFound: There is no such thing.
        """
        way = Way(asked)
        if asked.kind is TraceKind.FRAME:
            self._from_frame(way)
        elif asked.kind is TraceKind.EVENT:
            self._from_event(way)
        else:
            self._from_model(way)
        self._link_events(way)
        self._follow_up(way)
        way.gaps += self._made.gaps(way)
        return view_of(way, self._made)

    def _from_frame(self, way: Way) -> None:
        name = parse_frame_name(way.asked.id)
        if name is None:
            found = frames_like(self._ledger, way.asked.id, 2)
            if len(found) > 1:
                raise NotFound(f"several frames begin with {way.asked.id}: give more of the digest")
            if not found:
                raise NotFound(f"no frame that was kept has the digest {way.asked.id}")
        else:
            found = frames_named(self._ledger, name)
        way.frames = found
        names = [name] if name is not None else [frame_name_of(one.camera_id, one.origin) for one in found]
        for one in names:
            self._look_up(way, one)
        if name is not None and not found:
            if name not in way.fates:
                raise NotFound(f"neither a log nor the review queue has the frame {name}")
            way.name = name
            way.gaps.append("no picture of the frame was kept for labeling: it has no label and no dataset")

    def _look_up(self, way: Way, name: FrameName | None) -> None:
        if name is None:
            way.gaps.append("which frame of the logs it was is not known: it was kept by an older version")
            return
        captured_at = way.frames[0].captured_at if way.frames else None
        fate = find_fate(self._store, name, captured_at)
        if fate is None:
            way.gaps.append(f"the frame log does not have {name}: it is not written yet, or was removed")
        else:
            way.fates[name] = fate

    def _from_event(self, way: Way) -> None:
        event = find_event(self._ledger, int(way.asked.id))
        if event is None:
            raise NotFound(f"there is no event {way.asked.id}; `streetloop events` lists them")
        way.events[event.id] = (event, "asked")
        if event.camera_id is None:
            way.gaps.append(f"event {event.id} is of no camera, so of no frame")
            return
        name = frame_name_of(event.camera_id, event.detail)
        if name is None:
            way.gaps.append(f"event {event.id} ({event.kind}) did not begin in a single frame")
        else:
            self._look_up(way, name)
        until = event.ended_at or event.started_at + LONGEST_SHOWN
        frames = frames_captured(self._ledger, event.camera_id, event.started_at, until, _MAX_FRAMES + 1)
        known = {one.digest for one in frames}
        named = [] if name is None else frames_named(self._ledger, name)
        self._take(way, [*(one for one in named if one.digest not in known), *frames])
        if not way.frames:
            way.gaps.append(f"no frame was kept for labeling while event {event.id} was open")

    def _from_model(self, way: Way) -> None:
        self._made.seed(way)
        digests = self._made.images(way.datasets)
        self._take(way, find_reviews(self._ledger, digests))
        unknown = len(digests) - len(way.frames) - way.more_frames
        if unknown > 0:
            way.gaps.append(f"{unknown} images of the datasets never were in the review queue")

    def _take(self, way: Way, frames: Iterable[FrameRecord]) -> None:
        ordered = sorted(frames, key=lambda one: (one.captured_at, one.digest))
        way.frames, way.more_frames = ordered[:_MAX_FRAMES], max(0, len(ordered) - _MAX_FRAMES)

    def _link_events(self, way: Way) -> None:
        names = {frame_name_of(one.camera_id, one.origin) for one in way.frames} | {way.name}
        moments = [(one.camera_id, one.captured_at) for one in way.frames]
        if way.name is not None:
            moments.append((way.name.camera_id, way.fates[way.name].captured_at))
        for event in events_of_frames(self._ledger, names, moments):
            way.events.setdefault(event.id, (event, link_to(event, names)))
        if way.asked.kind not in (TraceKind.FRAME, TraceKind.EVENT):
            for event in events_that_asked(self._ledger, way.versions):
                way.events[event.id] = (event, "asked for the training")

    def _follow_up(self, way: Way) -> None:
        """From labels to rollouts, for what was asked from below."""
        if way.asked.kind in (TraceKind.FRAME, TraceKind.EVENT):
            self._made.follow(way)
            unlabeled = [one.digest[:12] for one in way.frames if one.label is None]
            if unlabeled:
                more = "" if len(unlabeled) <= _MAX_NAMED else f" and {len(unlabeled) - _MAX_NAMED} more"
                way.gaps.append(f"without a label: {', '.join(unlabeled[:_MAX_NAMED])}{more}")
