"""The live preview extrapolates boxes for a moment and draws no frame twice."""

import threading

import numpy as np
import pytest
from numpy.typing import NDArray

from flows.stream.analysis.results import Result
from flows.stream.ingest.accounting import FrameAccount
from flows.stream.ingest.camera_reader import CameraReader
from flows.stream.ingest.mailbox import Mailbox
from flows.stream.sinks.annotated_video import draw
from flows.stream.sinks.live_preview import LivePreview, extrapolated
from streetloop.images import decode_image
from streetloop.types import UNCONFIRMED, Frame, Image
from tests.support.stream_flow.build import camera, found, frame, plain, result
from tests.support.stream_flow.fakes import FakeClock, ScriptedSource

NAMES = ("car", "bus")
THRESHOLD = 0.25


def reader(newest: Frame | None, camera_id: str = "a") -> CameraReader:
    account = FrameAccount()
    one = CameraReader(
        camera(camera_id), ScriptedSource([]), Mailbox(account, 1.0, _ready()), account, FakeClock()
    )
    one.newest = newest
    return one


def _ready() -> threading.Condition:
    return threading.Condition()


def decoded(jpeg: bytes) -> Image:
    return decode_image(jpeg)


def seen(pts: float, left: float, track: int = 7, width: float = 20) -> Result:
    """One car at ``pts``."""
    boxes = found((left, 10, left + width, 30))
    return result(frame(round(pts * 25), pts=pts), boxes, [track])


def left_edge(before: Result | None, now: Result, pts: float) -> float:
    return float(extrapolated(before, now, pts).detections.xyxy[0, 0])


# Extrapolation


def test_a_track_is_extrapolated_at_constant_velocity() -> None:
    before, now = seen(1.0, 100), seen(1.2, 110)
    assert left_edge(before, now, 1.2) == 110
    assert left_edge(before, now, 1.3) == pytest.approx(115)
    np.testing.assert_allclose(
        extrapolated(before, now, 1.4).detections.xyxy, [[120, 10, 140, 30]], atol=1e-3
    )


def test_the_size_of_a_box_is_not_extrapolated() -> None:
    before, now = seen(1.0, 100, width=20), seen(1.2, 100, width=24)
    x1, _, x2, _ = extrapolated(before, now, 1.4).detections.xyxy[0]
    assert x2 - x1 == pytest.approx(24)
    assert (x1 + x2) / 2 == pytest.approx(114)


def test_extrapolation_does_not_modify_the_result() -> None:
    before, now = seen(1.0, 100), seen(1.2, 110)
    kept = now.tracked.detections.xyxy.copy()
    extrapolated(before, now, 1.5)
    np.testing.assert_array_equal(now.tracked.detections.xyxy, kept)


@pytest.mark.parametrize(
    ("before", "now"),
    [
        pytest.param(None, seen(1.2, 110), id="the first result"),
        pytest.param(seen(0.5, 100), seen(1.2, 110), id="the one before is long ago"),
        pytest.param(seen(1.2, 100), seen(1.2, 110), id="no time has passed"),
        pytest.param(seen(1.4, 100), seen(1.2, 110), id="time went back"),
        pytest.param(seen(1.0, 100, track=8), seen(1.2, 110), id="another track"),
        pytest.param(seen(1.0, 100, UNCONFIRMED), seen(1.2, 110, UNCONFIRMED), id="no track at all"),
    ],
)
def test_without_a_recent_motion_boxes_stay(before: Result | None, now: Result) -> None:
    assert left_edge(before, now, 1.3) == 110


# Frames


def test_before_the_first_frame_there_is_no_preview() -> None:
    assert LivePreview(NAMES, THRESHOLD).pictures([reader(None)], {}, {}) == {}


def test_a_frame_the_viewer_has_is_not_drawn_again() -> None:
    view, here = LivePreview(NAMES, THRESHOLD), reader(frame(5))
    assert view.pictures([here], {}, {})["a"][0] == 5
    assert view.pictures([here], {}, {"a": 5}) == {}
    assert view.pictures([here], {}, {"a": 4, "b": 5})["a"][0] == 5
    here.newest = frame(0)
    assert view.pictures([here], {}, {"a": 5})["a"][0] == 0, "a worker that was replaced counts anew"


