import numpy as np

from streetloop.drawing.boxes import draw_boxes
from streetloop.types import Detections

_PICTURE = np.full((600, 800, 3), 90, np.uint8)
_FOUND = Detections(np.array([[300, 200, 500, 400]], np.float32), np.array([0.9], np.float32), np.array([0]))


def test_boxes_are_drawn_on_a_copy_of_the_same_size() -> None:
    drawn = draw_boxes(_PICTURE, _FOUND, ("car",))
    changed = (drawn != _PICTURE).any(axis=2)
    assert drawn.shape == _PICTURE.shape
    assert changed[300, 300]
    assert changed[400, 400]
    assert not changed[300, 400]
    assert (_PICTURE == 90).all()


def test_the_confidence_is_behind_the_name() -> None:
    plain, said = (draw_boxes(_PICTURE, _FOUND, ("car",), with_confidence=yes) for yes in (False, True))
    rows, _ = np.nonzero((plain != said).any(axis=2))
    assert 0 < rows.max() < 205, "the label alone, which is above the box, differs"


def test_a_small_picture_is_enlarged_unless_its_width_is_asked_for() -> None:
    small = np.zeros((60, 80, 3), np.uint8)
    assert draw_boxes(small, Detections.empty(), ()).shape == (480, 640, 3)
    assert draw_boxes(small, Detections.empty(), (), width=80).shape == (60, 80, 3)
