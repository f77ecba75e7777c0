"""A labeler that answers what a teacher knows for certain, and asks people about the rest."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

import numpy as np

from labeling.answers import Answer, Labeled
from labeling.corrections import corrections
from labeling.labeler import Labeler
from labeling.teacher.trust import Check, Trust, TrustPolicy
from streetloop.boxes import ids_by_name, to_boxes
from streetloop.clock import Clock
from streetloop.ledger.reviews import TEACHER, AskedFrame, FrameRecord, SelectionReason
from streetloop.types import Detections

_CHECKED_SHARE = 0.05  # of the frames that a teacher could label; people look at them for ever
_CHECKED_BOXES = 20  # a day at least
_DRAWN_DIGITS = 8  # of a digest, as a number that is drawn once and for all


class Teacher(Protocol):
    """A model that is larger, or trained otherwise, than the one that found the frames."""

    @property
    def name(self) -> str:
        """Names it in the ledger."""

    def look_at(self, frame: FrameRecord) -> Detections:
        """Its boxes in the pixels of a frame, with the class ids of `FrameRecord.classes`.

        Weak boxes belong to it, too: an object that it is not sure of needs a person.

        Raises:
            DetectorError: The model failed.
            StoreError: The image cannot be read.
        """


class Checks(Protocol):
    """Where it is kept what people said of a teacher's boxes."""

    def add(self, digest: str, checks: Sequence[Check], at: datetime) -> None:
        """Keep what was said of a frame; what was said of it before is forgotten."""

    def all(self) -> list[Check]:
        """Everything that was said, in order of time."""

    def checked_since(self, moment: datetime) -> int:
        """Boxes that people checked since a moment (UTC)."""


@dataclass(frozen=True, slots=True)
class TeacherPolicy:
    """What a teacher may do.

    Attributes:
        trust: When a class is labeled without people.
        sure: Confidence from which a box is one that it is sure of, 0 to 1. A frame with a weaker
            box goes to people, because a label without it would teach that nothing is there.
            Higher leaves more frames to people.
    """

    trust: TrustPolicy = field(default_factory=TrustPolicy)
    sure: float = 0.5


class TeacherLabeler:
    """A `labeling.labeler.Labeler`.

    A frame that was drawn at random goes to people, because such frames measure. So does one in
    which the teacher finds nothing, is unsure, or finds a class that it has not proved to know. Of
    the others people check 5 %, and as many as it takes for 20 boxes a day.

    Args:
        teacher: The model.
        people: Who is asked about the rest.
        checks: What people said of its boxes so far.
        policy: What it may do.
        clock: The current time.
        find: Finds a frame by digest, such as one that was pushed before a restart.
    """

    def __init__(
        self,
        teacher: Teacher,
        people: Labeler,
        checks: Checks,
        policy: TeacherPolicy,
        clock: Clock,
        find: Callable[[str], FrameRecord | None],
    ) -> None:
        self.people = people
        self._teacher, self._checks, self._policy = teacher, checks, policy
        self._clock, self._find = clock, find
        self._trust = Trust(policy.trust, checks.all())
        self._own: dict[str, Labeled] = {}
        self._theirs: set[str] = set()
        self._sent: dict[str, tuple[datetime, int]] = {}  # boxes of frames that wait to be checked

    def push(self, frames: Sequence[FrameRecord], pushed: Callable[[str], None]) -> None:
        """See `Labeler.push`; people see the teacher's boxes."""
        asked = []
        for frame in frames:
            found = self._look_at(frame)
            if self._is_known(frame, found):
                self._own[frame.digest] = self._label(frame, found)
                pushed(frame.digest)
            else:
                self._theirs.add(frame.digest)
                asked.append(replace(frame, boxes=to_boxes(self._sure(found)), served=0.0))
        if asked:
            self.people.push(asked, pushed)

    def pull(self, asked: Collection[AskedFrame]) -> list[Answer]:
        """See `Labeler.pull`."""
        waiting = [one.digest for one in asked if one.answered_at is None]
        unknown = [d for d in waiting if d not in self._own and d not in self._theirs]
        before = [frame for digest in unknown if (frame := self._find(digest)) is not None]
        if before:  # pushed before a restart; people who have a frame are not asked twice
            self.push(before, lambda _: None)
        given = self.people.pull(asked)
        for answer in given:
            if isinstance(answer, Labeled):
                self._check(answer)
        theirs = {answer.digest for answer in given}
        own = [self._own.pop(digest) for digest in waiting if digest in self._own]
        return [*given, *(answer for answer in own if answer.digest not in theirs)]

    def _look_at(self, frame: FrameRecord) -> Detections:
        """The teacher's boxes of the classes that are asked about."""
        found = self._teacher.look_at(frame)
        asked = [frame.classes[k] in frame.asked_names for k in found.class_id.tolist()]
        return found.take(np.flatnonzero(asked))

    def _is_known(self, frame: FrameRecord, found: Detections) -> bool:
        if frame.reason is SelectionReason.RANDOM or not len(found) or len(self._sure(found)) < len(found):
            return False
        names = {frame.classes[class_id] for class_id in found.class_id.tolist()}
        if not all(self._trust.trusts(name, frame.camera_id) for name in names):
            return False
        return not self._must_be_checked(frame.digest, len(found))

    def _must_be_checked(self, digest: str, boxes: int) -> bool:
        now = self._clock.now()
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        self._sent = {key: sent for key, sent in self._sent.items() if sent[0] >= midnight}
        today = self._checks.checked_since(midnight) + sum(count for _, count in self._sent.values())
        drawn = int(digest[:_DRAWN_DIGITS], 16) / 16**_DRAWN_DIGITS
        if today >= _CHECKED_BOXES and drawn >= _CHECKED_SHARE:
            return False
        self._sent[digest] = now, boxes
        return True

    def _sure(self, found: Detections) -> Detections:
        return found.take(found.confidence >= self._policy.sure)

    def _label(self, frame: FrameRecord, found: Detections) -> Labeled:
        boxes = Detections(found.xyxy, np.ones(len(found), np.float32), found.class_id)
        name = f"{TEACHER}{self._teacher.name}"
        return Labeled(frame.digest, boxes, frame.classes, name, self._clock.now())

    def _check(self, answer: Labeled) -> None:
        """Keep what a person said of the teacher's boxes."""
        self._sent.pop(answer.digest, None)  # from now on it is among the checks
        frame = self._find(answer.digest)
        if frame is None or frame.answered_at == answer.at:
            return
        ids = ids_by_name(answer.classes, frame.classes)
        if any(ids[class_id] is None for class_id in answer.boxes.class_id.tolist()):
            return  # the queue rejects it
        own = np.array([ids[class_id] for class_id in answer.boxes.class_id.tolist()], np.int64)
        label = Detections(answer.boxes.xyxy, answer.boxes.confidence, own)
        checks = []
        for class_id, one in corrections(self._sure(self._look_at(frame)), label).items():
            right, wrong = one.kept + one.moved, one.reclassed + one.removed
            if right + wrong:
                checks.append(Check(frame.camera_id, frame.classes[class_id], right, right + wrong))
        self._checks.add(frame.digest, checks, answer.at)
        if frame.answered_at is not None:  # another answer than before
            self._trust = Trust(self._policy.trust, self._checks.all())
            return
        for check in checks:
            self._trust.add(check)
