"""Doubles look the same to it, and frames that differ in what matters do not."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from labeling.appearance import EMBEDDING, distances, embed, fingerprint
from streetloop.images import decode_image, encode_jpeg
from streetloop.types import Detections, Image
from streetloop.video import VideoReader
from tests.support.samples.city import Stage, standing, view
from tests.support.stream_flow.build import found

ALIKE = 24
"""Bits, of 256, up to which frames of a few seconds are doubles."""


def apart(one: Image, other: Image) -> int:
    return int(distances(fingerprint(one), fingerprint(other)[None])[0])


def test_a_picture_is_its_own_double_also_after_jpeg_noise_and_a_cloud() -> None:
    picture = view("kingsport/crossing").render(100).copy()
    jpeg = decode_image(encode_jpeg(picture, 60))
    noise = np.random.default_rng(0).normal(0, 3, picture.shape)
    noisy = np.clip(picture + noise, 0, 255).astype(np.uint8)
    darker = (picture * 0.9).astype(np.uint8)
    assert apart(picture, picture) == 0
    for other in (jpeg, noisy, darker):
        assert apart(picture, np.asarray(other, np.uint8)) <= ALIKE


def test_another_camera_is_no_double() -> None:
    first, second = (view(name).render(0).copy() for name in ("kingsport/crossing", "larkfield/gantry"))
    assert apart(first, second) > 4 * ALIKE


def test_a_new_car_is_no_double() -> None:
    stage = Stage()
    empty, car = stage.picture(), stage.picture(standing("saloon", 0.0, 14.0))
    assert apart(empty, car) > ALIKE
    assert apart(car, stage.picture(standing("saloon", 4.0, 20.0))) > ALIKE
    assert apart(car, car.copy()) == 0


@pytest.mark.model
def test_on_a_real_street_neighbouring_frames_are_doubles_and_others_are_not(street_clip: Path) -> None:
    with VideoReader(str(street_clip), "clip") as reader:
        pictures = [picture.bgr().copy() for _, picture in reader.pictures()]
    near = [apart(a, b) for a, b in itertools.pairwise(pictures)]
    far = [apart(a, b) for a, b in zip(pictures, pictures[100:], strict=False)]
    assert np.median(near) <= ALIKE < np.median(far)


def test_distances_count_bits() -> None:
    zero = np.zeros(4, np.uint64)
    one = np.array([[0, 0, 0, 0], [1, 0, 0, 0], [3, 0, 1 << 63, 0], [2**64 - 1] * 4], np.uint64)
    assert distances(zero, one).tolist() == [0, 1, 3, 256]
    assert distances(zero, one[:0]).shape == (0,)


# Embeddings


def _embed(image: Image, boxes: Detections, asked: list[float] | None = None) -> np.ndarray:
    return embed(image, boxes, np.ones(len(boxes)) if asked is None else np.array(asked))


def test_an_embedding_has_its_length_also_of_an_empty_street() -> None:
    picture = view("kingsport/crossing").render(0).copy()
    for boxes in (Detections.empty(), found((10, 10, 40, 40))):
        point = _embed(picture, boxes)
        assert (point.shape, point.dtype) == ((EMBEDDING,), np.float32)
        assert np.isfinite(point).all()


def test_the_box_that_is_asked_about_makes_the_difference() -> None:
    picture = view("kingsport/crossing").render(0).copy()
    picture[20:40, 20:40] = (0, 0, 255)
    boxes = found((20, 20, 40, 40), (100, 50, 120, 70))
    first, second = _embed(picture, boxes, [1, 0]), _embed(picture, boxes, [0, 1])
    assert np.linalg.norm(first - second) > 0.2
    same = _embed(picture, boxes.take(np.array([0])), [1])
    np.testing.assert_array_equal(first, same)


def test_night_is_further_from_day_than_another_second_of_the_day() -> None:
    day, later = (view("kingsport/crossing").render(k).copy() for k in (0, 300))
    night = view("kingsport/crossing", "condition=night").render(0).copy()
    none = Detections.empty()
    first = _embed(day, none)
    near, far = (np.linalg.norm(first - _embed(p, none)) for p in (later, night))
    assert far > 3 * near


@pytest.mark.parametrize(
    "box",
    [
        (-20, -20, 5, 5),
        (150, 80, 400, 300),
        (200, 100, 300, 200),
        (10, 10, 10, 10),
        (-9, -9, -1, -1),
        (50.2, 50.2, 50.4, 50.4),
    ],
)
def test_boxes_at_and_beyond_the_edges_of_the_picture_do_no_harm(
    box: tuple[float, float, float, float],
) -> None:
    picture = view("kingsport/crossing").render(0).copy()
    assert np.isfinite(_embed(picture, found(box))).all()


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 200, 3), (90, 160, 3)])
def test_pictures_of_any_size_have_a_look(shape: tuple[int, int, int]) -> None:
    picture = np.full(shape, 90, np.uint8)
    assert fingerprint(picture).shape == (4,)
    assert _embed(picture, found((0, 0, 1, 1))).shape == (EMBEDDING,)
