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


def _boxes(*xyxy: tuple[float, ...]) -> Detections:
    count = len(xyxy)
    return Detections(np.array(xyxy, np.float32), np.full(count, 0.9, np.float32), np.arange(count))


def test_a_label_covers_no_other_label() -> None:
    """Of two boxes at one place the second has its label within; a third has no place for one."""
    here = (300, 200, 500, 230)
    names = ("car", "truck", "bus", "van")
    drawn = [draw_boxes(_PICTURE, _boxes(*[here] * count), names) for count in (1, 2, 3, 4)]
    label = [(drawn[0] != _PICTURE).any(axis=2)[y, 310] for y in (190, 206, 236)]
    assert label == [True, False, False], "above"
    for before, after, row in zip(drawn[:2], drawn[1:3], (206, 236), strict=True):
        changed = (before != after).any(axis=2)
        assert changed[row, 300:320].any(), "within, then below"
        assert not changed[184:198].any(), "the label above stays as it was"
    assert (drawn[3] != drawn[2]).any(axis=2)[:, 310:490].sum() <= 2 * 180 * 3, "the lines of its box alone"


def test_at_the_upper_edge_the_label_is_within() -> None:
    changed = (draw_boxes(_PICTURE, _boxes((300, 2, 500, 100)), ("car",)) != _PICTURE).any(axis=2)
    assert changed[8, 302]
    assert not changed[:, 250].any()
