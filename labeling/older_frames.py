"""Gives frames of older versions, which stored class ids alone, the class names of their models."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence

from streetloop.errors import ConfigError
from streetloop.ledger import Ledger
from streetloop.ledger.review_moves import confirm_labels, name_classes
from streetloop.ledger.reviews import FrameRecord, ReviewState, list_doubted, list_unnamed_versions

_MAX_NAMED = 3  # model versions in one sentence
_DOUBT = (
    "asked about by a version that named classes by the model of the settings, not by the model that "
    "found the frame"
)


class OlderFrames:
    """Names the classes of frames that have none, and lifts the doubt about labels that are right.

    The label commands of older versions showed the class names of the model of the settings,
    whichever model had found the frame. A label is trusted if both models have the same names, and
    nothing in the labels says otherwise.

    Args:
        ledger: Holds the frames.
        find: Class names of model versions, as far as they are known.
        asked_with: Class names of the model of the settings; None trusts no label.
        shipped: Class names of the model that the settings name by default.
    """

    def __init__(
        self,
        ledger: Ledger,
        find: Callable[[Collection[str]], Mapping[str, Sequence[str]]],
        asked_with: Sequence[str] | None,
        shipped: Sequence[str],
    ) -> None:
        self._ledger, self._find = ledger, find
        self._asked_with = None if asked_with is None else tuple(asked_with)
        self._shipped = tuple(shipped)
        self._looked_up: set[str] = set()
        self._is_settled = False

    def settle(self) -> None:
        """Store class names with frames that have none, and lift the doubt about labels.

        Raises:
            LedgerError: The ledger cannot be read or written.
            RegistryError: The registry does not answer; the next call asks it again.
        """
        if self._name() or not self._is_settled:
            self._trust()
            self._is_settled = True

    def _name(self) -> bool:
        """Store class names as far as they are known; true if a version was looked up."""
        unnamed = set(list_unnamed_versions(self._ledger, list(ReviewState))) - self._looked_up
        if unnamed:
            found = self._find(unnamed)
            for version in sorted(unnamed & found.keys()):
                name_classes(self._ledger, version, found[version], _DOUBT)
            self._looked_up |= unnamed
        return bool(unnamed)

    def _trust(self) -> None:
        by_version: dict[str, list[FrameRecord]] = defaultdict(list)
        for frame in list_doubted(self._ledger):
            if frame.classes and frame.classes == self._asked_with:
                by_version[frame.model_version].append(frame)
        for frames in by_version.values():
            if frames[0].classes == self._shipped or not _lost_classes(frames, len(self._shipped)):
                confirm_labels(self._ledger, [frame.digest for frame in frames])

    def refusal(self, states: Collection[ReviewState]) -> ConfigError | None:
        """An error that names the models of the frames without names; None if there are none.

        Args:
            states: The states of the frames.

        Raises:
            LedgerError: The ledger cannot be read.
        """
        versions = list_unnamed_versions(self._ledger, states)
        if not versions:
            return None
        more = f" and {len(versions) - _MAX_NAMED} more" if len(versions) > _MAX_NAMED else ""
        return ConfigError(
            f"frames found by {', '.join(versions[:_MAX_NAMED])}{more} are refused and stay as they "
            "are: an older version stored them without class names; name the model that found them "
            "with --model or STREETLOOP_MODEL"
        )


def _lost_classes(frames: Sequence[FrameRecord], known: int) -> bool:
    """True if labels lack the higher class ids of the boxes, as under the names of a smaller model.

    Under those, boxes of ids that the smaller model lacks were not shown, and could not be drawn.

    Args:
        frames: Frames of one model.
        known: Number of classes of the smaller model.
    """
    beyond = [f for f in frames if f.label is not None and any(b.class_id >= known for b in f.shown)]
    kept = sum(any(box.class_id >= known for box in frame.label or ()) for frame in beyond)
    return kept < len(beyond) / 2
