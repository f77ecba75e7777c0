"""The interface of labelers: people in Label Studio, or the oracle of the simulated city."""

from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from labeling.answers import Answer
from streetloop.ledger.reviews import AskedFrame, FrameRecord


class Labeler(Protocol):
    """Takes frames and answers some time later.

    Every call may be repeated: a process may die between a call and the note that it succeeded,
    and the caller remembers nothing but the frames that it asked about. One thread calls.
    """

    def push(self, frames: Sequence[FrameRecord], pushed: Callable[[str], None]) -> None:
        """Ask for labels; a frame that is already there is not added again.

        A labeler shows `FrameRecord.shown`, with the names of `FrameRecord.classes`.

        Args:
            frames: The frames, in the order in which they should be labeled.
            pushed: Called with the digest of each frame as soon as the labeler has stored it.

        Raises:
            LabelerError: Not all could be handed over; ``pushed`` was called for those that were.
        """

    def pull(self, asked: Collection[AskedFrame]) -> list[Answer]:
        """Return the answers that exist now, at most one a frame, in any order.

        Args:
            asked: The frames that were pushed. Where one has an answer already, only another answer
                matters, of another time; returning the same again does no harm.

        Raises:
            LabelerError: The answers cannot be fetched now.
        """
