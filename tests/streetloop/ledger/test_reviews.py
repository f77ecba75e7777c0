"""Frames move forward only, and come back as they were written."""

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from datetime import timedelta

import numpy as np
import pytest

from streetloop.boxes import Box
from streetloop.errors import LedgerError
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.review_moves import (
    AnswerSource,
    Choice,
    answer_review,
    ask_again,
    ask_anew,
    choose_reviews,
    confirm_labels,
    expire_reviews,
    mark_in_dataset,
    mark_pushed,
    name_classes,
    reject_review,
    reopen_rejected,
)
from streetloop.ledger.reviews import (
    AskedFrame,
    Candidate,
    FrameRecord,
    ReviewState,
    SelectionReason,
    add_reviews,
    count_chosen,
    count_labeled,
    count_reviews,
    find_reviews,
    list_asked,
    list_candidates,
    list_doubted,
    list_labeled,
    list_reviews,
    list_unnamed_versions,
    list_unreliable,
)
from tests.support.samples.frames import NOON, digest, review

ONE = digest(1)


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    ledger = open_ledger(ledger_url)
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
        lambda book: answer_review(book, ONE, AnswerSource(NOON, "ann"), ()),
        {ReviewState.PUSHED, ReviewState.REJECTED, ReviewState.LABELED, ReviewState.IN_DATASET},
        ReviewState.LABELED,
    ),
    "reject": (
        lambda book: reject_review(book, ONE, AnswerSource(NOON, None), "no"),
        {ReviewState.PUSHED, ReviewState.REJECTED, ReviewState.LABELED, ReviewState.IN_DATASET},
        ReviewState.REJECTED,
    ),
    "reopen": (lambda book: reopen_rejected(book, [ONE]), {ReviewState.REJECTED}, ReviewState.PUSHED),
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
    answer_review(ledger, ONE, AnswerSource(NOON, "ann"), label)
    assert only(ledger).label == label
    assert only(ledger).boxes == review(1).boxes


def test_who_was_asked_is_read_in_the_order_of_choice_where_the_classes_are_known(ledger: Ledger) -> None:
    add_reviews(ledger, [replace(review(k), asks=k) for k in (1, 2, 3)])
    add_reviews(ledger, [replace(review(4), classes=())])
    choose_reviews(ledger, [Choice(digest(k), 0.5) for k in (3, 1, 4)], NOON, NOON, 10)
    assert list_asked(ledger, [ReviewState.PENDING]) == [AskedFrame(digest(3), 3), AskedFrame(digest(1), 1)]
    assert list_asked(ledger, []) == []


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


def test_the_models_whose_classes_are_unknown_are_each_given_once(ledger: Ledger) -> None:
    old = [replace(review(k), model_version=f"m-{k % 2}", classes=()) for k in range(4)]
    add_reviews(ledger, [*old, replace(review(7), model_version="m-7")])
    add_reviews(ledger, [replace(review(9), model_version="m-9", state=ReviewState.LABELED, classes=())])
    assert list_unnamed_versions(ledger, [ReviewState.CANDIDATE]) == ["m-0", "m-1"]
    assert list_unnamed_versions(ledger, list(ReviewState)) == ["m-0", "m-1", "m-9"]
    name_classes(ledger, "m-0", ("car", "bus"), None)
    assert list_unnamed_versions(ledger, list(ReviewState)) == ["m-1", "m-9"]


def test_class_names_are_read_as_they_were_written_and_shared(ledger: Ledger) -> None:
    odd = ("car", 'a "b"', "Fußgänger", " ")
    add_reviews(ledger, [replace(review(k), classes=odd) for k in range(2)])
    first, second = list_reviews(ledger, [ReviewState.CANDIDATE])
    assert first.classes == odd
    assert first.classes is second.classes, "thousands of rows have one list"


def test_what_is_shown_is_what_was_served(ledger: Ledger) -> None:
    weak, strong = (
        Box(0, (0.0, 0.0, 9.0, 9.0), confidence=0.24),
        Box(1, (0.0, 0.0, 9.0, 9.0), confidence=0.25),
    )
    add_reviews(ledger, [replace(review(1), boxes=(weak, strong), served=0.25)])
    assert only(ledger).boxes == (weak, strong)
    assert only(ledger).shown == (strong,)


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


LATER = NOON + timedelta(minutes=5)
CAR = (Box(0, (1.0, 2.0, 30.0, 40.0)),)


def test_an_answer_counts_once(ledger: Ledger) -> None:
    in_state(ledger, ReviewState.PUSHED)
    assert answer_review(ledger, ONE, AnswerSource(NOON, "ann"), ())
    assert not answer_review(ledger, ONE, AnswerSource(NOON, "bob"), CAR)
    assert not reject_review(ledger, ONE, AnswerSource(NOON, "bob"), "late")
    assert (only(ledger).labeler, only(ledger).note) == ("ann", None)
    assert not answer_review(ledger, digest(2), AnswerSource(NOON, "ann"), ())


