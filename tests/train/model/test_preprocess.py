import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from train.model.preprocess import input_shape, letterbox, to_blob

sides = st.integers(16, 1500)


@given(width=sides, height=sides)
def test_the_input_is_the_smallest_multiple_of_the_stride_that_holds_the_picture(
    width: int, height: int
) -> None:
    rows, columns = input_shape(width, height, 640)
    assert rows % 32 == columns % 32 == 0
    assert max(rows, columns) == 640
    scale = 640 / max(width, height)
    assert 0 <= columns - round(width * scale) < 32
    assert 0 <= rows - round(height * scale) < 32


@given(width=sides, height=sides, corners=st.tuples(*[st.floats(0, 1) for _ in range(4)]))
def test_boxes_come_back_to_where_they_were(
    width: int, height: int, corners: tuple[float, float, float, float]
) -> None:
    rows, columns = input_shape(width, height, 640)
    _, box = letterbox(np.zeros((height, width, 3), np.uint8), columns, rows)
    source = np.array([corners], np.float32) * np.array([width, height] * 2, np.float32)
    shift = np.array([box.left, box.top] * 2, np.float32)
    back = box.to_source(source * box.scale + shift)
    np.testing.assert_allclose(back, source, atol=0.01 + 1e-4 * max(width, height))


def test_the_picture_stands_in_the_middle_of_gray() -> None:
    image, box = letterbox(np.full((50, 100, 3), 255, np.uint8), 64, 64)
    assert (box.left, box.top) == (0, 16)
    assert (image[:16] == 114).all()
    assert (image[16:48] == 255).all()
    assert (image[48:] == 114).all()


def test_boxes_outside_the_picture_are_cut_at_its_edges() -> None:
    _, box = letterbox(np.zeros((50, 100, 3), np.uint8), 64, 64)
    outside = np.array([[-20, 0, 90, 64]], np.float32)
    assert box.to_source(outside).tolist() == [[0, 0, 100, 50]]


def test_the_blob_is_red_first_plane_by_plane_and_in_0_to_1() -> None:
    images = np.zeros((2, 4, 6, 3), np.uint8)
    images[1, 2, 3] = (51, 102, 255)  # blue, green, red
    blob = to_blob(images)
    assert blob.shape == (2, 3, 4, 6)
    assert blob.dtype == np.float32
    np.testing.assert_allclose(blob[1, :, 2, 3], [1.0, 0.4, 0.2], rtol=1e-6)
    assert blob.sum() == blob[1, :, 2, 3].sum()


@given(width=st.integers(8, 500), height=st.integers(8, 500), stride=st.sampled_from([32, 64]))
def test_a_box_around_what_is_seen_in_the_input_is_the_one_around_it_in_the_picture(
    width: int, height: int, stride: int
) -> None:
    rows, columns = input_shape(width, height, 192, stride)
    assume(round(min(width, height) * 192 / max(width, height)) > 0)
    image, box = letterbox(np.full((height, width, 3), 255, np.uint8), columns, rows)
    y, x = np.nonzero(image[..., 0] == 255)
    seen = np.array([[x.min(), y.min(), x.max() + 1, y.max() + 1]], np.float32)
    assert len(x) == (seen[0, 2] - seen[0, 0]) * (seen[0, 3] - seen[0, 1])
    assert set(np.unique(image)) <= {114, 255}
    # The picture's edges fall on whole pixels of the input: half a one is the exactness there is.
    np.testing.assert_allclose(box.to_source(seen), [[0, 0, width, height]], atol=1.0 / box.scale + 1e-3)


@pytest.mark.parametrize(
    ("size", "image_size", "stride", "expected"),
    [
        ((1280, 720), 640, 32, (384, 640)),
        ((720, 1280), 640, 32, (640, 384)),
        ((640, 640), 640, 32, (640, 640)),
        ((352, 288), 640, 32, (544, 640)),
        ((1920, 1080), 1280, 64, (768, 1280)),
        ((4000, 10), 640, 32, (32, 640)),
        ((3, 2), 640, 32, (448, 640)),
    ],
)
def test_the_input_of_known_cameras(
    size: tuple[int, int], image_size: int, stride: int, expected: tuple[int, int]
) -> None:
    assert input_shape(*size, image_size, stride) == expected
