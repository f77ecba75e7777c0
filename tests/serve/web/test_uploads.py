import io

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from serve.web.uploads import MAX_BYTES, decode_upload
from streetloop.errors import InputRejected, InputTooLarge
from tests.support.samples.pictures import png_header


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".bmp"])
def test_known_kinds_are_decoded_blue_first(suffix: str) -> None:
    image = np.zeros((40, 60, 3), np.uint8)
    image[:, :, 0] = 200
    decoded = decode_upload(cv2.imencode(suffix, image)[1].tobytes())
    assert decoded.shape == (40, 60, 3)
    assert decoded[..., 0].mean() > 190
    assert decoded[..., 2].mean() < 10


def test_gray_pictures_get_three_channels() -> None:
    assert decode_upload(cv2.imencode(".png", np.zeros((4, 5), np.uint8))[1].tobytes()).shape == (4, 5, 3)


@pytest.mark.parametrize(("width", "height"), [(30_000, 30_000), (2**31 - 1, 2**31 - 1)])
def test_a_header_that_claims_too_much_is_refused_before_decoding(width: int, height: int) -> None:
    with pytest.raises(InputTooLarge, match="pixels"):
        decode_upload(png_header(width, height))


@pytest.mark.parametrize("data", [b"", b"GIF89a" + b"\0" * 100, b"plain text", b"\xff\xd8\xff"])
def test_what_is_no_picture(data: bytes) -> None:
    with pytest.raises(InputRejected):
        decode_upload(data)


def test_a_picture_with_a_good_header_and_no_pixels() -> None:
    with pytest.raises(InputRejected):
        decode_upload(png_header(10, 10))


def test_too_many_bytes() -> None:
    with pytest.raises(InputTooLarge, match="32 MB"):
        decode_upload(b"\0" * (MAX_BYTES + 1))


def test_a_picture_is_turned_as_its_camera_says() -> None:
    upright = 6  # EXIF: turn by 90 degrees clockwise to see it upright
    exif = Image.Exif()
    exif[0x0112] = upright
    data = io.BytesIO()
    Image.new("RGB", (60, 40)).save(data, "JPEG", exif=exif)
    assert decode_upload(data.getvalue()).shape == (60, 40, 3)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".bmp"])
def test_half_a_picture_is_refused(suffix: str) -> None:
    image = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    data = cv2.imencode(suffix, image)[1].tobytes()
    with pytest.raises(InputRejected):
        decode_upload(data[: len(data) // 2])


@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(
    suffix=st.sampled_from([".jpg", ".png", ".webp", ".bmp"]),
    place=st.floats(0, 1, exclude_max=True),
    byte=st.integers(0, 255),
)
def test_a_damaged_picture_is_decoded_or_refused(suffix: str, place: float, byte: int) -> None:
    data = bytearray(cv2.imencode(suffix, np.full((20, 30, 3), 99, np.uint8))[1].tobytes())
    data[int(place * len(data))] = byte
    try:
        decoded = decode_upload(bytes(data))
    except InputRejected:
        return
    assert decoded.ndim == 3
    assert decoded.dtype == np.uint8
