"""Letterboxes an image into the model's input, and maps boxes back."""

from dataclasses import dataclass

import cv2
import numpy as np

from streetloop.types import Floats, Image

_SCALE = np.float32(1 / 255)
_GRAY = 114  # the border value that YOLO models are trained with


@dataclass(frozen=True, slots=True)
class Letterbox:
    """How an image was scaled and padded into the model's input.

    Attributes:
        width: Width of the source image in pixels.
        height: Height of the source image in pixels.
        scale: Input pixels per source pixel.
        left: Padding to the left in input pixels.
        top: Padding above in input pixels.
    """

    width: int
    height: int
    scale: float
    left: int
    top: int

    def to_source(self, xyxy: Floats) -> Floats:
        """Boxes (N, 4) from pixels of the input to pixels of the source, cut at its edges.

        >>> _, box = letterbox(np.zeros((50, 100, 3), np.uint8), 64, 32)
        >>> box.to_source(np.array([[0, 0, 64, 32]], np.float32)).tolist()
        [[0.0, 0.0, 100.0, 50.0]]
        """
        shift = np.array([self.left, self.top, self.left, self.top], np.float32)
        limit = np.array([self.width, self.height, self.width, self.height], np.float32)
        return np.clip((xyxy - shift) / self.scale, 0, limit).astype(np.float32, copy=False)


def input_shape(width: int, height: int, image_size: int, stride: int = 32) -> tuple[int, int]:
    """(height, width) of the smallest input that holds a picture.

    The long side becomes ``image_size``; the short side is padded to a multiple of ``stride``, so
    a wide picture costs less than a square input would.

    >>> input_shape(1280, 720, 640)
    (384, 640)

    Args:
        width: Of the picture in pixels.
        height: Of the picture in pixels.
        image_size: Longer side of the input in pixels; higher finds smaller objects and is slower.
        stride: Both sides are multiples of it.
    """
    scale = image_size / max(width, height)
    short_height, short_width = round(height * scale), round(width * scale)
    return _ceil_to(short_height, stride), _ceil_to(short_width, stride)


def _ceil_to(value: int, stride: int) -> int:
    return max(stride, -(-value // stride) * stride)


def letterbox(image: Image, width: int, height: int) -> tuple[Image, Letterbox]:
    """Scale an image into an input, keep its shape and pad it with gray.

    Reference: the letterbox of the YOLO family, as Ultralytics' predictor does it.

    Args:
        image: (H, W, 3) uint8.
        width: Of the input in pixels.
        height: Of the input in pixels.
    """
    out = np.empty((height, width, 3), np.uint8)
    return out, letterbox_into(out, image)


def letterbox_into(out: Image, image: Image) -> Letterbox:
    """As `letterbox`, into ``out`` (height, width, 3), which may be one image of a batch."""
    height, width = out.shape[:2]
    source_height, source_width = image.shape[:2]
    scale = min(width / source_width, height / source_height)
    inner = (max(1, round(source_width * scale)), max(1, round(source_height * scale)))
    left = round((width - inner[0]) / 2 - 0.1)
    top = round((height - inner[1]) / 2 - 0.1)
    out[:top] = out[top + inner[1] :] = _GRAY
    out[:, :left] = out[:, left + inner[0] :] = _GRAY
    hole = out[top : top + inner[1], left : left + inner[0]]
    if inner == (source_width, source_height):
        hole[:] = image
    else:
        cv2.resize(image, inner, dst=hole, interpolation=cv2.INTER_LINEAR)
    return Letterbox(source_width, source_height, scale, left, top)


def to_blob(images: Image) -> Floats:
    """(B, H, W, 3) uint8, blue first, to (B, 3, H, W) float32 in [0, 1], red first."""
    batch, height, width, _ = images.shape
    blob = np.empty((batch, 3, height, width), np.float32)
    for image, planes in zip(images, blob, strict=True):
        # Plane by plane is four times as fast as one transposing multiplication.
        for source, target in zip(reversed(cv2.split(image)), planes, strict=True):
            np.multiply(source, _SCALE, out=target)
    return blob
