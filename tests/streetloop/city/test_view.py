"""What a view promises: the same frame, whoever asks, whenever, and after whatever else.

``golden.json`` says what each camera showed when it was last looked at by a person. To write it
anew, after the city was changed on purpose::

    python -m tests.streetloop.city.test_view
"""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streetloop.city.address import parse_address
from streetloop.city.truth import Truth
from streetloop.city.view import View
from streetloop.city.world.conditions import STEPS
from streetloop.errors import ConfigError
from streetloop.types import Image
from tests.support.samples.city import CAMERAS, SMALL, digest, view

_GOLDEN = Path(__file__).with_name("golden.json")
_GOLDEN_FRAME = 1234
_GRID = (8, 5)
_TOLERANCE = 2
_HARD = (
    "condition=rain,night@10:20,wet-lens,dirty-lens",
    "event=stalled-vehicle@5:60",
    "seed=9",
    "traffic=busy",
)


# The same in any order


def _fresh(camera: str, *options: str) -> View:
    return View(parse_address(f"sim://{camera}?{'&'.join((SMALL, *options))}"))


@pytest.mark.parametrize("options", [(), _HARD], ids=["plain", "everything"])
def test_frames_are_the_same_in_any_order(options: tuple[str, ...]) -> None:
    frames = [300, 0, 150, 301, 299]
    there = _fresh("kingsport/crossing", *options)
    back = _fresh("kingsport/crossing", *options)
    first = {frame: (digest(there.render(frame)), there.truth(frame)) for frame in frames}

    for frame in sorted(frames):
        assert (digest(back.render(frame)), back.truth(frame)) == first[frame]


@settings(max_examples=8)
@given(st.lists(st.integers(0, 20_000), min_size=1, max_size=4))
def test_a_frame_does_not_depend_on_those_that_were_asked_for_before(frames: list[int]) -> None:
    used, new = view("millbrook/crossing"), _fresh("millbrook/crossing")
    for frame in frames:
        used.render(frame)

    assert digest(new.render(frames[-1])) == digest(used.render(frames[-1]))
    assert new.truth(frames[-1]) == used.truth(frames[-1])


def test_a_frame_is_the_same_after_other_cameras_were_drawn() -> None:
    camera = _fresh("stonebridge/middle", "seed=4")
    before = digest(camera.render(77)), camera.truth(77)
    for other in ("kingsport/crossing", "larkfield/gantry", "stonebridge/quay"):
        view(other).render(77)
        view(other, "condition=night").render(5)
    again = _fresh("stonebridge/middle", "seed=4")

    assert (digest(camera.render(77)), camera.truth(77)) == before
    assert (digest(again.render(77)), again.truth(77)) == before


def test_the_truth_is_the_same_whether_the_picture_is_drawn_or_not() -> None:
    drawn = _fresh("kingsport/corner", "seed=3")
    drawn.render(40)

    assert drawn.truth(40) == _fresh("kingsport/corner", "seed=3").truth(40)


def test_whoever_draws_on_a_picture_spoils_no_other() -> None:
    camera = view("kingsport/crossing")
    first = camera.render(12)
    kept = digest(first)
    first[:] = 0

    assert digest(camera.render(12)) == kept


_ELSEWHERE = """
import hashlib, sys
from streetloop.city.address import parse_address
from streetloop.city.view import View
for uri in sys.argv[1:]:
    view = View(parse_address(uri))
    print(hashlib.sha256(view.render(200).tobytes()).hexdigest(), view.truth(200))
"""


def test_a_fresh_process_shows_the_same() -> None:
    cameras = [("kingsport/crossing", _HARD), ("millbrook/market", ("condition=low-sun,knocked@3:9",))]
    uris = [f"sim://{camera}?{'&'.join((SMALL, *options))}" for camera, options in cameras]
    run = subprocess.run(
        [sys.executable, "-c", _ELSEWHERE, *uris], capture_output=True, text=True, check=True
    )

    there = run.stdout.splitlines()
    here = [view(camera, *options) for camera, options in cameras]
    assert there == [f"{digest(v.render(200))} {v.truth(200)}" for v in here]


# Other options, other days


