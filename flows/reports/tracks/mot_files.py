"""MOT Challenge files: tracks as text, one box of one frame a line.

``frame,id,left,top,width,height,confidence,class,visibility``, frames from 1, boxes in pixels. In
a file of ground truth the confidence says whether the box counts, and the class what it is; in a
file of found tracks both are free. What comes after the sixth column may be left out.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from streetloop.errors import ConfigError
from streetloop.host.files import write_whole
from streetloop.types import Ints

TARGET, DISTRACTOR, NO_CLASS = 1, 8, -1
"""Classes of a true box that must be found, one that may be missed, and of a found box."""

MAX_FRAME, MAX_BOXES, MAX_IDS = 1_000_000, 1_000, 5_000
_MAX_BYTES = 64 * 2**20
_MAX_PIXEL = 1e6
_MAX_ID = 2**53  # beyond it the evaluation, which reads floats, would mix ids up
_COLUMNS = (6, 10)
_DEFAULTS = (1.0, float(TARGET))  # confidence and class, where a file leaves them out
_DISTRACTOR_CLASSES = (2, 7, 8, 12)  # person on vehicle, static person, distractor, reflection
_SEPARATOR = re.compile(r"\s*[,;\s]\s*")


@dataclass(frozen=True, slots=True)
class MotTracks:
    """N boxes with their tracks.

    Attributes:
        table: (N, 8) float64 in order of frames: frame, from 1; track id, negative where a box
            belongs to no track; left, top, width and height in pixels; confidence, of a true box 0
            where it does not count; class, of a true box as MOT Challenge numbers classes.
    """

    table: NDArray[np.float64]

    @classmethod
    def of(cls, rows: Sequence[Sequence[float]] | NDArray[np.float64]) -> "MotTracks":
        """From rows of these eight columns, in any order."""
        table = np.array(rows, np.float64).reshape(-1, 8)
        return cls(table[np.argsort(table[:, 0], kind="stable")])

    def __len__(self) -> int:
        return len(self.table)

    @property
    def frame(self) -> Ints:
        """The frame of each box."""
        return self.table[:, 0].astype(np.int64)

    @property
    def track_id(self) -> Ints:
        """The track of each box."""
        return self.table[:, 1].astype(np.int64)

    def take(self, mask: NDArray[np.bool_]) -> "MotTracks":
        """The boxes where ``mask`` (N,) is true."""
        return MotTracks(self.table[mask])

    def targets(self) -> "MotTracks":
        """Of true boxes those that must be found: neither distractors nor marked as ignored."""
        return self.take((self.table[:, 6] != 0) & ~np.isin(self.table[:, 7], _DISTRACTOR_CLASSES))

    def distractors(self) -> "MotTracks":
        """Of true boxes those that may be found or missed."""
        return self.take(np.isin(self.table[:, 7], _DISTRACTOR_CLASSES))

    def demoted(self, mask: NDArray[np.bool_]) -> "MotTracks":
        """True boxes with those where ``mask`` (N,) is true as distractors."""
        table = self.table.copy()
        table[mask, 6:] = 0, DISTRACTOR
        return MotTracks(table)

    def tracked(self) -> "MotTracks":
        """The boxes that belong to a track."""
        return self.take(self.table[:, 1] >= 0)

    def objects(self) -> int:
        """Number of different tracks."""
        return len(np.unique(self.track_id))


def read_mot(path: Path, *, truth: bool) -> MotTracks:
    """Read and check a MOT file.

    Args:
        path: The file; without any box only found tracks may be.
        truth: Whether it holds ground truth. There a box without a class, or of class -1, is a
            target.

    Raises:
        ConfigError: The file cannot be read, or is no MOT file; the message names file and line.
    """
    rows: list[list[float]] = []
    seen: dict[int, set[int]] = {}
    for number, line in enumerate(_text(path).splitlines(), start=1):
        if line.strip():
            row = _parsed(line, f"{path}, line {number}", truth)
            _refuse_repetition(row, seen, f"{path}, line {number}")
            rows.append(row)
    if truth and not rows:
        raise ConfigError(f"{path}: is empty; ground truth has one line for each box of each frame")
    tracks = MotTracks.of(rows)
    if tracks.tracked().objects() > MAX_IDS:
        raise ConfigError(f"{path}: more than {MAX_IDS} tracks; evaluate it in parts")
    return tracks


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ConfigError(f"{path}: larger than {_MAX_BYTES // 2**20} MB; evaluate it in parts")
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not a text file") from None


def _parsed(line: str, where: str, truth: bool) -> list[float]:
    """The first eight columns, with what is left out filled in."""
    cells = _SEPARATOR.split(line.strip().rstrip(",;").rstrip())
    fewest, most = _COLUMNS
    if not fewest <= len(cells) <= most:
        raise ConfigError(
            f"{where}: has {len(cells)} columns; a MOT file has {fewest} to {most}: "
            "frame, id, left, top, width, height, confidence, class, ..."
        )
    try:
        values = [float(cell) for cell in cells]
    except ValueError:
        wrong = next(cell for cell in cells if not _is_number(cell))
        raise ConfigError(f"{where}: {wrong[:40]!r} is not a number") from None
    if not all(math.isfinite(value) for value in values):
        raise ConfigError(f"{where}: every column must be a finite number")
    row = [*values[:8], *_DEFAULTS[len(values) - fewest :]]
    _refuse_bad_values(row, where)
    if truth and row[1] < 0:
        raise ConfigError(f"{where}: id {row[1]:g}: every true box has the id of its object, from 0 on")
    if truth and row[7] == NO_CLASS:
        row[7] = TARGET
    return row


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _refuse_bad_values(row: list[float], where: str) -> None:
    frame, track_id, left, top, width, height, _, class_id = row
    if frame != int(frame) or not 1 <= frame <= MAX_FRAME:
        raise ConfigError(f"{where}: frame {frame:g}: frames are counted from 1 to {MAX_FRAME}")
    if track_id != int(track_id) or abs(track_id) > _MAX_ID:
        raise ConfigError(f"{where}: id {track_id:g}: write a whole number")
    if width < 0 or height < 0:
        raise ConfigError(f"{where}: a box of {width:g} x {height:g} pixels; sizes are not negative")
    if max(abs(left), abs(top), width, height) > _MAX_PIXEL:
        raise ConfigError(f"{where}: a box beyond {_MAX_PIXEL:g} pixels")
    if class_id != int(class_id) or abs(class_id) > _MAX_ID:
        raise ConfigError(f"{where}: class {class_id:g}: write a whole number")


def _refuse_repetition(row: list[float], seen: dict[int, set[int]], where: str) -> None:
    frame, track_id = int(row[0]), int(row[1])
    ids = seen.setdefault(frame, set())
    if track_id >= 0 and track_id in ids:
        raise ConfigError(f"{where}: id {track_id} is in frame {frame} twice")
    # Boxes of no track count as well: the limit is for the memory of the evaluation.
    ids.add(track_id if track_id >= 0 else -1 - len(ids))
    if len(ids) > MAX_BOXES:
        raise ConfigError(f"{where}: more than {MAX_BOXES} boxes in frame {frame}")


def write_mot(path: Path, tracks: MotTracks) -> None:
    """Write a MOT file of nine columns, the visibility as -1: not stated.

    Raises:
        OSError: The file cannot be written.
    """
    lines = (
        f"{frame:.0f},{track:.0f},{x:.2f},{y:.2f},{w:.2f},{h:.2f},{confidence:.4g},{class_id:.0f},-1\n"
        for frame, track, x, y, w, h, confidence, class_id in tracks.table.tolist()
    )
    write_whole(path, "".join(lines))
