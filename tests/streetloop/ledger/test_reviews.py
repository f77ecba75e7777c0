"""Frames move forward only, and come back as they were written."""

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from streetloop.boxes import Box
from streetloop.errors import LedgerError
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.reviews import (
    Candidate,
    Choice,
    FrameRecord,
    ReviewState,
    SelectionReason,
    add_reviews,
    answer_review,
    ask_again,
    choose_reviews,
    count_chosen,
    count_labeled,
    count_reviews,
    expire_reviews,
    find_reviews,
    list_candidates,
    list_digests,
    list_model_versions,
    list_reviews,
    mark_in_dataset,
    mark_pushed,
    reject_review,
)
from tests.support.frames import NOON, digest, review

ONE = digest(1)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield ledger
    ledger.close()


def only(ledger: Ledger) -> FrameRecord:
    (one,) = list_reviews(ledger, list(ReviewState))
    return one


def in_state(ledger: Ledger, state: ReviewState) -> None:
    """One frame, in some state."""
    add_reviews(ledger, [replace(review(1), state=state)])


MOVES: dict[str, tuple[Callable[[Ledger], object], set[ReviewState], ReviewState]] = {
    "choose": (
        lambda book: choose_reviews(book, [Choice(ONE, 0.5)], NOON, NOON, 10),
        {ReviewState.CANDIDATE},
        ReviewState.PENDING,
    ),
    "push": (lambda book: mark_pushed(book, ONE, NOON), {ReviewState.PENDING}, ReviewState.PUSHED),
    "again": (lambda book: ask_again(book, [ONE]), {ReviewState.PUSHED}, ReviewState.PENDING),
    "answer": (
        lambda book: answer_review(book, ONE, NOON, "ann", ()),
        {ReviewState.PUSHED},
        ReviewState.LABELED,
    ),
    "reject": (
        lambda book: reject_review(book, ONE, NOON, None, "no"),
        {ReviewState.PUSHED},
        ReviewState.REJECTED,
    ),
    "dataset": (
        lambda book: mark_in_dataset(book, [ONE], "d"),
        {ReviewState.LABELED},
        ReviewState.IN_DATASET,
    ),
    "expire": (
        lambda book: expire_reviews(book, NOON + timedelta(days=1)),
        {ReviewState.CANDIDATE, ReviewState.PENDING},
        ReviewState.EXPIRED,
    ),
    "add": (lambda book: add_reviews(book, [review(1)]), set(), ReviewState.CANDIDATE),
}


@pytest.mark.parametrize("state", ReviewState)
@pytest.mark.parametrize("move", MOVES)
def test_a_frame_moves_only_from_where_it_may(ledger: Ledger, move: str, state: ReviewState) -> None:
    act, from_, to = MOVES[move]
    in_state(ledger, state)
    before = only(ledger)
    act(ledger)
    if state in from_:
        assert only(ledger).state is to
    else:
        assert only(ledger) == before, "nothing of it changes"


def test_a_frame_is_read_as_it_was_written(ledger: Ledger) -> None:
    wrote = review(
        1, origin={"uri": "sim://kingsport/crossing?a=1", "frame": 7}, reason=SelectionReason.FLICKER
    )
    add_reviews(ledger, [wrote])
    assert find_reviews(ledger, [ONE, digest(2)]) == [wrote] == list_reviews(ledger, [ReviewState.CANDIDATE])
    np.testing.assert_array_equal(only(ledger).fingerprint, wrote.fingerprint)
    np.testing.assert_array_equal(only(ledger).embedding, wrote.embedding)


def test_a_label_is_read_as_it_was_written(ledger: Ledger) -> None:
    in_state(ledger, ReviewState.PUSHED)
    label = (Box(2, (0.1, 12.3, 639.9, 360.0)), Box(0, (1.0, 2.0, 3.0, 4.0)))
    answer_review(ledger, ONE, NOON, "ann", label)
    assert only(ledger).label == label
    assert only(ledger).boxes == review(1).boxes


def test_digests_are_read_with_the_models_and_in_the_order_of_choice(ledger: Ledger) -> None:
    add_reviews(ledger, [replace(review(k), model_version=f"m-{k}") for k in (1, 2, 3)])
    choose_reviews(ledger, [Choice(digest(k), 0.5) for k in (3, 1)], NOON, NOON, 10)
    found = list_digests(ledger, [ReviewState.PENDING])
    assert list(found.items()) == [(digest(3), "m-3"), (digest(1), "m-1")]
    assert list_digests(ledger, []) == {}


def test_one_that_is_known_stays_as_it_is_and_the_others_are_written(ledger: Ledger) -> None:
    add_reviews(ledger, [review(1)])
    add_reviews(ledger, [])
    add_reviews(ledger, [review(1, score=0.9), review(2)])
    assert [one.score for one in list_reviews(ledger, [ReviewState.CANDIDATE])] == [0.5, 0.5]


def test_frames_come_as_they_were_chosen_and_ranked_then_as_they_were_taken(ledger: Ledger) -> None:
    add_reviews(ledger, [review(k) for k in (5, 1, 4, 2, 3)])
    numbers = lambda: [int(r.digest, 16) for r in list_reviews(ledger, list(ReviewState))]  # noqa: E731
    assert numbers() == [1, 2, 3, 4, 5]
    later = NOON + timedelta(hours=1)
    choose_reviews(ledger, [Choice(digest(k), 0.5) for k in (4, 2)], later, NOON, 10)
    choose_reviews(ledger, [Choice(digest(5), 0.5)], NOON, NOON, 10)
    chosen = list_reviews(ledger, [ReviewState.PENDING])
    assert [int(r.digest, 16) for r in chosen] == [5, 4, 2]
    assert [r.rank for r in chosen] == [0, 0, 1]