def test_another_seed_is_another_day_in_the_same_street() -> None:
    first, second = view("kingsport/crossing", "seed=1"), view("kingsport/crossing", "seed=2")

    assert first.truth(100).seen != second.truth(100).seen
    same = np.abs(first.render(100).astype(int) - second.render(100)).max(axis=-1) < 30
    assert same.mean() > 0.5


def test_the_start_is_where_frame_0_is() -> None:
    from_there = view("millbrook/crossing", "start=30")

    assert from_there.truth(0).seen == view("millbrook/crossing").truth(300).seen


def test_the_rate_of_pictures_changes_nothing_about_a_second() -> None:
    slow, fast = view("millbrook/crossing", "fps=5"), view("millbrook/crossing", "fps=25")

    assert slow.truth(50).seen == fast.truth(250).seen


def test_the_weather_changes_nothing_about_the_traffic() -> None:
    fine, foul = view("kingsport/crossing"), view("kingsport/crossing", "condition=night,rain,fog")

    assert fine.truth(321) == foul.truth(321)


def test_busy_streets_show_more_than_light_ones() -> None:
    counts = [
        sum(len(view("kingsport/crossing", f"traffic={name}").truth(k).seen) for k in range(0, 2400, 300))
        for name in ("light", "normal", "busy")
    ]

    assert counts[0] < counts[1] < counts[2]


def test_one_size_shows_what_another_does() -> None:
    small = _fresh("stonebridge/middle").render(30)
    large = View(parse_address("sim://stonebridge/middle?size=320x180")).render(30)
    assert large.shape == (180, 320, 3)
    shrunk = cv2.resize(large, (160, 90), interpolation=cv2.INTER_AREA)

    # Below the line of text.
    assert np.abs(shrunk[10:].astype(int) - small[10:]).mean() < 8


@pytest.mark.parametrize("size", ["64x64", "66x128", "300x64"])
def test_any_size_can_be_drawn(size: str) -> None:
    width, height = (int(n) for n in size.split("x"))
    camera = View(
        parse_address(
            f"sim://millbrook/crossing?size={size}&condition=rain,wet-lens,dirty-lens,compressed,low-sun,dusk"
        )
    )

    image = camera.render(3)
    assert image.shape == (height, width, 3)
    assert image.dtype == np.uint8


def test_frames_count_from_0() -> None:
    for ask in (view("kingsport/crossing").render, view("kingsport/crossing").truth):
        with pytest.raises(ConfigError, match="frame -1: the first frame is 0"):
            ask(-1)


# Light and weather


def _scene(camera: str, condition: str = "day") -> Image:
    """The picture below its line of text."""
    return view(camera, f"condition={condition}").render(100)[10:]


def _detail(image: Image) -> float:
    fine = image.astype(np.float32)
    return float((fine - cv2.GaussianBlur(fine, (0, 0), 4)).std())


_ONE_EACH = ("kingsport/crossing", "larkfield/verge-west", "millbrook/crossing", "stonebridge/middle")


@pytest.mark.parametrize("camera", _ONE_EACH)
def test_night_is_darker_than_dusk_and_dusk_than_day(camera: str) -> None:
    day, dusk, night = (np.median(_scene(camera, c)) for c in ("day", "dusk", "night"))

    assert night < 0.9 * dusk
    assert dusk < 0.75 * day


@pytest.mark.parametrize("camera", _ONE_EACH)
def test_fog_lowers_contrast(camera: str) -> None:
    assert _detail(_scene(camera, "fog")) < 0.7 * _detail(_scene(camera))


def test_a_fade_comes_on_from_frame_to_frame() -> None:
    fading = view("kingsport/crossing", "condition=night@10:20")
    means = [float(fading.render(frame)[10:].mean()) for frame in (90, 150, 200)]

    assert means == sorted(means, reverse=True)
    assert [fading.look(frame).darkness for frame in (0, 99, 200, 300, 9999)] == [
        0,
        0,
        STEPS // 2,
        STEPS,
        STEPS,
    ]


