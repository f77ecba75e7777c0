import numpy as np

from streetloop.geometry import Areas


def test_points_are_found_in_all_polygons_that_hold_them() -> None:
    left = [(0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)]
    top = [(0.0, 0.0), (1.0, 0.0), (1.0, 0.5), (0.0, 0.5)]
    points = np.array([[0.2, 0.2], [0.7, 0.2], [0.2, 0.7], [0.7, 0.7], [0.5, 0.7]])
    expected = [[True, True], [False, True], [True, False], [False, False], [True, False]]
    assert Areas([left, top]).holding(points).tolist() == expected


def test_no_points_and_no_polygons_are_fine() -> None:
    assert Areas([]).holding(np.zeros((3, 2))).shape == (3, 0)
    assert Areas([[(0, 0), (1, 0), (1, 1)]]).holding(np.zeros((0, 2))).shape == (0, 1)
