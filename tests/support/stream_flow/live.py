"""Cameras that never end, and a sink that notes when their results came."""

import itertools
import threading
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise

from flows.stream.analysis.results import Result
from flows.stream.sources.source import SourceFrame
from streetloop.errors import SourceError
from streetloop.types import ArrayPicture
from streetloop.video import VideoInfo


class LiveSource:
    """A `Source` that loops over some pictures in real time."""

    live = True

    def __init__(self, pictures: Sequence[ArrayPicture], fps: float) -> None:
        self._pictures, self.nominal_fps = pictures, fps

    def probe(self) -> VideoInfo:
        """See `Source.probe`."""
        first = self._pictures[0]
        return VideoInfo("live", first.width, first.height, self.nominal_fps, 0)

    def read(self, stop: threading.Event) -> Iterator[SourceFrame]:
        """See `Source.read`."""
        began = due = time.monotonic()
        for picture in itertools.cycle(self._pictures):
            if stop.wait(max(0.0, due - time.monotonic())):
                return
            yield SourceFrame(due - began, picture)
            due += 1 / self.nominal_fps

    def set_rate(self, fps: float) -> None:
        """Give so many pictures a second from now on."""
        self.nominal_fps = fps

    def is_final(self, error: SourceError) -> bool:
        """See `Source.is_final`."""
        return True

    def wait_for_return(self, stop: threading.Event, timeout_s: float) -> None:
        """See `Source.wait_for_return`."""
        stop.wait(timeout_s)


class Stamps:
    """A `Sink` that notes the wall-clock time and the model of each camera's results."""

    def __init__(self, cameras: Sequence[str]) -> None:
        self._found: dict[str, list[tuple[float, str]]] = {name: [] for name in cameras}

    def take(self, result: Result) -> None:
        """See `Sink.take`."""
        self._found[result.frame.camera_id].append((time.time(), result.model_version))

    def close(self) -> None:
        """See `Sink.close`."""

    def between(self, began: float, ended: float = 1e12) -> dict[str, list[tuple[float, str]]]:
        """Times and model versions of the results between two wall-clock times, by camera."""
        return {
            camera: [stamp for stamp in list(found) if began <= stamp[0] <= ended]
            for camera, found in self._found.items()
        }

    def longest_gap(self, began: float, ended: float) -> float:
        """Longest time in seconds between two results of a camera; the ends count as results."""
        times = ([at for at, _ in found] for found in self.between(began, ended).values())
        return max(b - a for of_one in times for a, b in pairwise([began, *of_one, ended]))

    def versions(self, began: float, ended: float = 1e12) -> set[str]:
        """The versions of the models that answered."""
        return {v for found in self.between(began, ended).values() for _, v in found}
