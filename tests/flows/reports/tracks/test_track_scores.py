"""Scores of sequences that are small enough to compute by hand."""

import pytest

import flows.reports.tracks.track_scores as track_scores
from flows.reports.tracks.mot_files import DISTRACTOR, NO_CLASS, TARGET, MotTracks
from flows.reports.tracks.track_scores import score_tracks
from streetloop.errors import ConfigError

_PLACES = {"left": 0.0, "right": 200.0, "away": 400.0}


def _boxes(track: int, place: str, *frames: int, class_id: int = NO_CLASS) -> list[list[float]]:
    return [[frame, track, _PLACES[place], 0, 50, 50, 1, class_id] for frame in frames]


_TRUTH = MotTracks.of(
    [*_boxes(1, "left", 1, 2, 3, 4, class_id=TARGET), *_boxes(2, "right", 1, 2, 3, 4, class_id=TARGET)]
)
_PERFECT = MotTracks.of([*_boxes(5, "left", 1, 2, 3, 4), *_boxes(6, "right", 1, 2, 3, 4)])
# The left object is missed once; the right one changes its id; the last box is of nothing.
_FAULTY = MotTracks.of(
    [
        *_boxes(10, "left", 1, 2, 4),
        *_boxes(20, "right", 1, 2),
        *_boxes(30, "right", 3, 4),
        *_boxes(40, "away", 4),
    ]
)


def test_perfect_tracks_have_all_points() -> None:
    overall, (scores,) = score_tracks([(_TRUTH, _PERFECT)])
    assert overall == scores
    assert scores.as_json() == {
        "HOTA": 100, "AssA": 100, "DetA": 100, "IDF1": 100, "MOTA": 100, "IDSW": 0, "Frag": 0,
    }  # fmt: skip


def test_each_fault_costs_what_its_definition_says() -> None:
    _, (scores,) = score_tracks([(_TRUTH, _FAULTY)])
    assert scores.id_switches == 1
    assert scores.fragments == 1
    assert scores.mota == 62.5, "of 8 true boxes, 1 missed, 1 false, 1 switch"
    assert scores.idf1 == 62.5, "3 boxes of track 10 and 2 of track 20: 2 x 5 of 8 true and 8 found"
    assert scores.det_a == pytest.approx(100 * 7 / 9, abs=1e-3), "7 right, 1 missed, 1 false"
    assert scores.ass_a == pytest.approx(100 * (3 * 3 / 4 + 4 * 2 / 4) / 7, abs=1e-3)
    assert scores.hota == pytest.approx(100 * (7 / 9 * 4.25 / 7) ** 0.5, abs=1e-3)


def test_sequences_are_combined_by_their_counts() -> None:
    overall, scores = score_tracks([(_TRUTH, _FAULTY), (_TRUTH, _PERFECT)])
    assert [one.mota for one in scores] == [62.5, 100]
    assert (overall.id_switches, overall.fragments) == (1, 1)
    assert overall.mota == 100 * 13 / 16
    assert overall.idf1 == 100 * 13 / 16
    assert overall.ass_a == pytest.approx(100 * (4.25 + 8) / 15, abs=1e-3), "weighted by true positives"


def test_a_box_on_a_distractor_counts_for_nothing() -> None:
    distractor = MotTracks.of([[4, 9, _PLACES["away"], 0, 50, 50, 0, DISTRACTOR]])
    truth = MotTracks.of([*_TRUTH.table, *distractor.table])
    found = MotTracks.of([*_PERFECT.table, *_boxes(40, "away", 4)])
    _, (scores,) = score_tracks([(truth, found)])
    assert scores.mota == 100
    _, (without,) = score_tracks([(_TRUTH, found)])
    assert without.mota == 100 * 7 / 8


def test_a_distractor_need_not_be_found() -> None:
    truth = MotTracks.of([*_TRUTH.table, [2, 9, _PLACES["away"], 0, 50, 50, 0, DISTRACTOR]])
    _, (scores,) = score_tracks([(truth, _PERFECT)])
    assert scores.hota == 100


@pytest.mark.parametrize("found", [MotTracks.of([]), MotTracks.of(_boxes(-1, "left", 1))])
def test_no_track_scores_nothing(found: MotTracks) -> None:
    _, (scores,) = score_tracks([(_TRUTH, found)])
    assert set(scores.as_json().values()) == {0}


@pytest.mark.parametrize("truth", [MotTracks.of([]), MotTracks.of(_boxes(9, "away", 1, class_id=DISTRACTOR))])
def test_frames_without_a_target_add_only_what_is_false(truth: MotTracks) -> None:
    overall, (_, empty) = score_tracks([(_TRUTH, _PERFECT), (truth, _PERFECT)])
    assert empty.mota == 0
    assert overall.mota == 0, "8 true boxes found, and 8 false ones"


def test_far_more_false_boxes_than_true_ones_make_mota_negative() -> None:
    found = MotTracks.of(_boxes(1, "away", *range(1, 21)))
    _, (scores,) = score_tracks([(_TRUTH, found)])
    assert scores.mota == -250


def test_too_many_tracks_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(track_scores, "_MAX_PAIRS", 7)
    with pytest.raises(ConfigError, match="2 objects and 4 tracks are too many"):
        score_tracks([(_TRUTH, _FAULTY)])