def test_a_recent_frame_for_the_detector_is_preferred_and_shown_once() -> None:
    view, here = LivePreview(NAMES, THRESHOLD), reader(frame(6, pts=0.6))
    here.wanted = frame(5, pts=0.5)
    assert view.pictures([here], {}, {})["a"][0] == 5
    assert view.pictures([here], {}, {"a": 4})["a"][0] == 5
    assert view.pictures([here], {}, {"a": 5})["a"][0] == 6
    assert view.pictures([here], {}, {"a": 6}) == {}, "pictures never go back"
    here.newest = frame(7, pts=0.7)
    assert view.pictures([here], {}, {"a": 4})["a"][0] == 7, "it is too old"
    here.newest, here.wanted = frame(1, pts=0.1), frame(0, pts=0.0)
    assert view.pictures([here], {}, {"a": 5})["a"][0] == 1, "a worker that was replaced"


def test_after_closing_there_is_no_preview() -> None:
    view = LivePreview(NAMES, THRESHOLD)
    view.close()
    assert view.pictures([reader(frame(5))], {}, {}) == {}


def test_without_a_result_the_frame_is_drawn_without_boxes() -> None:
    here = frame(5)
    (_, jpeg), *_ = LivePreview(NAMES, THRESHOLD).pictures([reader(here)], {}, {}).values()
    assert np.abs(decoded(jpeg).astype(int) - _drawn(result(here))).mean() < 3


def test_boxes_of_an_older_result_are_faded_and_later_gone() -> None:
    view = LivePreview(NAMES, THRESHOLD)
    view.take(result(frame(0, pts=1.0), found((10, 10, 50, 40)), [3]))

    def shown(number: int, pts: float) -> NDArray[np.int64]:
        """The lower edge of the box."""
        _, jpeg = view.pictures([reader(frame(number, pts=pts))], {}, {})["a"]
        picture = decoded(jpeg).astype(int)
        scale = picture.shape[1] / 64
        return picture[round(40 * scale) - 2 : round(40 * scale) + 3, round(20 * scale) : round(40 * scale)]

    new, faded, gone = shown(10, 1.5), shown(20, 1.7), shown(30, 5.1)
    full, half = (np.abs(one - gone).max() for one in (new, faded))
    assert full > 60
    assert 0.3 * full < half < 0.8 * full


def test_each_camera_has_its_own_boxes() -> None:
    view = LivePreview(NAMES, THRESHOLD)
    view.take(result(frame(0, camera_id="b"), found((10, 10, 50, 40)), [3]))
    shown = view.pictures(
        [reader(frame(1, camera_id="a"), "a"), reader(frame(1, camera_id="b"), "b")], {}, {}
    )
    assert len(shown["b"][1]) > len(shown["a"][1])


@pytest.mark.parametrize(
    ("width", "height", "shape"),
    [(1920, 1080, (360, 640)), (640, 480, (480, 640)), (64, 48, (480, 640)), (1000, 10, (6, 640))],
)
def test_a_large_frame_is_scaled_down(width: int, height: int, shape: tuple[int, int]) -> None:
    here = frame(1, picture=plain(width, height))
    _, jpeg = LivePreview(NAMES, THRESHOLD).pictures([reader(here)], {}, {})["a"]
    assert decoded(jpeg).shape == (*shape, 3)


@pytest.mark.parametrize("width", [160, 448, 640, 1280])
@pytest.mark.parametrize("source", [64, 640, 1920])
def test_the_image_has_the_requested_width(source: int, width: int) -> None:
    here = frame(1, picture=plain(source, source * 9 // 16))
    _, jpeg = LivePreview(NAMES, THRESHOLD).pictures([reader(here)], {}, {}, width)["a"]
    assert decoded(jpeg).shape == (width * 9 // 16, width, 3)


def test_boxes_are_scaled_with_the_image() -> None:
    view = LivePreview(NAMES, THRESHOLD)
    here = frame(0, picture=plain(640, 360))
    view.take(result(here, found((320, 90, 480, 270)), [3]))
    for width in (320, 640):
        _, jpeg = view.pictures([reader(here)], {}, {}, width)["a"]
        drawn = np.abs(decoded(jpeg).astype(int) - decoded(jpeg)[0, 0]).max(axis=2) > 60
        assert np.flatnonzero(drawn[width * 9 // 32]).tolist()[:1] == pytest.approx([width // 2], abs=2)


def test_crossings_are_drawn_beside_their_line() -> None:
    lined = camera("a", lines={"gate": ((0.2, 0.8), (0.8, 0.8))})
    here = reader(frame(1))
    here.camera = lined
    view = LivePreview(NAMES, THRESHOLD)
    none = view.pictures([here], {}, {})["a"][1]
    some = view.pictures([here], {"a": {"gate": {"in": 7, "out": 3}}}, {})["a"][1]
    assert none != some


def _drawn(of: Result) -> Image:
    return draw(of, NAMES, {}, {}, THRESHOLD)
