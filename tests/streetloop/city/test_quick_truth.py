"""The quick truth beside the exact one."""

import numpy as np
import pytest

from streetloop.boxes import iou
from streetloop.city.address import parse_address
from streetloop.city.view import View


@pytest.mark.parametrize("camera", ["kingsport/crossing", "millbrook/market", "larkfield/verge-west"])
def test_it_sees_nearly_the_same_boxes(camera: str) -> None:
    view = View(parse_address(f"sim://{camera}?fps=5&seed=3&size=640x360"))
    overlaps, common, either = [], 0, 0
    for frame in range(0, 100, 10):
        exact, quick = (
            {one.track_id: one for one in t.clear()} for t in (view.truth(frame), view.quick_truth(frame))
        )
        both = exact.keys() & quick.keys()
        common, either = common + len(both), either + len(exact.keys() | quick.keys())
        for track in both:
            boxes = [np.array([truth[track].xyxy], np.float32) for truth in (exact, quick)]
            overlaps.append(float(iou(*boxes)[0, 0]))
            assert exact[track].class_name == quick[track].class_name
    assert common > 0.8 * either
    assert np.mean(overlaps) > 0.8


def test_it_knows_what_happens() -> None:
    view = View(parse_address("sim://millbrook/market?fps=5&size=640x360&event=stalled-vehicle@2:20"))
    (exact,), (quick,) = view.truth(20).happening, view.quick_truth(20).happening
    assert (quick.name, quick.start, quick.track_id) == (exact.name, exact.start, exact.track_id)
    assert exact.xyxy is not None
    assert quick.xyxy is not None
    assert np.allclose(quick.xyxy, exact.xyxy, atol=6)
    assert view.quick_truth(0).happening == ()


def test_a_street_without_anybody_is_fine() -> None:
    view = View(parse_address("sim://larkfield/gantry?fps=5&seed=3&size=640x360&traffic=light"))
    assert all(view.quick_truth(frame).frame == frame for frame in range(0, 400, 40))
