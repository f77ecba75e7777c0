import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from train.preprocess import input_shape, letterbox, to_blob

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


@given(
    width=sides,
    height=sides,
    corners=st.tuples(*[st.floats(0, 1) for _ in range(4)]),
)
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
