import io

import cv2
import numpy as np
import pytest
from PIL import Image as PillowImage

from streetloop.errors import ImageUnreadable
from streetloop.images import decode_image, encode_jpeg
from tests.support.samples.pictures import png_header

NOISE = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)


def test_a_jpeg_comes_back_blue_first() -> None:
    image = np.zeros((40, 60, 3), np.uint8)
    image[:, :, 0] = 200
    decoded = decode_image(encode_jpeg(image))
    assert decoded.shape == (40, 60, 3)
    assert decoded.dtype == np.uint8
    assert abs(int(decoded[..., 0].mean()) - 200) <= 2
    assert decoded[..., 2].mean() < 3


def test_higher_quality_is_closer_to_the_image_and_larger() -> None:
    few, many = encode_jpeg(NOISE, 30), encode_jpeg(NOISE, 95)
    error = [np.abs(decode_image(data).astype(int) - NOISE).mean() for data in (few, many)]
    assert len(few) < len(many)
    assert error[0] > error[1]


def test_the_default_quality_is_that_of_opencv() -> None:
    assert encode_jpeg(NOISE) == cv2.imencode(".jpg", NOISE)[1].tobytes()


def test_a_gray_image_has_three_channels_when_decoded() -> None:
    assert decode_image(encode_jpeg(NOISE[:, :, 0])).shape == (40, 60, 3)


@pytest.mark.parametrize("suffix", [".png", ".webp", ".bmp", ".tiff"])
def test_other_formats_are_read(suffix: str) -> None:
    assert decode_image(cv2.imencode(suffix, NOISE)[1].tobytes()).shape == (40, 60, 3)


def test_an_image_is_turned_as_its_camera_says() -> None:
    exif, data = PillowImage.Exif(), io.BytesIO()
    exif[0x0112] = 6  # turn by 90 degrees clockwise to see it upright
    PillowImage.new("RGB", (60, 40)).save(data, "JPEG", exif=exif)
    assert decode_image(data.getvalue()).shape == (60, 40, 3)


@pytest.mark.parametrize(
    "data",
    [b"", b"plain text", b"\xff\xd8\xff", png_header(10, 10), png_header(2**31 - 1, 2**31 - 1)],
    ids=["empty", "text", "start", "no pixels", "too many pixels"],
)
def test_what_is_no_image_is_refused(data: bytes) -> None:
    with pytest.raises(ImageUnreadable):
        decode_image(data)
