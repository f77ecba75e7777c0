"""Pictures of a clip, of a folder, or of a simulated camera."""

import re
import threading
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from flows.stream.sources.clip import parse_clip_uri
from flows.stream.sources.simulated import SimulatedSource
from streetloop.clock import SystemClock
from streetloop.errors import ConfigError, ImageUnreadable
from streetloop.host.paths import PathKind, kind_of, refuse_address
from streetloop.images import decode_image
from streetloop.types import Image
from streetloop.video import VideoReader

MAX_PICTURES = 240
"""Pictures of one recording, at most."""

_PICTURES_PER_S = 5  # of a clip: more show the same traffic
_IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp"}
_MAX_PIXELS = 50_000_000


def pictures_of(name: str, most: int = MAX_PICTURES) -> Iterator[Image]:
    """Pictures of a clip, of a folder of images, or of a ``sim://`` URI with ``frames=``.

    Args:
        name: A path, or a ``file://`` or ``sim://`` URI.
        most: Of a longer recording so many pictures come, spread over its length.

    Returns:
        Pictures, (height, width, 3) uint8, blue first, as they are read.

    Raises:
        ConfigError: It cannot be read; the message names it.
        SourceError: The clip is damaged.
    """
    return islice(_open(name, most), most)


def _open(name: str, most: int) -> Iterator[Image]:
    if name.startswith("sim://"):
        return _simulated(name, most)
    if name.startswith("file://"):
        path = parse_clip_uri(name)[0]
    else:
        refuse_address(name, "a recording", "name a clip, a folder of pictures, or a sim:// camera")
        path = Path(name)
    kind = kind_of(path, ConfigError)
    if kind is PathKind.FOLDER:
        return _folder(path, most)
    if kind is not PathKind.FILE:
        raise ConfigError(f"{path}: no such clip or folder")
    return _clip(path, most)


def _clip(path: Path, most: int) -> Iterator[Image]:
    with VideoReader(str(path), str(path)) as reader:
        step = max(1, reader.info.frames // most, round(reader.info.fps / _PICTURES_PER_S))
        for number, (_, picture) in enumerate(reader.pictures()):
            if number % step == 0:
                yield picture.bgr()


def _simulated(uri: str, most: int) -> Iterator[Image]:
    source = SimulatedSource(uri + ("&" if "?" in uri else "?") + "live=0", SystemClock())
    frames = source.probe().frames
    if not frames:
        raise ConfigError(f"{uri}: say how long it is with frames=300")
    step = max(1, frames // most)
    for number, source_frame in enumerate(source.read(threading.Event())):
        if number % step == 0:
            yield source_frame.picture.bgr()


def _folder(path: Path, most: int) -> Iterator[Image]:
    try:
        files = sorted((f for f in path.iterdir() if f.suffix.lower() in _IMAGE_SUFFIXES), key=_by_number)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    if not files:
        raise ConfigError(f"{path}: holds no images ({', '.join(sorted(_IMAGE_SUFFIXES))})")
    for file in files[:: max(1, len(files) // most)]:
        try:
            image = decode_image(file.read_bytes())
        except ImageUnreadable as error:
            raise ConfigError(f"{file}: is not an image that can be read") from error
        except OSError as error:
            raise ConfigError(f"{file}: cannot be read: {error.strerror}") from error
        if image.shape[0] * image.shape[1] > _MAX_PIXELS:
            raise ConfigError(f"{file}: has more than {_MAX_PIXELS // 1_000_000} million pixels")
        yield image


def _by_number(file: Path) -> tuple[list[tuple[int, str]], str]:
    """In the order of the numbers in names: frame_2 before frame_10."""
    parts = re.findall(r"\d+|\D+", file.stem)
    return [(int(p), "") if p.isdigit() else (-1, p) for p in parts], file.name
