"""Text in pictures: OpenCV's font for ASCII, which is fast, and a TrueType font for all else."""

import functools
import importlib.util
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as Drawing
from PIL import ImageDraw, ImageFont

from streetloop.types import Image

Colour = tuple[int, int, int]

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_PIXELS = 30  # height of the TrueType font at scale 1, to be as high as OpenCV's


def text_size(text: str, scale: float) -> tuple[int, int]:
    """Width and height of ``text`` in pixels, above its base line."""
    if text.isascii():
        (width, height), _ = cv2.getTextSize(text, _FONT, scale, 1)
        return width, height
    left, top, right, _ = _truetype(scale).getbbox(text, anchor="ls")
    return int(right - left), int(-top)


def put_text(
    image: Image, text: str, at: tuple[int, int], scale: float, colour: Colour, thickness: int = 1
) -> None:
    """Draw ``text`` into ``image``; what is beyond its edge is left out.

    Args:
        image: (H, W, 3) uint8, blue first.
        text: One line of any script that DejaVu Sans has.
        at: Left end of its base line.
        scale: As OpenCV counts; 0.45 is some ten pixels high.
        colour: Blue first.
        thickness: Of its strokes in pixels.
    """
    if text.isascii():
        cv2.putText(image, text, at, _FONT, scale, colour, thickness, cv2.LINE_AA)
        return
    mask = _mask(text, scale, thickness // 2)
    left, top = at[0] - thickness // 2, at[1] - round(_PIXELS * scale)
    x, y = max(left, 0), max(top, 0)
    bottom, right = max(image.shape[0] - top, 0), max(image.shape[1] - left, 0)
    mask = mask[y - top : bottom, x - left : right]
    part = image[y : y + mask.shape[0], x : x + mask.shape[1]]
    share = mask[:, :, None] / np.float32(255)
    part[:] = (part * (1 - share) + np.array(colour, np.float32) * share).astype(np.uint8)


@functools.lru_cache(maxsize=256)
def _mask(text: str, scale: float, stroke: int) -> Image:
    """The text as (height, width) uint8 with its base line at a fixed row; 255 is ink."""
    font, base = _truetype(scale), round(_PIXELS * scale)
    left, _, right, _ = font.getbbox(text, anchor="ls")
    size = (int(right - left) + 2 * stroke + 2, base + round(_PIXELS * scale / 2))
    drawing = Drawing.new("L", size)
    ImageDraw.Draw(drawing).text((stroke, base), text, fill=255, font=font, anchor="ls", stroke_width=stroke)
    return np.asarray(drawing, np.uint8)


@functools.cache
def _truetype(scale: float) -> ImageFont.FreeTypeFont:
    # Matplotlib brings the font; to import all of it for that would take a second.
    package = importlib.util.find_spec("matplotlib")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("matplotlib, which brings the font, is not installed")
    path = Path(package.origin).parent / "mpl-data/fonts/ttf/DejaVuSans.ttf"
    return ImageFont.truetype(str(path), round(_PIXELS * scale))
