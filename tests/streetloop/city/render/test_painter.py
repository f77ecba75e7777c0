import numpy as np
import pytest

from streetloop.city.world.conditions import STEPS, Look
from streetloop.city.world.place import Solid
from streetloop.city.world.traffic import LENGTHS
from tests.support.samples.city import NORTH, Stage, standing

_KINDS = [*LENGTHS, "person", "lost load"]


@pytest.fixture(scope="module")
def stage() -> Stage:
    return Stage()


@pytest.fixture(scope="module")
def night() -> Stage:
    return Stage(look=Look(darkness=STEPS))


@pytest.mark.parametrize("kind", _KINDS)
def test_what_is_on_the_street_is_drawn_where_it_is(stage: Stage, kind: str) -> None:
    changed = stage.changed(standing(kind, 2.0, 25.0, 0.5), by=5)
    rows, columns = np.nonzero(changed)
    pixels, _ = stage.camera_model.project(np.array([2.0, 25.0, 0.6]))

    assert changed.any()
    assert columns.min() <= pixels[0] <= columns.max() + 1
    assert rows.min() <= pixels[1] <= rows.max() + 1


def test_nothing_on_the_street_leaves_the_still_scene(stage: Stage) -> None:
    assert np.array_equal(stage.picture(), stage.still)


def test_the_cast_is_ordered_from_far_to_near(stage: Stage) -> None:
    actors = [
        standing("saloon", x, y, 0.0, k) for k, (x, y) in enumerate([(0, 20), (5, 60), (-4, 35), (2, 90)])
    ]
    cast = stage.cast(actors)

    assert [actor.y for actor in cast.actors] == [90, 60, 35, 20]
    assert (np.diff(cast.depth) < 0).all()
    assert len(cast.first) == len(cast.actors) + 1
    assert cast.first[-1] == len(cast.faces) == len(cast.colours)


def test_what_cannot_be_in_the_picture_is_not_in_the_cast(stage: Stage) -> None:
    outside = [standing("bus", 0.0, -20.0), standing("bus", 200.0, 30.0), standing("person", 0.0, 2000.0)]

    assert len(stage.cast(outside).actors) == 0


def test_the_nearer_covers_the_farther(stage: Stage) -> None:
    near, far = standing("truck", 0.0, 20.0, 0.0, 1), standing("person", 0.0, 24.0, 0.0, 2)

    assert np.array_equal(stage.picture(near, far), stage.picture(near))


def test_owners_and_drawn_pixels_agree(stage: Stage) -> None:
    actors = [standing("bus", -3.0, 28.0, 0.3, 1), standing("suv", 2.0, 22.0, 1.2, 2)]
    owner, whole = stage.painter.visible(stage.cast(actors))
    changed = stage.changed(*actors, by=3)

    assert set(np.unique(owner)) == {0, 1, 2}
    agree = (owner > 0) == changed
    assert agree.mean() > 0.99
    assert (whole >= [(owner == 1).sum(), (owner == 2).sum()]).all()


def test_what_a_wall_hides_belongs_to_nobody() -> None:
    walled = Stage(Solid(0.0, 20.0, 40.0, 0.5, 6.0, "concrete"))
    owner, whole = walled.painter.visible(walled.cast([standing("saloon", 0.0, 30.0)]))

    assert not owner.any()
    assert whole[0] > 0


def test_the_same_track_has_the_same_colour_and_others_have_others(stage: Stage) -> None:
    pictures = [stage.picture(standing("saloon", 0.0, 16.0, 0.0, track)) for track in (1, 1, *range(2, 12))]

    assert np.array_equal(pictures[0], pictures[1])
    assert len({picture.tobytes() for picture in pictures}) > 5


def test_brakes_and_hazard_lamps_show(stage: Stage) -> None:
    plain = standing("saloon", 0.0, 16.0, NORTH)
    braking, flashing = plain._replace(braking=True), plain._replace(hazard=True)

    pictures = [stage.picture(actor).astype(int) for actor in (plain, braking, flashing)]
    assert (pictures[1] - pictures[0])[..., 2].max() > 60  # red
    assert (pictures[2] - pictures[0])[..., 1].max() > 60  # amber has green, too


def test_lamps_shine_in_the_dark_unless_they_are_off(night: Stage) -> None:
    oncoming = standing("saloon", 0.0, 20.0, -NORTH)

    on = night.picture(oncoming)
    off = night.picture(oncoming._replace(lamps=False))
    assert on.max() > 200
    assert off.max() < 150


def test_a_thing_is_darker_at_night(stage: Stage, night: Stage) -> None:
    actor = standing("van", 0.0, 18.0)._replace(lamps=False)
    owner, _ = stage.painter.visible(stage.cast([actor]))

    assert night.picture(actor)[owner > 0].mean() < 0.5 * stage.picture(actor)[owner > 0].mean()


def test_far_things_leave_out_what_is_fine(stage: Stage) -> None:
    near, far = (len(stage.cast([standing("saloon", 0.0, y)]).faces) for y in (14.0, 80.0))

    assert far < near