def test_the_newest_answer_counts_until_a_dataset_has_it_and_then_for_the_next(ledger: Ledger) -> None:
    in_state(ledger, ReviewState.PUSHED)
    answer_review(ledger, ONE, AnswerSource(NOON, "ann"), ())
    assert answer_review(ledger, ONE, AnswerSource(LATER, "bob", "http://studio/1"), CAR)
    assert (only(ledger).label, only(ledger).labeler, only(ledger).url) == (CAR, "bob", "http://studio/1")
    mark_in_dataset(ledger, [ONE], "first")
    assert not answer_review(ledger, ONE, AnswerSource(NOON, "eve"), CAR), "the same label again"
    assert (only(ledger).state, only(ledger).dataset) == (ReviewState.IN_DATASET, "first")
    assert answer_review(ledger, ONE, AnswerSource(LATER, "eve"), ())
    assert (only(ledger).state, only(ledger).dataset) == (ReviewState.LABELED, "first")
    assert count_labeled(ledger) == 1
    mark_in_dataset(ledger, [ONE], "second")
    assert only(ledger).dataset == "second"


def test_an_answer_that_cannot_be_used_takes_the_place_of_a_label_and_is_mended(ledger: Ledger) -> None:
    in_state(ledger, ReviewState.PUSHED)
    answer_review(ledger, ONE, AnswerSource(NOON, "ann"), CAR)
    assert reject_review(ledger, ONE, AnswerSource(LATER), "a polygon")
    assert (only(ledger).state, only(ledger).label, only(ledger).note) == ("rejected", None, "a polygon")
    assert answer_review(ledger, ONE, AnswerSource(LATER + timedelta(minutes=1), "ann"), CAR)
    assert (only(ledger).state, only(ledger).label, only(ledger).note) == ("labeled", CAR, None)


def test_a_reopened_frame_takes_the_same_answer_again(ledger: Ledger) -> None:
    in_state(ledger, ReviewState.PUSHED)
    reject_review(ledger, ONE, AnswerSource(NOON), "drawn backwards")
    assert reopen_rejected(ledger, [ONE, digest(2)]) == 1
    assert (only(ledger).note, only(ledger).answered_at) == (None, None)
    assert answer_review(ledger, ONE, AnswerSource(NOON, "ann"), CAR)


def test_a_label_that_is_withdrawn_is_unreliable_until_it_is_answered_again(ledger: Ledger) -> None:
    in_state(ledger, ReviewState.LABELED)
    mark_in_dataset(ledger, [ONE], "d")
    assert list_unreliable(ledger) == set()
    reject_review(ledger, ONE, AnswerSource(LATER), "skipped")
    assert list_unreliable(ledger) == {ONE}
    reopen_rejected(ledger, [ONE])
    assert list_unreliable(ledger) == {ONE}, "there is no label to learn from"
    answer_review(ledger, ONE, AnswerSource(LATER, "ann"), CAR)
    assert list_unreliable(ledger) == set()


def test_a_rejected_frame_that_no_dataset_has_is_not_unreliable(ledger: Ledger) -> None:
    in_state(ledger, ReviewState.REJECTED)
    assert list_unreliable(ledger) == set()


def test_an_image_that_a_dataset_has_does_not_expire(ledger: Ledger) -> None:
    add_reviews(ledger, [replace(review(1), state=ReviewState.PUSHED, dataset="d"), review(2)])
    ask_again(ledger, [ONE])
    assert expire_reviews(ledger, NOON + timedelta(days=9)) == [review(2).image_key]
    (kept,) = find_reviews(ledger, [ONE])
    assert kept.state is ReviewState.PENDING


@pytest.mark.parametrize(
    "state", [ReviewState.PUSHED, ReviewState.REJECTED, ReviewState.LABELED, ReviewState.IN_DATASET]
)
def test_what_is_in_doubt_is_confirmed_or_asked_anew(ledger: Ledger, state: ReviewState) -> None:
    doubtful = [replace(review(k), state=state, label=CAR, doubt="who knows") for k in range(3)]
    add_reviews(ledger, [*doubtful, replace(review(3), state=state, label=CAR)])
    assert count_labeled(ledger) == list_labeled_digests(ledger).count(digest(3))
    assert {frame.digest for frame in list_doubted(ledger)} == {digest(k) for k in range(3)}
    assert confirm_labels(ledger, [digest(0), digest(3)]) == 1
    assert ask_anew(ledger, [digest(1), digest(3)]) == 1, "of one that is not in doubt nobody is asked"
    (anew,) = find_reviews(ledger, [digest(1)])
    assert (anew.state, anew.label, anew.doubt, anew.asks) == (ReviewState.PENDING, None, None, 1)
    assert [frame.digest for frame in list_doubted(ledger)] == [digest(2)]
    assert list_unreliable(ledger) == {digest(1), digest(2)}
    assert expire_reviews(ledger, NOON + timedelta(days=9)) == [], "a dataset may have its image"


def list_labeled_digests(ledger: Ledger) -> list[str]:
    return [frame.digest for frame in list_labeled(ledger) if frame.state is ReviewState.LABELED]


def test_without_class_names_nothing_can_be_confirmed(ledger: Ledger) -> None:
    old = replace(review(1), state=ReviewState.LABELED, label=CAR, doubt="who knows", classes=())
    add_reviews(ledger, [old])
    assert confirm_labels(ledger, [ONE]) == 0
    name_classes(ledger, "m-1", ("car", "bus"), "still")
    assert only(ledger).doubt == "still"
    assert confirm_labels(ledger, [ONE]) == 1


def test_a_frame_without_a_time_zone_is_refused(ledger: Ledger) -> None:
    naive = replace(review(1), captured_at=NOON.replace(tzinfo=None))
    with pytest.raises(LedgerError, match="time zone"):
        add_reviews(ledger, [review(2), naive])
    assert list_reviews(ledger, list(ReviewState)) == [], "all or nothing"
