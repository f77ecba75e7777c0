"""A camera with a mask."""

import threading

import numpy as np

from flows.stream.sources.masked import Mask, MaskedPicture
from flows.stream.sources.registry import open_source
from streetloop.cameras.camera_file import parse_camera
from streetloop.clock import SystemClock
from streetloop.types import ArrayPicture

LEFT_HALF = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))


def test_a_mask_is_black_and_the_rest_stays() -> None:
    pixels = np.full((40, 60, 3), 200, np.uint8)
    masked = MaskedPicture(ArrayPicture(pixels), Mask([LEFT_HALF]))
    for image in (masked.bgr(), masked.luma()):
        assert not image[:, :30].any()
        assert (image[:, 32:] == 200).all()
    assert (pixels == 200).all()
    assert masked.bgr() is masked.bgr()
    assert (masked.width, masked.height) == (60, 40)


def test_every_picture_of_a_camera_is_masked_whatever_its_source() -> None:
    uri = "sim://larkfield/gantry?live=0&frames=2&size=64x64"
    camera = parse_camera({"id": "a", "uri": uri, "mask": [LEFT_HALF]})
    plain = open_source(parse_camera({"id": "a", "uri": uri}), SystemClock())
    source = open_source(camera, SystemClock())
    assert (source.live, source.nominal_fps) == (plain.live, plain.nominal_fps)
    found = list(source.read(threading.Event()))
    assert len(found) == 2
    for masked, bare in zip(found, plain.read(threading.Event()), strict=True):
        assert masked.media_s == bare.media_s
        assert not masked.picture.bgr()[:, :32].any()
        assert (masked.picture.bgr()[:, 34:] == bare.picture.bgr()[:, 34:]).all()
