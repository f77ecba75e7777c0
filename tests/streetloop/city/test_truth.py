import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streetloop.city.render.shapes import CLASS_OF, CLASSES
from streetloop.city.truth import MIN_AREA, MIN_SIDE, MIN_VISIBLE, Seen, Truth
from streetloop.city.world.place import Solid
from streetloop.city.world.traffic import LENGTHS, Actor
from tests.support.samples.city import CAMERAS, NORTH, Stage, standing, view

_VEHICLES = tuple(LENGTHS)
_SECONDS = (40, 200, 470)

Box = tuple[float, float, float, float]


@pytest.fixture(scope="module")
def stage() -> Stage:
    return Stage()


@pytest.fixture(scope="module")
def walled() -> Stage:
    """A wall 3 m high, 30 m away, to the left of the middle."""
    return Stage(Solid(-10.0, 30.0, 20.0, 0.5, 3.0, "concrete"))


def _only(truth: Truth) -> Seen:
    (thing,) = truth.seen
    return thing


def _bounds(mask: np.ndarray) -> Box:
    rows, columns = np.nonzero(mask)
    return (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)


# One thing


@pytest.mark.parametrize("kind", [*_VEHICLES, "person"])
def test_what_nothing_hides_is_seen_whole(stage: Stage, kind: str) -> None:
    thing = _only(stage.truth(standing(kind, 1.0, 28.0)))

    assert thing.visible == 1.0
    assert thing.clear
    assert (thing.kind, thing.class_name) == (kind, CLASS_OF[kind])


@pytest.mark.parametrize("heading", [0.0, 0.7, NORTH, 3.0, -2.0])
@pytest.mark.parametrize("kind", [*_VEHICLES, "person"])
def test_a_box_is_as_tight_as_what_is_drawn(stage: Stage, kind: str, heading: float) -> None:
    actor = standing(kind, -2.0, 24.0, heading, track_id=4)
    box = _only(stage.truth(actor)).xyxy

    # Edges are drawn softly, up to one pixel further than the truth counts; what is as grey as the
    # road does not show.
    drawn = _bounds(stage.changed(actor, by=5))
    assert np.abs(np.subtract(box, drawn)).max() <= 2


@settings(max_examples=60)
@given(st.sampled_from([*_VEHICLES, "person"]), st.floats(-60, 60), st.floats(-10, 160), st.floats(-3.2, 3.2))
def test_a_box_is_in_the_image_and_holds_just_what_belongs_to_its_owner(
    stage: Stage, kind: str, x: float, y: float, heading: float
) -> None:
    actor = standing(kind, x, y, heading)
    owner, _ = stage.painter.visible(stage.cast([actor]))
    seen = stage.truth(actor).seen

    assert len(seen) == int((owner > 0).any())
    for thing in seen:
        left, top, right, bottom = thing.xyxy
        assert 0 <= left < right <= 320
        assert 0 <= top < bottom <= 180
        assert thing.xyxy == _bounds(owner == 1)
        assert 0 < thing.visible <= 1


def test_what_is_behind_the_camera_or_beside_the_picture_is_not_in_the_truth(stage: Stage) -> None:
    assert not stage.truth(
        standing("bus", 0.0, -30.0), standing("bus", 0.0, 0.0), standing("bus", 60.0, 20.0)
    ).seen


def test_what_is_no_class_is_not_seen_though_it_can_be_pointed_at(stage: Stage) -> None:
    assert not stage.truth(standing("lost load", 0.0, 25.0)).seen


def test_nothing_at_all_is_an_empty_truth(stage: Stage) -> None:
    truth = stage.truth()

    assert truth.seen == truth.clear() == ()
    assert len(truth.detections()) == len(truth.unclear()) == 0
    assert truth.detections().xyxy.shape == (0, 4)


# What hides what


def test_what_stands_in_front_hides_what_is_behind(stage: Stage) -> None:
    near, far = standing("bus", 0.0, 24.0, 0.0, 1), standing("saloon", 2.0, 32.0, 0.0, 2)
    seen = {thing.track_id: thing for thing in stage.truth(near, far).seen}

    assert seen[1].visible == 1.0
    assert 2 not in seen or seen[2].visible < 0.9


def test_the_order_in_which_things_are_told_does_not_matter(stage: Stage) -> None:
    actors = [standing("saloon", x, 20.0 + 4 * k, 0.4, k) for k, x in enumerate((-4, 0, 1, 3))]

    assert stage.truth(*actors) == stage.truth(*actors[::-1])
    assert (stage.picture(*actors) == stage.picture(*actors[::-1])).all()


def test_what_is_seen_of_one_behind_another_agrees_with_the_picture(stage: Stage) -> None:
    near, far = standing("van", 0.0, 26.0, 0.0, 1), standing("truck", 3.5, 32.0, 0.0, 2)
    alone = _only(stage.truth(far))
    behind = next(t for t in stage.truth(near, far).seen if t.track_id == 2)

    only_far = stage.changed(far, by=5) & ~stage.changed(near, by=5)
    assert 0.1 < behind.visible < 0.95
    assert behind.visible == pytest.approx(only_far.sum() / stage.changed(far, by=5).sum(), abs=0.1)
    assert behind.xyxy[0] >= alone.xyxy[0]
    assert behind.xyxy[2] == alone.xyxy[2]


def test_what_is_entirely_behind_something_is_not_in_the_truth(stage: Stage) -> None:
    near, far = standing("truck", 0.0, 20.0, 0.0, 1), standing("bicycle", 0.0, 23.0, 0.0, 2)

    assert [thing.track_id for thing in stage.truth(near, far).seen] == [1]


