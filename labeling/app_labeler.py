"""A labeler for people who answer in the app: frames and answers are both in the ledger."""

from collections.abc import Callable, Collection, Sequence

from labeling.answers import Answer, Labeled, Skipped
from streetloop.boxes import to_detections
from streetloop.ledger import Ledger
from streetloop.ledger.history.app_answers import AppAnswer, list_app_answers
from streetloop.ledger.reviews import AskedFrame, FrameRecord


class AppLabeler:
    """A `labeling.labeler.Labeler` whose answers come from the app's Review tab.

    Args:
        ledger: Holds the answers.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def push(self, frames: Sequence[FrameRecord], pushed: Callable[[str], None]) -> None:
        """See `Labeler.push`; the app shows what the ledger has, so nothing is handed over."""
        for frame in frames:
            pushed(frame.digest)

    def pull(self, asked: Collection[AskedFrame]) -> list[Answer]:
        """See `Labeler.pull`; an answer to an earlier question of a frame does not count."""
        asks = {one.digest: one.asks for one in asked}
        return [_answer(one) for one in list_app_answers(self._ledger, asks) if one.asks == asks[one.digest]]


def _answer(one: AppAnswer) -> Answer:
    if one.boxes is None:
        return Skipped(one.digest, one.labeler, one.at)
    return Labeled(one.digest, to_detections(one.boxes), one.classes, one.labeler, one.at)
