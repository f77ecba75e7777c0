import numpy as np

from flows.stream.tracking.box_motion import BoxMotion, to_xywh

_BOX = np.array([[100.0, 50.0, 40.0, 20.0]])


def _motion(speed: tuple[float, float] = (0.0, 0.0), spread: float = 100.0) -> BoxMotion:
    motion = BoxMotion()
    motion.add(_BOX, np.array([speed]), np.array([spread]))
    return motion


def test_corners_and_centres_are_converted() -> None:
    boxes = np.array([[80, 40, 120, 60]], np.float32)
    np.testing.assert_allclose(to_xywh(boxes), _BOX)
    np.testing.assert_allclose(_motion().xyxy, boxes)


def test_a_box_moves_with_its_speed() -> None:
    motion = _motion(speed=(10.0, -4.0))
    motion.predict(0.5)
    np.testing.assert_allclose(motion.xywh, [[105, 48, 40, 20]])


def test_a_prediction_is_the_same_in_one_step_or_in_two() -> None:
    one, two = _motion(), _motion()
    one.predict(0.4)
    two.predict(0.1)
    two.predict(0.3)
    np.testing.assert_allclose(one.spread, two.spread, rtol=1e-3)


def test_speed_is_learned_from_two_detections() -> None:
    motion = _motion()
    motion.predict(0.1)
    motion.update(np.array([0]), np.array([[106.0, 50, 40, 20]]), np.array([False]))
    assert 45 < motion.speed[0, 0] < 60


def test_a_weak_detection_counts_for_less() -> None:
    shift = []
    for weak in (False, True):
        motion = _motion(spread=1.0)
        motion.predict(0.1)
        motion.update(np.array([0]), np.array([[110.0, 50, 40, 20]]), np.array([weak]))
        shift.append(motion.xywh[0, 0] - 100)
    assert shift[0] > shift[1] > 0


def test_uncertainty_grows_with_time_and_falls_with_a_detection() -> None:
    motion = _motion()
    before = motion.spread[0, 0]
    motion.predict(1.0)
    lost = motion.spread[0, 0]
    motion.update(np.array([0]), motion.xywh.copy(), np.array([False]))
    assert motion.spread[0, 0] < 3 * before < lost


def test_a_box_never_vanishes() -> None:
    motion = _motion()
    motion.speed[0, 2:] = -1000
    motion.predict(1.0)
    assert (motion.xywh[0, 2:] >= 2).all()


def test_dropped_boxes_are_gone() -> None:
    motion = _motion()
    motion.add(_BOX + 200, np.zeros((1, 2)), np.ones(1))
    motion.keep(np.array([False, True]))
    assert len(motion) == 1
    np.testing.assert_allclose(motion.xywh, _BOX + 200)
