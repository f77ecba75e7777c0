import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve.rollout.route_table import CHALLENGER, CHAMPION, RouteTable, city_application, leaders

cameras = st.sets(st.text(min_size=1, max_size=8), max_size=40)
shares = st.floats(0, 1)

FLEET = [f"camera{k}" for k in range(100)]


@given(cameras, shares, shares)
def test_a_larger_share_has_the_cameras_of_a_smaller_one(fleet: set[str], one: float, other: float) -> None:
    small, large = (leaders(fleet, share) for share in sorted((one, other)))
    assert small <= large <= fleet


@given(cameras, st.floats(0, 1, exclude_min=True))
def test_any_share_has_at_least_one_camera_and_no_more_than_needed(fleet: set[str], share: float) -> None:
    count = len(leaders(fleet, share))
    assert count >= min(len(fleet), 1)
    assert count <= max(share * len(fleet) + 1, 1)


def test_no_share_has_no_camera_and_the_whole_has_all() -> None:
    assert leaders(FLEET, 0.0) == frozenset()
    assert leaders(FLEET, 1.0) == frozenset(FLEET)
    assert leaders([], 0.5) == frozenset()


@pytest.mark.parametrize("percent", range(1, 101))
def test_a_share_that_comes_out_even_is_not_exceeded(percent: int) -> None:
    assert len(leaders(FLEET, percent / 100)) == percent


@given(st.permutations(FLEET[:12]))
def test_the_order_in_which_cameras_are_named_does_not_matter(fleet: list[str]) -> None:
    assert leaders(fleet, 0.3) == leaders(FLEET[:12], 0.3)


def test_the_same_cameras_lead_after_a_restart() -> None:
    # Python's own hash of text differs from process to process.
    program = (
        "from serve.rollout.route_table import leaders\n"
        "print(*sorted(leaders([f'camera{k}' for k in range(100)], 0.05)))"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert said.stdout.split() == sorted(leaders(FLEET, 0.05))
    assert said.stdout.split() == ["camera21", "camera54", "camera60", "camera76", "camera95"]


def test_another_camera_in_the_fleet_moves_at_most_one_other() -> None:
    before = leaders(FLEET, 0.25)
    for newcomer in ("new", "newer", "newest"):
        after = leaders([*FLEET, newcomer], 0.25) - {newcomer}
        assert len(before ^ after) <= 1


def test_a_table_says_who_serves_and_who_jumps_in() -> None:
    own = city_application("Oslo")
    table = RouteTable(champion_applications={"a": own, "b": own}, challenged=frozenset("bc"))
    assert [table.application(camera) for camera in "abcd"] == [own, CHALLENGER, CHALLENGER, CHAMPION]
    assert [table.champion_application(camera) for camera in "abcd"] == [own, own, CHAMPION, CHAMPION]


@pytest.mark.parametrize("city", ["Oslo", "Den Haag", "São Paulo", "a/b?c#d"])
def test_a_city_names_an_application_that_is_not_the_common_one(city: str) -> None:
    name = city_application(city)
    assert name.startswith("champion-")
    assert not set(name) & set(" /?#")
    assert name not in {CHAMPION, CHALLENGER}


def test_no_two_cities_share_an_application() -> None:
    cities = ["Den Haag", "Den-Haag", "Den/Haag", "DenHaag", "Den  Haag", "Den.Haag.", "-", ".", "A"]
    champion_applications = [city_application(city) for city in cities]
    assert len(set(champion_applications)) == len(cities)
    # ... not even one that is called like another one's application.
    tail = city_application("Den Haag").removeprefix("champion-")
    assert city_application(tail) not in champion_applications


@given(st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20))
def test_two_cities_of_any_names_have_two_applications(one: str, other: str) -> None:
    assert (city_application(one) == city_application(other)) == (one == other)
