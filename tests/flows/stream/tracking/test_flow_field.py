import numpy as np

from flows.stream.tracking.flow_field import FlowField

_HERE = np.array([[320.0, 170.0, 40.0, 20.0]])
_SCALE = np.array([28.0])


def _learned(*speeds: tuple[float, float], times: int = 20) -> FlowField:
    field = FlowField(640, 360)
    for _ in range(times):
        for speed in speeds:
            field.learn(_HERE, np.array([speed]) * _SCALE, _SCALE)
    return field


def test_an_untouched_field_expects_anything() -> None:
    speed, spread = FlowField(640, 360).expected(_HERE, _SCALE)
    np.testing.assert_array_equal(speed, [[0, 0]])
    assert spread[0] == 3.0 * _SCALE[0]


def test_where_all_drive_alike_the_next_one_does_too() -> None:
    speed, spread = _learned((6.0, 0.0)).expected(_HERE, _SCALE)
    assert 3.5 < speed[0, 0] / _SCALE[0] <= 6
    assert spread[0] / _SCALE[0] < 2.5


def test_where_some_drive_the_other_way_nothing_is_expected() -> None:
    speed, spread = _learned((6.0, 0.0), (-6.0, 0.0)).expected(_HERE, _SCALE)
    assert abs(speed[0, 0]) / _SCALE[0] < 1
    assert spread[0] / _SCALE[0] > 3


def test_elsewhere_nothing_is_known() -> None:
    far = np.array([[40.0, 340.0, 40.0, 20.0]])
    speed, _ = _learned((6.0, 0.0)).expected(far, _SCALE)
    np.testing.assert_array_equal(speed, [[0, 0]])


def test_boxes_outside_of_the_picture_are_taken_to_its_edge() -> None:
    outside = np.array([[-50.0, 500.0, 40.0, 20.0]])
    field = _learned((1.0, 0.0))
    field.learn(outside, np.ones((1, 2)), _SCALE)
    assert np.isfinite(field.expected(outside, _SCALE)[0]).all()
