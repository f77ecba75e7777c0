"""What comes out of the stream flow, and who listens."""

from dataclasses import dataclass
from typing import Protocol

from flows.stream.analysis.counting_lines import Crossing
from streetloop.types import Frame, Tracked


@dataclass(frozen=True, slots=True)
class Result:
    """Everything known about one detected frame.

    Attributes:
        frame: The frame.
        tracked: Its detections, in pixels of the frame, with track ids.
        crossings: Lines crossed with this frame.
        model_version: Which model answered.
    """

    frame: Frame
    tracked: Tracked
    crossings: list[Crossing]
    model_version: str


class Sink(Protocol):
    """Listens to the results of the cameras.

    A tap is called from one thread, camera by camera in order of time. An error it raises is
    counted and shown, and does not stop the stream.
    """

    def take(self, result: Result) -> None:
        """Note one result; must not block for long, since all cameras wait."""

    def close(self) -> None:
        """The run is over: write out what is held back."""
