"""Pictures that strangers send: bounded before they are decoded."""

import io

from PIL import Image as PillowImage
from PIL import UnidentifiedImageError

from streetloop.errors import ImageUnreadable, InputRejected, InputTooLarge
from streetloop.images import decode_image
from streetloop.types import Image

MAX_BYTES = 32 * 2**20
MAX_ARCHIVE_BYTES = 512 * 2**20
"""Of a dataset."""

MAX_MODEL_BODY_BYTES = 513 * 2**20
"""Of a model of 512 MB, and of the form around it."""

MAX_PIXELS = 50_000_000
_FORMATS = ("JPEG", "PNG", "WEBP", "BMP")


def decode_upload(data: bytes) -> Image:
    """The picture as (H, W, 3) uint8, blue first, turned as its EXIF tag says.

    The header is read first: a few bytes can claim to be gigabytes of pixels.

    Raises:
        InputTooLarge: More than `MAX_BYTES`, or claims more than `MAX_PIXELS`.
        InputRejected: Empty, not a picture, or a broken one.
    """
    if not data:
        raise InputRejected("the body is empty; send a picture")
    if len(data) > MAX_BYTES:
        raise InputTooLarge(f"the picture has more than {MAX_BYTES // 2**20} MB")
    width, height = _size(data)
    if width * height > MAX_PIXELS:
        raise InputTooLarge(
            f"the picture claims {width} x {height} pixels; "
            f"at most {MAX_PIXELS // 1_000_000} million are accepted"
        )
    try:
        return decode_image(data)
    except ImageUnreadable as error:
        raise InputRejected("the picture is broken: its pixels cannot be decoded") from error


def _size(data: bytes) -> tuple[int, int]:
    try:
        with PillowImage.open(io.BytesIO(data), formats=_FORMATS) as header:
            return header.size
    except PillowImage.DecompressionBombError as error:
        raise InputTooLarge("the picture claims far too many pixels") from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, ImportError) as error:
        # Ultralytics, where it is loaded, lets Pillow import a package for kinds it does not know.
        raise InputRejected(f"the body is not a picture of a known kind ({', '.join(_FORMATS)})") from error
