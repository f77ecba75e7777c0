"""The results of the stream flow, and the sinks that take them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from flows.stream.analysis.counting_lines import Crossing
from flows.stream.anomalies.anomaly_watch import Anomaly
from streetloop.types import Frame, Tracked


@dataclass(frozen=True, slots=True)
class Result:
    """The analysis of one detected frame.

    Attributes:
        frame: The frame.
        tracked: Its detections with track ids, boxes in pixels of the frame.
        crossings: Line crossings that this frame completed.
        model_version: The model that answered.
        counted: (N,) false for detections that are logged but neither tracked nor counted: of
            classes that are not counted, and second boxes of one object.
        anomalies: Anomalies that this frame began or ended.
    """

    frame: Frame
    tracked: Tracked
    crossings: list[Crossing]
    model_version: str
    counted: NDArray[np.bool_]
    anomalies: Sequence[Anomaly] = ()


class Sink(Protocol):
    """Takes the results of all cameras of a pipeline.

    One thread at a time calls it, in order of time within each camera. An error that it raises is
    shown as a fault of the cameras and stops nothing.
    """

    def take(self, result: Result) -> None:
        """Take one result. All cameras wait meanwhile, so it must not block for long."""

    def close(self) -> None:
        """Write out what is held back; called once, after the last result."""
