from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest

from flows.archive.retention import class_of, pinned_by, to_remove
from streetloop.ledger.segments import Segment
from streetloop.setting_types import KeepSetting
from tests.support.stream_flow.build import NOON

_DAY = timedelta(days=1)
NOW = NOON + 100 * _DAY


def _segment(days_ago: float, *, camera: str = "a", size: int = 10**9, motion: float | None = 0.0) -> Segment:
    start = NOW - days_ago * _DAY
    key = f"{camera}/{days_ago}"
    return Segment(
        key, camera, start, start + timedelta(minutes=1), size, "f" * 64, "h264", 64, 48, motion=motion
    )


def _gone(
    segments: list[Segment], rules: Mapping[str, KeepSetting], pinned: tuple[str, ...] = ()
) -> list[tuple[str, str]]:
    found = to_remove(
        segments, lambda one: class_of(one, [], 10, 20), lambda one: one.key in pinned, lambda _: rules, NOW
    )
    return [(one.segment.key, one.reason) for one in found]


def test_without_rules_everything_stays() -> None:
    assert _gone([_segment(days) for days in (1, 1000)], {}) == []


def test_what_is_too_old_goes_by_class() -> None:
    segments = [_segment(days, motion=motion) for days in (2, 8) for motion in (0.0, 0.5)]
    segments = [*segments, _segment(5, camera="b")]
    rules = {"continuous": KeepSetting(days=3)}
    assert _gone(segments, rules) == [("a/8", "age"), ("b/5", "age")]


def test_beyond_the_bytes_of_a_camera_the_oldest_go() -> None:
    segments = [_segment(days, camera=camera) for camera in "ab" for days in (4, 1, 3, 2)]
    rules = {"continuous": KeepSetting(gb=2.5)}
    assert _gone(segments, rules) == [("a/4", "bytes"), ("b/4", "bytes"), ("a/3", "bytes"), ("b/3", "bytes")]


def test_what_is_pinned_stays_and_counts() -> None:
    segments = [_segment(days) for days in (1, 2, 3)]
    rules = {"continuous": KeepSetting(gb=2.0)}
    assert _gone(segments, rules, pinned=("a/3",)) == [("a/2", "bytes")]


@pytest.mark.parametrize(
    ("begins_s", "lasts_s", "kind"),
    [(-15, 1, "event"), (-25, 1, "motion"), (65, 5, "event"), (75, 5, "motion"), (-100, 300, "event")],
)
def test_what_is_near_an_event_is_of_its_class(begins_s: float, lasts_s: float, kind: str) -> None:
    segment = _segment(1, motion=0.1)
    begin = segment.started_at + timedelta(seconds=begins_s)
    assert class_of(segment, [(begin, begin + timedelta(seconds=lasts_s))], 10, 20) == kind


def test_evidence_and_labels_pin() -> None:
    segments = [_segment(days) for days in (1, 2, 3)]
    moments: dict[str, list[datetime]] = {"a": [NOON, segments[1].started_at + timedelta(seconds=30)]}
    is_pinned = pinned_by({segments[2].key}, moments)
    assert [is_pinned(one) for one in segments] == [False, True, True]
