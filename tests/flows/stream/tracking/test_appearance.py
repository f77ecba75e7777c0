import numpy as np
import pytest

from flows.stream.tracking.appearance import TrackAppearance, brightness

_TRACK = np.array([0])


def _half_lit(height: int = 100, width: int = 60) -> np.ndarray:
    """A picture that is bright above and dark below."""
    picture = np.full((height, width), 51, np.uint8)
    picture[: height // 2] = 204
    return picture


def test_the_halves_of_a_box_are_told_apart() -> None:
    appearance = brightness(_half_lit(), np.array([[10, 0, 50, 100], [10, 60, 50, 90]], np.float32))

    assert appearance.round(3).tolist() == [[0.8, 0.2], [0.2, 0.2]]


def test_the_border_of_a_box_is_not_looked_at() -> None:
    picture = np.zeros((100, 60), np.uint8)
    picture[20:80, 20:40] = 255
    picture[:, :18] = picture[:, 42:] = 128

    assert brightness(picture, np.array([[10, 15, 50, 85]], np.float32)).min() > 0.9


@pytest.mark.parametrize(
    "box", [(-30, -30, 10, 200), (55, 90, 300, 300), (5, 5, 5, 5), (20.4, 3.3, 20.9, 3.4)]
)
def test_boxes_beyond_the_picture_and_of_no_size_have_an_appearance(box: tuple[float, ...]) -> None:
    appearance = brightness(_half_lit(), np.array([box], np.float32))

    assert appearance.shape == (1, 2)
    assert ((appearance >= 0.2) & (appearance <= 0.8)).all()


def test_no_boxes_have_no_appearance() -> None:
    assert brightness(_half_lit(), np.empty((0, 4), np.float32)).shape == (0, 2)


def test_a_track_follows_the_light_slowly() -> None:
    tracks = TrackAppearance()
    tracks.add(np.array([[0.2, 0.2]]))
    tracks.update(_TRACK, np.array([[0.6, 0.6]]))
    at_once = tracks.difference(_TRACK, np.array([[0.6, 0.6]]))
    for _ in range(30):
        tracks.update(_TRACK, np.array([[0.6, 0.6]]))

    assert at_once.item() > 0.3
    assert tracks.difference(_TRACK, np.array([[0.6, 0.6]])).item() < 0.01


def test_what_nobody_saw_differs_from_nothing() -> None:
    unknown, tracks = np.array([[np.nan, np.nan]]), TrackAppearance()
    tracks.add(unknown)
    tracks.update(_TRACK, unknown)
    assert tracks.difference(_TRACK, np.array([[0.5, 0.5]])).tolist() == [[0.0]]

    tracks.update(_TRACK, np.array([[0.1, 0.1]]))
    tracks.update(_TRACK, unknown)
    assert tracks.difference(_TRACK, np.array([[0.5, 0.5]])).round(2).tolist() == [[0.4]]
    assert tracks.difference(_TRACK, unknown).tolist() == [[0.0]]


def test_tracks_that_end_take_their_appearance_along() -> None:
    tracks = TrackAppearance()
    tracks.add(np.array([[0.1, 0.1], [0.9, 0.9]]))
    tracks.keep(np.array([False, True]))

    assert tracks.difference(_TRACK, np.array([[0.9, 0.9]])).tolist() == [[0.0]]
