"""Cameras switch applications while they run, without losing or reordering frames."""

from collections.abc import Callable, Iterator, Sequence

import pytest

from flows.stream.ingest.accounting import Account
from serve.rollout.route_table import CHALLENGER, CHAMPION, RouteTable
from tests.support.stream_flow.applications import failing, marked
from tests.support.stream_flow.fakes import PATIENCE_S, CollectingSink, Step, eventually
from tests.support.stream_flow.streams import Street

CAMERAS = "abcd"
ALL = frozenset(CAMERAS)
OWN = "champion-Oslo"


def _table(number: int, challenged: str, champion_applications: dict[str, str] | None = None) -> RouteTable:
    return RouteTable(number, champion_applications or {}, ALL, frozenset(challenged), 0.3)


@pytest.fixture
def street() -> Iterator[Street]:
    street = Street()
    yield street
    street.close()


def _follow(street: Street, table: RouteTable) -> Callable[[], None]:
    return lambda: street.pipeline.follow(table)


def _with_switches(street: Street, frames: int, tables: Sequence[RouteTable]) -> list[Step]:
    """Pictures of camera 0 with a table every few of them."""
    steps: list[Step] = []
    source_frames = marked(0, frames)
    every = frames // (len(tables) + 1)
    for index, source_frame in enumerate(source_frames):
        if index and index % every == 0 and index // every <= len(tables):
            steps.append(_follow(street, tables[index // every - 1]))
        steps.append(source_frame)
    return steps


def _versions(sink: CollectingSink, camera_id: str) -> list[str]:
    return [r.model_version for r in sink.results if r.frame.camera_id == camera_id]


SWITCHES = ["a", "ab", "", "abcd", "d", "bc", "abc", "", "abcd", "b", "acd", ""]


def test_switches_lose_and_reorder_no_frame_of_a_lossless_source(street: Street) -> None:
    tables = [_table(k + 1, served) for k, served in enumerate(SWITCHES)]
    clips: list[Sequence[Step]] = [_with_switches(street, 260, tables)]
    clips += [marked(k, 260) for k in range(1, 4)]
    sink = street.run(CAMERAS, clips)

    assert street.pipeline.wait(PATIENCE_S)
    for camera_id in CAMERAS:
        assert sink.frame_ids(camera_id) == list(range(260))
        assert street.account(camera_id) == Account(decoded=260, detected=260)
    assert set(_versions(sink, "a")) == {CHAMPION, CHALLENGER}


def test_every_result_names_the_model_that_was_sent_its_frame(street: Street) -> None:
    tables = [_table(k + 1, served) for k, served in enumerate(SWITCHES)]
    clips: list[Sequence[Step]] = [_with_switches(street, 260, tables)]
    clips += [marked(k, 260) for k in range(1, 4)]
    sink = street.run(CAMERAS, clips)

    assert street.pipeline.wait(PATIENCE_S)
    for result in sink.results:
        one = CAMERAS.index(result.frame.camera_id), result.frame.frame_id
        assert one in street.applications.seen[result.model_version]


def test_frames_of_a_camera_are_in_flight_at_one_application_at_a_time(street: Street) -> None:
    # Without samples, which go to the other one by purpose.
    tables = [RouteTable(k + 1, {}, ALL, frozenset(served)) for k, served in enumerate(SWITCHES * 2)]
    clips: list[Sequence[Step]] = [_with_switches(street, 400, tables)]
    clips += [marked(k, 400) for k in range(1, 4)]
    sink = street.run(CAMERAS, clips)

    assert street.pipeline.wait(PATIENCE_S)
    assert street.applications.mixed == []
    shown = [one for seen in street.applications.seen.values() for one in seen]
    assert len(shown) == len(set(shown)) == len(sink.results) == 1600


def test_switches_lose_no_frame_of_a_live_camera(street: Street) -> None:
    steps: list[Step] = []
    tables = [_table(k + 1, served) for k, served in enumerate(SWITCHES)]
    for index, source_frame in enumerate(marked(0, 120)):
        if index % 10 == 5:
            steps.append(_follow(street, tables[index // 10]))
        # As fast as it is answered: none is stale, so that one that is missing was lost.
        steps += [source_frame, lambda: eventually(lambda: street.account("a").pending == 0)]
        steps.append(lambda: street.clock.advance(0.04))
    sink = street.run("a", [steps], live=True)

    assert street.pipeline.wait(PATIENCE_S)
    assert sink.frame_ids("a") == list(range(120))
    assert street.account("a") == Account(decoded=120, detected=120)
    # A table is in force from the next frame on.
    served = ["a" in SWITCHES[(k - 5) // 10] if k >= 5 else False for k in range(120)]
    assert [v == CHALLENGER for v in _versions(sink, "a")] == served


def test_frames_in_flight_are_answered_by_the_application_they_were_sent_to(street: Street) -> None:
    # The table changes while the champion has frames of the camera.
    gate = street.gate(CHAMPION)
    street.run("a", [marked(0, 30)])
    eventually(lambda: bool(street.applications.seen[CHAMPION]))
    street.pipeline.follow(_table(1, "a"))
    assert street.applications.seen[CHALLENGER] == []
    gate.set()

    assert street.pipeline.wait(PATIENCE_S)
    assert street.sink.frame_ids("a") == list(range(30))
    versions = _versions(street.sink, "a")
    under_way = versions.count(CHAMPION)  # also what was being sent at that moment
    assert 0 < under_way < 30
    assert versions == [CHAMPION] * under_way + [CHALLENGER] * (30 - under_way)


def test_a_track_keeps_its_id_across_a_switch(street: Street) -> None:
    clip = _with_switches(street, 60, [_table(1, "a"), _table(2, "")])
    sink = street.run("a", [clip])

    assert street.pipeline.wait(PATIENCE_S)
    assert set(_versions(sink, "a")) == {CHAMPION, CHALLENGER}
    ids = {int(track) for r in sink.results for track in r.tracked.track_id if track > 0}
    assert len(ids) == 1
    assert street.pipeline.snapshot()["a"].objects == 1


# Applications come and go


def test_each_new_challenger_gets_a_new_client(street: Street) -> None:
    tables = [_table(1, "a"), RouteTable(2), _table(3, "a"), RouteTable(4)]
    street.run("a", [_with_switches(street, 100, tables)])

    assert street.pipeline.wait(PATIENCE_S)
    assert street.sink.frame_ids("a") == list(range(100))
    # The next one of that name may be another application.
    assert street.applications.opened.count(CHALLENGER) == 2
    assert street.applications.opened.count(CHAMPION) == 1


def test_each_new_shadow_challenger_gets_a_new_client(street: Street) -> None:
    # One frame at a time, so that every second is a sample: nothing is shed.
    steps: list[Step] = []
    shadow = RouteTable(1, {}, ALL, frozenset(), 1.0)
    for index, source_frame in enumerate(marked(0, 9)):
        if index in {1, 7}:
            steps.append(_follow(street, shadow))
        if index == 4:
            steps.append(_follow(street, RouteTable(2)))
        steps += [source_frame, lambda: eventually(lambda: street.account("a").pending == 0)]
        steps.append(lambda: eventually(lambda: street.is_compared()))
    street.run("a", [steps])

    assert street.pipeline.wait(PATIENCE_S)
    assert street.applications.opened.count(CHALLENGER) == 2
    assert {frame for _, frame in street.applications.seen[CHALLENGER]} == {1, 2, 3, 7, 8}
    assert set(_versions(street.sink, "a")) == {CHAMPION}


def test_frames_of_a_city_go_to_its_own_champion(street: Street) -> None:
    champion_applications = {"a": OWN, "b": OWN}
    street.table = RouteTable(1, champion_applications)
    sink = street.run("abc", [marked(k, 40) for k in range(3)])

    assert street.pipeline.wait(PATIENCE_S)
    assert {v for c in "ab" for v in _versions(sink, c)} == {OWN}
    assert set(_versions(sink, "c")) == {CHAMPION}


def test_the_citys_own_champion_is_the_fallback_of_a_failing_challenger(street: Street) -> None:
    champion_applications = dict.fromkeys("ab", OWN)
    street.applications.does[CHALLENGER] = failing
    street.table = RouteTable(1, champion_applications, frozenset("ab"), frozenset("ab"), 0.2)
    sink = street.run("abc", [marked(k, 60) for k in range(3)])

    assert street.pipeline.wait(PATIENCE_S)
    for camera_id in "abc":
        assert sink.frame_ids(camera_id) == list(range(60))
    assert {v for c in "ab" for v in _versions(sink, c)} == {OWN}


def test_a_table_after_the_end_has_no_effect(street: Street) -> None:
    street.run("a", [marked(0, 5)])
    assert street.pipeline.wait(PATIENCE_S)
    street.pipeline.follow(_table(1, "a"))
    assert street.sink.closed == 1
    assert street.applications.opened == [CHAMPION]
