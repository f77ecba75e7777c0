"""Few, unlike each other, spread out, and some at random."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import cv2
import imagehash
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as PillowImage

from labeling.appearance import EMBEDDING, embed, fingerprint
from labeling.selection import SelectionPolicy, boosted, select
from streetloop.ledger.reviews import Candidate, SelectionReason
from streetloop.types import Image
from tests.support.samples.city import view
from tests.support.samples.frames import NOON, candidate, digest

NO_RANDOM = SelectionPolicy(random_share=0.0)


def numbers(chosen: Sequence[Candidate]) -> list[int]:
    return [int(one.digest, 16) for one in chosen]


def differing(bits: int) -> np.ndarray:
    """The fingerprint of candidate 1, changed in so many bits."""
    flipped = np.zeros(256, np.uint8)
    flipped[:bits] = 1
    return candidate(1).fingerprint ^ np.packbits(flipped).view(np.uint64)


# Wanted


def test_what_is_wanted_too_little_is_not_asked_about_even_if_the_budget_allows() -> None:
    some = [candidate(k, score=score) for k, score in enumerate([0.0, 0.14, 0.15, 0.9])]
    assert sorted(numbers(select(some, 100))) == [2, 3]


def test_the_most_wanted_come_first() -> None:
    same = np.zeros(EMBEDDING, np.float32)
    some = [
        candidate(k, at=NOON + timedelta(hours=k), score=score, place=same)
        for k, score in enumerate([0.2, 0.9, 0.5])
    ]
    assert numbers(select(some, 3)) == [1, 2, 0]


@pytest.mark.parametrize("budget", [0, -3])
def test_without_a_budget_nothing_is_chosen(budget: int) -> None:
    assert select([candidate(1), candidate(2, reason=SelectionReason.RANDOM)], budget) == []


def test_of_nothing_nothing_is_chosen() -> None:
    assert select([], 10) == []


@given(
    st.lists(
        st.tuples(st.integers(0, 30), st.sampled_from("ab"), st.floats(0, 1), st.booleans()), max_size=30
    ),
    st.integers(0, 12),
    st.integers(0, 30),
)
def test_never_more_than_the_budget_never_one_twice_never_what_was_asked(
    rows: list[tuple[int, str, float, bool]], budget: int, asked: int
) -> None:
    some = [
        candidate(k, camera, score, SelectionReason.RANDOM if drawn else SelectionReason.UNSURE)
        for k, camera, score, drawn in rows
    ]
    chosen = numbers(select(some, budget, [candidate(asked)]))
    assert len(chosen) <= budget
    assert len(chosen) == len(set(chosen))
    assert asked not in chosen
    assert select(some, budget, [candidate(asked)]) == select(some, budget, [candidate(asked)])


# Doubles


@pytest.mark.parametrize(
    ("bits", "seconds", "kept"),
    [(0, 0, 1), (8, 3600, 1), (9, 3600, 2), (9, 20, 1), (24, 20, 1), (24, 21, 2), (25, 1, 2)],
)
def test_frames_that_look_the_same_are_one(bits: int, seconds: float, kept: int) -> None:
    first = candidate(1, at=NOON)
    second = candidate(2, at=NOON + timedelta(seconds=seconds), bits=differing(bits))
    assert len(select([first, second], 10)) == kept
    assert len(select([second], 10, asked=[first])) == kept - 1


def test_of_doubles_the_most_wanted_is_kept() -> None:
    some = [candidate(k, score=k / 10, bits=differing(0), at=NOON) for k in range(2, 9)]
    assert numbers(select(some, 10)) == [8]


def test_cameras_that_look_the_same_are_two_cameras() -> None:
    some = [candidate(k, camera, bits=differing(0)) for k, camera in enumerate("ab")]
    assert len(select(some, 10)) == 2


def _of_the_city(uri: str, *options: str, frames: int, apart: int) -> tuple[list[Candidate], list[Image]]:
    """Frames of a simulated stream, with what a flawed detector would say of them."""
    city = view(uri, "size=320x180", *options)
    rng = np.random.default_rng(0)
    candidates, pictures = [], []
    for k in range(frames):
        picture = city.render(k * apart).copy()
        boxes = city.truth(k * apart).detections()
        looks = embed(picture, boxes, rng.random(len(boxes)))
        pictures.append(picture)
        candidates.append(
            replace(
                candidate(k, score=float(rng.uniform(0.2, 1)), place=looks),
                captured_at=NOON + timedelta(seconds=k * apart / 10),
                fingerprint=fingerprint(picture),
            )
        )
    return candidates, pictures


def _finer(picture: Image) -> np.ndarray:
    """A hash of 1024 bits."""
    grey = cv2.resize(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), (128, 128), interpolation=cv2.INTER_AREA)
    return np.asarray(imagehash.phash(PillowImage.fromarray(grey), hash_size=32).hash).ravel()


def _share_of_doubles(pictures: Sequence[Image]) -> float:
    """By a hash of four times the length, of whose bits twice as many may differ.

    Or if so few pixels changed that no car can have come or gone.
    """
    hashes = [_finer(picture) for picture in pictures]
    greys = [cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.int16) for picture in pictures]
    doubles = 0
    for k in range(len(pictures)):
        bits = [int((hashes[k] != hashes[j]).sum()) for j in range(k)]
        changed = [float((np.abs(greys[k] - greys[j]) > 25).mean()) for j in range(k)]
        doubles += min(bits, default=1024) <= 64 or min(changed, default=1.0) <= 0.005
    return doubles / len(pictures)


@pytest.mark.slow
@pytest.mark.parametrize("uri", ["kingsport/crossing", "larkfield/gantry"])
def test_hardly_any_of_a_batch_are_doubles_by_a_stricter_measure(uri: str) -> None:
    stream, pictures = _of_the_city(uri, "traffic=light", frames=300, apart=10)
    chosen = numbers(select(stream, 40, policy=NO_RANDOM))
    assert len(chosen) >= 30
    assert _share_of_doubles([pictures[k] for k in sorted(chosen)]) <= 0.05
    assert _share_of_doubles(pictures[:40]) > 0.1, "as they come there are many"


# Spread


def test_a_choice_is_spread_over_cameras_and_hours() -> None:
    same = np.zeros(EMBEDDING, np.float32)
    some = [
        candidate(k, f"camera-{k % 4}", 0.5, at=NOON + timedelta(hours=k % 3, seconds=k), place=same)
        for k in range(240)
    ]
    chosen = select(some, 24, policy=NO_RANDOM)
    cells = Counter((one.camera_id, one.captured_at.hour) for one in chosen)
    assert len(cells) == 12
    assert set(cells.values()) == {2}


def test_a_rare_look_is_asked_about_among_many_of_a_kind() -> None:
    kinds = np.eye(EMBEDDING, dtype=np.float32) * 0.8
    usual = [candidate(k, place=kinds[0] + candidate(k).embedding * 0.05) for k in range(200)]
    rare = [candidate(200 + k, place=kinds[k]) for k in range(1, 5)]
    at_once = [replace(one, captured_at=NOON) for one in (*usual, *rare)]
    assert set(numbers(select(at_once, 5, policy=NO_RANDOM))) >= {201, 202, 203, 204}
    by_score = replace(NO_RANDOM, spread=0.0)
    assert not set(numbers(select(at_once, 5, policy=by_score))) & {201, 202, 203, 204}


def test_what_was_asked_about_lately_counts_as_chosen() -> None:
    kinds = np.eye(EMBEDDING, dtype=np.float32) * 0.8
    some = [candidate(1, place=kinds[0]), candidate(2, place=kinds[1])]
    assert numbers(select(some, 1, [candidate(9, place=kinds[0])], NO_RANDOM)) == [2]
    assert numbers(select(some, 1, [candidate(9, place=kinds[1])], NO_RANDOM)) == [1]


# Random


def _drawn(count: int, first: int = 1000) -> list[Candidate]:
    return [candidate(k, score=0.0, reason=SelectionReason.RANDOM) for k in range(first, first + count)]


def test_a_tenth_of_the_budget_is_drawn_at_random_and_marked_as_such() -> None:
    chosen = select([candidate(k) for k in range(200)] + _drawn(200), 100)
    assert [one.reason for one in chosen] == [SelectionReason.UNSURE] * 90 + [SelectionReason.RANDOM] * 10


def test_few_random_ones_leave_the_budget_to_the_others() -> None:
    some = [candidate(k) for k in range(200)]
    assert Counter(c.reason for c in select(some + _drawn(3), 100)) == {
        SelectionReason.UNSURE: 97,
        SelectionReason.RANDOM: 3,
    }
    assert len(select(_drawn(200), 100)) == 10, "and never take what is not theirs"


@pytest.mark.parametrize(("wanted", "given"), [(0, 0), (-3, 0), (1, 1), (7, 7), (50, 20)])
def test_who_chooses_in_several_rounds_says_how_many_are_drawn(wanted: int, given: int) -> None:
    some = [candidate(k) for k in range(200)]
    chosen = select(some + _drawn(200), 20, at_random=wanted)
    assert [one.reason for one in chosen[20 - given :]] == [SelectionReason.RANDOM] * given
    assert len(chosen) == 20
    assert select(some + _drawn(9), 0, at_random=wanted) == []


def test_random_ones_are_drawn_evenly() -> None:
    pool = _drawn(50)
    times = Counter(n for seed in range(1000) for n in numbers(select(pool, 100, seed=seed)))
    assert len(times) == 50
    assert min(times.values()) > 150  # 200 on average, of binomial deviation 13
    assert max(times.values()) < 250


def test_random_ones_are_not_thinned_and_the_others_have_no_say_in_the_draw() -> None:
    doubles = [replace(c, fingerprint=differing(0), captured_at=NOON) for c in _drawn(40)]
    alone = select(doubles, 100, seed=7)
    assert len(alone) == 10
    among = select([candidate(k, bits=differing(0)) for k in range(90)] + doubles, 100, seed=7)
    asked = select(doubles, 100, asked=[candidate(1)], seed=7)
    assert [c for c in among if c.reason is SelectionReason.RANDOM] == alone == asked


def test_random_ones_do_not_keep_the_others_out() -> None:
    some = [candidate(1, at=NOON)]
    double = candidate(2, at=NOON, bits=differing(0), reason=SelectionReason.RANDOM, score=0.0)
    assert len(select([*some, double], 10)) == 2


# Drift


def test_of_a_camera_that_drifts_frames_of_which_the_model_is_sure_are_wanted_too() -> None:
    some = [
        candidate(1, "night", 0.0),
        candidate(2, "night", 0.5),
        candidate(3, "day", 0.3),
        candidate(4, "night", 0.0, SelectionReason.RANDOM),
    ]
    scores = {int(c.digest, 16): c.score for c in boosted(some, {"night": NOON}, 0.4)}
    assert scores == pytest.approx({1: 0.4, 2: 0.7, 3: 0.18, 4: 0.0})
    assert boosted(some, {}, 0.4) == some


def test_what_was_taken_before_a_drift_began_is_not_wanted_more() -> None:
    crowded = [candidate(k, score=0.97) for k in range(20)]
    since = {"a": crowded[10].captured_at}
    chosen = select(boosted(crowded, since, 0.4), 10)
    assert all(one.captured_at >= since["a"] for one in chosen)
    assert len(chosen) == 10


# Time


@pytest.mark.parametrize("cameras", [1, 20])
def test_200_of_20_000_are_selected_within_two_seconds(cameras: int) -> None:
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 2**63, (20_000, 4), dtype=np.uint64)
    places = rng.standard_normal((20_000, EMBEDDING)).astype(np.float32) / 10
    many = [
        Candidate(
            digest(k),
            f"camera-{k % cameras}",
            NOON + timedelta(seconds=10 * k / cameras),
            SelectionReason.RANDOM if k % 20 == 0 else SelectionReason.UNSURE,
            0.1 + (k % 97) / 108,
            "m-1",
            hashes[k],
            places[k],
        )
        for k in range(20_000)
    ]
    began = time.process_time()
    assert len(select(many, 200)) == 200
    assert time.process_time() - began <= 2.0
