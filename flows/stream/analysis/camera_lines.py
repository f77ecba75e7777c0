"""All counting lines of a camera."""

from collections.abc import Callable, Mapping
from functools import partial

from flows.stream.analysis.counting_lines import Crossing, LineCounter, anchor
from flows.stream.analysis.line_timer import LineTimer
from flows.stream.analysis.line_totals import LineTotals
from streetloop.cameras.counting_line import CountingLine
from streetloop.types import Floats


class CameraLines:
    """Counts what crosses lines, and counts and times what drives along those with a length.

    Args:
        lines: By name.
    """

    def __init__(self, lines: Mapping[str, CountingLine]) -> None:
        self._names = tuple(lines)
        self._crossed: list[LineCounter] = []
        self._timed: list[LineTimer] = []
        for name, line in lines.items():
            if line.length_m is None:
                self._crossed.append(LineCounter(name, line.points))
            else:
                self._timed.append(LineTimer(name, line.points, line.length_m))

    def begin(self, pts: float, gap_s: float | None = None) -> None:
        """Prepare for the boxes of a frame.

        Args:
            pts: Its media time in seconds.
            gap_s: See `LineCounter`; None leaves it.
        """
        for line in self._all():
            line.forget(pts)
            line.gap_s = line.gap_s if gap_s is None else gap_s

    def update(
        self,
        track_id: int,
        xyxy: Floats,
        size: tuple[int, int],
        pts: float,
        class_on: Callable[[str], str | None],
    ) -> list[Crossing]:
        """Note the box of a track; boxes of a track come in order of time.

        Args:
            track_id: The track.
            xyxy: (4,) left, top, right, bottom in pixels.
            size: Width and height of the image in pixels.
            pts: Media time in seconds.
            class_on: The class of the track on a line, by the line's name; None if it is not
                counted there.

        Returns:
            The crossings that this box completes.
        """
        x1, y1, x2, y2 = xyxy.tolist()
        position = anchor((x1, y1, x2, y2), *size)
        crossed = [
            line.update(track_id, position, pts, partial(class_on, line.name)) for line in self._crossed
        ]
        timed = [line.update(track_id, xyxy, size, pts, partial(class_on, line.name)) for line in self._timed]
        return [found for found in (*crossed, *timed) if found is not None]

    def totals(self) -> dict[str, LineTotals]:
        """Crossings so far by line."""
        totals = {line.name: line.totals() for line in self._all()}
        return {name: totals[name] for name in self._names}

    def _all(self) -> "list[LineCounter | LineTimer]":
        return [*self._crossed, *self._timed]
