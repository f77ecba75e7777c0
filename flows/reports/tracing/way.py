"""What a trace has found so far."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from flows.reports.tracing.asked import AskedTrace
from flows.reports.tracing.frame_fate import FrameFate
from streetloop.ledger.events import Event
from streetloop.ledger.learning import LearningRun
from streetloop.ledger.lookups.frame_name import FrameName
from streetloop.ledger.reviews import FrameRecord
from streetloop.ledger.rollouts import Rollout
from train.version_record import Version


@dataclass(slots=True)
class Way:
    """What was found on the way of a frame.

    Attributes:
        asked: What was asked for.
        frames: Pictures that were kept, the oldest first.
        more_frames: How many more there are.
        name: Of the frame that was asked for by it, and of which no picture was kept.
        fates: What the frame log says, by name of the frame.
        events: Events with what links them.
        datasets: Number of images by digest; None where the manifest is gone.
        versions: Versions, the oldest first.
        learning: Learning runs.
        rollouts: Rollouts.
        gaps: What is in no log.
    """

    asked: AskedTrace
    frames: Sequence[FrameRecord] = ()
    more_frames: int = 0
    name: FrameName | None = None
    fates: dict[FrameName, FrameFate] = field(default_factory=dict)
    events: dict[int, tuple[Event, str]] = field(default_factory=dict)
    datasets: dict[str, int | None] = field(default_factory=dict)
    versions: list[Version] = field(default_factory=list)
    learning: list[LearningRun] = field(default_factory=list)
    rollouts: list[Rollout] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
