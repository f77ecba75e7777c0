"""HOTA, IDF1, MOTA and their parts: the adapter of the tracker library's evaluation."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from trackers.eval import SequenceResult, evaluate_mot_sequences

from flows.reports.tracks.mot_files import DISTRACTOR, TARGET, MotTracks, write_mot
from streetloop.errors import ConfigError

_METRICS = ["CLEAR", "HOTA", "Identity"]
_NOTHING = [[1, -1, 0, 0, 0, 0, 0, TARGET]]  # neither a track nor a target; an empty file is refused
_MAX_PAIRS = 8_000_000  # of a true and a found track; the evaluation needs 150 bytes for each


@dataclass(frozen=True, slots=True)
class TrackScores:
    """How well found tracks match true ones, as MOT Challenge reports it.

    Attributes:
        hota: Higher order tracking accuracy in %, the geometric mean of ``det_a`` and ``ass_a``
            over IoU thresholds from 0.05 to 0.95.
        ass_a: Association accuracy in %: whether a track stays with its object.
        det_a: Detection accuracy in %: whether objects are found, and nothing else.
        idf1: F1 in % of boxes, each object matched with the one track that fits it best.
        mota: 100 % less misses, false boxes and id switches as shares of the true boxes; negative
            where there are more of these than true boxes.
        id_switches: Number of times that an object goes on under another id.
        fragments: Number of times that an object is lost and found again.
    """

    hota: float
    ass_a: float
    det_a: float
    idf1: float
    mota: float
    id_switches: int
    fragments: int

    def as_json(self) -> dict[str, float | int]:
        """By the names of MOT Challenge."""
        return {
            "HOTA": self.hota,
            "AssA": self.ass_a,
            "DetA": self.det_a,
            "IDF1": self.idf1,
            "MOTA": self.mota,
            "IDSW": self.id_switches,
            "Frag": self.fragments,
        }


def score_tracks(sequences: Sequence[tuple[MotTracks, MotTracks]]) -> tuple[TrackScores, list[TrackScores]]:
    """Score found tracks against true ones.

    A found box that matches a distractor at an IoU of 0.5 is left out. Boxes of no track count for
    nothing.

    Args:
        sequences: True and found tracks of at least one sequence.

    Returns:
        The scores of all sequences as one, combined as TrackEval does: counts are summed, and
        association is weighted by true positives. Then those of each.

    Raises:
        ConfigError: A sequence has more tracks than fit into memory.
    """
    names = [f"{number:06d}" for number in range(len(sequences))]
    with tempfile.TemporaryDirectory(prefix="streetloop-tracks-") as folder:
        truths, founds = Path(folder) / "truth", Path(folder) / "found"
        for name, (truth, found) in zip(names, sequences, strict=True):
            _refuse_too_many(truth, found)
            write_mot(truths / f"{name}.txt", _canonical(truth))
            write_mot(founds / f"{name}.txt", MotTracks.of([*_NOTHING, *found.tracked().table]))
        result = evaluate_mot_sequences(truths, founds, metrics=_METRICS)
    return _scores(result.aggregate), [_scores(result.sequences[name]) for name in names]


def _refuse_too_many(truth: MotTracks, found: MotTracks) -> None:
    true, tracks = truth.targets().objects(), found.tracked().objects()
    if true * tracks > _MAX_PAIRS:
        raise ConfigError(f"{true} objects and {tracks} tracks are too many at once; evaluate fewer frames")


def _canonical(truth: MotTracks) -> MotTracks:
    """Targets as class 1, the only one that the library counts, and distractors as class 8."""
    targets, others = truth.targets().table.copy(), truth.distractors().table.copy()
    targets[:, 6:] = 1, TARGET
    others[:, 6:] = 0, DISTRACTOR
    return MotTracks.of([*_NOTHING, *targets, *others])


def _scores(result: SequenceResult) -> TrackScores:
    hota, clear, identity = result.HOTA, result.CLEAR, result.Identity
    assert hota is not None  # all three were asked for
    assert clear is not None
    assert identity is not None
    return TrackScores(
        _percent(hota.HOTA),
        _percent(hota.AssA),
        _percent(hota.DetA),
        _percent(identity.IDF1),
        _percent(clear.MOTA),
        clear.IDSW,
        clear.Frag,
    )


def _percent(share: float) -> float:
    return round(100 * share, 3)
