"""What a detector's network takes and answers."""

from dataclasses import dataclass
from enum import StrEnum

from train.model.preprocess import input_shape


class OutputLayout(StrEnum):
    """How a network writes N boxes of C classes in each of B images, in pixels of its input."""

    ANCHORS = "anchors"
    """(B, 4 + C, N): centre x and y, width, height, one score a class. YOLOv8 to v12, YOLO26."""
    OBJECTNESS = "objectness"
    """(B, N, 5 + C): centre x and y, width, height, objectness, one score a class. YOLOv5, v7."""
    SELECTED = "selected"
    """(B, N, 6): corners, score, class. The network removes doubles itself, or by ``nms=True``."""


@dataclass(frozen=True, slots=True)
class ModelInput:
    """The images that a network takes: (batch, 3, height, width).

    Attributes:
        batch: Images of one inference; None for any number.
        height: Of the input in pixels; None for any multiple of ``stride``.
        width: The same.
        stride: Free sides of the input are multiples of it, in pixels.
        dtype: ``float32`` or ``float16``.
    """

    batch: int | None = None
    height: int | None = None
    width: int | None = None
    stride: int = 32
    dtype: str = "float32"

    def size_for(self, width: int, height: int, image_size: int) -> tuple[int, int]:
        """(height, width) of the input that a picture is letterboxed into.

        >>> ModelInput(stride=64).size_for(640, 480, image_size=640)
        (512, 640)
        >>> ModelInput(height=384, width=640).size_for(640, 480, image_size=1280)
        (384, 640)

        Args:
            width: Of the picture in pixels.
            height: Of the picture in pixels.
            image_size: Longer side of the input in pixels; a fixed size overrides it.
        """
        free_height, free_width = input_shape(width, height, image_size, self.stride)
        return self.height or free_height, self.width or free_width

    def accepts(self, height: int, width: int) -> bool:
        """True if the network takes images of this size in pixels."""
        return all(
            side % self.stride == 0 if fixed is None else side == fixed
            for side, fixed in ((height, self.height), (width, self.width))
        )


ANY_SIZE = ModelInput()
"""The input of a network that takes any number of images of any size, as Ultralytics exports it
with ``dynamic=True``."""


@dataclass(frozen=True, slots=True)
class ModelContract:
    """What a detector's network takes and answers, read from its file and never guessed.

    Attributes:
        names: Class names; a class id is an index into them.
        input: The images that it takes.
        layout: How it writes its boxes.
    """

    names: tuple[str, ...]
    input: ModelInput = ANY_SIZE
    layout: OutputLayout = OutputLayout.ANCHORS

    def fits(self, shape: tuple[int, ...], images: int) -> bool:
        """True if an answer of this shape is one for so many images."""
        if len(shape) != 3 or shape[0] != images:
            return False
        classes = len(self.names)
        return {
            OutputLayout.ANCHORS: shape[1] == 4 + classes,
            OutputLayout.OBJECTNESS: shape[2] == 5 + classes,
            OutputLayout.SELECTED: shape[2] == 6,
        }[self.layout]