def test_a_knock_moves_the_picture_and_the_truth_with_it() -> None:
    upright, knocked = view("stonebridge/middle"), view("stonebridge/middle", "condition=knocked")
    before = {thing.track_id: thing.xyxy for thing in upright.truth(50).seen}
    after = {thing.track_id: thing.xyxy for thing in knocked.truth(50).seen}
    both = before.keys() & after.keys()

    assert both
    assert all(np.abs(np.subtract(before[k], after[k])).max() > 5 for k in both)
    assert np.abs(upright.render(50).astype(int) - knocked.render(50)).mean() > 10


@pytest.mark.parametrize(
    "condition",
    ["dusk", "night", "rain", "fog", "low-sun", "dirty-lens", "wet-lens", "knocked", "compressed"],
)
def test_every_condition_shows(condition: str) -> None:
    plain = view("kingsport/crossing").render(100).astype(int)
    changed = view("kingsport/crossing", f"condition={condition}").render(100)

    assert np.abs(plain - changed).mean() > 1


def test_vehicles_can_be_seen_at_night_by_their_lamps() -> None:
    camera = view("kingsport/crossing", "condition=night")
    counted = 0
    for frame in range(0, 400, 40):
        image = camera.render(frame)
        for thing in camera.truth(frame).clear():
            left, top, right, bottom = (int(v) for v in thing.xyxy)
            if thing.class_name in {"car", "bus"} and thing.visible > 0.9 and right - left > 8:
                counted += int(image[top:bottom, left:right].max() > 180)
    assert counted > 5


# What the boxes promise of the picture


@pytest.mark.parametrize("camera", ["millbrook/crossing", "stonebridge/west-tower"])
def test_where_a_box_is_something_is_drawn(camera: str) -> None:
    street = view(camera, "traffic=busy")
    frames = range(200, 600, 20)
    empty = np.median([street.render(frame) for frame in frames], axis=0)
    changes = []
    for frame in list(frames)[::4]:
        image = street.render(frame)
        for thing in street.truth(frame).clear():
            left, top, right, bottom = (int(v) for v in thing.xyxy)
            box = (slice(top, bottom), slice(left, right))
            if not 1 << 59 <= thing.track_id < (1 << 59) + 1000:  # what is parked is in the median
                changes.append(np.abs(image[box] - empty[box]).mean())
    assert len(changes) > 5
    assert np.median(changes) > 12


# Golden


def fingerprint(image: Image) -> list[list[int]]:
    """The mean colour of each field of a coarse grid, row by row."""
    fields = cv2.resize(image.astype(np.float32), _GRID, interpolation=cv2.INTER_AREA)
    return [[round(float(value)) for value in field] for field in fields.reshape(-1, 3)]


def truth_digest(truth: Truth) -> str:
    """Names a truth by its boxes, to whole pixels, and tracks."""
    rows = [(thing.track_id, *(round(value) for value in thing.xyxy)) for thing in truth.seen]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def look_at_camera(city: str, camera: str) -> dict[str, Any]:
    """What `golden.json` holds of one camera."""
    uri = f"sim://{city}/{camera}?size=320x180&seed=3&condition="
    views = {name: View(parse_address(uri + name)) for name in ("day", "night")}
    found: dict[str, Any] = {n: fingerprint(v.render(_GOLDEN_FRAME)) for n, v in views.items()}
    return {**found, "truth": truth_digest(views["day"].truth(_GOLDEN_FRAME))}


@pytest.mark.parametrize(("city", "camera"), CAMERAS)
def test_a_camera_shows_what_it_has_always_shown(city: str, camera: str) -> None:
    golden = json.loads(_GOLDEN.read_text())[f"{city}/{camera}"]
    now = look_at_camera(city, camera)

    assert now["truth"] == golden["truth"]
    for condition in ("day", "night"):
        assert np.abs(np.subtract(now[condition], golden[condition])).max() <= _TOLERANCE


def test_every_camera_has_been_looked_at() -> None:
    assert list(json.loads(_GOLDEN.read_text())) == [f"{city}/{name}" for city, name in CAMERAS]


def main() -> None:
    """Write `golden.json` anew."""
    content = {f"{city}/{camera}": look_at_camera(city, camera) for city, camera in CAMERAS}
    rows = [f"{json.dumps(name)}: {json.dumps(found)}" for name, found in content.items()]
    _GOLDEN.write_text("{\n" + ",\n".join(rows) + "\n}\n")


if __name__ == "__main__":
    main()