def test_a_wall_hides_what_is_behind_it(walled: Stage) -> None:
    behind, beside, before = (
        _only(walled.truth(standing("bus", -8.0, 32.5, 0.0))),
        _only(walled.truth(standing("bus", 12.0, 32.5, 0.0))),
        _only(walled.truth(standing("bus", -8.0, 26.0, 0.0))),
    )

    assert 0 < behind.visible < 0.8
    assert beside.visible == before.visible == 1.0
    assert not walled.truth(standing("person", -8.0, 31.5)).seen


def test_the_picture_shows_the_wall_and_not_what_is_behind_it(walled: Stage) -> None:
    hidden = standing("person", -8.0, 31.5)

    assert not walled.changed(hidden).any()


def test_a_box_behind_a_wall_goes_round_what_can_be_seen(walled: Stage) -> None:
    actor = standing("bus", -2.0, 33.0, 0.0)  # sticks out to the right of the wall
    thing = _only(walled.truth(actor))

    assert np.abs(np.subtract(thing.xyxy, _bounds(walled.changed(actor, by=5)))).max() <= 2


def test_the_edge_of_the_picture_cuts(stage: Stage) -> None:
    x = next(x / 4 for x in range(200) if _cut(stage, x / 4))
    thing = _only(stage.truth(standing("bus", x, 25.0, 0.0)))

    assert thing.xyxy[2] == 320
    assert 0.05 < thing.visible < 0.8


def _cut(stage: Stage, x: float) -> bool:
    seen = stage.truth(standing("bus", x, 25.0, 0.0)).seen
    return bool(seen) and seen[0].visible < 0.6


# What is clear


def test_what_is_mostly_hidden_is_left_out_of_what_is_clear(stage: Stage) -> None:
    for x in np.arange(0.0, 12.0, 0.25):
        near, far = standing("truck", 0.0, 20.0, 0.0, 1), standing("saloon", x, 26.0, 0.0, 2)
        truth = stage.truth(near, far)
        for thing in truth.seen:
            assert (thing in truth.clear()) == (thing.visible >= MIN_VISIBLE)


def test_what_is_far_away_is_left_out_of_what_is_clear(stage: Stage) -> None:
    sizes = {}
    for y in range(20, 200, 4):
        for thing in stage.truth(standing("person", 0.0, float(y))).seen:
            sizes[y] = thing
    left, top, right, bottom = np.array([thing.xyxy for thing in sizes.values()]).T
    clear = np.array([thing.clear for thing in sizes.values()])

    assert clear[0]
    assert not clear[-1]
    assert (bottom - top)[clear].min() >= MIN_SIDE * 180
    assert ((right - left) * (bottom - top))[clear].min() >= MIN_AREA * 320 * 180
    assert list(clear) == sorted(clear, reverse=True)


def test_detections_are_what_is_clear_and_the_rest_is_unclear(stage: Stage) -> None:
    actors = [standing("saloon", 0.0, float(y), 0.3, y) for y in range(16, 190, 9)]
    truth = stage.truth(*actors)
    found, rest = truth.detections(), truth.unclear()

    assert len(found) == len(truth.clear()) > 3
    assert len(rest) == len(truth.seen) - len(found) > 0
    assert found.xyxy.tolist() == [list(thing.xyxy) for thing in truth.clear()]
    assert {CLASSES[k] for k in found.class_id} == {"car"}
    assert (found.confidence == 1).all()


# In the city


@pytest.mark.parametrize(("city", "camera"), CAMERAS)
def test_every_camera_has_something_to_see(city: str, camera: str) -> None:
    frames = [view(f"{city}/{camera}").truth(10 * second) for second in _SECONDS]

    assert max(len(truth.clear()) for truth in frames) >= 2
    for truth in frames:
        ids = [thing.track_id for thing in truth.seen]
        assert ids == sorted(set(ids))
        for thing in truth.seen:
            left, top, right, bottom = thing.xyxy
            assert 0 <= left < right <= 160
            assert 0 <= top < bottom <= 90
            assert 0 < thing.visible <= 1
            assert thing.class_name == CLASS_OF[thing.kind]


def test_frame_and_second_are_told() -> None:
    truth = view("kingsport/crossing", "start=600", "fps=5").truth(10)

    assert (truth.frame, truth.second) == (10, 602.0)


def test_a_truth_can_be_written_as_json() -> None:
    import json

    truth = view("kingsport/crossing", "event=stalled-vehicle@20:60").truth(400)
    read = json.loads(json.dumps(truth.as_json()))

    assert read["frame"] == 400
    assert len(read["seen"]) == len(truth.seen) > 0
    assert read["seen"][0]["xyxy"] == list(truth.seen[0].xyxy)
    assert read["events"][0]["name"] == "stalled-vehicle"


def test_a_thing_that_moves_keeps_its_track_and_its_box_moves_along() -> None:
    crossing = view("stonebridge/middle", "traffic=busy")
    followed = 0
    for frame in range(100, 140):
        before, after = ({t.track_id: t for t in crossing.truth(k).seen} for k in (frame, frame + 1))
        for track_id in before.keys() & after.keys():
            a, b = before[track_id], after[track_id]
            assert a.kind == b.kind
            if a.visible == b.visible == 1.0:
                followed += 1
                assert np.abs(np.subtract(a.xyxy, b.xyxy)).max() < 0.1 * 160
    assert followed > 50


def test_of_two_with_nothing_between_only_their_distance_counts(stage: Stage) -> None:
    near, far = Actor(1, "person", -1.0, 20.0, 0.0), Actor(2, "person", 1.0, 30.0, 0.0)
    heights = [t.xyxy[3] - t.xyxy[1] for t in stage.truth(near, far).seen]

    assert heights[0] > 1.2 * heights[1]
