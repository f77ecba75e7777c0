"""Small clips as recorders and cameras really leave them: stamps, turned pictures, covers."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.stream import Disposition
from av.video.stream import VideoStream

from streetloop.types import Image

_TICK = Fraction(1, 90_000)
_OPTIONS = {
    "libx264": {"bf": "0", "preset": "ultrafast", "g": "25"},
    "ffv1": {"level": "1"},  # without slices, for which a thin picture has no room
}


def quarters(index: int = 0, width: int = 96, height: int = 64) -> Image:
    """A picture of four gray quarters, 40, 100, 160 and 220 in reading order, and a moving bar."""
    image = np.zeros((height, width, 3), np.uint8)
    middle, half = width // 2, height // 2
    image[:half, :middle], image[:half, middle:] = 40, 100
    image[half:, :middle], image[half:, middle:] = 160, 220
    image[half - 4 : half + 4, index % width] = 255
    return image


def steady(count: int, fps: float = 10.0, start_s: float = 0.0) -> list[float]:
    """The stamps of ``count`` pictures at an even rate."""
    return [start_s + k / fps for k in range(count)]


def write_stamped(
    path: Path,
    times: Sequence[float],
    picture: Callable[[int], Image] = quarters,
    *,
    fps: Fraction | int = 10,
    turn: tuple[int, bool, bool] | None = None,
    cover: Disposition | None = None,
    codec: str = "libx264",
) -> Path:
    """Write a clip whose pictures have exactly these stamps.

    Args:
        path: The file; its suffix chooses the container.
        times: Rising stamps of the pictures in seconds.
        picture: Makes the picture of a number.
        fps: The rate that the container declares.
        turn: Degrees against the clock, mirrored, flipped: what the metadata say.
        cover: Puts a still of 500x500 before the film, with this disposition.
        codec: ``libx264``, or ``ffv1``, which takes any size.
    """
    height, width = picture(0).shape[:2]
    options = _OPTIONS[codec]
    with av.open(str(path), "w") as container:
        still = None if cover is None else _add(container, "mjpeg", 1, 500, 500)
        film = _add(container, codec, fps, width, height, options)
        if still is not None and cover is not None:
            still.disposition, film.disposition = cover, Disposition(0)
            _write(container, still, quarters(0, 500, 500), 0.0)
            container.mux(still.encode(None))
        if turn is not None:
            film.set_display_rotation(turn[0], hflip=turn[1], vflip=turn[2])
        for index, time_s in enumerate(times):
            _write(container, film, picture(index), time_s)
        container.mux(film.encode(None))
    return path


def join(path: Path, *parts: Path) -> Path:
    """One file of several, byte after byte, as recorders join segments of MPEG-TS."""
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def _add(
    container: av.container.OutputContainer,
    codec: str,
    fps: Fraction | int,
    width: int,
    height: int,
    options: dict[str, str] | None = None,
) -> VideoStream:
    stream: VideoStream = container.add_stream(codec, rate=fps, options=options or {})  # type: ignore[call-overload]
    stream.width, stream.height = width, height
    stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    stream.time_base = stream.codec_context.time_base = _TICK
    return stream


def _write(container: av.container.OutputContainer, stream: VideoStream, image: Image, time_s: float) -> None:
    frame = av.VideoFrame.from_ndarray(image, format="bgr24")
    frame.pts, frame.time_base = round(time_s / _TICK), _TICK
    container.mux(stream.encode(frame))
