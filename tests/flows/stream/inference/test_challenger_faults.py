"""Faults of a challenger lose no frame, and each call is counted."""

from collections.abc import Callable, Iterator

import pytest

from flows.stream.ingest.accounting import Account
from serve.rollout.route_table import CHALLENGER, CHAMPION, RouteTable
from serve.rollout.statistics.evidence import Calls
from streetloop.errors import AnswerInvalid, DetectorError
from streetloop.types import Detections, Image
from tests.support.stream_flow.applications import Ask, counting_wrong, failing, hanging, marked, saying, well
from tests.support.stream_flow.build import found
from tests.support.stream_flow.fakes import PATIENCE_S, Step, eventually
from tests.support.stream_flow.streams import Street

NAN = float("nan")
ALL = frozenset("ab")
# Without samples: only what the challenger serves is asked of it.
SERVED = RouteTable(1, {}, ALL, ALL)


def _says_nonsense_itself(images: Image, timeout_s: float) -> list[Detections]:
    raise AnswerInvalid("not numbers")


@pytest.fixture
def street() -> Iterator[Street]:
    street = Street()
    yield street
    street.close()


FAULTS: dict[str, tuple[Ask | None, bool]] = {
    "error": (failing, False),
    "hang": (None, False),
    "not numbers": (saying(found((NAN, 0, 10, 10))), True),
    "far outside": (saying(found((0, 0, 10, 5000))), True),
    "unknown class": (saying(found((0, 0, 10, 10), class_id=7)), True),
    "an answer too few": (counting_wrong, True),
    "known nonsense": (_says_nonsense_itself, True),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_challenger_loses_no_frame(street: Street, fault: str) -> None:
    does, is_invalid = FAULTS[fault]
    street.applications.does[CHALLENGER] = does or hanging(street.clock)
    street.table = SERVED
    sink = street.run("ab", [marked(0, 80), marked(1, 80)])

    assert street.pipeline.wait(PATIENCE_S)
    for camera_id in "ab":
        assert sink.frame_ids(camera_id) == list(range(80))
        assert street.account(camera_id) == Account(decoded=80, detected=80)
        assert street.pipeline.snapshot()[camera_id].faults == ()
    assert {result.model_version for result in sink.results} == {CHAMPION}
    calls = street.evidence().challenger
    assert calls.asked == calls.failed > 0
    assert calls.invalid == (calls.asked if is_invalid else 0)
    assert street.evidence().champion.failed == 0
    # What was served in its place counts for the champion.
    for known in street.evidence().cameras.values():
        assert (known.champion.frames, known.challenger.frames) == (80, 0)


def test_served_results_count_for_the_model_that_answered(street: Street) -> None:
    street.table = RouteTable(1, {}, ALL, frozenset("a"))
    street.run("abc", [marked(number, 40) for number in range(3)])
    assert street.pipeline.wait(PATIENCE_S)
    known = street.evidence().cameras
    assert known.keys() == ALL
    assert (known["a"].champion.frames, known["a"].challenger.frames) == (0, 40)
    assert (known["b"].champion.frames, known["b"].challenger.frames) == (40, 0)
    # One box that stays where it is: one track, from its third sighting on.
    assert known["a"].challenger.boxes == 40
    assert known["a"].challenger.broken == known["b"].champion.broken == 0
    assert 1.0 < known["a"].challenger.track_s < 1.6


def test_an_absent_challenger_loses_no_frame(street: Street) -> None:
    street.applications.absent = {CHALLENGER}
    street.table = RouteTable(1, {}, ALL, frozenset("a"), 1.0)
    sink = street.run("ab", [marked(0, 60), marked(1, 60)])

    assert street.pipeline.wait(PATIENCE_S)
    for camera_id in "ab":
        assert sink.frame_ids(camera_id) == list(range(60))
    calls = street.evidence().challenger
    assert calls.asked == calls.failed > 1


def test_a_fault_in_every_tenth_answer_loses_no_frame(street: Street) -> None:
    asked: list[float] = []

    def now_and_then(images: Image, timeout_s: float) -> list[Detections]:
        asked.append(timeout_s)
        street.clock.advance(0.5)
        if len(asked) % 10 == 5:
            raise DetectorError("now and then")
        return well(images, timeout_s)

    street.applications.does[CHALLENGER] = now_and_then
    street.table = SERVED
    sink = street.run("ab", [marked(0, 300), marked(1, 300)])

    assert street.pipeline.wait(PATIENCE_S)
    for camera_id in "ab":
        assert sink.frame_ids(camera_id) == list(range(300))
    calls = street.evidence().challenger
    assert 0 < calls.failed < calls.asked
    assert {r.model_version for r in sink.results} == {CHAMPION, CHALLENGER}


def test_a_challenger_has_a_shorter_timeout_than_the_champion(street: Street) -> None:
    waited: list[float] = []

    def note(images: Image, timeout_s: float) -> list[Detections]:
        waited.append(timeout_s)
        return well(images, timeout_s)

    street.applications.does[CHALLENGER] = note
    street.table = RouteTable(1, {}, ALL, frozenset("a"))
    street.run("ab", [marked(0, 40), marked(1, 40)])

    assert street.pipeline.wait(PATIENCE_S)
    # Four times what the champion usually takes, 0.5 s where that is not known yet.
    assert max(waited) <= 2.0
    assert min(waited) >= 0.05


# Suspension


def _in_step(street: Street, count: int, between: Callable[[], object]) -> list[Step]:
    """Pictures of camera 0, each after the one before was answered."""
    steps: list[Step] = []
    for source_frame in marked(0, count):
        steps += [source_frame, lambda: eventually(lambda: street.account("a").pending == 0)]
        steps.append(lambda: between() and None)
    return steps


def test_cameras_are_at_the_champion_for_two_seconds_after_a_failure(street: Street) -> None:
    street.applications.does[CHALLENGER] = failing
    street.table = RouteTable(1, {}, ALL, ALL)

    def between() -> None:
        street.clock.advance(0.25)
        if len(street.applications.seen[CHALLENGER]) == 1:
            street.applications.does[CHALLENGER] = well

    street.run("a", [_in_step(street, 20, between)])
    assert street.pipeline.wait(PATIENCE_S)
    versions = [r.model_version for r in street.sink.results]
    # The first fails; for the two seconds after it the champion is asked at once.
    assert versions == [CHAMPION] * 8 + [CHALLENGER] * 12
    assert [frame for _, frame in street.applications.seen[CHALLENGER]] == [0, *range(8, 20)]


def test_a_challenger_that_keeps_failing_is_suspended_ever_longer(street: Street) -> None:
    street.applications.does[CHALLENGER] = failing
    street.table = SERVED
    street.run("a", [_in_step(street, 64, lambda: street.clock.advance(1.0))])

    assert street.pipeline.wait(PATIENCE_S)
    assert [frame for _, frame in street.applications.seen[CHALLENGER]] == [0, 2, 6, 14, 30, 62]
    assert street.evidence().challenger == Calls(6, 6)


# The end


def test_closing_during_a_call_to_the_challenger_leaves_no_frame_pending(street: Street) -> None:
    street.table = SERVED
    street.gate(CHALLENGER)
    never = street.gate("nobody")
    street.run("ab", [[*marked(0, 60), never], [*marked(1, 60), never]])
    eventually(lambda: bool(street.applications.seen[CHALLENGER]))
    street.close()

    for camera_id in "ab":
        account = street.account(camera_id)
        assert account.pending == account.failed == 0
        assert account.detected == len(street.sink.frame_ids(camera_id))
    assert street.sink.closed == 1


def test_frames_that_both_models_fail_are_counted_once(street: Street) -> None:
    street.applications.does = {CHALLENGER: failing, CHAMPION: failing}
    street.table = RouteTable(1, {}, ALL, frozenset("a"))
    street.run("ab", [marked(0, 30), marked(1, 30)])

    assert street.pipeline.wait(PATIENCE_S)
    for camera_id in "ab":
        account = street.account(camera_id)
        assert (account.failed, account.pending) == (30, 0)
    assert street.sink.results == []