def test_frames_of_one_reason_can_be_asked_for(ledger: Ledger) -> None:
    add_reviews(
        ledger,
        [review(k, reason=SelectionReason.RANDOM if k % 2 else SelectionReason.UNSURE) for k in range(6)],
    )
    some = list_reviews(ledger, [ReviewState.CANDIDATE], SelectionReason.RANDOM)
    assert [int(r.digest, 16) for r in some] == [1, 3, 5]
    assert list_reviews(ledger, [ReviewState.PUSHED], SelectionReason.RANDOM) == []


def test_labeled_frames_are_counted_until_they_are_in_a_dataset(ledger: Ledger) -> None:
    labeled = [replace(review(k), state=ReviewState.LABELED) for k in range(5)]
    add_reviews(ledger, [replace(one, drift="night") for one in labeled[:2]])
    add_reviews(ledger, [*labeled[2:], review(6)])
    assert (count_labeled(ledger), count_labeled(ledger, of_drift=True)) == (5, 2)
    mark_in_dataset(ledger, [digest(0), digest(4)], "d")
    assert (count_labeled(ledger), count_labeled(ledger, of_drift=True)) == (3, 1)


def test_the_model_versions_of_some_states_are_each_given_once(ledger: Ledger) -> None:
    add_reviews(ledger, [replace(review(k), model_version=f"m-{k % 2}") for k in range(4)])
    add_reviews(ledger, [replace(review(9), model_version="m-9", state=ReviewState.LABELED)])
    assert list_model_versions(ledger, [ReviewState.CANDIDATE]) == ["m-0", "m-1"]
    assert list_model_versions(ledger, list(ReviewState)) == ["m-0", "m-1", "m-9"]


def test_choosing_reads_only_what_it_needs(ledger: Ledger) -> None:
    frames = [review(k) for k in range(6)]
    add_reviews(ledger, frames)
    choose_reviews(ledger, [Choice(digest(4), 0.7)], NOON, NOON, 1)
    since = NOON + timedelta(minutes=2)
    some = list_candidates(ledger, [ReviewState.CANDIDATE], since)
    assert [one.digest for one in some] == [digest(k) for k in (2, 3, 5)]
    assert some[0] == Candidate(**{one.name: getattr(frames[2], one.name) for one in fields(Candidate)})
    np.testing.assert_array_equal(some[0].fingerprint, frames[2].fingerprint)
    np.testing.assert_array_equal(some[0].embedding, frames[2].embedding)
    assert list_candidates(ledger, [], since) == []


@pytest.mark.parametrize(("most", "moved"), [(0, 0), (2, 1), (3, 2), (9, 3)])
def test_no_more_are_chosen_than_the_period_has_left(ledger: Ledger, most: int, moved: int) -> None:
    add_reviews(ledger, [review(k) for k in range(5)])
    before, since = NOON, NOON + timedelta(hours=1)
    choose_reviews(ledger, [Choice(digest(3), 0.5)], before, before, 9)  # of another period
    choose_reviews(ledger, [Choice(digest(4), 0.5)], since, since, 9)
    three = [Choice(digest(k), 0.7, "fog") for k in range(3)]
    assert choose_reviews(ledger, three, since, since, most) == moved
    assert count_chosen(ledger, since) == 1 + moved
    assert count_chosen(ledger, before) == 2 + moved
    assert {r.drift for r in find_reviews(ledger, [digest(k) for k in range(moved)])} <= {"fog"}


def test_every_state_is_counted(ledger: Ledger) -> None:
    assert count_reviews(ledger) == dict.fromkeys(ReviewState, 0)
    add_reviews(ledger, [review(k) for k in range(3)])
    add_reviews(ledger, [replace(review(9), state=ReviewState.EXPIRED)])
    assert count_reviews(ledger) == {
        **dict.fromkeys(ReviewState, 0),
        ReviewState.CANDIDATE: 3,
        ReviewState.EXPIRED: 1,
    }


def test_many_at_once_are_no_matter(ledger: Ledger) -> None:
    many = [review(k) for k in range(1200)]
    add_reviews(ledger, many)
    digests = [one.digest for one in many]
    assert len(find_reviews(ledger, digests)) == 1200
    choose_reviews(ledger, [Choice(d, 0.5) for d in digests], NOON, NOON, 1100)
    assert count_reviews(ledger)[ReviewState.PENDING] == 1100
    assert len(expire_reviews(ledger, NOON + timedelta(days=9))) == 1200


def test_of_two_answers_one_counts(ledger: Ledger) -> None:
    in_state(ledger, ReviewState.PUSHED)
    assert answer_review(ledger, ONE, NOON, "ann", ())
    assert not answer_review(ledger, ONE, NOON, "bob", ())
    assert not reject_review(ledger, ONE, NOON, "bob", "late")
    assert (only(ledger).labeler, only(ledger).note) == ("ann", None)
    assert not answer_review(ledger, digest(2), NOON, "ann", ())


def test_the_first_dataset_of_a_frame_stays(ledger: Ledger) -> None:
    in_state(ledger, ReviewState.LABELED)
    mark_in_dataset(ledger, [ONE], "first")
    mark_in_dataset(ledger, [ONE], "second")
    assert only(ledger).dataset == "first"


def test_a_frame_without_a_time_zone_is_refused(ledger: Ledger) -> None:
    naive = replace(review(1), captured_at=NOON.replace(tzinfo=None))
    with pytest.raises(LedgerError, match="time zone"):
        add_reviews(ledger, [review(2), naive])
    assert list_reviews(ledger, list(ReviewState)) == [], "all or nothing"
